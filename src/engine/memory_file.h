/*
 * A file without a name that lives in memory: how bytes go to and from the engine, which only knows
 * files. Nothing is left behind whatever happens to the process. Private to this folder.
 */
#ifndef DW_ENGINE_MEMORY_FILE_H
#define DW_ENGINE_MEMORY_FILE_H

#include "base/attr.h"
#include "base/strbuf.h"

typedef struct dw_memory_file {
    int fd;        /* -1: none */
    char path[32]; /* what the engine opens */
} dw_memory_file;

#define DW_MEMORY_FILE_NONE {-1, {0}}

DW_WARN_UNUSED dw_status dw__memory_file_open(dw_memory_file *file, dw_error *err);
DW_WARN_UNUSED dw_status dw__memory_file_write(dw_memory_file *file, dw_str bytes, dw_error *err);
/* Appends all bytes of the file. */
DW_WARN_UNUSED dw_status dw__memory_file_read(const dw_memory_file *file, dw_strbuf *out,
                                              dw_error *err);
void dw__memory_file_close(dw_memory_file *file);

static inline void
dw__dw_memory_file_cleanup(dw_memory_file *file)
{
    dw__memory_file_close(file);
}

#endif
