/* Lines of news: a letter, then its parts. Every server acts on all of them, also on its own. */
#include "token/news.h"
#include "token/cache.h"
#include "token/life.h"
#include <inttypes.h>
#include <stdio.h>

static err_t tell(struct db *db, char letter, int64_t a, int64_t b)
{
    char line[64];
    snprintf(line, sizeof(line), "%c %" PRId64 " %" PRId64, letter, a, b);
    return db_tell(db, str_z(line));
}

err_t news_tenant_tx(struct db *db, int64_t tenant_id)
{
    return tell(db, 't', tenant_id, 0);
}

err_t news_dead_tx(struct db *db, int64_t node_id, int64_t cutoff_id)
{
    return tell(db, 'd', node_id, cutoff_id);
}

err_t news_named_tx(struct db *db, int64_t tenant_id, const char *kind, struct str name)
{
    char line[LIMIT_NAME + 96];
    snprintf(line, sizeof(line), "o %" PRId64 " %s %.*s", tenant_id, kind, STR_ARG(name));
    return db_tell(db, str_z(line));
}

err_t news_object_tx(struct db *db, const struct object *o)
{
    TRY(news_named_tx(db, o->tenant_id, o->kind->name, o->name));
    return o->kind->in_snapshot ? news_tenant_tx(db, o->tenant_id) : ERR_OK;
}

/* --- hearing --- */

static struct str word(struct str *rest)
{
    size_t n = str_find(*rest, ' '), skip = n < rest->n ? n + 1 : n;
    struct str w = {rest->p, n};
    *rest = (struct str){rest->p + skip, rest->n - skip};
    return w;
}

static int64_t number(struct str *rest)
{
    int64_t v = 0;
    (void)str_to_int(word(rest), &v);
    return v;
}

static void heard_object(struct core *core, struct str rest)
{
    int64_t tenant_id = number(&rest);
    const struct object_kind *kind = object_kind_find(core->kinds, word(&rest));
    if (kind)
        cache_drop(core->cache, tenant_id, kind->name, rest);
}

static void hear(struct str line, void *ctx)
{
    struct core *core = ctx;
    struct str rest = line;
    if (!line.p) { /* something may have been missed */
        cache_drop_all(core->cache);
        dead_set_stale(core->dead);
        return;
    }
    struct str letter = word(&rest);
    if (str_is(letter, "o")) {
        heard_object(core, rest);
    } else if (str_is(letter, "t")) {
        cache_drop_tenant(core->cache, number(&rest));
    } else if (str_is(letter, "d")) {
        int64_t node_id = number(&rest), cutoff_id = number(&rest);
        store_id_seen(core->store, cutoff_id);
        dead_set_add(core->dead, node_id, cutoff_id);
    }
}

void news_start(struct core *core)
{
    cache_follow(core->cache, core->store);
    store_on_news(core->store, hear, core);
}
