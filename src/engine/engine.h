/*
 * dw_engine: what the log and the planner need of a query engine, as a table of functions, so that
 * they link and run without one (the simulator brings its own). The real one is DuckDB: duckdb.h is
 * included in this folder only.
 *
 *  [ENGINE-1] The engine is loaded at the first call that needs it, not when it is made.
 *  [ENGINE-2] Rows of a Parquet file arrive in the order of the file.
 *  [ENGINE-3] An engine may be used from several threads at once.
 */
#ifndef DW_ENGINE_ENGINE_H
#define DW_ENGINE_ENGINE_H

#include "base/assert.h"
#include "base/int128.h"
#include "storage/storage.h"

/* ---- Columns in memory ----------------------------------------------------------------------- */

typedef enum dw_vector_kind {
    DW_VECTOR_BOOL,   /* bool */
    DW_VECTOR_I32,    /* int32_t */
    DW_VECTOR_I64,    /* int64_t */
    DW_VECTOR_DOUBLE, /* double */
    DW_VECTOR_STR,    /* dw_str */
    DW_VECTOR_LIST,   /* dw_span into children[0] */
    DW_VECTOR_MAP,    /* dw_span into children[0] (keys) and children[1] (values) */
    DW_VECTOR_STRUCT, /* no data of its own; children */
    DW_VECTOR_TEXT,   /* dw_str: what a string, number, date, time or boolean of any width reads as;
                         instants in UTC. For reading only */
    /* What columns of tables have beyond that; for writing only. */
    DW_VECTOR_I8,            /* int8_t */
    DW_VECTOR_I16,           /* int16_t */
    DW_VECTOR_FLOAT,         /* float */
    DW_VECTOR_DATE,          /* int32_t: days since 1970 */
    DW_VECTOR_TIMESTAMP,     /* int64_t: microseconds since 1970 in UTC */
    DW_VECTOR_TIMESTAMP_NTZ, /* int64_t: the same without a zone */
    DW_VECTOR_DECIMAL,       /* dw_i128, unscaled */
    DW_VECTOR_BYTES          /* dw_str */
} dw_vector_kind;

#define DW_VECTOR_KIND_COUNT ((size_t) DW_VECTOR_BYTES + 1)

typedef struct dw_span {
    uint32_t offset, len;
} dw_span;

/*
 * The shape of a column. `children`: fields of a STRUCT; the element of a LIST; key, value of a
 * MAP.
 */
typedef struct dw_column_spec {
    const char *name;
    dw_vector_kind kind;
    const struct dw_column_spec *children;
    size_t child_count;
    uint8_t precision, scale; /* of a DECIMAL */
} dw_column_spec;

/* Values of one column for the rows of a batch. `valid` is one bool a row, NULL when all are. A row
 * of a struct that is NULL has NULL children. */
typedef struct dw_vector {
    const bool *valid;
    const void *data; /* an array of the kind's C type, see dw_vector_kind */
    const struct dw_vector *children;
} dw_vector;

typedef struct dw_batch {
    size_t row_count;
    const dw_vector *columns; /* one for each top-level column_spec */
} dw_batch;

/* The bytes that a value takes in `data`; 0 for a STRUCT. */
static inline size_t
dw__vector_width(dw_vector_kind kind)
{
    switch (kind) {
    case DW_VECTOR_BOOL:
        return sizeof(bool);
    case DW_VECTOR_I8:
        return sizeof(int8_t);
    case DW_VECTOR_I16:
        return sizeof(int16_t);
    case DW_VECTOR_I32:
    case DW_VECTOR_DATE:
        return sizeof(int32_t);
    case DW_VECTOR_I64:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
        return sizeof(int64_t);
    case DW_VECTOR_DECIMAL:
        return sizeof(dw_i128);
    case DW_VECTOR_FLOAT:
        return sizeof(float);
    case DW_VECTOR_DOUBLE:
        return sizeof(double);
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
    case DW_VECTOR_BYTES:
        return sizeof(dw_str);
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
        return sizeof(dw_span);
    case DW_VECTOR_STRUCT:
        return 0;
    }
    dw_unreachable("no such kind");
}

static inline bool
dw__vector_is_valid(const dw_vector *vector, size_t row)
{
    return vector->valid == NULL || vector->valid[row];
}

/* ---- The engine ------------------------------------------------------------------------------ */

typedef struct dw_engine dw_engine;

/* Gets one batch, borrowed until it returns. A status other than DW_OK stops the reading and is
 * returned by it. */
typedef dw_status (*dw_batch_visitor)(void *ctx, const dw_batch *batch, dw_error *err);
/*
 * Gives the next batch (at most 2048 rows; valid until the next call), or row_count 0 at the end.
 */
typedef dw_status (*dw_batch_source)(void *ctx, dw_batch *batch_out, dw_error *err);

typedef struct dw_parquet_read {
    dw_str key; /* in `storage` */
    const dw_column_spec *columns;
    size_t column_count;
    /* When not NULL: only rows where this top-level column is not NULL (its path of names, e.g.
     * {"add", "path", NULL}). */
    const char *const *required_path;
    /* When not NULL: only rows where all of these are NULL; paths as above, the last one NULL. */
    const char *const *const *absent_paths;
} dw_parquet_read;

typedef struct dw_engine_ops {
    /* Reads the columns of a Parquet file by name. Columns and struct fields that the file lacks
     * are NULL; a column of another shape is DW_CORRUPT (PARQUET_TYPE) and named; integers are
     * widened. DW_NOT_FOUND, DW_CORRUPT (PARQUET_INVALID). */
    dw_status (*read_parquet)(dw_engine *engine, dw_storage *storage,
                              const dw_parquet_read *request, dw_batch_visitor visit, void *ctx,
                              dw_error *err);
    /* Appends a whole Parquet file (zstd or snappy) with those columns to `out`. */
    dw_status (*write_parquet)(dw_engine *engine, const dw_column_spec *columns,
                               size_t column_count, dw_batch_source next, void *ctx, dw_strbuf *out,
                               dw_error *err);
    void (*close)(dw_engine *engine);
} dw_engine_ops;

struct dw_engine {
    const dw_engine_ops *ops;
    const dw_env *env;
};

static inline void
dw__engine_close(dw_engine *engine)
{
    if (engine != NULL) {
        engine->ops->close(engine);
    }
}

#endif
