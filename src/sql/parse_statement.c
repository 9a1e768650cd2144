/*
 * Tells by its first words what a statement is, and has the rest read by the parser for that.
 */
#include "base/assert.h"
#include "sql/parse.h"
#include "sql/setting.h"

static dw_sql_range
whole(const dw_parser *parser)
{
    return (dw_sql_range){0, parser->sql->count - 1};
}

static dw_statement
make(dw_statement_kind kind, const char *verb)
{
    return (dw_statement){.kind = kind, .verb = verb};
}

static dw_status
set_query(const dw_parser *parser, dw_statement *out)
{
    *out = make(DW_STATEMENT_QUERY, "query");
    out->as.query.query = whole(parser);
    return DW_OK;
}

static dw_status
set_engine(dw_statement *out)
{
    *out = make(DW_STATEMENT_ENGINE, "statement");
    return DW_OK;
}

/* ---- CREATE ---------------------------------------------------------------------------------- */

/* CREATE TEMP TABLE ... AS query: a table of the engine, whose query may read Delta tables. */
static dw_status
parse_engine_table(dw_parser *parser, dw_statement *out)
{
    set_engine(out);
    while (!dw__parser_at_end(parser)) {
        if (dw__parser_is_symbol(parser, "(")) {
            DW_TRY(dw__parser_skip_parens(parser));
        } else if (dw__parser_accept(parser, DW_KEYWORD_AS)) {
            DW_TRY(dw__parser_expect_query(parser));
            out->as.engine.query = dw__parser_rest(parser);
        } else {
            parser->pos++;
        }
    }
    return DW_OK;
}

static bool
accept_temporary(dw_parser *parser)
{
    (void) (dw__parser_accept(parser, DW_KEYWORD_LOCAL) ||
            dw__parser_accept(parser, DW_KEYWORD_GLOBAL));
    return dw__parser_accept(parser, DW_KEYWORD_TEMP) ||
           dw__parser_accept(parser, DW_KEYWORD_TEMPORARY) ||
           dw__parser_accept(parser, DW_KEYWORD_UNLOGGED);
}

/* Behind CREATE. */
static dw_status
parse_create(dw_parser *parser, dw_statement *out)
{
    if (dw__parser_accept_word(parser, "bloomfilter")) {
        *out = make(DW_STATEMENT_BLOOM, "CREATE BLOOMFILTER INDEX");
        return dw__parse_create_bloom(parser, &out->as.bloom);
    }
    bool or_replace = dw__parser_accept(parser, DW_KEYWORD_OR);
    if (or_replace) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_REPLACE));
    }
    bool is_temporary = accept_temporary(parser);
    if (dw__parser_accept(parser, DW_KEYWORD_VIEW)) {
        *out = make(DW_STATEMENT_CREATE_VIEW, "CREATE VIEW");
        out->as.view.or_replace = or_replace;
        return dw__parse_create_view(parser, &out->as.view);
    }
    (void) dw__parser_accept(parser, DW_KEYWORD_EXTERNAL);
    if (dw__parser_accept(parser, DW_KEYWORD_TABLE)) {
        if (is_temporary) {
            return parse_engine_table(parser, out);
        }
        *out = make(DW_STATEMENT_CREATE_TABLE, "CREATE TABLE");
        dw_create_mode mode = or_replace ? DW_CREATE_OR_REPLACE : DW_CREATE_NEW;
        return dw__parse_create_table(parser, mode, &out->as.create);
    }
    return set_engine(out);
}

/* ---- Others ---------------------------------------------------------------------------------- */

/* name [(columns)] TO | FROM ..., behind COPY. What looks otherwise is the engine's to refuse. */
static dw_status
parse_copy_table(dw_parser *parser, dw_engine_statement *out)
{
    size_t first = parser->pos;
    DW_TRY(dw__parser_table(parser, &out->copy_name));
    out->copy_table = (dw_sql_range){first, parser->pos};
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
        out->copy_columns = (dw_sql_range){out->copy_table.last + 1, parser->pos - 1};
    }
    out->copies_from = dw__parser_is(parser, DW_KEYWORD_FROM);
    out->copy = out->copies_from || dw__parser_is(parser, DW_KEYWORD_TO);
    if (out->copy) {
        out->copy_rest = dw__parser_rest(parser);
    }
    return DW_OK;
}

/* Behind COPY. */
static dw_status
parse_copy(dw_parser *parser, dw_statement *out)
{
    if (dw__parser_accept(parser, DW_KEYWORD_INTO)) {
        *out = make(DW_STATEMENT_COPY_INTO, "COPY INTO");
        return dw__parse_copy_into(parser, &out->as.copy);
    }
    set_engine(out);
    if (dw__parser_is_symbol(parser, "(")) {
        size_t first = parser->pos + 1;
        DW_TRY(dw__parser_skip_parens(parser));
        out->as.engine.query = (dw_sql_range){first, parser->pos - 1};
        return DW_OK;
    }
    return parse_copy_table(parser, &out->as.engine);
}

/* Behind INSERT; `with` is what stood before it. INSERT OR REPLACE is the engine's alone. */
static dw_status
parse_insert(dw_parser *parser, dw_sql_range with, dw_statement *out)
{
    if (dw__parser_is(parser, DW_KEYWORD_OR)) {
        return set_engine(out);
    }
    *out = make(DW_STATEMENT_INSERT, "INSERT");
    out->as.insert.with = with;
    return dw__parse_insert(parser, &out->as.insert);
}

/* WITH name AS (...), ... before a query, an INSERT or a MERGE. */
static dw_status
parse_with(dw_parser *parser, dw_statement *out)
{
    size_t first = parser->pos;
    while (!dw__parser_at_end(parser) && !dw__parser_is(parser, DW_KEYWORD_SELECT)) {
        if (dw__parser_is_symbol(parser, "(")) {
            DW_TRY(dw__parser_skip_parens(parser));
            if (dw__parser_is(parser, DW_KEYWORD_INSERT)) {
                dw_sql_range with = {first, parser->pos++};
                return parse_insert(parser, with, out);
            }
            if (dw__parser_is(parser, DW_KEYWORD_MERGE)) {
                dw_sql_range with = {first, parser->pos++};
                DW_TRY(dw__parse_merge_head(parser, out));
                out->as.modify.with = with;
                return DW_OK;
            }
        } else {
            parser->pos++;
        }
    }
    return set_query(parser, out);
}

static bool
is_change(const dw_parser *parser)
{
    return dw__parser_is(parser, DW_KEYWORD_DELETE) || dw__parser_is(parser, DW_KEYWORD_UPDATE) ||
           dw__parser_is(parser, DW_KEYWORD_TRUNCATE) || dw__parser_is(parser, DW_KEYWORD_MERGE);
}

/*
 * What is explained as it would be parsed alone, where that may be a change; else `out` is empty.
 */
static dw_status
parse_explained_change(dw_parser *parser, dw_statement *out)
{
    bool found;
    *out = make(DW_STATEMENT_EMPTY, "statement");
    if (is_change(parser)) {
        return dw__parse_modify(parser, out, &found);
    }
    return dw__parser_is(parser, DW_KEYWORD_WITH) ? parse_with(parser, out) : DW_OK;
}

/* [ANALYZE | EXTENDED | FORMATTED] query | DELETE | UPDATE | TRUNCATE | MERGE, behind EXPLAIN */
static dw_status
parse_explain(dw_parser *parser, dw_statement *out)
{
    bool analyze = dw__parser_accept(parser, DW_KEYWORD_ANALYZE);
    if (!analyze) {
        (void) (dw__parser_accept(parser, DW_KEYWORD_EXTENDED) ||
                dw__parser_accept(parser, DW_KEYWORD_FORMATTED));
    }
    size_t first = parser->pos;
    DW_TRY(parse_explained_change(parser, out));
    if (out->kind == DW_STATEMENT_MODIFY) {
        out->as.modify.explains = true;
        out->as.modify.analyzes = analyze;
        return DW_OK;
    }
    bool is_query = out->kind == DW_STATEMENT_EMPTY || out->kind == DW_STATEMENT_QUERY;
    parser->pos = first;
    if (!is_query || !dw__parser_is_query(parser)) {
        return dw__parser_fail(parser, "a query, DELETE, UPDATE or MERGE to explain");
    }
    *out = make(DW_STATEMENT_EXPLAIN, "EXPLAIN");
    out->as.explain.analyze = analyze;
    out->as.explain.query = dw__parser_rest(parser);
    return DW_OK;
}

/* [name], behind CHECKPOINT */
static dw_status
parse_checkpoint(dw_parser *parser, dw_statement *out)
{
    if (dw__parser_at_end(parser)) {
        return set_engine(out);
    }
    *out = make(DW_STATEMENT_CHECKPOINT, "CHECKPOINT");
    (void) dw__parser_accept(parser, DW_KEYWORD_TABLE);
    DW_TRY(dw__parser_table(parser, &out->as.checkpoint));
    return dw__parser_expect_end(parser);
}

/* LOG [OF] name [FROM first TO last], behind COMPACT */
static dw_status
parse_compact(dw_parser *parser, dw_statement *out)
{
    *out = make(DW_STATEMENT_COMPACT_LOG, "COMPACT LOG");
    dw_compact_statement *compact = &out->as.compact;
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_LOG));
    (void) dw__parser_accept(parser, DW_KEYWORD_OF);
    DW_TRY(dw__parser_table(parser, &compact->name));
    compact->has_range = dw__parser_accept(parser, DW_KEYWORD_FROM);
    if (compact->has_range) {
        DW_TRY(dw__parser_integer(parser, "a version", &compact->first));
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TO));
        DW_TRY(dw__parser_integer(parser, "a version", &compact->last));
    }
    return dw__parser_expect_end(parser);
}

/* [IF EXISTS] name, behind DROP VIEW */
static dw_status
parse_drop_view(dw_parser *parser, dw_statement *out)
{
    *out = make(DW_STATEMENT_DROP_VIEW, "DROP VIEW");
    out->as.view.if_exists = dw__parser_accept(parser, DW_KEYWORD_IF);
    if (out->as.view.if_exists) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_EXISTS));
    }
    DW_TRY(dw__parser_table(parser, &out->as.view.name));
    return dw__parser_expect_end(parser);
}

/* TABLE ... or REPAIR TABLE ..., behind FSCK */
static dw_status
parse_fsck(dw_parser *parser, dw_statement *out)
{
    if (dw__parser_accept_word(parser, "repair")) {
        *out = make(DW_STATEMENT_REPAIR, "FSCK REPAIR TABLE");
        return dw__parse_repair(parser, &out->as.repair);
    }
    if (!dw__parser_accept(parser, DW_KEYWORD_TABLE)) {
        return dw__parser_fail(parser, "TABLE or REPAIR TABLE");
    }
    *out = make(DW_STATEMENT_FSCK, "FSCK");
    return dw__parse_fsck(parser, &out->as.fsck);
}

/* ---- The recogniser -------------------------------------------------------------------------- */

/* Statements that their first word tells. */
static dw_status
parse_by_keyword(dw_parser *parser, dw_statement *out)
{
    uint16_t keyword = dw__parser_peek(parser, 0)->keyword;
    bool drops_view = dw__parser_is_at(parser, 1, DW_KEYWORD_VIEW);
    parser->pos++;
    switch (keyword) {
    case DW_KEYWORD_CREATE:
        return parse_create(parser, out);
    case DW_KEYWORD_REPLACE:
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TABLE));
        *out = make(DW_STATEMENT_CREATE_TABLE, "REPLACE TABLE");
        return dw__parse_create_table(parser, DW_REPLACE, &out->as.create);
    case DW_KEYWORD_INSERT:
        return parse_insert(parser, (dw_sql_range){0}, out);
    case DW_KEYWORD_COPY:
        return parse_copy(parser, out);
    case DW_KEYWORD_DESCRIBE:
    case DW_KEYWORD_DESC:
        return dw__parse_describe(parser, out);
    case DW_KEYWORD_SHOW:
        return dw__parse_show(parser, out);
    case DW_KEYWORD_EXPLAIN:
        return parse_explain(parser, out);
    case DW_KEYWORD_CHECKPOINT:
        return parse_checkpoint(parser, out);
    case DW_KEYWORD_COMPACT:
        return parse_compact(parser, out);
    case DW_KEYWORD_GENERATE:
        *out = make(DW_STATEMENT_GENERATE, "GENERATE");
        return dw__parse_generate(parser, &out->as.manifest);
    case DW_KEYWORD_CONVERT:
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TO));
        *out = make(DW_STATEMENT_CONVERT, "CONVERT TO DELTA");
        return dw__parse_convert(parser, &out->as.convert);
    case DW_KEYWORD_CHECK:
        *out = make(DW_STATEMENT_CHECK, "CHECK COMPATIBILITY");
        return dw__parse_compatibility(parser, &out->as.check);
    case DW_KEYWORD_RESTORE:
        *out = make(DW_STATEMENT_RESTORE, "RESTORE");
        return dw__parse_restore(parser, &out->as.restore);
    case DW_KEYWORD_DROP:
        if (drops_view) {
            parser->pos++;
            return parse_drop_view(parser, out);
        }
        if (dw__parser_accept_word(parser, "bloomfilter")) {
            *out = make(DW_STATEMENT_BLOOM, "DROP BLOOMFILTER INDEX");
            return dw__parse_drop_bloom(parser, &out->as.bloom);
        }
        return set_engine(out);
    default:
        return set_engine(out);
    }
}

dw_status
dw__parse_statement(const dw_sql_text *sql, dw_arena *arena, dw_statement *out, dw_error *err)
{
    bool found;
    dw_parser parser = dw__parser_make(sql, arena, err);
    *out = make(DW_STATEMENT_EMPTY, "statement");
    if (dw__parser_at_end(&parser)) {
        return DW_OK;
    }
    if (dw__parser_accept(&parser, DW_KEYWORD_FSCK)) {
        return parse_fsck(&parser, out);
    }
    if (dw__parser_is(&parser, DW_KEYWORD_VACUUM) && !dw__parse_is_engine_vacuum(&parser)) {
        parser.pos++;
        *out = make(DW_STATEMENT_VACUUM, "VACUUM");
        return dw__parse_vacuum(&parser, &out->as.vacuum);
    }
    if (dw__parser_accept(&parser, DW_KEYWORD_OPTIMIZE)) {
        *out = make(DW_STATEMENT_OPTIMIZE, "OPTIMIZE");
        return dw__parse_optimize(&parser, &out->as.optimize);
    }
    if (dw__parser_is(&parser, DW_KEYWORD_ANALYZE) &&
        dw__parser_is_at(&parser, 1, DW_KEYWORD_TABLE)) {
        parser.pos += 2;
        *out = make(DW_STATEMENT_ANALYZE, "ANALYZE TABLE");
        return dw__parse_analyze(&parser, &out->as.analyze);
    }
    if (dw__parser_accept_word(&parser, "migrate")) {
        *out = make(DW_STATEMENT_MIGRATE, "MIGRATE");
        return dw__parse_migrate(&parser, &out->as.migrate);
    }
    if (dw__parser_accept(&parser, DW_KEYWORD_REORG)) {
        *out = make(DW_STATEMENT_OPTIMIZE, "REORG TABLE");
        return dw__parse_reorg(&parser, &out->as.optimize);
    }
    *out = make(DW_STATEMENT_TRANSACTION, "transaction");
    DW_TRY(dw__parse_transaction(&parser, &out->as.transaction, &found));
    if (found) {
        return DW_OK;
    }
    DW_TRY(dw__parse_alter(&parser, &out->as.alter, &found));
    if (found) {
        out->kind = DW_STATEMENT_ALTER;
        out->verb = "ALTER TABLE";
        return DW_OK;
    }
    *out = make(DW_STATEMENT_EMPTY, "statement");
    DW_TRY(dw__parse_modify(&parser, out, &found));
    if (found) {
        return DW_OK;
    }
    if (dw__parser_is(&parser, DW_KEYWORD_WITH)) {
        return parse_with(&parser, out);
    }
    if (dw__parser_is(&parser, DW_KEYWORD_SET) || dw__parser_is(&parser, DW_KEYWORD_RESET)) {
        *out = make(DW_STATEMENT_SETTING, "SET");
        DW_TRY(dw__parse_setting(&parser, &out->as.setting, &found));
        return found ? DW_OK : set_engine(out);
    }
    bool has_parser =
        dw__parser_is(&parser, DW_KEYWORD_DESCRIBE) || dw__parser_is(&parser, DW_KEYWORD_SHOW);
    if (dw__parser_is_query(&parser) && !has_parser) {
        return set_query(&parser, out);
    }
    return parse_by_keyword(&parser, out);
}
