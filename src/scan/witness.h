/*
 * Structs of which a file has none of the fields that the table has by now: with column mapping
 * fields are added and dropped without files being written again. The engine reads no struct
 * without a field in common, so it is asked for one that the file has, as a text, in addition; what
 * becomes the table's value has it no more.
 */
#ifndef DW_SCAN_WITNESS_H
#define DW_SCAN_WITNESS_H

#include "scan/plan.h"
#include "scan/scan_sql.h"

/* Sets what `select` is to ask the files of, where that is more than its schema says. Only columns
 * that the plan reads are looked for (NULL: all), and only where their ids say that there may be
 * such files footers are looked into. */
DW_WARN_UNUSED dw_status dw__scan_find_witnesses(const dw_env *env, dw_scan_sql *select,
                                                 const dw_plan_source *plan, const dw_str *paths,
                                                 size_t count, dw_arena *arena, dw_error *err);

#endif
