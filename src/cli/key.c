/* Signing keys and the master key. */
#include "cli/commands.h"
#include "token/keyring.h"
#include "token/tenant.h"

static const char *state_of(const struct signing_key *k, int64_t now_s)
{
    return k->retired_s && k->retired_s <= now_s ? "retired" : k->active_s > now_s ? "announced" : "active";
}

#define COLUMNS 6

int cli_key_list(struct cli_call *c)
{
    const struct tenant *t = c->op->tenant;
    struct str *cells = arena_array(c->arena, struct str, (t->nkeys + 1) * COLUMNS);
    json_t *array = json_array();
    if (!cells)
        return cli_fail(c, ERR_MEMORY);
    const struct str heading[COLUMNS] = {STR("KID"),     STR("ALG"),        STR("STATE"),
                                         STR("CREATED"), STR("SIGNS FROM"), STR("LEAVES THE SET")};
    memcpy(cells, heading, sizeof heading);
    for (size_t i = 0; i < t->nkeys; i++) {
        const struct signing_key *k = &t->keys[i];
        const char *alg = alg_row(k->jwk.alg)->name, *state = state_of(k, c->op->now_s);
        const struct str row[COLUMNS] = {k->jwk.kid,
                                         str_z(alg),
                                         str_z(state),
                                         cli_time(c, k->created_s),
                                         cli_time(c, k->active_s),
                                         cli_time(c, k->remove_s)};
        memcpy(cells + (i + 1) * COLUMNS, row, sizeof row);
        json_array_append_new(array,
                              json_pack("{ss%sssssIsIsIsI}", "kid", k->jwk.kid.p, k->jwk.kid.n, "alg", alg,
                                        "state", state, "created_at", (json_int_t)k->created_s, "active_at",
                                        (json_int_t)k->active_s, "retired_at", (json_int_t)k->retired_s,
                                        "removed_at", (json_int_t)k->remove_s));
    }
    if (c->json)
        cli_print_json(c, array);
    else
        cli_table(c->out, cells, COLUMNS, t->nkeys + 1);
    json_decref(array);
    return 0;
}

int cli_key_rotate(struct cli_call *c)
{
    enum alg alg;
    struct str name = c->argc ? str_z(c->argv[0]) : c->op->tenant->spec->signing_alg;
    if (!alg_find_in(name, ALGS_ISSUED, &alg))
        return cli_refuse(c, 2, "the algorithm \"%.*s\" is unknown", STR_ARG(name));
    err_t e = keyring_rotate(c->op, alg);
    if (e != ERR_OK)
        return cli_fail(c, e);
    if (c->json)
        buf_z(c->out, "{\"ok\":true}\n");
    else
        buf_fmt(c->out, "a new %.*s key was made; key list shows from when it signs\n", STR_ARG(name));
    return 0;
}

int cli_key_master_rotate(struct cli_call *c)
{
    err_t e = keyring_rotate_master(c->op, c->place->data_dir, c->place->master_key_file);
    if (e != ERR_OK)
        return cli_fail(c, e);
    buf_z(c->out, c->json ? "{\"ok\":true}\n"
                          : "the master key was replaced; the old one stays beside it as .old until the next "
                            "start. Backups made "
                            "before need the old one: keep it as long as them\n");
    return 0;
}
