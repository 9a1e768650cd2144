/*
 * An index file: the filters of many data files, and a directory that finds them.
 *
 *     0   "DWBLOOM1"
 *     8   u32 version 1          12  u32 CRC-32 of bytes 16 to 64
 *     16  u64 bytes of the directory
 *     24  u32 CRC-32 of the directory     28  u32 columns
 *     32  u64 entries            40  u64 where the filters begin
 *     48  u64 bytes of filters   56  u32 bytes of a page      60  u32 bytes of the columns
 *     64  columns: u16 length and the physical name, u16 length and the SQL name of the type,
 *         f64 fpp, i64 items, f64 most expected fpp; zeros up to a multiple of 8
 *         entries, ascending: u64 u64 of the path, i64 size, i64 modification time (those of the
 *         add), then for each column u64 place and u64 size of its filter
 *         u32 CRC-32 of each page of filters
 *     ..  filters, each at a multiple of 32, as Parquet has them
 *
 * Numbers are little-endian. A filter of size 0 at NOT_KEPT was made and found to be of no use; one
 * at NOT_MADE was not made.
 *
 *  [INDEX-1] Nothing of a file is believed before its checksum was right, and no place in it that
 *            is not inside of it.
 *  [INDEX-2] An index file never changes: another has another name.
 *  [INDEX-3] An entry is of a data file of that path, size and time, and of no other.
 */
#ifndef DW_BLOOM_INDEX_FILE_H
#define DW_BLOOM_INDEX_FILE_H

#include "base/error.h"
#include "base/strbuf.h"
#include "bloom/definition.h"

/* Spark and delta-rs remove what they do not know below a table's root, but for names that begin
 * with "_" or "."; and of these `_delta_index` and `_change_data` they do clean up. */
#define DW_INDEX_DIR "_deltaworks_index/"
#define DW_INDEX_PREFIX "bloom-"
#define DW_INDEX_SUFFIX ".index"

#define DW_INDEX_HEAD_BYTES ((size_t) 64)
#define DW_INDEX_PAGE_BYTES ((size_t) 16384)
#define DW_INDEX_DIRECTORY_BYTES_MAX ((size_t) 512 << 20)
#define DW_INDEX_ENTRIES_MAX (UINT64_C(1) << 24)
/* What a reader accepts; what we write is one put, and ends at DW_INDEX_WRITTEN_BYTES_MAX. */
#define DW_INDEX_FILTERS_BYTES_MAX (UINT64_C(1) << 44)
#define DW_INDEX_WRITTEN_BYTES_MAX ((size_t) 1 << 30)
#define DW_INDEX_NOT_MADE UINT64_MAX
#define DW_INDEX_NOT_KEPT (UINT64_MAX - 1)

/* Which data file. */
typedef struct dw_index_key {
    uint64_t path[2];
    int64_t size_bytes, modified_ms;
} dw_index_key;

/* `path` as the log has it. */
dw_index_key dw__index_key(dw_str path, int64_t size_bytes, int64_t modified_ms);
int dw__index_key_compare(const dw_index_key *a, const dw_index_key *b);

typedef struct dw_index_column {
    dw_str name, type;
    dw_bloom_options options;
} dw_index_column;

/* Where a filter is: behind the beginning of filters. */
typedef struct dw_index_filter {
    uint64_t offset; /* or DW_INDEX_NOT_MADE, DW_INDEX_NOT_KEPT */
    uint64_t size;
} dw_index_filter;

static inline bool
dw__index_filter_is_there(dw_index_filter filter)
{
    return filter.size > 0;
}

/* The first 64 bytes. */
typedef struct dw_index_head {
    uint64_t directory_bytes, entry_count, filters_offset, filters_bytes;
    uint32_t directory_crc, column_count, page_bytes, columns_bytes;
} dw_index_head;

/* A directory. It borrows from the bytes that it was read from. */
typedef struct dw_index {
    dw_index_head head;
    dw_index_column columns[DW_BLOOM_COLUMNS_MAX];
    const uint8_t *entries, *page_crcs;
    size_t entry_size;
    uint64_t page_count;
} dw_index;

/* DW_CORRUPT (INDEX_FILE_INVALID), also for a file of a later version. */
DW_WARN_UNUSED dw_status dw__index_head_parse(dw_str bytes, dw_index_head *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__index_parse(const dw_index_head *head, dw_str directory, dw_index *out,
                                         dw_error *err);
dw_index_key dw__index_entry_key(const dw_index *index, uint64_t entry_idx);
dw_index_filter dw__index_entry_filter(const dw_index *index, uint64_t entry_idx,
                                       size_t column_idx);
/* SIZE_MAX: it has none of that name. */
size_t dw__index_find_column(const dw_index *index, dw_str name);
/* How long a page is; the last is shorter. */
size_t dw__index_page_size(const dw_index *index, uint64_t page_idx);
bool dw__index_page_is_sound(const dw_index *index, uint64_t page_idx, const uint8_t *bytes);

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct dw_index_writer dw_index_writer;

/* The columns are copied. */
DW_WARN_UNUSED dw_status dw__index_writer_new(const dw_allocator *allocator,
                                              const dw_index_column *columns, size_t column_count,
                                              dw_index_writer **out, dw_error *err);
void dw__index_writer_free(dw_index_writer *writer);
/* A new entry, whose filters are not made yet; then its filters. `bytes` empty: it is not kept.
 * DW_INVALID_ARGUMENT (INDEX_FILE_TOO_LARGE). */
DW_WARN_UNUSED dw_status dw__index_writer_add(dw_index_writer *writer, const dw_index_key *key,
                                              dw_error *err);
DW_WARN_UNUSED dw_status dw__index_writer_put(dw_index_writer *writer, size_t column_idx,
                                              dw_str bytes, dw_error *err);
const dw_allocator *dw__index_writer_allocator(const dw_index_writer *writer);
size_t dw__index_writer_size(const dw_index_writer *writer);
size_t dw__index_writer_count(const dw_index_writer *writer);
/* The whole file. Entries of one data file become one; of filters of a column the last counts. */
DW_WARN_UNUSED dw_status dw__index_writer_print(dw_index_writer *writer, dw_strbuf *out,
                                                dw_error *err);

typedef dw_index_writer *dw_index_writer_ptr;

static inline void
dw__dw_index_writer_ptr_cleanup(dw_index_writer_ptr *writer)
{
    dw__index_writer_free(*writer);
}

#endif
