/*
 * CREATE BLOOMFILTER INDEX ON [TABLE] name [FOR COLUMNS] (c [OPTIONS (k = v)], ...) [OPTIONS (k =
 * v)] [DRY RUN] [WITHIN ...]; DROP BLOOMFILTER INDEX ON [TABLE] name [FOR COLUMNS (c, ...)] [DRY
 * RUN]; SHOW BLOOMFILTER INDEXES ON [TABLE] name.
 */
#include "sql/execution.h"
#include "sql/parse.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- Parsing --------------------------------------------------------------------------------- */

static dw_status
invalid_option(const dw_pair *pair, const char *expected, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "BLOOM_FILTER_OPTION_INVALID",
                         "option %.*s: expected %s, found '%.*s'", DW_STR_ARG(pair->key), expected,
                         DW_STR_ARG(pair->value));
}

static dw_status
read_option(const dw_pair *pair, dw_bloom_options *out, dw_error *err)
{
    double number = 0;
    bool is_number = dw__str_to_double(pair->value, &number);
    if (dw__str_equal_nocase(pair->key, DW_STR("fpp"))) {
        out->fpp = number;
        return is_number && number >= DW_BLOOM_FPP_MIN && number <= DW_BLOOM_FPP_MAX
                   ? DW_OK
                   : invalid_option(pair, "a rate between 0.000001 and 0.5", err);
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("numItems"))) {
        return dw__str_to_i64(pair->value, &out->item_count) && out->item_count >= 1 &&
                       out->item_count <= DW_BLOOM_ITEMS_MAX
                   ? DW_OK
                   : invalid_option(pair, "a number of items between 1 and 1000000000", err);
    }
    if (dw__str_equal_nocase(pair->key, DW_STR("maxExpectedFpp"))) {
        out->expected_fpp_max = number;
        return is_number && number > 0 && number <= 1
                   ? DW_OK
                   : invalid_option(pair, "a rate above 0 and up to 1", err);
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "BLOOM_FILTER_OPTION_UNKNOWN",
                         "expected the option fpp, numItems or maxExpectedFpp, found %.*s",
                         DW_STR_ARG(pair->key));
}

/* [OPTIONS (key = value, ...)], on top of what is there. */
static dw_status
parse_options(dw_parser *parser, dw_bloom_options *out)
{
    dw_pairs pairs;
    if (!dw__parser_accept_word(parser, "options")) {
        return DW_OK;
    }
    DW_TRY(dw__parser_pairs(parser, &pairs));
    for (size_t i = 0; i < pairs.count; i++) {
        DW_TRY(read_option(&pairs.items[i], out, parser->err));
    }
    return DW_OK;
}

static dw_status
parse_on(dw_parser *parser, const char *noun, dw_bloom_statement *out)
{
    if (!dw__parser_accept_word(parser, noun)) {
        return dw__parser_fail(parser, "INDEX");
    }
    if (!dw__parser_accept_word(parser, "on")) {
        return dw__parser_fail(parser, "ON");
    }
    (void) dw__parser_accept(parser, DW_KEYWORD_TABLE);
    return dw__parser_table(parser, &out->name);
}

/* FOR COLUMNS */
static dw_status
parse_for_columns(dw_parser *parser, bool *found_out)
{
    *found_out = dw__parser_accept(parser, DW_KEYWORD_FOR);
    return !*found_out || dw__parser_accept_word(parser, "columns")
               ? DW_OK
               : dw__parser_fail(parser, "COLUMNS");
}

static dw_status
parse_column(dw_parser *parser, dw_bloom_statement *out)
{
    size_t at = parser->pos;
    if (out->request_count == DW_BLOOM_COLUMNS_MAX) {
        return dw__parser_fail(parser, "a list of at most 32 columns");
    }
    dw_bloom_request *request = &out->requests[out->request_count];
    DW_TRY(dw__parser_name(parser, "a column", &request->column));
    if (dw__parser_is_symbol(parser, ".")) {
        return dw__parser_refuse(parser, at, DW_INVALID_ARGUMENT,
                                 "UNSUPPORTED_COLUMN_TYPE_IN_BLOOM_FILTER",
                                 "expected a column at the top level, found a field of %.*s",
                                 DW_STR_ARG(request->column));
    }
    for (size_t i = 0; i < out->request_count; i++) {
        if (dw__str_equal_nocase(out->requests[i].column, request->column)) {
            return dw__parser_refuse(parser, at, DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE",
                                     "expected each column once, found %.*s again",
                                     DW_STR_ARG(request->column));
        }
    }
    out->request_count++;
    request->options = dw__bloom_options_default();
    out->options_at[out->request_count - 1] = parser->pos;
    return parse_options(parser, &request->options);
}

/* What is said of all columns holds where nothing else is said of one: so it is read first. */
static dw_status
apply_common_options(dw_parser *parser, dw_bloom_statement *out)
{
    dw_bloom_options common = dw__bloom_options_default();
    DW_TRY(parse_options(parser, &common));
    size_t end = parser->pos;
    for (size_t i = 0; i < out->request_count; i++) {
        out->requests[i].options = common;
        parser->pos = out->options_at[i];
        DW_TRY(parse_options(parser, &out->requests[i].options));
    }
    parser->pos = end;
    return DW_OK;
}

dw_status
dw__parse_create_bloom(dw_parser *parser, dw_bloom_statement *out)
{
    bool says_for;
    *out = (dw_bloom_statement){.kind = DW_BLOOM_CREATE};
    out->requests = DW_ARENA_ARRAY(parser->arena, dw_bloom_request, DW_BLOOM_COLUMNS_MAX);
    out->options_at = DW_ARENA_ARRAY(parser->arena, size_t, DW_BLOOM_COLUMNS_MAX);
    if (out->requests == NULL || out->options_at == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(parse_on(parser, "index", out));
    DW_TRY(parse_for_columns(parser, &says_for));
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        DW_TRY(parse_column(parser, out));
    } while (dw__parser_accept_symbol(parser, ","));
    DW_TRY(dw__parser_expect_symbol(parser, ")"));
    DW_TRY(apply_common_options(parser, out));
    return dw__parse_upkeep_options(parser, &out->options);
}

dw_status
dw__parse_drop_bloom(dw_parser *parser, dw_bloom_statement *out)
{
    bool has_columns;
    *out = (dw_bloom_statement){.kind = DW_BLOOM_DROP};
    DW_TRY(parse_on(parser, "index", out));
    DW_TRY(parse_for_columns(parser, &has_columns));
    if (has_columns) {
        DW_TRY(dw__parser_names(parser, "a column", &out->columns, &out->column_count));
    }
    return dw__parse_dry_run(parser, &out->options);
}

dw_status
dw__parse_show_bloom(dw_parser *parser, dw_bloom_statement *out)
{
    *out = (dw_bloom_statement){.kind = DW_BLOOM_SHOW};
    DW_TRY(parse_on(parser, "indexes", out));
    return dw__parser_expect_end(parser);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void
put_columns(const dw_bloom_statement *statement, dw_strbuf *text)
{
    for (size_t i = 0; i < statement->request_count; i++) {
        dw__strbuf_printf(text, "%s%.*s", i == 0 ? "" : ", ",
                          DW_STR_ARG(statement->requests[i].column));
    }
}

static dw_status
tell_created(dw_execution *x, const dw_bloom_index_result *done)
{
    const dw_bloom_statement *statement = &x->statement.as.bloom;
    bool is_rehearsal = statement->options.dry_run;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    dw__strbuf_append_literal(&text, "bloom-filter index of ");
    put_columns(statement, &text);
    if (done->version >= 0) {
        dw__strbuf_printf(&text, ", defined as version %" PRId64, done->version);
    }
    dw__strbuf_printf(&text, ": %s filters of ", is_rehearsal ? "would make" : "made");
    dw__put_count(&text, done->made_count);
    dw__strbuf_append_literal(&text, " of ");
    dw__put_counted(&text, done->file_count, "file");
    dw__strbuf_append(&text, is_rehearsal ? DW_STR(", reading ") : DW_STR(" ("));
    dw__put_size(&text, done->size_bytes);
    dw__strbuf_append(&text, is_rehearsal ? DW_STR("") : DW_STR(")"));
    if (done->left_count > 0) {
        dw__strbuf_append_literal(&text, "; the time was up with ");
        dw__put_counted(&text, done->left_count, "file");
        dw__strbuf_append_literal(&text, " to go: run it again");
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

static dw_status
create_index(dw_execution *x, dw_table *table)
{
    const dw_bloom_statement *statement = &x->statement.as.bloom;
    dw_bloom_index_result done;
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &statement->options, &upkeep));
    dw_status status = dw__table_create_bloom_index(table, &upkeep, statement->requests,
                                                    statement->request_count, &done, x->err);
    if (status != DW_OK) {
        dw__execution_tell_partial(x, done.version);
        return status;
    }
    dw__execution_note_commit(x, done.version);
    return tell_created(x, &done);
}

static dw_status
drop_index(dw_execution *x, dw_table *table)
{
    const dw_bloom_statement *statement = &x->statement.as.bloom;
    int64_t version;
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &statement->options, &upkeep));
    DW_TRY(dw__table_drop_bloom_index(table, &upkeep, statement->columns, statement->column_count,
                                      &version, x->err));
    dw__execution_note_commit(x, version);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (version >= 0) {
        dw__strbuf_printf(&text,
                          "dropped the bloom-filter index as version %" PRId64
                          "; VACUUM removes its files",
                          version);
    } else {
        dw__strbuf_append(&text, statement->options.dry_run
                                     ? DW_STR("would drop the bloom-filter index")
                                     : DW_STR("there was no bloom-filter index"));
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

static dw_status
show_indexes(dw_execution *x, dw_table *table)
{
    struct ArrowArrayStream rows;
    dw_log_snapshot *snapshot;
    const dw_sql_travel now = {.kind = DW_TRAVEL_NONE};
    DW_TRY(dw__execution_snapshot(x, table, &now, &snapshot));
    DW_TRY(dw__table_show_bloom_indexes(snapshot, x->session->env, &rows, x->err));
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

dw_status
dw__execute_bloom(dw_execution *x)
{
    static dw_status (*const runs[])(dw_execution * x,
                                     dw_table * table) = {[DW_BLOOM_CREATE] = create_index,
                                                          [DW_BLOOM_DROP] = drop_index,
                                                          [DW_BLOOM_SHOW] = show_indexes};
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.bloom.name, &table));
    dw_status status = runs[x->statement.as.bloom.kind](x, table);
    if (status != DW_OK) {
        dw__error_context(x->err, "%s on %.*s", x->statement.verb,
                          DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}
