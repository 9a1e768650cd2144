/*
 * See column_dependants.h.
 */
#include "table/column_dependants.h"

#include "base/vec.h"
#include "expression/expression.h"
#include "table/constraint.h"
#include "table/expectation.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)
#define STATS_COLUMNS_KEY DW_STR("delta.dataSkippingStatsColumns")

/* ---- Expressions ----------------------------------------------------------------------------- */

typedef struct gathering {
    dw_table_expression *items;
    size_t count;
    size_t capacity;
    dw_arena *arena;
    dw_error *err;
} gathering;

static void
dw__gathering_cleanup(gathering *g)
{
    DW_VEC_DEINIT(g->arena->allocator, g);
}

static dw_status
add(gathering *g, bool is_generation, const char *what, dw_str name, dw_str text)
{
    dw_table_expression *slot = DW_VEC_PUSH(g->arena->allocator, g);
    if (slot == NULL) {
        return dw__error_oom(g->err);
    }
    *slot = (dw_table_expression){.is_generation = is_generation, .text = text};
    slot->owner = dw__arena_printf(g->arena, "%s%.*s", what, DW_STR_ARG(name));
    return dw__str_is_null(slot->owner) ? dw__error_oom(g->err) : DW_OK;
}

static dw_status
gather_expectation(gathering *g, const dw_pair *property)
{
    dw_expectation_spec spec;
    DW_TRY(dw__expectation_parse(property, g->arena, &spec, g->err));
    DW_TRY(add(g, false, "", spec.name, spec.text));
    g->items[g->count - 1].is_expectation = true;
    return DW_OK;
}

static dw_status
gather_field(gathering *g, const dw_field *field)
{
    dw_str text;
    if ((field->traits & DW_FIELD_GENERATED) != 0) {
        DW_TRY(dw__field_metadata_get(field, DW_STR("delta.generationExpression"), g->arena, &text,
                                      g->err));
        DW_TRY(add(g, true, "", field->name, text));
    }
    if ((field->traits & DW_FIELD_INVARIANT) != 0) {
        DW_TRY(dw__invariant_text(field, g->arena, &text, g->err));
        DW_TRY(add(g, false, "the invariant of ", field->name, text));
    }
    return DW_OK;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
gather_fields(gathering *g, const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        DW_TRY(gather_field(g, &type->fields[i]));
        DW_TRY(gather_fields(g, type->fields[i].type));
    }
    return DW_OK;
}

dw_status
dw__table_expressions(const dw_metadata *metadata, const dw_type *schema, dw_arena *arena,
                      dw_table_expression **out, size_t *count_out, dw_error *err)
{
    DW_AUTO(gathering) g = {.arena = arena, .err = err};
    const dw_pairs *pairs = &metadata->configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_starts_with(pairs->items[i].key, DW_CONSTRAINT_PREFIX)) {
            dw_str key = pairs->items[i].key;
            DW_TRY(add(&g, false, "", dw__str_slice(key, DW_CONSTRAINT_PREFIX.len, key.len),
                       pairs->items[i].value));
        } else if (dw__is_expectation_key(pairs->items[i].key)) {
            DW_TRY(gather_expectation(&g, &pairs->items[i]));
        }
    }
    DW_TRY(gather_fields(&g, schema));
    *out = DW_ARENA_ARRAY(arena, dw_table_expression, g.count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (g.count > 0) {
        memcpy(*out, g.items, g.count * sizeof(*g.items));
    }
    *count_out = g.count;
    return DW_OK;
}

static dw_status
refuse_dependant(dw_name_path path, const dw_table_expression *expression, dw_arena *arena,
                 dw_error *err)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(arena->allocator, TEXT_BYTES_MAX);
    dw__column_parts_print(&name, path.parts, path.count);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", err));
    if (expression->is_expectation) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPECTATION_DEPENDENT_COLUMN_CHANGE",
                             "column %s cannot be changed: the expectation %.*s (%.*s) names it; "
                             "drop the expectation first, and add it again",
                             dw__strbuf_cstr(&name), DW_STR_ARG(expression->owner),
                             DW_STR_ARG(expression->text));
    }
    return expression->is_generation
               ? dw__error_set(err, DW_INVALID_ARGUMENT,
                               "GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE",
                               "column %s cannot be changed: the generated column %.*s is made of "
                               "it (%.*s); drop that column first",
                               dw__strbuf_cstr(&name), DW_STR_ARG(expression->owner),
                               DW_STR_ARG(expression->text))
               : dw__error_set(err, DW_INVALID_ARGUMENT, "CONSTRAINT_DEPENDENT_COLUMN_CHANGE",
                               "column %s cannot be changed: the constraint %.*s (%.*s) names it; "
                               "drop the constraint first, and add it again",
                               dw__strbuf_cstr(&name), DW_STR_ARG(expression->owner),
                               DW_STR_ARG(expression->text));
}

dw_status
dw__expressions_check_column(const dw_metadata *metadata, const dw_type *schema, dw_name_path path,
                             dw_arena *arena, dw_error *err)
{
    dw_table_expression *items;
    size_t count;
    DW_TRY(dw__table_expressions(metadata, schema, arena, &items, &count, err));
    for (size_t i = 0; i < count; i++) {
        bool names;
        DW_TRY(dw__expression_names(items[i].text, path.parts, path.count, arena, &names, err));
        if (names) {
            return refuse_dependant(path, &items[i], arena, err);
        }
    }
    return DW_OK;
}

dw_status
dw__dependants_check_expressions(dw_alter *alter, dw_name_path path, dw_error *err)
{
    return dw__expressions_check_column(&alter->metadata, alter->schema, path, &alter->arena, err);
}

/* ---- Partitions and clustering --------------------------------------------------------------- */

/* True when `path` is `whole`, or leads to it. */
static bool
is_at_or_above(dw_name_path path, dw_name_path whole)
{
    bool same = path.count <= whole.count;
    for (size_t i = 0; same && i < path.count; i++) {
        same = dw__str_equal_nocase(path.parts[i], whole.parts[i]);
    }
    return same;
}

dw_status
dw__dependants_check_drop(dw_alter *alter, dw_name_path path, dw_error *err)
{
    for (size_t i = 0; i < alter->metadata.partition_column_count; i++) {
        if (is_at_or_above(path, (dw_name_path){&alter->metadata.partition_columns[i], 1})) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "UNSUPPORTED_DROP_PARTITION_COLUMN",
                                 "column %.*s cannot be dropped: the table is partitioned by it; "
                                 "CREATE OR REPLACE TABLE ... AS SELECT makes other partitions",
                                 DW_STR_ARG(path.parts[0]));
        }
    }
    dw_cluster_columns columns;
    DW_TRY(dw__cluster_columns_of(alter->snapshot, &alter->arena, &columns, err));
    for (size_t i = 0; i < columns.count; i++) {
        if (is_at_or_above(path, columns.items[i].parts)) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "UNSUPPORTED_DROP_CLUSTERING_COLUMN",
                                 "column %.*s cannot be dropped: the table is clustered by it; "
                                 "ALTER TABLE ... CLUSTER BY other columns or NONE first",
                                 DW_STR_ARG(columns.items[i].name));
        }
    }
    return DW_OK;
}

dw_status
dw__dependants_rename_partition(dw_alter *alter, dw_str name, dw_str new_name, dw_error *err)
{
    dw_metadata *metadata = &alter->metadata;
    dw_str *names = DW_ARENA_ARRAY(&alter->arena, dw_str, metadata->partition_column_count + 1);
    if (names == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw_str column = metadata->partition_columns[i];
        names[i] = dw__str_equal_nocase(column, name) ? new_name : column;
    }
    metadata->partition_columns = names;
    return DW_OK;
}

/* ---- Properties that name columns ------------------------------------------------------------ */

/* Appends the name of a list as it becomes. */
static void
put_listed(dw_strbuf *out, const dw_str *parts, size_t count, dw_name_path path,
           const dw_name_path *new_path)
{
    bool is_meant = is_at_or_above(path, (dw_name_path){parts, count});
    if (is_meant && new_path == NULL) {
        return;
    }
    dw__strbuf_append(out, dw__strbuf_str(out).len == 0 ? DW_STR("") : DW_STR(","));
    size_t begin = is_meant ? path.count : 0;
    if (is_meant) {
        dw__column_parts_print(out, new_path->parts, new_path->count);
        dw__strbuf_append(out, begin < count ? DW_STR(".") : DW_STR(""));
    }
    dw__column_parts_print(out, parts + begin, count - begin);
}

dw_status
dw__dependants_update_properties(dw_alter *alter, dw_name_path path, const dw_name_path *new_path,
                                 dw_error *err)
{
    const dw_str *value = dw__pairs_get(&alter->metadata.configuration, STATS_COLUMNS_KEY);
    if (value == NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(alter->arena.allocator, TEXT_BYTES_MAX);
    dw_str parts[DW_COLUMN_PARTS_MAX];
    dw_str list = *value;
    size_t count;
    bool out_of_memory = false;
    while (dw__column_parts_take(&list, &alter->arena, parts, &count, &out_of_memory)) {
        put_listed(&text, parts, count, path, new_path);
    }
    dw_str changed;
    DW_TRY(dw__strbuf_ok(&text, "delta.dataSkippingStatsColumns", err));
    if (out_of_memory || !dw__arena_dup(&alter->arena, dw__strbuf_str(&text), &changed)) {
        return dw__error_oom(err);
    }
    dw__alter_set(alter, STATS_COLUMNS_KEY, changed);
    return DW_OK;
}
