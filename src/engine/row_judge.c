/*
 * See row_judge.h. A chunk is counted for itself and added at its end: threads meet once in 2,048
 * rows.
 */
#include "engine/row_judge.h"

#include "base/assert.h"
#include "engine/functions.h"

#include <inttypes.h>

#define FUNCTION "dw__judge"
#define UNKNOWN_JUDGE "expected the number of a bound judge, found another"
#define FIRST_CONDITION 2 /* behind the number and the example */

struct dw_row_judge {
    dw_entry entry;
    const dw_env *env;
    size_t condition_count;
    uint64_t marked;
    atomic_bool has_example; /* looked at without the mutex first */
    pthread_mutex_t mutex;   /* guards what is below */
    dw_judge_counts counts;
};

/* ---- The function ---------------------------------------------------------------------------- */

static void
take_example(dw_row_judge *judge, dw_str text)
{
    size_t len = text.len < DW_JUDGE_EXAMPLE_SIZE ? text.len : DW_JUDGE_EXAMPLE_SIZE - 1;
    while (len < text.len && len > 0 && ((unsigned char) text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    memcpy(judge->counts.example, text.ptr, len);
    judge->counts.example[len] = '\0';
    atomic_store(&judge->has_example, true);
}

/* Under the mutex. */
static void
find_example(const dw_duck *duck, dw_row_judge *judge, duckdb_string_t *texts, idx_t row_count)
{
    for (idx_t row = 0; row < row_count; row++) {
        uint32_t len = duck->string_t_length(texts[row]);
        if (len > 0) {
            take_example(judge, dw__str_make(duck->string_t_data(&texts[row]), len));
            return;
        }
    }
}

/* Sets the bit of a condition in the rows that miss it, and returns how many these are. */
static int64_t
mark_rows(const uint8_t *holds, idx_t row_count, size_t bit, int64_t *masks)
{
    int64_t missed = 0;
    for (idx_t row = 0; row < row_count; row++) {
        int64_t misses = holds[row] == 0;
        missed += misses;
        masks[row] |= misses << bit;
    }
    return missed;
}

static int64_t
count_marked(const int64_t *masks, idx_t row_count, uint64_t marked)
{
    int64_t count = 0;
    for (idx_t row = 0; row < row_count; row++) {
        count += ((uint64_t) masks[row] & marked) != 0;
    }
    return count;
}

static void
judge_rows(const dw_duck *duck, dw_row_judge *judge, duckdb_data_chunk input, int64_t *masks)
{
    int64_t missed[DW_JUDGE_CONDITIONS_MAX];
    int64_t missed_sum = 0;
    idx_t row_count = duck->data_chunk_get_size(input);
    memset(masks, 0, row_count * sizeof(*masks));
    for (size_t i = 0; i < judge->condition_count; i++) {
        duckdb_vector vector = duck->data_chunk_get_vector(input, i + FIRST_CONDITION);
        missed[i] = mark_rows(duck->vector_get_data(vector), row_count, i, masks);
        missed_sum += missed[i];
    }
    int64_t marked =
        judge->marked == 0 || missed_sum == 0 ? 0 : count_marked(masks, row_count, judge->marked);
    pthread_mutex_lock(&judge->mutex);
    judge->counts.row_count += (int64_t) row_count;
    judge->counts.marked_count += marked;
    for (size_t i = 0; missed_sum > 0 && i < judge->condition_count; i++) {
        judge->counts.missed[i] += missed[i];
    }
    if (missed_sum > 0 && !atomic_load(&judge->has_example)) {
        duckdb_vector texts = duck->data_chunk_get_vector(input, 1);
        find_example(duck, judge, duck->vector_get_data(texts), row_count);
    }
    pthread_mutex_unlock(&judge->mutex);
}

static void
judge_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    dw_row_judge *judge = duck->scalar_function_get_bind_data(info);
    dw_assert(judge != NULL);
    if (duck->data_chunk_get_column_count(input) != judge->condition_count + FIRST_CONDITION) {
        duck->scalar_function_set_error(info, "expected as many conditions as the judge has");
        return;
    }
    judge_rows(duck, judge, input, duck->vector_get_data(output));
}

static void
bind_judge(duckdb_bind_info info)
{
    dw__bind_scalar_entry(info, DW_ENTRY_JUDGE, UNKNOWN_JUDGE);
}

dw_status
dw__judge_function_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_scalar_function_spec spec = {
        .name = FUNCTION,
        .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_VARCHAR},
        .others = DUCKDB_TYPE_BOOLEAN,
        .returns = DUCKDB_TYPE_BIGINT,
        .is_volatile = true,
        .bind = bind_judge,
        .run = judge_function};
    return dw__scalar_function_register(database, handle, &spec, err);
}

/* ---- Binding --------------------------------------------------------------------------------- */

static void
destroy_judge(dw_entry *entry)
{
    dw_row_judge *judge = (dw_row_judge *) entry;
    pthread_mutex_destroy(&judge->mutex);
    DW_DELETE(judge->env->allocator, judge);
}

dw_status
dw__connection_bind_judge(dw_connection *connection, size_t condition_count, uint64_t marked,
                          dw_row_judge **out, dw_error *err)
{
    dw_assert(condition_count > 0 && condition_count <= DW_JUDGE_CONDITIONS_MAX);
    *out = NULL;
    DW_TRY(dw__database_load(connection->database, err));
    dw_row_judge *judge = DW_NEW(connection->env->allocator, dw_row_judge);
    if (judge == NULL) {
        return dw__error_oom(err);
    }
    judge->entry = (dw_entry){.kind = DW_ENTRY_JUDGE, .destroy = destroy_judge};
    judge->env = connection->env;
    judge->condition_count = condition_count;
    judge->marked = marked;
    atomic_init(&judge->has_example, false);
    pthread_mutex_init(&judge->mutex, NULL);
    dw_status status = dw__registry_add(&connection->database->registry, &judge->entry, err);
    if (status != DW_OK) {
        destroy_judge(&judge->entry);
        return status;
    }
    *out = judge;
    return DW_OK;
}

void
dw__connection_unbind_judge(dw_connection *connection, dw_row_judge *judge)
{
    if (judge != NULL) {
        dw__registry_remove(&connection->database->registry, &judge->entry);
    }
}

/* ---- In SQL ---------------------------------------------------------------------------------- */

void
dw__row_judge_print(const dw_row_judge *judge, dw_str example, const dw_str *conditions,
                    dw_strbuf *out)
{
    dw__strbuf_printf(out, FUNCTION "(%" PRId64 ", ", judge->entry.id);
    dw__strbuf_append(out, example);
    for (size_t i = 0; i < judge->condition_count; i++) {
        dw__strbuf_append_literal(out, ", ");
        dw__strbuf_append(out, conditions[i]);
    }
    dw__strbuf_append_char(out, ')');
}

void
dw__row_judge_counts(dw_row_judge *judge, dw_judge_counts *out)
{
    pthread_mutex_lock(&judge->mutex);
    *out = judge->counts;
    pthread_mutex_unlock(&judge->mutex);
}
