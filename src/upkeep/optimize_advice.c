/*
 * Advice for tables of too many partitions: no packing makes one large file of many small ones that
 * lie in partitions of their own.
 */
#include "upkeep/optimize_core.h"

#include <inttypes.h>
#include <stdio.h>

#define MIB ((int64_t) 1 << 20)
/* To open a file costs about as much as to read so much. */
#define PARTITION_BYTES_MIN (16 * MIB)
#define PARTITIONS_MIN 32

static bool
is_time(dw_type_kind kind)
{
    return kind == DW_TYPE_DATE || kind == DW_TYPE_TIMESTAMP || kind == DW_TYPE_TIMESTAMP_NTZ;
}

static void
print_advice(const dw_optimize *o, const dw_field *last, size_t column_count)
{
    dw_optimize_result *result = o->result;
    const char *what = column_count > 1 ? "leave out the partition column"
                       : is_time(last->type->kind)
                           ? "partition by month, or cluster instead of partitioning by"
                           : "cluster instead of partitioning by";
    (void) snprintf(result->advice, sizeof result->advice,
                    "%" PRId64 " of %" PRId64 " partitions hold less than 16 MB: %s %.*s",
                    result->partitions_small, result->partition_count, what,
                    DW_STR_ARG(last->name));
}

void
dw__optimize_advise(dw_optimize *o)
{
    dw_optimize_result *result = o->result;
    const dw_metadata *metadata = dw__log_snapshot_metadata(o->snapshot);
    size_t column_count = metadata->partition_column_count;
    for (size_t i = 0; i < o->partition_count; i++) {
        const dw_optimize_partition *partition = &o->partitions[i];
        result->partition_count += partition->count > 0 ? 1 : 0;
        result->partitions_small +=
            partition->count > 0 && partition->size_bytes < PARTITION_BYTES_MIN ? 1 : 0;
    }
    if (column_count == 0 || result->partition_count < PARTITIONS_MIN ||
        result->partitions_small <= result->partition_count / 2) {
        return;
    }
    const dw_field *last = dw__schema_find(dw__log_snapshot_schema(o->snapshot),
                                           metadata->partition_columns[column_count - 1]);
    if (last != NULL) {
        print_advice(o, last, column_count);
    }
}
