/*
 * Timestamps in files that do not say that they are instants: INT96, and what old writers left
 * unmarked. They are instants all the same, but to the engine they are times without a zone, which
 * it takes for the session's.
 */
#include "scan/scan_core.h"

#include "protocol/feature_use.h"

/* ---- Which ----------------------------------------------------------------------------------- */

/* The leaves of a file beside those of a type. */
typedef struct leaf_walk {
    const dw_pq_footer *footer;
    size_t next, end;
    dw_arena *arena;
    bool is_any;
} leaf_walk;

/* A variant counts as one leaf. NULL: there are no more. */
static const dw_pq_node *
next_leaf(leaf_walk *walk)
{
    while (walk->next < walk->end) {
        const dw_pq_node *node = &walk->footer->nodes[walk->next];
        bool is_leaf = node->type != DW_PQ_GROUP || node->meaning == DW_PQ_VARIANT;
        walk->next = is_leaf ? node->end : walk->next + 1;
        if (is_leaf) {
            return node;
        }
    }
    return NULL;
}

/* NULL: out of memory. Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static const dw_type *
with_instants(leaf_walk *walk, const dw_type *type)
{
    if (type->kind == DW_TYPE_STRUCT) {
        dw_field *fields = DW_ARENA_ARRAY(walk->arena, dw_field, type->field_count + 1);
        for (size_t i = 0; fields != NULL && i < type->field_count; i++) {
            fields[i] = type->fields[i];
            fields[i].type = with_instants(walk, type->fields[i].type);
            if (fields[i].type == NULL) {
                return NULL;
            }
        }
        return fields == NULL ? NULL : dw__type_make_struct(walk->arena, fields, type->field_count);
    }
    if (type->kind == DW_TYPE_ARRAY) {
        const dw_type *element = with_instants(walk, type->element);
        return element == NULL ? NULL : dw__type_make_array(walk->arena, element, true);
    }
    if (type->kind == DW_TYPE_MAP) {
        const dw_type *key = with_instants(walk, type->key);
        const dw_type *value = key == NULL ? NULL : with_instants(walk, type->element);
        return value == NULL ? NULL : dw__type_make_map(walk->arena, key, value, true);
    }
    const dw_pq_node *leaf = next_leaf(walk);
    if (type->kind != DW_TYPE_TIMESTAMP_NTZ || leaf == NULL || !leaf->is_unmarked_instant) {
        return type;
    }
    walk->is_any = true;
    return dw__type_make(walk->arena, DW_TYPE_TIMESTAMP);
}

const dw_type *
dw__scan_mark_instants(const dw_pq_footer *footer, const dw_pq_node *node, const dw_type *type,
                       dw_arena *arena, bool *any_out)
{
    leaf_walk walk = {.footer = footer,
                      .next = (size_t) (node - footer->nodes),
                      .end = node->end,
                      .arena = arena};
    const dw_type *marked = with_instants(&walk, type);
    *any_out = walk.is_any;
    return walk.is_any ? marked : marked == NULL ? NULL : type;
}

/* ---- In a session ---------------------------------------------------------------------------- */

dw_status
dw__scan_session_zone(dw_connection *connection, dw_arena *scratch, dw_str *out, dw_error *err)
{
    dw_text_rows rows;
    DW_TRY(dw__connection_query_text(connection, DW_STR("SELECT current_setting('TimeZone')"),
                                     scratch, &rows, err));
    *out = rows.row_count == 1 ? rows.cells[0] : DW_STR("");
    return DW_OK;
}

static dw_status
print_search(dw_strbuf *out, const dw_str *paths, size_t count, dw_error *err)
{
    dw__strbuf_append_literal(out, "SELECT count(*) FROM parquet_schema([");
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__sql_put_literal(out, paths[i]);
    }
    dw__strbuf_append_literal(
        out, "]) WHERE type = 'INT96' OR (type = 'INT64' AND converted_type LIKE 'TIMESTAMP%' AND "
             "coalesce(logical_type, '') NOT LIKE '%isAdjustedToUTC=1%') OR "
             "logical_type LIKE '%isAdjustedToUTC=0%'");
    return dw__strbuf_ok(out, "the search for timestamps", err);
}

dw_status
dw__scan_find_zoneless_instants(dw_connection *connection, const dw_type *schema,
                                const dw_str *paths, size_t count, dw_arena *scratch, bool *out,
                                dw_error *err)
{
    *out = false;
    bool is_utc = true;
    if (count > 0 && dw__schema_has_kind(schema, DW_TYPE_TIMESTAMP)) {
        dw_str zone;
        DW_TRY(dw__scan_session_zone(connection, scratch, &zone, err));
        is_utc = dw__str_equal_nocase(zone, DW_STR("UTC"));
    }
    if (is_utc) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scratch->allocator, DW_SCAN_SQL_BYTES_MAX);
    dw_text_rows rows;
    DW_TRY(print_search(&sql, paths, count, err));
    DW_TRY(dw__connection_query_text(connection, dw__strbuf_str(&sql), scratch, &rows, err));
    *out = rows.row_count == 1 && !dw__str_equal(rows.cells[0], DW_STR("0"));
    return DW_OK;
}
