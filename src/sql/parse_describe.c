/*
 * DESCRIBE and SHOW: those about Delta tables; the rest of them is the engine's.
 */
#include "sql/parse.h"
#include "sql/parse_column.h"

static dw_statement *
set_describe(dw_statement *out, dw_describe_kind kind, const char *verb)
{
    *out = (dw_statement){.kind = DW_STATEMENT_DESCRIBE, .verb = verb};
    out->as.describe.kind = kind;
    return out;
}

static dw_status
set_query(dw_parser *parser, dw_statement *out)
{
    *out = (dw_statement){.kind = DW_STATEMENT_QUERY, .verb = "query"};
    out->as.query.query = (dw_sql_range){0, parser->sql->count - 1};
    return DW_OK;
}

static dw_status
set_engine(dw_statement *out)
{
    *out = (dw_statement){.kind = DW_STATEMENT_ENGINE, .verb = "statement"};
    return DW_OK;
}

/* [LIMIT n] */
static dw_status
parse_limit(dw_parser *parser, dw_describe_statement *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_LIMIT)) {
        size_t idx = parser->pos;
        DW_TRY(dw__parser_integer(parser, "a number of versions", &out->limit));
        if (out->limit < 1) {
            return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                     "expected a limit of at least 1");
        }
    }
    return dw__parser_expect_end(parser);
}

/* HISTORY name [SCHEMA] [LIMIT n] */
static dw_status
parse_history(dw_parser *parser, dw_describe_statement *out)
{
    DW_TRY(dw__parser_table(parser, &out->name));
    out->of_schema = dw__parser_accept_word(parser, "SCHEMA");
    return parse_limit(parser, out);
}

/* [EXTENDED | FORMATTED] name [time travel] */
static dw_status
parse_table(dw_parser *parser, dw_describe_statement *out)
{
    if (!dw__parser_accept(parser, DW_KEYWORD_EXTENDED)) {
        (void) dw__parser_accept(parser, DW_KEYWORD_FORMATTED);
    }
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(dw__parse_travel_suffix(parser, &out->travel));
    if (out->travel.kind == DW_TRAVEL_NONE) {
        DW_TRY(dw__parse_travel(parser, &out->travel));
    }
    return dw__parser_expect_end(parser);
}

/* True when behind the word here comes what it can be about: `DESCRIBE history` alone is about a
 * table of that name. */
static bool
is_verb(const dw_parser *parser, dw_keyword keyword)
{
    uint8_t next = dw__parser_peek(parser, 1)->kind;
    return dw__parser_is(parser, keyword) && next != DW_TOKEN_END && next != DW_TOKEN_SYMBOL;
}

/* CLUSTERING, PRUNING and STATISTICS are no keywords: a table may have that name. */
static bool
is_about(const dw_parser *parser, const char *word)
{
    uint8_t next = dw__parser_peek(parser, 1)->kind;
    return dw__parser_is_word_at(parser, 0, word) && next != DW_TOKEN_END &&
           next != DW_TOKEN_SYMBOL;
}

/* CLUSTERING name [(columns)] */
static dw_status
parse_clustering(dw_parser *parser, dw_describe_statement *out)
{
    DW_TRY(dw__parser_table(parser, &out->name));
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parse_column_paths(parser, &out->columns));
    }
    return dw__parser_expect_end(parser);
}

/* STATISTICS name [time travel] [PARTITIONS | HISTOGRAM | REPORT | HISTORY [LIMIT n]] */
static dw_status
parse_statistics(dw_parser *parser, dw_describe_statement *out)
{
    static const struct {
        const char *word;
        dw_statistics_kind kind;
    } kinds[] = {{"partitions", DW_STATISTICS_PARTITIONS},
                 {"histogram", DW_STATISTICS_HISTOGRAM},
                 {"history", DW_STATISTICS_HISTORY},
                 {"report", DW_STATISTICS_REPORT}};
    DW_TRY(dw__parser_table(parser, &out->name));
    DW_TRY(dw__parse_travel_suffix(parser, &out->travel));
    if (out->travel.kind == DW_TRAVEL_NONE) {
        DW_TRY(dw__parse_travel(parser, &out->travel));
    }
    size_t about = parser->pos;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (dw__parser_is_word_at(parser, 0, kinds[i].word)) {
            out->statistics = kinds[i].kind;
            parser->pos++;
            break;
        }
    }
    if (out->statistics != DW_STATISTICS_HISTORY) {
        return dw__parser_expect_end(parser);
    }
    if (out->travel.kind != DW_TRAVEL_NONE) {
        return dw__parser_refuse(parser, about, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "a history is that of all versions: leave out the version");
    }
    return parse_limit(parser, out);
}

dw_status
dw__parse_describe(dw_parser *parser, dw_statement *out)
{
    if (is_verb(parser, DW_KEYWORD_HISTORY)) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_HISTORY, "DESCRIBE HISTORY");
        return parse_history(parser, &out->as.describe);
    }
    if (is_verb(parser, DW_KEYWORD_DETAIL)) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_DETAIL, "DESCRIBE DETAIL");
        DW_TRY(dw__parser_table(parser, &out->as.describe.name));
        return dw__parser_expect_end(parser);
    }
    if (is_about(parser, "pruning")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_PRUNING, "DESCRIBE PRUNING");
        DW_TRY(dw__parser_table(parser, &out->as.describe.name));
        return dw__parser_expect_end(parser);
    }
    if (is_about(parser, "profile")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_PROFILE, "DESCRIBE PROFILE");
        return parse_table(parser, &out->as.describe);
    }
    if (is_about(parser, "statistics")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_STATISTICS, "DESCRIBE STATISTICS");
        return parse_statistics(parser, &out->as.describe);
    }
    if (is_about(parser, "clustering")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_CLUSTERING, "DESCRIBE CLUSTERING");
        return parse_clustering(parser, &out->as.describe);
    }
    bool is_table = dw__parser_accept(parser, DW_KEYWORD_TABLE);
    if (!is_table && dw__parser_is_query(parser)) {
        return set_query(parser, out);
    }
    if (!is_table && dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        return set_engine(out); /* DESCRIBE 'file.parquet' */
    }
    set_describe(out, DW_DESCRIBE_TABLE, "DESCRIBE");
    return parse_table(parser, &out->as.describe);
}

/* ---- SHOW ------------------------------------------------------------------------------------ */

/* TBLPROPERTIES name [(key)] */
static dw_status
parse_properties(dw_parser *parser, dw_describe_statement *out)
{
    dw_str part;
    DW_TRY(dw__parser_table(parser, &out->name));
    if (dw__parser_accept_symbol(parser, "(")) {
        size_t first = parser->pos;
        if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_WORD) {
            DW_TRY(dw__parser_string(parser, "a key in quotes", &out->key));
        } else {
            do {
                DW_TRY(dw__parser_name(parser, "a key", &part));
            } while (dw__parser_accept_symbol(parser, "."));
            out->key = dw__tokens_text(parser->sql, first, parser->pos);
        }
        DW_TRY(dw__parser_expect_symbol(parser, ")"));
    }
    return dw__parser_expect_end(parser);
}

/* name [FROM VERSION n] [TO VERSION n] */
static dw_status
parse_drift(dw_parser *parser, dw_describe_statement *out)
{
    DW_TRY(dw__parser_table(parser, &out->name));
    out->has_from = dw__parser_accept(parser, DW_KEYWORD_FROM);
    if (out->has_from) {
        (void) dw__parser_accept_word(parser, "VERSION");
        DW_TRY(dw__parser_integer(parser, "a version", &out->from));
    }
    out->has_to = dw__parser_accept_word(parser, "TO");
    if (out->has_to) {
        (void) dw__parser_accept_word(parser, "VERSION");
        DW_TRY(dw__parser_integer(parser, "a version", &out->to));
    }
    return dw__parser_expect_end(parser);
}

dw_status
dw__parse_show(dw_parser *parser, dw_statement *out)
{
    if (is_verb(parser, DW_KEYWORD_TBLPROPERTIES)) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_PROPERTIES, "SHOW TBLPROPERTIES");
        return parse_properties(parser, &out->as.describe);
    }
    if (dw__parser_is(parser, DW_KEYWORD_CREATE) && dw__parser_is_at(parser, 1, DW_KEYWORD_TABLE)) {
        parser->pos += 2;
        set_describe(out, DW_DESCRIBE_CREATE_TABLE, "SHOW CREATE TABLE");
        DW_TRY(dw__parser_table(parser, &out->as.describe.name));
        return dw__parser_expect_end(parser);
    }
    if (is_about(parser, "drift")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_DRIFT, "SHOW DRIFT");
        return parse_drift(parser, &out->as.describe);
    }
    if (is_about(parser, "expectations")) {
        parser->pos++;
        set_describe(out, DW_DESCRIBE_EXPECTATIONS, "SHOW EXPECTATIONS");
        (void) (dw__parser_accept(parser, DW_KEYWORD_ON) ||
                dw__parser_accept(parser, DW_KEYWORD_FROM));
        DW_TRY(dw__parser_table(parser, &out->as.describe.name));
        return dw__parser_expect_end(parser);
    }
    if (dw__parser_is_word_at(parser, 0, "bloomfilter") &&
        dw__parser_is_word_at(parser, 1, "indexes")) {
        parser->pos++;
        *out = (dw_statement){.kind = DW_STATEMENT_BLOOM, .verb = "SHOW BLOOMFILTER INDEXES"};
        return dw__parse_show_bloom(parser, &out->as.bloom);
    }
    if (is_about(parser, "lineage")) {
        parser->pos++;
        *out = (dw_statement){.kind = DW_STATEMENT_SHOW_LINEAGE, .verb = "SHOW LINEAGE"};
        return dw__parse_show_lineage(parser, &out->as.lineage);
    }
    if (dw__parser_is(parser, DW_KEYWORD_TABLES) &&
        dw__parser_peek(parser, 1)->kind == DW_TOKEN_END) {
        *out = (dw_statement){.kind = DW_STATEMENT_SHOW_TABLES, .verb = "SHOW TABLES"};
        return DW_OK;
    }
    return set_engine(out);
}
