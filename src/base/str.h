/* A slice of bytes that somebody else owns. Never NUL-terminated by promise; never freed.
 * A zero str ({NULL, 0}) means "absent"; {p, 0} with p != NULL means "present and empty". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(lit)     ((struct str){(lit), sizeof(lit) - 1})
#define STR_NONE     ((struct str){NULL, 0})
#define STR_ARG(s)   (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

static inline struct str str_z(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_z(z));
}

static inline bool str_starts(struct str s, struct str head)
{
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b);            /* ASCII only */
/* Same bytes, in time that depends on the lengths alone. For secrets. */
bool str_eq_secret(struct str a, struct str b);
/* Index of c in s, or s.n. */
size_t str_find(struct str s, char c);
/* Cuts the next word (separated by runs of `sep`) off *rest; false when none is left. */
bool str_word(struct str *rest, char sep, struct str *ret_word);
/* True if `word` stands among the `sep`-separated words of `list`. */
bool str_has_word(struct str list, char sep, struct str word);
/* Decimal, optional leading '-', whole slice, no overflow. False leaves *ret alone. */
bool str_to_int(struct str s, int64_t *ret);
bool str_is_utf8(struct str s); /* well-formed UTF-8 without NUL */
/* Bytes of the first character of s; 0 if s is empty, begins with NUL or is not UTF-8. */
size_t str_utf8_len(struct str s);
struct str str_trim(struct str s); /* without spaces at both ends */

/* A list of slices; the array lives in an arena. */
struct strs {
    const struct str *v;
    size_t n;
};
bool strs_has(struct strs list, struct str s);
