/*
 * CREATE [OR REPLACE] TABLE, REPLACE TABLE and CREATE VIEW.
 */
#include "base/assert.h"
#include "sql/parse_column.h"

/* What is gathered while the clauses are read, in any order. */
typedef struct create_parser {
    dw_parser *parser;
    dw_create_statement *out;
    dw_column_list list;
    dw_str_vec partition_columns;
    bool has_partitioning, has_properties, has_using;
} create_parser;

/* ---- Clauses --------------------------------------------------------------------------------- */

static dw_status
once(create_parser *create, bool *seen, const char *clause)
{
    dw_parser *parser = create->parser;
    if (*seen) {
        return dw__parser_refuse(parser, parser->pos - 1, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "%s stands there twice", clause);
    }
    *seen = true;
    return DW_OK;
}

static dw_status
parse_using(create_parser *create)
{
    dw_parser *parser = create->parser;
    dw_str format;
    size_t idx = parser->pos;
    DW_TRY(once(create, &create->has_using, "USING"));
    DW_TRY(dw__parser_name(parser, "DELTA", &format));
    if (!dw__str_equal_nocase(format, DW_STR("delta"))) {
        return dw__parser_refuse(parser, idx, DW_UNSUPPORTED, "FORMAT_UNSUPPORTED",
                                 "expected USING DELTA, found %.*s: tables of other formats are "
                                 "read with read_parquet(), read_csv() and read_json()",
                                 DW_STR_ARG(format));
    }
    return DW_OK;
}

static dw_status
parse_text_clause(create_parser *create, const char *clause, dw_str *out)
{
    bool seen = !dw__str_is_null(*out);
    DW_TRY(once(create, &seen, clause));
    return dw__parser_string(create->parser, "text in quotes", out);
}

static dw_status
unsupported_clause(const dw_parser *parser, const char *what, const char *advice)
{
    return dw__parser_refuse(parser, parser->pos, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                             "%s is not supported%s", what, advice);
}

/* CREATE TABLE ... LIKE is Delta's, but not ours yet. */
static dw_status
check_clause_supported(const dw_parser *parser)
{
    if (dw__parser_is(parser, DW_KEYWORD_LIKE)) {
        return unsupported_clause(parser, "CREATE TABLE ... LIKE",
                                  ": take the columns with AS SELECT * FROM ... LIMIT 0");
    }
    return DW_OK;
}

/* One clause; `*found` is false when there is none. */
static dw_status
parse_clause(create_parser *create, bool *found)
{
    dw_parser *parser = create->parser;
    dw_create_statement *out = create->out;
    *found = true;
    if (dw__parser_accept(parser, DW_KEYWORD_USING)) {
        return parse_using(create);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_PARTITIONED)) {
        DW_TRY(once(create, &create->has_partitioning, "PARTITIONED BY"));
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        return dw__parse_partition_columns(parser, &create->list, &create->partition_columns);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_CLUSTER)) {
        bool seen = out->cluster_by.count > 0 || out->clusters_auto;
        DW_TRY(once(create, &seen, "CLUSTER BY"));
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        out->clusters_auto = dw__parser_accept_word(parser, "AUTO");
        return out->clusters_auto ? DW_OK : dw__parse_column_paths(parser, &out->cluster_by);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_LOCATION)) {
        return parse_text_clause(create, "LOCATION", &out->location);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_COMMENT)) {
        return parse_text_clause(create, "COMMENT", &out->comment);
    }
    if (dw__parser_accept(parser, DW_KEYWORD_TBLPROPERTIES)) {
        DW_TRY(once(create, &create->has_properties, "TBLPROPERTIES"));
        return dw__parser_pairs(parser, &out->properties);
    }
    *found = false;
    return check_clause_supported(parser);
}

/* [AS] query */
static dw_status
parse_as(create_parser *create)
{
    dw_parser *parser = create->parser;
    size_t idx = parser->pos;
    if (dw__parser_at_end(parser)) {
        return DW_OK;
    }
    if (!dw__parser_accept(parser, DW_KEYWORD_AS) && !dw__parser_is_query(parser)) {
        return dw__parser_fail(parser, "USING, PARTITIONED BY, CLUSTER BY, LOCATION, COMMENT, "
                                       "TBLPROPERTIES, AS or the end of the statement");
    }
    DW_TRY(dw__parser_expect_query(parser));
    if (create->list.columns.count > 0) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "the columns come from the query: leave out their list, and cast "
                                 "in the query where another type is wanted");
    }
    create->out->query = dw__parser_rest(parser);
    return DW_OK;
}

/* ---- CREATE TABLE ---------------------------------------------------------------------------- */

/* Constraints are properties of the table; those of TBLPROPERTIES stand before them. */
static dw_status
add_constraints(const create_parser *create)
{
    const dw_pair_vec *constraints = &create->list.constraints;
    dw_pairs *properties = &create->out->properties;
    dw_pair *all =
        DW_ARENA_ARRAY(create->parser->arena, dw_pair, properties->count + constraints->count + 1);
    if (all == NULL) {
        return dw__error_oom(create->parser->err);
    }
    size_t count = 0;
    for (size_t i = 0; i < properties->count; i++) {
        all[count++] = properties->items[i];
    }
    for (size_t i = 0; i < constraints->count; i++) {
        if (dw__pairs_get(properties, constraints->items[i].key) != NULL) {
            return dw__parser_refuse(create->parser, create->parser->pos, DW_ALREADY_EXISTS,
                                     "CONSTRAINT_EXISTS", "%.*s is a property, too: say it once",
                                     DW_STR_ARG(constraints->items[i].key));
        }
        all[count++] = constraints->items[i];
    }
    *properties = (dw_pairs){.items = all, .count = count};
    return DW_OK;
}

static dw_status
finish_create(create_parser *create)
{
    dw_create_statement *out = create->out;
    dw_parser *parser = create->parser;
    out->partition_columns =
        DW_ARENA_ARRAY(parser->arena, dw_str, create->partition_columns.count + 1);
    if (out->partition_columns == NULL) {
        return dw__error_oom(parser->err);
    }
    out->partition_column_count = create->partition_columns.count;
    for (size_t i = 0; i < out->partition_column_count; i++) {
        out->partition_columns[i] = create->partition_columns.items[i];
    }
    DW_TRY(add_constraints(create));
    if (create->list.columns.count > 0) {
        out->schema = dw__type_make_struct(parser->arena, create->list.columns.items,
                                           create->list.columns.count);
        return out->schema == NULL ? dw__error_oom(parser->err) : DW_OK;
    }
    if (dw__sql_range_is_empty(out->query)) {
        return dw__parser_fail(parser, "columns or AS with a query");
    }
    return DW_OK;
}

/* parquet.`path` [PARTITIONED BY (...)], or a table in some version */
static dw_status
parse_clone_source(dw_parser *parser, dw_clone_statement *clone)
{
    clone->of_parquet =
        dw__parser_is_word_at(parser, 0, "parquet") && dw__parser_is_symbol_at(parser, 1, ".");
    if (!clone->of_parquet) {
        DW_TRY(dw__parser_table(parser, &clone->source));
        DW_TRY(dw__parse_travel_suffix(parser, &clone->travel));
        return clone->travel.kind == DW_TRAVEL_NONE ? dw__parse_travel(parser, &clone->travel)
                                                    : DW_OK;
    }
    return dw__parse_parquet_source(parser, &clone->source, &clone->partition_fields,
                                    &clone->partition_count);
}

/* [SHALLOW | DEEP] CLONE source ...; without a word it is a deep one, as elsewhere. */
static dw_status
parse_clone(create_parser *create)
{
    dw_parser *parser = create->parser;
    dw_clone_statement *clone = &create->out->clone;
    bool found = true;
    bool is_shallow = dw__parser_accept(parser, DW_KEYWORD_SHALLOW);
    clone->is_set = true;
    clone->deep = !is_shallow;
    if (!is_shallow) {
        (void) dw__parser_accept(parser, DW_KEYWORD_DEEP);
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_CLONE));
    DW_TRY(parse_clone_source(parser, clone));
    while (found) {
        if (dw__parser_accept(parser, DW_KEYWORD_LOCATION)) {
            DW_TRY(parse_text_clause(create, "LOCATION", &create->out->location));
        } else if (dw__parser_accept(parser, DW_KEYWORD_TBLPROPERTIES)) {
            DW_TRY(once(create, &create->has_properties, "TBLPROPERTIES"));
            DW_TRY(dw__parser_pairs(parser, &create->out->properties));
        } else {
            found = false;
        }
    }
    return dw__parse_dry_run(parser, &clone->options);
}

static bool
is_clone(const dw_parser *parser)
{
    return dw__parser_is(parser, DW_KEYWORD_SHALLOW) || dw__parser_is(parser, DW_KEYWORD_DEEP) ||
           dw__parser_is(parser, DW_KEYWORD_CLONE);
}

static dw_status
parse_create(create_parser *create)
{
    dw_parser *parser = create->parser;
    bool found = true;
    DW_TRY(dw__parser_table(parser, &create->out->name));
    if (is_clone(parser)) {
        return parse_clone(create);
    }
    DW_TRY(check_clause_supported(parser));
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parse_columns(parser, &create->list));
    }
    while (found) {
        DW_TRY(parse_clause(create, &found));
    }
    DW_TRY(parse_as(create));
    return finish_create(create);
}

static dw_status
parse_if_not_exists(dw_parser *parser, bool *out)
{
    *out = dw__parser_accept(parser, DW_KEYWORD_IF);
    if (*out) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_NOT));
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_EXISTS));
    }
    return DW_OK;
}

dw_status
dw__parse_create_table(dw_parser *parser, dw_create_mode mode, dw_create_statement *out)
{
    bool if_not_exists;
    size_t idx = parser->pos;
    *out = (dw_create_statement){.mode = mode};
    DW_TRY(parse_if_not_exists(parser, &if_not_exists));
    if (if_not_exists && mode != DW_CREATE_NEW) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "expected either OR REPLACE or IF NOT EXISTS, found both");
    }
    out->mode = if_not_exists ? DW_CREATE_IF_MISSING : mode;
    create_parser create = {.parser = parser, .out = out};
    dw_status status = parse_create(&create);
    DW_VEC_DEINIT(parser->arena->allocator, &create.list.columns);
    DW_VEC_DEINIT(parser->arena->allocator, &create.list.constraints);
    DW_VEC_DEINIT(parser->arena->allocator, &create.partition_columns);
    return status;
}

/* ---- CREATE VIEW ----------------------------------------------------------------------------- */

dw_status
dw__parse_create_view(dw_parser *parser, dw_view_statement *out)
{
    dw_str comment;
    DW_TRY(parse_if_not_exists(parser, &out->if_not_exists));
    DW_TRY(dw__parser_table(parser, &out->name));
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_names(parser, "a column name", &out->columns, &out->column_count));
    }
    if (dw__parser_accept(parser, DW_KEYWORD_COMMENT)) {
        DW_TRY(dw__parser_string(parser, "text in quotes", &comment));
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_AS));
    DW_TRY(dw__parser_expect_query(parser));
    out->query = dw__parser_rest(parser);
    return DW_OK;
}
