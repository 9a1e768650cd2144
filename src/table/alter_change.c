/*
 * ALTER TABLE ... ALTER COLUMN: type, comment, NOT NULL, default and place of columns.
 */
#include "table/alter_columns_core.h"

#include "codec/json.h"
#include "expression/expression.h"
#include "table/constraint.h"

#define EXPRESSION_BYTES_MAX ((size_t) 65536)
#define DEFAULT_KEY DW_STR("CURRENT_DEFAULT")

typedef struct column_alter {
    dw_alter alter;
    dw_connection *connection;
    const dw_column_change *change;
    dw_schema_spot spot;
    dw_alter_report *report;
    dw_error *err;
} column_alter;

static dw_status
refuse(const column_alter *c, const char *code, const char *why)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(c->alter.arena.allocator, EXPRESSION_BYTES_MAX);
    dw__column_parts_print(&name, c->spot.names, c->spot.name_count);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", c->err));
    return dw__error_set(c->err, DW_INVALID_ARGUMENT, code, "column %s: %s", dw__strbuf_cstr(&name),
                         why);
}

/* ---- Type ------------------------------------------------------------------------------------ */

static dw_status
change_type(column_alter *c)
{
    const dw_type *to = c->change->type;
    if (to == NULL || dw__type_equal(c->spot.type, to, true)) {
        return DW_OK;
    }
    switch ((unsigned) c->spot.type->kind) {
    case DW_TYPE_STRUCT:
        return refuse(
            c, "CANNOT_UPDATE_STRUCT_FIELD",
            "a struct is changed by its fields: ADD, DROP, RENAME or ALTER COLUMN st.field");
    case DW_TYPE_ARRAY:
        return refuse(c, "CANNOT_UPDATE_ARRAY_FIELD",
                      "an array is changed by its elements: ALTER COLUMN a.element TYPE ...");
    case DW_TYPE_MAP:
        return refuse(c, "CANNOT_UPDATE_MAP_FIELD",
                      "a map is changed by its parts: ALTER COLUMN m.key or m.value TYPE ...");
    default:
        return dw__columns_widen(&c->alter, &c->spot, to, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                                 c->err);
    }
}

/* ---- NOT NULL -------------------------------------------------------------------------------- */

/* Looks for a row that has none. */
static dw_status
verify_not_null(column_alter *c)
{
    dw_alter *alter = &c->alter;
    dw_row_check check;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(alter->arena.allocator, EXPRESSION_BYTES_MAX);
    dw__column_parts_print(&text, c->spot.names, c->spot.name_count);
    dw_str name = dw__arena_printf(&alter->arena, "NOT NULL of %s", dw__strbuf_cstr(&text));
    dw__strbuf_append_literal(&text, " IS NOT NULL");
    DW_TRY(dw__strbuf_ok(&text, "a condition", c->err));
    if (dw__str_is_null(name)) {
        return dw__error_oom(c->err);
    }
    DW_TRY(dw__row_check_make(name, dw__strbuf_str(&text), dw__log_snapshot_schema(alter->snapshot),
                              &alter->arena, &check, c->err));
    check.code = "NEW_NOT_NULL_VIOLATION";
    check.label = name;
    alter->reads_all_files = true;
    return dw__file_set_count(dw__log_snapshot_files(alter->snapshot)) == 0
               ? DW_OK
               : dw__row_check_verify(alter->table, c->connection, alter->snapshot, &check, c->err);
}

static dw_status
set_not_null(column_alter *c)
{
    if (c->spot.is_in_collection) {
        return refuse(c, "NESTED_NOT_NULL_CONSTRAINT",
                      "there is no NOT NULL inside of arrays and maps");
    }
    if (c->spot.has_nullable_parent) {
        return refuse(c, "NOT_NULL_NESTED_FIELD",
                      "a struct that it is in may be NULL: SET NOT NULL for that one first");
    }
    if (c->spot.type->kind == DW_TYPE_VOID) {
        return refuse(c, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                      "it has no type, and so only NULL");
    }
    DW_TRY(verify_not_null(c));
    c->spot.field->nullable = false;
    dw__alter_want(&c->alter, DW_STR("delta.feature.invariants"), DW_STR("supported"));
    return DW_OK;
}

static dw_status
change_nullable(column_alter *c)
{
    if (!c->change->has_nullable || c->change->nullable == c->spot.nullable) {
        return DW_OK;
    }
    if (c->spot.field == NULL) {
        return refuse(c, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                      "whether elements, keys and values may be NULL stays as it is");
    }
    if (c->change->nullable) {
        c->spot.field->nullable = true;
        return DW_OK;
    }
    return set_not_null(c);
}

/* ---- Comment and default --------------------------------------------------------------------- */

/* The text as a member of the column's metadata; the null string takes it out. */
static dw_status
set_text(column_alter *c, dw_str key, dw_str text)
{
    dw_arena *arena = &c->alter.arena;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena->allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    if (dw__str_is_null(text)) {
        return dw__field_metadata_set(c->spot.field, key, DW_STR_NULL, arena, c->err);
    }
    dw__json_put_string(&json, text);
    DW_TRY(dw__strbuf_ok(&json, "a column's metadata", c->err));
    return dw__field_metadata_set(c->spot.field, key, dw__strbuf_str(&json), arena, c->err);
}

static dw_status
change_comment(column_alter *c)
{
    if (!c->change->has_comment) {
        return DW_OK;
    }
    return c->spot.field == NULL
               ? refuse(c, "ADD_COMMENT_TO_MAP_ARRAY",
                        "elements, keys and values have no comments: give it to their column")
               : set_text(c, DW_STR("comment"), c->change->comment);
}

/* It must be one that a row can get. */
static dw_status
check_default(column_alter *c)
{
    dw_expression expression;
    dw_status status = dw__expression_translate(c->change->default_text, NULL, &c->alter.arena,
                                                &expression, c->err);
    if (status == DW_OK) {
        status = dw__expression_cast(&expression, c->spot.type, &c->alter.arena, c->err);
    }
    if (status != DW_OK) {
        dw__error_context(c->err, "the default of column \"%.*s\"",
                          DW_STR_ARG(c->spot.field->name));
    }
    return status;
}

static dw_status
change_default(column_alter *c)
{
    const dw_column_change *change = c->change;
    if (!change->has_default) {
        return DW_OK;
    }
    if (c->spot.field == NULL || c->spot.name_count > 1) {
        return refuse(c, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                      "only whole columns have defaults, not what is in them");
    }
    if ((c->spot.field->traits & DW_FIELD_GENERATED) != 0 &&
        !dw__str_is_null(change->default_text)) {
        return refuse(c, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                      "a generated column has its expression, and no default");
    }
    if (dw__str_is_null(change->default_text)) {
        return set_text(c, DEFAULT_KEY, DW_STR_NULL);
    }
    DW_TRY(check_default(c));
    if (!dw__protocol_supports(dw__log_snapshot_protocol(c->alter.snapshot),
                               DW_FEATURE_ALLOW_COLUMN_DEFAULTS)) {
        DW_TRY(dw__alter_notice(c->report,
                                dw__arena_printf(c->report->arena,
                                                 "the table got the feature allowColumnDefaults, "
                                                 "which a DEFAULT needs: writers must know it"),
                                c->err));
    }
    return set_text(c, DEFAULT_KEY, change->default_text);
}

/* ---- Place ----------------------------------------------------------------------------------- */

static dw_status
change_place(column_alter *c)
{
    const dw_column_change *change = c->change;
    if (change->place == DW_PLACE_SAME) {
        return DW_OK;
    }
    if (c->spot.field == NULL) {
        return refuse(c, "UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
                      "elements, keys and values have no place");
    }
    dw_type *parent = c->spot.parent;
    size_t from = c->spot.idx;
    size_t to = 0;
    if (change->place == DW_PLACE_AFTER) {
        DW_TRY(dw__columns_find_after(parent, change->after, &to, c->err));
        if (to == from + 1) {
            return DW_OK; /* behind itself */
        }
        to -= to > from ? 1 : 0;
    }
    dw__struct_move(parent, from, to);
    c->spot.idx = to;
    c->spot.field = &parent->fields[to];
    return DW_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static dw_status
check_identity(const column_alter *c)
{
    const dw_column_change *change = c->change;
    bool is_identity = c->spot.field != NULL && (c->spot.field->traits & DW_FIELD_IDENTITY) != 0;
    if (!is_identity || (change->type == NULL && !change->has_nullable && !change->has_default)) {
        return DW_OK;
    }
    return refuse(c, "IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED",
                  "of an identity column only name, comment and place can be changed");
}

static dw_status
change_column(column_alter *c, dw_strbuf *json)
{
    const dw_column_change *change = c->change;
    dw_alter *alter = &c->alter;
    DW_TRY(dw__schema_spot_find(alter->schema, change->path.parts, change->path.count,
                                &alter->arena, &alter->schema, &c->spot, c->err));
    DW_TRY(check_identity(c));
    DW_TRY(change_nullable(c)); /* while an expression still fits the schema as it was read */
    DW_TRY(change_type(c));
    DW_TRY(change_comment(c));
    DW_TRY(change_default(c));
    DW_TRY(change_place(c));
    dw_field inner = {.type = change->type != NULL ? change->type : c->spot.type,
                      .nullable = c->spot.nullable,
                      .metadata_json = DW_STR("{}")};
    dw__columns_put_field(json, c->spot.names, c->spot.name_count,
                          c->spot.field != NULL ? c->spot.field : &inner);
    return DW_OK;
}

/* One column is told in a parameter of its own, with its place beside it. */
static dw_status
change_one(column_alter *c, dw_strbuf *json, dw_strbuf *parameters)
{
    const dw_column_change *change = c->change;
    DW_TRY(change_column(c, json));
    dw__strbuf_append_char(json, '}');
    DW_TRY(dw__columns_put_parameter(parameters, "column", json, c->err));
    if (change->place == DW_PLACE_SAME) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) place = dw__strbuf_make(json->allocator, EXPRESSION_BYTES_MAX);
    dw__strbuf_append(&place, change->place == DW_PLACE_FIRST ? DW_STR("FIRST") : DW_STR("AFTER "));
    dw__column_parts_print(&place, &change->after, change->place == DW_PLACE_FIRST ? 0 : 1);
    return dw__columns_put_parameter(parameters, "position", &place, c->err);
}

static dw_status
change_several(column_alter *c, const dw_column_change *changes, size_t count, dw_strbuf *json,
               dw_strbuf *parameters)
{
    dw__strbuf_append_char(json, '[');
    for (size_t i = 0; i < count; i++) {
        c->change = &changes[i];
        dw__json_put_comma(json);
        DW_TRY(change_column(c, json));
        dw__columns_put_place(json, changes[i].place, changes[i].after);
    }
    dw__strbuf_append_char(json, ']');
    return dw__columns_put_parameter(parameters, "columns", json, c->err);
}

dw_status
dw__table_change_columns(dw_table *table, dw_connection *connection,
                         const dw_column_change *changes, size_t count, dw_alter_report *report,
                         dw_error *err)
{
    const dw_allocator *allocator = dw__table_env(table)->allocator;
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    column_alter c = {.connection = connection, .change = changes, .report = report, .err = err};
    report->version = -1;
    dw_status status = dw__columns_open(&c.alter, table, 1, err);
    if (status == DW_OK) {
        status = count == 1 ? change_one(&c, &json, &parameters)
                            : change_several(&c, changes, count, &json, &parameters);
    }
    if (status == DW_OK) {
        status = dw__columns_commit(&c.alter, count == 1 ? "CHANGE COLUMN" : "CHANGE COLUMNS",
                                    &parameters, report, err);
    }
    dw__alter_close(&c.alter);
    return status;
}
