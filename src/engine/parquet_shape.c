/*
 * The columns wanted against the columns there. Reading goes through the reader's `schema` option:
 * it decodes only the struct fields that are asked for, fills in NULL for those that are missing,
 * and widens integers. Since it would also turn a struct into text, shapes are compared first.
 */
#include "engine/parquet_shape.h"

#include <stdio.h>

#include "base/assert.h"

enum { COLUMN_PATH_BYTES_MAX = 256 };

/* ---- SQL ------------------------------------------------------------------------------------- */

static const char *
plain_type(dw_vector_kind kind)
{
    switch (kind) {
    case DW_VECTOR_BOOL:
        return "BOOLEAN";
    case DW_VECTOR_I32:
        return "INTEGER";
    case DW_VECTOR_I64:
        return "BIGINT";
    case DW_VECTOR_DOUBLE:
        return "DOUBLE";
    case DW_VECTOR_STR:
        return "VARCHAR";
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
        break;
    }
    return NULL;
}

void
dw__shape_put_type(dw_strbuf *out, const dw_column_spec *spec)
{
    const char *plain = plain_type(spec->kind);
    if (plain != NULL) {
        dw__strbuf_append(out, dw__str_from(plain));
        return;
    }
    if (spec->kind == DW_VECTOR_LIST) {
        dw_assert(spec->child_count == 1);
        dw__shape_put_type(out, &spec->children[0]);
        dw__strbuf_append_literal(out, "[]");
        return;
    }
    bool is_map = spec->kind == DW_VECTOR_MAP;
    dw_assert(!is_map || spec->child_count == 2);
    dw__strbuf_append(out, is_map ? DW_STR("MAP(") : DW_STR("STRUCT("));
    for (size_t i = 0; i < spec->child_count; i++) {
        if (i > 0) {
            dw__strbuf_append_literal(out, ", ");
        }
        if (!is_map) {
            dw__sql_put_identifier(out, dw__str_from(spec->children[i].name));
            dw__strbuf_append_char(out, ' ');
        }
        dw__shape_put_type(out, &spec->children[i]);
    }
    dw__strbuf_append_char(out, ')');
}

void
dw__path_put_escaped(dw_strbuf *out, dw_str path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (c == '*' || c == '?' || c == '[') {
            dw__strbuf_printf(out, "[%c]", c);
        } else {
            dw__strbuf_append_char(out, c);
        }
    }
}

void
dw__shape_put_reader(dw_strbuf *out, dw_str path)
{
    DW_AUTO(dw_strbuf) escaped = dw__strbuf_make(out->allocator, DW_SQL_BYTES_MAX);
    dw__path_put_escaped(&escaped, path);
    out->failed = out->failed || escaped.failed;
    dw__strbuf_append_literal(out, "read_parquet(");
    dw__sql_put_literal(out, dw__strbuf_str(&escaped));
    dw__strbuf_append_literal(out, ", binary_as_string = true, hive_partitioning = false");
}

/* `'add': {name: 'add', type: 'STRUCT(...)', default_value: NULL}` */
static void
put_schema_entry(dw_strbuf *out, const dw_column_spec *spec)
{
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(out->allocator, DW_SQL_BYTES_MAX);
    dw__shape_put_type(&type, spec);
    out->failed = out->failed || type.failed;
    dw__sql_put_literal(out, dw__str_from(spec->name));
    dw__strbuf_append_literal(out, ": {name: ");
    dw__sql_put_literal(out, dw__str_from(spec->name));
    dw__strbuf_append_literal(out, ", type: ");
    dw__sql_put_literal(out, dw__strbuf_str(&type));
    dw__strbuf_append_literal(out, ", default_value: NULL}");
}

static void
put_required(dw_strbuf *out, const char *const *required_path)
{
    dw__strbuf_append_literal(out, " WHERE ");
    for (size_t i = 0; required_path[i] != NULL; i++) {
        if (i > 0) {
            dw__strbuf_append_char(out, '.');
        }
        dw__sql_put_identifier(out, dw__str_from(required_path[i]));
    }
    dw__strbuf_append_literal(out, " IS NOT NULL");
}

void
dw__shape_put_query(dw_strbuf *out, dw_str path, const dw_parquet_read *request)
{
    dw__strbuf_append_literal(out, "SELECT ");
    for (size_t i = 0; i < request->column_count; i++) {
        if (i > 0) {
            dw__strbuf_append_literal(out, ", ");
        }
        dw__sql_put_identifier(out, dw__str_from(request->columns[i].name));
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__shape_put_reader(out, path);
    dw__strbuf_append_literal(out, ", schema = MAP {");
    for (size_t i = 0; i < request->column_count; i++) {
        if (i > 0) {
            dw__strbuf_append_literal(out, ", ");
        }
        put_schema_entry(out, &request->columns[i]);
    }
    /* Named, so that a field path is not taken for the name of a table. */
    dw__strbuf_append_literal(out, "}) AS file");
    if (request->required_path != NULL) {
        put_required(out, request->required_path);
    }
}

/* ---- The check ------------------------------------------------------------------------------- */

typedef struct checker {
    const dw_duck *duck;
    dw_strbuf *scratch; /* for the name of the type that was found */
    char path[COLUMN_PATH_BYTES_MAX];
    size_t path_len;
    dw_error *err;
} checker;

static dw_status check_type(checker *c, const dw_column_spec *spec, duckdb_logical_type type);

static bool
reads_as(dw_vector_kind kind, duckdb_type id)
{
    bool is_i32 = id == DUCKDB_TYPE_INTEGER || id == DUCKDB_TYPE_SMALLINT ||
                  id == DUCKDB_TYPE_TINYINT || id == DUCKDB_TYPE_USMALLINT ||
                  id == DUCKDB_TYPE_UTINYINT;
    bool is_i64 = is_i32 || id == DUCKDB_TYPE_BIGINT || id == DUCKDB_TYPE_UINTEGER;
    switch (kind) {
    case DW_VECTOR_BOOL:
        return id == DUCKDB_TYPE_BOOLEAN;
    case DW_VECTOR_I32:
        return is_i32;
    case DW_VECTOR_I64:
        return is_i64;
    case DW_VECTOR_DOUBLE:
        return id == DUCKDB_TYPE_DOUBLE || id == DUCKDB_TYPE_FLOAT || is_i32;
    case DW_VECTOR_STR:
        return id == DUCKDB_TYPE_VARCHAR;
    case DW_VECTOR_LIST:
        return id == DUCKDB_TYPE_LIST;
    case DW_VECTOR_MAP:
        return id == DUCKDB_TYPE_MAP;
    case DW_VECTOR_STRUCT:
        return id == DUCKDB_TYPE_STRUCT;
    }
    return false;
}

static dw_status
wrong_type(checker *c, const dw_column_spec *spec, duckdb_logical_type found)
{
    dw__strbuf_clear(c->scratch);
    dw__shape_put_type(c->scratch, spec);
    dw__strbuf_append_literal(c->scratch, ", found ");
    DW_TRY(dw__duck_type_print(c->duck, found, c->scratch, c->err));
    return dw__error_set(c->err, DW_CORRUPT, "PARQUET_TYPE", "expected column %s to be %.*s",
                         c->path, DW_STR_ARG(dw__strbuf_str(c->scratch)));
}

static size_t
push_name(checker *c, const char *name)
{
    size_t before = c->path_len;
    int written =
        snprintf(c->path + before, sizeof(c->path) - before, "%s%s", before == 0 ? "" : ".", name);
    size_t room = sizeof(c->path) - 1 - before;
    c->path_len = before + ((size_t) written < room ? (size_t) written : room);
    return before;
}

static void
pop_name(checker *c, size_t before)
{
    c->path_len = before;
    c->path[before] = '\0';
}

/* Takes over `type`. */
static dw_status
check_child(checker *c, const char *name, const dw_column_spec *spec, duckdb_logical_type type)
{
    size_t before = push_name(c, name);
    dw_status status = check_type(c, spec, type);
    pop_name(c, before);
    c->duck->destroy_logical_type(&type);
    return status;
}

static dw_status
check_struct(checker *c, const dw_column_spec *spec, duckdb_logical_type type)
{
    const dw_duck *duck = c->duck;
    idx_t count = duck->struct_type_child_count(type);
    for (idx_t i = 0; i < count; i++) {
        char *name = duck->struct_type_child_name(type, i);
        dw_status status = DW_OK;
        for (size_t k = 0; k < spec->child_count && status == DW_OK; k++) {
            if (name != NULL && strcmp(name, spec->children[k].name) == 0) {
                status =
                    check_child(c, name, &spec->children[k], duck->struct_type_child_type(type, i));
            }
        }
        duck->release(name);
        DW_TRY(status);
    }
    return DW_OK;
}

static dw_status
check_type(checker *c, const dw_column_spec *spec, duckdb_logical_type type)
{
    const dw_duck *duck = c->duck;
    if (!reads_as(spec->kind, duck->get_type_id(type))) {
        return wrong_type(c, spec, type);
    }
    if (spec->kind == DW_VECTOR_STRUCT) {
        return check_struct(c, spec, type);
    }
    if (spec->kind == DW_VECTOR_LIST) {
        return check_child(c, "element", &spec->children[0], duck->list_type_child_type(type));
    }
    if (spec->kind == DW_VECTOR_MAP) {
        DW_TRY(check_child(c, "key", &spec->children[0], duck->map_type_key_type(type)));
        return check_child(c, "value", &spec->children[1], duck->map_type_value_type(type));
    }
    return DW_OK;
}

dw_status
dw__shape_check(const dw_duck *duck, duckdb_prepared_statement columns, const dw_column_spec *specs,
                size_t spec_count, dw_strbuf *scratch, dw_error *err)
{
    checker c = {duck, scratch, {0}, 0, err};
    idx_t count = duck->prepared_statement_column_count(columns);
    for (idx_t i = 0; i < count; i++) {
        const char *name = duck->prepared_statement_column_name(columns, i);
        dw_status status = DW_OK;
        for (size_t k = 0; k < spec_count && status == DW_OK; k++) {
            if (name != NULL && strcmp(name, specs[k].name) == 0) {
                status = check_child(&c, name, &specs[k],
                                     duck->prepared_statement_column_logical_type(columns, i));
            }
        }
        duck->release((void *) (uintptr_t) name);
        DW_TRY(status);
    }
    return DW_OK;
}
