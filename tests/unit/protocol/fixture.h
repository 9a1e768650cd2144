/*
 * What the protocol's tests share: a deterministic world with an arena, reset for each test.
 */
#ifndef DWT_PROTOCOL_FIXTURE_H
#define DWT_PROTOCOL_FIXTURE_H

#include "support/test.h"

#include "base/arena.h"
#include "base/strbuf.h"
#include "support/fault_loop.h"
#include "support/test_env.h"

#define DWT_TEXT_BYTES_MAX ((size_t) 1 << 26)
#define DWT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct fixture {
    dwt_env world;
    dw_arena arena;
} fixture;

static inline int
fixture_setup(void **state)
{
    static fixture only;
    dwt_env_init(&only.world, 7);
    dw__arena_init(&only.arena, only.world.env.allocator);
    *state = &only;
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    fixture *only = *state;
    dw__arena_deinit(&only->arena);
    dwt_env_deinit(&only->world);
    return 0;
}

/* An empty text in the fixture's memory; for DW_AUTO(dw_strbuf). */
static inline dw_strbuf
fixture_text(fixture *f)
{
    return dw__strbuf_make(f->world.env.allocator, DWT_TEXT_BYTES_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
