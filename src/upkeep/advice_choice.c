/*
 * The choice of columns, without a table. [ADVICE-1,2]
 */
#include "base/assert.h"
#include "upkeep/advice.h"

#include <math.h>

/* Of the files, by each of so many columns that the rows are in order by. */
static double
share_of_each(double file_count, size_t column_count)
{
    return file_count <= 1 || column_count == 0 ? 1 : pow(file_count, -1.0 / (double) column_count);
}

/* What there is, for as good as the model or the files say. */
static double
cost_of_present(const dw_advice_use *uses, size_t count, double file_count)
{
    size_t present = 0;
    double cost = 0;
    for (size_t i = 0; i < count; i++) {
        present += uses[i].is_present ? 1 : 0;
    }
    double model = share_of_each(file_count, present);
    for (size_t i = 0; i < count; i++) {
        double share = uses[i].share;
        cost += uses[i].use_count * (uses[i].is_present && model < share ? model : share);
    }
    return cost;
}

/* Of the eligible columns that are used most, so many. */
static double
cost_of_first(const dw_advice_use *uses, size_t count, double file_count, size_t wanted)
{
    double share = share_of_each(file_count, wanted);
    double cost = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_taken = uses[i].is_eligible && wanted > 0;
        cost += uses[i].use_count * (is_taken ? share : 1);
        wanted -= is_taken ? 1 : 0;
    }
    return cost;
}

static size_t
count_eligible(const dw_advice_use *uses, size_t count)
{
    size_t eligible = 0;
    for (size_t i = 0; i < count; i++) {
        eligible += uses[i].is_eligible ? 1 : 0;
    }
    return eligible < DW_CLUSTER_COLUMNS_MAX ? eligible : DW_CLUSTER_COLUMNS_MAX;
}

dw_advice_choice
dw__advice_choose(const dw_advice_use *uses, size_t count, double file_count)
{
    dw_advice_choice best = {.share = 1, .cost_after = cost_of_first(uses, count, file_count, 0)};
    size_t eligible = count_eligible(uses, count);
    size_t best_count = 0;
    for (size_t wanted = 1; wanted <= eligible; wanted++) {
        double cost = cost_of_first(uses, count, file_count, wanted);
        if (cost < best.cost_after) {
            best.cost_after = cost;
            best_count = wanted;
        }
    }
    for (size_t i = 0; i < count && best.count < best_count; i++) {
        dw_assert(i == 0 || uses[i - 1].use_count >= uses[i].use_count);
        if (uses[i].is_eligible) {
            best.items[best.count++] = i;
        }
    }
    best.share = share_of_each(file_count, best.count);
    best.cost_before = cost_of_present(uses, count, file_count);
    best.is_better = best.count > 0 && best.cost_before >= best.cost_after * DW_ADVICE_GAIN_MIN;
    return best;
}
