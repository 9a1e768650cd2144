/*
 * CREATE [OR REPLACE] TABLE target SHALLOW | DEEP CLONE source ...
 */
#include "codec/rows.h"
#include "sql/execution.h"
#include "upkeep/clone.h"
#include "upkeep/convert.h"

static dw_status
set_figures(dw_execution *x, const dw_clone_result *done)
{
    static const dw_rows_column columns[] = {
        {"source_table_size", DW_ROWS_I64, 0, 0},  {"source_num_of_files", DW_ROWS_I64, 0, 0},
        {"num_removed_files", DW_ROWS_I64, 0, 0},  {"num_copied_files", DW_ROWS_I64, 0, 0},
        {"removed_files_size", DW_ROWS_I64, 0, 0}, {"copied_files_size", DW_ROWS_I64, 0, 0},
    };
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    dw__rows_put_i64(rows, done->source_bytes);
    dw__rows_put_i64(rows, done->source_files);
    dw__rows_put_i64(rows, done->files_removed);
    dw__rows_put_i64(rows, done->files_copied);
    dw__rows_put_i64(rows, done->bytes_removed);
    dw__rows_put_i64(rows, done->bytes_copied);
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

/* As the reference names tables by path: "delta.`file:/data/flights`". */
static dw_status
name_source(dw_execution *x, const dw_table *source, dw_str *out)
{
    const dw_clone_statement *clone = &x->statement.as.create.clone;
    dw_str root = dw__table_root(source);
    *out = clone->source.is_path
               ? dw__arena_printf(&x->arena, "%s.`file:%.*s`",
                                  clone->of_parquet ? "parquet" : "delta", DW_STR_ARG(root))
               : dw__sql_name_print(&clone->source, &x->arena);
    return dw__str_is_null(*out) ? dw__error_oom(x->err) : DW_OK;
}

/* ---- Directories of Parquet files ------------------------------------------------------------ */

static dw_status
clone_directory(dw_execution *x, dw_table *target, const dw_upkeep *upkeep, dw_clone_spec *spec,
                dw_clone_result *done)
{
    const dw_clone_statement *clone = &x->statement.as.create.clone;
    DW_AUTO(dw_log_snapshot_ptr) imagined = NULL;
    dw_convert_spec convert = {.partition_fields = clone->partition_fields,
                               .partition_count = clone->partition_count};
    DW_TRY(dw__clone_imagine(target, upkeep, spec, &convert, &imagined, x->err));
    spec->snapshot = imagined;
    return dw__table_clone(target, upkeep, spec, done, x->err);
}

dw_status
dw__execute_clone(dw_execution *x, dw_table *target)
{
    const dw_create_statement *create = &x->statement.as.create;
    const dw_clone_statement *clone = &create->clone;
    dw_clone_result done;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) source = NULL;
    DW_TRY(clone->of_parquet ? dw__execution_target(x, &clone->source, &kind, &source)
                             : dw__execution_table(x, &clone->source, &source));
    dw_clone_spec spec = {.mode = create->mode,
                          .deep = clone->deep,
                          .is_directory = clone->of_parquet,
                          .source = source,
                          .properties = create->properties};
    DW_TRY(name_source(x, source, &spec.source_name));
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, target, &clone->options, &upkeep));
    if (clone->of_parquet) {
        DW_TRY(clone_directory(x, target, &upkeep, &spec, &done));
    } else {
        DW_TRY(dw__execution_snapshot(x, source, &clone->travel, &spec.snapshot));
        DW_TRY(dw__table_clone(target, &upkeep, &spec, &done, x->err));
    }
    dw__execution_note_commit(x, done.version);
    return set_figures(x, &done);
}
