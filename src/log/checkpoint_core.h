/*
 * Inside of dw_checkpoint: the files that hold the adds and removes of a version.
 */
#ifndef DW_LOG_CHECKPOINT_CORE_H
#define DW_LOG_CHECKPOINT_CORE_H

#include "log/checkpoint.h"
#include "log/checkpoint_rows.h"
#include "parquet/parquet.h"

/* Statistics of checkpoint files up to this size are read with their files; of larger ones when
 * they are asked for. */
#define DW_CHECKPOINT_SMALL_BYTES ((int64_t) 2 << 20)

/* A Parquet file with adds and removes: the main file, a part, or a sidecar. */
typedef struct dw_checkpoint_file {
    dw_str key;
    int64_t size_bytes;
    int64_t modified_ms;
} dw_checkpoint_file;

struct dw_checkpoint {
    dw_log *log;
    atomic_size_t ref_count;
    atomic_bool is_gone; /* a file of it was missing when it was read again */
    dw_arena arena;
    int64_t version;
    dw_str json_key; /* of a JSON main file; the null string: it is Parquet */
    dw_checkpoint_file *files;
    size_t file_count;
    dw_definition *definition; /* from reading the adds on */
};

/* The origin of statistics that stay in a checkpoint file. */
DW_WARN_UNUSED dw_status dw__checkpoint_origin_new(dw_checkpoint *checkpoint, size_t file_idx,
                                                   dw_stats_origin **out, dw_error *err);
/* Reads one Parquet file of a checkpoint; an error says which. */
DW_WARN_UNUSED dw_status dw__checkpoint_read_file(dw_log *log, const dw_parquet_read *request,
                                                  dw_batch_visitor visit, void *ctx, dw_error *err);
/* The same for some of its rows. */
DW_WARN_UNUSED dw_status dw__checkpoint_read_rows(dw_log *log, const dw_parquet_read *request,
                                                  dw_row_range range, dw_batch_visitor visit,
                                                  void *ctx, dw_error *err);

#endif
