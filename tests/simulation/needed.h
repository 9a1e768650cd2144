/*
 * A naive second implementation of what VACUUM must keep: which files each version has, and when
 * it was the newest one.
 */
#ifndef DWT_SIMULATION_NEEDED_H
#define DWT_SIMULATION_NEEDED_H

#include "dml.h"

enum { NEEDED_FILES_MAX = 4096 };

/* A file from the version that added it to the one that removed it. */
typedef struct needed_file {
    dw_str path;
    dw_str vector;                /* the file of its deletion vector; null string: it has none */
    int64_t added_at, removed_at; /* INT64_MAX: it is live */
} needed_file;

typedef struct needed {
    dw_arena arena;
    needed_file files[NEEDED_FILES_MAX];
    size_t file_count;
    int64_t times_ms[DML_VERSIONS_MAX]; /* when each version was committed */
    int64_t version_count;
} needed;

void needed_init(needed *n);
void needed_deinit(needed *n);
/* Takes over the commits that were archived since. */
void needed_follow(needed *n, const dml *all, dw_storage *truth);
/* The version that was the newest one at that time. */
int64_t needed_version_at(const needed *n, int64_t time_ms);
/* A file that some version from `first` on has and storage has not; the null string: none. */
dw_str needed_missing(const needed *n, int64_t first, dw_storage *truth);
/* True when the newest version has the file. */
bool needed_is_live(const needed *n, dw_str path);

#endif
