/*
 * ANALYZE TABLE ... PROFILE: chooses the columns, runs the two statements, reads the answer.
 */
#include "upkeep/profile.h"

#include "base/vec.h"
#include "codec/codec.h"
#include "protocol/schema_edit.h"
#include "scan/scan.h"
#include "upkeep/profile_core.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define NAME_BYTES_MAX ((size_t) 1 << 16)
/* Of all columns together, of the sample. */
#define SAMPLE_VALUES_MAX 2000000

typedef struct leaf_vec {
    dw_profile_leaf *items;
    size_t count, capacity;
} leaf_vec;

typedef struct profiling {
    dw_table *table;
    const dw_profile_spec *spec;
    dw_arena *arena;
    leaf_vec leaves;
    dw_profile_query query;
    dw_error *err;
} profiling;

/* ---- Which columns --------------------------------------------------------------------------- */

static dw_status
add_leaf(profiling *p, dw_str name, dw_str expression, const dw_type *type, const dw_field *field)
{
    if (p->leaves.count == DW_PROFILE_COLUMNS_MAX) {
        return dw__error_set(p->err, DW_INVALID_ARGUMENT, "PROFILE_TOO_WIDE",
                             "expected a profile of at most %zu columns, fields counted: name some "
                             "with FOR COLUMNS (...)",
                             DW_PROFILE_COLUMNS_MAX);
    }
    dw_profile_leaf *leaf = DW_VEC_PUSH(p->arena->allocator, &p->leaves);
    if (leaf == NULL || dw__str_is_null(name) || dw__str_is_null(expression)) {
        return dw__error_oom(p->err);
    }
    *leaf = (dw_profile_leaf){name, expression, type, field, false, {0}, {0}};
    return DW_OK;
}

/* What the log knows of the bounds of whole numbers, decimals and dates. [PROFILE-2] */
static dw_status
find_bounds(profiling *p, dw_profile_leaf *leaf)
{
    switch ((unsigned) leaf->type->kind) {
    case DW_TYPE_BYTE:
    case DW_TYPE_SHORT:
    case DW_TYPE_INTEGER:
    case DW_TYPE_LONG:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_DATE:
        return dw__scan_min_max(p->spec->snapshot, leaf->field, p->arena, &leaf->min, &leaf->max,
                                &leaf->has_bounds, p->err);
    default:
        return DW_OK;
    }
}

static dw_str
print_part(profiling *p, dw_str name)
{
    dw_str out = DW_STR_NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->arena->allocator, NAME_BYTES_MAX);
    dw__column_parts_print(&text, &name, 1);
    return !text.failed && dw__arena_dup(p->arena, dw__strbuf_str(&text), &out) ? out : DW_STR_NULL;
}

static dw_str
print_field(profiling *p, dw_str above, dw_str name)
{
    dw_str out = DW_STR_NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(p->arena->allocator, NAME_BYTES_MAX);
    if (dw__str_is_null(above)) {
        dw__sql_put_identifier(&text, name);
    } else {
        dw__strbuf_printf(&text, "struct_extract(%.*s, ", DW_STR_ARG(above));
        dw__sql_put_literal(&text, name);
        dw__strbuf_append_char(&text, ')');
    }
    return !text.failed && dw__arena_dup(p->arena, dw__strbuf_str(&text), &out) ? out : DW_STR_NULL;
}

/* A field and what is in it. Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
add_field(profiling *p, dw_str above_name, dw_str above, const dw_field *field)
{
    const dw_type *type = field->type;
    dw_str name = print_part(p, field->name);
    dw_str value = print_field(p, above, field->name);
    if (dw__str_is_null(name) || dw__str_is_null(value)) {
        return dw__error_oom(p->err);
    }
    if (!dw__str_is_null(above_name)) {
        name = dw__arena_printf(p->arena, "%.*s.%.*s", DW_STR_ARG(above_name), DW_STR_ARG(name));
    }
    if (type->kind == DW_TYPE_STRUCT) {
        for (size_t i = 0; i < type->field_count; i++) {
            DW_TRY(add_field(p, name, value, &type->fields[i]));
        }
        return DW_OK;
    }
    if (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
        const char *length = type->kind == DW_TYPE_ARRAY ? "len" : "cardinality";
        value = dw__arena_printf(p->arena, "CAST(%s(%.*s) AS BIGINT)", length, DW_STR_ARG(value));
        name = dw__arena_printf(p->arena, "%.*s (length)", DW_STR_ARG(name));
        type = dw__type_make(p->arena, DW_TYPE_LONG);
        return type == NULL ? dw__error_oom(p->err) : add_leaf(p, name, value, type, NULL);
    }
    if (type->kind == DW_TYPE_VOID) {
        return DW_OK;
    }
    DW_TRY(add_leaf(p, name, value, type, field));
    return dw__str_is_null(above) ? find_bounds(p, &p->leaves.items[p->leaves.count - 1]) : DW_OK;
}

/* The column or field of that path, with all that is in it. */
static dw_status
add_path(profiling *p, dw_name_path path)
{
    const dw_type *type = dw__log_snapshot_schema(p->spec->snapshot);
    const dw_field *field = NULL;
    dw_str name = DW_STR_NULL;
    dw_str value = DW_STR_NULL;
    for (size_t i = 0; i < path.count; i++) {
        if (field != NULL) {
            dw_str part = print_part(p, field->name);
            name = dw__str_is_null(name) ? part
                                         : dw__arena_printf(p->arena, "%.*s.%.*s", DW_STR_ARG(name),
                                                            DW_STR_ARG(part));
            value = print_field(p, value, field->name);
        }
        field = type->kind == DW_TYPE_STRUCT ? dw__schema_find(type, path.parts[i]) : NULL;
        if (field == NULL) {
            return dw__error_set(p->err, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                                 "the table has no column or field \"%.*s\" to profile: DESCRIBE "
                                 "lists them",
                                 DW_STR_ARG(path.parts[i]));
        }
        type = field->type;
    }
    return add_field(p, name, value, field);
}

static dw_status
choose_columns(profiling *p)
{
    const dw_type *schema = dw__log_snapshot_schema(p->spec->snapshot);
    for (size_t i = 0; i < p->spec->columns.count; i++) {
        DW_TRY(add_path(p, p->spec->columns.items[i]));
    }
    for (size_t i = 0; p->spec->columns.count == 0 && i < schema->field_count; i++) {
        DW_TRY(add_field(p, DW_STR_NULL, DW_STR_NULL, &schema->fields[i]));
    }
    return DW_OK;
}

/* ---- The sample ------------------------------------------------------------------------------ */

/* A row more than the sample has room for makes it a sample. */
static void
choose_share(profiling *p, int64_t row_count)
{
    int64_t wanted = SAMPLE_VALUES_MAX / (int64_t) (p->leaves.count + 1);
    wanted = wanted > DW_PROFILE_SAMPLE_ROWS ? DW_PROFILE_SAMPLE_ROWS : wanted;
    p->query.share = row_count <= wanted ? 1 : (double) wanted / (double) row_count;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Runs `sql`, which reads the source, on a scan that is planned by `plan`. */
static dw_status
run_scan(profiling *p, dw_str plan, dw_str sql, dw_text_rows *rows)
{
    const dw_profile_spec *spec = p->spec;
    dw_scan_source source = {.name = p->query.source, .snapshot = spec->snapshot};
    dw_scan *scan = NULL;
    DW_TRY(dw__scan_open(spec->connection, dw__table_database(p->table), plan, &source, 1, &scan,
                         p->err));
    dw_status status =
        rows == NULL ? dw__connection_execute(spec->connection, sql, p->err)
                     : dw__connection_query_text(spec->connection, sql, p->arena, rows, p->err);
    if (status != DW_OK && p->err != NULL) {
        status = dw__scan_explain_error(scan, p->err);
    }
    dw__scan_close(scan);
    return status;
}

/* From the log, or, where some files do not say how many rows they have, from the files. */
static dw_status
count_rows(profiling *p, int64_t *out)
{
    bool known;
    dw_text_rows rows;
    DW_TRY(dw__scan_count_rows(p->spec->snapshot, out, &known, p->err));
    if (known) {
        return DW_OK;
    }
    dw_str sql =
        dw__arena_printf(p->arena, "SELECT count(*) FROM \"%.*s\"", DW_STR_ARG(p->query.source));
    if (dw__str_is_null(sql)) {
        return dw__error_oom(p->err);
    }
    DW_TRY(run_scan(p, sql, sql, &rows));
    *out = 0;
    (void) dw__str_to_i64(rows.cells[0], out);
    return DW_OK;
}

static dw_status
keep_answer(profiling *p)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(p->arena->allocator, SQL_BYTES_MAX);
    DW_AUTO(dw_strbuf) create = dw__strbuf_make(p->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__profile_print_scan(&p->query, &sql, p->err));
    dw__strbuf_append_literal(&create, "CREATE TEMP TABLE ");
    dw__sql_put_identifier(&create, p->query.kept);
    dw__strbuf_append_literal(&create, " AS ");
    dw__strbuf_append(&create, dw__strbuf_str(&sql));
    DW_TRY(dw__strbuf_ok(&create, "the statement", p->err));
    return run_scan(p, dw__strbuf_str(&sql), dw__strbuf_str(&create), NULL);
}

static dw_status
read_answer(profiling *p, dw_profile *out)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(p->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__profile_print_answer(&p->query, &sql, p->err));
    DW_TRY(dw__connection_query_text(p->spec->connection, dw__strbuf_str(&sql), p->arena, &rows,
                                     p->err));
    for (size_t i = 0; i < rows.row_count; i++) {
        DW_TRY(dw__profile_read_row(&p->query, i, &rows.cells[i * rows.column_count],
                                    rows.column_count, p->arena, out, p->err));
    }
    return DW_OK;
}

static void
forget(profiling *p)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(p->arena->allocator, SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "DROP TABLE IF EXISTS ");
    dw__sql_put_identifier(&sql, p->query.kept);
    if (sql.failed ||
        dw__connection_execute(p->spec->connection, dw__strbuf_str(&sql), NULL) != DW_OK) {
        dw__env_debug(dw__table_env(p->table), "the table of a profile stays");
    }
}

static dw_status
run(profiling *p, dw_profile *out)
{
    int64_t row_count;
    DW_TRY(choose_columns(p));
    out->columns = DW_ARENA_ARRAY(p->arena, dw_column_profile, p->leaves.count + 1);
    if (out->columns == NULL) {
        return dw__error_oom(p->err);
    }
    p->query.leaves = p->leaves.items;
    p->query.count = p->leaves.count;
    out->column_count = p->leaves.count;
    DW_TRY(count_rows(p, &row_count));
    choose_share(p, row_count);
    if (p->leaves.count == 0) {
        out->row_count = row_count;
        return DW_OK;
    }
    dw_status status = keep_answer(p);
    if (status == DW_OK) {
        status = read_answer(p, out);
    }
    forget(p);
    return status;
}

dw_status
dw__table_profile(dw_table *table, const dw_profile_spec *spec, dw_arena *arena, dw_profile *out,
                  dw_error *err)
{
    char uuid[DW_UUID_TEXT_SIZE];
    const dw_env *env = dw__table_env(table);
    const dw_file_set *files = dw__log_snapshot_files(spec->snapshot);
    dw__uuid_make(env, uuid);
    profiling p = {.table = table, .spec = spec, .arena = arena, .err = err};
    p.query.source = dw__arena_printf(arena, "dw_profiled_%s", uuid);
    p.query.kept = dw__arena_printf(arena, "dw_profile_%s", uuid);
    *out = (dw_profile){.table_id = dw__log_snapshot_metadata(spec->snapshot)->id,
                        .version = dw__log_snapshot_version(spec->snapshot),
                        .commit_ms = dw__log_snapshot_timestamp_ms(spec->snapshot),
                        .taken_ms = dw__env_now_ms(env),
                        .file_count = (int64_t) dw__file_set_count(files),
                        .size_bytes = dw__file_set_size_bytes(files)};
    if (dw__str_is_null(p.query.source) || dw__str_is_null(p.query.kept)) {
        return dw__error_oom(err);
    }
    dw_status status = run(&p, out);
    DW_VEC_DEINIT(arena->allocator, &p.leaves);
    return status;
}
