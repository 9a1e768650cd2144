/*
 * The schema that the tests of plans and predicates share; plans/capture.py has the same columns.
 */
#ifndef DW_TEST_SCAN_SCHEMA_H
#define DW_TEST_SCAN_SCHEMA_H

#include "protocol/schema.h"

static inline dw_field
scan_field(const char *name, const dw_type *type)
{
    return (dw_field){.name = dw__str_from(name), .type = type, .nullable = true, .mapping_id = -1};
}

static inline const dw_type *
scan_schema_make(dw_arena *arena)
{
    dw_field inner[] = {scan_field("c", dw__type_make(arena, DW_TYPE_STRING))};
    dw_field outer[] = {scan_field("a", dw__type_make(arena, DW_TYPE_INTEGER)),
                        scan_field("b", dw__type_make_struct(arena, inner, 1))};
    dw_field fields[] = {
        scan_field("id", dw__type_make(arena, DW_TYPE_LONG)),
        scan_field("k", dw__type_make(arena, DW_TYPE_INTEGER)),
        scan_field("v", dw__type_make(arena, DW_TYPE_DOUBLE)),
        scan_field("f", dw__type_make(arena, DW_TYPE_FLOAT)),
        scan_field("s", dw__type_make(arena, DW_TYPE_STRING)),
        scan_field("d", dw__type_make(arena, DW_TYPE_DATE)),
        scan_field("ts", dw__type_make(arena, DW_TYPE_TIMESTAMP)),
        scan_field("tn", dw__type_make(arena, DW_TYPE_TIMESTAMP_NTZ)),
        scan_field("b", dw__type_make(arena, DW_TYPE_BOOLEAN)),
        scan_field("n", dw__type_make_decimal(arena, 12, 2)),
        scan_field("st", dw__type_make_struct(arena, outer, 2)),
        scan_field("bin", dw__type_make(arena, DW_TYPE_BINARY)),
    };
    return dw__type_make_struct(arena, fields, sizeof(fields) / sizeof(*fields));
}

#endif
