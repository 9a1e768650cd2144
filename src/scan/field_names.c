/*
 * Files whose names must be the table's physical ones. With column mapping by id columns are found
 * by field id, and files may call them anything: those of a table that was another format's do. But
 * columns of row ids and kinds of changes have no field id, and the engine finds all columns of a
 * file by id or all by name. Found by name, a column with another name would be read as NULL, and
 * written back as that. PROTOCOL.md "Reader Requirements for Column Mapping".
 */
#include "parquet/names.h"
#include "scan/scan_core.h"

#include <inttypes.h>

/* True when the column is looked for in files by its name though it has an id. */
static bool
is_found_by_name(const dw_relation *relation, const dw_field *field)
{
    for (size_t i = 0; i < relation->partition_count; i++) {
        if (dw__str_equal(relation->partition_columns[i], field->name)) {
            return false;
        }
    }
    return field->mapping_id >= 0 && field->type->kind != DW_TYPE_VOID;
}

/* "(1, 'a'), (2, 'b')": ids and names; false when there are none. */
static bool
put_columns(dw_strbuf *out, const dw_relation *relation)
{
    bool is_first = true;
    for (size_t i = 0; i < relation->schema->field_count; i++) {
        const dw_field *field = &relation->schema->fields[i];
        if (is_found_by_name(relation, field)) {
            dw__strbuf_printf(out, "%s(%" PRId64 ", ", is_first ? "" : ", ",
                              (int64_t) field->mapping_id);
            dw__sql_put_literal(out, field->physical_name);
            dw__strbuf_append_char(out, ')');
            is_first = false;
        }
    }
    return !is_first;
}

static void
put_paths(dw_strbuf *out, const dw_str *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(out, paths[i]);
    }
}

/*
 * The elements of a Parquet schema stand in the order of the tree. Each fills a slot and opens one
 * for each of its children: a column of its own begins where fewer slots are open than ever before.
 */
static bool
put_search(dw_strbuf *out, const dw_relation *relation, const dw_str *paths, size_t count)
{
    static const char above[] = "OVER (PARTITION BY file_name ORDER BY column_id "
                                "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
    dw__strbuf_printf(out,
                      "SELECT file_name, found.name, found.field_id, wanted.name, wanted.id "
                      "FROM (SELECT *, min(slots) %s AS lowest FROM (SELECT *, "
                      "sum(coalesce(num_children, 0) - 1) %s AS slots "
                      "FROM parquet_schema(list_distinct([",
                      above, above);
    put_paths(out, paths, count);
    dw__strbuf_append_literal(out, "])))) found, (VALUES ");
    bool has_columns = put_columns(out, relation);
    dw__strbuf_append_literal(
        out, ") wanted(id, name) WHERE slots IS NOT NULL AND (lowest IS NULL OR slots < lowest) "
             "AND (found.field_id = wanted.id) <> (found.name = wanted.name) LIMIT 1");
    return has_columns;
}

static dw_status
say(const dw_relation *relation, const dw_str *cells, dw_error *err)
{
    const char *advice = relation->changes != NULL
                             ? "read these changes with the engine that wrote the file"
                             : "set delta.enableRowTracking = false for columns to be found by id, "
                               "or let the engine that wrote the file write it again";
    return dw__error_set(
        err, DW_UNSUPPORTED, "FIELD_NAMES_DIFFER",
        "expected field %.*s \"%.*s\" in %.*s, found field %.*s \"%.*s\": together "
        "with %s columns are found by name; %s",
        DW_STR_ARG(cells[4]), DW_STR_ARG(cells[3]), DW_STR_ARG(cells[0]), DW_STR_ARG(cells[2]),
        DW_STR_ARG(cells[1]), relation->changes != NULL ? "recorded changes" : "row ids", advice);
}

dw_status
dw__scan_check_field_names(dw_connection *connection, const dw_relation *relation,
                           const dw_str *paths, size_t count, dw_arena *scratch, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scratch->allocator, DW_SCAN_SQL_BYTES_MAX);
    if (count == 0 || !put_search(&sql, relation, paths, count)) {
        return DW_OK;
    }
    dw_text_rows rows;
    DW_TRY(dw__strbuf_ok(&sql, "the search for names of fields", err));
    DW_TRY(dw__connection_query_text(connection, dw__strbuf_str(&sql), scratch, &rows, err));
    return rows.row_count == 0 ? DW_OK : say(relation, rows.cells, err);
}

/* ---- Fields in columns ----------------------------------------------------------------------- */

/* Recursion here and below is at most DW_SCHEMA_DEPTH_MAX deep. */
static size_t
count_fields(const dw_type *type)
{
    size_t count = type->field_count;
    for (size_t i = 0; i < type->field_count; i++) {
        count += count_fields(type->fields[i].type);
    }
    return count + (type->key == NULL ? 0 : count_fields(type->key)) +
           (type->element == NULL ? 0 : count_fields(type->element));
}

static void
add_names(const dw_type *type, dw_pq_field_name *items, size_t *count)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->mapping_id >= 0) {
            items[(*count)++] = (dw_pq_field_name){field->mapping_id, field->physical_name};
        }
        add_names(field->type, items, count);
    }
    if (type->key != NULL) {
        add_names(type->key, items, count);
    }
    if (type->element != NULL) {
        add_names(type->element, items, count);
    }
}

dw_status
dw__scan_field_names(const dw_relation *relation, dw_arena *arena, const dw_pq_names **out,
                     dw_error *err)
{
    *out = NULL;
    size_t count = count_fields(relation->schema);
    if (relation->mapping_mode != DW_MAPPING_ID || count == relation->schema->field_count) {
        return DW_OK;
    }
    dw_pq_names *names = DW_ARENA_NEW(arena, dw_pq_names);
    dw_pq_field_name *items = DW_ARENA_ARRAY(arena, dw_pq_field_name, count);
    if (names == NULL || items == NULL) {
        return dw__error_oom(err);
    }
    names->items = items;
    add_names(relation->schema, items, &names->count);
    *out = names;
    return DW_OK;
}
