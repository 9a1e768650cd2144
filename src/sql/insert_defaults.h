/*
 * The word DEFAULT among the VALUES of an INSERT.
 */
#ifndef DW_SQL_INSERT_DEFAULTS_H
#define DW_SQL_INSERT_DEFAULTS_H

#include "sql/execution.h"

/*
 * When the query of the INSERT is VALUES with DEFAULT in it, or DEFAULT VALUES: VALUES without, and
 * the columns that they are for in the statement. A column that is DEFAULT in every row is left
 * out, so that the table fills it; one that is so in some rows gets its default there, or NULL. The
 * null string when there is nothing to do. DW_UNSUPPORTED (STATEMENT_UNSUPPORTED) for generated and
 * identity columns in some rows only.
 */
DW_WARN_UNUSED dw_status dw__insert_apply_defaults(dw_execution *x, dw_table *table, dw_str *out);

#endif
