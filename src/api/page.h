/* Pages: a template of src/console and the JSON it shows. */
#pragma once
#include "api/api.h"
#include <jansson.h>

/* An object with what every page needs: title, tenant, paths; for a signed-in call also the bar (nav, user name, sign-out).
 * NULL only when memory is out; the setters below take NULL. */
json_t *page_data(struct call *c, const char *title);
void page_set(json_t *data, const char *name, struct str value); /* left out when value is zero */
void page_set_int(json_t *data, const char *name, int64_t value);
void page_set_time(json_t *data, const char *name, int64_t t_s);  /* "2026-11-23 21:22 UTC"; left out for 0 */
json_t *page_list(json_t *data, const char *name);               /* a new empty array in it, borrowed */
json_t *page_item(json_t *list);                                  /* a new empty object at its end, borrowed */
/* Renders, sends, and takes `data`. */
err_t page_send(struct call *c, int status, const char *template, json_t *data);
/* "Chrome on Linux" for a User-Agent; the agent itself when it is not known. */
struct str page_browser_name(struct call *c, struct str agent);
/* An error's text as a sentence: capital letter, full stop. In the op's arena. */
struct str page_sentence(struct call *c, struct str text);

err_t page_error(struct call *c, err_t e);
err_t page_consent(struct call *c, const struct authorize_result *r);
/* A form that sends itself to the client; with a button where scripts are off. */
err_t page_form_post(struct call *c, const struct authorize_result *r);
err_t oauth_answer(struct call *c, const struct authorize_result *r); /* oauth.c */

/* The browser's secret for CSRF: the session's text, else the cookie of before sign-in, made if absent. */
struct str page_browser_secret(struct call *c);
/* A path below the tenant that a page may be left for: "authorize?..", "account", "console/..". Everything else is refused. */
bool page_continue_ok(struct str path);
/* The same, or an address behind a proxy that asks /verify; and going there, or to the account page for a zero `next`. */
bool page_next_ok(struct call *c, struct str next);
err_t page_go_next(struct call *c, struct str next);
/* For the sign-in page (pages_outside.c): buttons of outside providers; who is to be linked by this sign-in. */
void page_providers(struct call *c, struct str next, json_t *data);
err_t page_pending(struct call *c, struct str link, struct str next, json_t *data);
/* The cookies of a browser that has just signed in. */
void page_signed_in(struct call *c, const struct signed_in *in);
err_t page_go(struct call *c, struct str path_below_tenant); /* 303 */
