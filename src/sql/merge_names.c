/*
 * Walking over the engine's syntax trees of expressions.
 */
#include "sql/merge_names.h"

#include "codec/json.h"

#define NAME_PARTS_MAX ((size_t) 8)

/* A column that an expression names. */
typedef struct column_name {
    size_t offset; /* in the text that was parsed */
    dw_str parts[NAME_PARTS_MAX];
    size_t part_count;
} column_name;

typedef struct name_vec {
    column_name *items;
    size_t count;
    size_t capacity;
} name_vec;

/* What is known of one expression. */
typedef struct expression_walk {
    const dw_allocator *allocator;
    name_vec names;
    name_vec parameters; /* of lambdas: no columns, whatever columns there are */
    bool has_subquery;
    dw_str volatile_function; /* null string: none */
    bool failed;              /* out of memory */
} expression_walk;

/* ---- The tree -------------------------------------------------------------------------------- */

static bool
is_class(dw_json node, const char *name)
{
    return dw__str_equal(dw__json_str(dw__json_get(node, DW_STR("class"))), dw__str_from(name));
}

static bool
read_name(dw_json node, column_name *out)
{
    int64_t offset;
    *out = (column_name){.offset = SIZE_MAX};
    dw_json_iter it = dw__json_iter(dw__json_get(node, DW_STR("column_names")));
    while (dw__json_next(&it) && out->part_count < NAME_PARTS_MAX) {
        out->parts[out->part_count++] = dw__json_str(it.value);
    }
    if (dw__json_i64(dw__json_get(node, DW_STR("query_location")), &offset) && offset >= 0) {
        out->offset = (size_t) offset;
    }
    return out->part_count > 0 && out->offset != SIZE_MAX;
}

static void
add_name(expression_walk *walk, name_vec *names, dw_json node)
{
    column_name name;
    if (read_name(node, &name)) {
        column_name *slot = DW_VEC_PUSH(walk->allocator, names);
        walk->failed = walk->failed || slot == NULL;
        if (slot != NULL) {
            *slot = name;
        }
    }
}

static void
look_at_function(expression_walk *walk, dw_json node)
{
    static const char *const names[] = {"random", "uuid",    "gen_random_uuid", "uuidv4",
                                        "uuidv7", "nextval", "setseed"};
    dw_str name = dw__json_str(dw__json_get(node, DW_STR("function_name")));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(names[i]))) {
            walk->volatile_function = name;
        }
    }
}

/* Nesting is bounded by DW_JSON_DEPTH_MAX. The names in a subquery are the subquery's. */
static void
walk_node(expression_walk *walk, dw_json node)
{
    bool is_lambda = is_class(node, "LAMBDA");
    if (is_class(node, "COLUMN_REF")) {
        add_name(walk, &walk->names, node);
        return;
    }
    if (is_class(node, "FUNCTION")) {
        look_at_function(walk, node);
    }
    walk->has_subquery = walk->has_subquery || is_class(node, "SUBQUERY");
    dw_json_iter it = dw__json_iter(node);
    while (dw__json_next(&it)) {
        bool is_parameter = is_lambda && dw__str_equal(it.key, DW_STR("lhs"));
        bool is_inner = it.is_object && dw__str_equal(it.key, DW_STR("subquery"));
        if (is_parameter && is_class(it.value, "COLUMN_REF")) {
            add_name(walk, &walk->parameters, it.value);
        } else if (is_parameter) {
            dw_json_iter children = dw__json_iter(dw__json_get(it.value, DW_STR("children")));
            while (dw__json_next(&children)) {
                add_name(walk, &walk->parameters, children.value);
            }
        } else if (!is_inner && (dw__json_kind(it.value) == DW_JSON_OBJECT ||
                                 dw__json_kind(it.value) == DW_JSON_ARRAY)) {
            walk_node(walk, it.value);
        }
    }
}

/* ---- Sides ----------------------------------------------------------------------------------- */

size_t
dw__merge_column(const dw_merge_side *side, dw_str name)
{
    for (size_t i = 0; i < side->column_count; i++) {
        if (dw__str_equal_nocase(side->columns[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The column of the side that the name stands for when it is qualified by the side's alias, or bare
 * and not the other side's, too; else SIZE_MAX. */
static size_t
resolve(const dw_merge_side *side, const dw_merge_side *other, const column_name *name)
{
    for (size_t i = 0; i + 1 < name->part_count; i++) {
        if (dw__str_equal_nocase(name->parts[i], side->alias)) {
            return dw__merge_column(side, name->parts[i + 1]);
        }
    }
    bool is_others = dw__merge_column(other, name->parts[0]) != SIZE_MAX;
    for (size_t i = 0; i + 1 < name->part_count; i++) {
        is_others = is_others || dw__str_equal_nocase(name->parts[i], other->alias);
    }
    return is_others ? SIZE_MAX : dw__merge_column(side, name->parts[0]);
}

static bool
is_parameter(const expression_walk *walk, const column_name *name)
{
    for (size_t i = 0; i < walk->parameters.count; i++) {
        if (dw__str_equal_nocase(walk->parameters.items[i].parts[0], name->parts[0])) {
            return true;
        }
    }
    return false;
}

/* A bare name that both sides have. */
static bool
is_ambiguous(const dw_merge_names *names, const expression_walk *walk, const column_name *name)
{
    bool is_qualified = false;
    for (size_t i = 0; i + 1 < name->part_count; i++) {
        is_qualified = is_qualified || dw__str_equal_nocase(name->parts[i], names->target.alias) ||
                       dw__str_equal_nocase(name->parts[i], names->source.alias);
    }
    return !is_qualified && !is_parameter(walk, name) &&
           dw__merge_column(&names->target, name->parts[0]) != SIZE_MAX &&
           dw__merge_column(&names->source, name->parts[0]) != SIZE_MAX;
}

/* ---- One expression -------------------------------------------------------------------------- */

static dw_status
refuse(const dw_merge_names *names, const dw_merge_text *text, const char *code,
       const char *message, dw_str what)
{
    dw_execution *x = names->x;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    DW_AUTO(dw_strbuf) line = dw__strbuf_make(x->arena.allocator, DW_ERROR_MESSAGE_SIZE);
    dw__strbuf_printf(&line, "%.*s: %s", DW_STR_ARG(what), message);
    return dw__parser_refuse(&parser, text->token, DW_INVALID_ARGUMENT, code, "%s",
                             dw__strbuf_cstr(&line));
}

static dw_status
check_condition(const dw_merge_names *names, const expression_walk *walk, const dw_merge_text *text)
{
    if (text->is_condition && !dw__str_is_null(walk->volatile_function)) {
        return refuse(names, text, "MERGE_INVALID",
                      "a condition of MERGE must come out the same each time: take such values "
                      "into the source",
                      walk->volatile_function);
    }
    if (text->is_condition && walk->has_subquery) {
        return refuse(names, text, "MERGE_INVALID",
                      "a condition of MERGE cannot have a subquery: join the source with it",
                      text->text);
    }
    return DW_OK;
}

/* [MERGE-1] */
static dw_status
check_scope(const dw_merge_names *names, const expression_walk *walk, const dw_merge_text *text)
{
    bool of_target = text->kind == DW_MERGE_NOT_MATCHED_BY_SOURCE;
    const dw_merge_side *other = of_target ? &names->source : &names->target;
    const dw_merge_side *side = of_target ? &names->target : &names->source;
    for (size_t i = 0; text->kind != DW_MERGE_MATCHED && i < walk->names.count; i++) {
        const column_name *name = &walk->names.items[i];
        if (!is_parameter(walk, name) && resolve(other, side, name) != SIZE_MAX) {
            return refuse(names, text, "COLUMN_NOT_FOUND",
                          of_target
                              ? "WHEN NOT MATCHED BY SOURCE has only the columns of the target"
                              : "WHEN NOT MATCHED has only the columns of the source",
                          name->parts[name->part_count - 1]);
        }
    }
    return DW_OK;
}

/* Puts the alias before bare names that both sides have. Names come in the text's order or not. */
static dw_status
qualify(const dw_merge_names *names, const expression_walk *walk, size_t begin, dw_merge_text *text)
{
    dw_execution *x = names->x;
    const dw_merge_side *side =
        text->kind == DW_MERGE_NOT_MATCHED_BY_SOURCE ? &names->target : &names->source;
    if (text->kind == DW_MERGE_MATCHED) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    for (size_t at = 0; at < text->text.len; at++) {
        for (size_t i = 0; i < walk->names.count; i++) {
            const column_name *name = &walk->names.items[i];
            if (name->offset == begin + at && is_ambiguous(names, walk, name)) {
                dw__sql_put_identifier(&out, side->alias);
                dw__strbuf_append_char(&out, '.');
                break;
            }
        }
        dw__strbuf_append_char(&out, text->text.ptr[at]);
    }
    DW_TRY(dw__strbuf_ok(&out, "the statement", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&out), &text->text) ? DW_OK
                                                                       : dw__error_oom(x->err);
}

/* ---- The condition of the whole -------------------------------------------------------------- */

static void
add_key(dw_merge_names *names, dw_json comparison)
{
    column_name left;
    column_name right;
    dw_json a = dw__json_get(comparison, DW_STR("left"));
    dw_json b = dw__json_get(comparison, DW_STR("right"));
    dw_str type = dw__json_str(dw__json_get(comparison, DW_STR("type")));
    if (!dw__str_equal(type, DW_STR("COMPARE_EQUAL")) || !is_class(a, "COLUMN_REF") ||
        !is_class(b, "COLUMN_REF") || !read_name(a, &left) || !read_name(b, &right)) {
        return;
    }
    dw_merge_key key = {resolve(&names->target, &names->source, &left),
                        resolve(&names->source, &names->target, &right)};
    if (key.target_idx == SIZE_MAX || key.source_idx == SIZE_MAX) {
        key = (dw_merge_key){resolve(&names->target, &names->source, &right),
                             resolve(&names->source, &names->target, &left)};
    }
    /* A field of a struct is not the column that it lies in. */
    if (key.target_idx != SIZE_MAX && key.source_idx != SIZE_MAX && left.part_count <= 2 &&
        right.part_count <= 2 && names->key_count < names->target.column_count) {
        names->keys[names->key_count++] = key;
    }
}

/* Nesting is bounded by DW_JSON_DEPTH_MAX. */
static void
find_keys(dw_merge_names *names, dw_json node)
{
    dw_str type = dw__json_str(dw__json_get(node, DW_STR("type")));
    if (is_class(node, "COMPARISON")) {
        add_key(names, node);
    } else if (dw__str_equal(type, DW_STR("CONJUNCTION_AND"))) {
        dw_json_iter it = dw__json_iter(dw__json_get(node, DW_STR("children")));
        while (dw__json_next(&it)) {
            find_keys(names, it.value);
        }
    }
}

static void
note_target_columns(dw_merge_names *names, const expression_walk *walk)
{
    for (size_t i = 0; i < walk->names.count; i++) {
        size_t idx = resolve(&names->target, &names->source, &walk->names.items[i]);
        if (idx != SIZE_MAX) {
            names->target_uses[idx] = true;
        }
    }
}

/* ---- All expressions ------------------------------------------------------------------------- */

static dw_status
read_one(dw_merge_names *names, dw_json node, size_t begin, bool is_first, dw_merge_text *text)
{
    const dw_allocator *allocator = names->x->arena.allocator;
    expression_walk walk = {.allocator = allocator, .volatile_function = DW_STR_NULL};
    walk_node(&walk, node);
    dw_status status = walk.failed ? dw__error_oom(names->x->err) : DW_OK;
    if (status == DW_OK) {
        status = check_condition(names, &walk, text);
    }
    if (status == DW_OK) {
        status = check_scope(names, &walk, text);
    }
    if (status == DW_OK) {
        status = qualify(names, &walk, begin, text);
    }
    if (status == DW_OK && is_first) {
        note_target_columns(names, &walk);
        find_keys(names, node);
    }
    DW_VEC_DEINIT(allocator, &walk.names);
    DW_VEC_DEINIT(allocator, &walk.parameters);
    return status;
}

/* SELECT (a\n), (b\n), ...: `begins` are the offsets of the expressions in it. */
static dw_status
ask_engine(const dw_merge_names *names, const dw_merge_text *texts, size_t count, size_t *begins,
           dw_str *json_out)
{
    dw_execution *x = names->x;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) select = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, 2 * DW_SQL_ENGINE_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(&select, i == 0 ? DW_STR("SELECT (") : DW_STR(", ("));
        begins[i] = select.len;
        dw__strbuf_append(&select, texts[i].text);
        dw__strbuf_append_literal(&select, "\n)");
    }
    dw__strbuf_append_literal(&sql, "SELECT json_serialize_sql(");
    dw__sql_put_literal(&sql, dw__strbuf_str(&select));
    dw__strbuf_append_char(&sql, ')');
    DW_TRY(dw__strbuf_ok(&select, "the statement", x->err));
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    DW_TRY(dw__connection_query_text(x->session->connection, dw__strbuf_str(&sql), &x->arena, &rows,
                                     x->err));
    *json_out = rows.row_count == 1 ? rows.cells[0] : DW_STR("{}");
    return DW_OK;
}

static dw_status
not_an_expression(const dw_merge_names *names, dw_json root)
{
    dw_str message = dw__json_str(dw__json_get(root, DW_STR("error_message")));
    return dw__error_set(names->x->err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                         "expected expressions, found something else: %.*s",
                         DW_STR_ARG(dw__str_is_null(message) ? DW_STR("") : message));
}

dw_status
dw__merge_names_read(dw_merge_names *names, dw_merge_text *texts, size_t count)
{
    dw_execution *x = names->x;
    dw_str json;
    size_t *begins = DW_ARENA_ARRAY(&x->arena, size_t, count + 1);
    names->keys = DW_ARENA_ARRAY(&x->arena, dw_merge_key, names->target.column_count + 1);
    names->target_uses = DW_ARENA_ARRAY(&x->arena, bool, names->target.column_count + 1);
    if (begins == NULL || names->keys == NULL || names->target_uses == NULL) {
        return dw__error_oom(x->err);
    }
    DW_TRY(ask_engine(names, texts, count, begins, &json));
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(x->arena.allocator, json, "the expressions of MERGE", &doc, x->err));
    dw_json root = dw__json_root(doc);
    dw_json_iter statements = dw__json_iter(dw__json_get(root, DW_STR("statements")));
    bool found = dw__json_next(&statements);
    dw_json node = found ? dw__json_get(statements.value, DW_STR("node")) : (dw_json){NULL};
    dw_json list = dw__json_get(node, DW_STR("select_list"));
    if (dw__json_count(list) != count || dw__json_next(&statements)) {
        return not_an_expression(names, root);
    }
    dw_json_iter it = dw__json_iter(list);
    for (size_t i = 0; dw__json_next(&it); i++) {
        DW_TRY(read_one(names, it.value, begins[i], i == 0, &texts[i]));
    }
    return DW_OK;
}
