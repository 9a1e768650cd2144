/*
 * The function jumps from one row of the sample to the next: those between cost nothing.
 */
#include "engine/row_sample.h"

#include "engine/functions.h"

#include <math.h>

#define FUNCTION "dw__in_sample"
/* What the state of the generator (splitmix64) grows by. */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* Above 0, at most 1. */
static double
next_fraction(uint64_t *state)
{
    uint64_t z = *state += GOLDEN;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double) ((z >> 11) + 1) / (double) (UINT64_C(1) << 53);
}

/* Rows up to the next one of the sample are distributed geometrically. */
static void
choose_rows(double share, uint64_t state, bool *chosen, idx_t row_count)
{
    memset(chosen, share >= 1, row_count);
    if (!(share > 0 && share < 1)) {
        return;
    }
    double scale = 1 / log1p(-share);
    double row = floor(log(next_fraction(&state)) * scale);
    while (row < (double) row_count) {
        chosen[(idx_t) row] = true;
        row += 1 + floor(log(next_fraction(&state)) * scale);
    }
}

static void
in_sample(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    dw_database *database = duck->scalar_function_get_extra_info(info);
    idx_t row_count = duck->data_chunk_get_size(input);
    if (row_count > 0) {
        const double *shares = duck->vector_get_data(duck->data_chunk_get_vector(input, 0));
        /* Chunks of all threads draw from places of their own, far from one another. */
        uint64_t chunk = atomic_fetch_add(&database->chunks_sampled, 1);
        choose_rows(shares[0], (chunk << 32 ^ chunk) * GOLDEN, duck->vector_get_data(output),
                    row_count);
    }
}

dw_status
dw__row_sample_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_scalar_function_spec spec = {.name = FUNCTION,
                                                 .parameters = {DUCKDB_TYPE_DOUBLE},
                                                 .returns = DUCKDB_TYPE_BOOLEAN,
                                                 .is_volatile = true,
                                                 .run = in_sample};
    return dw__scalar_function_register(database, handle, &spec, err);
}

void
dw__row_sample_print(double share, dw_strbuf *out)
{
    dw__strbuf_printf(out, FUNCTION "(%.12f)", share);
}
