/*
 * One row a file: name, rows, bytes, bytes of the footer, a map from columns to maps of statistics,
 * a map of partition values.
 */
#include "engine/copy_result.h"

#include "base/assert.h"
#include "base/vec.h"
#include "engine/vector_view.h"

enum { FILE_NAME, FILE_ROWS, FILE_BYTES, FILE_FOOTER, FILE_STATISTICS, FILE_PARTITION };

static const dw_column_spec text_map[] = {{.name = "key", .kind = DW_VECTOR_STR},
                                          {.name = "value", .kind = DW_VECTOR_STR}};
static const dw_column_spec statistics_map[] = {
    {.name = "column", .kind = DW_VECTOR_STR},
    {.name = "statistics", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2}};
/* The engine counts in unsigned numbers of 64 bits; none gets beyond 63. */
static const dw_column_spec file_columns[] = {
    [FILE_NAME] = {.name = "filename", .kind = DW_VECTOR_STR},
    [FILE_ROWS] = {.name = "count", .kind = DW_VECTOR_I64},
    [FILE_BYTES] = {.name = "file_size_bytes", .kind = DW_VECTOR_I64},
    [FILE_FOOTER] = {.name = "footer_size_bytes", .kind = DW_VECTOR_I64},
    [FILE_STATISTICS] = {.name = "column_statistics",
                         .kind = DW_VECTOR_MAP,
                         .children = statistics_map,
                         .child_count = 2},
    [FILE_PARTITION] = {.name = "partition_keys",
                        .kind = DW_VECTOR_MAP,
                        .children = text_map,
                        .child_count = 2},
};
#define FILE_COLUMN_COUNT (sizeof(file_columns) / sizeof(file_columns[0]))

typedef struct file_vec {
    dw_copy_file *items;
    size_t count;
    size_t capacity;
} file_vec;

typedef struct reader {
    const dw_copy_request *request;
    dw_arena *arena; /* for what is given out */
    file_vec files;
} reader;

/* Borrowed from the engine; the null string for NULL. */
static dw_str
text_at(const dw_vector *vector, size_t row)
{
    return dw__vector_is_valid(vector, row) ? ((const dw_str *) vector->data)[row] : DW_STR_NULL;
}

static dw_span
span_at(const dw_vector *vector, size_t row)
{
    return dw__vector_is_valid(vector, row) ? ((const dw_span *) vector->data)[row]
                                            : (dw_span){0, 0};
}

/* ---- Statistics ------------------------------------------------------------------------------ */

static dw_status
read_statistic(reader *r, dw_str name, dw_str text, dw_copy_column *out, dw_error *err)
{
    bool is_copied = true;
    if (dw__str_equal(name, DW_STR("min"))) {
        is_copied = dw__arena_dup(r->arena, text, &out->min);
    } else if (dw__str_equal(name, DW_STR("max"))) {
        is_copied = dw__arena_dup(r->arena, text, &out->max);
    } else if (dw__str_equal(name, DW_STR("null_count"))) {
        out->has_null_count = dw__str_to_i64(text, &out->null_count);
    } else if (dw__str_equal(name, DW_STR("has_nan"))) {
        out->has_nan = dw__str_equal(text, DW_STR("true"));
    }
    return is_copied ? DW_OK : dw__error_oom(err);
}

static dw_status
read_column(reader *r, const dw_vector *columns, size_t row, dw_copy_column *out, dw_error *err)
{
    const dw_vector *statistics = &columns->children[1];
    if (!dw__arena_dup(r->arena, text_at(&columns->children[0], row), &out->column)) {
        return dw__error_oom(err);
    }
    dw_span span = span_at(statistics, row);
    for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
        DW_TRY(read_statistic(r, text_at(&statistics->children[0], i),
                              text_at(&statistics->children[1], i), out, err));
    }
    return DW_OK;
}

static dw_status
read_columns(reader *r, const dw_vector *columns, size_t row, dw_copy_file *file, dw_error *err)
{
    dw_span span = span_at(columns, row);
    file->columns = DW_ARENA_ARRAY(r->arena, dw_copy_column, span.len);
    if (file->columns == NULL) {
        return dw__error_oom(err);
    }
    file->column_count = span.len;
    for (size_t i = 0; i < span.len; i++) {
        DW_TRY(read_column(r, columns, span.offset + i, &file->columns[i], err));
    }
    return DW_OK;
}

/* ---- Partition values and paths -------------------------------------------------------------- */

static dw_status
read_partition(reader *r, const dw_vector *values, size_t row, dw_copy_file *file, dw_error *err)
{
    size_t count = r->request->partition_column_count;
    file->partition_values = DW_ARENA_ARRAY(r->arena, dw_str, count);
    if (file->partition_values == NULL) {
        return dw__error_oom(err);
    }
    dw_span span = span_at(values, row);
    for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
        dw_str name = text_at(&values->children[0], i);
        for (size_t k = 0; k < count; k++) {
            if (dw__str_equal_nocase(name, r->request->partition_columns[k]) &&
                !dw__arena_dup(r->arena, text_at(&values->children[1], i),
                               &file->partition_values[k])) {
                return dw__error_oom(err);
            }
        }
    }
    return DW_OK;
}

/* The engine gives the path as it wrote it: below the directory that it was given. */
static dw_status
read_path(reader *r, dw_str path, dw_copy_file *file, dw_error *err)
{
    dw_str directory = r->request->directory;
    while (directory.len > 1 && directory.ptr[directory.len - 1] == '/') {
        directory.len--;
    }
    if (!dw__str_starts_with(path, directory)) {
        return dw__error_set(err, DW_INTERNAL, "ENGINE_INTERNAL",
                             "expected a file below %.*s, found that %.*s was written",
                             DW_STR_ARG(directory), DW_STR_ARG(path));
    }
    dw_str rest = dw__str_slice(path, directory.len, path.len);
    while (rest.len > 0 && rest.ptr[0] == '/') {
        rest = dw__str_slice(rest, 1, rest.len);
    }
    return dw__arena_dup(r->arena, rest, &file->path) ? DW_OK : dw__error_oom(err);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static dw_status
read_file(reader *r, const dw_vector *columns, size_t row, dw_error *err)
{
    dw_copy_file file = {0};
    file.row_count = ((const int64_t *) columns[FILE_ROWS].data)[row];
    file.size_bytes = ((const int64_t *) columns[FILE_BYTES].data)[row];
    DW_TRY(read_path(r, text_at(&columns[FILE_NAME], row), &file, err));
    DW_TRY(read_columns(r, &columns[FILE_STATISTICS], row, &file, err));
    DW_TRY(read_partition(r, &columns[FILE_PARTITION], row, &file, err));
    dw_copy_file *slot = DW_VEC_PUSH(r->arena->allocator, &r->files);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = file;
    return DW_OK;
}

static dw_status
read_chunk(reader *r, const dw_duck *duck, duckdb_data_chunk chunk, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, r->arena->allocator);
    dw_batch batch;
    DW_TRY(dw__vector_view(duck, chunk, file_columns, FILE_COLUMN_COUNT, &scratch, &batch, err));
    for (size_t row = 0; row < batch.row_count; row++) {
        DW_TRY(read_file(r, batch.columns, row, err));
    }
    return DW_OK;
}

static dw_status
read_files(reader *r, const dw_duck *duck, duckdb_result *result, dw_error *err)
{
    for (;;) {
        duckdb_data_chunk chunk = NULL;
        DW_TRY(dw__statement_fetch(duck, result, &chunk, err));
        if (chunk == NULL) {
            return DW_OK;
        }
        dw_status status = read_chunk(r, duck, chunk, err);
        duck->destroy_data_chunk(&chunk);
        DW_TRY(status);
    }
}

static dw_status
take_files(reader *r, dw_copy_file **out, size_t *count_out, dw_error *err)
{
    *out = DW_ARENA_ARRAY(r->arena, dw_copy_file, r->files.count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (r->files.count > 0) {
        memcpy(*out, r->files.items, r->files.count * sizeof(**out));
    }
    *count_out = r->files.count;
    return DW_OK;
}

dw_status
dw__copy_result_read(const dw_duck *duck, duckdb_result *result, const dw_copy_request *request,
                     dw_arena *arena, dw_copy_file **out, size_t *count_out, dw_error *err)
{
    if (duck->column_count(result) != FILE_COLUMN_COUNT) {
        return dw__error_set(err, DW_INTERNAL, "ENGINE_INTERNAL",
                             "expected %zu columns of statistics, found %llu", FILE_COLUMN_COUNT,
                             (unsigned long long) duck->column_count(result));
    }
    reader r = {request, arena, {0}};
    dw_status status = read_files(&r, duck, result, err);
    if (status == DW_OK) {
        status = take_files(&r, out, count_out, err);
    }
    DW_VEC_DEINIT(arena->allocator, &r.files);
    return status;
}
