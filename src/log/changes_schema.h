/*
 * Whether rows that were written under one definition of a table can be read under another, as the
 * reference decides it for the change data feed. [CHANGES-4]
 */
#ifndef DW_LOG_CHANGES_SCHEMA_H
#define DW_LOG_CHANGES_SCHEMA_H

#include "log/table_state.h"

/* One of the two versions of a table, `older` before `newer`; `reads_newer` says which one's
 * columns the rows of both are read with. Columns may have been added between them; none may have
 * been dropped, renamed or given another type, and the partition columns must be the same. */
bool dw__changes_schema_fits(const dw_definition *older, const dw_definition *newer,
                             bool reads_newer);

#endif
