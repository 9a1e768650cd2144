/*
 * Deletion vectors as scans need them: sets of row positions, read and checked once. PROTOCOL.md
 * "Deletion Vectors", "Deletion Vector Format".
 *
 *  [DV-1] A deletion vector is believed only when size, checksum and cardinality are what the log
 *         and its own file say.
 *  [DV-2] What is kept with the blocks of a table stays within DW_DV_CACHE_BYTES_MAX a block.
 */
#ifndef DW_SCAN_DV_H
#define DW_SCAN_DV_H

#include "codec/roaring.h"
#include "log/file_set.h"
#include "storage/storage.h"

#define DW_DV_CACHE_BYTES_MAX ((size_t) 16 << 20)

/* Reads the deletion vector of one file. The caller owns the set. DW_CORRUPT (DV_INVALID,
 * DV_MISSING) names the file that the vector is stored in. */
DW_WARN_UNUSED dw_status dw__dv_read(dw_storage *storage, const dw_dv_descriptor *dv,
                                     dw_arena *scratch, dw_rowset **out, dw_error *err);

/* The deletion vectors of some files of a set, as borrowed pointers, NULL for files without one. */
typedef struct dw_dv_list {
    const dw_allocator *allocator;
    dw_rowset **items; /* count */
    size_t count;
    bool is_any;      /* some file has one */
    uint64_t deleted; /* rows in all of them */
    dw_rowset **own;  /* those that no block keeps */
    size_t own_count;
} dw_dv_list;

/* Fills `out`; on failure too it is to be released. */
DW_WARN_UNUSED dw_status dw__dv_list_load(dw_storage *storage, dw_file_set *set,
                                          const dw_file_ref *files, size_t count, dw_dv_list *out,
                                          dw_error *err);
void dw__dv_list_deinit(dw_dv_list *list);

#endif
