/*
 * Counts and extremes from metadata: exact or not at all.
 */
#include "protocol/stats.h"
#include "scan_world.h"

#include "scan/scan.h"

#define SCHEMA_OF_NUMBERS                                                                          \
    DWT_SCHEMA_FIELD("id", "long")                                                                 \
    "," DWT_SCHEMA_FIELD("v", "double") "," DWT_SCHEMA_FIELD("n", "decimal(30,2)")
#define SCHEMA_OF_OTHERS                                                                           \
    DWT_SCHEMA_FIELD("s", "string")                                                                \
    "," DWT_SCHEMA_FIELD("ts", "timestamp") "," DWT_SCHEMA_FIELD("p", "date")
#define SCHEMA DWT_SCHEMA(SCHEMA_OF_NUMBERS "," SCHEMA_OF_OTHERS)

#define STATS_MIN "{\"id\":3,\"s\":\"a\",\"v\":1.5,\"n\":1.25,\"ts\":\"2024-01-01T00:00:00.000Z\"}"
#define STATS_MAX "{\"id\":9,\"s\":\"b\",\"v\":2.5,\"n\":7.25,\"ts\":\"2024-01-02T00:00:00.000Z\"}"
#define STATS                                                                                      \
    "{\"numRecords\":10,\"minValues\":" STATS_MIN ",\"maxValues\":" STATS_MAX                      \
    ",\"nullCount\":{\"id\":0,\"s\":0,\"v\":0,\"n\":0,\"ts\":0}}"

#define DELETION_VECTOR                                                                            \
    "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":"                                \
    "\"ab^-aqEH.-t@S}K{vb[*k^\",\"offset\":1,\"sizeInBytes\":36,\"cardinality\":4}"

static void
make_table(scan_world *world, const dwt_add *adds, size_t count)
{
    dwt_commit commit;
    scan_world_init(world);
    scan_world_create(&commit, SCHEMA, "[\"p\"]", "{}");
    for (size_t i = 0; i < count; i++) {
        dwt_add add = adds[i];
        char path[16];
        snprintf(path, sizeof(path), "f%zu", i);
        add.path = path;
        dwt_commit_add(&commit, &add);
    }
    dwt_commit_write(&commit, world->storage, 0);
    scan_world_refresh(world);
}

/* -1: not known. */
static int64_t
count_rows(scan_world *world)
{
    int64_t rows;
    bool known;
    assert_ok(dw__scan_count_rows(world->snapshot, &rows, &known, &world->err), &world->err);
    return known ? rows : -1;
}

static bool
extremes_of(scan_world *world, const char *column, dw_value *min, dw_value *max)
{
    bool known;
    const dw_field *field =
        dw__schema_find(dw__log_snapshot_schema(world->snapshot), dw__str_from(column));
    assert_ok(
        dw__scan_min_max(world->snapshot, field, &world->arena, min, max, &known, &world->err),
        &world->err);
    return known;
}

#define JANUARY "{\"p\":\"2024-01-01\"}"
#define FEBRUARY "{\"p\":\"2024-02-01\"}"

static void
test_count__is_the_sum_of_records_without_deleted_rows(void **state)
{
    (void) state;
    const dwt_add adds[] = {{.stats = STATS, .partition_values = JANUARY},
                            {.stats = STATS, .partition_values = JANUARY, .more = DELETION_VECTOR}};
    scan_world world;
    make_table(&world, adds, 1);
    assert_int_equal(count_rows(&world), 10);
    scan_world_deinit(&world);
    make_table(&world, adds, 2);
    assert_int_equal(count_rows(&world), 16);
    scan_world_deinit(&world);
    make_table(&world, adds, 0);
    assert_int_equal(count_rows(&world), 0);
    scan_world_deinit(&world);
}

static void
test_count__is_not_known_when_one_file_has_no_statistics(void **state)
{
    (void) state;
    const char *const bad[] = {NULL, "{}", "{\"numRecords\":\"7\"}", "{\"numRecords\":7",
                               "{\"numRecords\":-7}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const dwt_add adds[] = {{.stats = STATS, .partition_values = JANUARY},
                                {.stats = bad[i], .partition_values = JANUARY}};
        scan_world world;
        make_table(&world, adds, 2);
        assert_int_equal(count_rows(&world), -1);
        scan_world_deinit(&world);
    }
    /* More rows deleted than there are. */
    const dwt_add more[] = {
        {.stats = "{\"numRecords\":3}", .partition_values = JANUARY, .more = DELETION_VECTOR}};
    scan_world world;
    make_table(&world, more, 1);
    assert_int_equal(count_rows(&world), -1);
    scan_world_deinit(&world);
}

static void
test_count__of_a_partition_is_that_of_its_files(void **state)
{
    (void) state;
    const dwt_add adds[] = {{.stats = STATS, .partition_values = JANUARY},
                            {.partition_values = FEBRUARY},
                            {.stats = STATS, .partition_values = JANUARY, .more = DELETION_VECTOR},
                            {.stats = STATS, .partition_values = "{\"p\":null}"}};
    scan_world world;
    make_table(&world, adds, 4);
    int64_t rows;
    bool known;
    dw_partition_match match = {
        .field = dw__schema_find(dw__log_snapshot_schema(world.snapshot), DW_STR("p")),
        .value = {.kind = DW_VALUE_I64}};
    static const struct {
        const char *day;
        bool known;
        int64_t files, deleted;
    } cases[] = {
        {"2024-01-01", true, 2, 4}, {"2024-02-01", false, 0, 0}, {"2024-03-01", true, 0, 0}};
    dw_file_stats file;
    dw__stats_read_counts(DW_STR(STATS), &file);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(dw__date_parse(dw__str_from(cases[i].day), &match.value.as.i64));
        assert_ok(dw__scan_count_matching(world.snapshot, &match, 1, &rows, &known, &world.err),
                  &world.err);
        assert_int_equal(known, cases[i].known);
        assert_int_equal(rows, cases[i].files * file.num_records - cases[i].deleted);
    }
    scan_world_deinit(&world);
}

static void
test_extremes__of_exact_bounds_are_known(void **state)
{
    (void) state;
    const dwt_add adds[] = {
        {.stats = STATS, .partition_values = FEBRUARY},
        {.stats = "{\"numRecords\":2,\"minValues\":{\"id\":-4,\"n\":2},\"maxValues\":{\"id\":4,"
                  "\"n\":3},\"nullCount\":{\"id\":1,\"n\":0}}",
         .partition_values = JANUARY},
        {.stats = "{\"numRecords\":2,\"nullCount\":{\"id\":2,\"n\":2}}",
         .partition_values = "{\"p\":null}"}};
    scan_world world;
    dw_value min, max;
    make_table(&world, adds, 3);
    assert_true(extremes_of(&world, "id", &min, &max));
    assert_int_equal(min.as.i64, -4);
    assert_int_equal(max.as.i64, 9);
    assert_true(extremes_of(&world, "n", &min, &max));
    assert_int_equal((int64_t) min.as.i128, 125);
    assert_int_equal((int64_t) max.as.i128, 725);
    assert_true(extremes_of(&world, "p", &min, &max));
    assert_int_equal(min.as.i64, 19723);
    assert_int_equal(max.as.i64, 19754);
    scan_world_deinit(&world);
}

static void
test_extremes__of_a_table_without_values_are_null(void **state)
{
    (void) state;
    scan_world world;
    dw_value min, max;
    make_table(&world, NULL, 0);
    assert_true(extremes_of(&world, "id", &min, &max));
    assert_int_equal(min.kind, DW_VALUE_NULL);
    assert_int_equal(max.kind, DW_VALUE_NULL);
    scan_world_deinit(&world);
}

static void
test_extremes__of_bounds_that_may_be_loose_are_not_known(void **state)
{
    (void) state;
    scan_world world;
    dw_value min, max;
    const dwt_add good[] = {{.stats = STATS, .partition_values = JANUARY}};
    make_table(&world, good, 1);
    assert_false(extremes_of(&world, "s", &min, &max));
    assert_false(extremes_of(&world, "v", &min, &max));
    assert_false(extremes_of(&world, "ts", &min, &max));
    scan_world_deinit(&world);
    const dwt_add bad[] = {
        {.stats = STATS, .partition_values = JANUARY, .more = DELETION_VECTOR},
        {.stats = "{\"numRecords\":2,\"tightBounds\":false,\"minValues\":{\"id\":1},"
                  "\"maxValues\":{\"id\":2},\"nullCount\":{\"id\":0}}",
         .partition_values = JANUARY},
        {.stats = "{\"numRecords\":2,\"minValues\":{\"id\":1}}", .partition_values = JANUARY},
        {.stats = NULL, .partition_values = JANUARY}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        make_table(&world, &bad[i], 1);
        assert_false(extremes_of(&world, "id", &min, &max));
        scan_world_deinit(&world);
    }
}

static void
test_extremes__of_a_partition_count_only_if_it_has_rows(void **state)
{
    (void) state;
    scan_world world;
    dw_value min, max;
    const dwt_add adds[] = {
        {.stats = STATS, .partition_values = FEBRUARY},
        {.stats = "{\"numRecords\":4}", .partition_values = JANUARY, .more = DELETION_VECTOR}};
    make_table(&world, adds, 2);
    assert_true(extremes_of(&world, "p", &min, &max));
    assert_int_equal(min.as.i64, 19754);
    scan_world_deinit(&world);
    const dwt_add unknown[] = {{.stats = NULL, .partition_values = JANUARY}};
    make_table(&world, unknown, 1);
    assert_false(extremes_of(&world, "p", &min, &max));
    scan_world_deinit(&world);
}

static void
test_answers__out_of_memory_is_an_error(void **state)
{
    (void) state;
    for (int64_t n = 1;; n++) {
        const dwt_add adds[] = {{.stats = STATS, .partition_values = FEBRUARY}};
        scan_world world;
        dw_value min, max;
        bool known;
        dw_error err = DW_ERROR_INIT;
        make_table(&world, adds, 1);
        const dw_field *field =
            dw__schema_find(dw__log_snapshot_schema(world.snapshot), DW_STR("id"));
        dwt_fault_allocator_fail_at(&world.test.memory, n, true);
        dw_status status =
            dw__scan_min_max(world.snapshot, field, &world.arena, &min, &max, &known, &err);
        bool failed = dwt_fault_allocator_has_failed(&world.test.memory);
        dwt_fault_allocator_fail_at(&world.test.memory, 0, false);
        assert_int_equal(status, failed ? DW_OUT_OF_MEMORY : DW_OK);
        assert_int_equal(err.status, status);
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
        cmocka_unit_test(test_count__is_the_sum_of_records_without_deleted_rows),
        cmocka_unit_test(test_count__is_not_known_when_one_file_has_no_statistics),
        cmocka_unit_test(test_count__of_a_partition_is_that_of_its_files),
        cmocka_unit_test(test_extremes__of_exact_bounds_are_known),
        cmocka_unit_test(test_extremes__of_a_table_without_values_are_null),
        cmocka_unit_test(test_extremes__of_bounds_that_may_be_loose_are_not_known),
        cmocka_unit_test(test_extremes__of_a_partition_count_only_if_it_has_rows),
        cmocka_unit_test(test_answers__out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
