/*
 * Joining two schemas, and completing what a table's new definition needs.
 */
#include "table/evolve.h"

#include "protocol/column_mapping.h"
#include "protocol/feature.h"
#include "protocol/iceberg_compat.h"
#include "protocol/type_widening.h"

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)
#define DEPTH_MAX 64

typedef struct evolution {
    const dw_log_snapshot *snapshot;
    dw_arena *arena;
    dw_error *err;
    bool widens;
    bool changed;
} evolution;

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

/* ---- Joining --------------------------------------------------------------------------------- */

static dw_status join_type(evolution *e, const dw_type *old, const dw_type *more, int depth,
                           const dw_type **out);

static dw_status
join_field(evolution *e, dw_field *field, const dw_type *more, int depth)
{
    if (becomes_wider(e, field->type, more)) {
        e->changed = true;
        DW_TRY(dw__type_change_record(field, DW_STR(""), field->type, more, -1, e->arena, e->err));
        field->type = more;
        return DW_OK;
    }
    return join_type(e, field->type, more, depth, &field->type);
}

static dw_status
join_struct(evolution *e, const dw_type *old, const dw_field *more, size_t count, int depth,
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
            DW_TRY(join_field(e, &fields[idx], more[i].type, depth));
        } else if (more[i].type->kind != DW_TYPE_VOID) {
            e->changed = true;
            fields[field_count++] = (dw_field){.name = more[i].name,
                                               .type = more[i].type,
                                               .nullable = true,
                                               .metadata_json = DW_STR("{}"),
                                               .physical_name = more[i].name,
                                               .mapping_id = -1,
                                               .extra_json = DW_STR("")};
        }
    }
    *out = dw__type_make_struct(e->arena, fields, field_count);
    return *out == NULL ? dw__error_oom(e->err) : DW_OK;
}

/* The old type with the fields that the other has more, at every depth. */
static dw_status
join_type(evolution *e, const dw_type *old, const dw_type *more, int depth, const dw_type **out)
{
    *out = old;
    if (old->kind != more->kind || depth >= DEPTH_MAX) {
        return DW_OK; /* whether values fit is judged when they are cast */
    }
    if (old->kind == DW_TYPE_STRUCT) {
        return join_struct(e, old, more->fields, more->field_count, depth + 1, out);
    }
    if (old->kind == DW_TYPE_ARRAY || old->kind == DW_TYPE_MAP) {
        dw_type *joined = DW_ARENA_NEW(e->arena, dw_type);
        if (joined == NULL) {
            return dw__error_oom(e->err);
        }
        *joined = *old;
        DW_TRY(join_type(e, old->element, more->element, depth + 1, &joined->element));
        *out = joined;
    }
    return DW_OK;
}

/* ---- The definition -------------------------------------------------------------------------- */

static dw_status
complete(evolution *e, dw_table *table, const dw_type *schema, dw_evolved *out)
{
    const dw_log_snapshot *snapshot = e->snapshot;
    const dw_metadata *before = dw__log_snapshot_metadata(snapshot);
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    DW_TRY(dw__schema_check(schema, before->partition_columns, before->partition_column_count,
                            properties->mapping_mode != DW_MAPPING_NONE, e->err));
    dw_mapping_change change = {.env = dw__table_env(table),
                                .schema = schema,
                                .configuration = &before->configuration,
                                .schema_before = dw__log_snapshot_schema(snapshot),
                                .configuration_before = &before->configuration,
                                .mode_before = properties->mapping_mode};
    DW_TRY(
        dw__mapping_apply(&change, e->arena, &out->schema, &out->metadata.configuration, e->err));
    dw__properties_read(&out->metadata.configuration, &out->properties, NULL);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(e->arena->allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&text, out->schema);
    DW_TRY(dw__strbuf_ok(&text, "the schema", e->err));
    if (!dw__arena_dup(e->arena, dw__strbuf_str(&text), &out->metadata.schema_string)) {
        return dw__error_oom(e->err);
    }
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    DW_TRY(dw__protocol_upgrade(protocol, out->schema, &out->metadata.configuration, e->arena,
                                &out->protocol, e->err));
    out->has_new_protocol = out->protocol.reader_feature_count != protocol->reader_feature_count ||
                            out->protocol.writer_feature_count != protocol->writer_feature_count ||
                            out->protocol.min_reader_version != protocol->min_reader_version ||
                            out->protocol.min_writer_version != protocol->min_writer_version;
    DW_TRY(
        dw__iceberg_compat_check(&out->protocol, &out->properties, out->schema, e->arena, e->err));
    return dw__protocol_check_write(&out->protocol, out->schema, e->err);
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
    *out = (dw_evolved){.schema = dw__log_snapshot_schema(snapshot),
                        .metadata = *dw__log_snapshot_metadata(snapshot),
                        .properties = *dw__log_snapshot_properties(snapshot),
                        .protocol = *dw__log_snapshot_protocol(snapshot)};
    DW_TRY(join_struct(&e, out->schema, columns, count, 0, &joined));
    out->has_new_schema = e.changed;
    return e.changed ? complete(&e, table, joined, out) : DW_OK;
}

dw_status
dw__evolved_put(const dw_evolved *evolved, dw_change *change, dw_error *err)
{
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL, .as.protocol = evolved->protocol};
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = evolved->metadata};
    DW_TRY(dw__change_reserve(change, 2, err));
    if (evolved->has_new_protocol) {
        dw__change_put(change, &protocol);
    }
    dw__change_put(change, &metadata);
    return DW_OK;
}
