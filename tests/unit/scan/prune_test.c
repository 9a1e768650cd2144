/*
 * Pruning the files of real snapshots: which are left, where facts come from, what damaged ones
 * cost.
 */
#include "scan_world.h"

#include "log/checkpoint.h"
#include "scan/prune.h"

#define SCHEMA                                                                                     \
    DWT_SCHEMA(                                                                                    \
        DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD("s", "string") "," DWT_SCHEMA_FIELD(   \
            "d", "date") ","                                                                       \
                         "{\"name\":\"st\",\"type\":" DWT_SCHEMA(DWT_SCHEMA_FIELD(                 \
                             "a", "integer")) ",\"nullable\":true,\"metadata\":{}}")

/* Statistics of the column id. */
#define ID_STATS(min, max)                                                                         \
    "{\"numRecords\":10,\"minValues\":{\"id\":" #min "},\"maxValues\":{\"id\":" #max "},"          \
    "\"nullCount\":{\"id\":0}}"

static dw_predicate_scope
scope_of(scan_world *world)
{
    dw_predicate_scope scope;
    const dw_metadata *metadata = dw__log_snapshot_metadata(world->snapshot);
    dw__predicate_scope_init(&scope, &world->arena, dw__log_snapshot_schema(world->snapshot),
                             metadata->partition_columns, metadata->partition_column_count);
    return scope;
}

static size_t
column(dw_predicate_scope *scope, const char *name, const char *nested)
{
    size_t idx;
    dw_str part = dw__str_from(nested);
    size_t field = dw__schema_find_idx(scope->schema, dw__str_from(name));
    assert_true(dw__predicate_column(scope, field, &part, nested == NULL ? 0 : 1, &idx));
    assert_true(idx != SIZE_MAX);
    return idx;
}

static const dw_predicate *
compare_integer(dw_predicate_scope *scope, size_t idx, dw_comparison comparison, int64_t value)
{
    dw_value constant = {.kind = DW_VALUE_I64, .as.i64 = value};
    return dw__predicate_compare(scope, idx, DW_TRANSFORM_NONE, comparison, &constant);
}

static const dw_predicate *
compare_text(dw_predicate_scope *scope, size_t idx, dw_comparison comparison, const char *value)
{
    dw_value constant = {.kind = DW_VALUE_STR, .as.str = dw__str_from(value)};
    return dw__predicate_compare(scope, idx, DW_TRANSFORM_NONE, comparison, &constant);
}

static dw_prune_result
prune(scan_world *world, const dw_predicate_scope *scope, const dw_predicate *predicate)
{
    dw_prune_result result;
    assert_ok(dw__prune(world->test.env.allocator, dw__log_snapshot_files(world->snapshot), scope,
                        predicate, &world->arena, &result, &world->err),
              &world->err);
    return result;
}

/* The paths that are left, in order, separated by blanks. */
static void
assert_left(scan_world *world, const dw_prune_result *result, const char *expected)
{
    char text[1024] = "";
    dw_file_set *set = dw__log_snapshot_files(world->snapshot);
    for (size_t i = 0; i < result->count; i++) {
        dw_str path = dw__file_set_path(set, result->files[i]);
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s%.*s", len == 0 ? "" : " ", DW_STR_ARG(path));
    }
    assert_string_equal(text, expected);
}

static void
make_ranges(scan_world *world)
{
    dwt_commit commit;
    scan_world_create(&commit, SCHEMA, NULL, NULL);
    dwt_commit_add(&commit, &(dwt_add){.path = "a", .size = 1, .stats = ID_STATS(0, 9)});
    dwt_commit_add(&commit, &(dwt_add){.path = "b", .size = 20, .stats = ID_STATS(10, 19)});
    dwt_commit_add(&commit, &(dwt_add){.path = "none", .size = 300});
    dwt_commit_add(&commit, &(dwt_add){.path = "torn", .size = 4000, .stats = "{\"minVal"});
    dwt_commit_write(&commit, world->storage, 0);
    scan_world_refresh(world);
}

static void
test_prune__leaves_files_whose_statistics_do_not_exclude_them(void **state)
{
    (void) state;
    scan_world world;
    scan_world_init(&world);
    make_ranges(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t id = column(&scope, "id", NULL);
    dw_prune_result result =
        prune(&world, &scope, compare_integer(&scope, id, DW_COMPARISON_GREATER, 9));
    assert_left(&world, &result, "b none torn");
    assert_int_equal(result.size_bytes, 4320);
    assert_int_equal(result.count_after_partitions, 4);
    result = prune(&world, &scope, compare_integer(&scope, id, DW_COMPARISON_LESS, 10));
    assert_left(&world, &result, "a none torn");
    result = prune(&world, &scope, dw__predicate_unknown());
    assert_left(&world, &result, "a b none torn");
    assert_int_equal(result.size_bytes, 4321);
    const dw_predicate *never = dw__predicate_constant(&scope, DW_OUTCOME_FALSE | DW_OUTCOME_NULL);
    result = prune(&world, &scope, never);
    assert_left(&world, &result, "");
    scan_world_deinit(&world);
}

static void
test_prune__sees_new_files_and_forgets_removed_ones(void **state)
{
    (void) state;
    scan_world world;
    scan_world_init(&world);
    make_ranges(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t id = column(&scope, "id", NULL);
    const dw_predicate *small = compare_integer(&scope, id, DW_COMPARISON_LESS, 12);
    dw_prune_result result = prune(&world, &scope, small);
    assert_left(&world, &result, "a b none torn");
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_remove(&commit, &(dwt_add){.path = "a"});
    dwt_commit_add(&commit, &(dwt_add){.path = "c", .stats = ID_STATS(5, 6)});
    dwt_commit_add(&commit, &(dwt_add){.path = "e", .stats = ID_STATS(50, 60)});
    dwt_commit_write(&commit, world.storage, 1);
    dw_log_snapshot *older = dw__log_snapshot_ref(world.snapshot);
    scan_world_refresh(&world);
    result = prune(&world, &scope, small);
    assert_left(&world, &result, "b none torn c");
    /* The older snapshot still has its own files. */
    dw__log_snapshot_unref(world.snapshot);
    world.snapshot = older;
    result = prune(&world, &scope, small);
    assert_left(&world, &result, "a b none torn");
    scan_world_deinit(&world);
}

static void
test_prune__by_partition_values_before_statistics(void **state)
{
    (void) state;
    scan_world world;
    dwt_commit commit;
    scan_world_init(&world);
    scan_world_create(&commit, SCHEMA, "[\"d\",\"s\"]", NULL);
    dwt_commit_add(&commit, &(dwt_add){.path = "jan",
                                       .partition_values = "{\"d\":\"2024-01-01\",\"s\":\"x\"}",
                                       .stats = ID_STATS(0, 9)});
    dwt_commit_add(&commit, &(dwt_add){.path = "feb",
                                       .partition_values = "{\"d\":\"2024-02-01\",\"s\":\"y\"}",
                                       .stats = ID_STATS(0, 9)});
    dwt_commit_add(&commit, &(dwt_add){.path = "feb-large",
                                       .partition_values = "{\"d\":\"2024-02-01\",\"s\":null}",
                                       .stats = ID_STATS(100, 200)});
    dwt_commit_add(&commit, &(dwt_add){.path = "null",
                                       .partition_values = "{\"d\":\"\",\"s\":\"\"}",
                                       .stats = ID_STATS(0, 9)});
    dwt_commit_add(&commit, &(dwt_add){.path = "odd",
                                       .partition_values = "{\"d\":\"spring\",\"s\":\"x\"}",
                                       .stats = ID_STATS(0, 9)});
    dwt_commit_write(&commit, world.storage, 0);
    scan_world_refresh(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t d = column(&scope, "d", NULL);
    size_t s = column(&scope, "s", NULL);
    size_t id = column(&scope, "id", NULL);
    int64_t february = 19754;
    const dw_predicate *parts[] = {compare_integer(&scope, d, DW_COMPARISON_EQUAL, february),
                                   compare_integer(&scope, id, DW_COMPARISON_LESS, 50)};
    dw_prune_result result =
        prune(&world, &scope, dw__predicate_junction(&scope, DW_PREDICATE_AND, parts, 2));
    assert_left(&world, &result, "feb odd");
    assert_int_equal(result.count_after_partitions, 3);
    result = prune(&world, &scope, dw__predicate_null_test(&scope, DW_PREDICATE_IS_NULL, d));
    assert_left(&world, &result, "null odd");
    result = prune(&world, &scope, dw__predicate_null_test(&scope, DW_PREDICATE_IS_NULL, s));
    assert_left(&world, &result, "feb-large null");
    result = prune(&world, &scope, compare_text(&scope, s, DW_COMPARISON_NOT_EQUAL, "x"));
    assert_left(&world, &result, "feb");
    scan_world_deinit(&world);
}

static void
test_prune__by_nested_fields_and_physical_names(void **state)
{
    (void) state;
    static const char schema[] =
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,"
        "\"metadata\":{\"delta.columnMapping.id\":1,\"delta.columnMapping.physicalName\":\"c1\"}},"
        "{\"name\":\"st\",\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":2,"
        "\"delta.columnMapping.physicalName\":\"c2\"},\"type\":{\"type\":\"struct\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{"
        "\"delta.columnMapping.id\":3,\"delta.columnMapping.physicalName\":\"c3\"}}]}},"
        "{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{"
        "\"delta.columnMapping.id\":4,\"delta.columnMapping.physicalName\":\"c4\"}}]}";
    scan_world world;
    dwt_commit commit;
    scan_world_init(&world);
    scan_world_create(&commit, schema, "[\"p\"]",
                      "{\"delta.columnMapping.mode\":\"name\","
                      "\"delta.columnMapping.maxColumnId\":\"4\"}");
    dwt_commit_add(
        &commit, &(dwt_add){.path = "x",
                            .partition_values = "{\"c4\":\"x\"}",
                            .stats = "{\"numRecords\":3,\"minValues\":{\"c1\":1,\"c2\":{\"c3\":7}},"
                                     "\"maxValues\":{\"c1\":5,\"c2\":{\"c3\":9}},"
                                     "\"nullCount\":{\"c1\":0,\"c2\":{\"c3\":0}}}"});
    dwt_commit_add(
        &commit, &(dwt_add){.path = "y",
                            .partition_values = "{\"c4\":\"y\"}",
                            .stats = "{\"numRecords\":3,\"minValues\":{\"id\":1,\"st\":{\"a\":7}},"
                                     "\"maxValues\":{\"id\":5,\"st\":{\"a\":9}}}"});
    dwt_commit_write(&commit, world.storage, 0);
    scan_world_refresh(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t a = column(&scope, "st", "a");
    size_t p = column(&scope, "p", NULL);
    assert_str(scope.columns[a].name, "st.a");
    dw_prune_result result =
        prune(&world, &scope, compare_integer(&scope, a, DW_COMPARISON_GREATER, 9));
    assert_left(&world, &result, "y");
    result = prune(&world, &scope, compare_text(&scope, p, DW_COMPARISON_EQUAL, "x"));
    assert_left(&world, &result, "x");
    /* The struct itself may be NULL where its field is not counted as NULL. */
    result = prune(&world, &scope, dw__predicate_null_test(&scope, DW_PREDICATE_IS_NULL, a));
    assert_left(&world, &result, "x y");
    scan_world_deinit(&world);
}

enum { MANY_FILES = 3000 };

static void
test_prune__of_many_files_in_several_commits_is_exact(void **state)
{
    (void) state;
    scan_world world;
    dwt_commit commit;
    scan_world_init(&world);
    for (int version = 0; version < 3; version++) {
        if (version == 0) {
            scan_world_create(&commit, SCHEMA, NULL, NULL);
        } else {
            dwt_commit_begin(&commit);
        }
        for (int i = version * MANY_FILES / 3; i < (version + 1) * MANY_FILES / 3; i++) {
            char path[32];
            char stats[200];
            snprintf(path, sizeof(path), "f%d", i);
            snprintf(stats, sizeof(stats),
                     "{\"numRecords\":10,\"minValues\":{\"id\":%d},\"maxValues\":{\"id\":%d}}",
                     i * 10, i * 10 + 9);
            dwt_commit_add(&commit, &(dwt_add){.path = path, .stats = stats});
        }
        dwt_commit_write(&commit, world.storage, version);
    }
    scan_world_refresh(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t id = column(&scope, "id", NULL);
    const dw_predicate *range[] = {
        compare_integer(&scope, id, DW_COMPARISON_GREATER_OR_EQUAL, 10235),
        compare_integer(&scope, id, DW_COMPARISON_LESS, 10250)};
    dw_prune_result result =
        prune(&world, &scope, dw__predicate_junction(&scope, DW_PREDICATE_AND, range, 2));
    assert_left(&world, &result, "f1023 f1024");
    for (int i = 0; i < MANY_FILES; i += 97) {
        result =
            prune(&world, &scope, compare_integer(&scope, id, DW_COMPARISON_EQUAL, i * 10 + 3));
        assert_int_equal(result.count, 1);
    }
    scan_world_deinit(&world);
}

/* More than one thread reads their statistics. */
enum { CHECKPOINT_FILES = 40000 };

static void
make_large_checkpoint(scan_world *world)
{
    dwt_commit commit;
    scan_world_create(&commit, SCHEMA, NULL, NULL);
    for (int i = 0; i < CHECKPOINT_FILES; i++) {
        char path[32];
        char stats[300];
        snprintf(path, sizeof(path), "f%d", i);
        snprintf(
            stats, sizeof(stats),
            "{\"numRecords\":10,\"minValues\":{\"s\":\"key-%06d a rather long text\",\"id\":%d},"
            "\"maxValues\":{\"id\":%d,\"s\":\"key-%06d a rather long text\"},"
            "\"nullCount\":{\"id\":0,\"s\":0}}",
            i, i * 10, i * 10 + 9, i);
        dwt_commit_add(&commit, &(dwt_add){.path = path, .stats = stats});
    }
    dwt_commit_write(&commit, world->storage, 0);
    scan_world_refresh(world);
    dw_status status = dw__checkpoint_write(world->snapshot, &world->err);
    assert_ok(status, &world->err);
    dwt_commit_begin(&commit);
    dwt_commit_remove(&commit, &(dwt_add){.path = "f70"});
    dwt_commit_add(&commit, &(dwt_add){.path = "new", .stats = ID_STATS(700, 709)});
    dwt_commit_write(&commit, world->storage, 1);
    dw__log_snapshot_unref(world->snapshot);
    world->snapshot = NULL;
    dw__log_close(world->log);
    assert_ok(
        dw__log_open(&world->test.env, world->storage, world->engine, &world->log, &world->err),
        &world->err);
    scan_world_refresh(world);
}

static void
test_prune__of_a_large_checkpoint_is_exact(void **state)
{
    (void) state;
    scan_world world;
    scan_world_init(&world);
    make_large_checkpoint(&world);
    dw_predicate_scope scope = scope_of(&world);
    size_t id = column(&scope, "id", NULL);
    size_t s = column(&scope, "s", NULL);
    for (int i = 0; i < CHECKPOINT_FILES; i += 999) {
        char path[32];
        char key[64];
        snprintf(path, sizeof(path), "f%d", i);
        snprintf(key, sizeof(key), "key-%06d a rather long text", i);
        dw_prune_result result =
            prune(&world, &scope, compare_integer(&scope, id, DW_COMPARISON_EQUAL, i * 10 + 3));
        assert_left(&world, &result, path);
        result = prune(&world, &scope, compare_text(&scope, s, DW_COMPARISON_EQUAL, key));
        assert_int_equal(result.count, 2); /* nothing is known of the texts in the new file */
    }
    dw_prune_result result =
        prune(&world, &scope, compare_integer(&scope, id, DW_COMPARISON_EQUAL, 703));
    assert_left(&world, &result, "new");
    scan_world_deinit(&world);
}

static void
test_prune__out_of_memory_is_an_error_and_leaves_the_snapshot_usable(void **state)
{
    (void) state;
    for (int64_t n = 1;; n++) {
        scan_world world;
        dwt_commit commit;
        dw_error err = DW_ERROR_INIT;
        dw_prune_result result;
        scan_world_init(&world);
        scan_world_create(&commit, SCHEMA, "[\"s\"]", NULL);
        dwt_commit_add(
            &commit,
            &(dwt_add){.path = "a", .partition_values = "{\"s\":\"x\"}", .stats = ID_STATS(0, 9)});
        dwt_commit_write(&commit, world.storage, 0);
        scan_world_refresh(&world);
        dw_predicate_scope scope = scope_of(&world);
        const dw_predicate *parts[] = {
            compare_integer(&scope, column(&scope, "id", NULL), DW_COMPARISON_EQUAL, 4),
            compare_text(&scope, column(&scope, "s", NULL), DW_COMPARISON_EQUAL, "x")};
        const dw_predicate *both = dw__predicate_junction(&scope, DW_PREDICATE_AND, parts, 2);
        dwt_fault_allocator_fail_at(&world.test.memory, n, n % 2 == 0);
        dw_status status =
            dw__prune(world.test.env.allocator, dw__log_snapshot_files(world.snapshot), &scope,
                      both, &world.arena, &result, &err);
        bool failed = dwt_fault_allocator_has_failed(&world.test.memory);
        dwt_fault_allocator_fail_at(&world.test.memory, 0, false);
        assert_int_equal(status, failed ? DW_OUT_OF_MEMORY : DW_OK);
        assert_int_equal(err.status, status);
        result = prune(&world, &scope, both);
        assert_left(&world, &result, "a");
        scan_world_deinit(&world);
        if (!failed) {
            break;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prune__leaves_files_whose_statistics_do_not_exclude_them),
        cmocka_unit_test(test_prune__sees_new_files_and_forgets_removed_ones),
        cmocka_unit_test(test_prune__by_partition_values_before_statistics),
        cmocka_unit_test(test_prune__by_nested_fields_and_physical_names),
        cmocka_unit_test(test_prune__of_many_files_in_several_commits_is_exact),
        cmocka_unit_test(test_prune__of_a_large_checkpoint_is_exact),
        cmocka_unit_test(test_prune__out_of_memory_is_an_error_and_leaves_the_snapshot_usable),
    };
    return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
