/*
 * What is recorded of the use of columns: that it is bounded, found again, and never in the way.
 */
#include "scan/column_use_core.h"

#include "support/delta_log.h"
#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "support/test.h"

#include <stdio.h>

#define ROOT DW_STR("/tables/t")

static const char schema_json[] = DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD(
    "a \\\"\\u00e9\\\\\\u0001", "long") "," DWT_SCHEMA_FIELD("p", "long"));

/* Counts a scan with `first` = 5 AND `second` <> 5 AND p = 5, which is a partition column. */
static void
count_scan(dw_column_use *use, const dw_env *env, size_t first, size_t second)
{
    static const dw_str partitions[] = {{"p", 1}};
    dw_error err = DW_ERROR_INIT;
    const dw_type *schema;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    if (dw__schema_parse("the schema", dw__str_from(schema_json), &arena, &schema, &err) != DW_OK) {
        return; /* no memory */
    }
    dw_plan_source plan = {.predicate = NULL};
    dw__predicate_scope_init(&plan.scope, &arena, schema, partitions, 1);
    size_t fields[] = {first, second, 2};
    const dw_predicate *items[3];
    dw_value five = {.kind = DW_VALUE_I64, .as.i64 = 5};
    for (size_t i = 0; i < 3; i++) {
        size_t idx;
        if (!dw__predicate_column(&plan.scope, fields[i], NULL, 0, &idx)) {
            return;
        }
        items[i] =
            dw__predicate_compare(&plan.scope, idx, DW_TRANSFORM_NONE,
                                  i == 1 ? DW_COMPARISON_NOT_EQUAL : DW_COMPARISON_EQUAL, &five);
        if (items[i] == NULL) {
            return;
        }
    }
    plan.predicate = dw__predicate_junction(&plan.scope, DW_PREDICATE_AND, items, 3);
    dw_scan_report report = {
        .files_total = 90, .files_after_partitions = 30, .files_after_statistics = 20};
    dw__column_use_count(use, &plan, &report);
}

static void
test_column_use__finds_again_what_an_earlier_process_counted(void **state)
{
    (void) state;
    dwt_env world;
    dwt_temp_dir dir;
    dw_use_counts counts;
    dw_error err = DW_ERROR_INIT;
    dwt_env_init(&world, 1);
    dwt_temp_dir_make(&dir);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world.env.allocator);
    for (int i = 0; i < 2; i++) {
        dw_column_use *use = dw__column_use_open(&world.env, dw__str_from(dir.path), ROOT);
        count_scan(use, &world.env, 0, 1);
        count_scan(use, &world.env, 0, 1);
        count_scan(use, &world.env, 1, 0);
        dw__column_use_close(use);
    }
    dw_column_use *use = dw__column_use_open(&world.env, dw__str_from(dir.path), ROOT);
    assert_ok(dw__column_use_read(use, &arena, &counts, &err), &err);
    dw__column_use_close(use);
    assert_int_equal(counts.scan_count, 6);
    assert_int_equal(counts.count, 2);
    assert_str(counts.columns[0].path, "[\"id\"]");
    assert_int_equal(counts.columns[0].use_count, 4);
    assert_int_equal(counts.columns[0].file_count, 120);
    assert_int_equal(counts.columns[0].skipped_count, 40);
    assert_int_equal(counts.columns[1].use_count, 2);
    dw__arena_deinit(&arena);
    dw__arena_init(&arena, world.env.allocator);
    dwt_temp_dir_remove(&dir);
    dwt_env_deinit(&world);
}

static void
add(dw_use_set *set, int column, int64_t use_count)
{
    char path[32];
    int len = snprintf(path, sizeof(path), "[\"c%d\"]", column);
    dw_column_uses uses = {.path = {path, (size_t) len}, .use_count = use_count};
    dw__use_set_add(set, &uses);
}

static void
test_column_use__keeps_the_columns_that_are_used_most(void **state)
{
    (void) state;
    static dw_use_set set;
    for (int i = 0; i < 1000; i++) {
        add(&set, i, i % 100 == 0 ? 50 : 1);
    }
    assert_int_equal(set.count, DW_COLUMN_USE_COLUMNS_MAX);
    int often = 0;
    for (size_t i = 0; i < set.count; i++) {
        often += set.entries[i].use_count == 50 ? 1 : 0;
    }
    assert_int_equal(often, 10);
}

static void
test_column_use__lets_old_use_fade(void **state)
{
    (void) state;
    static dw_use_set set, more;
    more.scan_count = DW_COLUMN_USE_SCANS_MAX + 2;
    add(&more, 1, DW_COLUMN_USE_SCANS_MAX);
    add(&more, 2, 1);
    dw__use_set_merge(&set, &more);
    assert_int_equal(set.scan_count, DW_COLUMN_USE_SCANS_MAX / 2 + 1);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.entries[0].use_count, DW_COLUMN_USE_SCANS_MAX / 2);
}

static void
test_column_use__does_not_overflow(void **state)
{
    (void) state;
    static dw_use_set set;
    add(&set, 1, INT64_MAX);
    add(&set, 1, INT64_MAX);
    assert_int_equal(set.entries[0].use_count, INT64_MAX);
}

static dw_status
use_columns(dwt_world *world, void *ctx, dw_error *err)
{
    const dwt_temp_dir *dir = ctx;
    dw_use_counts counts;
    dw_column_use *use = dw__column_use_open(world->env, dw__str_from(dir->path), ROOT);
    if (use == NULL) {
        return DW_OK; /* nothing is counted */
    }
    count_scan(use, world->env, 0, 1);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_status status = dw__column_use_read(use, &arena, &counts, err);
    dw__column_use_close(use);
    return status;
}

static void
test_column_use__needs_no_memory_to_be_harmless(void **state)
{
    (void) state;
    dwt_temp_dir dir;
    dwt_temp_dir_make(&dir);
    dwt_fault_loop(
        &(dwt_fault_case){.operation = use_columns, .ctx = &dir, .faults = DWT_FAULTS_ALLOC});
    dwt_temp_dir_remove(&dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_column_use__finds_again_what_an_earlier_process_counted),
        cmocka_unit_test(test_column_use__keeps_the_columns_that_are_used_most),
        cmocka_unit_test(test_column_use__lets_old_use_fade),
        cmocka_unit_test(test_column_use__does_not_overflow),
        cmocka_unit_test(test_column_use__needs_no_memory_to_be_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
