/*
 * FSCK REPAIR TABLE name [FORCE] [DRY RUN].
 */
#include "sql/execution.h"
#include "sql/parse.h"
#include "upkeep/repair.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

dw_status
dw__parse_repair(dw_parser *parser, dw_repair_statement *out)
{
    *out = (dw_repair_statement){0};
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TABLE));
    DW_TRY(dw__parser_table(parser, &out->name));
    out->force = dw__parser_accept_word(parser, "force");
    return dw__parse_dry_run(parser, &out->options);
}

/* What the rows do not say. */
static dw_status
tell(dw_execution *x, const dw_repair_result *done)
{
    const dw_env *env = x->session->env;
    if (done->needs_force) {
        dw__env_warn(env, "in a whole place no file is there: is its disk mounted? Without FORCE "
                          "nothing would be removed");
    }
    if (done->removed_count > DW_REPAIR_LISTED_MAX) {
        dw__env_warn(
            env, "%" PRId64 " of %" PRId64 " files are missing, of which %" PRId64 " are listed",
            done->removed_count, done->file_count, DW_REPAIR_LISTED_MAX);
    }
    if (done->removed_count > 0) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    dw__strbuf_append_literal(&text, "nothing to repair: ");
    dw__put_counted(&text, done->file_count, "file");
    dw__strbuf_append(&text, done->file_count == 1 ? DW_STR(" is there") : DW_STR(" are there"));
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_repair(dw_execution *x)
{
    const dw_repair_statement *repair = &x->statement.as.repair;
    struct ArrowArrayStream rows;
    dw_repair_result done;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &repair->name, &table));
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &repair->options, &upkeep));
    dw_status status = dw__table_repair(table, &upkeep, repair->force, &rows, &done, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "repairing %.*s", DW_STR_ARG(dw__table_root(table)));
        return status;
    }
    dw__execution_note_commit(x, done.version);
    dw__execution_set_rows(x, &rows);
    return tell(x, &done);
}
