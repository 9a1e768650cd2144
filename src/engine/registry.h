/*
 * Things that functions of ours find by a number that stands in SQL: streams, scans, rows that
 * were found, rows to write, numberings of rows, judges of rows.
 * A number that is not there is an error of that statement, so nobody can reach memory through SQL.
 * Private to this folder.
 *
 *  [REGISTRY-1] An entry lives until it was removed and the last bound statement that found it is
 *               gone.
 *  [REGISTRY-2] Numbers are never used again.
 */
#ifndef DW_ENGINE_REGISTRY_H
#define DW_ENGINE_REGISTRY_H

#include "base/allocator.h"
#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum dw_entry_kind {
    DW_ENTRY_ROWS,
    DW_ENTRY_STREAM,
    DW_ENTRY_SCAN,
    DW_ENTRY_FOUND,
    DW_ENTRY_NUMBERING,
    DW_ENTRY_SHREDDING,
    DW_ENTRY_JUDGE
} dw_entry_kind;

/* The first member of what is registered. */
typedef struct dw_entry {
    dw_entry_kind kind;
    int64_t id;
    atomic_int ref_count;
    void (*destroy)(struct dw_entry *entry);
} dw_entry;

typedef struct dw_registry {
    const dw_allocator *allocator;
    pthread_mutex_t mutex; /* guards all below */
    dw_entry **items;
    size_t count;
    size_t capacity;
    int64_t last_id;
} dw_registry;

void dw__registry_init(dw_registry *registry, const dw_allocator *allocator);
/* Everything must have been removed. */
void dw__registry_deinit(dw_registry *registry);

/* Registers `entry`, whose kind and destroy are set, under a new id. On failure it stays the
 * caller's. */
DW_WARN_UNUSED dw_status dw__registry_add(dw_registry *registry, dw_entry *entry, dw_error *err);
/* A reference to the entry, or NULL. */
dw_entry *dw__registry_find(dw_registry *registry, dw_entry_kind kind, int64_t id);
/* Takes the entry out and drops the reference that _add took over. */
void dw__registry_remove(dw_registry *registry, dw_entry *entry);

dw_entry *dw__entry_ref(dw_entry *entry);
void dw__entry_unref(dw_entry *entry);

#endif
