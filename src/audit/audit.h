/*
 * The audit log: who did what when, as JSON lines that each hold the digest of the one before. The
 * file is of this machine; many processes add to it at once. docs/audit.md says what it shows.
 *
 *  [AUDIT-1] A record is on disk as a whole or it is the tail that a crash left, which the next
 *            writer closes with a record that says so.
 *  [AUDIT-2] Every record has the digest of the one before, and the next number; files of a log
 *            that grew too large continue one another.
 *  [AUDIT-3] What changes something is recorded before it begins and after it ended. Where the log
 *            is required and cannot be written nothing begins.
 *  [AUDIT-4] What has happened stays so: that its end could not be recorded is a warning.
 */
#ifndef DW_AUDIT_AUDIT_H
#define DW_AUDIT_AUDIT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "codec/sha256.h"
#include "env/env.h"

/* Of a file of the log before the next one begins, unless it is told otherwise. */
#define DW_AUDIT_FILE_BYTES_DEFAULT ((int64_t) 64 << 20)
#define DW_AUDIT_FILE_BYTES_MIN ((int64_t) 4096)
/* Of a statement in a record; of a longer one its beginning, length and digest are kept. */
#define DW_AUDIT_STATEMENT_BYTES_MAX ((size_t) 16384)
/* Of tables that a record names as read; of more their number is kept. */
#define DW_AUDIT_TABLES_MAX ((size_t) 64)
#define DW_AUDIT_KEY_BYTES_MIN ((size_t) 16)
#define DW_AUDIT_KEY_BYTES_MAX ((size_t) 4096)
/* How long a writer waits for the others. */
#define DW_AUDIT_WAIT_MAX_MS ((int64_t) 10000)

/* When records are made to survive a power failure before the statement goes on. */
typedef enum dw_audit_durability {
    DW_AUDIT_SYNC_CHANGES, /* those of statements that change something */
    DW_AUDIT_SYNC_ALL,
    DW_AUDIT_SYNC_NONE
} dw_audit_durability;

typedef struct dw_audit_spec {
    dw_str path;
    dw_str key_path; /* null string: records have no MAC */
    dw_str user;     /* the name of sessions that give none; null string: none */
    bool with_reads;
    bool is_required;
    dw_audit_durability durability;
    int64_t file_bytes_max; /* 0: the default */
} dw_audit_spec;

/* Thread-safe. */
typedef struct dw_audit dw_audit;

/* Reads the key; the log itself is opened for each record. DW_INVALID_ARGUMENT (AUDIT_KEY_INVALID),
 * and errors of reading the key. `env` must outlive it. */
DW_WARN_UNUSED dw_status dw__audit_open(const dw_env *env, const dw_audit_spec *spec,
                                        dw_audit **out, dw_error *err);
/* Takes NULL. */
void dw__audit_close(dw_audit *audit);
bool dw__audit_wants_reads(const dw_audit *audit);
/* The key in a file, without a line end at its end. */
DW_WARN_UNUSED dw_status dw__audit_key_read(dw_str path, dw_strbuf *out, dw_error *err);

/* A state of a table that was read. */
typedef struct dw_audit_table {
    dw_str path, id;
    int64_t version;
} dw_audit_table;

typedef enum dw_audit_outcome {
    DW_AUDIT_STARTED,
    DW_AUDIT_COMMITTED, /* as `version` */
    DW_AUDIT_DONE,      /* and there was nothing to commit */
    DW_AUDIT_STAGED,    /* in a transaction that is still open */
    DW_AUDIT_FAILED,
    DW_AUDIT_UNKNOWN, /* storage did not tell whether it was committed */
    DW_AUDIT_READ
} dw_audit_outcome;

/* What a record says. Null strings and -1: nothing. */
typedef struct dw_audit_event {
    dw_audit_outcome outcome;
    int64_t started;  /* the number of the record of its beginning; 0: none */
    dw_str user;      /* the name that the session gives */
    dw_str session;   /* which tells sessions of a process apart */
    dw_str verb;      /* "INSERT" */
    dw_str statement; /* its text */
    dw_str table_path, table_id;
    int64_t read_version, version;
    bool has_counts;
    int64_t rows_inserted, rows_updated, rows_deleted; /* deleted -1: not known */
    int64_t files_added, bytes_added, files_removed, files_rewritten;
    const dw_audit_table *tables; /* what was read */
    size_t table_count;
    dw_str code; /* of the error */
} dw_audit_event;

#define DW_AUDIT_EVENT_INIT                                                                        \
    ((dw_audit_event){.read_version = -1, .version = -1, .rows_deleted = -1})

/* Before something is changed. `event` is that of the beginning; *number_out is for the end, 0 when
 * nothing was recorded. DW_IO and others (AUDIT_LOG_UNWRITABLE): the log is required and cannot be
 * written. */
DW_WARN_UNUSED dw_status dw__audit_begin(const dw_audit *audit, const dw_audit_event *event,
                                         int64_t *number_out, dw_error *err);
/* After it; with the number that _begin gave, or none is told. */
void dw__audit_end(const dw_audit *audit, const dw_audit_event *event);
/* Before what was read is shown. Errors as those of _begin. */
DW_WARN_UNUSED dw_status dw__audit_read(const dw_audit *audit, const dw_audit_event *event,
                                        dw_error *err);
/* How it came out, from how a statement ended: with `version` committed, or -1. */
dw_audit_outcome dw__audit_outcome_of(dw_status status, int64_t version, bool in_transaction);

#endif
