/*
 * See scan_functions.h. They run in all threads of the engine at once, over data that nobody
 * changes.
 */
#include "engine/scan_functions.h"

#include "base/assert.h"
#include "engine/functions.h"
#include "engine/parquet_shape.h"

#define UNKNOWN_SCAN "expected the number of a bound scan, found another"

/* ---- Binding: from the number to the scan ---------------------------------------------------- */

static void
bind_scan(duckdb_bind_info info)
{
    dw__bind_scalar_entry(info, DW_ENTRY_SCAN, UNKNOWN_SCAN);
}

static const dw_scan_files *
bound_files(const dw_duck *duck, duckdb_function_info info)
{
    const dw_scan_entry *scan = duck->scalar_function_get_bind_data(info);
    dw_assert(scan != NULL);
    return &scan->files;
}

/* ---- dw__files ------------------------------------------------------------------------------- */

static dw_status
fill_paths(const dw_duck *duck, const dw_scan_files *files, const dw_allocator *allocator,
           duckdb_vector elements, dw_error *err)
{
    DW_AUTO(dw_strbuf) escaped = dw__strbuf_make(allocator, DW_SQL_BYTES_MAX);
    for (size_t i = 0; i < files->count; i++) {
        dw__strbuf_clear(&escaped);
        dw__path_put_escaped(&escaped, files->paths[i]);
        DW_TRY(dw__strbuf_ok(&escaped, "a path", err));
        duck->vector_assign_string_element_len(elements, i, dw__strbuf_cstr(&escaped), escaped.len);
    }
    return DW_OK;
}

/* Called with the constant scan: one row. */
static void
files_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_scan_entry *scan = duck->scalar_function_get_bind_data(info);
    const dw_scan_files *files = &scan->files;
    if (duck->list_vector_reserve(output, files->count) != DuckDBSuccess ||
        duck->list_vector_set_size(output, files->count) != DuckDBSuccess) {
        duck->scalar_function_set_error(info, "out of memory");
        return;
    }
    dw_error err = DW_ERROR_INIT;
    if (fill_paths(duck, files, scan->env->allocator, duck->list_vector_get_child(output), &err) !=
        DW_OK) {
        duck->scalar_function_set_error(info, err.message);
        return;
    }
    duckdb_list_entry *rows = duck->vector_get_data(output);
    idx_t row_count = duck->data_chunk_get_size(input);
    for (idx_t row = 0; row < row_count; row++) {
        rows[row] = (duckdb_list_entry){0, files->count};
    }
}

/* ---- dw__partition --------------------------------------------------------------------------- */

typedef struct partition_input {
    const uint64_t *file_indices;
    const int64_t *columns;
    idx_t row_count;
} partition_input;

static partition_input
read_partition_input(const dw_duck *duck, duckdb_data_chunk input)
{
    return (partition_input){duck->vector_get_data(duck->data_chunk_get_vector(input, 1)),
                             duck->vector_get_data(duck->data_chunk_get_vector(input, 2)),
                             duck->data_chunk_get_size(input)};
}

static bool
is_same_throughout(const partition_input *in)
{
    uint64_t difference = 0;
    for (idx_t row = 0; row < in->row_count; row++) {
        difference |= in->file_indices[row] ^ in->file_indices[0];
        difference |= (uint64_t) (in->columns[row] ^ in->columns[0]);
    }
    return difference == 0;
}

/* False when there is no such file or column. */
static bool
find_value(const dw_scan_files *files, uint64_t file_index, int64_t column, dw_str *out)
{
    if (file_index >= files->count || column < 0 ||
        (uint64_t) column >= files->partition_column_count) {
        return false;
    }
    *out = files->partition_values[file_index * files->partition_column_count + (uint64_t) column];
    return true;
}

/*
 * A chunk of a Parquet reader comes from one file: its value is made once and costs nothing a row.
 */
static bool
put_constant(const dw_duck *duck, const dw_scan_files *files, const partition_input *in,
             duckdb_vector output)
{
    dw_str text;
    if (!find_value(files, in->file_indices[0], in->columns[0], &text)) {
        return false;
    }
    duckdb_value value = dw__str_is_null(text) ? duck->create_null_value()
                                               : duck->create_varchar_length(text.ptr, text.len);
    duck->vector_reference_value(output, value);
    duck->destroy_value(&value);
    return true;
}

static bool
put_each(const dw_duck *duck, const dw_scan_files *files, const partition_input *in,
         duckdb_vector output)
{
    duck->vector_ensure_validity_writable(output);
    uint64_t *validity = duck->vector_get_validity(output);
    for (idx_t row = 0; row < in->row_count; row++) {
        dw_str text;
        if (!find_value(files, in->file_indices[row], in->columns[row], &text)) {
            return false;
        }
        if (dw__str_is_null(text)) {
            validity[row / 64] &= ~(UINT64_C(1) << (row % 64));
        } else {
            duck->vector_assign_string_element_len(output, row, text.ptr, text.len);
        }
    }
    return true;
}

static void
partition_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_scan_files *files = bound_files(duck, info);
    partition_input in = read_partition_input(duck, input);
    if (in.row_count == 0) {
        return;
    }
    bool is_done = is_same_throughout(&in) ? put_constant(duck, files, &in, output)
                                           : put_each(duck, files, &in, output);
    if (!is_done) {
        duck->scalar_function_set_error(info, "expected a file and partition column of the scan, "
                                              "found another");
    }
}

/* ---- dw__keep -------------------------------------------------------------------------------- */

/* The rows from `start` on that are in the same file. A chunk of a Parquet reader comes from one:
 * that is found out without a branch for each row. */
static idx_t
run_len(const uint64_t *file_indices, idx_t start, idx_t row_count)
{
    uint64_t difference = 0;
    for (idx_t row = start; row < row_count; row++) {
        difference |= file_indices[row] ^ file_indices[start];
    }
    if (difference == 0) {
        return row_count - start;
    }
    idx_t end = start + 1;
    while (end < row_count && file_indices[end] == file_indices[start]) {
        end++;
    }
    return end - start;
}

/* Masks a run of rows of one file; `keep` is all true. */
static void
mask_run(const dw_scan_files *files, uint64_t file_index, const int64_t *rows, idx_t len,
         bool *keep)
{
    const dw_rowset *kept = files->kept == NULL ? NULL : files->kept[file_index];
    const dw_rowset *deleted = files->deleted == NULL ? NULL : files->deleted[file_index];
    if (kept != NULL) {
        (void) dw__rowset_mask(kept, rows, len, keep);
        for (idx_t i = 0; i < len; i++) {
            keep[i] = !keep[i];
        }
    }
    if (deleted != NULL) {
        (void) dw__rowset_mask(deleted, rows, len, keep);
    }
}

static void
keep_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_scan_files *files = bound_files(duck, info);
    const uint64_t *file_indices = duck->vector_get_data(duck->data_chunk_get_vector(input, 1));
    const int64_t *rows = duck->vector_get_data(duck->data_chunk_get_vector(input, 2));
    idx_t row_count = duck->data_chunk_get_size(input);
    bool *keep = duck->vector_get_data(output);
    memset(keep, true, row_count);
    for (idx_t start = 0, len = 0; start < row_count; start += len) {
        len = run_len(file_indices, start, row_count);
        uint64_t file_index = file_indices[start];
        if (file_index >= files->count) {
            duck->scalar_function_set_error(info, "expected a file of the scan, found another");
            return;
        }
        mask_run(files, file_index, &rows[start], len, &keep[start]);
    }
}

/* ---- dw__old_date, dw__old_instant ----------------------------------------------------------- */

/* What a file has in the old calendar; NULL for a file that is not of the scan. */
static const dw_old_values *
old_values_of(const dw_scan_files *files, uint64_t file_index)
{
    static const dw_old_values none = {0};
    if (file_index >= files->count) {
        return NULL;
    }
    return files->old == NULL ? &none : &files->old[file_index];
}

/* Infinities are no days. */
static int32_t
today_date(const dw_old_values *old, int32_t days)
{
    int64_t today = old->has_dates && days > -INT32_MAX ? dw__old_date(days) : days;
    return today > -INT32_MAX ? (int32_t) today : days;
}

static int64_t
today_instant(const dw_old_values *old, int64_t micros)
{
    return old->zone == NULL ? micros : dw__old_instant(old->zone, micros);
}

static void
bring_to_today(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output,
               bool are_dates)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_scan_files *files = bound_files(duck, info);
    duckdb_vector values = duck->data_chunk_get_vector(input, 2);
    const uint64_t *file_indices = duck->vector_get_data(duck->data_chunk_get_vector(input, 1));
    const uint64_t *validity = duck->vector_get_validity(values);
    const void *in = duck->vector_get_data(values);
    void *out = duck->vector_get_data(output);
    idx_t row_count = duck->data_chunk_get_size(input);
    for (idx_t row = 0; row < row_count; row++) {
        const dw_old_values *old = old_values_of(files, file_indices[row]);
        if (validity != NULL && (validity[row / 64] >> (row % 64) & 1) == 0) {
            duck->vector_ensure_validity_writable(output);
            duck->vector_get_validity(output)[row / 64] &= ~(UINT64_C(1) << (row % 64));
        } else if (old == NULL) {
            duck->scalar_function_set_error(info, "expected a file of the scan, found another");
            return;
        } else if (are_dates) {
            ((int32_t *) out)[row] = today_date(old, ((const int32_t *) in)[row]);
        } else {
            ((int64_t *) out)[row] = today_instant(old, ((const int64_t *) in)[row]);
        }
    }
}

static void
old_date_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    bring_to_today(info, input, output, true);
}

static void
old_instant_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    bring_to_today(info, input, output, false);
}

/* ---- Registering ----------------------------------------------------------------------------- */

dw_status
dw__scan_functions_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_scalar_function_spec specs[] = {
        {.name = "dw__files",
         .parameters = {DUCKDB_TYPE_BIGINT},
         .returns = DUCKDB_TYPE_VARCHAR,
         .returns_list = true,
         .bind = bind_scan,
         .run = files_function},
        {.name = "dw__partition",
         .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_BIGINT},
         .returns = DUCKDB_TYPE_VARCHAR,
         .bind = bind_scan,
         .run = partition_function},
        {.name = "dw__keep",
         .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_BIGINT},
         .returns = DUCKDB_TYPE_BOOLEAN,
         .bind = bind_scan,
         .run = keep_function},
        {.name = "dw__old_date",
         .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_DATE},
         .returns = DUCKDB_TYPE_DATE,
         .bind = bind_scan,
         .run = old_date_function},
        {.name = "dw__old_instant",
         .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_TIMESTAMP_TZ},
         .returns = DUCKDB_TYPE_TIMESTAMP_TZ,
         .bind = bind_scan,
         .run = old_instant_function},
    };
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        DW_TRY(dw__scalar_function_register(database, handle, &specs[i], err));
    }
    return DW_OK;
}
