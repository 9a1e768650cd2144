/*
 * See clustering.h.
 */
#include "table/clustering.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "engine/database.h"
#include "table/change.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)
#define COLUMNS_MAX ((size_t) 64) /* that are read or named */
#define PARTS_MAX ((size_t) 64)

/* ---- Names ----------------------------------------------------------------------------------- */

void
dw__cluster_column_put(const dw_cluster_column *column, dw_strbuf *out)
{
    for (size_t i = 0; i < column->parts.count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR("."));
        dw__sql_put_identifier(out, column->parts.parts[i]);
    }
}

void
dw__cluster_columns_put_names(const dw_cluster_columns *columns, dw_strbuf *out)
{
    for (size_t i = 0; i < columns->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__strbuf_append(out, columns->items[i].name);
    }
}

static dw_status
take_text(const dw_strbuf *text, dw_arena *arena, dw_str *out, dw_error *err)
{
    DW_TRY(dw__strbuf_ok(text, "the clustering columns", err));
    return dw__arena_dup(arena, dw__strbuf_str(text), out) ? DW_OK : dw__error_oom(err);
}

static dw_status
join_parts(dw_name_path parts, dw_arena *arena, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, TEXT_BYTES_MAX);
    for (size_t i = 0; i < parts.count; i++) {
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR("."));
        dw__strbuf_append(&text, parts.parts[i]);
    }
    return take_text(&text, arena, out, err);
}

/* ---- From names ------------------------------------------------------------------------------ */

/* A column while its parts are followed downwards. */
typedef struct walk {
    dw_str *logical, *physical;
    size_t count;
    const dw_type *type; /* NULL: the schema has no such column */
} walk;

static bool
walk_init(walk *w, const dw_type *schema, size_t part_count, dw_arena *arena)
{
    *w = (walk){.logical = DW_ARENA_ARRAY(arena, dw_str, part_count + 1),
                .physical = DW_ARENA_ARRAY(arena, dw_str, part_count + 1),
                .type = schema};
    return w->logical != NULL && w->physical != NULL;
}

/* A name that is not known stays as it is, and so do those below. */
static void
walk_step(walk *w, dw_str name, const dw_field *field)
{
    w->logical[w->count] = field == NULL ? name : field->name;
    w->physical[w->count] = field == NULL ? name : field->physical_name;
    w->count++;
    w->type = field == NULL ? NULL : field->type;
}

static dw_status
finish_column(const walk *w, dw_arena *arena, dw_cluster_column *out, dw_error *err)
{
    *out = (dw_cluster_column){.parts = {w->logical, w->count},
                               .path = {w->physical, w->count, w->type}};
    return join_parts(out->parts, arena, &out->name, err);
}

static const dw_field *
find_field(const dw_type *type, dw_str name)
{
    return type != NULL && type->kind == DW_TYPE_STRUCT ? dw__schema_find(type, name) : NULL;
}

static dw_status
find_column(const dw_type *schema, dw_name_path name, dw_arena *arena, dw_cluster_column *out,
            dw_error *err)
{
    walk w;
    if (!walk_init(&w, schema, name.count, arena)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < name.count; i++) {
        walk_step(&w, name.parts[i], find_field(w.type, name.parts[i]));
    }
    DW_TRY(finish_column(&w, arena, out, err));
    if (w.type == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                             "expected a column of the table, found %.*s", DW_STR_ARG(out->name));
    }
    return DW_OK;
}

static bool
same_path(const dw_column_path *a, const dw_column_path *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = dw__str_equal(a->parts[i], b->parts[i]);
    }
    return same;
}

dw_status
dw__cluster_columns_find(const dw_type *schema, dw_name_paths names, dw_arena *arena,
                         dw_cluster_columns *out, dw_error *err)
{
    *out = (dw_cluster_columns){DW_ARENA_ARRAY(arena, dw_cluster_column, names.count + 1), 0};
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < names.count; i++) {
        dw_cluster_column *column = &out->items[i];
        DW_TRY(find_column(schema, names.items[i], arena, column, err));
        for (size_t k = 0; k < i; k++) {
            if (same_path(&out->items[k].path, &column->path)) {
                return dw__error_set(err, DW_INVALID_ARGUMENT, "DUPLICATE_COLUMN",
                                     "column %.*s is named twice", DW_STR_ARG(column->name));
            }
        }
        out->count++;
    }
    return DW_OK;
}

/* ---- From the domain ------------------------------------------------------------------------- */

static dw_status
domain_invalid(dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "CLUSTERING_INVALID",
                         "the domain delta.clustering is invalid: expected clusteringColumns as an "
                         "array of paths");
}

/* A path is an array of names; early tables have one name as a string. Names are those of files. */
static dw_status
read_path(dw_json path, const dw_type *schema, dw_arena *arena, dw_cluster_column *out,
          dw_error *err)
{
    walk w;
    dw_str part = dw__json_str(path);
    if (!walk_init(&w, schema, PARTS_MAX, arena)) {
        return dw__error_oom(err);
    }
    if (dw__json_kind(path) == DW_JSON_ARRAY) {
        dw_json_iter it = dw__json_iter(path);
        while (dw__json_next(&it)) {
            part = dw__json_str(it.value);
            if (dw__str_is_null(part) || w.count == PARTS_MAX ||
                !dw__arena_dup(arena, part, &part)) {
                return domain_invalid(err);
            }
            walk_step(&w, part, dw__schema_find_physical(w.type, part));
        }
    } else if (!dw__str_is_null(part) && dw__arena_dup(arena, part, &part)) {
        walk_step(&w, part, dw__schema_find_physical(w.type, part));
    }
    return w.count == 0 ? domain_invalid(err) : finish_column(&w, arena, out, err);
}

static dw_status
read_domain(dw_str configuration, const dw_type *schema, dw_arena *arena, dw_cluster_columns *out,
            dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(
        dw__json_parse(arena->allocator, configuration, "the domain delta.clustering", &doc, err));
    dw_json columns = dw__json_get(dw__json_root(doc), DW_STR("clusteringColumns"));
    if (dw__json_kind(columns) != DW_JSON_ARRAY) {
        return domain_invalid(err);
    }
    dw_json_iter it = dw__json_iter(columns);
    while (dw__json_next(&it)) {
        if (out->count == COLUMNS_MAX) {
            return domain_invalid(err);
        }
        DW_TRY(read_path(it.value, schema, arena, &out->items[out->count], err));
        out->count++;
    }
    return DW_OK;
}

dw_status
dw__cluster_columns_of(const dw_log_snapshot *snapshot, dw_arena *arena, dw_cluster_columns *out,
                       dw_error *err)
{
    dw_str configuration = dw__log_snapshot_clustering(snapshot);
    *out = (dw_cluster_columns){DW_ARENA_ARRAY(arena, dw_cluster_column, COLUMNS_MAX), 0};
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    return dw__str_is_null(configuration)
               ? DW_OK
               : read_domain(configuration, dw__log_snapshot_schema(snapshot), arena, out, err);
}

dw_status
dw__cluster_columns_counted(const dw_log_snapshot *snapshot, dw_arena *arena,
                            dw_cluster_columns *out, dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(snapshot);
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    dw_column_path *paths;
    size_t count;
    DW_TRY(dw__stats_columns_clustered(
        schema, metadata->partition_columns, metadata->partition_column_count,
        dw__log_snapshot_properties(snapshot), dw__log_snapshot_clustering(snapshot), arena, &paths,
        &count, err));
    *out = (dw_cluster_columns){DW_ARENA_ARRAY(arena, dw_cluster_column, count + 1), 0};
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        walk w;
        if (!walk_init(&w, schema, paths[i].count, arena)) {
            return dw__error_oom(err);
        }
        for (size_t k = 0; k < paths[i].count; k++) {
            walk_step(&w, paths[i].parts[k], dw__schema_find_physical(w.type, paths[i].parts[k]));
        }
        DW_TRY(finish_column(&w, arena, &out->items[out->count++], err));
    }
    return DW_OK;
}

dw_status
dw__cluster_columns_bounded(const dw_log_snapshot *snapshot, dw_arena *arena,
                            dw_cluster_columns *out, dw_error *err)
{
    size_t count = 0;
    DW_TRY(dw__cluster_columns_counted(snapshot, arena, out, err));
    for (size_t i = 0; i < out->count; i++) {
        if (dw__stats_has_bounds(out->items[i].path.type)) {
            out->items[count++] = out->items[i];
        }
    }
    out->count = count;
    return DW_OK;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static dw_status
check_column(const dw_cluster_column *column, const dw_column_path *counted, size_t count,
             dw_error *err)
{
    char text[DW_TYPE_TEXT_SIZE];
    if (!dw__stats_has_bounds(column->path.type)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED",
                             "expected columns of numbers, texts, dates or timestamps to cluster "
                             "by, found %.*s of the type %s",
                             DW_STR_ARG(column->name), dw__type_text(column->path.type, text));
    }
    for (size_t i = 0; i < count; i++) {
        if (same_path(&counted[i], &column->path)) {
            return DW_OK;
        }
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTERING_COLUMN_MISSING_STATS",
                         "expected columns with statistics to cluster by, found %.*s: raise "
                         "delta.dataSkippingNumIndexedCols, or name it in "
                         "delta.dataSkippingStatsColumns",
                         DW_STR_ARG(column->name));
}

dw_status
dw__cluster_columns_check(const dw_cluster_columns *columns, const dw_type *schema,
                          const dw_properties *properties, dw_arena *arena, dw_error *err)
{
    if (columns->count > DW_CLUSTER_COLUMNS_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLUSTER_BY_INVALID_NUM_COLUMNS",
                             "expected at most %zu columns to cluster by, found %zu",
                             DW_CLUSTER_COLUMNS_MAX, columns->count);
    }
    dw_column_path *counted;
    size_t count;
    DW_TRY(dw__stats_columns(schema, NULL, 0, properties, arena, &counted, &count, err));
    for (size_t i = 0; i < columns->count; i++) {
        DW_TRY(check_column(&columns->items[i], counted, count, err));
    }
    return DW_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

dw_status
dw__cluster_columns_print(const dw_cluster_columns *columns, dw_arena *arena, dw_str *out,
                          dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, TEXT_BYTES_MAX);
    dw__strbuf_append_literal(&text, "{\"clusteringColumns\":[");
    for (size_t i = 0; i < columns->count; i++) {
        const dw_column_path *path = &columns->items[i].path;
        dw__strbuf_append(&text, i == 0 ? DW_STR("") : DW_STR(","));
        dw__change_print_list(&text, path->parts, path->count);
    }
    dw__strbuf_append_literal(&text, "],\"domainName\":\"delta.clustering\"}");
    return take_text(&text, arena, out, err);
}

dw_status
dw__cluster_columns_print_names(const dw_cluster_columns *columns, dw_arena *arena, dw_str *out,
                                dw_error *err)
{
    dw_str names[COLUMNS_MAX];
    dw_assert(columns->count <= COLUMNS_MAX);
    for (size_t i = 0; i < columns->count; i++) {
        names[i] = columns->items[i].name;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, TEXT_BYTES_MAX);
    dw__change_print_list(&text, names, columns->count);
    return take_text(&text, arena, out, err);
}
