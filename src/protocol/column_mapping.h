/*
 * Column mapping as writers need it: which ids and physical names columns get, what a change of the
 * mode means, and the columns that data files have. PROTOCOL.md "Column Mapping"; nested ids:
 * "Iceberg Compatibility V2".
 *
 *  [MAPPING-1] An id is given once: delta.columnMapping.maxColumnId never goes back, not even when
 *              the table is replaced.
 *  [MAPPING-2] A column keeps the id and the physical name that it has.
 *  [MAPPING-3] The mode of a table that exists goes from none to name and nowhere else; with its
 *              names as physical names, so that its files stay as they are.
 */
#ifndef DW_PROTOCOL_COLUMN_MAPPING_H
#define DW_PROTOCOL_COLUMN_MAPPING_H

#include "env/env.h"
#include "protocol/property.h"

#define DW_MAPPING_MODE_KEY DW_STR("delta.columnMapping.mode")
#define DW_MAPPING_MAX_ID_KEY DW_STR("delta.columnMapping.maxColumnId")

/* A table's schema and configuration as they shall be, and what they were. */
typedef struct dw_mapping_change {
    const dw_env *env;             /* what is random in physical names comes from it */
    const dw_type *schema;         /* as it shall be; new columns have no id */
    const dw_pairs *configuration; /* as it shall be; delta.columnMapping.mode in it counts */
    /* The table before, as its snapshot has it; NULL, NULL and DW_MAPPING_NONE for a new one. */
    const dw_type *schema_before;
    const dw_pairs *configuration_before;
    dw_mapping_mode mode_before;
    bool replaces; /* CREATE OR REPLACE: all files go, and the mode may be any */
} dw_mapping_change;

/* Gives the schema and configuration to commit, in `arena`: with ids and physical names for all
 * columns where the mode asks for them, nested ids for icebergCompatV2, and maxColumnId. What needs
 * nothing is given back as it is. Columns of the table before keep theirs by their paths of names
 * (in a replaced table those of the same type). The caller adds the feature columnMapping to the
 * protocol. DW_INVALID_ARGUMENT (MAPPING_MODE_CHANGE, MAPPING_METADATA_LEFT) says what to do
 * instead. For CREATE, REPLACE, ALTER TABLE SET TBLPROPERTIES and ADD COLUMN. */
DW_WARN_UNUSED dw_status dw__mapping_apply(const dw_mapping_change *change, dw_arena *arena,
                                           const dw_type **schema_out, dw_pairs *configuration_out,
                                           dw_error *err);
/* Whether files can be written: each column has an id and a physical name, no two in the table have
 * one id, no two of a struct one physical name, and no id is beyond the highest (negative: it is
 * not known). Columns that a writer adds for itself, without any metadata, need no id. DW_CORRUPT
 * (MAPPING_INVALID) names the column. */
DW_WARN_UNUSED dw_status dw__mapping_check(const dw_type *schema, int64_t max_column_id,
                                           dw_arena *scratch, dw_error *err);

/* The schema as data files have it, at every depth: physical names are the names, and columns of
 * the type void are not there. Returns `schema` itself where it is the same; NULL when out of
 * memory. */
const dw_type *dw__schema_of_files(const dw_type *schema, dw_arena *arena);

/* ---- Ids of the elements of arrays and maps -------------------------------------------------- */

#define DW_NESTED_IDS_KEY DW_STR("delta.columnMapping.nested.ids")

/* Gives each element, key and value that has none an id after `*max_id`, kept in the metadata of
 * the nearest field above. */
DW_WARN_UNUSED dw_status dw__nested_ids_assign(const dw_type *schema, dw_arena *arena,
                                               int64_t *max_id, const dw_type **out, dw_error *err);
/* The ids that a field's metadata holds: pairs of a path such as "col-1.element.key" and an id. */
typedef struct dw_nested_id {
    dw_str path;
    int64_t id;
} dw_nested_id;
DW_WARN_UNUSED dw_status dw__nested_ids_read(const dw_field *field, dw_arena *arena,
                                             dw_nested_id **out, size_t *count_out, dw_error *err);

#endif
