/*
 * Writing a Parquet file from rows of ours: checkpoints. The engine pulls the rows through a table
 * function and writes into a file in memory, whose bytes are handed over.
 */
#include "base/assert.h"
#include "engine/functions.h"
#include "engine/memory_file.h"
#include "engine/vector_fill.h"

#include <stdio.h>

#define ROWS_FUNCTION "dw__rows"

/* What one statement pulls from. */
typedef struct row_source {
    dw_entry entry;
    const dw_env *env;
    const dw_column_spec *columns;
    size_t column_count;
    dw_batch_source next;
    void *ctx;
    bool is_done;
    dw_error error; /* what stopped the pulling */
} row_source;

static void
destroy_source(dw_entry *entry)
{
    row_source *source = (row_source *) entry;
    DW_DELETE(source->env->allocator, source);
}

/* ---- The table function ---------------------------------------------------------------------- */

static void
rows_bind(duckdb_bind_info info)
{
    row_source *source = (row_source *) dw__bind_entry(info, DW_ENTRY_ROWS);
    if (source != NULL && !dw__vector_bind_columns(info, source->columns, source->column_count)) {
        source->error.status = dw__error_oom(&source->error);
    }
}

static dw_status
pull(row_source *source, duckdb_data_chunk output, dw_error *err)
{
    const dw_duck *duck = dw__duck_loaded();
    duck->data_chunk_set_size(output, 0);
    if (source->is_done) {
        return DW_OK;
    }
    if (dw__env_is_cancelled(source->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    dw_batch batch = {0};
    DW_TRY(source->next(source->ctx, &batch, err));
    source->is_done = batch.row_count == 0; /* then it need not have columns */
    return source->is_done
               ? DW_OK
               : dw__vector_fill(duck, &batch, source->columns, source->column_count, output, err);
}

static void
rows_function(duckdb_function_info info, duckdb_data_chunk output)
{
    const dw_duck *duck = dw__duck_loaded();
    row_source *source = (row_source *) duck->function_get_bind_data(info);
    if (pull(source, output, &source->error) != DW_OK) {
        duck->function_set_error(info, source->error.message);
    }
}

dw_status
dw__rows_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_table_function_spec spec = {ROWS_FUNCTION, rows_bind, NULL, rows_function};
    return dw__table_function_register(database, handle, &spec, err);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
run_copy(dw_database *database, const row_source *source, const char *path, dw_error *err)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "COPY (FROM " ROWS_FUNCTION "(%lld)) TO '%s' (FORMAT parquet, COMPRESSION zstd, "
             "USE_TMP_FILE false)",
             (long long) source->entry.id, path);
    duckdb_connection handle = NULL;
    DW_TRY(dw__instance_borrow(database, DW_INSTANCE_SERIAL, &handle, err));
    dw_status status = dw__statement_execute(database->duck, handle, sql, err);
    dw__instance_return(database, DW_INSTANCE_SERIAL, handle);
    if (source->error.status != DW_OK) {
        /* The engine only repeats what the source said. */
        dw__error_copy(err, &source->error);
        return source->error.status;
    }
    return status;
}

static dw_status
write_source(dw_database *database, const row_source *source, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_memory_file) file = DW_MEMORY_FILE_NONE;
    DW_TRY(dw__memory_file_open(&file, err));
    DW_TRY(run_copy(database, source, file.path, err));
    return dw__memory_file_read(&file, out, err);
}

dw_status
dw__parquet_write(dw_engine *engine, const dw_column_spec *columns, size_t column_count,
                  dw_batch_source next, void *ctx, dw_strbuf *out, dw_error *err)
{
    dw_assert(column_count > 0);
    dw_database *database = (dw_database *) engine;
    row_source *source = DW_NEW(engine->env->allocator, row_source);
    if (source == NULL) {
        return dw__error_oom(err);
    }
    *source = (row_source){{.kind = DW_ENTRY_ROWS, .destroy = destroy_source},
                           engine->env,
                           columns,
                           column_count,
                           next,
                           ctx,
                           false,
                           DW_ERROR_INIT};
    dw_status status = dw__registry_add(&database->registry, &source->entry, err);
    if (status != DW_OK) {
        destroy_source(&source->entry);
        return status;
    }
    status = write_source(database, source, out, err);
    dw__registry_remove(&database->registry, &source->entry);
    return status;
}
