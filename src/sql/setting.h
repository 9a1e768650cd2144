/*
 * Settings of a session that are ours and not the engine's, by the names that Spark gives them
 * where it has them: SET spark.sql.sources.partitionOverwriteMode = dynamic, RESET, and SET with a
 * name alone.
 */
#ifndef DW_SQL_SETTING_H
#define DW_SQL_SETTING_H

#include "sql/parser.h"
#include "txn/txn.h"

#define DW_SETTING_TEXT_BYTES_MAX 255

typedef struct dw_setting_text {
    char bytes[DW_SETTING_TEXT_BYTES_MAX];
    uint8_t len;
} dw_setting_text;

static inline dw_str
dw__session_setting_text(const dw_setting_text *text)
{
    return (dw_str){text->bytes, text->len};
}

typedef struct dw_session_settings {
    bool overwrites_partitions;   /* INSERT OVERWRITE replaces only the partitions that it writes */
    bool skips_retention_check;   /* VACUUM may retain less than is safe */
    bool creates_without_vectors; /* new tables have no deletion vectors unless they are told to */
    bool merges_schema;           /* INSERT, COPY INTO, MERGE and load add columns */
    bool forbids_mapping;         /* ALTER TABLE does not switch column mapping on by itself */
    bool audits_reads;            /* queries are recorded, too, where statements are */
    bool counts_no_use;           /* which columns conditions are on is not recorded */
    bool records_no_lineage;      /* commits do not say where their rows come from */
    dw_setting_text lineage_job, lineage_namespace, lineage_parent; /* "": not set */
    dw_setting_text audit_user; /* what the session calls who it works for; "": not set */
    dw_commit_limits limits;    /* of commits that others get ahead of */
} dw_session_settings;

/* Behind SET or RESET; `*found_out` is false, and the parser where it was, for the engine's. */
DW_WARN_UNUSED dw_status dw__parse_setting(dw_parser *parser, dw_setting_statement *out,
                                           bool *found_out);

#endif
