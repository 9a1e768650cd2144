/*
 * A directory of the test's own, below $TMPDIR; where that is not set below /dev/shm, since tests
 * sync a thousand times what need not outlive them, or else below /tmp.
 */
#ifndef DWT_SUPPORT_TEMP_DIR_H
#define DWT_SUPPORT_TEMP_DIR_H

#include "base/str.h"

enum { DWT_PATH_SIZE = 512 };

typedef struct dwt_temp_dir {
    char path[DWT_PATH_SIZE]; /* absolute, without symbolic links */
} dwt_temp_dir;

void dwt_temp_dir_make(dwt_temp_dir *dir);
/* Below a directory of the test's choice: on a disk, below /tmp. */
void dwt_temp_dir_make_below(dwt_temp_dir *dir, const char *base);
/* Removes it with all that is in it. */
void dwt_temp_dir_remove(dwt_temp_dir *dir);

/* Removes the file or tree at `path`; nothing if there is none. Does not follow symbolic links. */
void dwt_remove_tree(const char *path);
/* Creates or replaces the file `name` (with its directories) below `dir`. */
void dwt_write_file(const char *dir, const char *name, dw_str bytes);
/* The file's bytes with a NUL behind them, to be freed by the caller; NULL if there is none. */
char *dwt_read_file(const char *dir, const char *name, size_t *size_out);

#endif
