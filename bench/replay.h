/*
 * replay.h - one batch of rows, sent again and again as Arrow C streams.
 *
 * The batch owns the buffers; a stream only points at them, so making one costs no copy of rows.
 */
#ifndef DW_BENCH_REPLAY_H
#define DW_BENCH_REPLAY_H

#include "deltaworks.h"

typedef struct replay_batch {
    struct ArrowSchema schema;
    struct ArrowArray rows;
} replay_batch;

/* Takes the schema and the only batch out of a stream, which stays the caller's to release. False
 * when the stream fails or has not exactly one batch. */
bool replay_take(replay_batch *batch, struct ArrowArrayStream *stream);

/* A stream of the batch, to be released before the batch is freed. False: no memory. */
bool replay_stream(const replay_batch *batch, struct ArrowArrayStream *out);

void replay_free(replay_batch *batch);

#endif
