/* Each statement of the store fails once: what was answered stays, what failed leaves nothing, the next start
 * is clean. Needs a build with faults (fault.h); without them there is nothing to see. */
#include "store_test.h"

#define AT_START 4 /* statements: whether a copy is unfinished, the newest id, the ceiling, and raising it */
#define PUTS     8

static int run_with(struct test_store *t, const char *which, bool ok[8])
{
    setenv("MEREAU_FAULT_STORE", which, 1);
    err_t e = test_open(t);
    unsetenv("MEREAU_FAULT_STORE");
    if (e != ERR_OK)
        return -1;
    int good = 0;
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        ok[i] = test_put(t->store, name, "x") == ERR_OK;
        good += ok[i];
    }
    store_close(&t->store);
    return good;
}

static void check_rows(struct test_store *t, const bool ok[8], const char *which)
{
    struct db *db;
    CHECK_ROW(test_open(t) == ERR_OK, which);
    CHECK_ROW(db_open(t->store, 0, &db) == ERR_OK, which);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        CHECK_ROW(test_is(db, name, ok[i] ? "x" : NULL), which);
    }
    db_close(&db);
}

int main(void)
{
#ifdef MEREAU_FAULTS
    const int most = AT_START + PUTS + 5;
#else
    const int most = 0;
#endif
    for (int n = 1; n <= most; n++) {
        struct test_store t;
        bool ok[8] = {false};
        char which[16];
        snprintf(which, sizeof(which), n == most ? "%d-100" : "%d", n == most ? AT_START + 1 : n);
        test_dir(&t);
        int good = run_with(&t, which, ok);
        CHECK_ROW(n > AT_START ? good >= 0 : good == -1, which);
        CHECK_ROW(n == most ? good == 0 : n <= AT_START || n > AT_START + PUTS ? good == PUTS || good == -1 : good == PUTS - 1, which);
        check_rows(&t, ok, which);
        test_remove(&t);
    }
    return unit_end("fault");
}
