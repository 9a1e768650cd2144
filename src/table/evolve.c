/*
 * Joining two schemas, or putting one in the place of the other, and completing what a table's new
 * definition needs.
 */
#include "table/evolve.h"

#include "protocol/column_mapping.h"
#include "protocol/feature.h"
#include "protocol/iceberg_compat.h"
#include "protocol/type_widening.h"
#include "table/column_dependants.h"

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)
#define DEPTH_MAX DW_COLUMN_PARTS_MAX

typedef struct evolution {
    const dw_log_snapshot *snapshot;
    dw_arena *arena;
    dw_error *err;
    bool widens;
    bool changed;
    dw_str path[DEPTH_MAX]; /* to what is being joined */
    size_t path_count;
} evolution;

/* The field that is being joined, or what is below it in arrays and maps: "element.key". */
typedef struct place {
    dw_field *field;
    dw_str below;
} place;

/* ---- Wider types ----------------------------------------------------------------------------- */

static bool
is_integer(const dw_type *type)
{
    return type->kind == DW_TYPE_BYTE || type->kind == DW_TYPE_SHORT ||
           type->kind == DW_TYPE_INTEGER || type->kind == DW_TYPE_LONG;
}

/* Integers stay integers unless somebody says otherwise, as in the reference. */
static bool
becomes_wider(const evolution *e, const dw_type *from, const dw_type *to)
{
    return e->widens && !dw__type_equal(from, to, true) && from->kind != DW_TYPE_VOID &&
           dw__type_change_is_widening(from, to) && (!is_integer(from) || is_integer(to));
}

/* [EVOLVE-2] */
static dw_status
widen(evolution *e, place at, const dw_type *from, const dw_type *to, const dw_type **out)
{
    dw_name_path path = {e->path, e->path_count};
    DW_TRY(dw__expressions_check_column(dw__log_snapshot_metadata(e->snapshot),
                                        dw__log_snapshot_schema(e->snapshot), path, e->arena,
                                        e->err));
    e->changed = true;
    *out = to;
    return dw__type_change_record(at.field, at.below, from, to, -1, e->arena, e->err);
}

/* ---- Joining --------------------------------------------------------------------------------- */

static dw_status join_type(evolution *e, place at, const dw_type *old, const dw_type *more,
                           const dw_type **out);

static dw_status
join_field(evolution *e, dw_field *field, const dw_type *more)
{
    if (e->path_count == DEPTH_MAX) {
        return DW_OK; /* whether values fit is judged when they are cast */
    }
    e->path[e->path_count++] = field->name;
    DW_TRY(join_type(e, (place){field, DW_STR("")}, field->type, more, &field->type));
    e->path_count--;
    return DW_OK;
}

static dw_field
new_field(const dw_field *column)
{
    return (dw_field){.name = column->name,
                      .type = column->type,
                      .nullable = true,
                      .metadata_json = DW_STR("{}"),
                      .physical_name = column->name,
                      .mapping_id = -1,
                      .extra_json = DW_STR("")};
}

static dw_status
join_struct(evolution *e, const dw_type *old, const dw_field *more, size_t count,
            const dw_type **out)
{
    dw_field *fields = DW_ARENA_ARRAY(e->arena, dw_field, old->field_count + count + 1);
    size_t field_count = old->field_count;
    if (fields == NULL) {
        return dw__error_oom(e->err);
    }
    if (field_count > 0) {
        memcpy(fields, old->fields, field_count * sizeof(*fields));
    }
    for (size_t i = 0; i < count; i++) {
        size_t idx = dw__schema_find_idx(old, more[i].name);
        if (idx != SIZE_MAX) {
            DW_TRY(join_field(e, &fields[idx], more[i].type));
        } else if (more[i].type->kind != DW_TYPE_VOID) {
            e->changed = true;
            fields[field_count++] = new_field(&more[i]);
        }
    }
    *out = dw__type_make_struct(e->arena, fields, field_count);
    return *out == NULL ? dw__error_oom(e->err) : DW_OK;
}

/* The element of an array, the key or the value of a map. */
static dw_status
join_part(evolution *e, place at, const char *name, const dw_type *more, const dw_type **part)
{
    if (e->path_count == DEPTH_MAX) {
        return DW_OK;
    }
    const char *dot = at.below.len == 0 ? "" : ".";
    at.below = dw__arena_printf(e->arena, "%.*s%s%s", DW_STR_ARG(at.below), dot, name);
    if (dw__str_is_null(at.below)) {
        return dw__error_oom(e->err);
    }
    e->path[e->path_count++] = dw__str_from(name);
    DW_TRY(join_type(e, at, *part, more, part));
    e->path_count--;
    return DW_OK;
}

/* The old type with what the other has more, at every depth. */
static dw_status
join_type(evolution *e, place at, const dw_type *old, const dw_type *more, const dw_type **out)
{
    *out = old;
    if (becomes_wider(e, old, more)) {
        return widen(e, at, old, more, out);
    }
    if (old->kind != more->kind || !dw__type_is_nested(old)) {
        return DW_OK;
    }
    if (old->kind == DW_TYPE_STRUCT) {
        return join_struct(e, old, more->fields, more->field_count, out);
    }
    dw_type *joined = DW_ARENA_NEW(e->arena, dw_type);
    if (joined == NULL) {
        return dw__error_oom(e->err);
    }
    *joined = *old;
    if (old->kind == DW_TYPE_MAP) {
        DW_TRY(join_part(e, at, "key", more->key, &joined->key));
    }
    DW_TRY(join_part(e, at, old->kind == DW_TYPE_MAP ? "value" : "element", more->element,
                     &joined->element));
    *out = joined;
    return DW_OK;
}

/* ---- The definition -------------------------------------------------------------------------- */

static dw_status
print_schema(const evolution *e, dw_evolved *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(e->arena->allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&text, out->schema);
    DW_TRY(dw__strbuf_ok(&text, "the schema", e->err));
    return dw__arena_dup(e->arena, dw__strbuf_str(&text), &out->metadata.schema_string)
               ? DW_OK
               : dw__error_oom(e->err);
}

/* Completes the metadata, whose partition columns are the new ones, and the protocol. */
static dw_status
complete(evolution *e, dw_table *table, const dw_type *schema, bool replaces, dw_evolved *out)
{
    const dw_log_snapshot *snapshot = e->snapshot;
    const dw_metadata *before = dw__log_snapshot_metadata(snapshot);
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    DW_TRY(dw__schema_check(schema, out->metadata.partition_columns,
                            out->metadata.partition_column_count,
                            properties->mapping_mode != DW_MAPPING_NONE, e->err));
    dw_mapping_change change = {.env = dw__table_env(table),
                                .schema = schema,
                                .configuration = &before->configuration,
                                .schema_before = dw__log_snapshot_schema(snapshot),
                                .configuration_before = &before->configuration,
                                .mode_before = properties->mapping_mode,
                                .replaces = replaces};
    DW_TRY(
        dw__mapping_apply(&change, e->arena, &out->schema, &out->metadata.configuration, e->err));
    dw__properties_read(&out->metadata.configuration, &out->properties, NULL);
    DW_TRY(print_schema(e, out));
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    DW_TRY(dw__protocol_upgrade(protocol, out->schema, &out->metadata.configuration, e->arena,
                                &out->protocol, e->err));
    out->has_new_schema = true;
    out->has_new_protocol = out->protocol.reader_feature_count != protocol->reader_feature_count ||
                            out->protocol.writer_feature_count != protocol->writer_feature_count ||
                            out->protocol.min_reader_version != protocol->min_reader_version ||
                            out->protocol.min_writer_version != protocol->min_writer_version;
    DW_TRY(
        dw__iceberg_compat_check(&out->protocol, &out->properties, out->schema, e->arena, e->err));
    return dw__protocol_check_write(&out->protocol, out->schema, e->err);
}

dw_evolved
dw__evolved_of(const dw_log_snapshot *snapshot)
{
    return (dw_evolved){.schema = dw__log_snapshot_schema(snapshot),
                        .metadata = *dw__log_snapshot_metadata(snapshot),
                        .properties = *dw__log_snapshot_properties(snapshot),
                        .protocol = *dw__log_snapshot_protocol(snapshot),
                        .clustering = DW_STR_NULL};
}

dw_status
dw__evolve(dw_table *table, const dw_log_snapshot *snapshot, const dw_field *columns, size_t count,
           dw_arena *arena, dw_evolved *out, dw_error *err)
{
    evolution e = {.snapshot = snapshot,
                   .arena = arena,
                   .err = err,
                   .widens = dw__log_snapshot_properties(snapshot)->enable_type_widening};
    const dw_type *joined;
    *out = dw__evolved_of(snapshot);
    DW_TRY(join_struct(&e, out->schema, columns, count, &joined));
    return e.changed ? complete(&e, table, joined, false, out) : DW_OK;
}

/* ---- Other columns in their place ------------------------------------------------------------ */

/* The partition columns as the new columns spell them. */
static dw_status
choose_partitions(evolution *e, const dw_new_columns *wanted, const dw_type *schema,
                  dw_evolved *out)
{
    bool is_told = wanted->partition_columns != NULL;
    const dw_str *names = is_told ? wanted->partition_columns : out->metadata.partition_columns;
    size_t count = is_told ? wanted->partition_column_count : out->metadata.partition_column_count;
    dw_str *found = DW_ARENA_ARRAY(e->arena, dw_str, count + 1);
    if (found == NULL) {
        return dw__error_oom(e->err);
    }
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = dw__schema_find(schema, names[i]);
        if (field == NULL) {
            return dw__error_set(e->err, DW_INVALID_ARGUMENT, "PARTITION_COLUMN_MISSING",
                                 "expected the partition column \"%.*s\" among the new columns: "
                                 "give it, or name other partition columns",
                                 DW_STR_ARG(names[i]));
        }
        found[i] = field->name;
    }
    out->metadata.partition_columns = found;
    out->metadata.partition_column_count = count;
    return DW_OK;
}

static bool
is_as_before(const dw_log_snapshot *snapshot, const dw_type *schema, const dw_evolved *evolved)
{
    const dw_type *old = dw__log_snapshot_schema(snapshot);
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    bool same = old->field_count == schema->field_count &&
                metadata->partition_column_count == evolved->metadata.partition_column_count;
    for (size_t i = 0; same && i < schema->field_count; i++) {
        same = dw__str_equal(old->fields[i].name, schema->fields[i].name) &&
               dw__type_equal(old->fields[i].type, schema->fields[i].type, true);
    }
    for (size_t i = 0; same && i < metadata->partition_column_count; i++) {
        same =
            dw__str_equal(metadata->partition_columns[i], evolved->metadata.partition_columns[i]);
    }
    return same;
}

/* A clustered table stays clustered by the columns of the same names. */
static dw_status
choose_clustering(evolution *e, dw_evolved *out)
{
    dw_cluster_columns before, after;
    DW_TRY(dw__cluster_columns_of(e->snapshot, e->arena, &before, e->err));
    if (before.count == 0) {
        return DW_OK;
    }
    dw_name_path *paths = DW_ARENA_ARRAY(e->arena, dw_name_path, before.count);
    if (paths == NULL) {
        return dw__error_oom(e->err);
    }
    for (size_t i = 0; i < before.count; i++) {
        paths[i] = before.items[i].parts;
        if (dw__schema_find(out->schema, paths[i].parts[0]) == NULL) {
            return dw__error_set(e->err, DW_INVALID_ARGUMENT, "CLUSTERING_COLUMN_MISSING",
                                 "expected the clustering column \"%.*s\" among the new columns: "
                                 "give it, or ALTER TABLE ... CLUSTER BY other columns first",
                                 DW_STR_ARG(before.items[i].name));
        }
    }
    dw_name_paths names = {paths, before.count};
    DW_TRY(dw__cluster_columns_find(out->schema, names, e->arena, &after, e->err));
    DW_TRY(dw__cluster_columns_check(&after, out->schema, &out->properties, e->arena, e->err));
    return dw__cluster_columns_print(&after, e->arena, &out->clustering, e->err);
}

dw_status
dw__evolve_replace(dw_table *table, const dw_log_snapshot *snapshot, const dw_new_columns *columns,
                   dw_arena *arena, dw_evolved *out, dw_error *err)
{
    evolution e = {.snapshot = snapshot, .arena = arena, .err = err};
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, columns->count + 1);
    *out = dw__evolved_of(snapshot);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < columns->count; i++) {
        fields[i] = new_field(&columns->columns[i]);
    }
    const dw_type *schema = dw__type_make_struct(arena, fields, columns->count);
    if (schema == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(choose_partitions(&e, columns, schema, out));
    if (is_as_before(snapshot, schema, out)) {
        return DW_OK;
    }
    DW_TRY(complete(&e, table, schema, true, out));
    return choose_clustering(&e, out);
}

/* ---- The commit ------------------------------------------------------------------------------ */

dw_status
dw__evolved_put(const dw_evolved *evolved, dw_change *change, dw_error *err)
{
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL, .as.protocol = evolved->protocol};
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = evolved->metadata};
    dw_action clustering = {
        .kind = DW_ACTION_DOMAIN,
        .as.domain = {.domain = DW_CLUSTERING_DOMAIN, .configuration = evolved->clustering}};
    DW_TRY(dw__change_reserve(change, DW_EVOLVED_ACTIONS_MAX, err));
    if (evolved->has_new_protocol) {
        dw__change_put(change, &protocol);
    }
    dw__change_put(change, &metadata);
    if (!dw__str_is_null(evolved->clustering)) {
        dw__change_put(change, &clustering);
    }
    return DW_OK;
}
