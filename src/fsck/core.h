/*
 * Inside of FSCK: the table as the replay has it, and where findings go.
 */
#ifndef DW_FSCK_CORE_H
#define DW_FSCK_CORE_H

#include "base/map.h"
#include "base/vec.h"
#include "codec/rows.h"
#include "fsck/fsck.h"
#include "log/listing.h"
#include "log/segment.h"

/* ---- Files ----------------------------------------------------------------------------------- */

/* A live file. */
typedef struct dw_fsck_file {
    struct dw_fsck_file *next; /* of the same path; there should be none */
    int64_t version;           /* that added it, as far as it is known */
    int64_t size_bytes;
    int64_t modified_ms;
    int64_t base_row_id;    /* -1: none */
    int64_t commit_version; /* default row commit version; -1: none */
    int64_t num_records;    /* -1: not known */
    uint64_t values_hash;   /* of its partition values */
    uint32_t seen;          /* the last comparison that found it */
    bool has_dv;
    dw_dv_descriptor dv;
    size_t dv_text_size; /* of what dv.path_or_inline_dv points to */
} dw_fsck_file;

/* A path that the log names, as it is decoded: data files, deletion vectors, change data. */
typedef struct dw_fsck_path {
    dw_str path;
    dw_fsck_file *live;      /* NULL: none */
    int64_t first_version;   /* that added it, as far as it is known; -1: none has */
    bool is_cloned;          /* that was a clone */
    int64_t commit_seen;     /* the last commit that added it, in which it was added once */
    int64_t removed_seen;    /* the last commit that removed it */
    bool is_found;           /* it is in storage */
    bool is_deletion_vector; /* of a live file */
    bool holds_vectors;      /* it was ever named as a file of deletion vectors */
} dw_fsck_path;

/* The last of an application, or of a domain, and the version that said so. */
typedef struct dw_fsck_txn {
    dw_txn_id id;
    int64_t version;
} dw_fsck_txn;

typedef struct dw_fsck_domain {
    dw_domain domain;
    int64_t version;
} dw_fsck_domain;

/* A compacted commit that the replay is in the middle of. */
typedef struct dw_fsck_window {
    const dw_log_file *file;
    dw_arena arena;
    dw_map removed; /* keys that were live before it and were removed in it, to 1; 0: added again */
} dw_fsck_window;

/* What the columns were up to a version that changed the type of some. */
typedef struct dw_fsck_types {
    int64_t end; /* that version */
    dw_arena arena;
    const dw_type *schema;      /* NULL: it does not parse */
    const dw_field *unrecorded; /* a change to the newest schema that this has no record of */
    bool records_reverse;       /* this schema has a record of the change the other way */
} dw_fsck_types;

/* The table at `version`. */
typedef struct dw_fsck_state {
    int64_t version; /* -1: nothing yet */
    bool is_valid;   /* false behind a version that could not be read */
    dw_arena path_arena;
    dw_map paths; /* to dw_fsck_path */
    int64_t file_count;
    int64_t size_bytes;
    int64_t row_count; /* of files whose count is known, deleted rows left out */
    int64_t unknown_row_count_files;
    uint32_t comparison; /* counts comparisons, for dw_fsck_file.seen */

    dw_arena definition_arena;
    const dw_protocol *protocol; /* NULL: none yet */
    const dw_metadata *metadata; /* NULL: none yet */
    const dw_type *schema;       /* NULL: it does not parse */
    dw_properties properties;
    int64_t protocol_version, metadata_version; /* that said so */

    dw_arena item_arena;
    dw_map txns;                           /* to dw_fsck_txn */
    dw_map domains;                        /* to dw_fsck_domain, removed ones too */
    int64_t in_commit_timestamp_ms;        /* of the last commit that has one; INT64_MIN: none */
    int64_t commit_in_commit_timestamp_ms; /* of the very last commit; INT64_MIN: none */
} dw_fsck_state;

/* ---- The check ------------------------------------------------------------------------------- */

typedef enum dw_fsck_severity { DW_FSCK_NOTE, DW_FSCK_WARNING, DW_FSCK_ERROR } dw_fsck_severity;

#define DW_FSCK_RULES_MAX 128

/* A version checksum that was listed. */
typedef struct dw_fsck_crc {
    int64_t version;
    dw_str key;
} dw_fsck_crc;

typedef struct dw_fsck {
    dw_log *log;
    dw_storage *storage;
    const dw_env *env;
    dw_connection *connection;
    dw_database *database; /* NULL: what needs one is not checked */
    const dw_fsck_spec *spec;
    dw_log_listing listing;
    struct {
        dw_fsck_crc *items;
        size_t count;
        size_t capacity;
    } crcs;          /* by version */
    size_t crc_next; /* the first that was not compared yet */
    dw_fsck_state state;
    struct {
        dw_fsck_window *items;
        size_t count;
        size_t capacity;
    } windows;
    struct {
        dw_fsck_types *items;
        size_t count;
        size_t capacity;
    } types;          /* by version */
    dw_arena scratch; /* of one commit, one file, ... */

    bool is_out_of_memory; /* something could not be looked at: the check fails in the end */
    int64_t commit_count;  /* that were replayed */
    int64_t version;       /* that findings are about; -1: none */
    dw_rows *rows;
    dw_fsck_counts counts;
    int64_t rule_counts[DW_FSCK_RULES_MAX];
} dw_fsck;

/* Reports a breach of a rule of docs/fsck.md, about fsck->version and `path` (null string: none).
 */
void dw__fsck_find(dw_fsck *fsck, dw_fsck_severity severity, const char *rule, dw_str path,
                   const char *fmt, ...) DW_PRINTF(5, 6);
/* Reports an error of a reader as a finding, unless it is one that ends the check: then it is
 * returned. */
DW_WARN_UNUSED dw_status dw__fsck_find_error(dw_fsck *fsck, const char *rule, dw_str path,
                                             const dw_error *cause, dw_error *err);
/* Parses JSON whose faults are findings; notes in `fsck` that memory ended. */
DW_WARN_UNUSED dw_status dw__fsck_parse(dw_fsck *fsck, dw_str text, const char *what,
                                        dw_json_doc **out, dw_error *cause);
/* DW_CANCELLED when it was asked to stop. `share` of the whole is done. */
DW_WARN_UNUSED dw_status dw__fsck_go_on(dw_fsck *fsck, double share, dw_error *err);
/* Adds a note for each rule of which more was found than is listed. */
void dw__fsck_find_unlisted(dw_fsck *fsck);

/* ---- The state ------------------------------------------------------------------------------- */

void dw__fsck_state_init(dw_fsck_state *state, const dw_allocator *allocator);
void dw__fsck_state_deinit(dw_fsck_state *state);
/* Forgets all but the paths that were named. */
void dw__fsck_state_clear(dw_fsck_state *state);
/* The entry of a path as the log spells it, made if need be. DW_CORRUPT (URI_INVALID). */
DW_WARN_UNUSED dw_status dw__fsck_path(dw_fsck_state *state, dw_str uri, dw_arena *scratch,
                                       dw_fsck_path **out, dw_error *err);
/* The live file of that path and deletion vector; NULL when there is none. */
dw_fsck_file *dw__fsck_path_find(const dw_fsck_path *path, const dw_dv_descriptor *dv);
DW_WARN_UNUSED dw_status dw__fsck_file_add(dw_fsck_state *state, dw_fsck_path *path,
                                           const dw_file *file, int64_t version, dw_error *err);
void dw__fsck_file_remove(dw_fsck_state *state, dw_fsck_path *path, dw_fsck_file *file);
bool dw__fsck_dv_equal(const dw_dv_descriptor *a, const dw_dv_descriptor *b);
uint64_t dw__fsck_values_hash(const dw_pairs *values);
int64_t dw__fsck_num_records(dw_str stats); /* -1: not known */
/* Notes the file of a deletion vector as named by the log. */
DW_WARN_UNUSED dw_status dw__fsck_name_dv(dw_fsck *fsck, const dw_dv_descriptor *dv, bool is_live,
                                          dw_error *err);
/* Takes over what a commit or checkpoint says. */
DW_WARN_UNUSED dw_status dw__fsck_set_definition(dw_fsck *fsck, const dw_protocol *protocol,
                                                 const dw_metadata *metadata, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_set_txn(dw_fsck_state *state, const dw_txn_id *txn,
                                          int64_t version, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_set_domain(dw_fsck_state *state, const dw_domain *domain,
                                             int64_t version, dw_error *err);
/* NULL when it is not there or was removed. */
const dw_fsck_domain *dw__fsck_domain(const dw_fsck_state *state, dw_str name);

/* ---- Checks, each in a file of its own ------------------------------------------------------- */

/* Names of the log: gaps, checkpoints with parts missing, checksums. */
DW_WARN_UNUSED dw_status dw__fsck_list_log(dw_fsck *fsck, dw_error *err);
void dw__fsck_check_listing(dw_fsck *fsck);
/* One commit, against the state before it; then the state is that of the commit. */
DW_WARN_UNUSED dw_status dw__fsck_commit(dw_fsck *fsck, const dw_commit_actions *commit,
                                         dw_error *err);
/* An add against the definition that holds. */
void dw__fsck_check_add(dw_fsck *fsck, const dw_file *file);
/* The definition that the state has, when it is new. `before` are what held before, or NULL. */
void dw__fsck_check_protocol(dw_fsck *fsck, const dw_protocol *protocol, const dw_protocol *before);
void dw__fsck_check_metadata(dw_fsck *fsck, const dw_metadata *before);
void dw__fsck_check_columns(dw_fsck *fsck, const dw_metadata *before);
/* Types of columns: before a commit sets the definition what they are is kept, behind that let go
 * unless some changed; true: then it is to be checked which files stay. */
DW_WARN_UNUSED dw_status dw__fsck_types_keep(dw_fsck *fsck, dw_error *err);
bool dw__fsck_types_end(dw_fsck *fsck);
DW_WARN_UNUSED dw_status dw__fsck_check_types(dw_fsck *fsck, dw_error *err);
void dw__fsck_types_deinit(dw_fsck *fsck);
/* A checkpoint of the state's version: compared with it. */
DW_WARN_UNUSED dw_status dw__fsck_checkpoint(dw_fsck *fsck, const dw_log_file *first,
                                             dw_error *err);
/* Makes a checkpoint the state. `*loaded_out` is false when it cannot be read. */
DW_WARN_UNUSED dw_status dw__fsck_load_checkpoint(dw_fsck *fsck, const dw_log_file *first,
                                                  bool *loaded_out, dw_error *err);
/* Comparing what a file of the log says with the state. `what` names the file in messages. */
void dw__fsck_compare_protocol(dw_fsck *fsck, const char *rule, dw_str key,
                               const dw_protocol *found);
void dw__fsck_compare_metadata(dw_fsck *fsck, const char *rule, dw_str key,
                               const dw_metadata *found);
void dw__fsck_compare_txn(dw_fsck *fsck, const char *rule, dw_str key, const dw_txn_id *found);
void dw__fsck_compare_domain(dw_fsck *fsck, const char *rule, dw_str key, const dw_domain *found);
void dw__fsck_compare_add(dw_fsck *fsck, const char *rule, dw_str key, const dw_file *found,
                          dw_fsck_file *expected);
/* The version checksum of the state's version. */
DW_WARN_UNUSED dw_status dw__fsck_checksum(dw_fsck *fsck, dw_str key, dw_error *err);
/* The actions of a compacted commit, in the scratch arena. */
DW_WARN_UNUSED dw_status dw__fsck_read_compacted(dw_fsck *fsck, const dw_log_file *file,
                                                 dw_commit_actions *out, dw_error *err);
/* Compacted commits: opened before their first commit, `first`, compared behind their last. */
DW_WARN_UNUSED dw_status dw__fsck_open_windows(dw_fsck *fsck, const dw_log_file *first,
                                               dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_window_remove(dw_fsck *fsck, const dw_fsck_path *path,
                                                const dw_dv_descriptor *dv, int64_t since,
                                                dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_close_windows(dw_fsck *fsck, int64_t version, dw_error *err);
void dw__fsck_windows_deinit(dw_fsck *fsck);
/* `_last_checkpoint`. */
DW_WARN_UNUSED dw_status dw__fsck_hint(dw_fsck *fsck, dw_error *err);
/* The newest version: files in storage, deletion vectors, row ids, domains, and our own reader. */
DW_WARN_UNUSED dw_status dw__fsck_storage(dw_fsck *fsck, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_deletion_vectors(dw_fsck *fsck, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_row_ids(dw_fsck *fsck, dw_error *err);
int64_t dw__fsck_row_id_mark(dw_fsck *fsck); /* in the domain; -1: there is none */
void dw__fsck_check_clustering(dw_fsck *fsck);
DW_WARN_UNUSED dw_status dw__fsck_reader(dw_fsck *fsck, dw_error *err);
/* Statistics and rows; then, when all files can be read, conditions and ids of rows. */
DW_WARN_UNUSED dw_status dw__fsck_data(dw_fsck *fsck, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_data_constraints(dw_fsck *fsck, dw_log_snapshot *snapshot,
                                                   dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_data_row_ids(dw_fsck *fsck, dw_log_snapshot *snapshot,
                                               dw_error *err);

/* Calls `visit` for each live file. */
typedef dw_status (*dw_fsck_visitor)(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file,
                                     void *ctx, dw_error *err);
DW_WARN_UNUSED dw_status dw__fsck_visit_live(dw_fsck *fsck, dw_fsck_visitor visit, void *ctx,
                                             dw_error *err);

#endif
