/*
 * The footer of a Parquet file: its columns, and where their chunks are.
 */
#ifndef DW_PARQUET_FOOTER_H
#define DW_PARQUET_FOOTER_H

#include "base/arena.h"
#include "base/error.h"
#include "parquet/source.h"

typedef enum dw_pq_type {
    DW_PQ_BOOLEAN,
    DW_PQ_INT32,
    DW_PQ_INT64,
    DW_PQ_INT96,
    DW_PQ_FLOAT,
    DW_PQ_DOUBLE,
    DW_PQ_BYTE_ARRAY,
    DW_PQ_FIXED_BYTES,
    DW_PQ_GROUP /* no leaf */
} dw_pq_type;

/* What a node means beyond its type, as far as it matters here. */
typedef enum dw_pq_meaning {
    DW_PQ_PLAIN, /* nothing */
    DW_PQ_TEXT,
    DW_PQ_SIGNED, /* an integer of up to 64 bits */
    DW_PQ_LIST,
    DW_PQ_MAP,
    DW_PQ_VARIANT,
    DW_PQ_OTHER
} dw_pq_meaning;

/* What the numbers of a leaf are, where its meaning is another. */
typedef enum dw_pq_measure {
    DW_PQ_NO_MEASURE,
    DW_PQ_DAYS,
    DW_PQ_MILLIS, /* instants, or times without a zone */
    DW_PQ_MICROS,
    DW_PQ_DECIMAL
} dw_pq_measure;

/* A column or a group of them. Nodes stand in the order of the tree, parents first. */
typedef struct dw_pq_node {
    dw_str name;
    dw_pq_type type;
    dw_pq_meaning meaning;
    dw_pq_measure measure;
    int64_t precision, scale; /* of decimals */
    int64_t width;            /* of fixed bytes */
    bool is_optional, is_repeated;
    bool is_unmarked_instant; /* INT96, or times of old writers, which do not say what they are */
    size_t child_count;
    size_t end;         /* behind the last node below this one */
    size_t leaf_idx;    /* the leaf, or the first one below */
    int64_t field_id;   /* -1: none */
    bool is_unnumbered; /* it has none, but columns after it have: set by dw__pq_names_give */
    uint8_t max_def;    /* how many of this node and those above it are optional or repeated */
    uint8_t max_rep;    /* how many are repeated */
} dw_pq_node;

typedef enum dw_pq_codec {
    DW_PQ_UNCOMPRESSED = 0,
    DW_PQ_SNAPPY = 1,
    DW_PQ_LZ4 = 5, /* in Hadoop's frames */
    DW_PQ_ZSTD = 6,
    DW_PQ_LZ4_RAW = 7
} dw_pq_codec;

enum { DW_PQ_BYTE_UNKNOWN = -1, DW_PQ_BYTE_NONE = 256 /* all are NULL */ };

/* A range of the file; all zero where there is none. */
typedef struct dw_pq_place {
    int64_t offset, size;
} dw_pq_place;

/* The pages of one column in one row group. */
typedef struct dw_pq_chunk {
    int64_t offset, size_bytes;
    int64_t value_count;
    int64_t codec;
    int64_t type;
    bool has_other_encodings; /* than plain and dictionaries */
    /* Of binaries: the first byte of the least one by the statistics, or one of these. */
    int least_byte;
    dw_str least, greatest; /* by the statistics, as bytes of the footer; null strings: unknown */
    dw_pq_place offsets, bounds; /* its page indexes, as the footer says */
} dw_pq_chunk;

typedef struct dw_pq_row_group {
    int64_t row_count;
    dw_pq_chunk *chunks; /* one for each leaf */
} dw_pq_row_group;

/* What Spark says of the dates and times of a file that it wrote. */
typedef struct dw_pq_spark {
    dw_str version; /* the null string: it is not Spark's */
    dw_str zone;    /* the null string: it does not say */
    bool has_legacy_dates, has_legacy_int96;
} dw_pq_spark;

/* As Spark judges: versions are compared as texts, and a file without one is today's. */
static inline bool
dw__pq_has_old_dates(const dw_pq_spark *spark)
{
    return !dw__str_is_null(spark->version) &&
           (spark->has_legacy_dates || dw__str_compare(spark->version, DW_STR("3.0.0")) < 0);
}

static inline bool
dw__pq_has_old_int96(const dw_pq_spark *spark)
{
    return !dw__str_is_null(spark->version) &&
           (spark->has_legacy_int96 || dw__str_compare(spark->version, DW_STR("3.1.0")) < 0);
}

typedef struct dw_pq_footer {
    dw_pq_node *nodes; /* the first is the root */
    size_t node_count;
    size_t leaf_count;
    dw_pq_row_group *row_groups;
    size_t row_group_count;
    dw_pq_spark spark;
} dw_pq_footer;

/* DW_UNSUPPORTED: odd, for whatever reason. What is in `out` lives in `arena` and borrows names
 * from the bytes. */
DW_WARN_UNUSED dw_status dw__pq_footer_parse(dw_str bytes, dw_arena *arena, dw_pq_footer *out,
                                             dw_error *err);
/* Of a file in storage; its bytes are in `arena`, too. */
DW_WARN_UNUSED dw_status dw__pq_footer_read(const dw_pq_source *source, dw_arena *arena,
                                            dw_pq_footer *out, dw_error *err);
/* Of the file of a path that the engine would open; `*read_out` false: for whatever reason it
 * cannot be read. Fails when out of memory. */
DW_WARN_UNUSED dw_status dw__pq_footer_open(const dw_env *env, dw_str path, dw_arena *arena,
                                            dw_pq_footer *out, bool *read_out, dw_error *err);
/* The child of a node by its exact name; NULL when it has none. */
const dw_pq_node *dw__pq_child(const dw_pq_footer *footer, const dw_pq_node *parent, dw_str name);
/* DW_UNSUPPORTED (PARQUET_ODD): the engine is to read the file. */
DW_WARN_UNUSED dw_status dw__pq_odd(dw_error *err, const char *what);

#endif
