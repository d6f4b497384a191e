/* Between guard.c and answer.c, which share a call's beginning and end. */
#pragma once
#include "api/page.h"
#include "base/enc.h"
#include "token/core.h"

/* The answer to a failure: the one place that turns an err_t into bytes. */
void answer_failure(struct call *c, err_t e);
void answer_retry_after(struct call *c, err_t e); /* how long to wait, where it is known */
/* Headers that every answer has. */
void answer_finish(struct call *c);
/* OPTIONS of an endpoint with ENDPOINT_CORS. */
void answer_preflight(struct call *c);
