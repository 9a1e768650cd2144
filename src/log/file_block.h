/*
 * Inside of dw_file_block: files (adds, or the removes that are kept as tombstones) as columns.
 * What most files do not have costs nothing: a column exists from the first row that has a value in
 * it, and repeated texts stand in a dictionary. PROTOCOL.md "Add File and Remove File".
 *
 *  [BLOCK-1] Rows are only pushed before the block is sealed, by one thread. [FILES-1]
 *  [BLOCK-2] Statistics are either all in the block, or all in the origin that the block came from.
 *  [BLOCK-3] The index finds the newest row of a key; an older row of the same key is dead in every
 *            set.
 */
#ifndef DW_LOG_FILE_BLOCK_H
#define DW_LOG_FILE_BLOCK_H

#include "base/map.h"
#include "log/file_set.h"
#include "log/stats_origin.h"

#include <pthread.h>
#include <stdatomic.h>

#define DW_BLOCK_ROWS_MAX ((size_t) 1 << 17)
/* Offsets into the texts of a block are 32 bits wide. */
#define DW_BLOCK_TEXT_BYTES_MAX ((size_t) UINT32_MAX)
#define DW_PARTITION_COLUMNS_MAX ((size_t) 1000)

/* Bits in dw_file_block.flags */
enum {
    DW_FILE_DATA_CHANGE = 1 << 0,
    DW_FILE_HAS_PARTITION_VALUES = 1 << 1,
    DW_FILE_HAS_SIZE = 1 << 2,
    DW_FILE_HAS_DELETION_TIMESTAMP = 1 << 3,
    DW_FILE_HAS_EXTENDED_METADATA = 1 << 4,
    DW_FILE_EXTENDED_METADATA = 1 << 5,
    DW_FILE_HAS_BASE_ROW_ID = 1 << 6,
    DW_FILE_HAS_COMMIT_VERSION = 1 << 7
};

/* One element a row; items NULL: no row has one. Elements behind the last row are zero. */
typedef struct dw_row_column {
    void *items;
    size_t capacity;
} dw_row_column;

/* A text a row: row i is bytes[ends[i - 1] .. ends[i]). */
typedef struct dw_text_column {
    char *bytes;
    size_t len, capacity;
    dw_row_column ends; /* uint32_t */
} dw_text_column;

/* A text a row, each distinct one kept once. Code 0: the row has none. */
typedef struct dw_dict_column {
    dw_str name;
    dw_row_column codes; /* uint32_t; after sealing as wide as code_width says */
    size_t code_width;
    dw_str *items; /* code c stands for items[c - 1], which may be the null string */
    size_t count;
    size_t capacity;
    dw_map code_by_text; /* until sealed */
    uint32_t null_code;  /* of the null string; 0: none yet */
    uint32_t last_code;
} dw_dict_column;

typedef struct dw_block_cache_entry {
    dw_str name;
    void *value;
    void (*release)(void *value);
} dw_block_cache_entry;

typedef struct dw_block_cache {
    dw_block_cache_entry *items;
    size_t count;
    size_t capacity;
} dw_block_cache;

struct dw_file_block {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    bool is_sealed;
    size_t row_count;
    size_t row_capacity;
    int64_t size_total;     /* of all rows */
    uint64_t deleted_total; /* by the deletion vectors of all rows */
    dw_arena arena;         /* of dictionary texts and deletion vectors */

    dw_text_column paths;          /* as in the log */
    dw_row_column hashes;          /* uint32_t, of the keys */
    dw_row_column sizes;           /* int64_t */
    dw_row_column times;           /* int64_t; add: modification; remove: deletion */
    dw_row_column flags;           /* uint8_t */
    dw_row_column dv_codes;        /* uint32_t: 0 or 1 + the index into dvs */
    dw_row_column base_row_ids;    /* int64_t */
    int64_t base_row_id_max;       /* of all rows, live or not; 0: none has an id above */
    dw_row_column commit_versions; /* int64_t, default row commit versions */
    struct {
        dw_dv_descriptor *items;
        size_t count;
        size_t capacity;
    } dvs;
    struct {
        dw_dict_column *items;
        size_t count;
        size_t capacity;
    } partitions;
    dw_dict_column tags, clustering_provider, extra;
    dw_text_column stats; /* when there is no origin */

    dw_stats_origin *origin; /* NULL: statistics are in `stats` */
    size_t origin_row;       /* the place of row 0 there */

    pthread_mutex_t mutex; /* guards all below, once sealed */
    uint32_t *slots;       /* open addressing over `hashes`: 0 or 1 + row; NULL: not made yet */
    size_t slot_count;
    size_t scan_count; /* how often the rows were scanned for lack of an index */
    dw_block_cache cache;
    dw_stats_chunk *stats_chunk; /* statistics read from the origin; NULL: not kept */
    bool stats_were_read;        /* from the origin, at least once */
};

/* What identifies a file of the log. The path is canonical; `dv` may be NULL. [FILES-2] */
typedef struct dw_file_key {
    dw_str path;
    const dw_dv_descriptor *dv;
    uint32_t hash;
} dw_file_key;

/* The key of a file as the log spells it. The canonical path may live in `arena`. DW_CORRUPT
 * (URI_INVALID). */
DW_WARN_UNUSED dw_status dw__file_key_make(dw_str path, const dw_dv_descriptor *dv, dw_arena *arena,
                                           dw_file_key *out, dw_error *err);

/* ---- Life ------------------------------------------------------------------------------------ */

/* An empty block with one reference; NULL when out of memory. `origin` (may be NULL) is shared. */
dw_file_block *dw__file_block_new(const dw_allocator *allocator, dw_stats_origin *origin,
                                  size_t origin_row);
dw_file_block *dw__file_block_ref(dw_file_block *block);
void dw__file_block_unref(dw_file_block *block);

/* ---- Filling --------------------------------------------------------------------------------- */

/* True when `file` must go to another block. */
bool dw__file_block_is_full(const dw_file_block *block, size_t path_len, size_t stats_len);
/* Pushes a row with the columns that every file has; `stats` only for blocks without an origin.
 * False when out of memory; the block is as before. */
DW_WARN_UNUSED bool dw__file_block_push(dw_file_block *block, dw_str path, uint32_t hash,
                                        int64_t size_bytes, int64_t time_ms, uint8_t flags);
/* Give the newest row the values that most rows lack. False when out of memory. */
DW_WARN_UNUSED bool dw__file_block_set_stats(dw_file_block *block, dw_str stats);
DW_WARN_UNUSED bool dw__file_block_set_dv(dw_file_block *block, const dw_dv_descriptor *dv);
DW_WARN_UNUSED bool dw__file_block_set_base_row_id(dw_file_block *block, int64_t id);
DW_WARN_UNUSED bool dw__file_block_set_commit_version(dw_file_block *block, int64_t version);
DW_WARN_UNUSED bool dw__file_block_set_text(dw_file_block *block, dw_dict_column *column,
                                            dw_str text);
/* `idx_hint` is where the column is expected. DW_CORRUPT (TOO_MANY_PARTITION_COLUMNS). */
DW_WARN_UNUSED dw_status dw__file_block_set_partition(dw_file_block *block, size_t idx_hint,
                                                      dw_str name, dw_str value, dw_error *err);
/* All of a file of a commit. */
DW_WARN_UNUSED dw_status dw__file_block_push_file(dw_file_block *block, const dw_file *file,
                                                  bool is_remove, uint32_t hash, dw_error *err);
/* A copy of a row of another block, whose statistics are in it too. */
DW_WARN_UNUSED dw_status dw__file_block_push_row(dw_file_block *block, const dw_file_block *from,
                                                 size_t row, dw_error *err);
/* Gives memory back that only filling needed. */
void dw__file_block_seal(dw_file_block *block);

/* ---- Reading --------------------------------------------------------------------------------- */

static inline dw_str
dw__text_column_get(const dw_text_column *column, size_t row)
{
    const uint32_t *ends = column->ends.items;
    if (ends == NULL) {
        return DW_STR_NULL;
    }
    size_t start = row == 0 ? 0 : ends[row - 1];
    return dw__str_make(column->bytes + start, ends[row] - start);
}

static inline uint32_t
dw__file_block_hash(const dw_file_block *block, size_t row)
{
    return ((const uint32_t *) block->hashes.items)[row];
}

static inline int64_t
dw__file_block_size(const dw_file_block *block, size_t row)
{
    return ((const int64_t *) block->sizes.items)[row];
}

static inline int64_t
dw__file_block_time(const dw_file_block *block, size_t row)
{
    return ((const int64_t *) block->times.items)[row];
}

static inline uint8_t
dw__file_block_flags(const dw_file_block *block, size_t row)
{
    return ((const uint8_t *) block->flags.items)[row];
}

static inline dw_str
dw__file_block_path(const dw_file_block *block, size_t row)
{
    return dw__text_column_get(&block->paths, row);
}

/* The code of a row: 0 or 1 + the index of its text. */
uint32_t dw__dict_column_code(const dw_dict_column *column, size_t row);
/* The null string also when the row has none. */
dw_str dw__dict_column_get(const dw_dict_column *column, size_t row);
const dw_dv_descriptor *dw__file_block_dv(const dw_file_block *block, size_t row);
/* All but the statistics of a row whose block has an origin; texts are borrowed from the block, the
 * pairs are in `arena`. False when out of memory. */
DW_WARN_UNUSED bool dw__file_block_get(const dw_file_block *block, size_t row, bool is_remove,
                                       dw_arena *arena, dw_file *out);

/* The statistics of a whole block that has an origin. The caller releases the chunk. */
DW_WARN_UNUSED dw_status dw__file_block_load_stats(dw_file_block *block, dw_stats_chunk **out,
                                                   dw_error *err);

/* ---- Finding --------------------------------------------------------------------------------- */

/* Adds the newest row to the index (before sealing). False when out of memory. */
DW_WARN_UNUSED dw_status dw__file_block_index_newest(dw_file_block *block, const dw_file_key *key,
                                                     dw_arena *scratch, dw_error *err);
/* Makes the index of a sealed block if it is not there. */
DW_WARN_UNUSED dw_status dw__file_block_ensure_index(dw_file_block *block, dw_error *err);
/* True when the index is there, or is worth being made now for `key_count` look-ups. Counts a scan
 * otherwise. */
bool dw__file_block_wants_index(dw_file_block *block, size_t key_count);
/*
 * The newest row of a key; SIZE_MAX: none. The index must be there (of an empty block it never is).
 */
DW_WARN_UNUSED dw_status dw__file_block_find(const dw_file_block *block, const dw_file_key *key,
                                             dw_arena *scratch, size_t *row_out, dw_error *err);
/* True when some indexed row has that hash: cheap, before the key itself is made. */
bool dw__file_block_may_have(const dw_file_block *block, uint32_t hash);

#endif
