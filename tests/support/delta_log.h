/*
 * Writes small Delta logs, action by action, so that a test can say what is in a table without the
 * library's own writer.
 *
 *     dwt_commit commit;
 *     dwt_commit_begin(&commit);
 *     dwt_commit_protocol(&commit, 1, 2);
 *     dwt_commit_metadata(&commit, DWT_SCHEMA_ID_VALUE, NULL, NULL);
 *     dwt_commit_add(&commit, &(dwt_add){.path = "a.parquet", .size = 100});
 *     dwt_commit_write(&commit, storage, 0);       // _delta_log/00000000000000000000.json
 *
 * Everything fails the test when it cannot do what it is asked for.
 */
#ifndef DWT_SUPPORT_DELTA_LOG_H
#define DWT_SUPPORT_DELTA_LOG_H

#include "storage/storage.h"

/* The schemas as the text of a schemaString, before it is escaped into JSON. */
#define DWT_SCHEMA_FIELD(name, type)                                                               \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":true,\"metadata\":{}}"
#define DWT_SCHEMA(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define DWT_SCHEMA_ID DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long"))
#define DWT_SCHEMA_ID_VALUE                                                                        \
    DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD("value", "string"))

typedef struct dwt_commit {
    dw_strbuf text;
} dwt_commit;

typedef struct dwt_add {
    const char *path;             /* as the log spells it: percent-encoded */
    int64_t size;                 /* 0: 1000 */
    int64_t modification_time_ms; /* 0: 1704067200000 */
    const char *partition_values; /* a JSON object; NULL: {} */
    const char *stats;            /* JSON text of the statistics, not escaped; NULL: none */
    const char *more;             /* further members, such as "\"deletionVector\":{...}"; or NULL */
    bool no_data_change;
} dwt_add;

void dwt_commit_begin(dwt_commit *commit);

/* A line as it is. */
void dwt_commit_raw(dwt_commit *commit, const char *line);
void dwt_commit_protocol(dwt_commit *commit, int reader_version, int writer_version);
/* Version 3 and 7 with features: each a JSON array, such as "[\"deletionVectors\"]". */
void dwt_commit_protocol_features(dwt_commit *commit, const char *reader_features,
                                  const char *writer_features);
/* `schema` is the text of the schemaString; `partition_columns` a JSON array or NULL for []; 
 * `configuration` a JSON object or NULL for {}. */
void dwt_commit_metadata(dwt_commit *commit, const char *schema, const char *partition_columns,
                         const char *configuration);
void dwt_commit_add(dwt_commit *commit, const dwt_add *add);
/* Only path and `more` are used; deletionTimestamp is 1704067200000. */
void dwt_commit_remove(dwt_commit *commit, const dwt_add *add);
void dwt_commit_txn(dwt_commit *commit, const char *app_id, int64_t version);
void dwt_commit_info(dwt_commit *commit, int64_t timestamp_ms, const char *operation);

/*
 * Puts the commit's file below _delta_log/ and releases the commit. Fails if the version is there.
 */
void dwt_commit_write(dwt_commit *commit, dw_storage *storage, int64_t version);

/* A table of one commit, version 0: protocol 1/2, `schema` (NULL: DWT_SCHEMA_ID), no files. */
void dwt_log_create(dw_storage *storage, const char *schema);
/* A commit `version` that adds one file "part-<version>.parquet" of 1,000 bytes. */
void dwt_log_append(dw_storage *storage, int64_t version);

/* Puts any object as it is: checkpoints, hints, damaged files. Replaces what is there. */
void dwt_put(dw_storage *storage, const char *key, dw_str bytes);
/* The object's bytes, to be freed by the caller; NULL if there is none. */
char *dwt_get(dw_storage *storage, const char *key);
bool dwt_exists(dw_storage *storage, const char *key);
/* The number of objects below a prefix, in all depths. */
size_t dwt_count(dw_storage *storage, const char *prefix);

#endif
