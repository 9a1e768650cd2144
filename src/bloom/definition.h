/*
 * Which columns of a table have a bloom-filter index: members "delta.bloomFilter.*" of the metadata
 * of their fields, as Databricks has them. Writers that do not know them keep them.
 *
 *  [DEFINITION-1] A column is only indexed when equal values of it have equal bytes.
 */
#ifndef DW_BLOOM_DEFINITION_H
#define DW_BLOOM_DEFINITION_H

#include "codec/bloom.h"
#include "protocol/schema.h"

/* Columns of a table that may have an index. */
#define DW_BLOOM_COLUMNS_MAX ((size_t) 32)
#define DW_BLOOM_ITEMS_MAX INT64_C(1000000000)
#define DW_BLOOM_FPP_DEFAULT 0.1

typedef struct dw_bloom_options {
    double fpp;              /* how often a filter may believe in what is not there */
    int64_t item_count;      /* that a file has; 0: as many as it has rows */
    double expected_fpp_max; /* a filter that would be worse is not kept; 1: any is */
} dw_bloom_options;

typedef struct dw_bloom_column {
    const dw_field *field;
    dw_str type; /* its SQL name */
    dw_bloom_options options;
} dw_bloom_column;

typedef struct dw_bloom_columns {
    const dw_bloom_column *items;
    size_t count;
} dw_bloom_columns;

dw_bloom_options dw__bloom_options_default(void);
bool dw__bloom_options_equal(const dw_bloom_options *a, const dw_bloom_options *b);

/* True when strings of the field compare otherwise than byte by byte. */
bool dw__bloom_has_collation(const dw_field *field);
/* Whether a top-level field is said to be indexed. Takes no memory. */
bool dw__bloom_is_indexed(const dw_field *field);
/* The columns that are, and can be, indexed, at most DW_BLOOM_COLUMNS_MAX. In `arena`. */
DW_WARN_UNUSED dw_status dw__bloom_columns_of(const dw_type *schema,
                                              const dw_str *partition_columns,
                                              size_t partition_count, dw_arena *arena,
                                              dw_bloom_columns *out, dw_error *err);
/* The field's metadata with these options; NULL: without any. In `arena`. */
DW_WARN_UNUSED dw_status dw__bloom_define(const dw_field *field, const dw_bloom_options *options,
                                          dw_arena *arena, dw_str *metadata_out, dw_error *err);

#endif
