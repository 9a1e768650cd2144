/*
 * Walks over a query and tells where a table stands. Parentheses are the frames of a stack; in each
 * a few keywords, which the engine reserves, say what comes next. [BIND-1..4]
 */
#include "sql/bind.h"

#include "base/assert.h"
#include "sql/bind_walk.h"

static dw_frame *
top(dw_bind_walk *walk)
{
    return &walk->frames.items[walk->frames.count - 1];
}

static bool
previous_is(const dw_bind_walk *walk, size_t back, dw_keyword keyword)
{
    size_t pos = walk->parser.pos;
    return pos >= walk->first + back && walk->parser.sql->items[pos - back].keyword == keyword;
}

static bool
previous_is_symbol(const dw_bind_walk *walk, const char *symbol)
{
    size_t pos = walk->parser.pos;
    return pos > walk->first && dw__token_is_symbol(walk->parser.sql, pos - 1, symbol);
}

/* ---- Parentheses ----------------------------------------------------------------------------- */

static dw_status
push(dw_bind_walk *walk, dw_frame frame)
{
    if (walk->frames.count >= DW_SQL_DEPTH_MAX) {
        return dw__parser_refuse(&walk->parser, walk->parser.pos, DW_INVALID_ARGUMENT,
                                 "PARSE_ERROR", "expected at most %zu open parentheses, found more",
                                 DW_SQL_DEPTH_MAX);
    }
    dw_frame *slot = DW_VEC_PUSH(walk->parser.arena->allocator, &walk->frames);
    if (slot == NULL) {
        return dw__error_oom(walk->parser.err);
    }
    *slot = frame;
    slot->cte_count = walk->ctes.count;
    return DW_OK;
}

static dw_status
open_paren(dw_bind_walk *walk)
{
    dw_frame *outer = top(walk);
    bool is_round = dw__parser_is_symbol(&walk->parser, "(");
    dw_frame inner = {.state = is_round ? DW_FRAME_START : DW_FRAME_EXPRESSION,
                      .is_trim = previous_is(walk, 1, DW_KEYWORD_TRIM),
                      .id = walk->parser.pos};
    if (outer->state == DW_FRAME_TABLE && is_round) {
        inner.state = DW_FRAME_TABLE; /* a query, or tables that are joined */
        inner.is_from_open = true;
        inner.id = outer->id;
    }
    if (outer->state != DW_FRAME_CTE) {
        outer->state = DW_FRAME_EXPRESSION;
    }
    walk->parser.pos++;
    return push(walk, inner);
}

static dw_status
add_cte(dw_bind_walk *walk, dw_str name)
{
    dw_str *slot = DW_VEC_PUSH(walk->parser.arena->allocator, &walk->ctes);
    if (slot == NULL) {
        return dw__error_oom(walk->parser.err);
    }
    *slot = name;
    return DW_OK;
}

/* name [(columns)] [USING KEY (columns)] AS [[NOT] MATERIALIZED], before the parenthesis. When it
 * is something else, such as WITH ORDINALITY, nothing has happened. */
static dw_status
read_cte_head(dw_bind_walk *walk, dw_frame *frame)
{
    dw_parser *parser = &walk->parser;
    size_t begin = parser->pos;
    dw_str name;
    frame->state = DW_FRAME_EXPRESSION;
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        DW_TRY(dw__parser_string(parser, "a name", &name));
    } else if (dw__parser_is_name(parser)) {
        DW_TRY(dw__parser_name(parser, "a name", &name));
    } else {
        return DW_OK;
    }
    if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
    }
    if (dw__parser_is(parser, DW_KEYWORD_USING) && dw__parser_is_at(parser, 1, DW_KEYWORD_KEY)) {
        parser->pos += 2;
        DW_TRY(dw__parser_skip_parens(parser));
    }
    bool has_as = dw__parser_accept(parser, DW_KEYWORD_AS);
    (void) dw__parser_accept(parser, DW_KEYWORD_NOT);
    (void) dw__parser_accept(parser, DW_KEYWORD_MATERIALIZED);
    if (!has_as || !dw__parser_is_symbol(parser, "(")) {
        parser->pos = begin;
        return DW_OK;
    }
    frame->state = DW_FRAME_CTE;
    frame->cte = name;
    return frame->is_recursive ? add_cte(walk, name) : DW_OK; /* [BIND-3] */
}

static dw_status
read_with(dw_bind_walk *walk, dw_frame *frame)
{
    bool may_be_ctes = frame->state != DW_FRAME_EXPRESSION || !frame->is_query;
    walk->parser.pos++;
    if (!may_be_ctes) {
        frame->state = DW_FRAME_EXPRESSION;
        return DW_OK;
    }
    frame->is_recursive = dw__parser_accept(&walk->parser, DW_KEYWORD_RECURSIVE);
    return read_cte_head(walk, frame);
}

/* The body of a common table expression is over: the next one follows, or the query. */
static dw_status
finish_cte(dw_bind_walk *walk, dw_frame *frame)
{
    if (!frame->is_recursive) {
        DW_TRY(add_cte(walk, frame->cte));
    }
    if (dw__parser_accept_symbol(&walk->parser, ",")) {
        return read_cte_head(walk, frame);
    }
    frame->state = DW_FRAME_START;
    frame->is_query = true;
    return DW_OK;
}

static dw_status
close_paren(dw_bind_walk *walk)
{
    walk->parser.pos++;
    if (walk->frames.count == 1) {
        return DW_OK; /* one too many: the engine will say so */
    }
    walk->ctes.count = top(walk)->cte_count;
    walk->frames.count--;
    dw_frame *frame = top(walk);
    return frame->state == DW_FRAME_CTE ? finish_cte(walk, frame) : DW_OK;
}

static void
read_comma(dw_bind_walk *walk, dw_frame *frame)
{
    walk->parser.pos++;
    bool is_row = frame->is_values && dw__parser_is_symbol(&walk->parser, "(");
    if (frame->is_from_open && !is_row) {
        frame->state = DW_FRAME_TABLE;
        frame->is_values = false;
    }
}

/* ---- Keywords -------------------------------------------------------------------------------- */

/* FROM is a clause unless it stands in extract(), trim() and their kin or in IS DISTINCT FROM. */
static bool
is_from_clause(const dw_bind_walk *walk, const dw_frame *frame)
{
    bool is_comparison =
        previous_is(walk, 1, DW_KEYWORD_DISTINCT) &&
        (previous_is(walk, 2, DW_KEYWORD_IS) ||
         (previous_is(walk, 2, DW_KEYWORD_NOT) && previous_is(walk, 3, DW_KEYWORD_IS)));
    bool is_start = frame->state != DW_FRAME_EXPRESSION && !frame->is_trim;
    bool is_statement = walk->frames.count == 1 && walk->binding->options.from_is_clause;
    return !is_comparison && (frame->is_query || is_start || is_statement);
}

/* USING begins tables in DELETE and MERGE, and columns elsewhere. */
static bool
is_using_clause(const dw_bind_walk *walk, const dw_frame *frame)
{
    return walk->binding->options.using_is_clause && walk->frames.count == 1 && !frame->is_query;
}

static void
begin_join(dw_frame *frame)
{
    if (frame->is_query || frame->is_from_open) {
        frame->state = DW_FRAME_TABLE;
        frame->is_values = false;
    }
}

static void
begin_tables(dw_frame *frame, bool is_from)
{
    frame->is_query = frame->is_query || is_from;
    frame->is_from_open = is_from;
    frame->is_values = false;
    frame->is_whole_query = false;
    frame->state = DW_FRAME_TABLE;
}

static void
end_tables(dw_frame *frame, dw_frame_state state)
{
    frame->is_from_open = false;
    frame->is_values = false;
    frame->is_whole_query = false;
    frame->state = state;
}

static void
begin_select(const dw_bind_walk *walk, dw_frame *frame)
{
    frame->is_query = true;
    frame->id = walk->parser.pos;
    end_tables(frame, DW_FRAME_EXPRESSION);
}

/* TABLE t, DESCRIBE t, SUMMARIZE t and PIVOT t, where a query may begin. */
static void
begin_table_query(const dw_bind_walk *walk, dw_frame *frame, bool is_whole_query)
{
    if (frame->state == DW_FRAME_EXPRESSION) {
        return;
    }
    bool is_inner = previous_is_symbol(walk, "(") || walk->parser.pos == walk->first;
    if (frame->state == DW_FRAME_TABLE && !is_inner) {
        return; /* DESCRIBE TABLE t */
    }
    frame->is_query = true;
    frame->is_from_open = false;
    frame->is_whole_query = is_whole_query;
    frame->state = DW_FRAME_TABLE;
}

/* What the keyword here means for what follows. Words that are no keywords to us do nothing. */
static dw_status
read_keyword(dw_bind_walk *walk, dw_frame *frame)
{
    switch (walk->parser.sql->items[walk->parser.pos].keyword) {
    case DW_KEYWORD_SELECT:
        begin_select(walk, frame);
        break;
    case DW_KEYWORD_FROM:
        if (is_from_clause(walk, frame)) {
            begin_tables(frame, true);
        }
        break;
    case DW_KEYWORD_USING:
        if (is_using_clause(walk, frame)) {
            begin_tables(frame, true);
        }
        break;
    case DW_KEYWORD_JOIN:
        begin_join(frame);
        break;
    case DW_KEYWORD_WITH:
        return read_with(walk, frame);
    case DW_KEYWORD_GROUP:
        if (!previous_is(walk, 1, DW_KEYWORD_WITHIN)) { /* of an aggregate */
            end_tables(frame, DW_FRAME_EXPRESSION);
        }
        break;
    case DW_KEYWORD_WHERE:
    case DW_KEYWORD_HAVING:
    case DW_KEYWORD_QUALIFY:
    case DW_KEYWORD_WINDOW:
    case DW_KEYWORD_ORDER:
    case DW_KEYWORD_LIMIT:
    case DW_KEYWORD_OFFSET:
    case DW_KEYWORD_FETCH:
    case DW_KEYWORD_RETURNING:
        end_tables(frame, DW_FRAME_EXPRESSION);
        break;
    case DW_KEYWORD_UNION:
    case DW_KEYWORD_INTERSECT:
    case DW_KEYWORD_EXCEPT:
        end_tables(frame, DW_FRAME_START);
        break;
    case DW_KEYWORD_ALL:
    case DW_KEYWORD_DISTINCT:
    case DW_KEYWORD_BY:
    case DW_KEYWORD_NAME:
    case DW_KEYWORD_LATERAL:
    case DW_KEYWORD_ONLY:
        break;          /* what comes next has not come yet */
    case DW_KEYWORD_AS: /* of PREPARE and CREATE MACRO: a query may begin */
        frame->state = frame->is_query ? DW_FRAME_EXPRESSION : DW_FRAME_START;
        break;
    case DW_KEYWORD_TABLE:
    case DW_KEYWORD_DESCRIBE:
    case DW_KEYWORD_DESC:
    case DW_KEYWORD_SHOW:
    case DW_KEYWORD_SUMMARIZE:
        begin_table_query(walk, frame, true);
        break;
    case DW_KEYWORD_PIVOT:
    case DW_KEYWORD_PIVOT_WIDER:
    case DW_KEYWORD_PIVOT_LONGER:
    case DW_KEYWORD_UNPIVOT:
        begin_table_query(walk, frame, false);
        break;
    default:
        frame->state = DW_FRAME_EXPRESSION;
        break;
    }
    walk->parser.pos++;
    return DW_OK;
}

/* A keyword behind a dot or behind the AS of a column is a name. */
static bool
is_label(const dw_bind_walk *walk, const dw_frame *frame)
{
    return previous_is_symbol(walk, ".") ||
           (frame->is_query && previous_is(walk, 1, DW_KEYWORD_AS));
}

static dw_status
read_word(dw_bind_walk *walk, dw_frame *frame)
{
    const dw_token *token = dw__parser_peek(&walk->parser, 0);
    dw_keyword keyword = (dw_keyword) token->keyword;
    bool is_name = token->kind != DW_TOKEN_WORD || dw__keyword_is_name(keyword);
    bool is_rows = keyword == DW_KEYWORD_VALUES && dw__parser_is_symbol_at(&walk->parser, 1, "(");
    if (frame->state == DW_FRAME_TABLE && is_rows) {
        frame->is_values = true;
        frame->state = DW_FRAME_EXPRESSION;
        walk->parser.pos++;
        return DW_OK;
    }
    if (frame->state == DW_FRAME_TABLE && is_name) {
        return dw__bind_table(walk, frame);
    }
    frame->is_values = false;
    if (token->kind == DW_TOKEN_WORD && !is_label(walk, frame)) {
        bool keeps_start = frame->state == DW_FRAME_START && keyword == DW_KEYWORD_NAME;
        if (!is_name || keeps_start) {
            return read_keyword(walk, frame);
        }
    }
    frame->state = DW_FRAME_EXPRESSION;
    walk->parser.pos++;
    return DW_OK;
}

/* ---- The walk -------------------------------------------------------------------------------- */

static bool
is_one_of(dw_str symbol, const char *characters)
{
    return symbol.len == 1 && strchr(characters, symbol.ptr[0]) != NULL;
}

static dw_status
read_token(dw_bind_walk *walk)
{
    dw_frame *frame = top(walk);
    const dw_token *token = dw__parser_peek(&walk->parser, 0);
    dw_str text = dw__token_text(walk->parser.sql, walk->parser.pos);
    switch ((dw_token_kind) token->kind) {
    case DW_TOKEN_WORD:
    case DW_TOKEN_QUOTED:
    case DW_TOKEN_BACKQUOTED:
        return read_word(walk, frame);
    case DW_TOKEN_STRING:
        if (frame->state == DW_FRAME_TABLE) {
            return dw__bind_table(walk, frame);
        }
        break;
    case DW_TOKEN_SYMBOL:
        if (is_one_of(text, "([{")) {
            return open_paren(walk);
        }
        if (is_one_of(text, ")]}")) {
            return close_paren(walk);
        }
        if (is_one_of(text, ",")) {
            read_comma(walk, frame);
            return DW_OK;
        }
        if (is_one_of(text, "*") && walk->names_metadata) {
            bool found;
            DW_TRY(dw__bind_star(walk, frame, &found));
            if (found) {
                return DW_OK;
            }
        }
        break;
    case DW_TOKEN_NUMBER:
    case DW_TOKEN_PARAMETER:
    case DW_TOKEN_END:
    case DW_TOKEN_BAD:
        break;
    }
    frame->state = DW_FRAME_EXPRESSION;
    walk->parser.pos++;
    return DW_OK;
}

static dw_status
walk_tokens(dw_bind_walk *walk)
{
    DW_TRY(push(walk, (dw_frame){.state = DW_FRAME_START}));
    walk->parser.pos = walk->first;
    while (walk->parser.pos < walk->last) {
        size_t before = walk->parser.pos;
        DW_TRY(read_token(walk));
        dw_assert(walk->parser.pos > before);
    }
    return DW_OK;
}

static dw_status
bind_range(dw_binding *binding, dw_sql_range range, size_t view_depth, dw_error *err)
{
    const dw_allocator *allocator = binding->arena->allocator;
    dw_bind_walk walk = {.binding = binding,
                         .parser = dw__parser_make(binding->sql, binding->arena, err),
                         .first = range.first,
                         .last = range.last,
                         .view_depth = view_depth};
    walk.names_metadata = dw__names_metadata(binding->sql, range.first, range.last);
    dw_status status = walk_tokens(&walk);
    dw__bind_drop_stars(binding);
    DW_VEC_DEINIT(allocator, &walk.frames);
    DW_VEC_DEINIT(allocator, &walk.ctes);
    return status;
}

dw_status
dw__bind(dw_binding *binding, const dw_sql_text *sql, dw_sql_range range, dw_arena *arena,
         const dw_bind_options *options, dw_error *err)
{
    dw_assert(range.first <= range.last);
    dw_assert(range.last < sql->count);
    *binding = (dw_binding){.sql = sql, .arena = arena, .options = *options};
    return bind_range(binding, range, 0, err);
}

void
dw__binding_deinit(dw_binding *binding)
{
    if (binding->arena != NULL) {
        const dw_allocator *allocator = binding->arena->allocator;
        DW_VEC_DEINIT(allocator, &binding->references);
        DW_VEC_DEINIT(allocator, &binding->edits);
    }
}

/* ---- Views ----------------------------------------------------------------------------------- */

/* The binding of the view's text borrows the references of the outer one while it works. */
static dw_status
bind_view_text(const dw_bind_walk *outer, const dw_sql_text *sql, dw_str *text_out)
{
    dw_binding *binding = outer->binding;
    dw_sql_range range = {0, sql->count - 1};
    dw_binding inner = {.sql = sql,
                        .arena = binding->arena,
                        .options = binding->options,
                        .references = binding->references};
    inner.options.from_is_clause = false;
    inner.options.using_is_clause = false;
    dw_status status = bind_range(&inner, range, outer->view_depth + 1, outer->parser.err);
    if (status == DW_OK) {
        status = dw__binding_print(&inner, range, text_out, outer->parser.err);
    }
    binding->references = inner.references;
    DW_VEC_DEINIT(binding->arena->allocator, &inner.edits);
    return status;
}

dw_status
dw__bind_view(const dw_bind_walk *outer, const dw_sql_view *view, dw_str *text_out)
{
    dw_error *err = outer->parser.err;
    *text_out = DW_STR_NULL;
    if (outer->view_depth >= DW_SQL_VIEW_DEPTH_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VIEW_DEPTH",
                             "expected views nested at most %zu deep, found %.*s in a deeper one; "
                             "does it refer to itself",
                             DW_SQL_VIEW_DEPTH_MAX, DW_STR_ARG(view->name));
    }
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, outer->parser.arena->allocator, view->text, err));
    dw_status status = bind_view_text(outer, &sql, text_out);
    if (status != DW_OK) {
        dw__error_context(err, "in the view %.*s", DW_STR_ARG(view->name));
    }
    return status;
}
