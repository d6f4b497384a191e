/* Comparing and choosing secrets takes the same path whatever they are. Under valgrind
 * (tests/fault/test_constant_time.py) the secrets are marked undefined, and a branch or an address that
 * depends on one is an error; run by itself this only checks what comes out. With the argument "branch" it
 * does what it must not, to show that the marks are seen. */
#include "crypto/crypto.h"
#include "unit.h"
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HIDE(p, n)   (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n)
#define REVEAL(p, n) (void)VALGRIND_MAKE_MEM_DEFINED(p, n)
#else
#define HIDE(p, n)   (void)(p)
#define REVEAL(p, n) (void)(p)
#endif

#define SIZE 64

/* Lengths of a tag of each content encryption, of a token's secret, and odd ones. */
static const size_t sizes[] = {0, 1, 7, 16, 24, 31, 32, 33, SIZE};

static void test_eq(void)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t turned = 0; turned <= sizes[i]; turned++) {
            uint8_t a[SIZE], b[SIZE];
            size_t n = sizes[i];
            memset(a, 0x5a, sizeof(a));
            memcpy(b, a, sizeof(b));
            if (turned < n)
                b[turned] ^= 0x80;
            HIDE(a, n);
            HIDE(b, n);
            bool same = secret_eq(a, b, n),
                 same_str = str_eq_secret((struct str){(char *)a, n}, (struct str){(char *)b, n});
            REVEAL(&same, sizeof(same));
            REVEAL(&same_str, sizeof(same_str));
            CHECK(same == (turned == n));
            CHECK(same_str == (turned == n));
        }
    }
}

static void test_choose(void)
{
    for (int take = 0; take <= 1; take++) {
        uint8_t to[SIZE], from[SIZE];
        bool hidden = take;
        memset(to, 1, sizeof(to));
        memset(from, 2, sizeof(from));
        HIDE(to, sizeof(to));
        HIDE(from, sizeof(from));
        HIDE(&hidden, sizeof(hidden));
        secret_choose(to, from, sizeof(to), hidden);
        REVEAL(to, sizeof(to));
        CHECK(to[0] == (take ? 2 : 1) && to[SIZE - 1] == (take ? 2 : 1));
    }
}

/* What a comparison that stops at the first difference looks like to valgrind. */
static void branch(void)
{
    volatile uint8_t a[SIZE] = {1}, b[SIZE] = {1};
    HIDE((void *)(uintptr_t)a, sizeof(a));
    size_t i = 0;
    while (i < SIZE && a[i] == b[i])
        i++;
    CHECK(i == SIZE);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "branch") == 0)
        branch();
    test_eq();
    test_choose();
    return unit_end("constant_time");
}
