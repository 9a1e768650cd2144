/*
 * src/parquet against the engine: whatever the engine writes reads the same both ways, without the
 * engine where it can be, and damage or lack of memory end in an error or in the engine's hands.
 */
#include "columns_text.h"
#include "fixture.h"
#include "parquet/parquet.h"
#include "support/fault_loop.h"

#include <stdlib.h>

/* ---- What is read ---------------------------------------------------------------------------- */

#define STR(text) {.name = text, .kind = DW_VECTOR_STR}
#define I64(text) {.name = text, .kind = DW_VECTOR_I64}

static const dw_column_spec text_map[] = {STR("key"), STR("value")};
static const dw_column_spec text_element[] = {STR("element")};
static const dw_column_spec inner_fields[] = {
    STR("kind"),
    {.name = "offset", .kind = DW_VECTOR_I32},
    I64("missing"),
    {.name = "tags", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2}};
static const dw_column_spec add_fields[] = {
    STR("path"),
    {.name = "values", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2},
    I64("size"),
    I64("narrow"),
    {.name = "flag", .kind = DW_VECTOR_BOOL},
    {.name = "inner", .kind = DW_VECTOR_STRUCT, .children = inner_fields, .child_count = 4},
    {.name = "real", .kind = DW_VECTOR_DOUBLE},
    {.name = "single", .kind = DW_VECTOR_DOUBLE},
    {.name = "parts", .kind = DW_VECTOR_LIST, .children = text_element, .child_count = 1},
    STR("missing"),
    {.name = "gone", .kind = DW_VECTOR_STRUCT, .children = inner_fields, .child_count = 4},
};
static const dw_column_spec columns[] = {
    {.name = "add", .kind = DW_VECTOR_STRUCT, .children = add_fields, .child_count = 11},
    {.name = "id", .kind = DW_VECTOR_I64},
    {.name = "none", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2}};
enum { COLUMN_COUNT = 3 };

static const char *const path_column[] = {"add", "path", NULL};
static const char *const size_column[] = {"add", "size", NULL};
static const char *const nowhere[] = {"remove", "path", NULL};

/* An engine that counts how often it is needed. */
typedef struct counting_engine {
    dw_engine base;
    dw_engine *inner;
    int read_count;
} counting_engine;

static dw_status
read_counted(dw_engine *base, dw_storage *storage, const dw_parquet_read *request,
             dw_batch_visitor visit, void *ctx, dw_error *err)
{
    counting_engine *engine = (counting_engine *) base;
    engine->read_count++;
    if (engine->inner == NULL) {
        return dw__error_set(err, DW_CORRUPT, "PARQUET_INVALID", "the engine does not like it");
    }
    return engine->inner->ops->read_parquet(engine->inner, storage, request, visit, ctx, err);
}

static const dw_engine_ops counting_ops = {read_counted, NULL, NULL};

typedef enum reader { BY_ENGINE, BY_OURSELVES } reader;

/* The rows as text; how often the engine was needed. */
static const char *
read_text(fixture *f, const dw_parquet_read *request, reader how, int *needed_out)
{
    dw_storage *storage = NULL;
    assert_ok(dw__storage_open(&f->world.env, dw__str_from(f->dir.path), &storage, &f->err),
              &f->err);
    columns_text c = {request, dw__strbuf_make(dw__allocator_libc(), 1 << 28), 0, DW_OK};
    counting_engine engine = {{&counting_ops, &f->world.env}, dw__database_engine(f->database), 0};
    dw_status status = how == BY_ENGINE ? read_counted(&engine.base, storage, request,
                                                       columns_text_visit, &c, &f->err)
                                        : dw__pq_read(&engine.base, storage, request, DW_ROWS_ALL,
                                                      columns_text_visit, &c, &f->err);
    assert_ok(status, &f->err);
    const char *text = dw__arena_dup_cstr(&f->arena, dw__strbuf_str(&c.text));
    dw__strbuf_deinit(&c.text);
    dw__storage_close(storage);
    *needed_out = engine.read_count;
    return text;
}

/* Reads with all kinds of conditions, and compares. */
static void
compare(fixture *f, bool needs_engine)
{
    const char *const *absent[] = {size_column, nowhere, NULL};
    const dw_parquet_read requests[] = {
        {.columns = columns, .column_count = COLUMN_COUNT},
        {.columns = columns, .column_count = COLUMN_COUNT, .required_path = path_column},
        {.columns = columns, .column_count = COLUMN_COUNT, .absent_paths = absent},
        {.columns = &columns[1], .column_count = 1, .required_path = path_column},
        {.columns = columns,
         .column_count = 2,
         .required_path = path_column,
         .absent_paths = absent},
        {.columns = columns, .column_count = 1, .required_path = nowhere},
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        dw_parquet_read request = requests[i];
        request.key = DW_STR("c.parquet");
        int needed;
        const char *expected = read_text(f, &request, BY_ENGINE, &needed);
        const char *actual = read_text(f, &request, BY_OURSELVES, &needed);
        assert_string_equal(actual, expected);
        /* Where no row can be wanted nothing is read. */
        bool has_rows = request.required_path != nowhere;
        assert_int_equal(needed, needs_engine && has_rows);
    }
}

/* Rows of every shape; `nulls` of ten adds are none. */
static void
write_rows(fixture *f, int row_count, int nulls, const char *options)
{
    fixture_run(
        f,
        "COPY (SELECT CASE WHEN hash(i) %% 10 >= %d THEN {'path': 'p\xc3\xa4' || i, "
        "'values': CASE hash(i, 1) %% 5 WHEN 0 THEN MAP {'a': 'x' || i, 'b': NULL} "
        "WHEN 1 THEN MAP {} WHEN 2 THEN NULL ELSE MAP {'only': 'same'} END, "
        "'size': CASE WHEN hash(i, 2) %% 3 > 0 THEN i * 1000000007 END, "
        "'narrow': (i %% 100)::INTEGER, "
        "'flag': CASE hash(i, 3) %% 3 WHEN 0 THEN true WHEN 1 THEN false END, "
        "'inner': CASE WHEN hash(i, 4) %% 4 > 0 THEN {'kind': 'uip'[(i %% 3 + 1)::INTEGER], "
        "'offset': CASE WHEN i %% 2 = 0 THEN (i %% 70000)::INTEGER END, "
        "'tags': MAP {'t': i::VARCHAR}} END, "
        "'real': i / 7, 'single': (i / 3)::FLOAT, "
        "'parts': CASE WHEN i %% 7 > 0 THEN list_transform(range(i %% 4), x -> x::VARCHAR) END, "
        "'unread': 'something long that nobody wants ' || i} END AS add, "
        "i AS id FROM range(%d) t(i)) TO '%s' (FORMAT parquet%s)",
        nulls, row_count, fixture_path(f, "c.parquet"), options);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void
test_plain__reads_what_the_engine_writes(void **state)
{
    fixture *f = *state;
    static const char *const options[] = {
        "",
        ", COMPRESSION uncompressed",
        ", COMPRESSION snappy",
        ", COMPRESSION zstd",
        ", COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 1",
        ", COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000000, ROW_GROUP_SIZE 2048",
        ", COMPRESSION zstd, ROW_GROUP_SIZE 4096",
    };
    static const int row_counts[] = {0, 1, 7, 2049, 6000};
    static const int nulls[] = {0, 3, 9, 10};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        for (size_t k = 0; k < sizeof(row_counts) / sizeof(row_counts[0]); k++) {
            write_rows(f, row_counts[k], nulls[(i + k) % 4], options[i]);
            compare(f, false);
        }
    }
}

static void
test_plain__leaves_what_it_does_not_know_to_the_engine(void **state)
{
    fixture *f = *state;
    write_rows(f, 3000, 2, ", COMPRESSION gzip");
    compare(f, true);
    write_rows(f, 3000, 2, ", PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1");
    compare(f, true);
}

/* The second row group has a page that is not understood. */
static void
test_plain__lets_the_engine_read_on_from_the_middle(void **state)
{
    fixture *f = *state;
    static const dw_column_spec fields[] = {STR("path"), I64("size")};
    static const dw_column_spec add = {
        .name = "add", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = 2};
    const dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = &add, .column_count = 1};
    fixture_run(f,
                "COPY (SELECT {'path': CASE WHEN i < 5000 THEN 'p' || i END, 'size': i} AS add "
                "FROM range(10000) t(i)) TO '%s' (FORMAT parquet, ROW_GROUP_SIZE 5000, "
                "COMPRESSION uncompressed)",
                fixture_path(f, "c.parquet"));
    int needed;
    const char *expected = read_text(f, &request, BY_ENGINE, &needed);
    /* The engine takes a page header that says of its levels what is not true. */
    size_t size = 0;
    char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
    assert_non_null(bytes);
    int changed = 0;
    static const char head[] = {0x15, 0x06, 0x15, 0x06};
    for (size_t i = size / 2; i + sizeof(head) <= size && changed == 0; i++) {
        if (memcmp(bytes + i, head, sizeof(head)) == 0) {
            bytes[i + 1] = 0x08;
            changed++;
        }
    }
    assert_int_equal(changed, 1);
    dwt_write_file(f->dir.path, "c.parquet", dw__str_make(bytes, size));
    free(bytes);
    const char *actual = read_text(f, &request, BY_OURSELVES, &needed);
    assert_int_equal(needed, 1);
    assert_string_equal(actual, expected);
}

static void
test_plain__reads_a_range_of_the_wanted_rows(void **state)
{
    fixture *f = *state;
    static const dw_column_spec number[] = {I64("id")};
    const dw_parquet_read request = {.key = DW_STR("c.parquet"),
                                     .columns = number,
                                     .column_count = 1,
                                     .required_path = path_column};
    static const char *const options[] = {", ROW_GROUP_SIZE 4096", ", COMPRESSION gzip"};
    static const dw_row_range ranges[] = {{0, 0},       {0, 1},       {1, 3},       {2040, 2060},
                                          {4000, 5000}, {6999, 9000}, {9000, 9001}, {0, SIZE_MAX}};
    for (size_t i = 0; i < 2 * sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (i % (sizeof(ranges) / sizeof(ranges[0])) == 0) {
            write_rows(f, 10000, 3, options[i == 0 ? 0 : 1]);
        }
        dw_row_range range = ranges[i % (sizeof(ranges) / sizeof(ranges[0]))];
        dw_storage *storage = NULL;
        assert_ok(dw__storage_open(&f->world.env, dw__str_from(f->dir.path), &storage, &f->err),
                  &f->err);
        columns_text c = {&request, dw__strbuf_make(dw__allocator_libc(), 1 << 20), 0, DW_OK};
        assert_ok(dw__pq_read(dw__database_engine(f->database), storage, &request, range,
                              columns_text_visit, &c, &f->err),
                  &f->err);
        const char *expected = fixture_rows(
            f,
            "SELECT coalesce(string_agg(id || chr(10), '' ORDER BY id), '') FROM (SELECT id FROM "
            "read_parquet('%s') WHERE add.path IS NOT NULL ORDER BY id LIMIT %lld OFFSET %lld)",
            fixture_path(f, "c.parquet"),
            range.end == SIZE_MAX ? 1000000LL : (long long) (range.end - range.first),
            (long long) range.first);
        assert_str(dw__strbuf_str(&c.text), expected);
        dw__strbuf_deinit(&c.text);
        dw__storage_close(storage);
    }
}

/* ---- Damage and faults ----------------------------------------------------------------------- */

static dw_status
read_memory(const dw_env *env, dw_storage *storage, dw_error *err)
{
    const dw_parquet_read request = {.key = DW_STR("c.parquet"),
                                     .columns = columns,
                                     .column_count = COLUMN_COUNT,
                                     .required_path = path_column};
    columns_text c = {&request, dw__strbuf_make(dw__allocator_libc(), 1 << 24), 0, DW_OK};
    counting_engine engine = {{&counting_ops, env}, NULL, 0};
    dw_status status =
        dw__pq_read(&engine.base, storage, &request, DW_ROWS_ALL, columns_text_visit, &c, err);
    dw__strbuf_deinit(&c.text);
    return status;
}

static void
test_plain__survives_every_damage(void **state)
{
    fixture *f = *state;
    static const char *const options[] = {", COMPRESSION snappy", ", COMPRESSION zstd",
                                          ", COMPRESSION uncompressed"};
    uint64_t seed = 11;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        write_rows(f, 40, 3, options[i]);
        size_t size = 0;
        char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
        dw_storage *storage = NULL;
        assert_ok(dw__storage_memory_open(&f->world.env, &storage, &f->err), &f->err);
        for (size_t at = 0; at < size; at++) {
            char before = bytes[at];
            bytes[at] ^= (char) (1 + dwt_random_below(&seed, 255));
            assert_ok(
                dw__storage_put(storage, DW_STR("c.parquet"), dw__str_make(bytes, size), &f->err),
                &f->err);
            dw_status status = read_memory(&f->world.env, storage, &f->err);
            assert_true(status == DW_OK || status == DW_CORRUPT);
            bytes[at] = before;
        }
        dw__storage_close(storage);
        free(bytes);
    }
}

static void
put_file(dwt_world *world, void *ctx)
{
    fixture *f = ctx;
    size_t size = 0;
    char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
    assert_ok(
        dw__storage_put(world->truth, DW_STR("c.parquet"), dw__str_make(bytes, size), &f->err),
        &f->err);
    free(bytes);
}

static dw_status
read_with_faults(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    return read_memory(world->env, world->storage, err);
}

static void
test_plain__survives_faults_of_memory_and_storage(void **state)
{
    fixture *f = *state;
    write_rows(f, 3000, 3, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048");
    dwt_fault_loop(&(dwt_fault_case){.setup = put_file,
                                     .operation = read_with_faults,
                                     .ctx = f,
                                     .faults = DWT_FAULTS_ALLOC | DWT_FAULTS_STORAGE_IO |
                                               DWT_FAULTS_STORAGE_RETRY});
}

/* Puts another object in the place of the one that is being read. */
typedef struct replacer {
    dw_storage *storage;
    size_t batch_count;
} replacer;

static dw_status
replace(void *ctx, const dw_batch *batch, dw_error *err)
{
    (void) batch;
    replacer *r = ctx;
    r->batch_count++;
    return dw__storage_put(r->storage, DW_STR("c.parquet"), DW_STR("another"), err);
}

static void
test_plain__refuses_an_object_that_changes_meanwhile(void **state)
{
    fixture *f = *state;
    write_rows(f, 10, 0, "");
    size_t size = 0;
    char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
    replacer r = {0};
    assert_ok(dw__storage_memory_open(&f->world.env, &r.storage, &f->err), &f->err);
    assert_ok(dw__storage_put(r.storage, DW_STR("c.parquet"), dw__str_make(bytes, size), &f->err),
              &f->err);
    free(bytes);
    const dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    counting_engine engine = {{&counting_ops, &f->world.env}, NULL, 0};
    dw_status status =
        dw__pq_read(&engine.base, r.storage, &request, DW_ROWS_ALL, replace, &r, &f->err);
    assert_error(status, DW_UNAVAILABLE, "OBJECT_CHANGED", &f->err);
    assert_int_equal(r.batch_count, 1);
    dw__storage_close(r.storage);
}

static void
test_plain__stops_when_the_visitor_or_the_user_says_so(void **state)
{
    fixture *f = *state;
    write_rows(f, 10, 0, "");
    dw_storage *storage = NULL;
    assert_ok(dw__storage_open(&f->world.env, dw__str_from(f->dir.path), &storage, &f->err),
              &f->err);
    const dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    columns_text c = {&request, dw__strbuf_make(dw__allocator_libc(), 1 << 20), 0, DW_UNSUPPORTED};
    counting_engine engine = {{&counting_ops, &f->world.env}, NULL, 0};
    assert_error(
        dw__pq_read(&engine.base, storage, &request, DW_ROWS_ALL, columns_text_visit, &c, &f->err),
        DW_UNSUPPORTED, "STOPPED", &f->err);
    f->world.cancel_after_polls = 0;
    assert_error(
        dw__pq_read(&engine.base, storage, &request, DW_ROWS_ALL, columns_text_visit, &c, &f->err),
        DW_CANCELLED, "CANCELLED", &f->err);
    f->world.cancel_after_polls = -1;
    assert_int_equal(engine.read_count, 0);
    dw__strbuf_deinit(&c.text);
    dw__storage_close(storage);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain__reads_what_the_engine_writes),
        TEST(test_plain__leaves_what_it_does_not_know_to_the_engine),
        TEST(test_plain__lets_the_engine_read_on_from_the_middle),
        TEST(test_plain__reads_a_range_of_the_wanted_rows),
        TEST(test_plain__survives_every_damage),
        TEST(test_plain__survives_faults_of_memory_and_storage),
        TEST(test_plain__refuses_an_object_that_changes_meanwhile),
        TEST(test_plain__stops_when_the_visitor_or_the_user_says_so),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
