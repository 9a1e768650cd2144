/*
 * Prints a table's metadata as the statement that made it.
 */
#include "sql/show_create.h"

#include "codec/rows.h"
#include "engine/database.h"
#include "protocol/property.h"
#include "table/clustering.h"
#include "table/constraint.h"

#define DW_CREATE_TEXT_BYTES_MAX ((size_t) 64 << 20)

/* A name as it must stand in a statement of Spark's: bare if it can, else in backquotes. */
static void
put_name(dw_strbuf *out, dw_str name)
{
    bool is_plain = name.len > 0 && dw__keyword_find(name) == DW_KEYWORD_NONE;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        is_plain = is_plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                                (i > 0 && c >= '0' && c <= '9'));
    }
    if (is_plain) {
        dw__strbuf_append(out, name);
        return;
    }
    dw__strbuf_append_char(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        dw__strbuf_append(out, name.ptr[i] == '`' ? DW_STR("`") : DW_STR(""));
        dw__strbuf_append_char(out, name.ptr[i]);
    }
    dw__strbuf_append_char(out, '`');
}

static dw_status
put_comment(dw_strbuf *out, const dw_field *field, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(out->allocator, field->metadata_json, "a column's metadata", &doc, err));
    dw_str comment = dw__json_str(dw__json_get(dw__json_root(doc), DW_STR("comment")));
    if (!dw__str_is_null(comment)) {
        dw__strbuf_append_literal(out, " COMMENT ");
        dw__sql_put_literal(out, comment);
    }
    return DW_OK;
}

/* DEFAULT and GENERATED, with expressions as the metadata has them: Spark's. */
static dw_status
put_rule(dw_strbuf *out, const dw_field *field, dw_arena *arena, dw_error *err)
{
    dw_str text;
    dw_str step;
    DW_TRY(dw__field_metadata_get(field, DW_STR("CURRENT_DEFAULT"), arena, &text, err));
    if (!dw__str_is_null(text)) {
        dw__strbuf_printf(out, " DEFAULT %.*s", DW_STR_ARG(text));
    }
    DW_TRY(dw__field_metadata_get(field, DW_STR("delta.generationExpression"), arena, &text, err));
    if (!dw__str_is_null(text)) {
        dw__strbuf_printf(out, " GENERATED ALWAYS AS (%.*s)", DW_STR_ARG(text));
    }
    DW_TRY(dw__field_metadata_get(field, DW_STR("delta.identity.start"), arena, &text, err));
    DW_TRY(dw__field_metadata_get(field, DW_STR("delta.identity.step"), arena, &step, err));
    if (dw__str_is_null(text) || dw__str_is_null(step)) {
        return DW_OK;
    }
    dw_str is_free;
    DW_TRY(dw__field_metadata_get(field, DW_STR("delta.identity.allowExplicitInsert"), arena,
                                  &is_free, err));
    bool by_default = dw__str_equal(is_free, DW_STR("true"));
    dw__strbuf_printf(out, " GENERATED %s AS IDENTITY (START WITH %.*s INCREMENT BY %.*s)",
                      by_default ? "BY DEFAULT" : "ALWAYS", DW_STR_ARG(text), DW_STR_ARG(step));
    return DW_OK;
}

static dw_status
put_columns(dw_strbuf *out, const dw_type *schema, dw_arena *arena, dw_error *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        dw__strbuf_append(out, i == 0 ? DW_STR(" (\n  ") : DW_STR(",\n  "));
        put_name(out, field->name);
        dw__strbuf_append_char(out, ' ');
        dw__type_print_sql(out, field->type);
        dw__strbuf_append(out, field->nullable ? DW_STR("") : DW_STR(" NOT NULL"));
        DW_TRY(put_rule(out, field, arena, err));
        DW_TRY(put_comment(out, field, err));
    }
    dw__strbuf_append_literal(out, ")\nUSING DELTA");
    return DW_OK;
}

static void
put_clustering(dw_strbuf *out, const dw_cluster_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("\nCLUSTER BY (") : DW_STR(", "));
        for (size_t k = 0; k < columns->items[i].parts.count; k++) {
            dw__strbuf_append(out, k == 0 ? DW_STR("") : DW_STR("."));
            put_name(out, columns->items[i].parts.parts[k]);
        }
    }
    dw__strbuf_append(out, columns->count > 0 ? DW_STR(")") : DW_STR(""));
}

static void
put_clauses(dw_strbuf *out, const dw_metadata *metadata, const dw_cluster_columns *cluster_by,
            const dw_sql_name *name, dw_str root)
{
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("\nPARTITIONED BY (") : DW_STR(", "));
        put_name(out, metadata->partition_columns[i]);
    }
    dw__strbuf_append(out, metadata->partition_column_count > 0 ? DW_STR(")") : DW_STR(""));
    put_clustering(out, cluster_by);
    if (!name->is_path) {
        dw__strbuf_append_literal(out, "\nLOCATION ");
        dw__sql_put_literal(out, root);
    }
    if (!dw__str_is_null(metadata->description)) {
        dw__strbuf_append_literal(out, "\nCOMMENT ");
        dw__sql_put_literal(out, metadata->description);
    }
}

static void
put_property(dw_strbuf *out, size_t idx, dw_str key, dw_str value)
{
    dw__strbuf_append(out, idx == 0 ? DW_STR("\nTBLPROPERTIES (\n  ") : DW_STR(",\n  "));
    dw__sql_put_literal(out, key);
    dw__strbuf_append_literal(out, " = ");
    dw__sql_put_literal(out, value);
}

/* What writers keep for themselves is not shown: of another table it would be wrong, or refused. */
static bool
is_shown(const dw_pair *pair)
{
    if (dw__str_starts_with(pair->key, DW_CONSTRAINT_PREFIX)) {
        return true;
    }
    return !dw__str_starts_with(pair->key, DW_STR("delta.rowTracking.materialized")) &&
           dw__property_check(pair->key, pair->value, NULL) == DW_OK;
}

/* The properties, constraints among them, and the feature that a table with defaults must be asked
 * for. */
static void
put_properties(dw_strbuf *out, const dw_metadata *metadata, const dw_type *schema)
{
    size_t count = 0;
    for (size_t i = 0; i < metadata->configuration.count; i++) {
        const dw_pair *pair = &metadata->configuration.items[i];
        if (is_shown(pair)) {
            put_property(out, count++, pair->key, pair->value);
        }
    }
    if (dw__schema_find_trait(schema, DW_FIELD_DEFAULT) != NULL) {
        put_property(out, count++, DW_STR("delta.feature.allowColumnDefaults"),
                     DW_STR("supported"));
    }
    dw__strbuf_append(out, count > 0 ? DW_STR(")") : DW_STR(""));
}

static void
put_table_name(dw_strbuf *out, const dw_sql_name *name)
{
    dw__strbuf_append(out, name->is_path ? DW_STR("CREATE TABLE delta.") : DW_STR("CREATE TABLE "));
    for (size_t i = 0; i < name->part_count; i++) {
        dw__strbuf_append(out, i > 0 ? DW_STR(".") : DW_STR(""));
        put_name(out, name->parts[i]);
    }
}

dw_status
dw__show_create_table(dw_table *table, dw_log_snapshot *snapshot, const dw_sql_name *name,
                      dw_arena *arena, struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {{"createtab_stmt", DW_ROWS_STR, 0, 0}};
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_CREATE_TEXT_BYTES_MAX);
    put_table_name(&text, name);
    DW_TRY(put_columns(&text, dw__log_snapshot_schema(snapshot), arena, err));
    dw_cluster_columns cluster_by;
    DW_TRY(dw__cluster_columns_of(snapshot, arena, &cluster_by, err));
    put_clauses(&text, dw__log_snapshot_metadata(snapshot), &cluster_by, name,
                dw__table_root(table));
    put_properties(&text, dw__log_snapshot_metadata(snapshot), dw__log_snapshot_schema(snapshot));
    DW_TRY(dw__strbuf_ok(&text, "the statement", err));
    dw_rows *rows;
    DW_TRY(dw__rows_new(arena->allocator, columns, 1, &rows, err));
    dw__rows_put_str(rows, dw__strbuf_str(&text));
    return dw__rows_stream(rows, out, err);
}
