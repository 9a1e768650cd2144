/*
 * A checkpoint's Parquet, read without the engine: whatever the bytes are, they are read or left to
 * the engine, which refuses them here. What is handed out is within what was read.
 */
#include "fuzz.h"

#include "env/env.h"
#include "parquet/parquet.h"

static const dw_column_spec text_map[] = {{.name = "key", .kind = DW_VECTOR_STR},
                                          {.name = "value", .kind = DW_VECTOR_STR}};
static const dw_column_spec element[] = {{.name = "element", .kind = DW_VECTOR_STR}};
static const dw_column_spec fields[] = {
    {.name = "path", .kind = DW_VECTOR_STR},
    {.name = "partitionValues", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2},
    {.name = "size", .kind = DW_VECTOR_I64},
    {.name = "dataChange", .kind = DW_VECTOR_BOOL},
    {.name = "parts", .kind = DW_VECTOR_LIST, .children = element, .child_count = 1},
    {.name = "real", .kind = DW_VECTOR_DOUBLE},
    {.name = "offset", .kind = DW_VECTOR_I32},
};
static const dw_column_spec columns[] = {
    {.name = "add", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = 7}};
static const char *const path_column[] = {"add", "path", NULL};

/* Strings are looked at to their last byte. */
static uint64_t
touch(const dw_column_spec *spec, const dw_vector *vector, size_t row)
{
    uint64_t sum = 0;
    if (!dw__vector_is_valid(vector, row)) {
        return 0;
    }
    if (spec->kind == DW_VECTOR_STR) {
        dw_str text = ((const dw_str *) vector->data)[row];
        dw_assert(dw__str_is_utf8(text));
        sum = dw__str_hash(text);
    } else if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
        dw_span span = ((const dw_span *) vector->data)[row];
        for (size_t i = 0; i < (size_t) span.len * spec->child_count; i++) {
            size_t child = i % spec->child_count;
            sum += touch(&spec->children[child], &vector->children[child],
                         span.offset + i / spec->child_count);
        }
    }
    for (size_t i = 0; spec->kind == DW_VECTOR_STRUCT && i < spec->child_count; i++) {
        sum += touch(&spec->children[i], &vector->children[i], row);
    }
    return sum;
}

static dw_status
visit(void *ctx, const dw_batch *batch, dw_error *err)
{
    (void) err;
    for (size_t row = 0; row < batch->row_count; row++) {
        *(uint64_t *) ctx += touch(&columns[0], &batch->columns[0], row);
    }
    return DW_OK;
}

static dw_status
refuse(dw_engine *engine, dw_storage *storage, const dw_parquet_read *request,
       dw_batch_visitor visitor, void *ctx, dw_error *err)
{
    (void) engine;
    (void) storage;
    (void) request;
    (void) visitor;
    (void) ctx;
    return dw__error_set(err, DW_CORRUPT, "PARQUET_INVALID", "the engine refuses the file");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const dw_engine_ops ops = {refuse, NULL, NULL};
    dw_env env = dw__env_system();
    dw_engine engine = {&ops, &env};
    dw_storage *storage = NULL;
    dw_status status = dw__storage_memory_open(&env, &storage, NULL);
    dw_assert(status == DW_OK);
    status = dw__storage_put(storage, DW_STR("x.parquet"), fuzz_text(data, size), NULL);
    dw_assert(status == DW_OK);
    uint64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        dw_parquet_read request = {.key = DW_STR("x.parquet"),
                                   .columns = columns,
                                   .column_count = 1,
                                   .required_path = i == 0 ? path_column : NULL};
        fuzz_run(dw__pq_read(&engine, storage, &request, DW_ROWS_ALL, visit, &sum, NULL));
    }
    dw__storage_close(storage);
    return 0;
}
