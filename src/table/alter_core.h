/*
 * Inside of ALTER TABLE: the definition while it is changed, and its commit.
 */
#ifndef DW_TABLE_ALTER_CORE_H
#define DW_TABLE_ALTER_CORE_H

#include "table/alter.h"

#include "engine/database.h"

typedef struct dw_alter {
    dw_table *table;
    dw_arena arena;
    dw_log_snapshot *snapshot;
    const dw_type *schema; /* changed by column mapping */
    dw_metadata metadata;  /* its configuration has room for so many more pairs as were asked for */
    size_t pairs_max;
    dw_pairs wanted; /* the configuration, and what is asked of the protocol alone */
    dw_protocol protocol;
    bool has_protocol;     /* `protocol` was chosen */
    const dw_action *more; /* to be committed with it */
    size_t more_count;
    bool changes_more;            /* that alone is a change */
    bool moves_identity_marks;    /* and does nothing else */
    size_t rewrite_count;         /* for a plan: files that something else writes again */
    dw_connection *rewrites_with; /* not NULL: all files are written again in the same commit */
    bool reads_all_files;         /* the change holds only for the rows that were looked at */
} dw_alter;

/* Reads the newest snapshot, and makes room for `more` properties. Close in any case. */
DW_WARN_UNUSED dw_status dw__alter_open(dw_alter *alter, dw_table *table, size_t more,
                                        dw_error *err);
void dw__alter_close(dw_alter *alter);
/* The pair of the configuration, whatever the case it is written in; NULL when there is none. */
const dw_pair *dw__alter_find(const dw_alter *alter, dw_str key);
/* Replaces or adds a pair of the configuration. */
void dw__alter_set(dw_alter *alter, dw_str key, dw_str value);
/* False when there was none. */
bool dw__alter_unset(dw_alter *alter, dw_str key);
/* Asks something of the protocol that is no property. */
void dw__alter_want(dw_alter *alter, dw_str key, dw_str value);
/* The operation parameters of UNSET TBLPROPERTIES. */
DW_WARN_UNUSED dw_status dw__alter_note_unset(dw_alter *alter, const dw_str *keys, size_t count,
                                              bool if_exists, dw_strbuf *parameters, dw_error *err);
/* Puts alter->schema into the metadata. */
DW_WARN_UNUSED dw_status dw__alter_print_schema(dw_alter *alter, dw_error *err);
/* Fills the report's effects from what alter has become, once it is complete. */
DW_WARN_UNUSED dw_status dw__alter_plan(dw_alter *alter, dw_alter_report *report, dw_error *err);
/* Tells people something that they did not ask for. The text lives in the report's arena; the null
 * string stands for no memory. */
DW_WARN_UNUSED dw_status dw__alter_notice(dw_alter_report *report, dw_str text, dw_error *err);
/* Completes protocol and metadata, checks them, and commits what changed, or says what would
 * change. `parameters` is the object of operation parameters, to be ended here. */
DW_WARN_UNUSED dw_status dw__alter_commit(dw_alter *alter, const char *operation,
                                          dw_strbuf *parameters, dw_alter_report *report,
                                          dw_error *err);

/* Changes the definition, and notes the parameters of the operation. */
typedef dw_status (*dw_alter_step)(dw_alter *alter, void *ctx, dw_strbuf *parameters,
                                   dw_error *err);
/* All of it around one step. */
DW_WARN_UNUSED dw_status dw__alter_run(dw_table *table, size_t more, const char *operation,
                                       dw_alter_step step, void *ctx, dw_alter_report *report,
                                       dw_error *err);

#endif
