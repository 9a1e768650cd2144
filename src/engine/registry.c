/*
 * Entries by number. They are few at a time (one a bound stream or scan), so an array does.
 */
#include "engine/registry.h"

#include "base/assert.h"
#include "base/vec.h"

void
dw__registry_init(dw_registry *registry, const dw_allocator *allocator)
{
    *registry = (dw_registry){.allocator = allocator};
    int failed = pthread_mutex_init(&registry->mutex, NULL);
    dw_assert(failed == 0);
}

void
dw__registry_deinit(dw_registry *registry)
{
    dw_assert(registry->count == 0);
    DW_VEC_DEINIT(registry->allocator, registry);
    pthread_mutex_destroy(&registry->mutex);
}

dw_status
dw__registry_add(dw_registry *registry, dw_entry *entry, dw_error *err)
{
    dw_assert(entry->destroy != NULL);
    pthread_mutex_lock(&registry->mutex);
    dw_entry **slot = DW_VEC_PUSH(registry->allocator, registry);
    if (slot != NULL) {
        entry->id = ++registry->last_id;
        atomic_store(&entry->ref_count, 1);
        *slot = entry;
    }
    pthread_mutex_unlock(&registry->mutex);
    return slot == NULL ? dw__error_oom(err) : DW_OK;
}

dw_entry *
dw__registry_find(dw_registry *registry, dw_entry_kind kind, int64_t id)
{
    dw_entry *found = NULL;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < registry->count && found == NULL; i++) {
        dw_entry *entry = registry->items[i];
        if (entry->id == id && entry->kind == kind) {
            found = dw__entry_ref(entry);
        }
    }
    pthread_mutex_unlock(&registry->mutex);
    return found;
}

void
dw__registry_remove(dw_registry *registry, dw_entry *entry)
{
    bool was_there = false;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < registry->count && !was_there; i++) {
        if (registry->items[i] == entry) {
            registry->items[i] = registry->items[--registry->count];
            was_there = true;
        }
    }
    pthread_mutex_unlock(&registry->mutex);
    dw_assert(was_there);
    dw__entry_unref(entry);
}

dw_entry *
dw__entry_ref(dw_entry *entry)
{
    atomic_fetch_add(&entry->ref_count, 1);
    return entry;
}

void
dw__entry_unref(dw_entry *entry)
{
    if (entry != NULL && atomic_fetch_sub(&entry->ref_count, 1) == 1) {
        entry->destroy(entry);
    }
}
