/*
 * DEFAULT and GENERATED, among the attributes of a column.
 */
#ifndef DW_SQL_PARSE_RULE_H
#define DW_SQL_PARSE_RULE_H

#include "sql/parser.h"

/*
 * Reads one of them if it stands here: `*found_out` tells. Errors: PARSE_ERROR, IDENTITY_INVALID.
 */
DW_WARN_UNUSED dw_status dw__parse_column_rule(dw_parser *parser, dw_field *field, bool *found_out);

/* The expression of a default, up to the attribute, comma or parenthesis that follows it. */
DW_WARN_UNUSED dw_status dw__parse_default(dw_parser *parser, dw_sql_range *out);
/* (condition), and CHECK (condition): the condition as metadata has it. */
DW_WARN_UNUSED dw_status dw__parse_condition(dw_parser *parser, dw_str *expression_out);
DW_WARN_UNUSED dw_status dw__parse_check(dw_parser *parser, dw_str *expression_out);

#endif
