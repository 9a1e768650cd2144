/*
 * ANALYZE TABLE name COMPUTE [DELTA] STATISTICS [FOR COLUMNS (a, b) | FOR ALL COLUMNS | NOSCAN]
 * [DRY RUN] [WITHIN ...], and the parsing of ANALYZE TABLE name [VERSION AS OF n] PROFILE [FOR ...]
 * [CHECK] [DRY RUN].
 */
#include "codec/rows.h"
#include "sql/execution.h"
#include "sql/parse.h"
#include "sql/parse_column.h"
#include "upkeep/analyze.h"

#define MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- Parsing --------------------------------------------------------------------------------- */

/* [ALL] COLUMNS ..., behind FOR */
static dw_status
parse_columns(dw_parser *parser, dw_analyze_statement *out)
{
    bool is_all = dw__parser_accept_word(parser, "all");
    if (!dw__parser_accept_word(parser, "columns")) {
        return dw__parser_fail(parser, is_all ? "COLUMNS" : "COLUMNS or ALL COLUMNS");
    }
    return is_all ? DW_OK : dw__parse_column_paths(parser, &out->columns);
}

/* Behind PROFILE. */
static dw_status
parse_profile(dw_parser *parser, dw_analyze_statement *out)
{
    out->profiles = true;
    if (dw__parser_accept(parser, DW_KEYWORD_FOR)) {
        DW_TRY(parse_columns(parser, out));
    }
    out->checks = dw__parser_accept(parser, DW_KEYWORD_CHECK);
    return dw__parse_dry_run(parser, &out->options);
}

dw_status
dw__parse_analyze(dw_parser *parser, dw_analyze_statement *out)
{
    *out = (dw_analyze_statement){0};
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(dw__parse_travel_suffix(parser, &out->travel));
    if (out->travel.kind == DW_TRAVEL_NONE) {
        DW_TRY(dw__parse_travel(parser, &out->travel));
    }
    if (dw__parser_accept_word(parser, "profile")) {
        return parse_profile(parser, out);
    }
    if (out->travel.kind != DW_TRAVEL_NONE || !dw__parser_accept_word(parser, "compute")) {
        return dw__parser_fail(parser, out->travel.kind != DW_TRAVEL_NONE ? "PROFILE"
                                                                          : "COMPUTE or PROFILE");
    }
    bool has_delta = dw__parser_accept_word(parser, "delta");
    if (!dw__parser_accept_word(parser, "statistics")) {
        return dw__parser_fail(parser, has_delta ? "STATISTICS" : "STATISTICS or DELTA STATISTICS");
    }
    if (dw__parser_accept_word(parser, "noscan")) {
        out->only_footers = true;
    } else if (dw__parser_accept(parser, DW_KEYWORD_FOR)) {
        DW_TRY(parse_columns(parser, out));
    }
    return dw__parse_upkeep_options(parser, &out->options);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static dw_status
set_row(dw_execution *x, const dw_analyze_result *done)
{
    static const dw_rows_column columns[] = {
        {"num_files", DW_ROWS_I64, 0, 0},         {"num_files_missing", DW_ROWS_I64, 0, 0},
        {"num_files_wrong", DW_ROWS_I64, 0, 0},   {"num_files_imprecise", DW_ROWS_I64, 0, 0},
        {"num_files_read", DW_ROWS_I64, 0, 0},    {"num_files_recomputed", DW_ROWS_I64, 0, 0},
        {"num_files_changed", DW_ROWS_I64, 0, 0}, {"num_files_left", DW_ROWS_I64, 0, 0},
    };
    const int64_t values[] = {done->file_count, done->missing,    done->wrong,
                              done->imprecise,  done->read_count, done->done_count,
                              done->lost_count, done->left_count};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(
        dw__rows_new(x->arena.allocator, columns, sizeof columns / sizeof *columns, &rows, x->err));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        dw__rows_put_i64(rows, values[i]);
    }
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

static void
put_kind(dw_strbuf *out, int64_t count, const char *what, bool *is_first)
{
    if (count > 0) {
        dw__strbuf_append(out, *is_first ? DW_STR(": ") : DW_STR(", "));
        dw__put_count(out, count);
        dw__strbuf_printf(out, " %s", what);
        *is_first = false;
    }
}

static void
put_rest(dw_strbuf *out, const dw_analyze_result *done)
{
    if (done->lost_count > 0) {
        dw__strbuf_append_literal(out, "; other writers changed ");
        dw__put_counted(out, done->lost_count, "file");
    }
    if (done->left_count > 0) {
        dw__strbuf_append_literal(out, "; the time was up before ");
        dw__put_counted(out, done->left_count, "more file");
    }
}

static dw_status
set_message(dw_execution *x, const dw_analyze_result *done)
{
    bool is_dry = x->statement.as.analyze.options.dry_run;
    bool is_first = true;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (done->done_count == 0) {
        dw__strbuf_append_literal(&text, "nothing to do: the statistics of ");
        dw__put_counted(&text, done->file_count, "file");
        dw__strbuf_append_literal(&text, " are right");
    } else {
        dw__put_counted(&text, done->done_count - done->lost_count, "file");
        dw__strbuf_append(&text, is_dry ? DW_STR(" would get") : DW_STR(" got"));
        dw__strbuf_append_literal(&text, " new statistics");
        put_kind(&text, done->missing, "had none", &is_first);
        put_kind(&text, done->wrong, "had wrong ones, by which rows may have been missed",
                 &is_first);
        put_kind(&text, done->imprecise, "had less precise ones", &is_first);
        if (done->version >= 0) {
            dw__put_outcome(x, &text, done->version);
        }
    }
    put_rest(&text, done);
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

/* ---- Running --------------------------------------------------------------------------------- */

dw_status
dw__execute_analyze(dw_execution *x)
{
    const dw_analyze_statement *analyze = &x->statement.as.analyze;
    dw_analyze_result done;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &analyze->name, &table));
    if (analyze->profiles) {
        return dw__execute_profile(x, table);
    }
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &analyze->options, &upkeep));
    dw_analyze_spec spec = {.columns = analyze->columns, .only_footers = analyze->only_footers};
    dw_status status = dw__table_analyze(table, &upkeep, &spec, &done, x->err);
    atomic_store(&x->session->progress_permille, -1);
    if (status != DW_OK) {
        dw__error_context(x->err, "ANALYZE TABLE %.*s", DW_STR_ARG(dw__table_root(table)));
        dw__execution_tell_partial(x, done.version);
        return status;
    }
    dw__execution_note_commit(x, done.version);
    DW_TRY(set_message(x, &done));
    return set_row(x, &done);
}
