/*
 * Where events go: a file that they are appended to, a server that they are posted to, or both. A
 * thread of its own posts, so that no statement waits for a server.
 *
 *  [EMIT-1] An event that cannot be delivered is a warning, never an error. What waits is bounded:
 *           when a server takes too long, new events are dropped and counted.
 *  [EMIT-2] Closing waits for what was not posted yet, but not longer than the time-out.
 */
#ifndef DW_LINEAGE_EMITTER_H
#define DW_LINEAGE_EMITTER_H

#include "base/error.h"
#include "env/env.h"

#define DW_EMITTER_WAITING_MAX 256
#define DW_EMITTER_WAITING_BYTES_MAX ((size_t) 16 << 20)
/* As OpenLineage's own clients have it. */
#define DW_EMITTER_TIME_MAX_MS 5000

typedef struct dw_emitter_options {
    const char *url;     /* of a server, with its path; NULL: none */
    const char *api_key; /* NULL: none */
    const char *file;    /* NULL: none */
    long time_max_ms;    /* of a post, and of closing */
} dw_emitter_options;

/* Thread-safe. */
typedef struct dw_emitter dw_emitter;

/* Copies the options. */
DW_WARN_UNUSED dw_status dw__emitter_open(const dw_env *env, const dw_emitter_options *options,
                                          dw_emitter **out, dw_error *err);
/* Sends one event, a line without its end. */
void dw__emitter_send(dw_emitter *emitter, dw_str event);
void dw__emitter_close(dw_emitter *emitter);

#endif
