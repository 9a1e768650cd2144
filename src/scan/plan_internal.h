/*
 * Shared by the files that read plans: values and types, expressions, filters of a LOGICAL_GET.
 */
#ifndef DW_SCAN_PLAN_INTERNAL_H
#define DW_SCAN_PLAN_INTERNAL_H

#include "scan/plan.h"

/* Structs within structs in a column reference; deeper ones are UNKNOWN. */
#define DW_PLAN_NESTED_MAX 16
#define DW_PLAN_CASTS_MAX 4

/* Types that compare with each other without a cast. */
typedef enum dw_plan_class {
    DW_PLAN_OTHER,
    DW_PLAN_BOOLEAN,
    DW_PLAN_INTEGER,
    DW_PLAN_DECIMAL,
    DW_PLAN_FLOAT,
    DW_PLAN_DOUBLE,
    DW_PLAN_TEXT,
    DW_PLAN_BLOB,
    DW_PLAN_DATE,
    DW_PLAN_MICROS,      /* TIMESTAMP */
    DW_PLAN_MICROS_ZONED /* TIMESTAMP WITH TIME ZONE */
} dw_plan_class;

typedef struct dw_plan_type {
    dw_plan_class class;
    uint8_t size_bytes; /* INTEGER */
    uint8_t scale;      /* DECIMAL */
} dw_plan_type;

/* The engine's type as the plan spells it, and the type of a column in the engine. */
dw_plan_type dw__plan_type_read(dw_json type);
dw_plan_type dw__plan_type_of_column(const dw_type *type);
/* A constant. False when it is not understood, or with *oom set. */
DW_WARN_UNUSED bool dw__plan_value_read(dw_json constant, dw_arena *arena, dw_plan_type *type_out,
                                        dw_value *out, bool *oom);

/* A column of the table, possibly inside of structs, by logical names. */
typedef struct dw_plan_path {
    size_t field_idx;
    size_t nested_count;
    dw_str nested[DW_PLAN_NESTED_MAX];
} dw_plan_path;

/* What the references of an expression mean: outputs of chain[0]. chain[count - 1] is the
 * LOGICAL_GET. Or, inside of a table filter, the one column that it is on. */
typedef struct dw_plan_reader {
    dw_predicate_scope *scope;
    dw_json chain[DW_PLAN_CHAIN_MAX];
    size_t chain_count;
    const dw_plan_path *filter_path; /* NULL: not in a table filter */
} dw_plan_reader;

/* The field index of output `output_idx` of a LOGICAL_GET, or of entry `column_idx` of its
 * column_indexes; SIZE_MAX: none. */
size_t dw__plan_get_field(const dw_plan_reader *reader, size_t output_idx);
/* True when the stub's column `field_idx` is the schema's field of that index. */
bool dw__plan_is_field(const dw_plan_reader *reader, size_t field_idx);

/* The predicate that an expression is. `level`: its references are to chain[level]. NULL when out
 * of memory. */
const dw_predicate *dw__plan_expression(const dw_plan_reader *reader, dw_json expression,
                                        size_t level);
/* A comparison of a column with a constant as table filters have it. */
const dw_predicate *dw__plan_compare(const dw_plan_reader *reader, const dw_plan_path *path,
                                     dw_str comparison, dw_json constant);
const dw_predicate *dw__plan_in_list(const dw_plan_reader *reader, const dw_plan_path *path,
                                     dw_json constants);
const dw_predicate *dw__plan_null_test(const dw_plan_reader *reader, const dw_plan_path *path,
                                       dw_predicate_kind kind);
/* The table filters of the LOGICAL_GET at the end of the chain, all of them joined by AND. */
const dw_predicate *dw__plan_table_filters(const dw_plan_reader *reader);

#endif
