/*
 * The order that rows get when they are clustered: a sample of the rows becomes tiles (tiles.h),
 * each of which is a file, and a curve orders the rows of a tile.
 */
#ifndef DW_UPKEEP_ARRANGEMENT_H
#define DW_UPKEEP_ARRANGEMENT_H

#include "engine/numbering.h"
#include "table/clustering.h"
#include "table/file_rewrite.h"
#include "upkeep/tiles.h"

/* Set up by the caller up to `arena`. */
typedef struct dw_arrangement {
    dw_connection *connection;
    const dw_cluster_columns *columns;
    dw_curve curve;
    size_t file_count; /* that are wanted, about */
    dw_arena *arena;
    dw_tiles *tiles;
    dw_numbering *numbering; /* bound with the first use */
} dw_arrangement;

/* What dw_file_rewrite takes; borrows `arrangement`. */
dw_row_arrangement dw__arrangement_of(dw_arrangement *arrangement);
void dw__arrangement_close(dw_arrangement *arrangement);

#endif
