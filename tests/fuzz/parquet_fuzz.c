/*
 * A checkpoint's Parquet, read without the engine: whatever the bytes are, they are read or left to
 * the engine, which refuses them here. What is handed out is within what was read. The same of its
 * chunks as cells: what is found in them is there.
 */
#include "fuzz.h"

#include "env/env.h"
#include "parquet/kept.h"
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

/* ---- Cells ----------------------------------------------------------------------------------- */

/* Every kind that a leaf fits. */
static const dw_column_spec kinds[] = {
    {.kind = DW_VECTOR_BOOL},
    {.kind = DW_VECTOR_I8},
    {.kind = DW_VECTOR_I16},
    {.kind = DW_VECTOR_I32},
    {.kind = DW_VECTOR_I64},
    {.kind = DW_VECTOR_FLOAT},
    {.kind = DW_VECTOR_DOUBLE},
    {.kind = DW_VECTOR_DATE},
    {.kind = DW_VECTOR_TIMESTAMP},
    {.kind = DW_VECTOR_TIMESTAMP_NTZ},
    {.kind = DW_VECTOR_DECIMAL, .precision = 38, .scale = 2},
    {.kind = DW_VECTOR_STR},
    {.kind = DW_VECTOR_BYTES},
};

static void
take_row(const dw_pq_cells *cells, const dw_pq_node *leaf, uint32_t row, dw_arena *arena)
{
    dw_i128 value = 0;
    dw_str text = DW_STR("");
    bool valid;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool is_text = kinds[i].kind == DW_VECTOR_STR || kinds[i].kind == DW_VECTOR_BYTES;
        char *to = is_text ? (char *) &text : (char *) &value;
        if (dw__pq_leaf_fits(leaf, &kinds[i]) &&
            dw__pq_cells_take(cells, leaf, &kinds[i], &row, 1, arena, to, &valid, NULL) == DW_OK) {
            dw_assert(valid == !dw__pq_cells_is_null(cells, row));
            dw_assert(kinds[i].kind != DW_VECTOR_STR || dw__str_is_utf8(text));
            (void) dw__str_hash(text);
        }
    }
}

static void
look_up(const dw_pq_cells *cells, const dw_pq_node *leaf, dw_arena *arena)
{
    for (size_t row = 0; row < cells->row_count; row += 1 + cells->row_count / 64) {
        take_row(cells, leaf, (uint32_t) row, arena);
        if (dw__pq_leaf_is_integer(leaf) && !dw__pq_cells_is_null(cells, row)) {
            int64_t value = dw__pq_cells_integer(cells, row);
            size_t first = dw__pq_cells_find(cells, 0, value);
            dw_assert(first <= row && dw__pq_cells_integer(cells, first) == value);
            dw_assert(dw__pq_cells_find(cells, row, value) == row);
        }
    }
}

static void
unpack_all(const dw_env *env, dw_storage *storage, size_t size)
{
    dw_arena arena;
    dw_pq_footer footer;
    const dw_pq_source source = {storage, DW_STR("x.parquet"), (int64_t) size, 0};
    dw__arena_init(&arena, env->allocator);
    dw_status status = dw__pq_footer_read(&source, &arena, &footer, NULL);
    for (size_t i = 0; status == DW_OK && i < footer.row_group_count; i++) {
        for (size_t k = 0; k < footer.node_count; k++) {
            const dw_pq_node *leaf = &footer.nodes[k];
            if (leaf->type == DW_PQ_GROUP) {
                continue;
            }
            dw_pq_cells *cells = NULL;
            const dw_pq_row_group *group = &footer.row_groups[i];
            if (dw__pq_cells_make(env->allocator, &source, leaf, &group->chunks[leaf->leaf_idx],
                                  group->row_count, (size_t) 1 << 20, &cells, NULL) == DW_OK &&
                !cells->is_odd) {
                look_up(cells, leaf, &arena);
            }
            dw__cache_item_unref(&cells->item);
        }
    }
    dw__arena_deinit(&arena);
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
    unpack_all(&env, storage, size);
    dw__storage_close(storage);
    return 0;
}
