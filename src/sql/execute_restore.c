/*
 * RESTORE [TABLE] name TO VERSION AS OF n | TIMESTAMP AS OF time [DRY RUN].
 */
#include "codec/rows.h"
#include "sql/execution.h"
#include "sql/parse.h"
#include "upkeep/restore.h"

#define TIME_BYTES_MAX ((size_t) 64)

dw_status
dw__parse_restore(dw_parser *parser, dw_restore_statement *out)
{
    *out = (dw_restore_statement){0};
    (void) dw__parser_accept(parser, DW_KEYWORD_TABLE);
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TO));
    DW_TRY(dw__parse_travel(parser, &out->travel));
    if (out->travel.kind == DW_TRAVEL_NONE) {
        return dw__parser_fail(parser, "VERSION AS OF or TIMESTAMP AS OF");
    }
    return dw__parse_dry_run(parser, &out->options);
}

/* Spark's history has the time as Java prints it: without zeros at its end, but for one digit. */
static void
cut_zeros(dw_strbuf *text)
{
    while (text->len >= 2 && text->ptr[text->len - 1] == '0' && text->ptr[text->len - 2] != '.') {
        dw__strbuf_truncate(text, text->len - 1);
    }
}

/* The version, and of a time how the history tells it. */
static dw_status
read_travel(dw_execution *x, dw_table *table, dw_restore_spec *out)
{
    int64_t micros;
    const dw_sql_travel *travel = &x->statement.as.restore.travel;
    *out = (dw_restore_spec){.version = travel->version};
    if (travel->kind == DW_TRAVEL_VERSION) {
        return DW_OK;
    }
    DW_TRY(dw__execution_time(x, travel->expression, "TIMESTAMP AS OF", &micros));
    DW_TRY(dw__log_version_at(dw__table_log(table), micros, &out->version, x->err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, TIME_BYTES_MAX);
    dw__timestamp_print(&text, micros, ' ', 3, "");
    cut_zeros(&text);
    DW_TRY(dw__strbuf_ok(&text, "a time", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), &out->timestamp) ? DW_OK
                                                                            : dw__error_oom(x->err);
}

static dw_status
set_figures(dw_execution *x, const dw_restore_result *done)
{
    static const dw_rows_column columns[] = {
        {"table_size_after_restore", DW_ROWS_I64, 0, 0},
        {"num_of_files_after_restore", DW_ROWS_I64, 0, 0},
        {"num_removed_files", DW_ROWS_I64, 0, 0},
        {"num_restored_files", DW_ROWS_I64, 0, 0},
        {"removed_files_size", DW_ROWS_I64, 0, 0},
        {"restored_files_size", DW_ROWS_I64, 0, 0},
    };
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    dw__rows_put_i64(rows, done->bytes_after);
    dw__rows_put_i64(rows, done->files_after);
    dw__rows_put_i64(rows, done->files_removed);
    dw__rows_put_i64(rows, done->files_restored);
    dw__rows_put_i64(rows, done->bytes_removed);
    dw__rows_put_i64(rows, done->bytes_restored);
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

static dw_status
restore(dw_execution *x, dw_table *table)
{
    dw_restore_spec spec;
    dw_restore_result done;
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &x->statement.as.restore.options, &upkeep));
    DW_TRY(read_travel(x, table, &spec));
    DW_TRY(dw__table_restore(table, &upkeep, &spec, &done, x->err));
    dw__execution_note_commit(x, done.version);
    return set_figures(x, &done);
}

dw_status
dw__execute_restore(dw_execution *x)
{
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.restore.name, &table));
    dw_status status = restore(x, table);
    if (status != DW_OK) {
        dw__error_context(x->err, "RESTORE of %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}
