/*
 * COPY INTO: rows from files, each file once.
 */
#include "sql/parse.h"

#define DW_SQL_FILES_MAX ((size_t) 100000)

/* ---- The source ------------------------------------------------------------------------------ */

/* SELECT list FROM 'path', in parentheses */
static dw_status
parse_select(dw_parser *parser, dw_copy_statement *out)
{
    size_t depth = 0;
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_SELECT));
    out->select_list.first = parser->pos;
    while (depth > 0 || !dw__parser_is(parser, DW_KEYWORD_FROM)) {
        if (dw__parser_at_end(parser)) {
            return dw__parser_fail(parser, "FROM with a path");
        }
        depth += dw__parser_is_symbol(parser, "(") ? 1 : 0;
        depth -= dw__parser_is_symbol(parser, ")") && depth > 0 ? 1 : 0;
        parser->pos++;
    }
    out->select_list.last = parser->pos;
    if (dw__sql_range_is_empty(out->select_list)) {
        return dw__parser_fail(parser, "the columns to load");
    }
    parser->pos++;
    DW_TRY(dw__parser_string(parser, "a path in quotes", &out->source));
    return dw__parser_expect_symbol(parser, ")");
}

static dw_status
parse_source(dw_parser *parser, dw_copy_statement *out)
{
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_FROM));
    if (dw__parser_is_symbol(parser, "(")) {
        return parse_select(parser, out);
    }
    return dw__parser_string(parser, "a path in quotes or (SELECT ... FROM 'path')", &out->source);
}

/* ---- Clauses --------------------------------------------------------------------------------- */

static dw_status
parse_format(dw_parser *parser, dw_copy_statement *out)
{
    static const struct {
        const char *name;
        dw_load_format format;
    } formats[] = {{"parquet", DW_LOAD_PARQUET}, {"csv", DW_LOAD_CSV}, {"json", DW_LOAD_JSON}};
    dw_str name;
    size_t idx = parser->pos;
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        DW_TRY(dw__parser_string(parser, "a format", &name));
    } else {
        DW_TRY(dw__parser_name(parser, "PARQUET, CSV or JSON", &name));
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(formats[i].name))) {
            out->format = formats[i].format;
            return DW_OK;
        }
    }
    return dw__parser_refuse(parser, idx, DW_UNSUPPORTED, "FORMAT_UNSUPPORTED",
                             "expected FILEFORMAT = PARQUET, CSV or JSON, found %.*s",
                             DW_STR_ARG(name));
}

/* ('a', 'b') */
static dw_status
parse_files(dw_parser *parser, dw_copy_statement *out)
{
    size_t count_max = 1;
    for (size_t i = parser->pos; parser->sql->items[i].kind != DW_TOKEN_END; i++) {
        count_max += dw__token_is_symbol(parser->sql, i, ",") ? 1 : 0;
    }
    out->files =
        count_max <= DW_SQL_FILES_MAX ? DW_ARENA_ARRAY(parser->arena, dw_str, count_max) : NULL;
    if (out->files == NULL) {
        return count_max <= DW_SQL_FILES_MAX ? dw__error_oom(parser->err)
                                             : dw__parser_fail(parser, "at most 100000 files");
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        DW_TRY(dw__parser_string(parser, "a file name in quotes", &out->files[out->file_count]));
        out->file_count++;
    } while (dw__parser_accept_symbol(parser, ","));
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}

static bool
is_true(dw_str value)
{
    return dw__str_equal_nocase(value, DW_STR("true"));
}

static dw_status
parse_copy_options(dw_parser *parser, dw_copy_statement *out)
{
    dw_pairs options;
    size_t idx = parser->pos;
    DW_TRY(dw__parser_pairs(parser, &options));
    for (size_t i = 0; i < options.count; i++) {
        dw_str key = options.items[i].key;
        dw_str value = options.items[i].value;
        if (!is_true(value) && !dw__str_equal_nocase(value, DW_STR("false"))) {
            return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                                     "expected true or false for %.*s, found %.*s", DW_STR_ARG(key),
                                     DW_STR_ARG(value));
        }
        if (dw__str_equal_nocase(key, DW_STR("force"))) {
            out->force = is_true(value);
        } else if (dw__str_equal_nocase(key, DW_STR("mergeSchema"))) {
            out->merge_schema = is_true(value);
        } else {
            return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                                     "expected the option force or mergeSchema, found %.*s",
                                     DW_STR_ARG(key));
        }
    }
    return DW_OK;
}

static dw_status
parse_clause(dw_parser *parser, dw_copy_statement *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_FILEFORMAT)) {
        DW_TRY(dw__parser_expect_symbol(parser, "="));
        return parse_format(parser, out);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_FILES)) {
        DW_TRY(dw__parser_expect_symbol(parser, "="));
        return parse_files(parser, out);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_PATTERN)) {
        DW_TRY(dw__parser_expect_symbol(parser, "="));
        return dw__parser_string(parser, "a pattern in quotes", &out->pattern);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_FORMAT_OPTIONS)) {
        return dw__parser_pairs(parser, &out->format_options);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_COPY_OPTIONS)) {
        return parse_copy_options(parser, out);
    }
    return dw__parser_fail(parser, "FILEFORMAT, FILES, PATTERN, FORMAT_OPTIONS, COPY_OPTIONS or "
                                   "the end of the statement");
}

/* ---- COPY INTO ------------------------------------------------------------------------------- */

dw_status
dw__parse_copy_into(dw_parser *parser, dw_copy_statement *out)
{
    DW_TRY(dw__parser_table(parser, &out->name));
    if (dw__parser_accept(parser, DW_KEYWORD_BY)) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_NAME)); /* which it always is */
    }
    DW_TRY(parse_source(parser, out));
    if (!dw__parser_is(parser, DW_KEYWORD_FILEFORMAT)) {
        return dw__parser_fail(parser, "FILEFORMAT = PARQUET, CSV or JSON");
    }
    while (!dw__parser_at_end(parser)) {
        DW_TRY(parse_clause(parser, out));
    }
    if (out->file_count > 0 && !dw__str_is_null(out->pattern)) {
        return dw__parser_fail(parser, "either FILES or PATTERN");
    }
    return DW_OK;
}
