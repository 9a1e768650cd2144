/*
 * Deletion vector descriptors.
 */
#include "fixture.h"

#include "protocol/action.h"

static dw_dv_descriptor
descriptor(char type, dw_str path)
{
    return (dw_dv_descriptor){.storage_type = type,
                              .path_or_inline_dv = path,
                              .has_offset = true,
                              .offset = 4,
                              .size_bytes = 40,
                              .cardinality = 6};
}

static void
test_path__is_that_of_the_specification(void **state)
{
    fixture *f = *state;
    const struct {
        char type;
        dw_str path;
        const char *expected;
    } cases[] = {
        {'u', DW_STR("ab^-aqEH.-t@S}K{vb[*k^"),
         "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"},
        {'u', DW_STR("^-aqEH.-t@S}K{vb[*k^"),
         "deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"},
        {'p', DW_STR("s3://mytable/deletion%20vector.bin"), "s3://mytable/deletion vector.bin"},
        {'p', DW_STR("file:///a/b.bin"), "/a/b.bin"},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_dv_descriptor dv = descriptor(cases[i].type, cases[i].path);
        dw_str path;
        bool absolute;
        dw_error err = DW_ERROR_INIT;
        assert_ok(dw__dv_path(&dv, &f->arena, &path, &absolute, &err), &err);
        assert_str(path, cases[i].expected);
        assert_int_equal(absolute, cases[i].type == 'p');
    }
}

static void
test_path__refuses_what_leads_elsewhere(void **state)
{
    fixture *f = *state;
    const struct {
        char type;
        dw_str path;
    } cases[] = {
        {'u', DW_STR("")},
        {'u', DW_STR("aqEH.-t@S}K{vb[*k^")},
        {'u', DW_STR("~-aqEH.-t@S}K{vb[*k^")},
        {'u', DW_STR("..^-aqEH.-t@S}K{vb[*k^")},
        {'u', DW_STR("/a^-aqEH.-t@S}K{vb[*k^")},
        {'u', DW_STR("a\n^-aqEH.-t@S}K{vb[*k^")},
        {'p', DW_STR("relative.bin")},
    };
    for (size_t i = 0; i < DWT_COUNT(cases); i++) {
        dw_dv_descriptor dv = descriptor(cases[i].type, cases[i].path);
        dw_str path;
        bool absolute;
        dw_error err = DW_ERROR_INIT;
        assert_error(dw__dv_path(&dv, &f->arena, &path, &absolute, &err), DW_CORRUPT, "DV_INVALID",
                     &err);
    }
}

static void
test_unique_id__holds_type_path_and_offset(void **state)
{
    fixture *f = *state;
    dw_dv_descriptor dv = descriptor('u', DW_STR("ab"));
    dw_str id;
    dw_error err = DW_ERROR_INIT;
    assert_ok(dw__dv_unique_id(&dv, &f->arena, &id, &err), &err);
    assert_str(id, "uab@4");
    dv.has_offset = false;
    assert_ok(dw__dv_unique_id(&dv, &f->arena, &id, &err), &err);
    assert_str(id, "uab");
    assert_ok(dw__dv_unique_id(NULL, &f->arena, &id, &err), &err);
    assert_true(dw__str_is_null(id));
}

static dw_status
use_descriptor(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_dv_descriptor dv = descriptor('u', DW_STR("ab^-aqEH.-t@S}K{vb[*k^"));
    dw_str text;
    bool absolute;
    DW_TRY(dw__dv_path(&dv, &arena, &text, &absolute, err));
    return dw__dv_unique_id(&dv, &arena, &text, err);
}

static void
test_dv__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = use_descriptor, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_path__is_that_of_the_specification),
        TEST(test_path__refuses_what_leads_elsewhere),
        TEST(test_unique_id__holds_type_path_and_offset),
        TEST(test_dv__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
