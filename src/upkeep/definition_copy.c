/*
 * Protocol, schema and configuration that take the place of others. [DEFINITION-COPY-1..3]
 */
#include "upkeep/definition_copy.h"

#include "protocol/column_mapping.h"
#include "protocol/iceberg_compat.h"
#include "table/clustering.h"
#include "table/identity.h"

#include <inttypes.h>

#define SCHEMA_BYTES_MAX ((size_t) 64 << 20)
#define FEATURE_KEY_PREFIX "delta.feature."
#define NO_CLUSTERING DW_STR("{\"clusteringColumns\":[],\"domainName\":\"delta.clustering\"}")

/* What a table says of its own commits, or of its own files. */
static const char *const own_keys[] = {
    "delta.rowTracking.materializedRowIdColumnName",
    "delta.rowTracking.materializedRowCommitVersionColumnName",
    "delta.requireCheckpointProtectionBeforeVersion",
    "delta.inCommitTimestampEnablementVersion",
    "delta.inCommitTimestampEnablementTimestamp",
};
#define OWN_KEY_COUNT (sizeof(own_keys) / sizeof(own_keys[0]))
/* From here on they say nothing where in-commit timestamps are off. */
#define FIRST_TIMESTAMP_KEY 3

/* ---- Configuration --------------------------------------------------------------------------- */

static bool
asks_for_protocol(dw_str key)
{
    return dw__str_starts_with(key, DW_STR(FEATURE_KEY_PREFIX)) ||
           dw__str_equal(key, DW_STR("delta.minReaderVersion")) ||
           dw__str_equal(key, DW_STR("delta.minWriterVersion"));
}

/* There must be room for one more. */
static void
set_pair(dw_pairs *pairs, dw_str key, dw_str value)
{
    size_t at = 0;
    while (at < pairs->count && !dw__str_equal(pairs->items[at].key, key)) {
        at++;
    }
    pairs->items[at] = (dw_pair){.key = key, .value = value};
    pairs->count += at == pairs->count;
}

static void
unset_pair(dw_pairs *pairs, dw_str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (!dw__str_equal(pairs->items[i].key, key)) {
            pairs->items[kept++] = pairs->items[i];
        }
    }
    pairs->count = kept;
}

/* [DEFINITION-COPY-3] */
static void
keep_own(const dw_definition_copy *copy, dw_pairs *pairs)
{
    dw_properties properties;
    dw__properties_read(pairs, &properties, NULL);
    const dw_pairs *own =
        copy->current == NULL ? NULL : &dw__log_snapshot_metadata(copy->current)->configuration;
    bool had_timestamps =
        own != NULL && dw__log_snapshot_properties(copy->current)->enable_in_commit_timestamps;
    for (size_t i = 0; i < OWN_KEY_COUNT; i++) {
        dw_str key = dw__str_from(own_keys[i]);
        const dw_str *value = own == NULL ? NULL : dw__pairs_get(own, key);
        bool says_something =
            i < FIRST_TIMESTAMP_KEY || (had_timestamps && properties.enable_in_commit_timestamps);
        if (value != NULL && says_something) {
            set_pair(pairs, key, *value);
        } else {
            unset_pair(pairs, key);
        }
    }
}

/* The highest id of a column that either state has given. [MAPPING-1] */
static dw_status
keep_column_ids(const dw_definition_copy *copy, dw_pairs *pairs, dw_arena *arena, dw_error *err)
{
    dw_properties properties;
    dw__properties_read(pairs, &properties, NULL);
    if (copy->current == NULL || properties.mapping_mode == DW_MAPPING_NONE) {
        return DW_OK;
    }
    int64_t highest = dw__log_snapshot_properties(copy->current)->mapping_max_column_id;
    if (highest <= properties.mapping_max_column_id) {
        return DW_OK;
    }
    dw_str text = dw__arena_printf(arena, "%" PRId64, highest);
    if (dw__str_is_null(text)) {
        return dw__error_oom(err);
    }
    set_pair(pairs, DW_MAPPING_MAX_ID_KEY, text);
    return DW_OK;
}

static dw_status
check_mapping(const dw_definition_copy *copy, dw_error *err)
{
    dw_properties properties;
    dw__properties_read(&copy->metadata.configuration, &properties, NULL);
    bool is_wanted =
        properties.mapping_mode == dw__log_snapshot_properties(copy->wanted)->mapping_mode;
    bool is_current =
        copy->is_same_table || copy->current == NULL ||
        properties.mapping_mode == dw__log_snapshot_properties(copy->current)->mapping_mode;
    if (is_wanted && is_current) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "MAPPING_MODE_CHANGE",
                         "expected delta.columnMapping.mode to stay as it is in %s, found another: "
                         "leave it out%s",
                         is_wanted ? "the table that is replaced" : "the source",
                         is_wanted ? ", or clone to another place" : "");
}

static dw_status
copy_configuration(dw_definition_copy *copy, dw_arena *arena, dw_error *err)
{
    const dw_pairs *from = &dw__log_snapshot_metadata(copy->wanted)->configuration;
    dw_pairs *to = &copy->metadata.configuration;
    to->count = 0;
    to->items =
        DW_ARENA_ARRAY(arena, dw_pair, from->count + copy->overrides.count + OWN_KEY_COUNT + 2);
    if (to->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < from->count; i++) {
        to->items[to->count++] = from->items[i];
    }
    for (size_t i = 0; i < copy->overrides.count; i++) {
        const dw_pair *pair = &copy->overrides.items[i];
        DW_TRY(dw__property_check(pair->key, pair->value, err));
        if (!asks_for_protocol(pair->key)) {
            set_pair(to, pair->key, pair->value);
        }
    }
    keep_own(copy, to);
    DW_TRY(keep_column_ids(copy, to, arena, err));
    return check_mapping(copy, err);
}

/* ---- Schema ---------------------------------------------------------------------------------- */

/* The mark of the column of that physical name; false when there is none. */
static dw_status
find_mark(const dw_type *schema, dw_str physical_name, dw_arena *arena, int64_t *out,
          bool *found_out, dw_error *err)
{
    *found_out = false;
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        const dw_identity *identity;
        if ((field->traits & DW_FIELD_IDENTITY) == 0 ||
            !dw__str_equal(field->physical_name, physical_name)) {
            continue;
        }
        DW_TRY(dw__identity_read(field, arena, &identity, err));
        *found_out = identity->has_high_water_mark;
        *out = identity->high_water_mark;
    }
    return DW_OK;
}

static dw_status
raise_mark(const dw_definition_copy *copy, dw_field *field, dw_arena *arena, bool *raised_out,
           dw_error *err)
{
    int64_t last, mark;
    bool found;
    const dw_identity *identity;
    DW_TRY(find_mark(dw__log_snapshot_schema(copy->current), field->physical_name, arena, &last,
                     &found, err));
    if (!found) {
        return DW_OK;
    }
    DW_TRY(dw__identity_read(field, arena, &identity, err));
    if (dw__identity_choose_mark(identity, last, &mark)) {
        DW_TRY(dw__identity_set_mark(field, mark, arena, err));
        *raised_out = true;
    }
    return DW_OK;
}

/* The schema is parsed from its text once more, so that what a snapshot lays aside stays. */
static dw_status
copy_schema(dw_definition_copy *copy, dw_arena *arena, dw_error *err)
{
    bool raised = false;
    copy->schema = dw__log_snapshot_schema(copy->wanted);
    if (copy->current == NULL || dw__schema_find_trait(copy->schema, DW_FIELD_IDENTITY) == NULL) {
        return DW_OK;
    }
    DW_TRY(dw__schema_parse("the table's schema", copy->metadata.schema_string, arena,
                            &copy->schema, err));
    for (size_t i = 0; i < copy->schema->field_count; i++) {
        if ((copy->schema->fields[i].traits & DW_FIELD_IDENTITY) != 0) {
            DW_TRY(raise_mark(copy, &copy->schema->fields[i], arena, &raised, err));
        }
    }
    if (!raised) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, SCHEMA_BYTES_MAX);
    dw__schema_print(&text, copy->schema);
    DW_TRY(dw__strbuf_ok(&text, "the schema", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), &copy->metadata.schema_string)
               ? DW_OK
               : dw__error_oom(err);
}

/* ---- Protocol -------------------------------------------------------------------------------- */

/* What is asked of the protocol: by the configuration, by name, and by what `wanted` supports. */
static dw_status
collect_requests(const dw_definition_copy *copy, dw_arena *arena, dw_pairs *out, dw_error *err)
{
    const dw_pairs *configuration = &copy->metadata.configuration;
    const dw_protocol *wanted = dw__log_snapshot_protocol(copy->wanted);
    out->items = DW_ARENA_ARRAY(arena, dw_pair,
                                configuration->count + copy->overrides.count + DW_FEATURE_COUNT);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < configuration->count; i++) {
        out->items[out->count++] = configuration->items[i];
    }
    for (size_t i = 0; i < copy->overrides.count; i++) {
        if (asks_for_protocol(copy->overrides.items[i].key)) {
            out->items[out->count++] = copy->overrides.items[i];
        }
    }
    for (int f = 0; copy->current != NULL && f < DW_FEATURE_COUNT; f++) {
        dw_str name = dw__feature_spec((dw_feature) f)->name;
        if (!dw__protocol_supports(wanted, (dw_feature) f) ||
            dw__protocol_supports(dw__log_snapshot_protocol(copy->current), (dw_feature) f)) {
            continue;
        }
        dw_str key = dw__arena_printf(arena, FEATURE_KEY_PREFIX "%.*s", DW_STR_ARG(name));
        if (dw__str_is_null(key)) {
            return dw__error_oom(err);
        }
        out->items[out->count++] = (dw_pair){.key = key, .value = DW_STR("supported")};
    }
    return DW_OK;
}

/* [DEFINITION-COPY-1] */
static dw_status
copy_protocol(dw_definition_copy *copy, dw_arena *arena, dw_error *err)
{
    dw_pairs requests = {0};
    const dw_protocol *wanted = dw__log_snapshot_protocol(copy->wanted);
    const dw_protocol *base =
        copy->current == NULL ? wanted : dw__log_snapshot_protocol(copy->current);
    DW_TRY(dw__protocol_check_write(wanted, copy->schema, err));
    DW_TRY(collect_requests(copy, arena, &requests, err));
    DW_TRY(dw__protocol_upgrade(base, copy->schema, &requests, arena, &copy->protocol, err));
    DW_TRY(dw__protocol_check_write(&copy->protocol, copy->schema, err));
    dw_properties properties;
    dw__properties_read(&copy->metadata.configuration, &properties, NULL);
    return dw__iceberg_compat_check(&copy->protocol, &properties, copy->schema, arena, err);
}

dw_status
dw__definition_copy(dw_definition_copy *copy, dw_arena *arena, dw_error *err)
{
    copy->metadata = *dw__log_snapshot_metadata(copy->wanted);
    DW_TRY(copy_configuration(copy, arena, err));
    DW_TRY(copy_schema(copy, arena, err));
    return copy_protocol(copy, arena, err);
}

bool
dw__definition_copy_equals(const dw_definition_copy *copy, const dw_log_snapshot *snapshot)
{
    return dw__metadata_defines_same(&copy->metadata, dw__log_snapshot_metadata(snapshot)) &&
           dw__protocol_equal(&copy->protocol, dw__log_snapshot_protocol(snapshot));
}

bool
dw__definition_copy_clustering(const dw_definition_copy *copy, dw_action *out)
{
    dw_str wanted = dw__log_snapshot_clustering(copy->wanted);
    dw_str found = copy->current == NULL ? DW_STR_NULL : dw__log_snapshot_clustering(copy->current);
    wanted = dw__str_is_null(wanted) && !dw__str_is_null(found) ? NO_CLUSTERING : wanted;
    *out = (dw_action){.kind = DW_ACTION_DOMAIN,
                       .as.domain = {.domain = DW_CLUSTERING_DOMAIN, .configuration = wanted}};
    return !dw__str_is_null(wanted) && !dw__str_equal(wanted, found);
}
