/* Fills a store with live families, through the product's own functions: for each a grant, an access token and a refresh
 * token, as a code would have bought them; 1,000 families a commit.  usage: bench-seed DATA_DIR ISSUER COUNT OUT
 * Writes OUT.access and OUT.refresh, one token a line. The store must hold client "web" and user "ann". */
#include "app/app.h"
#include "oauth/parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH 1000

struct batch {
    struct op *op;
    struct object *client;
    const struct account *account;
    FILE *access, *refresh;
    struct token tokens[2 * BATCH];
    int64_t grants[BATCH];
    size_t n;
};

static err_t insert(struct db *db, void *ctx)
{
    struct batch *b = ctx;
    int64_t tenant = b->op->tenant->object.id, now = b->op->now_s;
    for (size_t i = 0; i < b->n; i++) {
        TRY(db_run(db, Q_GRANT_INSERT,
                   BIND(vint(tenant), vint(b->grants[i]), vint(b->account->id), vint(b->client->id), vid(0), vtext(STR("orders.read offline_access")),
                        vtext(STR("https://orders.example")), vint(now), vtext(STR("127.0.0.1")), vint(now + 30 * 86400), vtext(STR("{}"))),
                   NULL));
        TRY(token_insert(db, &b->tokens[2 * i]));
        TRY(token_insert(db, &b->tokens[2 * i + 1]));
    }
    return ERR_OK;
}

static err_t make_token(struct batch *b, char letter, int64_t grant, struct token *t, FILE *out)
{
    struct token_text text;
    *t = (struct token){.kind = letter, .id = store_new_id(b->op->core->store), .tenant_id = b->op->tenant->object.id, .client_id = b->client->id,
                        .account_id = b->account->id, .grant_id = grant, .scope = STR("orders.read offline_access"),
                        .audience = STR("https://orders.example"), .issued_s = b->op->now_s, .expires_s = b->op->now_s + 86400,
                        .generation = letter == TOKEN_REFRESH ? 1 : 0};
    TRY(token_text_make(b->op->core, (enum token_letter)letter, t->id, &text));
    memcpy(t->hash, text.hash, sizeof(t->hash));
    fprintf(out, "%.*s\n", TOKEN_TEXT_SIZE, text.p);
    return ERR_OK;
}

static err_t seed(struct batch *b, int64_t count)
{
    for (int64_t done = 0; done < count; done += (int64_t)b->n) {
        b->n = count - done < BATCH ? (size_t)(count - done) : BATCH;
        for (size_t i = 0; i < b->n; i++) {
            b->grants[i] = store_new_id(b->op->core->store);
            TRY(make_token(b, TOKEN_ACCESS, b->grants[i], &b->tokens[2 * i], b->access));
            TRY(make_token(b, TOKEN_REFRESH, b->grants[i], &b->tokens[2 * i + 1], b->refresh));
        }
        TRY(store_tx(b->op->core->store, insert, b));
        if (done % 100000 == 0)
            fprintf(stderr, "\r  %lld of %lld families", (long long)done, (long long)count);
    }
    fprintf(stderr, "\r  %lld families      \n", (long long)count);
    return ERR_OK;
}

static FILE *out_file(const char *base, const char *end)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s.%s", base, end);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

int main(int argc, char **argv)
{
    static struct config cfg;
    static struct app app;
    static struct batch b;
    struct fault f = {0};
    struct op op;
    struct db *db;
    struct account account;
    if (argc != 5) {
        fprintf(stderr, "usage: bench-seed DATA_DIR ISSUER COUNT OUT\n");
        return 2;
    }
    const struct config_flag flags[] = {{"data", str_z(argv[1])}, {"issuer", str_z(argv[2])}};
    struct config_input in = {.flags = flags, .nflags = 2, .env = (char *[]){NULL}};
    struct log *log = log_new(2, LOG_WARN, LOG_TEXT);
    err_t e = config_load(&in, &cfg);
    if (e == ERR_OK)
        e = app_open(&cfg, log, &app, &f);
    if (e != ERR_OK) {
        fprintf(stderr, "bench-seed: %s %s\n", err_text(e), f.detail);
        return 1;
    }
    b.access = out_file(argv[4], "access");
    b.refresh = out_file(argv[4], "refresh");
    b.op = &op;
    b.account = &account;
    e = db_open(app.core.store, 512, &db);
    if (e == ERR_OK)
        e = app_op(&app, db, arena_new(LIMIT_REQUEST_ARENA), &op);
    if (e == ERR_OK)
        e = object_get(&op, &kind_client, STR("web"), &b.client);
    if (e == ERR_OK)
        e = account_by_name(&op, STR("ann"), &account);
    if (e == ERR_OK)
        e = seed(&b, atoll(argv[3]));
    if (e != ERR_OK)
        fprintf(stderr, "bench-seed: %s %s\n", err_text(e), op.fault.detail);
    fclose(b.access);
    fclose(b.refresh);
    op_end(&op);
    db_close(&db);
    app_close(&app);
    return e != ERR_OK;
}
