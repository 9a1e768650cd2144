/*
 * Paths of the log as URIs.
 */
#include "support/test.h"

#include "codec/uri.h"
#include "support/fault_loop.h"

static void
test_encode__leaves_what_spark_leaves(void **state)
{
    dwt_env *world = *state;
    const struct {
        const char *path;
        const char *expected;
    } cases[] = {
        {"part-00000-a.c000.snappy.parquet", "part-00000-a.c000.snappy.parquet"},
        {"a=1/b=x y/f", "a=1/b=x%20y/f"},
        {"a=100%/f", "a=100%25/f"},
        {"a=%2F/f", "a=%252F/f"},
        {"special p@#h", "special%20p@%23h"},
        {"q?[x]{y}|^`\"<>\\", "q%3F%5Bx%5D%7By%7D%7C%5E%60%22%3C%3E%5C"},
        {"-_.!~*'()&=+$,;@", "-_.!~*'()&=+$,;@"},
        {"gr\xc3\xbc\xc3\x9f", "gr%C3%BC%C3%9F"},
        {"s3:x", "s3%3Ax"},
        {"\n", "%0A"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env.allocator, 1000);
        dw__uri_encode_path(&out, dw__str_from(cases[i].path));
        assert_str(dw__strbuf_str(&out), cases[i].expected);
    }
}

static void
test_decode__returns_what_was_encoded(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    uint64_t random = 41;
    print_message("seed 41\n");
    for (size_t round = 0; round < 2000; round++) {
        char path[40];
        size_t len = (size_t) dwt_random_below(&random, sizeof(path));
        for (size_t i = 0; i < len; i++) {
            path[i] = (char) (1 + dwt_random_below(&random, 255));
        }
        DW_AUTO(dw_strbuf) uri = dw__strbuf_make(world->env.allocator, 1000);
        dw__uri_encode_path(&uri, dw__str_make(path, len));
        dw_error err = DW_ERROR_INIT;
        dw_str back;
        assert_ok(dw__uri_decode(&arena, dw__strbuf_str(&uri), &back, &err), &err);
        assert_true(dw__str_equal(back, dw__str_make(path, len)));
        bool absolute = dw__str_starts_with(back, DW_STR("/"));
        assert_int_equal(absolute, dw__uri_is_absolute(dw__strbuf_str(&uri)));
    }
}

static void
test_decode__refuses_bad_escapes(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const dw_str cases[] = {DW_STR("a%"),   DW_STR("a%2"),   DW_STR("a%zz"),
                            DW_STR("%%20"), DW_STR("a%00b"), DW_STR("a\0b")};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str out;
        assert_error(dw__uri_decode(&arena, cases[i], &out, &err), DW_CORRUPT, "URI_INVALID", &err);
        assert_true(dw__str_is_null(out));
    }
}

static void
test_is_absolute__knows_schemes(void **state)
{
    (void) state;
    assert_true(dw__uri_is_absolute(DW_STR("/a")));
    assert_true(dw__uri_is_absolute(DW_STR("file:/a")));
    assert_true(dw__uri_is_absolute(DW_STR("s3a://b/c")));
    assert_true(dw__uri_is_absolute(DW_STR("abfss://c@d.e/f")));
    assert_false(dw__uri_is_absolute(DW_STR("a/b:c")));
    assert_false(dw__uri_is_absolute(DW_STR("1a:b")));
    assert_false(dw__uri_is_absolute(DW_STR("a=b:c")));
    assert_false(dw__uri_is_absolute(DW_STR("")));
    assert_false(dw__uri_is_absolute(DW_STR(":a")));
}

static void
test_canonical__joins_the_spellings_of_a_file(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const struct {
        const char *uri;
        const char *expected;
    } cases[] = {
        {"file:/a/b", "/a/b"},
        {"file:///a/b", "/a/b"},
        {"FILE:///a/b", "/a/b"},
        {"file://localhost/a/b", "/a/b"},
        {"/a/b", "/a/b"},
        {"//a//b/./c/", "/a/b/c"},
        {"file:/a%20b", "/a b"},
        {"a/b", "a/b"},
        {"./a/./b//c", "a/b/c"},
        {"a%2Fb", "a/b"},
        {"special%20p@%23h", "special p@#h"},
        {"x%20%2520y", "x %20y"},
        {"s3://bucket/a%20b", "s3://bucket/a b"},
        {"s3://bucket//a", "s3://bucket/a"},
        {"s3://bucket", "s3://bucket"},
        {"a.b/.c/..d/e.", "a.b/.c/..d/e."},
        {"", ""},
        {".", ""},
        {"/", "/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str out;
        assert_ok(dw__uri_canonical(&arena, dw__str_from(cases[i].uri), &out, &err), &err);
        assert_str(out, cases[i].expected);
    }
}

static void
test_canonical__refuses_other_hosts(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const char *cases[] = {"file://host/a", "file:a", "file:", "file://"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str out;
        assert_error(dw__uri_canonical(&arena, dw__str_from(cases[i]), &out, &err), DW_CORRUPT,
                     "URI_INVALID", &err);
    }
}

static void
test_canonical__takes_no_memory_for_plain_paths(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    dw_error err = DW_ERROR_INIT;
    dw_str uri = DW_STR("date=2024-01-01/part-00000-3935a07c.c000.snappy.parquet");
    dw_str out;
    assert_ok(dw__uri_canonical(&arena, uri, &out, &err), &err);
    assert_ptr_equal(out.ptr, uri.ptr);
    assert_int_equal(arena.size_total, 0);
}

static void
test_resolve__joins_the_root(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const struct {
        const char *root;
        const char *uri;
        const char *expected;
    } cases[] = {
        {"/data/t", "a%20b/f", "/data/t/a b/f"},   {"/data/t/", "f", "/data/t/f"},
        {"s3://b/t", "f", "s3://b/t/f"},           {"/data/t", "file:///x/f", "/x/f"},
        {"/data/t", "/x/f%25", "/x/f%"},           {"/data/t", "s3://b/f", "s3://b/f"},
        {"/data/t", "..a/b..", "/data/t/..a/b.."},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str out;
        assert_ok(dw__uri_resolve(&arena, dw__str_from(cases[i].root), dw__str_from(cases[i].uri),
                                  &out, &err),
                  &err);
        assert_str(out, cases[i].expected);
    }
}

static void
test_resolve__stays_inside_the_table(void **state)
{
    dwt_env *world = *state;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env.allocator);
    const char *cases[] = {"../x", "a/../b", "a/..", "..", "%2e%2e/x", "a%2F..%2Fb", "", "."};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_str out;
        assert_error(dw__uri_resolve(&arena, DW_STR("/t"), dw__str_from(cases[i]), &out, &err),
                     DW_CORRUPT, "URI_INVALID", &err);
    }
}

/* [URI-2] over random spellings: a canonical form, encoded, is its own. */
static void
test_canonical__is_its_own_canonical_form(void **state)
{
    dwt_env *world = *state;
    static const char symbols[] = "ab./:%25Ff ~";
    uint64_t random = 77;
    print_message("seed 77\n");
    for (size_t round = 0; round < 20000; round++) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, world->env.allocator);
        char uri[24];
        size_t len = (size_t) dwt_random_below(&random, sizeof(uri));
        for (size_t i = 0; i < len; i++) {
            uri[i] = symbols[dwt_random_below(&random, sizeof(symbols) - 1)];
        }
        dw_str once;
        dw_error err = DW_ERROR_INIT;
        if (dw__uri_canonical(&arena, dw__str_make(uri, len), &once, &err) != DW_OK ||
            dw__uri_is_absolute(once)) {
            continue;
        }
        DW_AUTO(dw_strbuf) again = dw__strbuf_make(world->env.allocator, 1000);
        dw__uri_encode_path(&again, once);
        dw_str twice;
        assert_ok(dw__uri_canonical(&arena, dw__strbuf_str(&again), &twice, &err), &err);
        if (!dw__str_equal(once, twice)) {
            fail_msg("%.*s: %.*s, then %.*s", (int) len, uri, DW_STR_ARG(once), DW_STR_ARG(twice));
        }
    }
}

static dw_status
use_uris(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    DW_AUTO(dw_strbuf) uri = dw__strbuf_make(world->env->allocator, 1000);
    dw__uri_encode_path(&uri, DW_STR("a b/c//d"));
    DW_TRY(dw__strbuf_ok(&uri, "the path", err));
    dw_str out;
    DW_TRY(dw__uri_resolve(&arena, DW_STR("/t"), dw__strbuf_str(&uri), &out, err));
    assert_str(out, "/t/a b/c/d");
    return DW_OK;
}

static void
test_uri__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_uris, .faults = DWT_FAULTS_ALLOC});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dwt_env_setup, dwt_env_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_encode__leaves_what_spark_leaves),
        TEST(test_decode__returns_what_was_encoded),
        TEST(test_decode__refuses_bad_escapes),
        TEST(test_is_absolute__knows_schemes),
        TEST(test_canonical__joins_the_spellings_of_a_file),
        TEST(test_canonical__refuses_other_hosts),
        TEST(test_canonical__takes_no_memory_for_plain_paths),
        TEST(test_resolve__joins_the_root),
        TEST(test_resolve__stays_inside_the_table),
        TEST(test_canonical__is_its_own_canonical_form),
        TEST(test_uri__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
