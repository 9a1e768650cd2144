/*
 * Inside of dw_log.
 *
 * Lock order: refresh_mutex before mutex. Storage and engine are called under refresh_mutex only,
 * never under mutex.
 */
#ifndef DW_LOG_LOG_CORE_H
#define DW_LOG_LOG_CORE_H

#include "log/log.h"
#include "log/stats_origin.h"

#include <pthread.h>

struct dw_log {
    const dw_env *env;
    dw_storage *storage;
    dw_engine *engine;
    dw_stats_budget stats_budget;
    dw_bloom_store *filters;

    pthread_mutex_t refresh_mutex; /* held by the one caller that looks for news */
    uint64_t refresh_done;         /* the newest look that succeeded; guarded by refresh_mutex */
    int64_t checkpoint_seen_ms;    /* when the cached one was last there; guarded the same way */

    pthread_mutex_t mutex;    /* guards all below */
    uint64_t refresh_started; /* the newest look that was begun */
    uint64_t reload_count;    /* how often the table was read anew: it may have become another */
    dw_log_snapshot *cached;  /* NULL before the first */
    int64_t cleaned_until_ms; /* the last cutoff of a cleanup that came with a checkpoint */
    dw_log_snapshot *older;   /* the last one that was asked for by version; NULL: none is kept */
};

/* Keeps `snapshot` in place of `base`, if that is what is kept. */
void dw__log_keep_instead(dw_log *log, const dw_log_snapshot *base, dw_log_snapshot *snapshot);

#endif
