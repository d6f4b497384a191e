/* The writers of a store's trails, and up to which id each has written its heads down: "audit_heads" in meta for the first, "audit_heads/7"
 * for another. */
#include "token/audit_state.h"
#include <stdio.h>

#define NAME "audit_heads"

static bool number_of(struct str name, int *ret)
{
    int64_t v = 0;
    struct str rest = {name.p + strlen(NAME), name.n - strlen(NAME)};
    if (rest.n && (*rest.p != '/' || !str_to_int((struct str){rest.p + 1, rest.n - 1}, &v)))
        return false;
    *ret = (int)v;
    return v >= 0 && v < LIMIT_SERVERS;
}

err_t audit_writers(struct db *db, struct audit_writer ret[static LIMIT_SERVERS], size_t *ret_n)
{
    struct rows r;
    size_t n = 0;
    TRY(db_rows(db, Q_AUDIT_WRITERS, BIND_NONE, &r));
    while (n < LIMIT_SERVERS && db_next(&r))
        if (number_of(db_text(&r, 0), &ret[n].number)) {
            ret[n].mark = db_text(&r, 1).n == 8 ? audit_read_be64(db_text(&r, 1).p) : 0;
            n++;
        }
    *ret_n = n;
    return db_end(&r);
}

static void name_of(int number, char ret[static 24])
{
    if (number == 0)
        snprintf(ret, 24, NAME);
    else
        snprintf(ret, 24, NAME "/%d", number);
}

err_t audit_writer_mark(struct db *db, int number, int64_t *ret_id)
{
    struct rows r;
    char name[24];
    int64_t id = 0;
    name_of(number, name);
    TRY(db_rows(db, Q_META_GET, BIND(vtext(str_z(name))), &r));
    if (db_next(&r) && db_text(&r, 0).n == 8)
        id = audit_read_be64(db_text(&r, 0).p);
    *ret_id = id;
    return db_end(&r);
}

err_t audit_writer_save(struct db *db, int number, int64_t id)
{
    char name[24];
    uint8_t be[8];
    name_of(number, name);
    audit_be64(be, id);
    return db_run(db, Q_META_PUT, BIND(vtext(str_z(name)), vblob(be, sizeof(be))), NULL);
}
