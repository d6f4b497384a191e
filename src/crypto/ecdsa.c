/* The two forms of an ECDSA signature: JOSE and most of the world write r and s with the curve's width (RFC
 * 7518 section 3.4), OpenSSL reads and writes DER. Both directions are exact: one value has one form. */
#include "crypto/internal.h"

/* A positive INTEGER in its shortest form. Bytes written; 0 if the number is zero. */
static size_t der_int(const uint8_t *num, size_t n, uint8_t *ret)
{
    while (n > 0 && num[0] == 0) {
        num++;
        n--;
    }
    if (n == 0)
        return 0;
    size_t sign = num[0] >> 7;
    ret[0] = 2;
    ret[1] = (uint8_t)(n + sign);
    ret[2] = 0;
    memcpy(ret + 2 + sign, num, n);
    return 2 + sign + n;
}

size_t ecdsa_raw_to_der(struct str raw, size_t size, uint8_t ret[static ECDSA_DER_MAX])
{
    if (size > ECDSA_SIZE_MAX || raw.n != 2 * size)
        return 0;
    uint8_t body[ECDSA_DER_MAX];
    size_t r_n = der_int((const uint8_t *)raw.p, size, body);
    size_t s_n = der_int((const uint8_t *)raw.p + size, size, body + r_n);
    if (r_n == 0 || s_n == 0)
        return 0;
    size_t n = r_n + s_n, head = 0;
    ret[head++] = 0x30;
    if (n >= 0x80)
        ret[head++] = 0x81;
    ret[head++] = (uint8_t)n;
    memcpy(ret + head, body, n);
    return head + n;
}

/* Cuts one shortest-form positive INTEGER off *p and writes it with the given width. */
static bool der_int_read(const uint8_t **p, size_t *n, size_t size, uint8_t *ret)
{
    if (*n < 3 || (*p)[0] != 2)
        return false;
    size_t len = (*p)[1];
    const uint8_t *num = *p + 2;
    if (len == 0 || len >= 0x80 || len > *n - 2 || num[0] >= 0x80)
        return false;
    if (num[0] == 0 && (len == 1 || num[1] < 0x80))
        return false;
    *p += 2 + len;
    *n -= 2 + len;
    if (num[0] == 0) {
        num++;
        len--;
    }
    if (len > size)
        return false;
    memset(ret, 0, size - len);
    memcpy(ret + size - len, num, len);
    return true;
}

bool ecdsa_der_to_raw(const uint8_t *der, size_t n, size_t size, uint8_t *ret)
{
    if (n < 2 || der[0] != 0x30)
        return false;
    size_t head = der[1] == 0x81 ? 3 : 2;
    if (n < head || (head == 3 && der[2] < 0x80) || (head == 2 && der[1] >= 0x80) ||
        der[head - 1] != n - head)
        return false;
    const uint8_t *p = der + head;
    size_t rest = n - head;
    return der_int_read(&p, &rest, size, ret) && der_int_read(&p, &rest, size, ret + size) && rest == 0;
}
