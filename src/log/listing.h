/*
 * What storage lists below _delta_log, as log files. PROTOCOL.md "File Types".
 */
#ifndef DW_LOG_LISTING_H
#define DW_LOG_LISTING_H

#include "log/names.h"
#include "storage/storage.h"

#define DW_LOG_FILES_MAX ((size_t) 1 << 26)

/* In the order of their keys: by version, and within one compacted commits, then checkpoints, then
 * the commit. */
typedef struct dw_log_listing {
    dw_log_file *items;
    size_t count;
    size_t capacity;
    int64_t from_version;     /* nothing before it was asked for */
    int64_t checksum_version; /* the newest with a version checksum; -1: none */
    const dw_allocator *allocator;
    dw_arena arena; /* of the keys */
} dw_log_listing;

void dw__log_listing_init(dw_log_listing *listing, const dw_allocator *allocator);
void dw__log_listing_deinit(dw_log_listing *listing);

/* Fills the listing with the log files of version `from_version` and later. */
DW_WARN_UNUSED dw_status dw__log_list(dw_storage *storage, int64_t from_version,
                                      dw_log_listing *listing, dw_error *err);
/* Adds a file by its key; names that are no log files are left out. False when out of memory. `key`
 * is borrowed. */
DW_WARN_UNUSED bool dw__log_listing_add(dw_log_listing *listing, const dw_object_meta *object);
/* Stops at the first log file: is a table there at all? */
DW_WARN_UNUSED dw_status dw__log_list_any(dw_storage *storage, const dw_allocator *allocator,
                                          bool *any_out, dw_error *err);

static inline void
dw__dw_log_listing_cleanup(dw_log_listing *listing)
{
    dw__log_listing_deinit(listing);
}

#endif
