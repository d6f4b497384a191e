/* What the audit trail hashes and signs; audit_state.h says what goes in. */
#include "token/audit_state.h"

void audit_be64(uint8_t *ret, int64_t v)
{
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

int64_t audit_read_be64(const char *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)p[i];
    return (int64_t)v;
}

/* --- what is hashed
 * -------------------------------------------------------------------------------------------------- */

struct hashed {
    const struct crypto *crypto;
    size_t n;
    uint8_t p[16 + 64 + 5 * (8 + AUDIT_FIELD_MAX)];
};

static void put_int(struct hashed *h, int64_t v)
{
    audit_be64(h->p + h->n, v);
    h->n += 8;
}

/* A missing text differs from an empty one. */
static void put_text(struct hashed *h, struct str s)
{
    put_int(h, s.p ? (int64_t)s.n : -1);
    if (s.n > AUDIT_FIELD_MAX) {
        sha256(h->crypto, s, h->p + h->n);
        h->n += SHA256_SIZE;
    } else if (s.n) {
        memcpy(h->p + h->n, s.p, s.n);
        h->n += s.n;
    }
}

void audit_digest(const struct crypto *c, const struct audit_content *r, uint8_t ret[static SHA256_SIZE])
{
    static const char label[14] = "mereau audit 1";
    struct hashed h;
    h.crypto = c;
    h.n = sizeof(label);
    memcpy(h.p, label, sizeof(label));
    put_int(&h, r->id);
    put_int(&h, r->tenant_id);
    put_int(&h, r->at_s);
    const struct str texts[] = {r->salt, r->event, r->actor, r->object, r->payload};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        put_text(&h, texts[i]);
    sha256(c, (struct str){(const char *)h.p, h.n}, ret);
}

void audit_chain_start(const struct crypto *c, int64_t tenant_id, uint8_t ret[static SHA256_SIZE])
{
    uint8_t b[20] = "mereau audit";
    audit_be64(b + 12, tenant_id);
    sha256(c, (struct str){(const char *)b, sizeof(b)}, ret);
}

void audit_chain_next(const struct crypto *c, uint8_t *buf, int64_t seal, size_t n,
                      uint8_t chain[static SHA256_SIZE])
{
    memcpy(buf, chain, SHA256_SIZE);
    audit_be64(buf + SHA256_SIZE, seal);
    audit_be64(buf + SHA256_SIZE + 8, (int64_t)n);
    sha256(c, (struct str){(const char *)buf, AUDIT_CHAIN_HEAD + n * SHA256_SIZE}, chain);
}

/* --- checkpoints
 * ----------------------------------------------------------------------------------------------------- */

err_t audit_checkpoint_sign(struct op *op, const struct audit_checkpoint_row *c,
                            uint8_t ret[static SHA256_SIZE])
{
    uint8_t key[32], text[23 + 24 + 2 * SHA256_SIZE] = "mereau audit checkpoint";
    const struct core *core = op->core;
    TRY(hkdf_sha256(core->crypto, (struct str){(const char *)core->store_key, sizeof(core->store_key)},
                    STR_NONE, STR("audit checkpoint"), key, sizeof(key)));
    audit_be64(text + 23, c->id);
    audit_be64(text + 31, c->at_s);
    audit_be64(text + 39, c->tenants);
    sha256(core->crypto, c->heads, text + 47);
    if (c->before.n == SHA256_SIZE)
        memcpy(text + 47 + SHA256_SIZE, c->before.p, SHA256_SIZE);
    hmac_sha256(core->crypto, (struct str){(const char *)key, sizeof(key)},
                (struct str){(const char *)text, sizeof(text)}, ret);
    secret_zero(key, sizeof(key));
    return ERR_OK;
}
