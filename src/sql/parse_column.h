/*
 * The lists of columns and constraints in CREATE TABLE, while they grow.
 */
#ifndef DW_SQL_PARSE_COLUMN_H
#define DW_SQL_PARSE_COLUMN_H

#include "sql/parse.h"

/* All grow in the memory of the parser's arena's allocator; the caller releases them. */
typedef struct dw_column_vec {
    dw_field *items;
    size_t count;
    size_t capacity;
} dw_column_vec;

typedef struct dw_str_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} dw_str_vec;

/* Check constraints, as the properties of a table that they become. */
typedef struct dw_pair_vec {
    dw_pair *items;
    size_t count;
    size_t capacity;
} dw_pair_vec;

typedef struct dw_column_list {
    dw_column_vec columns;
    dw_pair_vec constraints;
} dw_column_list;

/* (name type ..., [CONSTRAINT name] CHECK (condition), ...) */
DW_WARN_UNUSED dw_status dw__parse_columns(dw_parser *parser, dw_column_list *list);
/* (name, name type, ...), behind PARTITIONED BY; a name with a type becomes a column as well. */
DW_WARN_UNUSED dw_status dw__parse_partition_columns(dw_parser *parser, dw_column_list *list,
                                                     dw_str_vec *out);

/* st.k: a column's name of one or more parts. In the parser's arena. */
DW_WARN_UNUSED dw_status dw__parse_column_path(dw_parser *parser, dw_name_path *out);
/* (a, st.k, ...), behind CLUSTER BY and the like; the parentheses may be left out. In the parser's
 * arena. */
DW_WARN_UNUSED dw_status dw__parse_column_paths(dw_parser *parser, dw_name_paths *out);

#endif
