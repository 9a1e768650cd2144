/*
 * Whom a runtime tells of its runs.
 */
#ifndef DW_API_LINEAGE_H
#define DW_API_LINEAGE_H

#include "api/handles.h"

/* Reads the environment and gives the runtime's catalog what it says. */
DW_WARN_UNUSED dw_status dw__runtime_set_lineage(dw_runtime *runtime, dw_error *err);

#endif
