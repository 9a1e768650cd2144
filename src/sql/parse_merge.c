/*
 * MERGE INTO. The head tells whose statement it is; the engine's own tables take the engine's
 * MERGE, so the rest is read only when the target turns out to be a Delta table.
 */
#include "sql/assignment.h"

#define CLAUSES_MAX ((size_t) 1000)

static bool
is_word(const dw_parser *parser, size_t ahead, const char *word)
{
    const dw_token *token = dw__parser_peek(parser, ahead);
    size_t idx = (size_t) (token - parser->sql->items);
    return token->kind == DW_TOKEN_WORD &&
           dw__str_equal_nocase(dw__token_text(parser->sql, idx), dw__str_from(word));
}

static dw_status
expect_word(dw_parser *parser, const char *word)
{
    if (!is_word(parser, 0, word)) {
        return dw__parser_fail(parser, word);
    }
    parser->pos++;
    return DW_OK;
}

dw_status
dw__parse_with_evolution(dw_parser *parser, bool *found_out)
{
    *found_out = dw__parser_accept(parser, DW_KEYWORD_WITH);
    if (*found_out) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_SCHEMA));
        return expect_word(parser, "EVOLUTION");
    }
    return DW_OK;
}

dw_status
dw__parse_merge_head(dw_parser *parser, dw_statement *out)
{
    *out = (dw_statement){.kind = DW_STATEMENT_MODIFY, .verb = "MERGE INTO"};
    dw_modify_statement *modify = &out->as.modify;
    modify->verb = "MERGE INTO";
    modify->advice = "";
    modify->has_using = true;
    DW_TRY(dw__parse_with_evolution(parser, &modify->evolves));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_INTO));
    modify->has_name = true;
    modify->name_first = parser->pos;
    DW_TRY(dw__parser_table(parser, &modify->name));
    modify->name_end = parser->pos;
    return DW_OK;
}

/* ---- Target and source ----------------------------------------------------------------------- */

/* [AS] alias, up to the keyword that comes next. */
static dw_status
parse_alias(dw_parser *parser, dw_keyword next, dw_str *out)
{
    bool has_as = dw__parser_accept(parser, DW_KEYWORD_AS);
    bool has_alias = dw__parser_is_name(parser) && !dw__parser_is(parser, next);
    return has_as || has_alias ? dw__parser_name(parser, "an alias", out) : DW_OK;
}

/* The name of a file without its directory and extension is what the engine calls it. */
static dw_str
file_stem(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    dw_str base = slash == SIZE_MAX ? path : dw__str_slice(path, slash + 1, path.len);
    size_t dot = dw__str_find(base, '.');
    return dot == SIZE_MAX ? base : dw__str_slice(base, 0, dot);
}

static dw_str
alias_of_path(dw_str path)
{
    while (path.len > 1 && dw__str_ends_with(path, DW_STR("/"))) {
        path.len--;
    }
    size_t slash = dw__str_find_last(path, '/');
    return slash == SIZE_MAX ? path : dw__str_slice(path, slash + 1, path.len);
}

static dw_str
alias_of_name(const dw_sql_name *name)
{
    return name->is_path ? alias_of_path(name->parts[0]) : name->parts[name->part_count - 1];
}

/* table [time travel] | function(...) */
static dw_status
parse_named_source(dw_parser *parser, dw_merge_statement *out)
{
    dw_sql_name name;
    dw_sql_travel travel = {.kind = DW_TRAVEL_NONE};
    DW_TRY(dw__parser_table(parser, &name));
    out->source_alias = alias_of_name(&name);
    if (dw__parser_is_symbol(parser, "(")) {
        return dw__parser_skip_parens(parser);
    }
    out->source_name = name;
    DW_TRY(dw__parse_travel_suffix(parser, &travel));
    return travel.kind == DW_TRAVEL_NONE ? dw__parse_travel(parser, &travel) : DW_OK;
}

/* What is read must stand behind USING as it would behind FROM. */
static dw_status
parse_source(dw_parser *parser, dw_merge_statement *out)
{
    dw_sql_travel travel = {.kind = DW_TRAVEL_NONE};
    out->source.first = parser->pos;
    out->source_alias = DW_STR_NULL;
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
    } else if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        dw_str path;
        DW_TRY(dw__parser_string(parser, "a file", &path));
        out->source_alias = file_stem(path);
    } else {
        DW_TRY(parse_named_source(parser, out));
    }
    DW_TRY(parse_alias(parser, DW_KEYWORD_ON, &out->source_alias));
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser)); /* the names of its columns */
    }
    DW_TRY(dw__parse_travel(parser, &travel));
    out->source.last = parser->pos;
    return DW_OK;
}

/* ---- Clauses --------------------------------------------------------------------------------- */

/* MATCHED | NOT MATCHED [BY TARGET | BY SOURCE] */
static dw_status
parse_kind(dw_parser *parser, dw_merge_kind *out)
{
    bool is_not = dw__parser_accept(parser, DW_KEYWORD_NOT);
    *out = is_not ? DW_MERGE_NOT_MATCHED : DW_MERGE_MATCHED;
    DW_TRY(expect_word(parser, "MATCHED"));
    if (!is_not || !dw__parser_accept(parser, DW_KEYWORD_BY)) {
        return DW_OK;
    }
    if (is_word(parser, 0, "SOURCE")) {
        *out = DW_MERGE_NOT_MATCHED_BY_SOURCE;
        parser->pos++;
        return DW_OK;
    }
    return expect_word(parser, "TARGET");
}

#define INSERT_COLUMNS_MAX ((size_t) 100000)

/* The table's alias may stand before a column. */
static dw_status
parse_insert_columns(dw_parser *parser, dw_merge_clause *out)
{
    size_t capacity = 1;
    for (size_t i = parser->pos; i + 1 < parser->sql->count; i++) {
        if (dw__token_is_symbol(parser->sql, i, ")")) {
            break;
        }
        capacity += dw__token_is_symbol(parser->sql, i, ",") ? 1 : 0;
    }
    out->set_count = 0;
    if (capacity > INSERT_COLUMNS_MAX) {
        return dw__parser_fail(parser, "a shorter list of columns");
    }
    out->set = DW_ARENA_ARRAY(parser->arena, dw_assignment, capacity);
    if (out->set == NULL) {
        return dw__error_oom(parser->err);
    }
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    do {
        DW_TRY(dw__parse_path(parser, &out->set[out->set_count++]));
    } while (dw__parser_accept_symbol(parser, ","));
    return dw__parser_accept_symbol(parser, ")") ? DW_OK
                                                 : dw__parser_fail(parser, "\",\" or \")\"");
}

/* (column, ...) VALUES (value, ...) */
static dw_status
parse_insert(dw_parser *parser, dw_merge_clause *out)
{
    DW_TRY(parse_insert_columns(parser, out));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_VALUES));
    DW_TRY(dw__parser_expect_symbol(parser, "("));
    for (size_t i = 0; i < out->set_count; i++) {
        dw_assignment *item = &out->set[i];
        if (i > 0 && !dw__parser_accept_symbol(parser, ",")) {
            return dw__parser_fail(parser, "a value for each column");
        }
        DW_TRY(dw__parse_expression(parser, DW_KEYWORD_WHEN, "a value", &item->value));
    }
    return dw__parser_expect_symbol(parser, ")");
}

static dw_status
parse_update(dw_parser *parser, dw_merge_clause *out)
{
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_SET));
    out->is_star = dw__parser_accept_symbol(parser, "*");
    return out->is_star
               ? DW_OK
               : dw__parse_assignments(parser, DW_KEYWORD_WHEN, &out->set, &out->set_count);
}

static dw_status
parse_action(dw_parser *parser, dw_merge_clause *out)
{
    if (out->kind == DW_MERGE_NOT_MATCHED) {
        out->action = DW_MERGE_INSERT;
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_INSERT));
        out->is_star = dw__parser_accept_symbol(parser, "*");
        return out->is_star ? DW_OK : parse_insert(parser, out);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_DELETE)) {
        out->action = DW_MERGE_DELETE;
        return DW_OK;
    }
    out->action = DW_MERGE_UPDATE;
    return dw__parser_accept(parser, DW_KEYWORD_UPDATE)
               ? parse_update(parser, out)
               : dw__parser_fail(parser, "UPDATE or DELETE");
}

/* A clause without a condition takes all that is left: nothing of its kind may follow. */
static dw_status
check_reachable(const dw_parser *parser, const dw_merge_statement *merge)
{
    const dw_merge_clause *last = &merge->clauses[merge->clause_count - 1];
    for (size_t i = 0; i + 1 < merge->clause_count; i++) {
        const dw_merge_clause *clause = &merge->clauses[i];
        if (clause->kind == last->kind && dw__sql_range_is_empty(clause->condition)) {
            return dw__parser_refuse(parser, clause->token, DW_INVALID_ARGUMENT, "MERGE_INVALID",
                                     "only the last clause of its kind may be without a condition, "
                                     "found another one behind this");
        }
    }
    return DW_OK;
}

static dw_status
parse_clause(dw_parser *parser, dw_merge_clause *out)
{
    *out = (dw_merge_clause){.token = parser->pos++};
    DW_TRY(parse_kind(parser, &out->kind));
    if (dw__parser_accept(parser, DW_KEYWORD_AND)) {
        DW_TRY(dw__parse_expression(parser, DW_KEYWORD_WHEN, "a condition", &out->condition));
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_THEN));
    return parse_action(parser, out);
}

static dw_status
parse_clauses(dw_parser *parser, dw_merge_statement *out)
{
    size_t capacity = 0;
    for (size_t i = parser->pos; i < parser->sql->count && capacity < CLAUSES_MAX; i++) {
        capacity += parser->sql->items[i].keyword == DW_KEYWORD_WHEN ? 1 : 0;
    }
    out->clauses = DW_ARENA_ARRAY(parser->arena, dw_merge_clause, capacity + 1);
    if (out->clauses == NULL) {
        return dw__error_oom(parser->err);
    }
    while (dw__parser_is(parser, DW_KEYWORD_WHEN) && out->clause_count < capacity) {
        DW_TRY(parse_clause(parser, &out->clauses[out->clause_count++]));
        DW_TRY(check_reachable(parser, out));
    }
    if (out->clause_count == 0 || !dw__parser_at_end(parser)) {
        return dw__parser_fail(parser, "WHEN [NOT] MATCHED");
    }
    return DW_OK;
}

dw_status
dw__parse_merge(dw_parser *parser, const dw_modify_statement *head, dw_merge_statement *out)
{
    *out = (dw_merge_statement){.table_alias = DW_STR_NULL};
    parser->pos = head->name_end;
    DW_TRY(parse_alias(parser, DW_KEYWORD_USING, &out->table_alias));
    out->table = (dw_sql_range){head->name_first, parser->pos};
    out->table_alias =
        dw__str_is_null(out->table_alias) ? alias_of_name(&head->name) : out->table_alias;
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_USING));
    DW_TRY(parse_source(parser, out));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_ON));
    DW_TRY(dw__parse_expression(parser, DW_KEYWORD_WHEN, "a condition", &out->condition));
    return parse_clauses(parser, out);
}
