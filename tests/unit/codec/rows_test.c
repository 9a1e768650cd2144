/*
 * Small results as Arrow streams: what is put in comes out, whatever the consumer moves and in
 * whatever order it releases, and running out of memory is an error.
 */
#include "codec/rows.h"
#include "support/fault_allocator.h"
#include "support/test.h"

static const dw_rows_column all_kinds[] = {
    {"flag", DW_ROWS_BOOL, 0, 0},       {"number", DW_ROWS_I64, 0, 0},
    {"small", DW_ROWS_I32, 0, 0},       {"text", DW_ROWS_STR, 0, 0},
    {"amount", DW_ROWS_DECIMAL, 10, 2}, {"list", DW_ROWS_STR_LIST, 0, 0},
    {"map", DW_ROWS_STR_MAP, 0, 0},     {"at", DW_ROWS_TIMESTAMP, 0, 0},
};
#define ALL_KINDS_COUNT (sizeof(all_kinds) / sizeof(all_kinds[0]))

static void
put_full_row(dw_rows *rows)
{
    dw__rows_put_bool(rows, true);
    dw__rows_put_i64(rows, INT64_MIN);
    dw__rows_put_i64(rows, -7);
    dw__rows_put_str(rows, DW_STR("naïve"));
    dw__rows_put_decimal(rows, -12345);
    dw__rows_begin(rows);
    dw__rows_put_item(rows, DW_STR("a"), DW_STR_NULL);
    dw__rows_put_item(rows, DW_STR(""), DW_STR_NULL);
    dw__rows_end(rows);
    dw__rows_begin(rows);
    dw__rows_put_item(rows, DW_STR("k"), DW_STR("v"));
    dw__rows_end(rows);
    dw__rows_put_i64(rows, 1);
}

static void
put_null_row(dw_rows *rows)
{
    for (size_t i = 0; i < ALL_KINDS_COUNT; i++) {
        dw__rows_put_null(rows);
    }
}

static dw_status
make_stream(const dw_allocator *allocator, struct ArrowArrayStream *out, dw_error *err)
{
    dw_rows *rows;
    DW_TRY(dw__rows_new(allocator, all_kinds, ALL_KINDS_COUNT, &rows, err));
    put_full_row(rows);
    put_null_row(rows);
    return dw__rows_stream(rows, out, err);
}

static bool
is_valid(const struct ArrowArray *array, int64_t row)
{
    const uint8_t *bits = array->buffers[0];
    return bits == NULL || ((bits[row / 8] >> (row % 8)) & 1) != 0;
}

static void
test_rows__come_out_as_they_were_put(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    struct ArrowArrayStream stream;
    assert_int_equal(make_stream(&memory.allocator, &stream, NULL), DW_OK);
    struct ArrowArray batch;
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(batch.length, 2);
    assert_int_equal(batch.n_children, ALL_KINDS_COUNT);
    assert_int_equal(((const int64_t *) batch.children[1]->buffers[1])[0], INT64_MIN);
    assert_int_equal(((const int32_t *) batch.children[2]->buffers[1])[0], -7);
    const int32_t *offsets = batch.children[3]->buffers[1];
    assert_int_equal(offsets[1], (int) strlen("naïve"));
    assert_memory_equal(batch.children[3]->buffers[2], "naïve", strlen("naïve"));
    const int32_t *lists = batch.children[5]->buffers[1];
    assert_int_equal(lists[1] - lists[0], 2);
    const struct ArrowArray *entries = batch.children[6]->children[0];
    assert_int_equal(entries->length, 1);
    assert_memory_equal(entries->children[1]->buffers[2], "v", 1);
    for (int64_t i = 0; i < batch.n_children; i++) {
        assert_true(is_valid(batch.children[i], 0));
        assert_false(is_valid(batch.children[i], 1));
        assert_int_equal(batch.children[i]->null_count, 1);
    }
    struct ArrowArray end;
    assert_int_equal(stream.get_next(&stream, &end), 0);
    assert_null(end.release);
    batch.release(&batch);
    stream.release(&stream);
    dwt_fault_allocator_deinit(&memory);
}

static void
test_rows__a_column_moved_out_lives_longer_than_batch_and_stream(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    struct ArrowArrayStream stream;
    assert_int_equal(make_stream(&memory.allocator, &stream, NULL), DW_OK);
    struct ArrowArray batch;
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    struct ArrowArray map = *batch.children[6];
    batch.children[6]->release = NULL;
    batch.release(&batch);
    stream.release(&stream);
    assert_memory_equal(map.children[0]->children[0]->buffers[2], "k", 1);
    map.release(&map);
    dwt_fault_allocator_deinit(&memory);
}

static void
test_rows__schema_names_columns_and_types(void **state)
{
    (void) state;
    static const char *const formats[] = {"b", "l", "i", "u", "d:10,2", "+l", "+m", "tsu:UTC"};
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    struct ArrowArrayStream stream;
    assert_int_equal(make_stream(&memory.allocator, &stream, NULL), DW_OK);
    struct ArrowSchema schema;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_string_equal(schema.format, "+s");
    for (size_t i = 0; i < ALL_KINDS_COUNT; i++) {
        assert_string_equal(schema.children[i]->name, all_kinds[i].name);
        assert_string_equal(schema.children[i]->format, formats[i]);
    }
    schema.release(&schema);
    stream.release(&stream);
    dwt_fault_allocator_deinit(&memory);
}

static void
test_rows__of_no_rows_are_an_empty_stream(void **state)
{
    (void) state;
    dw_rows *rows;
    struct ArrowArrayStream stream;
    assert_int_equal(dw__rows_new(dw__allocator_libc(), all_kinds, ALL_KINDS_COUNT, &rows, NULL),
                     DW_OK);
    assert_int_equal(dw__rows_stream(rows, &stream, NULL), DW_OK);
    struct ArrowArray batch;
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_null(batch.release);
    stream.release(&stream);
}

static void
test_rows__report_running_out_of_memory_and_leak_nothing(void **state)
{
    (void) state;
    dwt_fault_allocator memory;
    dwt_fault_allocator_init(&memory);
    for (int64_t n = 1;; n++) {
        struct ArrowArrayStream stream = {0};
        struct ArrowSchema schema = {0};
        struct ArrowArray batch = {0};
        dw_error err = DW_ERROR_INIT;
        dwt_fault_allocator_fail_at(&memory, n, false);
        dw_status status = make_stream(&memory.allocator, &stream, &err);
        if (status == DW_OK) {
            if (stream.get_schema(&stream, &schema) == 0) {
                schema.release(&schema);
            }
            if (stream.get_next(&stream, &batch) == 0) {
                batch.release(&batch);
            }
            stream.release(&stream);
        } else {
            assert_string_equal(err.code, "OUT_OF_MEMORY");
        }
        if (!dwt_fault_allocator_has_failed(&memory)) {
            break;
        }
    }
    dwt_fault_allocator_deinit(&memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows__come_out_as_they_were_put),
        cmocka_unit_test(test_rows__a_column_moved_out_lives_longer_than_batch_and_stream),
        cmocka_unit_test(test_rows__schema_names_columns_and_types),
        cmocka_unit_test(test_rows__of_no_rows_are_an_empty_stream),
        cmocka_unit_test(test_rows__report_running_out_of_memory_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
