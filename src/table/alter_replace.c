/*
 * ALTER TABLE ... REPLACE COLUMNS: the columns as they are listed, in that order. Those that are
 * there keep what they are; what is listed may add, widen, and drop columns, and let them be NULL.
 */
#include "table/alter_columns_core.h"

#include "codec/json.h"
#include "protocol/schema_edit.h"
#include "table/column_dependants.h"

#define NAME_BYTES_MAX ((size_t) 65536)
#define CODE "UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP"

/* A place on the way down. */
typedef struct way {
    dw_str parts[DW_COLUMN_PARTS_MAX];
    size_t count;
} way;

typedef struct replacing {
    dw_alter *alter;
    dw_alter_report *report;
    way at;
    bool drops; /* what for the mapping is needed */
    dw_error *err;
} replacing;

static dw_status replace_type(replacing *r, const dw_type *from, const dw_type *to,
                              dw_field *holder, dw_str below, const dw_type **out);

static dw_status
refuse(const replacing *r, const char *code, const char *what, dw_str name)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(r->alter->arena.allocator, NAME_BYTES_MAX);
    dw__column_parts_print(&path, r->at.parts, r->at.count);
    if (!dw__str_is_null(name)) {
        dw__strbuf_append(&path, r->at.count > 0 ? DW_STR(".") : DW_STR(""));
        dw__column_parts_print(&path, &name, 1);
    }
    DW_TRY(dw__strbuf_ok(&path, "a column's name", r->err));
    return dw__error_set(r->err, DW_INVALID_ARGUMENT, code, "column %s %s", dw__strbuf_cstr(&path),
                         what);
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

static dw_status
replace_leaf(replacing *r, const dw_type *from, const dw_type *to, dw_field *holder, dw_str below,
             const dw_type **out)
{
    *out = from;
    if (dw__type_equal(from, to, true)) {
        return DW_OK;
    }
    if (dw__type_is_nested(from) || (dw__type_is_nested(to) && from->kind != DW_TYPE_VOID)) {
        return refuse(r, CODE, "cannot become or cease to be a struct, array or map", DW_STR_NULL);
    }
    /* A spot of its own: only the type and its record come of it. */
    dw_type parent = {.kind = DW_TYPE_ARRAY};
    dw_type leaf = *from;
    dw_schema_spot spot = {.type = &leaf,
                           .parent = &parent,
                           .idx = SIZE_MAX,
                           .holder = holder,
                           .below_holder = below,
                           .names = r->at.parts,
                           .name_count = r->at.count};
    if (below.len == 0 && (holder->traits & DW_FIELD_GENERATED) != 0) {
        spot.field = holder;
    }
    DW_TRY(dw__columns_widen(r->alter, &spot, to, CODE, r->err));
    *out = to;
    return DW_OK;
}

/* ---- Structs --------------------------------------------------------------------------------- */

static dw_status
enter(replacing *r, dw_str part)
{
    if (r->at.count == DW_COLUMN_PARTS_MAX) {
        return refuse(r, CODE, "is nested too deep", DW_STR_NULL);
    }
    r->at.parts[r->at.count++] = part;
    return DW_OK;
}

/* A field that both have: the old one with the new one's type, nullability and comment. */
static dw_status
replace_field(replacing *r, const dw_field *from, const dw_field *to, dw_field *out)
{
    dw_str comment;
    DW_TRY(enter(r, from->name));
    if (from->nullable && !to->nullable) {
        return refuse(r, CODE,
                      "may be NULL, and cannot become NOT NULL here: use ALTER COLUMN ... "
                      "SET NOT NULL",
                      DW_STR_NULL);
    }
    *out = *from;
    out->nullable = to->nullable;
    DW_TRY(dw__field_metadata_get(to, DW_STR("comment"), &r->alter->arena, &comment, r->err));
    if (!dw__str_is_null(comment)) {
        DW_AUTO(dw_strbuf) json =
            dw__strbuf_make(r->alter->arena.allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
        dw__json_put_string(&json, comment);
        DW_TRY(dw__strbuf_ok(&json, "a comment", r->err));
        DW_TRY(dw__field_metadata_set(out, DW_STR("comment"), dw__strbuf_str(&json),
                                      &r->alter->arena, r->err));
    }
    DW_TRY(replace_type(r, from->type, to->type, out, DW_STR(""), &out->type));
    r->at.count--;
    return DW_OK;
}

static dw_status
check_new_field(replacing *r, const dw_type *from, const dw_field *field)
{
    if (!field->nullable) {
        return refuse(r, CODE,
                      "cannot be added as NOT NULL: rows that are there have no value "
                      "for it",
                      field->name);
    }
    if ((field->traits & (DW_FIELD_GENERATED | DW_FIELD_IDENTITY)) != 0) {
        return refuse(r, CODE, "cannot be added as a generated or identity column", field->name);
    }
    return dw__columns_check_name(r->alter, from, field->name, r->at.count == 0, r->err);
}

static dw_status
check_dropped(replacing *r, const dw_type *from, const dw_type *to, bool adds)
{
    for (size_t i = 0; i < from->field_count; i++) {
        dw_str name = from->fields[i].name;
        if (dw__schema_find(to, name) != NULL) {
            continue;
        }
        if (adds) {
            return refuse(r, "AMBIGUOUS_DATA_TYPE_CHANGE",
                          "is not listed while another one is new: it may be dropped or renamed; "
                          "say which with ALTER TABLE ... ADD, DROP or RENAME COLUMN",
                          name);
        }
        r->drops = true;
        DW_TRY(enter(r, name));
        dw_name_path path = {r->at.parts, r->at.count};
        DW_TRY(dw__dependants_check_drop(r->alter, path, r->err));
        DW_TRY(dw__dependants_check_expressions(r->alter, path, r->err));
        DW_TRY(dw__dependants_update_properties(r->alter, path, NULL, r->err));
        r->at.count--;
    }
    return DW_OK;
}

static dw_status
replace_struct(replacing *r, const dw_type *from, const dw_type *to, const dw_type **out)
{
    dw_field *fields = DW_ARENA_ARRAY(&r->alter->arena, dw_field, to->field_count + 1);
    bool adds = false;
    if (fields == NULL) {
        return dw__error_oom(r->err);
    }
    for (size_t i = 0; i < to->field_count; i++) {
        const dw_field *before = dw__schema_find(from, to->fields[i].name);
        if (before != NULL) {
            DW_TRY(replace_field(r, before, &to->fields[i], &fields[i]));
        } else {
            adds = true;
            fields[i] = to->fields[i];
            DW_TRY(check_new_field(r, from, &fields[i]));
        }
    }
    DW_TRY(check_dropped(r, from, to, adds));
    *out = dw__type_make_struct(&r->alter->arena, fields, to->field_count);
    return *out == NULL ? dw__error_oom(r->err) : DW_OK;
}

/* ---- Arrays and maps ------------------------------------------------------------------------- */

static dw_status
replace_part(replacing *r, const dw_type *from, const dw_type *to, const char *part,
             dw_field *holder, dw_str below, const dw_type **out)
{
    dw_str inner = dw__arena_printf(&r->alter->arena, "%.*s%s%s", DW_STR_ARG(below),
                                    below.len == 0 ? "" : ".", part);
    if (dw__str_is_null(inner)) {
        return dw__error_oom(r->err);
    }
    DW_TRY(enter(r, dw__str_from(part)));
    DW_TRY(replace_type(r, from, to, holder, inner, out));
    r->at.count--;
    return DW_OK;
}

static dw_status
replace_collection(replacing *r, const dw_type *from, const dw_type *to, dw_field *holder,
                   dw_str below, const dw_type **out)
{
    dw_type *copy = DW_ARENA_NEW(&r->alter->arena, dw_type);
    if (copy == NULL) {
        return dw__error_oom(r->err);
    }
    *copy = *from;
    *out = copy;
    bool is_map = from->kind == DW_TYPE_MAP;
    if (is_map) {
        DW_TRY(replace_part(r, from->key, to->key, "key", holder, below, &copy->key));
    }
    return replace_part(r, from->element, to->element, is_map ? "value" : "element", holder, below,
                        &copy->element);
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
replace_type(replacing *r, const dw_type *from, const dw_type *to, dw_field *holder, dw_str below,
             const dw_type **out)
{
    if (from->kind != to->kind || !dw__type_is_nested(from)) {
        return replace_leaf(r, from, to, holder, below, out);
    }
    return from->kind == DW_TYPE_STRUCT ? replace_struct(r, from, to, out)
                                        : replace_collection(r, from, to, holder, below, out);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static dw_status
put_columns(const dw_field *columns, size_t count, dw_strbuf *parameters, dw_error *err)
{
    DW_AUTO(dw_strbuf) json =
        dw__strbuf_make(parameters->allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    dw__strbuf_append_char(&json, '[');
    for (size_t i = 0; i < count; i++) {
        dw__json_put_comma(&json);
        dw__columns_put_field(&json, &columns[i].name, 1, &columns[i]);
        dw__strbuf_append_char(&json, '}');
    }
    dw__strbuf_append_char(&json, ']');
    return dw__columns_put_parameter(parameters, "columns", &json, err);
}

static dw_status
replace_columns(dw_alter *alter, const dw_type *to, dw_alter_report *report, dw_error *err)
{
    replacing r = {.alter = alter, .report = report, .err = err};
    const dw_type *schema;
    if (dw__schema_find_trait(alter->schema, DW_FIELD_IDENTITY) != NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT,
                             "IDENTITY_COLUMNS_REPLACE_COLUMN_NOT_SUPPORTED",
                             "REPLACE COLUMNS cannot be used on a table with an identity column: "
                             "use ADD, DROP and ALTER COLUMN");
    }
    DW_TRY(replace_struct(&r, alter->schema, to, &schema));
    if (r.drops) {
        /* The mapping is that of the columns as they were; then once more on top of it. */
        replacing again = {.alter = alter, .report = report, .err = err};
        DW_TRY(dw__columns_need_mapping(alter, "dropping columns by REPLACE COLUMNS", CODE, report,
                                        err));
        DW_TRY(replace_struct(&again, alter->schema, to, &schema));
    }
    alter->schema = schema;
    return DW_OK;
}

dw_status
dw__table_replace_columns(dw_table *table, const dw_field *columns, size_t count,
                          dw_alter_report *report, dw_error *err)
{
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, DW_COLUMN_PARAMETERS_BYTES_MAX);
    dw_alter alter;
    report->version = -1;
    dw_status status = dw__columns_open(&alter, table, 0, err);
    if (status == DW_OK) {
        dw_type to = {.kind = DW_TYPE_STRUCT,
                      .fields = (dw_field *) (uintptr_t) columns,
                      .field_count = count};
        status = replace_columns(&alter, &to, report, err);
    }
    if (status == DW_OK) {
        status = put_columns(columns, count, &parameters, err);
    }
    if (status == DW_OK) {
        status = dw__columns_commit(&alter, "REPLACE COLUMNS", &parameters, report, err);
    }
    dw__alter_close(&alter);
    return status;
}
