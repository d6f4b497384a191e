/* Field tables: each type from JSON and from a form, limits at and one above, texts of refusal, the round trip. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fields.h"
#include "base/limits.h"

static struct arena *arena;

struct thing {
    struct str name, text, exact, words, choice, secret, state;
    struct strs list, uris;
    int64_t number, life_s, big, long_s;
    json_t *json;
    bool flag;
};
static const struct field rows[] = {
    {"name", F_STR, FIELD_FIXED, 8, offsetof(struct thing, name), NULL, NULL, ""},
    {"text", F_STR, 0, 0, offsetof(struct thing, text), NULL, NULL, ""},
    {"exact", F_STR, FIELD_EXACT, 5, offsetof(struct thing, exact), NULL, NULL, ""},
    {"words", F_WORDS, 0, LIMIT_SCOPE, offsetof(struct thing, words), NULL, "a b", ""},
    {"choice", F_ENUM, 0, 0, offsetof(struct thing, choice), "opaque|jwt", "opaque", ""},
    {"secret", F_SECRET, FIELD_EXACT, 6, offsetof(struct thing, secret), NULL, NULL, ""},
    {"list", F_STRS, 0, 4, offsetof(struct thing, list), NULL, "x y", ""},
    {"redirect_uris", F_STRS, FIELD_MULTI, 8, offsetof(struct thing, uris), NULL, NULL, ""},
    {"number", F_INT, 0, 10, offsetof(struct thing, number), NULL, "-1", ""},
    {"life", F_SECONDS, 0, 86400, offsetof(struct thing, life_s), NULL, "15m", ""},
    {"big", F_INT, 0, 0, offsetof(struct thing, big), NULL, NULL, ""},
    {"long", F_SECONDS, 0, 0, offsetof(struct thing, long_s), NULL, NULL, ""},
    {"json", F_JSON, 0, 0, offsetof(struct thing, json), NULL, NULL, ""},
    {"flag", F_BOOL, 0, 0, offsetof(struct thing, flag), NULL, "true", ""},
    {"state", F_STR, FIELD_READ_ONLY, 0, offsetof(struct thing, state), NULL, "new", ""},
};
static const struct fields table = FIELDS(rows, struct thing);

static void test_init(void)
{
    struct thing t;
    memset(&t, 0xAA, sizeof(t));
    CHECK(fields_init(&table, arena, &t) == ERR_OK);
    CHECK(!t.text.p && !t.json && !t.secret.p && t.big == 0 && t.uris.n == 0);
    CHECK(str_is(t.words, "a b") && str_is(t.choice, "opaque") && t.list.n == 2 && str_is(t.list.v[1], "y"));
    CHECK(t.number == -1 && t.life_s == 900 && t.flag && str_is(t.state, "new"));
    CHECK(fields_find(&table, STR("life")) == &rows[9] && !fields_find(&table, STR("lif")));
}

static err_t from_json(const char *text, unsigned options, struct thing *t, struct fault *f)
{
    json_t *doc = NULL;
    *f = (struct fault){.code = ERR_OK};
    if (json_load(str_z(text), &doc) != ERR_OK)
        return ERR_JSON;
    err_t e = fields_from_json_as(&table, arena, doc, "things[0]", options, t, f);
    t->json = json_deep_copy(t->json);
    if (t->json)
        arena_defer(arena, (void (*)(void *))json_decref, t->json);
    json_decref(doc);
    return e;
}

static struct str print(const struct thing *t)
{
    struct buf b;
    struct jw w;
    buf_init(&b, arena, 1 << 18);
    jw_init(&w, &b);
    jw_open(&w, '{');
    fields_to_json(&table, t, &w);
    jw_close(&w, '}');
    CHECK(buf_ok(&b));
    return buf_view(&b);
}

static void test_round_trip(void)
{
    struct thing t;
    struct fault f;
    CHECK(fields_init(&table, arena, &t) == ERR_OK);
    err_t e = from_json("{\"name\":\"n\",\"text\":\" t \",\"exact\":\" e\\n \",\"words\":[\"c\",\"d\"],\"choice\":\"jwt\",\"secret\":\"s\","
                        "\"list\":[\"1\",\"2\"],\"redirect_uris\":[\"u v\"],\"number\":3,\"life\":\"2h\",\"json\":{\"z\":1,\"a\":[]},\"flag\":false}",
                        0, &t, &f);
    CHECK(e == ERR_OK);
    CHECK(str_is(t.secret, "s") && t.life_s == 7200);
    CHECK(str_is(print(&t), "{\"name\":\"n\",\"text\":\"t\",\"exact\":\" e\\n \",\"words\":\"c d\",\"choice\":\"jwt\",\"list\":[\"1\",\"2\"],"
                            "\"redirect_uris\":[\"u v\"],\"number\":3,\"life\":7200,\"big\":0,\"long\":0,\"json\":{\"z\":1,\"a\":[]},"
                            "\"flag\":false,\"state\":\"new\"}"));
    /* what is not named stays; null is the default */
    CHECK(from_json("{\"words\":null,\"flag\":null,\"json\":null,\"list\":null,\"text\":null}", 0, &t, &f) == ERR_OK);
    CHECK(str_is(t.words, "a b") && t.flag && !t.json && t.list.n == 2 && !t.text.p && str_is(t.choice, "jwt"));
}

/* One member at a time over the defaults: what is said, or that it is fine. */
static const struct {
    const char *json;
    err_t err;
    const char *param, *detail;
} refusals[] = {
    {"{\"text\":1}", ERR_PARAM_BAD, "things[0].text", "text must be a string"},
    {"{\"text\":\"a\\nb\"}", ERR_PARAM_BAD, "things[0].text", "text must be text without control characters"},
    {"{\"text\":\"\"}", ERR_OK, "", ""},
    {"{\"name\":\"12345678\"}", ERR_OK, "", ""},
    {"{\"name\":\"  12345678  \"}", ERR_OK, "", ""},
    {"{\"name\":\"123456789\"}", ERR_PARAM_LONG, "things[0].name", "name must be at most 8 bytes long"},
    {"{\"exact\":\"12345\"}", ERR_OK, "", ""},
    {"{\"exact\":\"12345 \"}", ERR_PARAM_LONG, "things[0].exact", "exact must be at most 5 bytes long"},
    {"{\"words\":\"a \\u00e4\"}", ERR_PARAM_BAD, "things[0].words", "words must be words of printable ASCII without quotes and backslashes"},
    {"{\"words\":\"a\\\"\"}", ERR_PARAM_BAD, "things[0].words", "words must be words of printable ASCII without quotes and backslashes"},
    {"{\"words\":7}", ERR_PARAM_BAD, "things[0].words", "words must be a string of words"},
    {"{\"words\":[7]}", ERR_PARAM_BAD, "things[0].words[0]", "words[0] must be a string"},
    {"{\"words\":[\"a b\"]}", ERR_PARAM_BAD, "things[0].words", "words must be a list of words without spaces"},
    {"{\"choice\":\"JWT\"}", ERR_PARAM_BAD, "things[0].choice", "choice must be one of opaque, jwt"},
    {"{\"choice\":\"opaque|jwt\"}", ERR_PARAM_BAD, "things[0].choice", "choice must be one of opaque, jwt"},
    {"{\"choice\":\"\"}", ERR_OK, "", ""},
    {"{\"secret\":\"\"}", ERR_PARAM_BAD, "things[0].secret", "secret must not be empty"},
    {"{\"secret\":{\"env\":\"HOME\"}}", ERR_PARAM_BAD, "things[0].secret", "secret must be a string"},
    {"{\"secret\":{\"file\":\"/etc/hostname\"}}", ERR_PARAM_BAD, "things[0].secret", "secret must be a string"},
    {"{\"list\":\"a\"}", ERR_PARAM_BAD, "things[0].list", "list must be a list of strings"},
    {"{\"list\":[\"a\",1]}", ERR_PARAM_BAD, "things[0].list[1]", "list[1] must be a string"},
    {"{\"list\":[\"1234\"]}", ERR_OK, "", ""},
    {"{\"list\":[\"12345\"]}", ERR_PARAM_LONG, "things[0].list[0]", "list[0] must be at most 4 bytes long"},
    {"{\"number\":10}", ERR_OK, "", ""},
    {"{\"number\":11}", ERR_PARAM_BAD, "things[0].number", "number must be a whole number from 0 to 10"},
    {"{\"number\":-1}", ERR_OK, "", ""},
    {"{\"number\":-2}", ERR_PARAM_BAD, "things[0].number", "number must be a whole number from 0 to 10"},
    {"{\"number\":1.0}", ERR_PARAM_BAD, "things[0].number", "number must be a whole number from 0 to 10"},
    {"{\"number\":\"1\"}", ERR_PARAM_BAD, "things[0].number", "number must be a whole number from 0 to 10"},
    {"{\"big\":9007199254740991}", ERR_OK, "", ""},
    {"{\"big\":9007199254740992}", ERR_PARAM_BAD, "things[0].big", "big must be a whole number from 0 to 9007199254740991"},
    {"{\"big\":-1}", ERR_PARAM_BAD, "things[0].big", "big must be a whole number from 0 to 9007199254740991"},
    {"{\"life\":86400}", ERR_OK, "", ""},
    {"{\"life\":\"1d\"}", ERR_OK, "", ""},
    {"{\"life\":\"24h\"}", ERR_OK, "", ""},
    {"{\"life\":86401}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":\"86401s\"}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":\"1w\"}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":\"m\"}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":\"\"}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":true}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"life\":\"9223372036854775807d\"}", ERR_PARAM_BAD, "things[0].life", "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"long\":\"36525d\"}", ERR_OK, "", ""},
    {"{\"long\":3155760001}", ERR_PARAM_BAD, "things[0].long", "long must be a duration of at most 3155760000 seconds, such as 90s, 15m, 12h or 30d"},
    {"{\"flag\":\"true\"}", ERR_PARAM_BAD, "things[0].flag", "flag must be true or false"},
    {"{\"flag\":1}", ERR_PARAM_BAD, "things[0].flag", "flag must be true or false"},
    {"{\"state\":\"new\"}", ERR_PARAM_BAD, "things[0].state", "state is set by the server alone"},
    {"{\"redirect_uri\":[]}", ERR_PARAM_BAD, "things[0].redirect_uri", "redirect_uri is not known here; did you mean redirect_uris?"},
    {"{\"chioce\":1}", ERR_PARAM_BAD, "things[0].chioce", "chioce is not known here; did you mean choice?"},
    {"{\"completely\":1}", ERR_PARAM_BAD, "things[0].completely", "completely is not known here"},
    {"{\"a\\\"<b>\":1}", ERR_PARAM_BAD, "things[0].a??b?", "a??b? is not known here"},
    {"{\"\":1}", ERR_PARAM_BAD, "things[0].", " is not known here"},
    {"[]", ERR_PARAM_BAD, "things[0]", "an object with named members is expected"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct thing t;
        struct fault f;
        CHECK(fields_init(&table, arena, &t) == ERR_OK);
        err_t e = from_json(refusals[i].json, 0, &t, &f);
        CHECK_ROW(e == refusals[i].err && f.code == e, refusals[i].json);
        CHECK_ROW(strcmp(f.param, refusals[i].param) == 0, f.param);
        CHECK_ROW(strcmp(f.detail, refusals[i].detail) == 0, f.detail);
    }
}

static const char *repeat(const char *open, const char *item, size_t n, const char *close)
{
    struct buf b;
    buf_init(&b, arena, 1 << 20);
    buf_z(&b, open);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_z(&b, strchr(open, '[') ? "," : " ");
        buf_z(&b, item);
    }
    buf_z(&b, close);
    return arena_cstr(arena, buf_view(&b));
}

static void test_counts(void)
{
    struct thing t;
    struct fault f;
    CHECK(fields_init(&table, arena, &t) == ERR_OK);
    CHECK(from_json(repeat("{\"list\":[", "\"a\"", LIMIT_LIST, "]}"), 0, &t, &f) == ERR_OK && t.list.n == LIMIT_LIST);
    CHECK(from_json(repeat("{\"list\":[", "\"a\"", LIMIT_LIST + 1, "]}"), 0, &t, &f) == ERR_PARAM_LONG);
    CHECK(strcmp(f.detail, "list must have at most 256 members") == 0);
    CHECK(from_json(repeat("{\"words\":\"", "a", LIMIT_SCOPE_WORDS, "\"}"), 0, &t, &f) == ERR_OK);
    CHECK(from_json(repeat("{\"words\":\"", "a", LIMIT_SCOPE_WORDS + 1, "\"}"), 0, &t, &f) == ERR_PARAM_LONG);
    CHECK(strcmp(f.detail, "words must be at most 64 words") == 0);
    CHECK(from_json(arena_fmt(arena, "{\"words\":\"%0*d\"}", LIMIT_SCOPE, 1).p, 0, &t, &f) == ERR_OK);
    CHECK(from_json(arena_fmt(arena, "{\"words\":\"%0*d\"}", LIMIT_SCOPE + 1, 1).p, 0, &t, &f) == ERR_PARAM_LONG);
    CHECK(from_json(arena_fmt(arena, "{\"text\":\"%0*d\"}", LIMIT_TEXT, 1).p, 0, &t, &f) == ERR_OK);
    CHECK(from_json(arena_fmt(arena, "{\"text\":\"%0*d\"}", LIMIT_TEXT + 1, 1).p, 0, &t, &f) == ERR_PARAM_LONG);
}

static void test_fixed(void)
{
    struct thing t;
    struct fault f;
    CHECK(fields_init(&table, arena, &t) == ERR_OK);
    CHECK(from_json("{\"name\":\"one\"}", 0, &t, &f) == ERR_OK);
    CHECK(from_json("{\"name\":\"one\",\"flag\":false}", 0, &t, &f) == ERR_OK && !t.flag);
    CHECK(from_json("{\"name\":\"two\"}", 0, &t, &f) == ERR_PARAM_BAD && strcmp(f.detail, "name cannot be changed once it is set") == 0);
    CHECK(from_json("{\"name\":null}", 0, &t, &f) == ERR_PARAM_BAD);
    CHECK(str_is(t.name, "one"));
}

static void test_secret_refs(void)
{
    char path[] = "/tmp/mereau-test-secret-XXXXXX";
    static const struct {
        const char *content, *want;
    } files[] = {{"123456", "123456"}, {"123456\n", "123456"}, {"12345\r\n", "12345"}, {" 1 \n", " 1 "}, {"1234567", NULL}, {"1234567\n", NULL}, {"", NULL}, {"\n", NULL}, {"1\n\n", "1\n"}};
    struct thing t;
    struct fault f;
    int fd = mkstemp(path);
    CHECK(fields_init(&table, arena, &t) == ERR_OK);
    const char *doc = arena_fmt(arena, "{\"secret\":{\"file\":\"%s\"}}", path).p;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, files[i].content, strlen(files[i].content), 0) >= 0);
        err_t e = from_json(doc, FIELDS_SECRET_REFS, &t, &f);
        CHECK_ROW((e == ERR_OK) == (files[i].want != NULL), files[i].content);
        if (files[i].want)
            CHECK_ROW(str_is(t.secret, files[i].want), files[i].content);
    }
    close(fd);
    unlink(path);
    CHECK(from_json(doc, FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_BAD && strstr(f.detail, "which cannot be opened"));
    CHECK(from_json("{\"secret\":{\"file\":\"/tmp\"}}", FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_BAD && strstr(f.detail, "cannot be read"));
    setenv("MEREAU_TEST_SECRET", "fromenv", 1);
    CHECK(from_json("{\"secret\":{\"env\":\"MEREAU_TEST_SECRET\"}}", FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_LONG);
    CHECK(!strstr(f.detail, "fromenv"));
    setenv("MEREAU_TEST_SECRET", "env", 1);
    CHECK(from_json("{\"secret\":{\"env\":\"MEREAU_TEST_SECRET\"}}", FIELDS_SECRET_REFS, &t, &f) == ERR_OK && str_is(t.secret, "env"));
    unsetenv("MEREAU_TEST_SECRET");
    CHECK(from_json("{\"secret\":{\"env\":\"MEREAU_TEST_SECRET\"}}", FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_BAD);
    CHECK(strcmp(f.detail, "secret is expected in the environment variable MEREAU_TEST_SECRET, which is not set") == 0);
    static const char *const wrong[] = {"{\"secret\":{}}", "{\"secret\":{\"env\":\"\"}}", "{\"secret\":{\"env\":1}}", "{\"secret\":{\"cmd\":\"x\"}}", "{\"secret\":{\"env\":\"A\",\"file\":\"B\"}}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_ROW(from_json(wrong[i], FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_BAD, wrong[i]);
    CHECK(from_json("{\"text\":{\"env\":\"HOME\"}}", FIELDS_SECRET_REFS, &t, &f) == ERR_PARAM_BAD);
}

struct needy {
    struct str a;
    struct strs b;
    int64_t n;
    bool flag;
};
static const struct field needy_rows[] = {
    {"a", F_STR, FIELD_REQUIRED, 0, offsetof(struct needy, a), NULL, NULL, ""},
    {"b", F_STRS, FIELD_REQUIRED, 0, offsetof(struct needy, b), NULL, NULL, ""},
    {"n", F_INT, FIELD_REQUIRED, 0, offsetof(struct needy, n), NULL, NULL, ""},
    {"flag", F_BOOL, 0, 0, offsetof(struct needy, flag), NULL, NULL, ""},
};
static const struct fields needy = FIELDS(needy_rows, struct needy);

static void test_required(void)
{
    static const struct {
        const char *form;
        err_t err;
        const char *param;
    } forms[] = {
        {"a=1&b=2&n=3", ERR_OK, ""},          {"b=2&n=3", ERR_PARAM_MISSING, "a"},      {"a=&b=2&n=3", ERR_PARAM_MISSING, "a"},
        {"a=+&b=2&n=3", ERR_PARAM_MISSING, "a"}, {"a=1&n=3", ERR_PARAM_MISSING, "b"},   {"a=1&b=&n=3", ERR_PARAM_MISSING, "b"},
        {"a=1&b=2", ERR_PARAM_MISSING, "n"},  {"a=1&b=2&n=", ERR_PARAM_MISSING, "n"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct needy t;
        struct pairs p;
        struct fault f = {.code = ERR_OK};
        CHECK(fields_init(&needy, arena, &t) == ERR_OK);
        CHECK(pairs_parse(arena, str_z(forms[i].form), &p, &f) == ERR_OK);
        CHECK_ROW(fields_from_pairs(&needy, arena, p, &t, &f) == forms[i].err, forms[i].form);
        CHECK_ROW(strcmp(f.param, forms[i].param) == 0, forms[i].form);
    }
    struct needy t;
    struct fault f = {.code = ERR_OK};
    json_t *doc = json_pack("{s:s}", "a", "x");
    CHECK(fields_init(&needy, arena, &t) == ERR_OK);
    CHECK(fields_from_json(&needy, arena, doc, "", &t, &f) == ERR_PARAM_MISSING && strcmp(f.param, "b") == 0);
    t.b = (struct strs){&t.a, 1}; /* there already: an update need not say it again */
    CHECK(fields_from_json(&needy, arena, doc, "", &t, &f) == ERR_OK);
    json_decref(doc);
}

static const struct {
    const char *form;
    err_t err;
    const char *detail;
} forms[] = {
    {"", ERR_OK, ""},
    {"unknown=1&unknown=2", ERR_OK, ""},
    {"text=a&text=a", ERR_PARAM_TWICE, "text is given twice"},
    {"text=a&te%78t=", ERR_PARAM_TWICE, "text is given twice"},
    {"text=&text=", ERR_PARAM_TWICE, "text is given twice"},
    {"text=%ff", ERR_PARAM_BAD, "text must be UTF-8 text"},
    {"exact=%ff", ERR_PARAM_BAD, "exact must be UTF-8 text"},
    {"text=%0a", ERR_PARAM_BAD, "text must be text without control characters"},
    {"text=a%00", ERR_REQUEST, "a parameter is not properly percent-encoded"},
    {"text=%4", ERR_REQUEST, "a parameter is not properly percent-encoded"},
    {"%zz=1", ERR_REQUEST, "a parameter is not properly percent-encoded"},
    {"flag=yes", ERR_PARAM_BAD, "flag must be true or false"},
    {"flag=false", ERR_OK, ""},
    {"number=11", ERR_PARAM_BAD, "number must be a whole number from 0 to 10"},
    {"number=5x", ERR_PARAM_BAD, "number must be a whole number from 0 to 10"},
    {"life=15m", ERR_OK, ""},
    {"life=2d", ERR_PARAM_BAD, "life must be a duration of at most 86400 seconds, such as 90s, 15m, 12h or 30d"},
    {"choice=xml", ERR_PARAM_BAD, "choice must be one of opaque, jwt"},
    {"state=new", ERR_PARAM_BAD, "state is set by the server alone"},
    {"secret=1234567", ERR_PARAM_LONG, "secret must be at most 6 bytes long"},
    {"json={", ERR_PARAM_BAD, "json must be JSON"},
    {"json=[1]", ERR_OK, ""},
    {"list=aaaaa", ERR_PARAM_LONG, "list[0] must be at most 4 bytes long"},
};

static err_t from_form(struct str form, struct thing *t, struct fault *f)
{
    struct pairs p;
    *f = (struct fault){.code = ERR_OK};
    CHECK(fields_init(&table, arena, t) == ERR_OK);
    TRY(pairs_parse(arena, form, &p, f));
    return fields_from_pairs(&table, arena, p, t, f);
}

static void test_forms(void)
{
    struct thing t;
    struct fault f;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        CHECK_ROW(from_form(str_z(forms[i].form), &t, &f) == forms[i].err, forms[i].form);
        CHECK_ROW(strcmp(f.detail, forms[i].detail) == 0, f.detail);
    }
    CHECK(from_form((struct str){"text=a\0b", 8}, &t, &f) == ERR_REQUEST);
    CHECK(from_form(STR("text=+a+&exact=+b+&list=p+q%0d%0ar&list=s&redirect_uris=u+v&redirect_uris=&redirect_uris=w&number=&words=+x++y+&choice="), &t, &f) == ERR_OK);
    CHECK(str_is(t.text, "a") && str_is(t.exact, " b ") && str_is(t.words, "x y") && str_is(t.choice, "opaque") && t.number == -1);
    CHECK(t.list.n == 4 && str_is(t.list.v[2], "r") && str_is(t.list.v[3], "s"));
    CHECK(t.uris.n == 2 && str_is(t.uris.v[0], "u v") && str_is(t.uris.v[1], "w"));
    CHECK(from_form(STR("exact=&text=&list=&redirect_uris="), &t, &f) == ERR_OK);
    CHECK(t.exact.p && t.exact.n == 0 && !t.text.p && t.list.n == 2 && t.uris.n == 0);
    CHECK(from_form(STR("list=a+b&list=c+d"), &t, &f) == ERR_OK && t.list.n == 4);
    CHECK(from_form(str_z(repeat("list=", "a", LIMIT_LIST, "")), &t, &f) == ERR_OK && t.list.n == LIMIT_LIST);
    CHECK(from_form(str_z(repeat("list=", "a", LIMIT_LIST + 1, "")), &t, &f) == ERR_PARAM_LONG);
    CHECK(from_form(str_z(repeat("list=", "a", LIMIT_LIST, "&list=b")), &t, &f) == ERR_PARAM_LONG);
}

static struct str form_of(size_t params, size_t bytes)
{
    struct buf b;
    buf_init(&b, arena, 1 << 20);
    for (size_t i = 0; i < params; i++)
        buf_z(&b, "&u=1&"); /* empty parts do not count */
    if (bytes)
        buf_fmt(&b, "u=%0*d", (int)bytes, 1);
    return buf_view(&b);
}

static void test_pairs(void)
{
    struct pairs p;
    struct fault f = {.code = ERR_OK};
    CHECK(pairs_parse(arena, STR("a=1&b&=c&&a=2&d=%26%3D+&e=f=g"), &p, &f) == ERR_OK);
    CHECK(p.n == 6);
    CHECK(str_is(pairs_get(p, STR("a")), "1") && str_is(pairs_get(p, STR("d")), "&= ") && str_is(pairs_get(p, STR("e")), "f=g"));
    CHECK(pairs_get(p, STR("b")).p && pairs_get(p, STR("b")).n == 0 && !pairs_get(p, STR("x")).p);
    CHECK(pairs_parse(arena, STR_NONE, &p, &f) == ERR_OK && p.n == 0);
    CHECK(pairs_parse(arena, form_of(LIMIT_PARAMS, 0), &p, &f) == ERR_OK && p.n == LIMIT_PARAMS);
    CHECK(pairs_parse(arena, form_of(0, LIMIT_PARAM), &p, &f) == ERR_OK);
    CHECK(pairs_parse(arena, form_of(0, LIMIT_PARAM + 1), &p, &f) == ERR_PARAM_LONG);
    f.code = ERR_OK;
    CHECK(pairs_parse(arena, form_of(LIMIT_PARAMS + 1, 0), &p, &f) == ERR_REQUEST);
    CHECK(strcmp(f.detail, "there are more than 64 parameters") == 0);
}

/* Memory ends at every possible point: an error each time, nothing worse; and at last there is enough. */
static void test_memory(void)
{
    struct arena *whole = arena;
    struct str form = STR("text=+a+&words=a++b&list=p+q&list=r&redirect_uris=u%20v&json={}&choice=jwt&life=15m");
    const char *json = "{\"name\":\"n\",\"text\":\"t\",\"words\":[\"a\",\"b\"],\"list\":[\"x\"],\"choice\":\"jwt\",\"secret\":\"s\",\"flag\":null}";
    json_t *doc = json_loads(json, 0, NULL);
    err_t e = ERR_MEMORY, e2 = ERR_MEMORY;
    size_t max = 0;
    for (; max < 20000 && (e != ERR_OK || e2 != ERR_OK); max += 16) {
        struct thing t;
        struct pairs p;
        struct fault f = {.code = ERR_OK};
        arena = arena_new(max);
        e = fields_init(&table, arena, &t);
        if (e == ERR_OK)
            e = pairs_parse(arena, form, &p, &f);
        if (e == ERR_OK)
            e = fields_from_pairs(&table, arena, p, &t, &f);
        CHECK(e == ERR_OK || e == ERR_MEMORY || e == ERR_REQUEST);
        arena_reset(arena);
        f.code = ERR_OK;
        e2 = fields_init(&table, arena, &t);
        if (e2 == ERR_OK)
            e2 = fields_from_json(&table, arena, doc, "", &t, &f);
        CHECK(e2 == ERR_OK || e2 == ERR_MEMORY);
        arena_free(&arena);
    }
    CHECK(e == ERR_OK && e2 == ERR_OK);
    json_decref(doc);
    arena = whole;
}

int main(void)
{
    arena = arena_new(64 << 20);
    test_memory();
    test_init();
    test_round_trip();
    test_refusals();
    test_counts();
    test_fixed();
    test_secret_refs();
    test_required();
    test_forms();
    test_pairs();
    arena_free(&arena);
    return unit_end("base fields");
}
