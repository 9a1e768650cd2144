/*
 * Two queries before the rows are written: how many there are, and a sample of the columns.
 */
#include "upkeep/arrangement.h"

#include "base/assert.h"
#include "engine/row_sample.h"

#define SQL_BYTES_MAX ((size_t) 16 << 20)
/* So many rows of each file that is wanted tell where it ends to a few hundredths of it. */
#define SAMPLE_ROWS_PER_FILE 2048
enum { SAMPLE_ROWS_MIN = 16384, SAMPLE_ROWS_MAX = 262144 };

/* Appends each column as SQL has it, in `arena`. */
static dw_status
print_columns(const dw_arrangement *a, dw_str *out, dw_error *err)
{
    for (size_t i = 0; i < a->columns->count; i++) {
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(a->arena->allocator, SQL_BYTES_MAX);
        dw__cluster_column_put(&a->columns->items[i], &text);
        DW_TRY(dw__strbuf_ok(&text, "a column's name", err));
        if (!dw__arena_dup(a->arena, dw__strbuf_str(&text), &out[i])) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

static dw_status
count_rows(const dw_arrangement *a, dw_str view, dw_arena *scratch, int64_t *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(a->arena->allocator, SQL_BYTES_MAX);
    dw_text_rows rows;
    dw__strbuf_append_literal(&sql, "SELECT count(*) FROM ");
    dw__sql_put_identifier(&sql, view);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(a->connection, dw__strbuf_str(&sql), scratch, &rows, err));
    bool is_number = rows.row_count == 1 && dw__str_to_i64(rows.cells[0], out);
    dw_assert(is_number);
    return DW_OK;
}

static int64_t
sample_rows(const dw_arrangement *a)
{
    size_t most = SAMPLE_ROWS_MAX / SAMPLE_ROWS_PER_FILE;
    size_t file_count = a->file_count < most ? a->file_count : most;
    int64_t rows = (int64_t) file_count * SAMPLE_ROWS_PER_FILE;
    return rows < SAMPLE_ROWS_MIN ? SAMPLE_ROWS_MIN : rows;
}

static dw_status
print_sample(const dw_arrangement *a, const dw_str *columns, dw_str view, int64_t row_count,
             dw_strbuf *out, dw_error *err)
{
    dw__strbuf_append_literal(out, "SELECT ");
    for (size_t i = 0; i < a->columns->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sort_key_print(columns[i], out);
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
    if (row_count > sample_rows(a)) {
        dw__strbuf_append_literal(out, " WHERE ");
        dw__row_sample_print((double) sample_rows(a) / (double) row_count, out);
    }
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
make_tiles(dw_arrangement *a, const dw_str *columns, dw_str view, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, a->arena->allocator);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(a->arena->allocator, SQL_BYTES_MAX);
    int64_t row_count = 0;
    dw_text_rows rows;
    DW_TRY(count_rows(a, view, &scratch, &row_count, err));
    DW_TRY(print_sample(a, columns, view, row_count, &sql, err));
    DW_TRY(dw__connection_query_text(a->connection, dw__strbuf_str(&sql), &scratch, &rows, err));
    size_t cell_count = rows.row_count * rows.column_count;
    dw_str *keys = DW_ARENA_ARRAY(a->arena, dw_str, cell_count + 1);
    if (keys == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < cell_count; i++) {
        keys[i] = dw__sort_key_read(rows.cells[i], a->arena);
        if (dw__str_is_null(keys[i])) {
            return dw__error_oom(err);
        }
    }
    dw_tile_sample sample = {keys, rows.row_count, a->columns->count};
    return dw__tiles_make(&sample, a->file_count, a->curve, a->arena, &a->tiles, err);
}

static void
number_rows(const void *ctx, const dw_str *const *keys, size_t row_count, uint32_t *out)
{
    dw__tiles_number(ctx, keys, row_count, out);
}

static dw_status
put_number(void *ctx, dw_str view, dw_strbuf *out, dw_error *err)
{
    dw_arrangement *a = ctx;
    dw_str columns[DW_CURVE_DIMENSIONS_MAX];
    dw_assert(a->columns->count > 0 && a->columns->count <= DW_CURVE_DIMENSIONS_MAX);
    dw_assert(a->numbering == NULL);
    DW_TRY(print_columns(a, columns, err));
    DW_TRY(make_tiles(a, columns, view, err));
    dw_row_numbering spec = {number_rows, a->tiles, a->columns->count};
    DW_TRY(dw__connection_bind_numbering(a->connection, &spec, &a->numbering, err));
    dw__numbering_print(a->numbering, columns, out);
    return DW_OK;
}

dw_row_arrangement
dw__arrangement_of(dw_arrangement *arrangement)
{
    return (dw_row_arrangement){put_number, arrangement, DW_TILE_PLACE_BITS};
}

void
dw__arrangement_close(dw_arrangement *arrangement)
{
    dw__connection_unbind_numbering(arrangement->connection, arrangement->numbering);
    arrangement->numbering = NULL;
}
