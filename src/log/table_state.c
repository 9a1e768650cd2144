/*
 * Definitions, txns and domains: copying them out of the actions that set them.
 */
#include "log/table_state.h"

#include "base/assert.h"

/* ---- Definition ------------------------------------------------------------------------------ */

/* A property enables nothing that the protocol does not list. */
static void
keep_supported(const dw_protocol *protocol, dw_properties *properties)
{
    properties->enable_in_commit_timestamps &=
        dw__protocol_supports(protocol, DW_FEATURE_IN_COMMIT_TIMESTAMP);
    properties->enable_row_tracking &= dw__protocol_supports(protocol, DW_FEATURE_ROW_TRACKING);
}

static dw_status
fill_definition(dw_definition *definition, const dw_env *env, const dw_protocol *protocol,
                const dw_metadata *metadata, dw_error *err)
{
    DW_TRY(dw__protocol_check_read(protocol, err));
    if (!dw__str_equal(metadata->format_provider, DW_STR("parquet"))) {
        return dw__error_set(err, DW_UNSUPPORTED, "FORMAT_UNSUPPORTED",
                             "the table's files are in format \"%.*s\"; expected \"parquet\"",
                             DW_STR_ARG(metadata->format_provider));
    }
    if (!dw__protocol_dup(&definition->arena, protocol, &definition->protocol) ||
        !dw__metadata_dup(&definition->arena, metadata, &definition->metadata)) {
        return dw__error_oom(err);
    }
    dw_str bad_key;
    dw__properties_read(&definition->metadata.configuration, &definition->properties, &bad_key);
    if (!dw__str_is_null(bad_key)) {
        dw__env_warn(env,
                     "the value of the table property %.*s is not understood; its default holds",
                     DW_STR_ARG(bad_key));
    }
    if (!dw__protocol_supports(&definition->protocol, DW_FEATURE_COLUMN_MAPPING)) {
        definition->properties.mapping_mode = DW_MAPPING_NONE;
    }
    keep_supported(&definition->protocol, &definition->properties);
    DW_TRY(dw__schema_parse("the schema in metaData", definition->metadata.schema_string,
                            &definition->arena, &definition->schema, err));
    if (definition->properties.mapping_mode == DW_MAPPING_NONE) {
        /* A rewrite to mode none leaves names and ids behind that mean nothing any more. */
        definition->schema = dw__schema_without_mapping(definition->schema, &definition->arena);
    }
    return definition->schema == NULL ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__definition_new(const dw_env *env, const dw_protocol *protocol, const dw_metadata *metadata,
                   dw_definition **out, dw_error *err)
{
    *out = NULL;
    dw_definition *definition = DW_NEW(env->allocator, dw_definition);
    if (definition == NULL) {
        return dw__error_oom(err);
    }
    definition->allocator = env->allocator;
    atomic_init(&definition->ref_count, 1);
    dw__arena_init(&definition->arena, env->allocator);
    dw_status status = fill_definition(definition, env, protocol, metadata, err);
    if (status != DW_OK) {
        dw__definition_unref(definition);
        return status;
    }
    *out = definition;
    return DW_OK;
}

dw_definition *
dw__definition_ref(dw_definition *definition)
{
    atomic_fetch_add_explicit(&definition->ref_count, 1, memory_order_relaxed);
    return definition;
}

void
dw__definition_unref(dw_definition *definition)
{
    if (definition != NULL &&
        atomic_fetch_sub_explicit(&definition->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__arena_deinit(&definition->arena);
        DW_DELETE(definition->allocator, definition);
    }
}

/* ---- Txns ------------------------------------------------------------------------------------ */

/* Copies every entry that is not there yet. */
static bool
add_txns(dw_txn_set *txns, const dw_map *from)
{
    for (size_t i = 0; i < from->slot_count; i++) {
        const dw_map_slot *slot = &from->slots[i];
        if (slot->key.ptr == NULL || dw__map_get(&txns->by_app_id, slot->key) != NULL) {
            continue;
        }
        dw_txn_id *copy = DW_ARENA_NEW(&txns->arena, dw_txn_id);
        if (copy == NULL) {
            return false;
        }
        *copy = *(const dw_txn_id *) slot->value.ptr;
        if (!dw__arena_dup(&txns->arena, slot->key, &copy->app_id)) {
            return false;
        }
        dw_map_value *value = dw__map_put(&txns->by_app_id, copy->app_id, NULL);
        if (value == NULL) {
            return false;
        }
        value->ptr = copy;
    }
    return true;
}

dw_status
dw__txn_set_new(const dw_allocator *allocator, const dw_txn_set *base, const dw_map *changes,
                dw_txn_set **out, dw_error *err)
{
    *out = NULL;
    dw_txn_set *txns = DW_NEW(allocator, dw_txn_set);
    if (txns == NULL) {
        return dw__error_oom(err);
    }
    txns->allocator = allocator;
    atomic_init(&txns->ref_count, 1);
    dw__arena_init(&txns->arena, allocator);
    dw__map_init(&txns->by_app_id, allocator);
    if (!add_txns(txns, changes) || (base != NULL && !add_txns(txns, &base->by_app_id))) {
        dw__txn_set_unref(txns);
        return dw__error_oom(err);
    }
    *out = txns;
    return DW_OK;
}

dw_txn_set *
dw__txn_set_ref(dw_txn_set *txns)
{
    atomic_fetch_add_explicit(&txns->ref_count, 1, memory_order_relaxed);
    return txns;
}

void
dw__txn_set_unref(dw_txn_set *txns)
{
    if (txns != NULL && atomic_fetch_sub_explicit(&txns->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__map_deinit(&txns->by_app_id);
        dw__arena_deinit(&txns->arena);
        DW_DELETE(txns->allocator, txns);
    }
}

const dw_txn_id *
dw__txn_set_get(const dw_txn_set *txns, dw_str app_id)
{
    const dw_map_value *value = dw__map_get(&txns->by_app_id, app_id);
    return value == NULL ? NULL : value->ptr;
}

/* ---- Domains --------------------------------------------------------------------------------- */

static bool
add_domain(dw_domain_set *domains, const dw_domain *from)
{
    if (from->removed) {
        return true;
    }
    dw_domain *copy = &domains->items[domains->count++];
    *copy = (dw_domain){0};
    return dw__arena_dup(&domains->arena, from->domain, &copy->domain) &&
           dw__arena_dup(&domains->arena, from->configuration, &copy->configuration);
}

static bool
fill_domains(dw_domain_set *domains, const dw_domain_set *base, const dw_map *changes)
{
    size_t base_count = base == NULL ? 0 : base->count;
    domains->items = DW_ARENA_ARRAY(&domains->arena, dw_domain, base_count + changes->count);
    bool ok = domains->items != NULL;
    for (size_t i = 0; ok && i < base_count; i++) {
        ok = dw__map_get(changes, base->items[i].domain) != NULL ||
             add_domain(domains, &base->items[i]);
    }
    for (size_t i = 0; ok && i < changes->slot_count; i++) {
        ok = changes->slots[i].key.ptr == NULL || add_domain(domains, changes->slots[i].value.ptr);
    }
    return ok;
}

dw_status
dw__domain_set_new(const dw_allocator *allocator, const dw_domain_set *base, const dw_map *changes,
                   dw_domain_set **out, dw_error *err)
{
    *out = NULL;
    dw_domain_set *domains = DW_NEW(allocator, dw_domain_set);
    if (domains == NULL) {
        return dw__error_oom(err);
    }
    domains->allocator = allocator;
    atomic_init(&domains->ref_count, 1);
    dw__arena_init(&domains->arena, allocator);
    if (!fill_domains(domains, base, changes)) {
        dw__domain_set_unref(domains);
        return dw__error_oom(err);
    }
    *out = domains;
    return DW_OK;
}

dw_domain_set *
dw__domain_set_ref(dw_domain_set *domains)
{
    atomic_fetch_add_explicit(&domains->ref_count, 1, memory_order_relaxed);
    return domains;
}

void
dw__domain_set_unref(dw_domain_set *domains)
{
    if (domains != NULL &&
        atomic_fetch_sub_explicit(&domains->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__arena_deinit(&domains->arena);
        DW_DELETE(domains->allocator, domains);
    }
}
