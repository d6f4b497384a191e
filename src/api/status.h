/* Parameters of the status list's endpoint. */
#pragma once
#include "base/fields.h"

extern const struct fields status_list_fields;
