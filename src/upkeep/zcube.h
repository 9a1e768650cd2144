/*
 * Cubes: files that were clustered together, as their tags tell. The reference knows them by the
 * same tags (ZCUBE_ID, ZCUBE_ZORDER_BY).
 */
#ifndef DW_UPKEEP_ZCUBE_H
#define DW_UPKEEP_ZCUBE_H

#include "table/clustering.h"

typedef struct dw_zcube {
    dw_str id;    /* null string: the file is in none */
    bool matches; /* it was clustered by those columns */
    dw_str curve; /* null string: it does not say */
} dw_zcube;

/* In `arena`. Tags that cannot be read are no cube. */
DW_WARN_UNUSED dw_status dw__zcube_read(dw_str tags_json, const dw_cluster_columns *columns,
                                        dw_arena *arena, dw_zcube *out, dw_error *err);
/* The tags of a file; `names_json` is the list of its columns. */
DW_WARN_UNUSED dw_status dw__zcube_print(dw_str id, dw_str names_json, dw_str curve,
                                         dw_arena *arena, dw_str *out, dw_error *err);

#endif
