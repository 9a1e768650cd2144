/*
 * SET path = value: what UPDATE and MERGE read, and the new value of every column of a table, of
 * which a nested assignment changes a part.
 */
#ifndef DW_SQL_ASSIGNMENT_H
#define DW_SQL_ASSIGNMENT_H

#include "sql/parse.h"

/* Reads an expression up to a comma, a closing bracket, the keyword `end`, THEN or the end of the
 * statement, outside of all brackets and CASE ... END; `what` says what it is, for messages. */
DW_WARN_UNUSED dw_status dw__parse_expression(dw_parser *parser, dw_keyword end, const char *what,
                                              dw_sql_range *out);
/* A column, and what stands before it or inside of it, with dots: sets all but the value. */
DW_WARN_UNUSED dw_status dw__parse_path(dw_parser *parser, dw_assignment *out);
/* path = value, ... behind SET, up to the keyword `end` or the end of the statement. */
DW_WARN_UNUSED dw_status dw__parse_assignments(dw_parser *parser, dw_keyword end,
                                               dw_assignment **out, size_t *count_out);

/* The new values of a table's columns, as expressions: at first what the columns are. */
typedef struct dw_column_values {
    const dw_type *schema;
    dw_str *texts;
    bool *is_set;
} dw_column_values;

/* `qualifier` stands before the columns: "" or an alias in quotes and a dot. In `arena`. */
DW_WARN_UNUSED dw_status dw__column_values_init(dw_column_values *values, const dw_type *schema,
                                                dw_str qualifier, dw_arena *arena, dw_error *err);
/* Takes an assignment, whose value is `value` in the engine's words; `parser` is that of the
 * statement, for messages. DW_INVALID_ARGUMENT: COLUMN_NOT_FOUND, COLUMN_DUPLICATE. */
DW_WARN_UNUSED dw_status dw__column_values_assign(dw_column_values *values, const dw_parser *parser,
                                                  const dw_assignment *item, dw_str value);

#endif
