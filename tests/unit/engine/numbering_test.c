/*
 * Numbers for rows, and the keys that they are made from.
 */
#include "fixture.h"

#include "engine/numbering.h"

enum { VALUES_MAX = 8 };

/* The keys of some values, in order. */
typedef struct bounds {
    dw_str keys[VALUES_MAX];
    size_t count;
} bounds;

static void
count_bounds(const void *ctx, const dw_str *const *keys, size_t row_count, uint32_t *out)
{
    const bounds *b = ctx;
    for (size_t row = 0; row < row_count; row++) {
        out[row] = 0;
        for (size_t i = 0; i < b->count; i++) {
            out[row] += dw__str_compare(b->keys[i], keys[0][row]) <= 0;
        }
    }
}

/* Each of a type, in their order; NULL is first. */
static const char *const lists[] = {
    "(NULL), (false), (true)",
    "(NULL::TINYINT), (-128), (-1), (0), (127)",
    "(NULL::INTEGER), (-70000), (-1), (0), (1), (70000)",
    "(NULL), (-5000000000), (0), (5), (5000000000)",
    "(NULL), (-1.5::DECIMAL(9,2)), (0), (2.25)",
    "(NULL), (-1.5::DECIMAL(38,2)), (0), (99999999999999999999999999.25)",
    "(NULL), ('-inf'::DOUBLE), (-1), (0), (1e300), ('nan'::DOUBLE)",
    "(NULL), (DATE '0001-01-01'), (DATE '1969-12-31'), (DATE '2024-02-29')",
    "(NULL), (TIMESTAMPTZ '1900-01-01 00:00:00Z'), (TIMESTAMPTZ '2024-01-01 00:00:00Z')",
    "(NULL), (''), ('a'), ('a' || chr(1)), ('aa'), ('\xc3\xa9')",
    "(NULL), ('\\x00'::BLOB), ('\\x00\\x00'::BLOB), ('\\x01'::BLOB), ('\\xff'::BLOB)",
};

static bounds
read_bounds(fixture *f, const char *list)
{
    bounds b = {.count = 0};
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 65536);
    dw__strbuf_append_literal(&sql, "SELECT ");
    dw__sort_key_print(DW_STR("v"), &sql);
    dw__strbuf_printf(&sql, " FROM (VALUES %s) t(v)", list);
    dw_text_rows rows;
    assert_ok(
        dw__connection_query_text(f->connection, dw__strbuf_str(&sql), &f->arena, &rows, &f->err),
        &f->err);
    for (size_t i = 0; i < rows.row_count; i++) {
        b.keys[b.count++] = dw__sort_key_read(rows.cells[i], &f->arena);
        assert_int_equal(b.keys[i].ptr[0], i == 0 ? 1 : 2);
    }
    return b;
}

static void
test_numbering__sees_values_of_each_type_in_their_order(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        bounds b = read_bounds(f, lists[i]);
        dw_row_numbering spec = {count_bounds, &b, 1};
        dw_numbering *numbering;
        assert_ok(dw__connection_bind_numbering(f->connection, &spec, &numbering, &f->err),
                  &f->err);
        dw_str value = DW_STR("v");
        DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__allocator_libc(), 65536);
        dw__numbering_print(numbering, &value, &sql);
        const char *numbers = fixture_rows(
            f,
            "SELECT string_agg(n, '' ORDER BY n) FROM (SELECT row_number() OVER () AS i, %s AS n"
            " FROM (VALUES %s) t(v)) WHERE i = n",
            dw__strbuf_cstr(&sql), lists[i]);
        dw_str expected = dw__str_slice(DW_STR("12345678"), 0, b.count);
        assert_str(expected, numbers);
        dw__connection_unbind_numbering(f->connection, numbering);
    }
}

static void
test_numbering__is_refused_once_unbound(void **state)
{
    fixture *f = *state;
    bounds b = {.count = 0};
    dw_row_numbering spec = {count_bounds, &b, 1};
    dw_numbering *numbering;
    assert_ok(dw__connection_bind_numbering(f->connection, &spec, &numbering, &f->err), &f->err);
    assert_rows(f, "0", "SELECT dw__number(1, create_sort_key(7, 'ASC NULLS FIRST'))");
    assert_error(dw__connection_execute(f->connection, DW_STR("SELECT dw__number(1)"), &f->err),
                 DW_INVALID_ARGUMENT, "INVALID_INPUT", &f->err);
    dw__connection_unbind_numbering(f->connection, numbering);
    assert_error(
        dw__connection_execute(f->connection, DW_STR("SELECT dw__number(1, 'a'::BLOB)"), &f->err),
        DW_INVALID_ARGUMENT, "BIND_ERROR", &f->err);
}

static void
test_copy__writes_a_file_for_each_value_of_a_column(void **state)
{
    fixture *f = *state;
    dw_copy_request request = {
        .query = DW_STR("SELECT i, (i // 300)::INTEGER AS \"a file\" FROM range(1000) t(i) "
                        "ORDER BY i"),
        .directory = dw__str_from(f->dir.path),
        .file_prefix = DW_STR("part-7"),
        .file_column = DW_STR("a file"),
        .compression = DW_STR("zstd")};
    dw_copy_file *files = NULL;
    size_t count = 0;
    assert_ok(dw__connection_copy(f->connection, &request, &f->arena, &files, &count, &f->err),
              &f->err);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_true(dw__str_starts_with(files[i].path, DW_STR("part-7-")));
        assert_int_equal(files[i].column_count, 1);
    }
    assert_rows(f, "0|299|300\n300|599|300\n600|899|300\n900|999|100",
                "SELECT min(i), max(i), count(*) FROM read_parquet('%s/*.parquet', filename = true)"
                " GROUP BY filename ORDER BY 1",
                f->dir.path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbering__sees_values_of_each_type_in_their_order,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_numbering__is_refused_once_unbound, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_copy__writes_a_file_for_each_value_of_a_column,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("numbering", tests, NULL, NULL);
}
