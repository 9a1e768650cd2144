/*
 * From the engine's optimised plan of a statement to one predicate for each occurrence of a table.
 * The plan is text that json_serialize_plan made of the statement over empty stub tables; each
 * occurrence has a stub, and a name, of its own.
 *
 *  [PLAN-1] Only filters that the plan applies to the rows of a stub before anything else happens
 *           to them are read: those in its LOGICAL_GET, and LOGICAL_FILTERs that see it through
 *           nothing but filters and projections.
 *  [PLAN-2] What is not understood, or not of the expected shape, is UNKNOWN.
 *  [PLAN-3] A stub that stands in the plan several times gets the OR of what is demanded there; one
 *           that may stand in it somewhere unseen gets UNKNOWN.
 *           Columns are read that stand in some LOGICAL_GET of the stub: the binder adds each there
 *           when it meets it.
 *  [PLAN-4] A stub is aggregated when no row of it gets around an aggregate, nor below that through
 *           a limit: then the order of its rows matters to nobody, and all of them are read.
 *  [PLAN-5] What is demanded of a source is known whole only when the statement does nothing but
 *           filter its rows and give them out, and no filter is unread.
 */
#ifndef DW_SCAN_PLAN_H
#define DW_SCAN_PLAN_H

#include "codec/json.h"
#include "scan/predicate.h"

/* Operators between a filter and its LOGICAL_GET, both included. */
#define DW_PLAN_CHAIN_MAX 8
#define DW_PLAN_OPERATORS_MAX ((size_t) 100000)

/* One occurrence of a table. */
typedef struct dw_plan_source {
    dw_str name; /* of the stub */
    dw_predicate_scope scope;
    bool with_positions;           /* the stub has the columns of positions, too */
    const dw_predicate *predicate; /* the answer; UNKNOWN: nothing is demanded */
    /* The statement gives out the very rows for which this is TRUE. UNKNOWN: that is not known. */
    const dw_predicate *whole;
    bool is_aggregated; /* likewise */
    bool *reads;        /* likewise, for each field of the schema; NULL: all of them */
} dw_plan_source;

/* False when no row's value of the column matters to the statement. */
static inline bool
dw__plan_reads(const dw_plan_source *source, size_t field_idx)
{
    return source->reads == NULL || source->reads[field_idx];
}

/* Fills the answers of the sources, predicates in the arenas of their scopes. The plan may be the
 * null string or nonsense: then all are UNKNOWN, none is aggregated, and all is read. Fails only
 * when out of memory. */
DW_WARN_UNUSED dw_status dw__plan_read(const dw_allocator *allocator, dw_str plan_json,
                                       dw_plan_source *sources, size_t count, dw_error *err);

#endif
