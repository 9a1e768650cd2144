/*
 * The column _metadata is not among those of SELECT *. Only statements that name it have it at all;
 * in these each star of a query over a Delta table leaves it out.
 */
#include "base/assert.h"
#include "base/strbuf.h"
#include "sql/bind_walk.h"

#define FILTER " NOT SIMILAR TO '_metadata'"

static bool
is_metadata_name(const dw_sql_text *sql, size_t idx)
{
    static const dw_str name = {"_metadata", sizeof "_metadata" - 1};
    const dw_token *token = &sql->items[idx];
    dw_str text = dw__token_text(sql, idx);
    bool is_quoted = token->kind == DW_TOKEN_QUOTED || token->kind == DW_TOKEN_BACKQUOTED;
    if (is_quoted && text.len > 2) {
        text = dw__str_slice(text, 1, text.len - 2);
    }
    return (is_quoted || token->kind == DW_TOKEN_WORD) && dw__str_equal_nocase(text, name);
}

bool
dw__names_metadata(const dw_sql_text *sql, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        if (is_metadata_name(sql, i)) {
            return true;
        }
    }
    return false;
}

/* True for a star that stands for columns: behind SELECT, a comma, or a table's name and a dot. */
static bool
stands_for_columns(const dw_bind_walk *walk)
{
    const dw_sql_text *sql = walk->parser.sql;
    size_t pos = walk->parser.pos;
    if (pos == walk->first) {
        return false;
    }
    uint16_t before = sql->items[pos - 1].keyword;
    return before == DW_KEYWORD_SELECT || before == DW_KEYWORD_DISTINCT ||
           before == DW_KEYWORD_ALL || dw__token_is_symbol(sql, pos - 1, ",") ||
           dw__token_is_symbol(sql, pos - 1, ".");
}

static bool
accept_word(dw_parser *parser, const char *word)
{
    bool found = dw__str_equal_nocase(dw__token_text(parser->sql, parser->pos), dw__str_from(word));
    parser->pos += found ? 1 : 0;
    return found;
}

/* EXCLUDE name or EXCLUDE (names) */
static dw_status
skip_excluded(dw_parser *parser, bool *found_out)
{
    *found_out = accept_word(parser, "EXCLUDE");
    if (!*found_out) {
        return DW_OK;
    }
    if (dw__parser_is_symbol(parser, "(")) {
        return dw__parser_skip_parens(parser);
    }
    parser->pos += dw__parser_at_end(parser) ? 0 : 1;
    return DW_OK;
}

static bool
is_replacing(const dw_parser *parser)
{
    dw_str word = dw__token_text(parser->sql, parser->pos);
    return dw__str_equal_nocase(word, DW_STR("REPLACE")) ||
           dw__str_equal_nocase(word, DW_STR("RENAME"));
}

/* With REPLACE or RENAME behind it a star takes no filter: then the name is excluded. */
static void
put_star(dw_strbuf *out, dw_str written, bool excludes, bool replaces)
{
    dw__strbuf_append(out, written);
    if (!replaces) {
        dw__strbuf_append_literal(out, FILTER);
    } else if (!excludes) {
        dw__strbuf_append_literal(out, " EXCLUDE (_metadata)");
    }
}

static dw_status
push_star(dw_bind_walk *walk, const dw_frame *frame, size_t first, bool excludes)
{
    dw_arena *arena = walk->binding->arena;
    dw_parser *parser = &walk->parser;
    DW_AUTO(dw_strbuf) written = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_TRY(dw__sql_range_append(&written, parser->sql, (dw_sql_range){first, parser->pos}, arena,
                                parser->err));
    put_star(&text, dw__strbuf_str(&written), excludes, is_replacing(parser));
    DW_TRY(dw__strbuf_ok(&text, "the columns of a query", parser->err));
    dw_sql_edit *edit = DW_VEC_PUSH(arena->allocator, &walk->binding->edits);
    if (edit == NULL) {
        return dw__error_oom(parser->err);
    }
    *edit = (dw_sql_edit){.first = first,
                          .last = parser->pos,
                          .reference = SIZE_MAX,
                          .has_alias = true,
                          .is_star = true,
                          .frame = frame->id};
    return dw__arena_dup(arena, dw__strbuf_str(&text), &edit->text) &&
                   dw__arena_dup(arena, dw__strbuf_str(&written), &edit->alias)
               ? DW_OK
               : dw__error_oom(parser->err);
}

dw_status
dw__bind_star(dw_bind_walk *walk, const dw_frame *frame, bool *found_out)
{
    size_t first = walk->parser.pos;
    bool excludes;
    *found_out = stands_for_columns(walk);
    if (!*found_out) {
        return DW_OK;
    }
    walk->parser.pos++;
    DW_TRY(skip_excluded(&walk->parser, &excludes));
    return push_star(walk, frame, first, excludes);
}

void
dw__bind_drop_stars(dw_binding *binding)
{
    dw_sql_edit_vec *edits = &binding->edits;
    size_t kept = 0;
    for (size_t i = 0; i < edits->count; i++) {
        bool has_table = !edits->items[i].is_star;
        for (size_t j = 0; j < edits->count && !has_table; j++) {
            has_table = edits->items[j].reference != SIZE_MAX &&
                        edits->items[j].frame == edits->items[i].frame;
        }
        if (has_table) {
            edits->items[kept++] = edits->items[i];
        }
    }
    edits->count = kept;
}
