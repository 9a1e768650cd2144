/*
 * What a statement demands of the rows of one occurrence of a table, as far as it is understood:
 * a tree over the columns of the table. What is not understood stands in it as UNKNOWN.
 *
 *  [PREDICATE-1] A row for which the tree cannot come out TRUE is of no use to the statement.
 *  [PREDICATE-2] UNKNOWN may come out TRUE, FALSE or NULL for any row.
 *  [PREDICATE-3] Depth, nodes and columns are limited; what is beyond them is UNKNOWN.
 */
#ifndef DW_SCAN_PREDICATE_H
#define DW_SCAN_PREDICATE_H

#include "protocol/stats.h"

#define DW_PREDICATE_DEPTH_MAX 64
#define DW_PREDICATE_NODES_MAX ((size_t) 100000)
#define DW_PREDICATE_COLUMNS_MAX ((size_t) 64)
#define DW_PREDICATE_TEXT_BYTES_MAX ((size_t) 4096)

/* What an expression may come out as. */
enum { DW_OUTCOME_TRUE = 1, DW_OUTCOME_FALSE = 2, DW_OUTCOME_NULL = 4, DW_OUTCOME_ANY = 7 };

typedef enum dw_predicate_kind {
    DW_PREDICATE_UNKNOWN,
    DW_PREDICATE_CONSTANT,
    DW_PREDICATE_AND,
    DW_PREDICATE_OR,
    DW_PREDICATE_NOT,
    DW_PREDICATE_COMPARE,
    DW_PREDICATE_IN,
    DW_PREDICATE_IS_NULL,
    DW_PREDICATE_IS_NOT_NULL
} dw_predicate_kind;

typedef enum dw_comparison {
    DW_COMPARISON_EQUAL,
    DW_COMPARISON_NOT_EQUAL,
    DW_COMPARISON_LESS,
    DW_COMPARISON_LESS_OR_EQUAL,
    DW_COMPARISON_GREATER,
    DW_COMPARISON_GREATER_OR_EQUAL,
    DW_COMPARISON_DISTINCT,    /* IS DISTINCT FROM */
    DW_COMPARISON_NOT_DISTINCT /* IS NOT DISTINCT FROM */
} dw_comparison;

/* What is done to a column before it is compared. Each keeps the order of values; those that depend
 * on the session's time zone are known up to a day. */
typedef enum dw_transform {
    DW_TRANSFORM_NONE,
    DW_TRANSFORM_TO_DOUBLE,      /* an integer or a decimal */
    DW_TRANSFORM_DATE_TO_MICROS, /* a date to midnight */
    DW_TRANSFORM_MICROS_TO_DATE, /* a time without zone to its day */
    DW_TRANSFORM_DATE_TO_MICROS_ZONED,
    DW_TRANSFORM_MICROS_TO_DATE_ZONED,
    DW_TRANSFORM_MICROS_ZONED /* a time without zone to an instant, or back */
} dw_transform;

/* A primitive column or a field of nested structs. */
typedef struct dw_predicate_column {
    dw_column_path path; /* physical names, as statistics and partition values have them */
    dw_str name;         /* logical, for people: "st.a" */
    bool is_partition;
} dw_predicate_column;

typedef struct dw_predicate dw_predicate;

/* Immutable; lives in the arena of its scope. */
struct dw_predicate {
    dw_predicate_kind kind;
    dw_comparison comparison; /* COMPARE */
    dw_transform transform;   /* COMPARE, IN */
    bool has_null;            /* IN: the list holds NULL */
    uint8_t outcomes;         /* CONSTANT */
    uint16_t depth;
    size_t column_idx;      /* COMPARE, IN, IS_[NOT_]NULL: into the columns of the scope */
    const dw_value *values; /* COMPARE: one; IN: all but NULL, sorted */
    size_t value_count;
    const dw_predicate *const *children; /* AND, OR, NOT */
    size_t child_count;
};

/* One occurrence of a table while its predicate is built. */
typedef struct dw_predicate_scope {
    dw_arena *arena;
    const dw_type *schema;
    const dw_str *partition_columns; /* logical names */
    size_t partition_count;
    dw_predicate_column *columns; /* used so far */
    size_t column_count;
    size_t node_count;
} dw_predicate_scope;

/* `schema` and `partition_columns` are borrowed. Nothing is to be released. */
void dw__predicate_scope_init(dw_predicate_scope *scope, dw_arena *arena, const dw_type *schema,
                              const dw_str *partition_columns, size_t partition_count);

/* The index of the column: the top-level field, then fields of nested structs by their logical
 * names. SIZE_MAX in `*idx_out` when it is no primitive column or there are too many. False when
 * out of memory. */
DW_WARN_UNUSED bool dw__predicate_column(dw_predicate_scope *scope, size_t field_idx,
                                         const dw_str *nested, size_t nested_count,
                                         size_t *idx_out);
/* The type of that field, nested or not; NULL when there is none. */
const dw_type *dw__predicate_field_type(const dw_predicate_scope *scope, size_t field_idx,
                                        const dw_str *nested, size_t nested_count);

/* ---- Building: NULL when out of memory ------------------------------------------------------- */

/* Static. */
const dw_predicate *dw__predicate_unknown(void);
const dw_predicate *dw__predicate_constant(dw_predicate_scope *scope, uint8_t outcomes);
/* AND or OR; of no children: TRUE or FALSE. The array is copied. */
const dw_predicate *dw__predicate_junction(dw_predicate_scope *scope, dw_predicate_kind kind,
                                           const dw_predicate *const *children, size_t count);
const dw_predicate *dw__predicate_not(dw_predicate_scope *scope, const dw_predicate *child);
/* IS_NULL or IS_NOT_NULL. */
const dw_predicate *dw__predicate_null_test(dw_predicate_scope *scope, dw_predicate_kind kind,
                                            size_t column_idx);
/* The values are copied, their texts are not. A value of kind NULL is what SQL says it is. */
const dw_predicate *dw__predicate_compare(dw_predicate_scope *scope, size_t column_idx,
                                          dw_transform transform, dw_comparison comparison,
                                          const dw_value *value);
const dw_predicate *dw__predicate_in(dw_predicate_scope *scope, size_t column_idx,
                                     dw_transform transform, const dw_value *values, size_t count);

/* ---- Looking at it --------------------------------------------------------------------------- */

/* What is left of the predicate that can exclude anything: parts of the topmost AND that cannot
 * are gone. UNKNOWN when nothing is left. NULL when out of memory. */
const dw_predicate *dw__predicate_useful(dw_predicate_scope *scope, const dw_predicate *predicate);
/* Sets used[i] for each column that stands in the predicate. */
void dw__predicate_mark_columns(const dw_predicate *predicate, bool *used);
/* Appends it as SQL, "..." where it is UNKNOWN; cut at DW_PREDICATE_TEXT_BYTES_MAX. */
void dw__predicate_print(dw_strbuf *out, const dw_predicate_scope *scope,
                         const dw_predicate *predicate);

#endif
