/*
 * Variants as Parquet files hold them: a dictionary of names (`metadata`) and a `value` that speaks
 * of them by number. "Variant Binary Encoding" of the Parquet format.
 *
 *  [VARIANT-1] What is written has its names sorted, each once, and the fields of every object in
 *              the order of their names: readers look them up by halves.
 *  [VARIANT-2] Nothing is read beyond the end of either part, whatever they say.
 */
#ifndef DW_CODEC_VARIANT_H
#define DW_CODEC_VARIANT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "codec/json.h"

/* Objects and arrays in one another. */
#define DW_VARIANT_DEPTH_MAX 500
/* Either part; what every reader takes. */
#define DW_VARIANT_BYTES_MAX ((size_t) 16 << 20)

/* A field of an object that is written: the number of its name, and where its value stands. */
typedef struct dw_variant_field {
    uint32_t name;
    uint32_t offset; /* in the source, then in what is written */
    bool is_cut;     /* the source has it as a text of no bytes that has 64, see variant.c */
} dw_variant_field;

typedef struct dw_variant_fields {
    dw_variant_field *items;
    size_t count;
    size_t capacity;
} dw_variant_fields;

typedef struct dw_variant_name {
    dw_str text;
    uint32_t source_id;
} dw_variant_name;

typedef struct dw_variant_names {
    dw_variant_name *items;
    size_t count;
    size_t capacity;
} dw_variant_names;

typedef struct dw_variant_ids {
    uint32_t *items;
    size_t count;
    size_t capacity;
} dw_variant_ids;

/* Writes one variant after the other, with the same memory. */
typedef struct dw_variant_writer {
    dw_strbuf metadata, value; /* what was written last */
    dw_variant_names names;    /* sorted */
    dw_variant_ids ids;        /* from numbers of the source to those that are written */
    dw_variant_fields fields;  /* of the objects and arrays that are being written */
    size_t source_size;        /* of the value that is being written */
} dw_variant_writer;

dw_variant_writer dw__variant_writer_make(const dw_allocator *allocator);
void dw__variant_writer_deinit(dw_variant_writer *writer);

/* Writes a variant as readers demand it [VARIANT-1]. DW_CORRUPT (VARIANT_INVALID);
 * DW_INVALID_ARGUMENT: VARIANT_TYPE for types that not every reader knows, VARIANT_DUPLICATE_KEY,
 * VARIANT_TOO_LARGE, VARIANT_TOO_DEEP. */
DW_WARN_UNUSED dw_status dw__variant_write(dw_variant_writer *writer, dw_str metadata, dw_str value,
                                           dw_error *err);
/* Writes what a JSON text says, as Spark's parse_json: integers in as few bytes as they need, other
 * numbers as decimals if 38 digits will do and there is no exponent, otherwise as doubles. `parser`
 * keeps memory for the next one. DW_INVALID_ARGUMENT (JSON_INVALID), and as above. */
DW_WARN_UNUSED dw_status dw__variant_write_json(dw_variant_writer *writer, dw_json_parser *parser,
                                                dw_str text, dw_error *err);

#endif
