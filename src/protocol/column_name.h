/*
 * The dotted path of the column that is being looked at, for messages; and the check of names that
 * parsing and building a schema share. Private to src/protocol.
 */
#ifndef DW_PROTOCOL_COLUMN_NAME_H
#define DW_PROTOCOL_COLUMN_NAME_H

#include "protocol/schema.h"

/* What a message shows of a column's path at most. */
#define DW_COLUMN_NAME_SIZE 256

/* A part of a path; it lives on the stack of the walk that made it. */
typedef struct dw_column_name {
    const struct dw_column_name *parent; /* NULL: a top-level column */
    dw_str part;
} dw_column_name;

/* "a.b.element.c", cut to what fits. NULL gives "the schema". */
const char *dw__column_name_print(const dw_column_name *name, char text[DW_COLUMN_NAME_SIZE]);

/* The index of a field whose name an earlier one has, without regard to case; SIZE_MAX when all
 * differ. Takes no memory. */
size_t dw__fields_find_duplicate(const dw_field *fields, size_t count);

#endif
