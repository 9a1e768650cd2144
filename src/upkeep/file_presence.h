/*
 * Whether the files that adds name are still there: data files and those of deletion vectors,
 * below the table's root or elsewhere, as those of shallow clones are.
 */
#ifndef DW_UPKEEP_FILE_PRESENCE_H
#define DW_UPKEEP_FILE_PRESENCE_H

#include "base/map.h"
#include "protocol/action.h"
#include "storage/storage.h"

typedef struct dw_file_presence {
    dw_storage *storage;
    dw_storage *elsewhere; /* all of the file system; NULL: not needed yet. Owned */
    dw_arena scratch;
    dw_arena kept;
    dw_map vectors; /* paths of files with vectors that are there */
    int64_t missing_count;
    dw_str missing; /* the first of those, as the log spells it; null string: none */
    /* Of the add that was looked at last, until the next. */
    bool file_is_missing, vector_is_missing;
    dw_str vector; /* a key below the root, or absolute; null string: there is no such file */
} dw_file_presence;

void dw__file_presence_init(dw_file_presence *presence, dw_storage *storage);
void dw__file_presence_deinit(dw_file_presence *presence);
/* Counts what is missing of an add, of which the path and the deletion vector are enough. Files in
 * another storage pass unseen. */
DW_WARN_UNUSED dw_status dw__file_presence_check(dw_file_presence *presence, const dw_file *file,
                                                 dw_error *err);

#endif
