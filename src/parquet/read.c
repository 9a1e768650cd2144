/*
 * Row group by row group, batch by batch: first the columns of the conditions, then the others if a
 * row is wanted.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "parquet/parquet.h"
#include "parquet/plain_copy.h"
#include "parquet/shape.h"
#include "storage/scratch.h"

typedef struct reading {
    const dw_env *env;
    const dw_parquet_read *request;
    dw_batch_visitor visit;
    void *ctx;
    dw_pq_source source;
    dw_pq_shape shape;
    dw_vector *vectors; /* of the columns */
    bool *is_read;      /* in this batch */
    dw_vector *batch;   /* of the wanted columns */
    dw_arena arena;     /* of the batch */
    dw_row_range range;
    size_t passed;    /* rows of the request that were visited or passed over */
    bool was_visitor; /* the failure is the visitor's own */
} reading;

/* ---- Rows ------------------------------------------------------------------------------------ */

static dw_status
read_column(reading *r, size_t idx, size_t row_count, dw_error *err)
{
    if (r->is_read[idx]) {
        return DW_OK;
    }
    r->is_read[idx] = true;
    return dw__pq_column_read(&r->shape.columns.items[idx], &r->source, row_count, &r->arena,
                              &r->vectors[idx], err);
}

static void
keep_where(bool *wanted, const dw_vector *vector, bool is_valid, size_t row_count)
{
    for (size_t row = 0; row < row_count; row++) {
        wanted[row] = wanted[row] && dw__vector_is_valid(vector, row) == is_valid;
    }
}

/* Reads the columns of the conditions and finds the rows that are wanted. */
static dw_status
find_rows(reading *r, size_t row_count, uint16_t *rows, size_t *count_out, dw_error *err)
{
    const dw_pq_shape *shape = &r->shape;
    bool wanted[DW_PQ_BATCH_ROWS];
    memset(wanted, true, row_count);
    if (shape->required_idx != DW_PQ_NO_COLUMN) {
        DW_TRY(read_column(r, shape->required_idx, row_count, err));
        keep_where(wanted, &r->vectors[shape->required_idx], true, row_count);
    }
    for (size_t i = 0; i < shape->absent_count; i++) {
        DW_TRY(read_column(r, shape->absent_idxs[i], row_count, err));
        keep_where(wanted, &r->vectors[shape->absent_idxs[i]], false, row_count);
    }
    *count_out = 0;
    for (size_t row = 0; row < row_count; row++) {
        rows[*count_out] = (uint16_t) row;
        *count_out += wanted[row];
    }
    return DW_OK;
}

static dw_status
visit_rows(reading *r, size_t row_count, const uint16_t *rows, size_t count, dw_error *err)
{
    for (size_t i = 0; i < r->shape.columns.count; i++) {
        DW_TRY(read_column(r, i, row_count, err));
    }
    DW_TRY(dw__pq_shape_assemble(&r->shape, r->vectors, row_count, &r->arena, r->batch, err));
    if (count < row_count) {
        DW_TRY(dw__pq_shape_select(&r->shape, rows, count, &r->arena, r->batch, err));
    }
    const dw_batch batch = {.row_count = count, .columns = r->batch};
    dw_status status = r->visit(r->ctx, &batch, err);
    r->was_visitor = status != DW_OK;
    r->passed += count;
    return status;
}

/* How many of the next `count` rows come before a row of the request. */
static size_t
rows_until(const reading *r, size_t row, size_t count)
{
    size_t before = row > r->passed ? row - r->passed : 0;
    return before < count ? before : count;
}

static dw_status
read_batch(reading *r, size_t row_count, dw_error *err)
{
    uint16_t rows[DW_PQ_BATCH_ROWS];
    size_t count = 0;
    if (dw__env_is_cancelled(r->env)) {
        r->was_visitor = true;
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    dw__arena_reset(&r->arena);
    memset(r->is_read, false, r->shape.columns.count);
    DW_TRY(find_rows(r, row_count, rows, &count, err));
    size_t early = rows_until(r, r->range.first, count);
    size_t in_time = rows_until(r, r->range.end, count);
    r->passed += early;
    if (in_time > early) {
        return visit_rows(r, row_count, rows + early, in_time - early, err);
    }
    for (size_t i = 0; i < r->shape.columns.count; i++) {
        if (!r->is_read[i]) {
            dw__pq_column_pass(&r->shape.columns.items[i], row_count);
        }
    }
    return DW_OK;
}

static dw_status
read_row_group(reading *r, const dw_pq_row_group *group, dw_error *err)
{
    for (size_t i = 0; i < r->shape.columns.count; i++) {
        dw_pq_column *column = &r->shape.columns.items[i];
        DW_TRY(dw__pq_column_begin(column, &group->chunks[column->leaf->leaf_idx], group->row_count,
                                   err));
    }
    int64_t left = group->row_count;
    while (left > 0 && r->passed < r->range.end) {
        size_t part = left < (int64_t) DW_PQ_BATCH_ROWS ? (size_t) left : DW_PQ_BATCH_ROWS;
        DW_TRY(read_batch(r, part, err));
        left -= (int64_t) part;
    }
    return DW_OK;
}

static dw_status
read_row_groups(reading *r, const dw_pq_footer *footer, dw_error *err)
{
    if (r->shape.has_no_rows) {
        return DW_OK;
    }
    for (size_t i = 0; r->passed < r->range.end && i < footer->row_group_count; i++) {
        DW_TRY(read_row_group(r, &footer->row_groups[i], err));
    }
    return DW_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static dw_status
read_shaped(reading *r, const dw_pq_footer *footer, dw_arena *arena, dw_error *err)
{
    DW_TRY(dw__pq_shape_make(r->request, r->env->allocator, footer, arena, &r->shape, err));
    r->vectors = DW_ARENA_ARRAY(arena, dw_vector, r->shape.columns.count);
    r->is_read = DW_ARENA_ARRAY(arena, bool, r->shape.columns.count);
    r->batch = DW_ARENA_ARRAY(arena, dw_vector, r->request->column_count);
    if (r->vectors == NULL || r->is_read == NULL || r->batch == NULL) {
        return dw__error_oom(err);
    }
    return read_row_groups(r, footer, err);
}

static dw_status
read_file(reading *r, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(r->env->allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, r->env->allocator);
    dw_str text;
    dw_pq_footer footer;
    DW_TRY(dw__pq_source_footer(&r->source, &bytes, &text, err));
    DW_TRY(dw__pq_footer_parse(text, &arena, &footer, err));
    dw_status status = read_shaped(r, &footer, &arena, err);
    dw__pq_shape_deinit(&r->shape);
    return status;
}

/* [PARQUET-3] */
static dw_status
check_unchanged(const reading *r, const dw_object_meta *before, dw_error *err)
{
    dw_object_meta after;
    DW_TRY(dw__storage_head(r->source.storage, r->source.key, &after, err));
    if (after.size_bytes != before->size_bytes || after.modified_ms != before->modified_ms) {
        return dw__error_set(err, DW_UNAVAILABLE, "OBJECT_CHANGED",
                             "%.*s changed while it was read; try again",
                             DW_STR_ARG(r->source.key));
    }
    return DW_OK;
}

/* *odd_out: the engine is to read the file. */
static dw_status
read_object(reading *r, bool *odd_out, dw_error *err)
{
    dw_object_meta meta;
    *odd_out = false;
    DW_TRY(dw__storage_head(r->source.storage, r->source.key, &meta, err));
    r->source.size_bytes = meta.size_bytes;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = read_file(r, &cause);
    *odd_out = status == DW_UNSUPPORTED && !r->was_visitor;
    if (status == DW_OK || *odd_out) {
        return check_unchanged(r, &meta, err);
    }
    dw__error_copy(err, &cause);
    return status;
}

/* ---- Its rows -------------------------------------------------------------------------------- */

static dw_status
count_rows(const dw_env *env, const dw_pq_source *source, size_t *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(env->allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_str text;
    dw_pq_footer footer;
    DW_TRY(dw__pq_source_footer(source, &bytes, &text, err));
    DW_TRY(dw__pq_footer_parse(text, &arena, &footer, err));
    for (size_t i = 0; i < footer.row_group_count; i++) {
        const dw_pq_row_group *group = &footer.row_groups[i];
        for (size_t k = 0; k < footer.leaf_count; k++) {
            if (!dw__pq_chunk_is_plain(&group->chunks[k])) {
                return dw__pq_odd(err, "column chunk");
            }
        }
        if (!dw__checked_add(*out, (size_t) group->row_count, out)) {
            return dw__pq_odd(err, "number of rows");
        }
    }
    return DW_OK;
}

dw_status
dw__pq_row_count(const dw_env *env, dw_storage *storage, dw_str key, size_t *out, dw_error *err)
{
    dw_object_meta meta;
    dw_error cause = DW_ERROR_INIT;
    *out = 0;
    DW_TRY(dw__storage_head(storage, key, &meta, err));
    const dw_pq_source source = {storage, key, meta.size_bytes, meta.modified_ms};
    dw_status status = count_rows(env, &source, out, &cause);
    if (status == DW_UNSUPPORTED) {
        *out = 0;
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}

/* ---- The engine's part ----------------------------------------------------------------------- */

/* Hands on what was not visited yet. */
typedef struct rest_visitor {
    const reading *r;
    dw_row_range left; /* of the rows to come */
    dw_arena arena;
} rest_visitor;

static bool
drop_rows(const dw_column_spec *specs, size_t spec_count, const dw_vector *vectors, size_t count,
          dw_arena *arena, dw_vector **out)
{
    *out = DW_ARENA_ARRAY(arena, dw_vector, spec_count);
    bool ok = *out != NULL;
    for (size_t i = 0; ok && i < spec_count; i++) {
        dw_vector *vector = &(*out)[i];
        *vector = vectors[i];
        if (vector->valid != NULL) {
            vector->valid += count;
        }
        if (specs[i].kind == DW_VECTOR_STRUCT) {
            dw_vector *children;
            ok = drop_rows(specs[i].children, specs[i].child_count, vectors[i].children, count,
                           arena, &children);
            vector->children = children;
        } else {
            vector->data = (const char *) vector->data + count * dw__vector_width(specs[i].kind);
        }
    }
    return ok;
}

static dw_status
visit_rest(void *ctx, const dw_batch *batch, dw_error *err)
{
    rest_visitor *rest = ctx;
    const reading *r = rest->r;
    size_t count = batch->row_count;
    size_t first = rest->left.first < count ? rest->left.first : count;
    size_t end = rest->left.end < count ? rest->left.end : count;
    rest->left.first -= first;
    rest->left.end -= end;
    if (first >= end) {
        return DW_OK;
    }
    if (first == 0 && end == count) {
        return r->visit(r->ctx, batch, err);
    }
    dw_vector *columns;
    dw__arena_reset(&rest->arena);
    if (!drop_rows(r->request->columns, r->request->column_count, batch->columns, first,
                   &rest->arena, &columns)) {
        return dw__error_oom(err);
    }
    const dw_batch part = {end - first, columns};
    return r->visit(r->ctx, &part, err);
}

static dw_status
write_piece(void *ctx, dw_str bytes, dw_error *err)
{
    return dw__scratch_write(ctx, bytes, err);
}

/* The engine lacks the codec of some column: it reads a copy. */
static dw_status
read_copy(dw_engine *engine, const dw_pq_source *source, rest_visitor *rest, dw_error *err)
{
    DW_AUTO(dw_scratch) scratch = DW_SCRATCH_NONE;
    DW_AUTO(dw_storage_ptr) storage = NULL;
    const dw_pq_sink sink = {write_piece, &scratch};
    dw_pq_source copy;
    DW_TRY(dw__scratch_open(&scratch, DW_STR_NULL, err));
    DW_TRY(dw__pq_plain_copy(source, NULL, &sink, err));
    DW_TRY(dw__scratch_finish(&scratch, err));
    if (!dw__pq_source_open(engine->env, dw__str_from(scratch.path), &storage, &copy)) {
        return dw__error_set(err, DW_IO, "STORAGE_IO", "the copy of %.*s cannot be opened",
                             DW_STR_ARG(source->key));
    }
    dw_parquet_read request = *rest->r->request;
    request.key = copy.key;
    return engine->ops->read_parquet(engine, storage, &request, visit_rest, rest, err);
}

static dw_status
read_rest(dw_engine *engine, const dw_pq_source *source, rest_visitor *rest, dw_error *err)
{
    dw_pq_oddities oddities;
    DW_TRY(dw__pq_find_oddities(source, NULL, &oddities, err));
    if (oddities.has_codec) {
        return read_copy(engine, source, rest, err);
    }
    return engine->ops->read_parquet(engine, source->storage, rest->r->request, visit_rest, rest,
                                     err);
}

dw_status
dw__pq_read(dw_engine *engine, dw_storage *storage, const dw_parquet_read *request,
            dw_row_range range, dw_batch_visitor visit, void *ctx, dw_error *err)
{
    dw_assert(request->column_count > 0);
    reading r = {.env = engine->env,
                 .request = request,
                 .visit = visit,
                 .ctx = ctx,
                 .source = {.storage = storage, .key = request->key},
                 .range = range};
    bool is_odd;
    dw__arena_init(&r.arena, engine->env->allocator);
    dw_status status = read_object(&r, &is_odd, err);
    dw__arena_deinit(&r.arena);
    if (status != DW_OK || !is_odd) {
        return status;
    }
    rest_visitor rest = {.r = &r,
                         .left = {r.passed > range.first ? r.passed : range.first, range.end}};
    dw__arena_init(&rest.arena, engine->env->allocator);
    status = read_rest(engine, &r.source, &rest, err);
    dw__arena_deinit(&rest.arena);
    return status;
}
