/*
 * Shredding variants: which of their fields become columns of a file, and what goes into those.
 * "Variant Shredding" of the Parquet format; the choice is made as Spark makes it.
 *
 *  [SHRED-1] A value is in its typed column only where nothing of it is lost there: an integer of
 *            any width in one of 64 bits, a decimal in one of more digits. All others are kept as
 *            the bytes that they are.
 *  [SHRED-2] A field that is missing has neither; one that is JSON's null has its bytes.
 *  [SHRED-3] What a file is shredded by is bounded: DW_SHRED_WIDTH_MAX columns for all variants.
 */
#ifndef DW_CODEC_SHREDDING_H
#define DW_CODEC_SHREDDING_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "codec/variant.h"

/* Rows that are looked at, as many as Spark looks at. */
#define DW_SHRED_ROWS_MAX 4096
/* Columns of a file that shredded variants may have, all together; Spark's limit. */
#define DW_SHRED_WIDTH_MAX 300
/* Objects and arrays in one another: what is deeper stays as bytes. */
#define DW_SHRED_DEPTH_MAX 16
/* Fields that are counted, of one object and of a variant: others stay as bytes. */
#define DW_SHRED_FIELDS_MAX 1000
#define DW_SHRED_NODES_MAX 20000

typedef enum dw_shred_kind {
    DW_SHRED_NONE, /* no typed column */
    DW_SHRED_BOOLEAN,
    DW_SHRED_LONG,
    DW_SHRED_FLOAT,
    DW_SHRED_DOUBLE,
    DW_SHRED_DECIMAL,
    DW_SHRED_TEXT,
    DW_SHRED_BYTES,
    DW_SHRED_DATE,
    DW_SHRED_INSTANT,    /* microseconds, in UTC */
    DW_SHRED_LOCAL_TIME, /* microseconds, of no zone */
    DW_SHRED_OBJECT,
    DW_SHRED_ARRAY
} dw_shred_kind;

typedef struct dw_shred_type {
    dw_shred_kind kind;
    uint8_t precision, scale;            /* of decimals; the precision is 18 or 38 */
    const struct dw_shred_field *fields; /* of objects, by name; no two differ by case alone */
    size_t field_count;
    const struct dw_shred_type *element; /* of arrays */
} dw_shred_type;

typedef struct dw_shred_field {
    dw_str name;
    const dw_shred_type *type;
} dw_shred_field;

/* A copy in `arena`; NULL when out of memory. */
const dw_shred_type *dw__shred_type_dup(const dw_shred_type *type, dw_arena *arena);

/* ---- Choosing -------------------------------------------------------------------------------- */

/* What some rows have in one column. */
typedef struct dw_shred_look dw_shred_look;

DW_WARN_UNUSED dw_status dw__shred_look_new(const dw_allocator *allocator, dw_shred_look **out,
                                            dw_error *err);
void dw__shred_look_free(dw_shred_look *look);
/* Takes in one variant, as dw__variant_write writes it. */
DW_WARN_UNUSED dw_status dw__shred_look_add(dw_shred_look *look, dw_str metadata, dw_str value,
                                            dw_error *err);
/* The type of the column, in `arena`, whose columns are taken off `*width_left`. Fields that less
 * than a tenth of the rows have are left out, and so are types where values have several. */
DW_WARN_UNUSED dw_status dw__shred_look_type(const dw_shred_look *look, dw_arena *arena,
                                             size_t *width_left, const dw_shred_type **out,
                                             dw_error *err);

/* ---- Values ---------------------------------------------------------------------------------- */

__extension__ typedef __int128 dw_int128;

/* A value of a typed column: the member of its kind. */
typedef union dw_shred_scalar {
    bool boolean;
    int64_t number; /* and date, times */
    float real;
    double wide_real;
    dw_int128 unscaled; /* of decimals, in the scale of the column */
    dw_str bytes;       /* and texts, borrowed from the value */
} dw_shred_scalar;

/* False when the value is none of the type [SHRED-1]. */
bool dw__shred_scalar(const dw_shred_type *type, dw_str value, dw_shred_scalar *out);

/* An object or an array as dw__variant_write writes it, to walk through. */
typedef struct dw_variant_walk {
    dw_str metadata, value;
    bool is_object;
    size_t count;
    size_t id_width, offset_width;
    size_t ids_at, offsets_at, values_at;
} dw_variant_walk;

/* False when the value is neither. DW_CORRUPT (VARIANT_INVALID). */
DW_WARN_UNUSED dw_status dw__variant_walk(dw_str metadata, dw_str value, dw_variant_walk *out,
                                          bool *is_group_out, dw_error *err);
/* The name and the value of a field, or the value of an element, whose name is empty. */
DW_WARN_UNUSED dw_status dw__variant_walk_at(const dw_variant_walk *walk, size_t idx,
                                             dw_str *name_out, dw_str *value_out, dw_error *err);
/* Writes an object of those fields of another that are marked; their number is not 0. */
DW_WARN_UNUSED dw_status dw__variant_walk_keep(const dw_variant_walk *walk, const bool *is_kept,
                                               dw_strbuf *out, dw_error *err);

/* ---- Names of columns ------------------------------------------------------------------------ */

/*
 * A shredded variant is written as two columns: its metadata, and a struct of the rest. In it a
 * field is beside the others of its object, each as the column of its values and that of its typed
 * values. An array is columns that are lists, one for each column of its elements. Such columns
 * have as many levels as those that readers want, which a footer makes of them
 * (parquet/regroup.h).
 */
typedef struct dw_shred_column {
    size_t list_depth;
    bool is_typed;
    dw_str name; /* of the field; empty: of the variant itself */
} dw_shred_column;

void dw__shred_column_print(dw_strbuf *out, const dw_shred_column *column);
/* False when the text is no such name. The name is put in `arena`; the null string when out of
 * memory. */
bool dw__shred_column_read(dw_str text, dw_arena *arena, dw_shred_column *out);

#endif
