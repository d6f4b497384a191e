/* The log: JSON lines (or readable text on a terminal) on standard error. Callers pass no token, password or
 * Authorization header; as a second guard anything shaped like one of our tokens is masked on the way out. */
#pragma once
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_JSON, LOG_TEXT };

struct log;
struct log *log_new(int fd, enum log_level least, enum log_format format);
void log_free(struct log **l);
void log_set_level(struct log *l, enum log_level least); /* any thread, at any time */
bool log_wants(const struct log *l, enum log_level level);
/* event: a short dotted name ("server.start"). request_id may be STR_NONE; l may be NULL (no log). The
 * message is cut at LIMIT_LOG_TEXT. One write(2) a line. */
void log_write(struct log *l, enum log_level level, struct str request_id, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
