/*
 * One table in a query: its name, its time travel, its alias, and what is put in its place.
 */
#include "base/assert.h"
#include "sql/bind_walk.h"

/* A table as the statement spells it. */
typedef struct table_ref {
    dw_sql_name name;
    size_t name_first, name_last; /* its tokens, time travel behind it included */
    dw_sql_travel travel;
    dw_sql_changes changes;
    size_t travel_first, travel_last; /* time travel behind the alias; equal when there is none */
    bool is_at;                       /* AT (...): the engine has that, too */
    bool has_alias;
} table_ref;

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
read_travel(dw_parser *parser, table_ref *ref)
{
    ref->is_at = dw__parser_is(parser, DW_KEYWORD_AT);
    return dw__parse_travel(parser, &ref->travel);
}

/* [AS] alias; its list of columns, if there is one, is walked over like any parenthesis. */
static dw_status
read_alias(dw_parser *parser, table_ref *ref)
{
    const dw_token *token = dw__parser_peek(parser, 0);
    if (dw__parser_accept(parser, DW_KEYWORD_AS)) {
        ref->has_alias = true;
        parser->pos += dw__parser_at_end(parser) ? 0 : 1;
    } else if (dw__parser_is_name(parser) && dw__keyword_is_name((dw_keyword) token->keyword)) {
        ref->has_alias = true;
        parser->pos++;
    }
    return DW_OK;
}

/* What stands behind the name. */
static dw_status
read_tail(dw_parser *parser, table_ref *ref)
{
    DW_TRY(dw__parse_travel_suffix(parser, &ref->travel));
    if (ref->travel.kind == DW_TRAVEL_NONE) {
        DW_TRY(read_travel(parser, ref));
    }
    ref->name_last = parser->pos;
    if (!ref->has_alias) {
        DW_TRY(read_alias(parser, ref));
    }
    if (ref->has_alias && dw__parser_is_symbol(parser, "(")) {
        return DW_OK; /* t AS x(a, b) */
    }
    ref->travel_first = parser->pos;
    if (ref->travel.kind == DW_TRAVEL_NONE) {
        DW_TRY(read_travel(parser, ref));
    }
    ref->travel_last = parser->pos;
    return DW_OK;
}

/* ---- What the name stands for ---------------------------------------------------------------- */

static bool
is_cte(const dw_bind_walk *walk, const dw_sql_name *name)
{
    if (name->is_path || name->part_count != 1) {
        return false;
    }
    for (size_t i = walk->ctes.count; i-- > 0;) {
        if (dw__str_equal_nocase(walk->ctes.items[i], name->parts[0])) {
            return true;
        }
    }
    return false;
}

static dw_status
find(const dw_bind_walk *walk, const dw_sql_name *name, dw_sql_object *out)
{
    const dw_sql_lookup *lookup = &walk->binding->options.lookup;
    *out = (dw_sql_object){0};
    return lookup->find(lookup->ctx, name, out, walk->parser.err);
}

/* A quoted name may end in @v3, too; a table whose very name ends so comes first. A path is Delta's
 * in any case: what is wrong with it shows when it is opened. */
static dw_status
resolve(const dw_bind_walk *walk, table_ref *ref, dw_sql_object *out)
{
    dw_str *last_part = &ref->name.parts[ref->name.part_count - 1];
    bool may_split =
        ref->travel.kind == DW_TRAVEL_NONE && dw__str_find(*last_part, '@') != SIZE_MAX;
    *out = (dw_sql_object){.kind = DW_OBJECT_DELTA};
    if (!ref->name.is_path || may_split) {
        DW_TRY(find(walk, &ref->name, out));
    }
    if (out->kind == DW_OBJECT_OTHER && may_split) {
        DW_TRY(dw__sql_travel_split(last_part, walk->parser.arena, &ref->travel, walk->parser.err));
        if (ref->travel.kind != DW_TRAVEL_NONE) {
            DW_TRY(find(walk, &ref->name, out));
        }
    }
    if (ref->name.is_path) {
        out->kind = DW_OBJECT_DELTA;
    }
    return DW_OK;
}

/* ---- Putting something in its place ---------------------------------------------------------- */

/* The first token that is replaced: in TABLE t, which is a query, that of TABLE. */
static size_t
first_replaced(const dw_bind_walk *walk, const table_ref *ref, const dw_frame *frame)
{
    size_t before = ref->name_first - (ref->name_first > walk->first ? 1 : 0);
    bool is_table = walk->parser.sql->items[before].keyword == DW_KEYWORD_TABLE;
    return frame->is_whole_query && is_table ? before : ref->name_first;
}

static dw_sql_edit *
push_edit(const dw_bind_walk *walk, size_t first, size_t last)
{
    dw_sql_edit *edit = DW_VEC_PUSH(walk->parser.arena->allocator, &walk->binding->edits);
    if (edit != NULL) {
        *edit = (dw_sql_edit){.first = first, .last = last, .reference = SIZE_MAX};
    }
    return edit;
}

static dw_status
remove_late_travel(const dw_bind_walk *walk, const table_ref *ref)
{
    if (ref->travel_first == ref->travel_last) {
        return DW_OK;
    }
    dw_sql_edit *edit = push_edit(walk, ref->travel_first, ref->travel_last);
    if (edit == NULL) {
        return dw__error_oom(walk->parser.err);
    }
    edit->text = DW_STR("");
    edit->has_alias = true;
    return DW_OK;
}

static dw_status
put_reference(const dw_bind_walk *walk, const table_ref *ref, const dw_frame *frame)
{
    dw_binding *binding = walk->binding;
    dw_arena *arena = binding->arena;
    dw_sql_reference *reference = DW_VEC_PUSH(arena->allocator, &binding->references);
    dw_sql_edit *edit = push_edit(walk, first_replaced(walk, ref, frame), ref->name_last);
    if (reference == NULL || edit == NULL) {
        return dw__error_oom(walk->parser.err);
    }
    *reference = (dw_sql_reference){.name = ref->name,
                                    .travel = ref->travel,
                                    .changes = ref->changes,
                                    .has_alias = ref->has_alias,
                                    .with_metadata = walk->names_metadata,
                                    .scan_name = dw__arena_printf(arena, "%s_%zu",
                                                                  binding->options.scan_prefix,
                                                                  binding->references.count)};
    edit->reference = binding->references.count - 1;
    edit->frame = frame->id;
    edit->is_whole_query = frame->is_whole_query;
    edit->has_alias = ref->has_alias;
    return dw__str_is_null(reference->scan_name) ? dw__error_oom(walk->parser.err)
                                                 : remove_late_travel(walk, ref);
}

static dw_status
put_view(const dw_bind_walk *walk, const table_ref *ref, const dw_frame *frame,
         const dw_sql_view *view)
{
    dw_str text;
    if (ref->travel.kind != DW_TRAVEL_NONE) {
        return dw__parser_refuse(
            &walk->parser, ref->name_first, DW_INVALID_ARGUMENT, "TIME_TRAVEL_INVALID",
            "%.*s is a view: name versions of tables inside of it", DW_STR_ARG(view->name));
    }
    DW_TRY(dw__bind_view(walk, view, &text));
    dw_sql_edit *edit = push_edit(walk, first_replaced(walk, ref, frame), ref->name_last);
    if (edit == NULL) {
        return dw__error_oom(walk->parser.err);
    }
    DW_TRY(dw__view_print(view, text, walk->parser.arena, &edit->text, walk->parser.err));
    edit->is_whole_query = frame->is_whole_query;
    edit->has_alias = ref->has_alias;
    edit->alias = view->name;
    return DW_OK;
}

/* What is no Delta table is left as it stands; but only the engine's own time travel can be. */
static dw_status
leave(const dw_bind_walk *walk, const table_ref *ref, bool shadows)
{
    if (ref->travel.kind == DW_TRAVEL_NONE || (ref->is_at && !shadows)) {
        return DW_OK;
    }
    dw_str name = dw__sql_name_print(&ref->name, walk->parser.arena);
    if (shadows) {
        return dw__parser_refuse(
            &walk->parser, ref->name_first, DW_INVALID_ARGUMENT, "TIME_TRAVEL_INVALID",
            "%.*s is defined by WITH here: only tables have versions", DW_STR_ARG(name));
    }
    return dw__parser_refuse(&walk->parser, ref->name_first, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "there is no Delta table %.*s whose versions could be read",
                             DW_STR_ARG(name));
}

static dw_status
replace(const dw_bind_walk *walk, table_ref *ref, const dw_frame *frame)
{
    dw_sql_object object;
    if (is_cte(walk, &ref->name)) {
        return leave(walk, ref, true);
    }
    DW_TRY(resolve(walk, ref, &object));
    switch (object.kind) {
    case DW_OBJECT_DELTA:
        return put_reference(walk, ref, frame);
    case DW_OBJECT_VIEW:
        return put_view(walk, ref, frame, object.view);
    case DW_OBJECT_OTHER:
        return leave(walk, ref, false);
    }
    dw_unreachable("object kind");
}

/* alias : table */
static bool
accept_prefix_alias(dw_parser *parser)
{
    bool found = dw__parser_is_symbol_at(parser, 1, ":");
    parser->pos += found ? 2 : 0;
    return found;
}

/* table_changes(...) [[AS] alias] */
static dw_status
bind_changes(dw_bind_walk *walk, table_ref *ref, dw_frame *frame)
{
    dw_sql_object object;
    DW_TRY(dw__bind_changes_arguments(walk, &ref->name, &ref->changes));
    ref->name_last = walk->parser.pos;
    if (!ref->has_alias) {
        DW_TRY(read_alias(&walk->parser, ref));
    }
    ref->travel_first = ref->travel_last = walk->parser.pos;
    DW_TRY(resolve(walk, ref, &object));
    if (object.kind != DW_OBJECT_DELTA) {
        dw_str name = dw__sql_name_print(&ref->name, walk->parser.arena);
        return dw__parser_refuse(&walk->parser, ref->name_first, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                                 "there is no Delta table %.*s whose changes could be read",
                                 DW_STR_ARG(name));
    }
    return put_reference(walk, ref, frame);
}

dw_status
dw__bind_table(dw_bind_walk *walk, dw_frame *frame)
{
    dw_parser *parser = &walk->parser;
    table_ref ref = {.has_alias = accept_prefix_alias(parser)};
    frame->state = DW_FRAME_EXPRESSION;
    if (ref.has_alias && !dw__parser_is_name(parser)) {
        frame->state = DW_FRAME_TABLE;
        return DW_OK;
    }
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        parser->pos++; /* the name of a file */
        return DW_OK;
    }
    ref.name_first = parser->pos;
    DW_TRY(dw__parser_table(parser, &ref.name));
    bool is_function = dw__parser_is_symbol(parser, "(");
    if (is_function && !dw__is_changes_function(&ref.name)) {
        return DW_OK; /* a table function of the engine */
    }
    if (is_function) {
        DW_TRY(bind_changes(walk, &ref, frame));
    } else {
        DW_TRY(read_tail(parser, &ref));
        DW_TRY(replace(walk, &ref, frame));
    }
    frame->is_whole_query = false;
    return DW_OK;
}
