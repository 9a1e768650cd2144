/*
 * What a version of a table is besides its files: definition (protocol, metadata and what follows
 * from them), the last txn of each application, the live domains. Each part is immutable and shared
 * by all snapshots between which it did not change. PROTOCOL.md "Action Reconciliation".
 *
 *  [STATE-1] A definition exists only for a protocol that can be read and a schema that parses.
 *            [LOG-3]
 */
#ifndef DW_LOG_TABLE_STATE_H
#define DW_LOG_TABLE_STATE_H

#include "base/map.h"
#include "env/env.h"
#include "protocol/feature.h"
#include "protocol/property.h"

#include <stdatomic.h>

typedef struct dw_definition {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    dw_arena arena;
    dw_protocol protocol;
    dw_metadata metadata;
    dw_properties properties;
    const dw_type *schema;
} dw_definition;

/* Checks the protocol first, then the rest. Copies both. DW_UNSUPPORTED, DW_CORRUPT. */
DW_WARN_UNUSED dw_status dw__definition_new(const dw_env *env, const dw_protocol *protocol,
                                            const dw_metadata *metadata, dw_definition **out,
                                            dw_error *err);
dw_definition *dw__definition_ref(dw_definition *definition);
void dw__definition_unref(dw_definition *definition);

typedef struct dw_txn_set {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    dw_arena arena;
    dw_map by_app_id; /* to dw_txn_id */
} dw_txn_set;

/* `base` (may be NULL) overridden by `changes`, a map to dw_txn_id. */
DW_WARN_UNUSED dw_status dw__txn_set_new(const dw_allocator *allocator, const dw_txn_set *base,
                                         const dw_map *changes, dw_txn_set **out, dw_error *err);
dw_txn_set *dw__txn_set_ref(dw_txn_set *txns);
void dw__txn_set_unref(dw_txn_set *txns);
/* NULL when there is none. */
const dw_txn_id *dw__txn_set_get(const dw_txn_set *txns, dw_str app_id);

typedef struct dw_domain_set {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    dw_arena arena;
    dw_domain *items;
    size_t count;
} dw_domain_set;

/* `base` (may be NULL) overridden by `changes`, a map to dw_domain; removed ones are left out. */
DW_WARN_UNUSED dw_status dw__domain_set_new(const dw_allocator *allocator,
                                            const dw_domain_set *base, const dw_map *changes,
                                            dw_domain_set **out, dw_error *err);
dw_domain_set *dw__domain_set_ref(dw_domain_set *domains);
void dw__domain_set_unref(dw_domain_set *domains);

typedef dw_definition *dw_definition_ptr;

static inline void
dw__dw_definition_ptr_cleanup(dw_definition_ptr *definition)
{
    dw__definition_unref(*definition);
}

#endif
