/*
 * CREATE [OR REPLACE] TABLE target SHALLOW | DEEP CLONE source ...
 */
#include "codec/rows.h"
#include "sql/execution.h"
#include "upkeep/clone.h"

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
    const dw_sql_name *name = &x->statement.as.create.clone.source;
    dw_str root = dw__table_root(source);
    *out = name->is_path ? dw__arena_printf(&x->arena, "delta.`file:%.*s`", DW_STR_ARG(root))
                         : dw__sql_name_print(name, &x->arena);
    return dw__str_is_null(*out) ? dw__error_oom(x->err) : DW_OK;
}

dw_status
dw__execute_clone(dw_execution *x, dw_table *target)
{
    const dw_create_statement *create = &x->statement.as.create;
    dw_clone_result done;
    DW_AUTO(dw_table_ptr) source = NULL;
    DW_TRY(dw__execution_table(x, &create->clone.source, &source));
    dw_clone_spec spec = {.mode = create->mode,
                          .deep = create->clone.deep,
                          .source = source,
                          .properties = create->properties};
    DW_TRY(name_source(x, source, &spec.source_name));
    DW_TRY(dw__execution_snapshot(x, source, &create->clone.travel, &spec.snapshot));
    dw_upkeep upkeep = dw__execution_upkeep(x, &create->clone.options);
    DW_TRY(dw__table_clone(target, &upkeep, &spec, &done, x->err));
    dw__execution_note_commit(x, done.version);
    return set_figures(x, &done);
}
