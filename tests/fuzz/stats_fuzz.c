/*
 * Statistics. The scanner finds what the tree of the JSON codec has.
 */
#include "fuzz.h"

#include "codec/json.h"
#include "protocol/stats.h"

enum { COLUMN_COUNT = 12 };

static const dw_type types[COLUMN_COUNT] = {
    {.kind = DW_TYPE_LONG},      {.kind = DW_TYPE_BYTE},
    {.kind = DW_TYPE_FLOAT},     {.kind = DW_TYPE_DOUBLE},
    {.kind = DW_TYPE_DATE},      {.kind = DW_TYPE_DECIMAL, .precision = 20, .scale = 3},
    {.kind = DW_TYPE_TIMESTAMP}, {.kind = DW_TYPE_TIMESTAMP_NTZ},
    {.kind = DW_TYPE_STRING},    {.kind = DW_TYPE_BOOLEAN},
    {.kind = DW_TYPE_BINARY},    {.kind = DW_TYPE_LONG},
};

static const dw_str names[COLUMN_COUNT][2] = {
    {{"l", 1}, {NULL, 0}}, {{"b", 1}, {NULL, 0}}, {{"f", 1}, {NULL, 0}},  {{"d", 1}, {NULL, 0}},
    {{"t", 1}, {NULL, 0}}, {{"x", 1}, {NULL, 0}}, {{"ts", 2}, {NULL, 0}}, {{"n", 1}, {NULL, 0}},
    {{"s", 1}, {NULL, 0}}, {{"o", 1}, {NULL, 0}}, {{"y", 1}, {NULL, 0}},  {{"st", 2}, {"l", 1}}};

static size_t
count_members(dw_json object, dw_str key)
{
    size_t count = 0;
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        count += dw__str_equal(it.key, key) ? 1 : 0;
    }
    return count;
}

/* Where the text is JSON and no key is there twice, both readings agree. */
static void
check_against_tree(dw_str json, const dw_file_stats *stats, const dw_file_stats *quick)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (dw__json_parse(dw__allocator_libc(), json, "the text", &doc, NULL) != DW_OK) {
        return;
    }
    dw_json root = dw__json_root(doc);
    if (count_members(root, DW_STR("numRecords")) > 1) {
        return;
    }
    dw_json records = dw__json_get(root, DW_STR("numRecords"));
    int64_t count;
    if (stats->has_num_records) {
        dw_assert(dw__json_i64(records, &count) && count == stats->num_records);
    }
    dw_assert(stats->has_num_records == quick->has_num_records);
    dw_assert(stats->num_records == quick->num_records || !stats->has_num_records);
}

static void
check_column(const dw_file_stats *file, const dw_column_stats *column)
{
    bool comparable;
    if (column->has_min && column->has_max) {
        dw_assert(dw__value_compare(&column->min, &column->max, &comparable) <= 0);
        dw_assert(comparable);
    }
    dw_assert(!column->min_is_exact || (column->has_min && file->tight_bounds));
    dw_assert(!column->has_null_count || column->null_count >= 0);
    dw_assert(!column->has_null_count || !file->has_num_records ||
              column->null_count <= file->num_records);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str json = fuzz_text(data, size);
    dw_column_path paths[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        paths[i] = (dw_column_path){names[i], names[i][1].ptr == NULL ? 1 : 2, &types[i]};
    }
    dw_file_stats file;
    dw_file_stats counts;
    dw_column_stats columns[COLUMN_COUNT];
    bool done = dw__stats_read(json, paths, COLUMN_COUNT, &arena, &file, columns);
    dw_assert(done);
    dw__stats_read_counts(json, &counts);
    check_against_tree(json, &file, &counts);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        check_column(&file, &columns[i]);
    }
    return 0;
}
