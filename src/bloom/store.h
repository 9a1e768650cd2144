/*
 * The index files of a table, as readers use them: which there are, where the filter of a data file
 * is, and whether it has an item. Thread-safe.
 *
 *  [STORE-1] What is missing, damaged or not read is no filter: then the data file is read. A note
 *            says so, once a file.
 *  [STORE-2] Memory is bounded: directories by the limits of index files, pages of filters by
 *            DW_BLOOM_CACHE_BYTES_MAX a table.
 *  [STORE-3] A look sees all index files that were complete before the version that it is for was
 *            read.
 */
#ifndef DW_BLOOM_STORE_H
#define DW_BLOOM_STORE_H

#include "bloom/index_file.h"
#include "storage/storage.h"

#define DW_BLOOM_CACHE_BYTES_MAX ((size_t) 64 << 20)
/* Index files with no more filters than that are read at once, others page by page. */
#define DW_BLOOM_WHOLE_BYTES_MAX ((uint64_t) 8 << 20)
/* More index files of a table are left alone, with a note. */
#define DW_BLOOM_FILES_MAX ((size_t) 10000)
/* Filters of one data file and column that are looked at. */
#define DW_BLOOM_PLACES_MAX ((size_t) 4)

typedef struct dw_bloom_store dw_bloom_store;
/* What was there at one moment. Immutable, ref-counted. */
typedef struct dw_bloom_view dw_bloom_view;

/* Where something is said about a data file. */
typedef struct dw_bloom_place {
    uint32_t file;  /* of the view's index files */
    uint32_t entry; /* of its entries */
} dw_bloom_place;

/* Both are borrowed and must outlive it. */
DW_WARN_UNUSED dw_status dw__bloom_store_new(const dw_env *env, dw_storage *storage,
                                             dw_bloom_store **out, dw_error *err);
void dw__bloom_store_free(dw_bloom_store *store);
/* Index files have come or gone: the next look is a new one. */
void dw__bloom_store_note_change(dw_bloom_store *store);

/* What there is for readers of that version. Fails when out of memory or cancelled only. */
DW_WARN_UNUSED dw_status dw__bloom_store_look(dw_bloom_store *store, int64_t version,
                                              dw_bloom_view **out, dw_error *err);
void dw__bloom_view_unref(dw_bloom_view *view);

size_t dw__bloom_view_file_count(const dw_bloom_view *view);
/* NULL: it cannot be read. */
const dw_index *dw__bloom_view_index(const dw_bloom_view *view, size_t file_idx);
dw_str dw__bloom_view_key(const dw_bloom_view *view, size_t file_idx); /* in storage */
int64_t dw__bloom_view_size(const dw_bloom_view *view, size_t file_idx);

/* Where the data file is; the number of places, at most DW_BLOOM_PLACES_MAX. */
size_t dw__bloom_view_find(const dw_bloom_view *view, const dw_index_key *key, dw_bloom_place *out);
/* Whether the filter of a column at a place, which is there, has the item. True when nobody can
 * tell. */
DW_WARN_UNUSED dw_status dw__bloom_view_has(dw_bloom_view *view, dw_bloom_place place,
                                            size_t column_idx, uint64_t item, bool *out,
                                            dw_error *err);
/* The bytes of a filter that is there, for who puts index files together. DW_CORRUPT; DW_NOT_FOUND
 * when the index file has gone. */
DW_WARN_UNUSED dw_status dw__bloom_view_read(dw_bloom_view *view, dw_bloom_place place,
                                             size_t column_idx, dw_strbuf *out, dw_error *err);

typedef dw_bloom_view *dw_bloom_view_ptr;

static inline void
dw__dw_bloom_view_ptr_cleanup(dw_bloom_view_ptr *view)
{
    dw__bloom_view_unref(*view);
}

#endif
