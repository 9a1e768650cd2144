/*
 * Filling the facts of blocks: partition values from the columns of the block, statistics from one
 * pass over their JSON.
 */
#include "scan/block_facts.h"

#include "base/assert.h"

#include <pthread.h>

/* Rows whose texts are read into the same scratch memory. */
#define SCRATCH_ROWS 256
/* Files from which on a second thread helps. */
#define SHARED_FILES_MIN ((size_t) 1 << 14)

/* The name under which a block keeps the facts of a column. Types are part of it: a block outlives
 * changes of the schema. */
static dw_str
cache_name(dw_arena *arena, const dw_predicate_column *column)
{
    const dw_type *type = column->path.type;
    dw_str name = dw__arena_printf(arena, "%s %d.%d.%d", column->is_partition ? "value" : "bounds",
                                   (int) type->kind, (int) type->precision, (int) type->scale);
    for (size_t i = 0; i < column->path.count && !dw__str_is_null(name); i++) {
        dw_str part = column->path.parts[i];
        name =
            dw__arena_printf(arena, "%.*s %zu:%.*s", DW_STR_ARG(name), part.len, DW_STR_ARG(part));
    }
    return name;
}

static void
release_facts(void *value)
{
    dw__column_facts_free(value);
}

static dw_facts_origin
origin_of(const dw_predicate_column *column)
{
    if (column->is_partition) {
        return DW_FACTS_PARTITION;
    }
    return column->path.count > 1 ? DW_FACTS_STATISTICS_NESTED : DW_FACTS_STATISTICS;
}

dw_status
dw__block_facts_init(dw_block_facts *facts, const dw_file_set *set, const dw_predicate_scope *scope,
                     dw_arena *arena, dw_error *err)
{
    facts->block_count = dw__file_set_block_count(set);
    facts->column_count = scope->column_count;
    facts->items =
        DW_ARENA_ARRAY(arena, const dw_column_facts *, facts->block_count * facts->column_count);
    return facts->items == NULL ? dw__error_oom(err) : DW_OK;
}

/* Hands finished facts to their block and borrows them, or those that were there first. */
static bool
keep_facts(dw_block_facts *facts, dw_file_block *block, size_t slot, dw_str name,
           dw_column_facts *made)
{
    facts->items[slot] = dw__file_block_cache_put(block, name, made, release_facts);
    return facts->items[slot] != NULL;
}

/* ---- Partition values ------------------------------------------------------------------------ */

static dw_status
fill_partition_values(dw_column_facts *facts, const dw_file_set *set, uint32_t block_idx,
                      const dw_predicate_column *column, dw_arena *scratch, dw_error *err)
{
    dw_field field = {.name = column->name, .type = column->path.type};
    dw_str last = DW_STR_NULL;
    dw_value value = {.kind = DW_VALUE_NULL};
    bool is_known = true;
    for (size_t row = 0; row < facts->row_count; row++) {
        dw_file_ref ref = {block_idx, (uint32_t) row};
        dw_str text = dw__file_set_partition_value(set, ref, column->path.parts[0]);
        /* Equal values share their text. */
        if (text.ptr != last.ptr || text.len != last.len) {
            dw_error ignored = DW_ERROR_INIT;
            dw_status status = dw__partition_value_parse(&field, text, scratch, &value, &ignored);
            if (status == DW_OUT_OF_MEMORY) {
                return dw__error_oom(err);
            }
            is_known = status == DW_OK; /* [PRUNE-1] */
            last = text;
        }
        if (is_known && !dw__column_facts_set_value(facts, row, &value)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

static dw_status
add_partition(dw_block_facts *facts, const dw_allocator *allocator, const dw_file_set *set,
              const dw_predicate_scope *scope, size_t slot, dw_error *err)
{
    const dw_predicate_column *column = &scope->columns[slot % facts->column_count];
    uint32_t block_idx = (uint32_t) (slot / facts->column_count);
    dw_file_block *block = dw__file_set_block(set, block_idx);
    DW_AUTO(dw_arena) scratch = {0};
    dw__arena_init(&scratch, allocator);
    dw_str name = cache_name(&scratch, column);
    if (dw__str_is_null(name)) {
        return dw__error_oom(err);
    }
    facts->items[slot] = dw__file_block_cache_get(block, name);
    if (facts->items[slot] != NULL) {
        return DW_OK;
    }
    dw_column_facts *made = dw__column_facts_new(allocator, column->path.type, DW_FACTS_PARTITION,
                                                 dw__file_block_row_count(block));
    if (made == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = fill_partition_values(made, set, block_idx, column, &scratch, err);
    if (status != DW_OK) {
        dw__column_facts_free(made);
        return status;
    }
    return keep_facts(facts, block, slot, name, made) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__block_facts_add_partitions(dw_block_facts *facts, const dw_allocator *allocator,
                               const dw_file_set *set, const dw_predicate_scope *scope,
                               const bool *wanted, dw_error *err)
{
    for (size_t slot = 0; slot < facts->block_count * facts->column_count; slot++) {
        size_t column_idx = slot % facts->column_count;
        if (wanted[column_idx] && scope->columns[column_idx].is_partition) {
            DW_TRY(add_partition(facts, allocator, set, scope, slot, err));
        }
    }
    return DW_OK;
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* One pass over the statistics of the blocks that lack facts. */
typedef struct stats_pass {
    dw_block_facts *facts;
    const dw_allocator *allocator;
    dw_file_set *set;
    const dw_predicate_scope *scope;
    dw_column_path *paths; /* of the wanted columns */
    size_t *column_idxs;   /* of the wanted columns: where they stand in the scope */
    size_t count;
    dw_column_facts **made; /* block_count x count; NULL: not to be made */
    bool *blocks_wanted;
    pthread_mutex_t text_mutex; /* guards the facts of texts, which share their memory */
    dw_arena names;             /* and all of the above */
} stats_pass;

/* Who reads statistics: one thread, or each of several. */
typedef struct stats_reader {
    stats_pass *pass;
    dw_stats_share share;
    dw_column_stats *row; /* one for each wanted column */
    dw_arena scratch;     /* of some rows */
    size_t scratch_rows;
    dw_status status;
    dw_error err;
} stats_reader;

static bool
set_facts(stats_pass *pass, dw_column_facts *made, size_t row, const dw_file_stats *file,
          const dw_column_stats *column)
{
    if (made->kind != DW_VALUE_STR) {
        return dw__column_facts_set_stats(made, row, file, column);
    }
    pthread_mutex_lock(&pass->text_mutex);
    bool ok = dw__column_facts_set_stats(made, row, file, column);
    pthread_mutex_unlock(&pass->text_mutex);
    return ok;
}

static dw_status
read_row(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    stats_reader *reader = ctx;
    stats_pass *pass = reader->pass;
    dw_file_stats file;
    if (dw__str_is_null(stats)) {
        return DW_OK;
    }
    if (!dw__stats_read(stats, pass->paths, pass->count, &reader->scratch, &file, reader->row)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < pass->count; i++) {
        dw_column_facts *made = pass->made[ref.block * pass->count + i];
        if (made != NULL && !set_facts(pass, made, ref.row, &file, &reader->row[i])) {
            return dw__error_oom(err);
        }
    }
    if (++reader->scratch_rows == SCRATCH_ROWS) {
        dw__arena_reset(&reader->scratch);
        reader->scratch_rows = 0;
    }
    return DW_OK;
}

static void *
read_share(void *argument)
{
    stats_reader *reader = argument;
    stats_pass *pass = reader->pass;
    dw__arena_init(&reader->scratch, pass->allocator);
    size_t size = pass->count * sizeof(*reader->row);
    reader->row = dw__alloc(pass->allocator, size);
    reader->status =
        reader->row == NULL
            ? dw__error_oom(&reader->err)
            : dw__file_set_visit_block_stats(pass->set, pass->blocks_wanted, reader->share,
                                             read_row, reader, &reader->err);
    dw__dealloc(pass->allocator, reader->row, reader->row == NULL ? 0 : size);
    dw__arena_deinit(&reader->scratch);
    return NULL;
}

/* Two threads read where that is worth the while. */
static dw_status
read_statistics(stats_pass *pass, dw_error *err)
{
    stats_reader readers[2] = {{.pass = pass}, {.pass = pass}};
    pthread_t helper;
    bool is_large = dw__file_set_unread_stats(pass->set, pass->blocks_wanted) >= SHARED_FILES_MIN;
    readers[0].share = (dw_stats_share){0, is_large ? 2 : 1};
    readers[1].share = (dw_stats_share){1, 2};
    bool has_helper = is_large && pthread_create(&helper, NULL, read_share, &readers[1]) == 0;
    (void) read_share(&readers[0]);
    if (has_helper) {
        pthread_join(helper, NULL);
    } else if (is_large) {
        (void) read_share(&readers[1]);
    }
    const stats_reader *failed = readers[0].status != DW_OK ? &readers[0] : &readers[1];
    if (failed->status != DW_OK) {
        dw__error_copy(err, &failed->err);
    }
    return failed->status;
}

static bool
allocate_pass(stats_pass *pass, const bool *wanted)
{
    size_t column_count = pass->facts->column_count;
    pass->paths = DW_ARENA_ARRAY(&pass->names, dw_column_path, column_count);
    pass->column_idxs = DW_ARENA_ARRAY(&pass->names, size_t, column_count);
    pass->blocks_wanted = DW_ARENA_ARRAY(&pass->names, bool, pass->facts->block_count);
    pass->made =
        DW_ARENA_ARRAY(&pass->names, dw_column_facts *, pass->facts->block_count * column_count);
    if (pass->paths == NULL || pass->column_idxs == NULL || pass->blocks_wanted == NULL ||
        pass->made == NULL) {
        return false;
    }
    for (size_t i = 0; i < column_count; i++) {
        if (wanted[i] && !pass->scope->columns[i].is_partition) {
            pass->paths[pass->count] = pass->scope->columns[i].path;
            pass->column_idxs[pass->count++] = i;
        }
    }
    return true;
}

/* Takes what the caches have and allocates the rest. */
static bool
prepare_column(stats_pass *pass, size_t idx, bool *missing)
{
    const dw_predicate_column *column = &pass->scope->columns[pass->column_idxs[idx]];
    dw_str name = cache_name(&pass->names, column);
    if (dw__str_is_null(name)) {
        return false;
    }
    for (size_t b = 0; b < pass->facts->block_count; b++) {
        dw_file_block *block = dw__file_set_block(pass->set, b);
        const dw_column_facts *kept = dw__file_block_cache_get(block, name);
        pass->facts->items[b * pass->facts->column_count + pass->column_idxs[idx]] = kept;
        if (kept == NULL) {
            dw_column_facts **made = &pass->made[b * pass->count + idx];
            *made = dw__column_facts_new(pass->allocator, column->path.type, origin_of(column),
                                         dw__file_block_row_count(block));
            if (*made == NULL) {
                return false;
            }
            pass->blocks_wanted[b] = true;
            *missing = true;
        }
    }
    return true;
}

static bool
keep_column(stats_pass *pass, size_t idx)
{
    dw_str name = cache_name(&pass->names, &pass->scope->columns[pass->column_idxs[idx]]);
    if (dw__str_is_null(name)) {
        return false;
    }
    for (size_t b = 0; b < pass->facts->block_count; b++) {
        dw_column_facts **made = &pass->made[b * pass->count + idx];
        if (*made != NULL) {
            dw_column_facts *facts = *made;
            size_t slot = b * pass->facts->column_count + pass->column_idxs[idx];
            *made = NULL;
            if (!keep_facts(pass->facts, dw__file_set_block(pass->set, b), slot, name, facts)) {
                return false;
            }
        }
    }
    return true;
}

static dw_status
run_pass(stats_pass *pass, const bool *wanted, dw_error *err)
{
    if (!allocate_pass(pass, wanted)) {
        return dw__error_oom(err);
    }
    bool missing = false;
    for (size_t i = 0; i < pass->count; i++) {
        if (!prepare_column(pass, i, &missing)) {
            return dw__error_oom(err);
        }
    }
    if (!missing) {
        return DW_OK;
    }
    dw_status status = read_statistics(pass, err);
    if (status == DW_UNAVAILABLE && dw__error_has_code(err, "STATISTICS_MOVED")) {
        /* Another checkpoint took the place of the one that was being read: nothing of it is
         * believed, and every file stays in. [PRUNE-1] */
        dw__error_clear(err);
        return DW_OK;
    }
    DW_TRY(status);
    for (size_t i = 0; i < pass->count; i++) {
        if (!keep_column(pass, i)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

dw_status
dw__block_facts_add_statistics(dw_block_facts *facts, const dw_allocator *allocator,
                               dw_file_set *set, const dw_predicate_scope *scope,
                               const bool *wanted, dw_error *err)
{
    stats_pass pass = {.facts = facts, .allocator = allocator, .set = set, .scope = scope};
    dw__arena_init(&pass.names, allocator);
    int failed = pthread_mutex_init(&pass.text_mutex, NULL);
    dw_assert(failed == 0);
    dw_status status = run_pass(&pass, wanted, err);
    for (size_t i = 0; pass.made != NULL && i < facts->block_count * pass.count; i++) {
        dw__column_facts_free(pass.made[i]);
    }
    dw__arena_deinit(&pass.names);
    pthread_mutex_destroy(&pass.text_mutex);
    return status;
}
