/*
 * Writing deletion vectors. PROTOCOL.md "Deletion Vector Descriptor Schema", "Deletion Vector File
 * Storage Format".
 *
 *  [DVWRITE-1] A vector is durable before the descriptor is handed out.
 *  [DVWRITE-2] The vectors of one change share a file. Small ones stand in the log itself where the
 *              table asks for it: VACUUM of Delta on Spark fails on a table that has such.
 */
#ifndef DW_TABLE_DV_WRITE_H
#define DW_TABLE_DV_WRITE_H

#include "codec/roaring.h"
#include "protocol/action.h"
#include "storage/storage.h"

/* A vector of at most that many bytes may be written into the log. */
#define DW_DV_INLINE_BYTES_MAX ((size_t) 128)
/* A file of vectors is ended when it has become that long; a single vector may be longer. */
#define DW_DV_FILE_BYTES ((size_t) 64 << 20)

typedef struct dw_dv_writer {
    dw_storage *storage;
    dw_arena *arena; /* of what is handed out */
    bool uses_log;   /* for small vectors */
    dw_strbuf file;  /* the bytes so far; empty: no file is begun */
    dw_str key;      /* of that file */
    dw_str uuid_z85;
    dw_str *keys; /* files that are durable */
    size_t key_count, key_capacity;
} dw_dv_writer;

void dw__dv_writer_init(dw_dv_writer *writer, dw_storage *storage, dw_arena *arena);
void dw__dv_writer_deinit(dw_dv_writer *writer);
/* The descriptor is good once dw__dv_writer_finish has returned DW_OK. */
DW_WARN_UNUSED dw_status dw__dv_writer_put(dw_dv_writer *writer, const dw_rowset *rows,
                                           dw_dv_descriptor **out, dw_error *err);
DW_WARN_UNUSED dw_status dw__dv_writer_finish(dw_dv_writer *writer, dw_error *err);
/* Removes the files of a change that was not committed. Never after DW_AMBIGUOUS. */
void dw__dv_writer_discard(dw_dv_writer *writer);

#endif
