/*
 * The actions of a commit. PROTOCOL.md "Actions". Strings are borrowed from the arena that the
 * action was parsed into. What is not understood is kept in `extra_json` as text: "" or members
 * with a leading comma (`,"key":value,...`), and printed again.
 */
#ifndef DW_PROTOCOL_ACTION_H
#define DW_PROTOCOL_ACTION_H

#include "codec/json.h"
#include "protocol/schema.h"

#define DW_COMMIT_BYTES_MAX ((size_t) 2 << 30)
#define DW_COMMIT_ACTIONS_MAX ((size_t) 20000000)

typedef struct dw_pair {
    dw_str key;
    dw_str value; /* the null string for null */
} dw_pair;

typedef struct dw_pairs {
    dw_pair *items;
    size_t count;
} dw_pairs;

/* The value for `key`; NULL when there is no such pair. */
const dw_str *dw__pairs_get(const dw_pairs *pairs, dw_str key);

typedef struct dw_protocol {
    int32_t min_reader_version;
    int32_t min_writer_version;
    bool has_reader_features; /* the list is there (possibly empty) */
    bool has_writer_features;
    dw_str *reader_features;
    size_t reader_feature_count;
    dw_str *writer_features;
    size_t writer_feature_count;
} dw_protocol;

typedef struct dw_metadata {
    dw_str id;
    dw_str name;        /* null string: none */
    dw_str description; /* null string: none */
    dw_str format_provider;
    dw_pairs format_options;
    dw_str schema_string;
    dw_str *partition_columns;
    size_t partition_column_count;
    bool has_created_time;
    int64_t created_time_ms;
    dw_pairs configuration;
    dw_str extra_json;
} dw_metadata;

/* PROTOCOL.md "Deletion Vector Descriptor Schema" */
typedef struct dw_dv_descriptor {
    char storage_type; /* 'u', 'i', 'p' */
    dw_str path_or_inline_dv;
    bool has_offset;
    int32_t offset;
    int32_t size_bytes;
    int64_t cardinality;
} dw_dv_descriptor;

/* add and remove share their shape: a `dw_file`. In a remove, size and partition values may be
 * missing (has_size, has_partition_values). */
typedef struct dw_file {
    dw_str path; /* as it stands in the log: percent-encoded */
    bool has_partition_values;
    dw_pairs partition_values;
    bool has_size;
    int64_t size_bytes;
    int64_t modification_time_ms; /* add */
    bool data_change;
    bool has_deletion_timestamp; /* remove */
    int64_t deletion_timestamp_ms;
    bool has_extended_file_metadata; /* remove */
    bool extended_file_metadata;
    dw_str stats;     /* JSON text, null string: none */
    dw_str tags_json; /* JSON object text, null string: none */
    dw_dv_descriptor *dv;
    bool has_base_row_id;
    int64_t base_row_id;
    bool has_default_row_commit_version;
    int64_t default_row_commit_version;
    dw_str clustering_provider; /* null string: none */
    dw_str extra_json;
} dw_file;

typedef struct dw_txn_id {
    dw_str app_id;
    int64_t version;
    bool has_last_updated;
    int64_t last_updated_ms;
} dw_txn_id;

typedef struct dw_domain {
    dw_str domain;
    dw_str configuration;
    bool removed;
} dw_domain;

/* A sidecar file of a V2 checkpoint. */
typedef struct dw_sidecar {
    dw_str path;
    int64_t size_bytes;
    int64_t modification_time_ms;
} dw_sidecar;

typedef enum dw_action_kind {
    DW_ACTION_ADD,
    DW_ACTION_REMOVE,
    DW_ACTION_METADATA,
    DW_ACTION_PROTOCOL,
    DW_ACTION_TXN,
    DW_ACTION_DOMAIN,
    DW_ACTION_CDC,
    DW_ACTION_COMMIT_INFO,
    DW_ACTION_SIDECAR,
    DW_ACTION_CHECKPOINT_METADATA,
    DW_ACTION_UNKNOWN
} dw_action_kind;

typedef struct dw_action {
    dw_action_kind kind;
    union {
        dw_file file; /* ADD, REMOVE, CDC */
        dw_metadata metadata;
        dw_protocol protocol;
        dw_txn_id txn;
        dw_domain domain;
        dw_sidecar sidecar;
        /*
         * COMMIT_INFO, CHECKPOINT_METADATA: the inner object as text. UNKNOWN: the whole line's
         * object.
         */
        dw_str json;
    } as;
} dw_action;

/* What a commit's commitInfo says, as far as it is understood. `json` is the whole object. */
typedef struct dw_commit_info {
    dw_str json;
    bool has_timestamp;
    int64_t timestamp_ms;
    bool has_in_commit_timestamp;
    int64_t in_commit_timestamp_ms;
    dw_str operation;
    dw_str operation_parameters_json; /* object text or null string */
    dw_str operation_metrics_json;
    bool has_read_version;
    int64_t read_version;
    dw_str isolation_level;
    bool has_is_blind_append;
    bool is_blind_append;
    bool moves_identity_marks; /* tags: its metadata changes in high-water marks only */
    dw_str user_metadata;
    dw_str engine_info;
    dw_str txn_id;
    dw_str user_id, user_name;
} dw_commit_info;

/* Called for each action in the file's order. The action itself lives until the call returns, its
 * strings and arrays live in the arena. Any status but DW_OK ends the parse and is returned. */
typedef dw_status (*dw_action_visitor)(void *ctx, const dw_action *action, dw_error *err);
/* Calls `visit` for each action of a commit file (NDJSON). Blank lines, CRLF and a missing last
 * line end are fine; an object without an action that is not null is skipped. DW_CORRUPT
 * (COMMIT_INVALID) says line, action and member, what was expected and what was found. Strings that
 * repeat from line to line (partition columns and values) are shared. No reference to `ndjson` is
 * kept. */
DW_WARN_UNUSED dw_status dw__actions_parse(dw_str ndjson, dw_arena *arena, dw_action_visitor visit,
                                           void *ctx, dw_error *err);
/* One action from its JSON object (`{"add":{...}}`). Of the members that are not null the first
 * that names a known action counts; without one the kind is DW_ACTION_UNKNOWN. */
DW_WARN_UNUSED dw_status dw__action_parse(dw_json line, dw_arena *arena, dw_action *out,
                                          dw_error *err);
/* The same from the inner object alone, as it stands in places other than commits. */
DW_WARN_UNUSED dw_status dw__action_parse_members(dw_action_kind kind, dw_json object,
                                                  dw_arena *arena, dw_action *out, dw_error *err);
/* What is understood of a commitInfo object; members of unexpected types count as missing. */
DW_WARN_UNUSED dw_status dw__commit_info_parse(dw_str json, dw_arena *arena, dw_commit_info *out,
                                               dw_error *err);
/* Appends one line with its line end. */
void dw__action_print(dw_strbuf *out, const dw_action *action);
/* Appends the action's object only (`{"path":...}`). */
void dw__metadata_print(dw_strbuf *out, const dw_metadata *metadata);
void dw__protocol_print(dw_strbuf *out, const dw_protocol *protocol);
void dw__txn_id_print(dw_strbuf *out, const dw_txn_id *txn);
void dw__domain_print(dw_strbuf *out, const dw_domain *domain);
/* A deep copy into `arena`. False when out of memory. */
bool dw__metadata_dup(dw_arena *arena, const dw_metadata *from, dw_metadata *to);
bool dw__protocol_dup(dw_arena *arena, const dw_protocol *from, dw_protocol *to);
bool dw__file_dup(dw_arena *arena, const dw_file *from, dw_file *to);
/* The same versions and the same features in the same order. */
bool dw__protocol_equal(const dw_protocol *a, const dw_protocol *b);
/* The same schema, partition columns, configuration (in any order) and description. */
bool dw__metadata_defines_same(const dw_metadata *a, const dw_metadata *b);

/* PROTOCOL.md: the unique id of a deletion vector: type, path or inline, "@offset". The null string
 * when `dv` is NULL; ptr NULL with *oom true when out of memory. */
DW_WARN_UNUSED dw_status dw__dv_unique_id(const dw_dv_descriptor *dv, dw_arena *arena, dw_str *out,
                                          dw_error *err);
/* The key of the file holding a DV relative to the root ('u'), or its decoded absolute path ('p').
 * DW_CORRUPT (DV_INVALID). Not for 'i'. */
DW_WARN_UNUSED dw_status dw__dv_path(const dw_dv_descriptor *dv, dw_arena *arena, dw_str *out,
                                     bool *absolute_out, dw_error *err);

#endif
