/*
 * The files of a clone: what each file of the source is called in the target, and what has to be
 * copied for that. PROTOCOL.md "Data Files", "Deletion Vector Descriptor Schema".
 *
 *  [CLONE-FILES-1] A copy has a name that follows from its source, so that a clone that was
 *                  interrupted finds what it has copied.
 *  [CLONE-FILES-2] A copy appears whole or not at all, and is taken for one only when it has the
 *                  size and the last bytes of its source, which in Parquet is the footer.
 */
#ifndef DW_UPKEEP_CLONE_FILES_H
#define DW_UPKEEP_CLONE_FILES_H

#include "base/map.h"
#include "base/vec.h"
#include "table/table.h"
#include "upkeep/upkeep.h"

typedef struct dw_clone_copy {
    dw_str from; /* a key of the source, or an absolute path */
    dw_str to;   /* a key of the target */
    bool is_absolute;
    bool is_there; /* a run before made it; it may not be durable yet */
    int64_t size_bytes;
} dw_clone_copy;

/* What the target's live files are known by. */
typedef struct dw_clone_live {
    int64_t size_bytes, modified_ms;
    bool has_vector;
    bool has_base_row_id, has_commit_version;
    int64_t base_row_id, commit_version;
} dw_clone_live;

typedef struct dw_clone_files {
    dw_table *source, *target;
    bool deep;
    bool may_change; /* files of the source may become others of the same name */
    dw_arena *arena;
    dw_storage *elsewhere; /* all of the file system; NULL: not needed. Owned */
    dw_map live;           /* paths of the target's live files, to dw_clone_live */
    dw_map vectors;        /* DEEP: names of files of vectors in the source, to dw_clone_vector */
    struct {
        dw_clone_copy *items;
        size_t count;
        size_t capacity;
    } copies; /* filled by _map */
    int64_t bytes_to_copy;
} dw_clone_files;

void dw__clone_files_init(dw_clone_files *files, dw_table *source, dw_table *target, bool deep,
                          dw_arena *arena);
void dw__clone_files_deinit(dw_clone_files *files);
/* Tells of a live file of the target: it need not be copied again, and keeps its row ids. */
DW_WARN_UNUSED dw_status dw__clone_files_note_live(dw_clone_files *files, const dw_file_set *set,
                                                   dw_file_ref ref, dw_error *err);
/* The live file at the place that an add of the target names; NULL: none. */
DW_WARN_UNUSED dw_status dw__clone_files_find_live(dw_clone_files *files, dw_str path,
                                                   const dw_clone_live **out, dw_error *err);
/* True when a live file is still what an add says. */
bool dw__clone_files_is_same(const dw_clone_files *files, const dw_clone_live *live,
                             const dw_file *add);
/* The add of the source as the target has it; what has to be copied for it is put down, and counted
 * in *copied_out (1 or 0: the data file only). DW_CORRUPT (FILE_MISSING). */
DW_WARN_UNUSED dw_status dw__clone_files_map(dw_clone_files *files, dw_file *add,
                                             int64_t *copied_out, dw_error *err);
/* Copies what was put down, several files at a time, and makes it durable. */
DW_WARN_UNUSED dw_status dw__clone_files_copy(dw_clone_files *files, const dw_upkeep *upkeep,
                                              dw_error *err);

#endif
