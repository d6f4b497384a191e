/* A unit test is a program: CHECK what must hold, return unit_end(). One line "name: N passed, N failed" at the end. */
#pragma once
#include <stdio.h>
#include <string.h>

static int unit_passed, unit_failed;

#define CHECK(cond)                                                                                                  \
    do {                                                                                                             \
        if (cond) {                                                                                                  \
            unit_passed++;                                                                                           \
        } else {                                                                                                     \
            unit_failed++;                                                                                           \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond);                                       \
        }                                                                                                            \
    } while (0)
/* For table rows: says which row. */
#define CHECK_ROW(cond, row)                                                                                         \
    do {                                                                                                             \
        if (cond) {                                                                                                  \
            unit_passed++;                                                                                           \
        } else {                                                                                                     \
            unit_failed++;                                                                                           \
            fprintf(stderr, "%s:%d: failed for %s: %s\n", __FILE__, __LINE__, (row), #cond);                         \
        }                                                                                                            \
    } while (0)

static inline int unit_end(const char *name)
{
    printf("%s: %d passed, %d failed\n", name, unit_passed, unit_failed);
    return unit_failed != 0;
}
