/* Encodings. Decoders are strict: one form is right, everything else is refused (cases A62, A75). */
#pragma once
#include "base/buf.h"

/* base64url without padding (RFC 4648 section 5). Decoding refuses '=', white space, '+', '/', and non-zero trailing bits. */
void enc_b64url(struct buf *b, const void *p, size_t n);
bool dec_b64url(struct arena *a, struct str s, struct str *ret);
size_t dec_b64url_into(struct str s, uint8_t *ret, size_t max); /* bytes written, or SIZE_MAX */
void enc_b64(struct buf *b, const void *p, size_t n);           /* ordinary, padded */
bool dec_b64(struct arena *a, struct str s, struct str *ret);   /* ordinary, padding required */
void enc_hex(struct buf *b, const void *p, size_t n);
bool dec_hex(struct str s, uint8_t *ret, size_t n); /* exactly n bytes, lower or upper case */
/* Fixed-width base62 (0-9A-Za-z), most significant digit first; the number is big-endian bytes, at most BASE62_NUM_MAX.
 * 43 digits hold any 32 bytes, 6 digits any 4. */
#define BASE62_NUM_MAX 64
void enc_base62(char *ret, size_t width, const uint8_t *num, size_t num_n);
bool dec_base62(struct str s, uint8_t *ret_num, size_t num_n); /* false on overflow, a foreign character, or nothing */
uint32_t crc32_ieee(const void *p, size_t n);
/* One component of application/x-www-form-urlencoded: '+' is a space if plus, bad escapes and %00 are refused. */
bool dec_percent(struct arena *a, struct str s, bool plus, struct str *ret);
