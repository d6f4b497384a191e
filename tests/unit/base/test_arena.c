/* Arenas and the buffers on them: ceilings at and one above, zeroing, growth. */
#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"

static bool is_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void test_ceiling(void)
{
    struct arena *a = arena_new(1024);
    CHECK(arena_alloc(a, 1025) == NULL);
    CHECK(arena_alloc(a, SIZE_MAX) == NULL);
    CHECK(arena_alloc(a, SIZE_MAX - 8) == NULL);
    CHECK(arena_used(a) == 0);
    CHECK(arena_alloc(a, 1024) != NULL);
    CHECK(arena_used(a) == 1024);
    CHECK(arena_alloc(a, 1) == NULL);
    CHECK(arena_alloc(a, 0) == NULL);
    arena_reset(a);
    CHECK(arena_used(a) == 0);
    CHECK(arena_alloc(a, 1008) != NULL && arena_alloc(a, 16) != NULL && arena_alloc(a, 1) == NULL);
    arena_free(&a);
    CHECK(a == NULL);
    arena_free(&a);
}

static void test_zeroed(void)
{
    struct arena *a = arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 1; n < 3000; n = n * 3 + 1) {
            char *p = arena_alloc(a, n);
            CHECK(p && is_zero(p, n));
            CHECK((uintptr_t)p % _Alignof(max_align_t) == 0);
            memset(p, 0xAA, n);
        }
        char *big = arena_alloc(a, 100000);
        CHECK(big && is_zero(big, 100000));
        memset(big, 0xAA, 100000);
        arena_reset(a);
    }
    arena_free(&a);
}

static void count_up(void *ctx)
{
    int *n = ctx;
    *n = *n * 10 + 1;
}

static void times_two(void *ctx)
{
    int *n = ctx;
    *n = *n * 2;
}

static void test_defer(void)
{
    int n = 1;
    struct arena *a = arena_new(4096);
    CHECK(arena_defer(a, times_two, &n));
    CHECK(arena_defer(a, count_up, &n));
    arena_reset(a);
    CHECK(n == 22); /* newest first */
    arena_reset(a);
    CHECK(n == 22);
    CHECK(arena_defer(a, times_two, &n));
    arena_free(&a);
    CHECK(n == 44);
    a = arena_new(8);
    CHECK(!arena_defer(a, times_two, &n));
    arena_free(&a);
    CHECK(n == 44);
}

static void test_text(void)
{
    struct arena *a = arena_new(1 << 16);
    struct str s = arena_str(a, STR("hello"));
    CHECK(str_is(s, "hello") && s.p[5] == 0);
    CHECK(arena_str(a, STR_NONE).p == NULL);
    CHECK(arena_str(a, STR("")).p != NULL && arena_str(a, STR("")).n == 0);
    CHECK(str_is(arena_fmt(a, "%d-%s", 7, "x"), "7-x"));
    CHECK(arena_fmt(a, "%0300d", 1).n == 300);
    CHECK(arena_fmt(a, "%0255d", 1).n == 255 && arena_fmt(a, "%0256d", 1).n == 256);
    CHECK(arena_fmt(a, "%070000d", 1).p == NULL);
    CHECK(strcmp(arena_cstr(a, STR("abc")), "abc") == 0);
    CHECK(arena_cstr(a, (struct str){"a\0b", 3}) == NULL);
    CHECK(strcmp(arena_cstr(a, STR_NONE), "") == 0);
    arena_free(&a);
}

static void test_buf_limit(struct arena *a)
{
    struct buf b;
    buf_init(&b, a, 1000);
    for (int i = 0; i < 1000; i++)
        buf_char(&b, 'x');
    CHECK(buf_ok(&b) && buf_view(&b).n == 1000);
    buf_add(&b, "", 0);
    CHECK(buf_ok(&b));
    buf_char(&b, 'x');
    CHECK(!buf_ok(&b) && b.n == 1000);
    buf_free(&b);
    buf_init(&b, a, 10);
    buf_z(&b, "0123456789");
    CHECK(buf_ok(&b) && str_is(buf_view(&b), "0123456789"));
    buf_free(&b);
    buf_init(&b, a, 10);
    buf_fmt(&b, "%s", "0123456789");
    CHECK(buf_ok(&b) && b.n == 10);
    buf_fmt(&b, "%s", "");
    CHECK(buf_ok(&b));
    buf_fmt(&b, "%s", "x");
    CHECK(!buf_ok(&b));
    buf_z(&b, "");
    CHECK(!buf_ok(&b)); /* sticky */
    buf_free(&b);
    buf_init(&b, a, 10);
    buf_z(&b, "01234567890");
    CHECK(!buf_ok(&b));
    buf_free(&b);
    buf_init(&b, a, 0);
    CHECK(buf_ok(&b) && buf_view(&b).p && buf_view(&b).n == 0);
    buf_char(&b, 'x');
    CHECK(!buf_ok(&b));
    buf_free(&b);
}

static void test_buf_content(struct arena *a)
{
    struct buf b;
    buf_init(&b, a, 1 << 20);
    buf_int(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_char(&b, ' ');
    buf_int(&b, 0);
    CHECK(str_is(buf_view(&b), "-9223372036854775808 9223372036854775807 0"));
    b.n = 0;
    buf_html(&b, STR("<a href=\"x\">'&\xC3\xA4</a>"));
    CHECK(str_is(buf_view(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\xC3\xA4&lt;/a&gt;"));
    b.n = 0;
    buf_html(&b, STR_NONE);
    CHECK(b.n == 0);
    buf_url(&b, STR("aZ09-._~ +&=/?%\xC3\xA4\n"));
    CHECK(str_is(buf_view(&b), "aZ09-._~%20%2B%26%3D%2F%3F%25%C3%A4%0A"));
    b.n = 0;
    for (int i = 0; i < 20000; i++)
        buf_fmt(&b, "%05d", i);
    CHECK(buf_ok(&b) && b.n == 100000 && memcmp(b.p + 5 * 12345, "12345", 5) == 0);
    buf_free(&b);
}

/* Two buffers that grow in turns must not grow into one another. */
static void test_buf_interleaved(void)
{
    struct arena *a = arena_new(1 << 20);
    struct buf x, y;
    buf_init(&x, a, 1 << 16);
    buf_init(&y, a, 1 << 16);
    for (int i = 0; i < 5000; i++) {
        buf_char(&x, 'x');
        buf_char(&y, 'y');
    }
    CHECK(buf_ok(&x) && buf_ok(&y) && strspn(x.p, "x") >= 5000 && strspn(y.p, "y") >= 5000);
    arena_free(&a);
    a = arena_new(600);
    buf_init(&x, a, 1 << 16);
    for (int i = 0; i < 5000; i++)
        buf_char(&x, 'x');
    CHECK(!buf_ok(&x)); /* the arena's ceiling is the buffer's, too */
    arena_free(&a);
}

int main(void)
{
    test_ceiling();
    test_zeroed();
    test_defer();
    test_text();
    test_buf_limit(NULL);
    test_buf_content(NULL);
    struct arena *a = arena_new(1 << 20);
    test_buf_limit(a);
    test_buf_content(a);
    arena_free(&a);
    test_buf_interleaved();
    return unit_end("base arena");
}
