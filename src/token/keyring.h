/* The envelope: record key <- tenant key <- master key, and the tenants' signing keys. */
#pragma once
#include "token/tenant.h"

/* Reads the master key (file, systemd credential, or makes data_dir/master.key at first start) and checks it against the
 * store's key-check value. ERR_MASTER_KEY: missing or another one; nothing is overwritten. *ret_in_data_dir: warn. */
err_t keyring_open(struct core *core, const char *data_dir, const char *key_file_or_null, bool *ret_in_data_dir, struct fault *f);
void keyring_close(struct core *core);
/* A new master key, every sealed row rewrapped in one transaction; the old file stays as .old until the next start. */
err_t keyring_rotate_master(struct op *op, const char *data_dir, const char *key_file_or_null);
/* Seals and opens for a tenant; purpose and tenant are authenticated. */
err_t keyring_seal(struct op *op, int64_t tenant_id, const char *purpose, struct str data, struct str *ret);
err_t keyring_open_sealed(struct op *op, int64_t tenant_id, const char *purpose, struct str sealed, struct str *ret);
/* Is this the secret that was there? base64url of an HMAC under the tenant's secret key, for comparing, never for checking
 * who somebody is. */
err_t keyring_fingerprint(struct op *op, struct str purpose, struct str secret, struct str *ret);
/* A new signing key. The first of its algorithm is active at once; every later one after twice jwks_max_age. */
err_t keyring_rotate(struct op *op, enum alg alg);
err_t keyring_housekeeping(struct op *op); /* due rotations, removal of keys whose last token has died, the gauge of
                                           * their age; reads all keys: once a minute is enough */
