/*
 * FSCK TABLE name [WITH DATA].
 */
#include "fsck/fsck.h"
#include "sql/execution.h"
#include "sql/parse.h"

dw_status
dw__parse_fsck(dw_parser *parser, dw_fsck_statement *out)
{
    *out = (dw_fsck_statement){0};
    DW_TRY(dw__parser_table(parser, &out->name));
    if (dw__parser_accept(parser, DW_KEYWORD_WITH)) {
        dw_str what;
        size_t idx = parser->pos;
        DW_TRY(dw__parser_name(parser, "DATA", &what));
        if (!dw__str_equal_nocase(what, DW_STR("data"))) {
            parser->pos = idx;
            return dw__parser_fail(parser, "DATA");
        }
        out->with_data = true;
    }
    return dw__parser_expect_end(parser);
}

dw_status
dw__session_fsck_table(dw_session *session, dw_table *table, bool with_data,
                       struct ArrowArrayStream *out, dw_fsck_counts *counts_out, dw_error *err)
{
    dw_fsck_spec spec = {.with_data = with_data,
                         .is_cancelled = dw__session_is_cancelled,
                         .progress = dw__session_set_progress,
                         .ctx = session};
    dw_status status = dw__table_fsck(table, session->connection, &spec, out, counts_out, err);
    atomic_store(&session->progress_permille, -1);
    if (status != DW_OK) {
        dw__error_context(err, "checking %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}

dw_status
dw__execute_fsck(dw_execution *x)
{
    const dw_fsck_statement *fsck = &x->statement.as.fsck;
    struct ArrowArrayStream rows;
    dw_fsck_counts counts;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &fsck->name, &table));
    DW_TRY(dw__session_fsck_table(x->session, table, fsck->with_data, &rows, &counts, x->err));
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}
