/*
 * A file without a name, for what the engine is to read by a path: it is gone when it is closed,
 * and when the process ends in any way.
 */
#ifndef DW_STORAGE_SCRATCH_H
#define DW_STORAGE_SCRATCH_H

#include "base/error.h"
#include "base/strbuf.h"

typedef struct dw_scratch {
    int fd; /* -1: none */
    char path[64];
} dw_scratch;
#define DW_SCRATCH_NONE ((dw_scratch){.fd = -1, .path = ""})

/* `directory` is one on a file system; the null string: where the system keeps temporary files.
 * DW_IO, with STORAGE_FULL from _write when there is no room. */
DW_WARN_UNUSED dw_status dw__scratch_open(dw_scratch *scratch, dw_str directory, dw_error *err);
/* Adds to its end. */
DW_WARN_UNUSED dw_status dw__scratch_write(dw_scratch *scratch, dw_str bytes, dw_error *err);
/* Reads up to `len` bytes from `offset` on, fewer at the end, into `buf` (cleared first). */
DW_WARN_UNUSED dw_status dw__scratch_read(const dw_scratch *scratch, uint64_t offset, size_t len,
                                          dw_strbuf *buf, dw_error *err);
/* Ends the writing. The time of its last change becomes one that no other such file of the process
 * has: the engine tells files of the same path apart by it. */
DW_WARN_UNUSED dw_status dw__scratch_finish(dw_scratch *scratch, dw_error *err);
void dw__scratch_close(dw_scratch *scratch);

static inline void
dw__dw_scratch_cleanup(dw_scratch *scratch)
{
    dw__scratch_close(scratch);
}

#endif
