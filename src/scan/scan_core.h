/*
 * Inside of dw_scan: what is bound on the connection for each occurrence of a table.
 */
#ifndef DW_SCAN_SCAN_CORE_H
#define DW_SCAN_SCAN_CORE_H

#include "scan/dv.h"
#include "scan/plain_files.h"
#include "scan/plan.h"
#include "scan/prune.h"
#include "scan/scan.h"
#include "scan/scan_sql.h"

/* What a source gives: the rows of a snapshot, or what changed. Borrowed. */
typedef struct dw_relation {
    const dw_type *schema;
    const dw_str *partition_columns; /* logical names */
    size_t partition_count;
    dw_mapping_mode mapping_mode;
    dw_file_set *files;
    dw_log *log;
    int64_t version; /* for messages */
    const dw_log_changes *changes;
    const dw_scan_metadata *metadata; /* the last columns of the schema; NULL: none */
} dw_relation;

typedef struct dw_bound_source {
    dw_str name;
    dw_log_snapshot *snapshot; /* one reference */
    dw_log_changes *changes;   /* one reference, or NULL */
    dw_relation relation;
    dw_file_ref *files;
    size_t file_count;
    dw_file_ref *whole_files; /* set aside */
    size_t whole_file_count;
    dw_str *paths;            /* of the files, as the engine opens them */
    dw_plain_files copies;    /* of some of the files */
    dw_str *partition_values; /* file by file; NULL when there are no partition columns */
    size_t value_count;       /* of a file */
    dw_dv_list deleted;
    dw_dv_list kept;          /* of changes or chosen rows: the only ones to read */
    const dw_scan_rows *rows; /* chosen before, or NULL */
    const dw_scan_key *keys;  /* known to be all that is demanded of the rows, or NULL */
    size_t key_count;
    const dw_str *wanted; /* see dw_scan_source */
    size_t wanted_count;
    const dw_plan_source *plan; /* what the statement demands of the rows */
    bool with_positions, compares_nulls, sets_whole_files_aside;
    dw_scan_report report;
    dw_old_values *old; /* of the files; NULL: nothing is of Spark's old calendar */
    bool has_old_dates, has_old_instants, has_widened_dates;
    bool is_bound;
    bool is_inlined;
    dw_str sql; /* in place of the name, where it is inlined */
} dw_bound_source;

struct dw_scan {
    const dw_env *env;
    dw_connection *connection; /* borrowed, and so is the database */
    dw_database *database;
    dw_arena arena;
    dw_bound_source *sources;
    size_t count;
    dw_str plan; /* of the statement, as the engine says it; null string: none */
};

/* Plans a statement over stubs of the sources, which have names and scopes, and fills their
 * predicates. Without a connection it is planned in UTC, with the engine's own settings. The plan
 * is in the arena, the null string where there is none. */
DW_WARN_UNUSED dw_status dw__scan_plan_sources(dw_connection *connection, dw_database *database,
                                               const dw_env *env, dw_str sql,
                                               dw_plan_source *sources, size_t count,
                                               dw_arena *arena, dw_str *plan_out, dw_error *err);
/* The predicate of a statement that asks for rows by such keys; `known_out` false: it takes a
 * plan. */
DW_WARN_UNUSED dw_status dw__scan_read_keys(dw_plan_source *source, const dw_scan_key *keys,
                                            size_t count, bool *known_out, dw_error *err);
/* Takes files out of the result of pruning of which bloom filters say that no row can meet the
 * predicate of the source: see filters.c. */
DW_WARN_UNUSED dw_status dw__scan_ask_filters(const dw_relation *relation,
                                              const dw_plan_source *source, dw_arena *arena,
                                              dw_prune_result *pruned, dw_scan_report *report,
                                              dw_error *err);
/* Prunes the files of a relation by the predicate of its source. */
DW_WARN_UNUSED dw_status dw__scan_prune(const dw_relation *relation, const dw_plan_source *source,
                                        dw_arena *arena, dw_prune_result *out,
                                        dw_scan_report *report_out, dw_error *err);

/* Parts the files of a source into those that are read and those that are wanted whole. */
DW_WARN_UNUSED dw_status dw__scan_set_whole_files_aside(dw_scan *scan, dw_bound_source *source,
                                                        dw_error *err);

/* Cuts the files of a source, in their order, into parts that are read side by side: one, or more
 * where it is worth it to have files with deleted rows for themselves. In `arena`. */
DW_WARN_UNUSED dw_status dw__scan_cut(const dw_bound_source *source, const dw_plan_source *plan,
                                      dw_arena *arena, dw_scan_part **out, size_t *count_out,
                                      dw_error *err);

dw_relation dw__relation_of_snapshot(dw_log_snapshot *snapshot);
dw_relation dw__relation_of_changes(const dw_log_changes *changes);

/* Adds the hidden columns that the source asks for; not _metadata to a table that has one of its
 * own. */
DW_WARN_UNUSED dw_status dw__scan_add_metadata(dw_relation *relation, const dw_scan_source *source,
                                               dw_arena *arena, dw_error *err);
/* The values of a file for it. */
DW_WARN_UNUSED dw_status dw__scan_metadata_values(const dw_bound_source *source, size_t file_idx,
                                                  dw_arena *arena, dw_str *values, dw_error *err);

/* True when some file has timestamps that the engine would take for times of the session's zone. It
 * looks into the footers, but only where the zone is not UTC. */
DW_WARN_UNUSED dw_status dw__scan_find_zoneless_instants(dw_connection *connection,
                                                         const dw_type *schema, const dw_str *paths,
                                                         size_t count, dw_arena *scratch, bool *out,
                                                         dw_error *err);

/* The name of the session's time zone. */
DW_WARN_UNUSED dw_status dw__scan_session_zone(dw_connection *connection, dw_arena *scratch,
                                               dw_str *out, dw_error *err);
/* Finds files that hold values of Spark's old calendar. It looks into the footers of those that may
 * have values from before today's by their statistics, which are in today's. */
DW_WARN_UNUSED dw_status dw__scan_find_old_values(dw_scan *scan, dw_bound_source *source,
                                                  dw_error *err);

/* Which rows of each file changed, by its deletion vectors: into `deleted` and `kept`. */
DW_WARN_UNUSED dw_status dw__scan_load_changes(dw_bound_source *source, dw_error *err);
/* The kind of change of a file as text; the null string when its rows say. */
dw_str dw__scan_change_text(const dw_bound_source *source, size_t file_idx);

#endif
