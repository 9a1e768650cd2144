/*
 * Definitions that take in columns, comparisons of schemas, and records that ride with a commit,
 * where memory runs out. What they come to is tested end to end.
 */
#include "support/test.h"

#include "table/compatibility.h"
#include "table/evolve.h"
#include "unit/table/starved_table.h"

#include <stdlib.h>

static const char first_commit[] =
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"
    "[\"typeWidening\"],\"writerFeatures\":[\"typeWidening\"]}}\n"
    "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","
    "\\\"type\\\":{\\\"type\\\":\\\"array\\\",\\\"elementType\\\":\\\"integer\\\","
    "\\\"containsNull\\\":true},\\\"nullable\\\":true,\\\"metadata\\\":{}}]"
    "}\",\"partitionColumns\":[],\"configuration\":{\"delta.enableTypeWidening\":\"true\","
    "\"owner\":\"me\"}}}\n";

static const char app_id[] = "deltaworks.migration:0001.sql:1/1:00";

static void
make_table(dwt_world *world, const char *path)
{
    (void) world;
    dwt_write_file(path, "_delta_log/00000000000000000000.json", dw__str_from(first_commit));
}

/* a ARRAY<BIGINT> and at TIMESTAMP_NTZ, which needs a feature. */
static dw_status
make_columns(dw_arena *arena, dw_field fields[2], dw_error *err)
{
    const dw_type *element = dw__type_make(arena, DW_TYPE_LONG);
    fields[0] = (dw_field){.name = DW_STR("A")};
    fields[1] = (dw_field){.name = DW_STR("at")};
    fields[1].type = dw__type_make(arena, DW_TYPE_TIMESTAMP_NTZ);
    if (element != NULL) {
        fields[0].type = dw__type_make_array(arena, element, true);
    }
    return fields[0].type == NULL || fields[1].type == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
evolve(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    dw_field fields[2];
    dw_evolved evolved;
    dw_change change;
    dw_txn_result done;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    DW_TRY(make_columns(&arena, fields, err));
    DW_TRY(dw__evolve(table, snapshot, fields, 2, &arena, &evolved, err));
    assert_true(evolved.has_new_schema && evolved.has_new_protocol);
    assert_int_equal(evolved.schema->field_count, 2);
    DW_TRY(dw__change_init(&change, table, snapshot, &arena, 0, err));
    DW_TRY(dw__evolved_put(&evolved, &change, err));
    dw_txn_id txn = {.app_id = dw__str_from(app_id), .version = 2};
    dw_riders riders = {
        .txns = &txn, .txn_count = 1, .happens_once = true, .user_metadata = txn.app_id};
    dw__table_set_riders(table, &riders);
    DW_TRY(dw__change_commit(&change, &done, err));
    assert_int_equal(done.version, 1);
    return DW_OK;
}

/* Either nothing was committed, or the definition with its record. */
static void
check_table(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000001.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    if (commit != NULL) {
        assert_non_null(strstr(commit, "\\\"fieldPath\\\":\\\"element\\\""));
        assert_non_null(strstr(commit, "timestampNtz"));
        assert_non_null(strstr(commit, app_id));
    }
    free(commit);
}

static void
test_evolution__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_starve(&(dwt_starved_table){.make = make_table, .work = evolve, .check = check_table});
}

/* ---- Records --------------------------------------------------------------------------------- */

static void
count_txn(void *ctx, const dw_txn_id *txn)
{
    int *count = ctx;
    *count += dw__str_equal(txn->app_id, dw__str_from(app_id)) ? 1 : 0;
}

/* A commit that was recorded is not made again, and one that undoes the record is. */
static dw_status
record_twice(dw_table *table, dw_database *database, const dw_env *env, dw_error *err)
{
    (void) database;
    for (int64_t i = 0; i < 3; i++) {
        dw_change change;
        dw_txn_result done;
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, env->allocator);
        DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
        DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
        int count = 0;
        dw__log_snapshot_each_txn(snapshot, count_txn, &count);
        assert_int_equal(count, i == 0 ? 0 : 1);
        dw_txn_id txn = {.app_id = dw__str_from(app_id), .version = i == 2 ? 0 : 2};
        dw_riders riders = {.txns = &txn, .txn_count = 1, .happens_once = i < 2};
        dw__table_set_riders(table, &riders);
        DW_TRY(dw__change_init(&change, table, snapshot, &arena, 1, err));
        change.commits_nothing = true;
        DW_TRY(dw__change_commit(&change, &done, err));
        assert_int_equal(done.was_duplicate, i == 1);
    }
    return DW_OK;
}

static void
check_records(const char *path, dw_status status)
{
    char *commit = dwt_read_file(path, "_delta_log/00000000000000000003.json", NULL);
    assert_null(commit);
    commit = dwt_read_file(path, "_delta_log/00000000000000000002.json", NULL);
    assert_true(status != DW_OK || commit != NULL);
    free(commit);
}

static void
test_records__happen_once_and_can_be_taken_back(void **state)
{
    (void) state;
    dwt_starve(
        &(dwt_starved_table){.make = make_table, .work = record_twice, .check = check_records});
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static dw_status
compare(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    static const char old_text[] =
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\",\"nullable\":false,"
        "\"metadata\":{}},{\"name\":\"b\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}";
    static const char new_text[] =
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"A\",\"type\":\"long\",\"nullable\":true,"
        "\"metadata\":{}},{\"name\":\"c\",\"type\":\"date\",\"nullable\":false,\"metadata\":{}}]}";
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    dw_compatibility_spec spec = {.mode = DW_COMPATIBLE_FULL};
    struct ArrowArrayStream rows = {0};
    int64_t count;
    DW_TRY(dw__schema_parse("old", dw__str_from(old_text), &arena, &spec.old_schema, err));
    DW_TRY(dw__schema_parse("new", dw__str_from(new_text), &arena, &spec.new_schema, err));
    DW_TRY(dw__compatibility_check(&spec, world->env->allocator, &rows, &count, err));
    rows.release(&rows);
    assert_int_equal(count, 3); /* a FORWARD by its type and by NULL, c BACKWARD */
    return DW_OK;
}

static void
test_comparing__survives_running_out_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = compare, .faults = DWT_FAULTS_ALLOC_ONCE});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evolution__survives_running_out_of_memory),
        cmocka_unit_test(test_records__happen_once_and_can_be_taken_back),
        cmocka_unit_test(test_comparing__survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
