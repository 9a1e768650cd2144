/*
 * The tools of the parsers: a place in a run of tokens, and what may come next there.
 *
 *  [PARSER-1] An error says where, what was expected, what was found, and shows the text there.
 *  [PARSER-2] A parser returns at the first error; what it has read by then is not used.
 */
#ifndef DW_SQL_PARSER_H
#define DW_SQL_PARSER_H

#include "sql/ast.h"

typedef struct dw_parser {
    const dw_sql_text *sql;
    size_t pos;
    size_t angles_taken; /* of a `>>` at `pos`: how many `>` were read already */
    dw_arena *arena;
    dw_error *err;
} dw_parser;

dw_parser dw__parser_make(const dw_sql_text *sql, dw_arena *arena, dw_error *err);

/* What stands at `ahead` tokens from here; the last token again behind the end. */
const dw_token *dw__parser_peek(const dw_parser *parser, size_t ahead);
bool dw__parser_at_end(const dw_parser *parser);
bool dw__parser_is(const dw_parser *parser, dw_keyword keyword);
bool dw__parser_is_at(const dw_parser *parser, size_t ahead, dw_keyword keyword);
bool dw__parser_is_symbol(const dw_parser *parser, const char *symbol);
bool dw__parser_is_symbol_at(const dw_parser *parser, size_t ahead, const char *symbol);
/* True for a word or a quoted name, keywords included. */
bool dw__parser_is_name(const dw_parser *parser);
/* True where a query begins: SELECT, WITH, FROM, VALUES, TABLE, PIVOT ... or a parenthesis. */
bool dw__parser_is_query(const dw_parser *parser);

/* Steps over what is there, if it is there. */
bool dw__parser_accept(dw_parser *parser, dw_keyword keyword);
bool dw__parser_accept_symbol(dw_parser *parser, const char *symbol);
/* A word, in any case, that need not be a keyword. */
bool dw__parser_accept_word(dw_parser *parser, const char *word);
bool dw__parser_is_word_at(const dw_parser *parser, size_t ahead, const char *word);
/* One `>`, also the first of a `>>`. */
bool dw__parser_accept_angle(dw_parser *parser);

/*
 * DW_INVALID_ARGUMENT (PARSE_ERROR): "line 1, column 8: expected <what>, found <token> near ...".
 */
DW_WARN_UNUSED dw_status dw__parser_fail(const dw_parser *parser, const char *what);
/* The same with another code and a text of its own behind the place. */
DW_WARN_UNUSED dw_status dw__parser_refuse(const dw_parser *parser, size_t token_idx,
                                           dw_status status, const char *code, const char *fmt, ...)
    DW_PRINTF(5, 6);

/* Steps over what must be there. */
DW_WARN_UNUSED dw_status dw__parser_expect(dw_parser *parser, dw_keyword keyword);
DW_WARN_UNUSED dw_status dw__parser_expect_symbol(dw_parser *parser, const char *symbol);
DW_WARN_UNUSED dw_status dw__parser_expect_end(const dw_parser *parser);
DW_WARN_UNUSED dw_status dw__parser_expect_query(const dw_parser *parser);

/* `what` says what is read, for the message: "a column name". */
DW_WARN_UNUSED dw_status dw__parser_name(dw_parser *parser, const char *what, dw_str *out);
/* A string; text in double quotes counts as one, too, as it does in Spark. */
DW_WARN_UNUSED dw_status dw__parser_string(dw_parser *parser, const char *what, dw_str *out);
DW_WARN_UNUSED dw_status dw__parser_integer(dw_parser *parser, const char *what, int64_t *out);
/* name | name.name | delta.`path` */
DW_WARN_UNUSED dw_status dw__parser_table(dw_parser *parser, dw_sql_name *out);
/* ( name, name, ... ) */
DW_WARN_UNUSED dw_status dw__parser_names(dw_parser *parser, const char *what, dw_str **out,
                                          size_t *count_out);
/* ( 'key' = 'value', ... ); keys may be names with dots, values also numbers and words. */
DW_WARN_UNUSED dw_status dw__parser_pairs(dw_parser *parser, dw_pairs *out);
/* Everything up to the end of the statement, at least one token. */
dw_sql_range dw__parser_rest(dw_parser *parser);
/* Behind the closing partner of the parenthesis here. */
DW_WARN_UNUSED dw_status dw__parser_skip_parens(dw_parser *parser);

/* The name as it was written, for messages: "sales.orders" or "delta.`path`". In `arena`. */
dw_str dw__sql_name_print(const dw_sql_name *name, dw_arena *arena);
bool dw__sql_name_equal(const dw_sql_name *a, const dw_sql_name *b);

#endif
