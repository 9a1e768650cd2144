/*
 * The columns wanted against the columns there. Each wanted column is an expression over the file's
 * own: struct fields are taken out one by one, so that only those are decoded, missing ones are
 * NULL, and narrower integers are cast. (The reader's `schema` option says the same in fewer words,
 * and takes three times as long.)
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
    case DW_VECTOR_TEXT:
        return "VARCHAR";
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
    case DW_VECTOR_STRUCT:
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
    case DW_VECTOR_DECIMAL:
    case DW_VECTOR_BYTES:
        break;
    }
    return NULL;
}

/* Appends the SQL type of a column: `STRUCT("path" VARCHAR, "size" BIGINT)`. */
static void
put_type(dw_strbuf *out, const dw_column_spec *spec)
{
    const char *plain = plain_type(spec->kind);
    if (plain != NULL) {
        dw__strbuf_append(out, dw__str_from(plain));
        return;
    }
    if (spec->kind == DW_VECTOR_LIST) {
        dw_assert(spec->child_count == 1);
        put_type(out, &spec->children[0]);
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
        put_type(out, &spec->children[i]);
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
    case DW_VECTOR_TEXT:
        return id != DUCKDB_TYPE_LIST && id != DUCKDB_TYPE_MAP && id != DUCKDB_TYPE_STRUCT;
    case DW_VECTOR_LIST:
        return id == DUCKDB_TYPE_LIST;
    case DW_VECTOR_MAP:
        return id == DUCKDB_TYPE_MAP;
    case DW_VECTOR_STRUCT:
        return id == DUCKDB_TYPE_STRUCT;
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
    case DW_VECTOR_DECIMAL:
    case DW_VECTOR_BYTES:
        break;
    }
    return false;
}

static dw_status
wrong_type(checker *c, const dw_column_spec *spec, duckdb_logical_type found)
{
    dw__strbuf_clear(c->scratch);
    put_type(c->scratch, spec);
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

/* ---- Expressions ----------------------------------------------------------------------------- */

typedef struct expression_writer {
    const dw_duck *duck;
    dw_strbuf *sql;
    dw_strbuf *access;      /* the file's column or field that is being written */
    const char *never_null; /* a column that a filter keeps from being NULL; or NULL */
} expression_writer;

static void put_value(expression_writer *w, const dw_column_spec *spec, duckdb_logical_type type);

/* True when the type is exactly the one that is wanted, with the same fields in the same order. */
static bool
is_exact(const dw_duck *duck, const dw_column_spec *spec, duckdb_logical_type type)
{
    static const duckdb_type ids[DW_VECTOR_KIND_COUNT] = {
        [DW_VECTOR_BOOL] = DUCKDB_TYPE_BOOLEAN, [DW_VECTOR_I32] = DUCKDB_TYPE_INTEGER,
        [DW_VECTOR_I64] = DUCKDB_TYPE_BIGINT,   [DW_VECTOR_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [DW_VECTOR_STR] = DUCKDB_TYPE_VARCHAR,  [DW_VECTOR_LIST] = DUCKDB_TYPE_LIST,
        [DW_VECTOR_MAP] = DUCKDB_TYPE_MAP,      [DW_VECTOR_STRUCT] = DUCKDB_TYPE_STRUCT,
        [DW_VECTOR_TEXT] = DUCKDB_TYPE_VARCHAR,
    };
    bool is_struct = spec->kind == DW_VECTOR_STRUCT;
    bool exact = duck->get_type_id(type) == ids[spec->kind] &&
                 (!is_struct || duck->struct_type_child_count(type) == spec->child_count);
    for (size_t i = 0; exact && i < spec->child_count; i++) {
        char *name = is_struct ? duck->struct_type_child_name(type, i) : NULL;
        duckdb_logical_type child = is_struct ? duck->struct_type_child_type(type, i)
                                    : spec->kind == DW_VECTOR_LIST
                                        ? duck->list_type_child_type(type)
                                    : i == 0 ? duck->map_type_key_type(type)
                                             : duck->map_type_value_type(type);
        exact = (!is_struct || (name != NULL && strcmp(name, spec->children[i].name) == 0)) &&
                is_exact(duck, &spec->children[i], child);
        duck->release(name);
        duck->destroy_logical_type(&child);
    }
    return exact;
}

static void
put_null(dw_strbuf *sql, const dw_column_spec *spec)
{
    dw__strbuf_append_literal(sql, "NULL::");
    put_type(sql, spec);
}

duckdb_logical_type
dw__shape_field(const dw_duck *duck, duckdb_logical_type type, const char *wanted)
{
    idx_t count = duck->struct_type_child_count(type);
    for (idx_t i = 0; i < count; i++) {
        char *name = duck->struct_type_child_name(type, i);
        bool found = name != NULL && strcmp(name, wanted) == 0;
        duck->release(name);
        if (found) {
            return duck->struct_type_child_type(type, i);
        }
    }
    return NULL;
}

static void
put_fields(expression_writer *w, const dw_column_spec *spec, duckdb_logical_type type)
{
    dw__strbuf_append_literal(w->sql, "struct_pack(");
    for (size_t i = 0; i < spec->child_count; i++) {
        const dw_column_spec *field = &spec->children[i];
        dw__strbuf_append(w->sql, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_identifier(w->sql, dw__str_from(field->name));
        dw__strbuf_append_literal(w->sql, " := ");
        duckdb_logical_type field_type = dw__shape_field(w->duck, type, field->name);
        if (field_type == NULL) {
            put_null(w->sql, field);
            continue;
        }
        dw_strbuf access = dw__strbuf_make(w->sql->allocator, DW_SQL_BYTES_MAX);
        dw__strbuf_append(&access, dw__strbuf_str(w->access));
        dw__strbuf_append_char(&access, '.');
        dw__sql_put_identifier(&access, dw__str_from(field->name));
        expression_writer inner = {w->duck, w->sql, &access, NULL};
        put_value(&inner, field, field_type);
        w->sql->failed = w->sql->failed || access.failed;
        dw__strbuf_deinit(&access);
        w->duck->destroy_logical_type(&field_type);
    }
    dw__strbuf_append_char(w->sql, ')');
}

static void
put_value(expression_writer *w, const dw_column_spec *spec, duckdb_logical_type type)
{
    dw_str access = dw__strbuf_str(w->access);
    if (is_exact(w->duck, spec, type)) {
        dw__strbuf_append(w->sql, access);
        return;
    }
    if (spec->kind != DW_VECTOR_STRUCT) {
        bool is_instant = w->duck->get_type_id(type) == DUCKDB_TYPE_TIMESTAMP_TZ;
        dw__strbuf_append_literal(w->sql, "CAST(");
        dw__strbuf_append(w->sql, access);
        /* Not in the zone of the session. */
        dw__strbuf_append(w->sql, is_instant ? DW_STR(" AT TIME ZONE 'UTC' AS ") : DW_STR(" AS "));
        put_type(w->sql, spec);
        dw__strbuf_append_char(w->sql, ')');
        return;
    }
    bool may_be_null = w->never_null == NULL || strcmp(w->never_null, spec->name) != 0;
    if (may_be_null) {
        dw__strbuf_append_literal(w->sql, "CASE WHEN ");
        dw__strbuf_append(w->sql, access);
        dw__strbuf_append_literal(w->sql, " IS NULL THEN NULL ELSE ");
    }
    put_fields(w, spec, type);
    dw__strbuf_append(w->sql, may_be_null ? DW_STR(" END") : DW_STR(""));
}

duckdb_logical_type
dw__shape_column(const dw_duck *duck, duckdb_prepared_statement columns, const char *wanted)
{
    idx_t count = duck->prepared_statement_column_count(columns);
    for (idx_t i = 0; i < count; i++) {
        const char *name = duck->prepared_statement_column_name(columns, i);
        bool found = name != NULL && strcmp(name, wanted) == 0;
        duck->release((void *) (uintptr_t) name);
        if (found) {
            return duck->prepared_statement_column_logical_type(columns, i);
        }
    }
    return NULL;
}

/* One wanted column over the columns of the file. */
static void
put_column(expression_writer *w, duckdb_prepared_statement columns, const dw_column_spec *spec)
{
    duckdb_logical_type type = dw__shape_column(w->duck, columns, spec->name);
    if (type == NULL) {
        put_null(w->sql, spec);
        return;
    }
    dw__strbuf_clear(w->access);
    dw__strbuf_append_literal(w->access, "file.");
    dw__sql_put_identifier(w->access, dw__str_from(spec->name));
    put_value(w, spec, type);
    w->sql->failed = w->sql->failed || w->access->failed;
    w->duck->destroy_logical_type(&type);
}

/* True when the file has the column that a filter asks for, in all its depth. */
static bool
has_path(const dw_duck *duck, duckdb_prepared_statement columns, const char *const *path)
{
    duckdb_logical_type type = dw__shape_column(duck, columns, path[0]);
    for (size_t i = 1; type != NULL && path[i] != NULL; i++) {
        bool is_struct = duck->get_type_id(type) == DUCKDB_TYPE_STRUCT;
        duckdb_logical_type field = is_struct ? dw__shape_field(duck, type, path[i]) : NULL;
        duck->destroy_logical_type(&type);
        type = field;
    }
    bool found = type != NULL;
    duck->destroy_logical_type(&type);
    return found;
}

static void
put_condition(dw_strbuf *sql, bool is_first, const char *const *path, const char *condition)
{
    dw__strbuf_append(sql, is_first ? DW_STR(" WHERE file") : DW_STR(" AND file"));
    for (size_t i = 0; path[i] != NULL; i++) {
        dw__strbuf_append_char(sql, '.');
        dw__sql_put_identifier(sql, dw__str_from(path[i]));
    }
    dw__strbuf_append(sql, dw__str_from(condition));
}

/* A column that the file lacks is NULL in every row. */
static void
put_conditions(const dw_duck *duck, duckdb_prepared_statement columns,
               const dw_parquet_read *request, bool has_required, dw_strbuf *sql)
{
    bool is_first = true;
    if (has_required) {
        put_condition(sql, is_first, request->required_path, " IS NOT NULL");
        is_first = false;
    } else if (request->required_path != NULL) {
        dw__strbuf_append_literal(sql, " WHERE false");
        is_first = false;
    }
    for (size_t i = 0; request->absent_paths != NULL && request->absent_paths[i] != NULL; i++) {
        if (has_path(duck, columns, request->absent_paths[i])) {
            put_condition(sql, is_first, request->absent_paths[i], " IS NULL");
            is_first = false;
        }
    }
}

void
dw__shape_put_query(const dw_duck *duck, duckdb_prepared_statement columns, dw_str path,
                    const dw_parquet_read *request, const dw_column_spec *specs, dw_strbuf *out)
{
    const char *const *required = request->required_path;
    bool has_required = required != NULL && has_path(duck, columns, required);
    DW_AUTO(dw_strbuf) access = dw__strbuf_make(out->allocator, DW_SQL_BYTES_MAX);
    expression_writer w = {duck, out, &access, has_required ? required[0] : NULL};
    dw__strbuf_append_literal(out, "SELECT ");
    for (size_t i = 0; i < request->column_count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        put_column(&w, columns, &specs[i]);
        dw__strbuf_append_literal(out, " AS ");
        dw__sql_put_identifier(out, dw__str_from(specs[i].name));
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__shape_put_reader(out, path);
    /* Named, so that a field path is not taken for the name of a table. */
    dw__strbuf_append_literal(out, ") AS file");
    put_conditions(duck, columns, request, has_required, out);
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
