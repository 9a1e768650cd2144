/*
 * Inside of VACUUM: what its parts share while it runs.
 *
 *  [VACUUM-5] The set of what is kept is complete before the first file is looked at, and while
 *             several threads look nobody changes it.
 */
#ifndef DW_UPKEEP_VACUUM_CORE_H
#define DW_UPKEEP_VACUUM_CORE_H

#include "upkeep/key_list.h"
#include "upkeep/key_set.h"
#include "upkeep/vacuum.h"

#include "base/vec.h"

#include "codec/rows.h"
#include "log/listing.h"

#include <pthread.h>
#include <stdatomic.h>

/* Why a file stays; the tags of the set of kept keys. */
typedef enum dw_vacuum_reason {
    DW_VACUUM_CURRENT = 1, /* the current version has it */
    DW_VACUUM_RETAINED,    /* a version within the retention has it */
    DW_VACUUM_CHANGES,     /* it is change data of such a version */
    DW_VACUUM_REASONS
} dw_vacuum_reason;

typedef struct dw_vacuum_tally {
    int64_t count, bytes;
} dw_vacuum_tally;

/* How many messages about files that could not be deleted are kept. */
#define DW_VACUUM_FAILURES_MAX 20

typedef struct dw_vacuum_failure {
    dw_str key;
    dw_str message;
} dw_vacuum_failure;

typedef struct dw_vacuum {
    const dw_upkeep *upkeep;
    const dw_vacuum_spec *spec;
    const dw_env *env;
    dw_table *table;
    dw_storage *storage;
    dw_arena arena; /* scratch */
    dw_arena told;  /* messages, for the report */
    dw_log_snapshot *snapshot;
    dw_log_listing listing; /* of the whole log */

    bool has_property;  /* delta.deletedFileRetentionDuration is set */
    int64_t default_ms; /* how long removed files stay, unless the statement says */
    int64_t safe_ms;    /* what the check asks for */
    int64_t now_ms;
    int64_t cutoff_ms;      /* what was needed then is kept, and what was made since */
    int64_t young_ms;       /* what was made since may be of a transaction that still runs */
    int64_t cutoff_version; /* the newest version then; -1: there was none, or it is gone */
    int64_t first_version;  /* the oldest that can be read for sure afterwards */

    bool hides_metadata; /* the table is Iceberg's, too */
    dw_key_set keep;
    dw_key_set seen;  /* of LITE and INVENTORY: what was looked at */
    bool keeps_names; /* the names of some files are in it, too: "/" and the last part of the key */
    bool keeps_more;  /* it grew after files had been looked at */
    dw_vacuum_tally kept[DW_VACUUM_REASONS]; /* by what the log says */

    struct {
        uint64_t *items;
        size_t count;
        size_t capacity;
    } known_paths; /* of data files that the log has, hashed as in index files, sorted */

    pthread_mutex_t mutex;   /* guards the rest while several threads are at work */
    dw_key_list files;       /* to delete */
    dw_key_list directories; /* to delete where they are empty */
    dw_vacuum_tally young;
    atomic_llong hidden_count, other_table_count, looked_at;
    int64_t directory_count; /* that were looked into, with the root */
    dw_vacuum_failure failures[DW_VACUUM_FAILURES_MAX];
    dw_vacuum_result result;
} dw_vacuum;

/* ---- What is kept: vacuum_keep.c ------------------------------------------------------------- */

/* Fills v->keep, cutoff_version and first_version. */
DW_WARN_UNUSED dw_status dw__vacuum_keep(dw_vacuum *v, dw_error *err);
/* Adds what the versions from `first` to `last` add, which were committed meanwhile. */
DW_WARN_UNUSED dw_status dw__vacuum_keep_new(dw_vacuum *v, int64_t first, int64_t last,
                                             dw_error *err);
/* True when the file of that key is needed. */
bool dw__vacuum_is_kept(const dw_vacuum *v, dw_str key);
/* The key below the root of a path of the log; the null string for one elsewhere. Canonical. */
DW_WARN_UNUSED dw_status dw__vacuum_key(dw_vacuum *v, dw_str path, dw_str *out, dw_error *err);
/* The same of an absolute path that is not encoded. */
dw_str dw__vacuum_below_root(const dw_vacuum *v, dw_str path);

/* ---- What may go: vacuum_find.c, vacuum_lite.c ----------------------------------------------- */

/* Looks at everything below the root. */
DW_WARN_UNUSED dw_status dw__vacuum_walk(dw_vacuum *v, dw_error *err);
/* Looks at one file; of `modified_ms` and that of the file itself the later counts. */
DW_WARN_UNUSED dw_status dw__vacuum_consider(dw_vacuum *v, dw_str key, int64_t modified_ms,
                                             dw_error *err);
/* Puts a file that nobody needs on the list, unless it is young. */
DW_WARN_UNUSED dw_status dw__vacuum_take(dw_vacuum *v, const dw_object_meta *meta, dw_error *err);
/* Looks at the index files of the table. */
DW_WARN_UNUSED dw_status dw__vacuum_find_filters(dw_vacuum *v, dw_error *err);
/* Takes filters of files that are gone out of index files that have many of them. */
void dw__vacuum_thin_filters(dw_vacuum *v);
/* Looks at the files that commits removed since the last VACUUM. */
DW_WARN_UNUSED dw_status dw__vacuum_lite(dw_vacuum *v, dw_error *err);
/* Tells the next LITE that all up to cutoff_version is done. A failure is a warning. */
void dw__vacuum_note_done(dw_vacuum *v);

/* ---- What goes: vacuum_remove.c -------------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__vacuum_remove(dw_vacuum *v, dw_error *err);

/* ---- What is told: vacuum_report.c ----------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__vacuum_report(dw_vacuum *v, struct ArrowArrayStream *out,
                                           dw_error *err);

#endif
