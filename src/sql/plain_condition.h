/*
 * Conditions of columns, literals and comparisons alone: they mean the same wherever they are
 * evaluated, so that the log may answer them.
 */
#ifndef DW_SQL_PLAIN_CONDITION_H
#define DW_SQL_PLAIN_CONDITION_H

#include "protocol/schema.h"
#include "sql/ast.h"

/* True when the range has nothing but AND, OR, NOT, comparisons, IN, BETWEEN, IS [NOT] NULL and IS
 * [NOT] DISTINCT FROM over columns of the schema and literals: no function, variable or macro. */
bool dw__sql_is_plain_condition(const dw_sql_text *sql, dw_sql_range range, const dw_type *schema,
                                dw_arena *arena);

#endif
