/* From a path to a route. Built once from the table of routes; a tree of segments, fixed ones before {captures}. */
#pragma once
#include "http/http.h"

struct router;
struct node;
/* ERR_CONFIG if two rows say the same method and path, or a path is malformed. */
err_t router_new(const struct route *routes, size_t n, struct router **ret, struct fault *f);
void router_free(struct router **r);
/* The node of a (decoded) path, or NULL; captures in order. */
const struct node *router_find(const struct router *r, struct str path, struct str ret_captures[4]);
/* The route for a method; HEAD falls back to GET. NULL: not allowed. */
const struct route *node_route(const struct node *n, enum http_method m);
const char *node_allow(const struct node *n); /* "GET, HEAD, OPTIONS" */

/* A request target's path, percent-decoded once into ret (of at least n + 1 bytes). Refuses what could mean two things:
 * %00 and control bytes, encoded or raw backslash, encoded slash, '.' and '..' segments, empty segments but a last one, bytes that are
 * not UTF-8. */
bool path_decode(struct str raw, char *ret, struct str *ret_path);
/* Splits a request target into path and query; takes absolute form ("http://host/path") too and then sets *ret_authority. */
bool target_split(struct str target, struct str *ret_path, struct str *ret_query, struct str *ret_authority);
