/*
 * Parquet for the log: checkpoints of ours and of others, read and written as columns in memory.
 */
#include "columns_text.h"
#include "fixture.h"

#include "support/fault_loop.h"

#include <stdlib.h>

/* ---- What a checkpoint looks like ------------------------------------------------------------ */

static const dw_column_spec text_map[] = {{.name = "key", .kind = DW_VECTOR_STR},
                                          {.name = "value", .kind = DW_VECTOR_STR}};
static const dw_column_spec text_element[] = {{.name = "element", .kind = DW_VECTOR_STR}};
static const dw_column_spec dv_fields[] = {{.name = "storageType", .kind = DW_VECTOR_STR},
                                           {.name = "offset", .kind = DW_VECTOR_I32},
                                           {.name = "cardinality", .kind = DW_VECTOR_I64}};
static const dw_column_spec add_fields[] = {
    {.name = "path", .kind = DW_VECTOR_STR},
    {.name = "partitionValues", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2},
    {.name = "size", .kind = DW_VECTOR_I64},
    {.name = "dataChange", .kind = DW_VECTOR_BOOL},
    {.name = "deletionVector", .kind = DW_VECTOR_STRUCT, .children = dv_fields, .child_count = 3},
    {.name = "baseRowId", .kind = DW_VECTOR_I64},
};
static const dw_column_spec metadata_fields[] = {
    {.name = "id", .kind = DW_VECTOR_STR},
    {.name = "partitionColumns",
     .kind = DW_VECTOR_LIST,
     .children = text_element,
     .child_count = 1},
    {.name = "configuration", .kind = DW_VECTOR_MAP, .children = text_map, .child_count = 2},
};
static const dw_column_spec columns[] = {
    {.name = "add", .kind = DW_VECTOR_STRUCT, .children = add_fields, .child_count = 6},
    {.name = "metaData", .kind = DW_VECTOR_STRUCT, .children = metadata_fields, .child_count = 3},
};
enum { COLUMN_COUNT = 2 };

/*
 * ---- Reading it
 * ----------------------------------------------------------------------------------
 */

static dw_status
read_text(fixture *f, dw_storage *storage, const dw_parquet_read *request, const char **out)
{
    columns_text c = {request, dw__strbuf_make(dw__allocator_libc(), 1 << 24), 0, DW_OK};
    dw_engine *engine = dw__database_engine(f->database);
    dw_status status =
        engine->ops->read_parquet(engine, storage, request, columns_text_visit, &c, &f->err);
    *out = dw__arena_dup_cstr(&f->arena, dw__strbuf_str(&c.text));
    dw__strbuf_deinit(&c.text);
    return status;
}

/* A storage that only says where the engine finds its objects. */
static dw_storage
directory(fixture *f)
{
    return (dw_storage){NULL, &f->world.env, dw__str_from(f->dir.path)};
}

static void
write_checkpoint(fixture *f)
{
    fixture_run(f,
                "COPY (SELECT CASE WHEN i <> 1 THEN {'path': 'p' || i, 'partitionValues': "
                "CASE i WHEN 0 THEN MAP {'a': 'x', 'b': NULL} WHEN 2 THEN MAP {} END, "
                "'size': (100 + i)::INTEGER, 'dataChange': i = 0, 'stats': 'long', "
                "'deletionVector': CASE WHEN i = 2 THEN {'storageType': 'u', "
                "'cardinality': 7::BIGINT} END} END AS add, "
                "CASE WHEN i = 1 THEN {'id': 'm', 'partitionColumns': ['a', NULL], "
                "'configuration': MAP {'k': 'v'}} END AS \"metaData\" "
                "FROM range(4) t(i)) TO '%s' (FORMAT parquet)",
                fixture_path(f, "c.parquet"));
}

#define EXPECTED                                                                                   \
    "{'p0' ['a'='x';'b'=-;] 100 1 - -} -\n"                                                        \
    "- {'m' ['a';-;] ['k'='v';]}\n"                                                                \
    "{'p2' [] 102 0 {'u' - 7} -} -\n"                                                              \
    "{'p3' - 103 0 - -} -\n"

/* ---- Reading --------------------------------------------------------------------------------- */

static void
test_read__gives_nested_columns_in_the_order_of_the_file(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, EXPECTED);
}

static void
test_read__leaves_out_rows_without_the_required_column(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    dw_storage storage = directory(f);
    static const char *const path[] = {"metaData", "id", NULL};
    dw_parquet_read request = {.key = DW_STR("c.parquet"),
                               .columns = &columns[1],
                               .column_count = 1,
                               .required_path = path};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "{'m' ['a';-;] ['k'='v';]}\n");
    static const char *const whole[] = {"metaData", NULL};
    request.required_path = whole;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "{'m' ['a';-;] ['k'='v';]}\n");
}

static void
test_read__leaves_out_rows_with_a_column_that_must_be_absent(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    dw_storage storage = directory(f);
    static const char *const add[] = {"add", "size", NULL};
    static const char *const other[] = {"remove", "path", NULL};
    static const char *const metadata[] = {"metaData", "id", NULL};
    const char *const *absent[] = {add, other, NULL, NULL};
    dw_parquet_read request = {.key = DW_STR("c.parquet"),
                               .columns = columns,
                               .column_count = COLUMN_COUNT,
                               .absent_paths = absent};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "- {'m' ['a';-;] ['k'='v';]}\n");
    absent[2] = metadata;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "");
    request.required_path = metadata;
    absent[2] = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "- {'m' ['a';-;] ['k'='v';]}\n");
}

static void
test_read__makes_missing_columns_null(void **state)
{
    fixture *f = *state;
    fixture_run(f, "COPY (SELECT 1 AS other) TO '%s' (FORMAT parquet)",
                fixture_path(f, "c.parquet"));
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "- -\n");
    static const char *const path[] = {"add", "path", NULL};
    request.required_path = path;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "");
}

static void
test_read__names_a_column_of_another_shape(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *select;
        const char *message;
    } cases[] = {
        {"'x' AS add", "expected column add to be STRUCT("},
        {"{'path': 5} AS add", "expected column add.path to be VARCHAR, found INTEGER"},
        {"{'size': '5'} AS add", "expected column add.size to be BIGINT, found VARCHAR"},
        {"{'size': now()} AS add",
         "expected column add.size to be BIGINT, found TIMESTAMP WITH TIME ZONE"},
        {"{'partitionValues': ['a']} AS add",
         "expected column add.partitionValues to be MAP(VARCHAR, VARCHAR), found VARCHAR[]"},
        {"{'partitionValues': MAP {'a': 1}} AS add",
         "expected column add.partitionValues.value to be VARCHAR, found INTEGER"},
        {"{'deletionVector': {'offset': 5::BIGINT}} AS add",
         "expected column add.deletionVector.offset to be INTEGER, found BIGINT"},
        {"{'partitionColumns': [1]} AS \"metaData\"",
         "expected column metaData.partitionColumns.element to be VARCHAR, found INTEGER"},
    };
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_run(f, "COPY (SELECT %s) TO '%s' (FORMAT parquet)", cases[i].select,
                    fixture_path(f, "c.parquet"));
        const char *text = NULL;
        assert_error(read_text(f, &storage, &request, &text), DW_CORRUPT, "PARQUET_TYPE", &f->err);
        assert_message_has(&f->err, cases[i].message);
        assert_message_has(&f->err, "reading c.parquet");
    }
}

static void
test_read__says_when_there_is_no_file(void **state)
{
    fixture *f = *state;
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("_delta_log/none.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    assert_error(read_text(f, &storage, &request, &text), DW_NOT_FOUND, "OBJECT_NOT_FOUND",
                 &f->err);
    assert_message_has(&f->err, "_delta_log/none.parquet");
}

static void
test_read__refuses_damaged_files(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    size_t size = 0;
    char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
    assert_non_null(bytes);
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    for (size_t cut = 0; cut < size; cut += 97) {
        dwt_write_file(f->dir.path, "c.parquet", dw__str_make(bytes, cut));
        assert_error(read_text(f, &storage, &request, &text), DW_CORRUPT, "PARQUET_INVALID",
                     &f->err);
        assert_message_has(&f->err, "c.parquet");
    }
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        char *damaged = malloc(size);
        memcpy(damaged, bytes, size);
        for (uint64_t n = 1 + dwt_random_below(&seed, 4); n > 0; n--) {
            damaged[dwt_random_below(&seed, size)] ^= (char) (1 << dwt_random_below(&seed, 8));
        }
        dwt_write_file(f->dir.path, "c.parquet", dw__str_make(damaged, size));
        free(damaged);
        dw_status status = read_text(f, &storage, &request, &text);
        assert_true(status == DW_OK || status == DW_CORRUPT);
    }
    free(bytes);
}

static void
test_read__takes_names_as_they_are(void **state)
{
    fixture *f = *state;
    fixture_run(f, "COPY (SELECT {'path': 'right'} AS add) TO '%s' (FORMAT parquet)",
                fixture_path(f, "a[1]*?''.parquet"));
    fixture_run(f, "COPY (SELECT {'path': 'wrong'} AS add) TO '%s' (FORMAT parquet)",
                fixture_path(f, "a1xx''.parquet"));
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("a[1]*?'.parquet"), .columns = columns, .column_count = 1};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "{'right' - - - - -}\n");
}

static void
test_read__reads_objects_that_the_engine_cannot_open(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    size_t size = 0;
    char *bytes = dwt_read_file(f->dir.path, "c.parquet", &size);
    dw_storage *memory = NULL;
    assert_ok(dw__storage_memory_open(&f->world.env, &memory, &f->err), &f->err);
    assert_ok(dw__storage_put(memory, DW_STR("c.parquet"), dw__str_make(bytes, size), &f->err),
              &f->err);
    free(bytes);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    assert_ok(read_text(f, memory, &request, &text), &f->err);
    assert_string_equal(text, EXPECTED);
    dw__storage_close(memory);
}

static void
test_read__stops_when_the_visitor_or_the_user_says_so(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    columns_text c = {&request, dw__strbuf_make(dw__allocator_libc(), 1 << 20), 0, DW_CONFLICT};
    dw_engine *engine = dw__database_engine(f->database);
    dw_status status =
        engine->ops->read_parquet(engine, &storage, &request, columns_text_visit, &c, &f->err);
    assert_error(status, DW_CONFLICT, "STOPPED", &f->err);
    f->world.cancel_after_polls = 0;
    status = engine->ops->read_parquet(engine, &storage, &request, columns_text_visit, &c, &f->err);
    assert_error(status, DW_CANCELLED, "CANCELLED", &f->err);
    f->world.cancel_after_polls = -1;
    dw__strbuf_deinit(&c.text);
}

static void
test_read__streams_many_row_groups_in_order(void **state)
{
    fixture *f = *state;
    fixture_run(f,
                "COPY (SELECT {'path': 'p' || i, 'size': i} AS add FROM range(200000) t(i)) TO "
                "'%s' (FORMAT parquet, ROW_GROUP_SIZE 10000)",
                fixture_path(f, "c.parquet"));
    static const dw_column_spec narrow_fields[] = {{.name = "size", .kind = DW_VECTOR_I64}};
    static const dw_column_spec narrow[] = {
        {.name = "add", .kind = DW_VECTOR_STRUCT, .children = narrow_fields, .child_count = 1}};
    dw_storage storage = directory(f);
    dw_parquet_read request = {.key = DW_STR("c.parquet"), .columns = narrow, .column_count = 1};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    for (long long i = 0; i < 200000; i++) {
        char *end = NULL;
        assert_int_equal(strtoll(text + 1, &end, 10), i);
        assert_memory_equal(end, "}\n", 2);
        text = end + 2;
    }
    assert_string_equal(text, "");
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct source {
    int64_t row_count, next;
    dw_status fail_with;
    bool has_bad_text;
} source;

/* Row i: an add for even numbers, metadata for odd ones. Slots of NULL structs hold rubbish. */
static dw_status
next_batch(void *ctx, dw_batch *batch, dw_error *err)
{
    enum { MAX = 2048 };
    static bool add_valid[MAX], metadata_valid[MAX], values_valid[MAX], dv_valid[MAX], change[MAX];
    static dw_str paths[MAX], ids[MAX], keys[2 * MAX], values[2 * MAX], kinds[MAX];
    static dw_span spans[MAX], parts[MAX];
    static int64_t sizes[MAX], numbers[MAX];
    static int32_t offsets[MAX];
    static char text[MAX][40];
    source *s = ctx;
    if (s->fail_with != DW_OK && s->next > 0) {
        return dw__error_set(err, s->fail_with, "SOURCE", "the source ran dry");
    }
    size_t count = 0;
    for (; count < MAX && s->next < s->row_count; count++, s->next++) {
        size_t i = count;
        bool is_add = s->next % 2 == 0;
        snprintf(text[i], sizeof(text[i]), "part-%lld.parquet", (long long) s->next);
        add_valid[i] = is_add;
        metadata_valid[i] = !is_add;
        paths[i] = is_add ? dw__str_from(text[i]) : DW_STR_NULL;
        if (s->has_bad_text) {
            paths[i] = DW_STR("\xff\xfe");
        }
        ids[i] = is_add ? DW_STR_NULL : DW_STR("id");
        values_valid[i] = s->next % 4 == 0;
        keys[2 * i] = DW_STR("a");
        keys[2 * i + 1] = DW_STR("b");
        values[2 * i] = dw__str_from(text[i]);
        values[2 * i + 1] = DW_STR("second");
        spans[i] = (dw_span){(uint32_t) (2 * i), s->next % 8 == 0 ? 0 : 2};
        parts[i] = (dw_span){(uint32_t) (2 * i), 1};
        sizes[i] = s->next * 10;
        change[i] = false;
        dv_valid[i] = s->next % 6 == 0;
        kinds[i] = is_add ? DW_STR("u") : DW_STR_NULL;
        offsets[i] = (int32_t) s->next;
        numbers[i] = s->next;
    }
    static dw_vector entries[2], elements[1], dv[3], add[6], metadata[3], top[2];
    entries[0] = (dw_vector){NULL, keys, NULL};
    entries[1] = (dw_vector){NULL, values, NULL};
    elements[0] = (dw_vector){NULL, keys, NULL};
    dv[0] = (dw_vector){dv_valid, kinds, NULL};
    dv[1] = (dw_vector){NULL, offsets, NULL};
    dv[2] = (dw_vector){NULL, numbers, NULL};
    add[0] = (dw_vector){add_valid, paths, NULL};
    add[1] = (dw_vector){values_valid, spans, entries};
    add[2] = (dw_vector){NULL, sizes, NULL};
    add[3] = (dw_vector){NULL, change, NULL};
    add[4] = (dw_vector){dv_valid, NULL, dv};
    static const bool none[MAX];
    add[5] = (dw_vector){none, numbers, NULL};
    metadata[0] = (dw_vector){metadata_valid, ids, NULL};
    metadata[1] = (dw_vector){NULL, parts, elements};
    metadata[2] = (dw_vector){NULL, spans, entries};
    top[0] = (dw_vector){add_valid, NULL, add};
    top[1] = (dw_vector){metadata_valid, NULL, metadata};
    *batch = (dw_batch){count, top};
    return DW_OK;
}

static dw_status
write_rows(fixture *f, source *s, dw_strbuf *out)
{
    dw_engine *engine = dw__database_engine(f->database);
    return engine->ops->write_parquet(engine, columns, COLUMN_COUNT, next_batch, s, out, &f->err);
}

static void
test_write__makes_a_file_that_reads_back(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    source s = {10, 0, DW_OK, false};
    assert_ok(write_rows(f, &s, &bytes), &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("w.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    assert_ok(read_text(f, &storage, &request, &text), &f->err);
    assert_string_equal(text, "{'part-0.parquet' [] 0 0 {'u' 0 0} -} -\n"
                              "- {'id' ['a';] ['a'='part-1.parquet';'b'='second';]}\n"
                              "{'part-2.parquet' - 20 0 - -} -\n"
                              "- {'id' ['a';] ['a'='part-3.parquet';'b'='second';]}\n"
                              "{'part-4.parquet' ['a'='part-4.parquet';'b'='second';] 40 0 - -} -\n"
                              "- {'id' ['a';] ['a'='part-5.parquet';'b'='second';]}\n"
                              "{'part-6.parquet' - 60 0 {'u' 6 6} -} -\n"
                              "- {'id' ['a';] ['a'='part-7.parquet';'b'='second';]}\n"
                              "{'part-8.parquet' [] 80 0 - -} -\n"
                              "- {'id' ['a';] ['a'='part-9.parquet';'b'='second';]}\n");
    assert_rows(f, "10|5|5", "SELECT count(*), count(add), count(\"metaData\") FROM '%s'",
                fixture_path(f, "w.parquet"));
}

static void
test_write__uses_the_types_of_the_columns(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    source s = {3, 0, DW_OK, false};
    assert_ok(write_rows(f, &s, &bytes), &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    assert_rows(f, "offset|INT32\ncardinality|INT64\nsize|INT64",
                "SELECT name, type FROM parquet_schema('%s') WHERE name IN ('offset', "
                "'cardinality', 'size') ORDER BY name = 'size', name = 'cardinality'",
                fixture_path(f, "w.parquet"));
    assert_rows(f, "ZSTD", "SELECT DISTINCT compression FROM parquet_metadata('%s')",
                fixture_path(f, "w.parquet"));
}

static dw_status
no_batch(void *ctx, dw_batch *batch, dw_error *err)
{
    (void) ctx;
    (void) err;
    *batch = (dw_batch){0};
    return DW_OK;
}

/* Two rows of every kind that tables have, the second NULL. */
static dw_status
next_typed_batch(void *ctx, dw_batch *batch, dw_error *err)
{
    (void) err;
    static const bool valid[2] = {true, false};
    static const int8_t i8[2] = {-8};
    static const int16_t i16[2] = {-16};
    static const int32_t days[2] = {-1};
    static const int64_t micros[2] = {1234567};
    static const float single[2] = {0.5F};
    static const dw_str bytes[2] = {{"\xff\xfe", 2}, {NULL, 0}};
    static dw_i128 small[2], wide[2];
    small[0] = -1234;
    wide[0] = (dw_i128) 1000000000000000000 * 1000000000000000000;
    static dw_vector vectors[9];
    const void *data[] = {i8, i16, single, days, micros, micros, small, wide, bytes};
    for (size_t i = 0; i < 9; i++) {
        vectors[i] = (dw_vector){.valid = valid, .data = data[i]};
    }
    bool *given = ctx;
    *batch = (dw_batch){*given ? 0 : 2, vectors};
    *given = true;
    return DW_OK;
}

static void
test_write__has_the_types_that_tables_have(void **state)
{
    static const dw_column_spec specs[] = {
        {.name = "i8", .kind = DW_VECTOR_I8},
        {.name = "i16", .kind = DW_VECTOR_I16},
        {.name = "f", .kind = DW_VECTOR_FLOAT},
        {.name = "d", .kind = DW_VECTOR_DATE},
        {.name = "t", .kind = DW_VECTOR_TIMESTAMP},
        {.name = "n", .kind = DW_VECTOR_TIMESTAMP_NTZ},
        {.name = "small", .kind = DW_VECTOR_DECIMAL, .precision = 4, .scale = 2},
        {.name = "wide", .kind = DW_VECTOR_DECIMAL, .precision = 38, .scale = 0},
        {.name = "b", .kind = DW_VECTOR_BYTES},
    };
    fixture *f = *state;
    dw_engine *engine = dw__database_engine(f->database);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    bool given = false;
    assert_ok(
        engine->ops->write_parquet(engine, specs, 9, next_typed_batch, &given, &bytes, &f->err),
        &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    assert_rows(f,
                "-8|-16|0.5|1969-12-31|1970-01-01 00:00:01.234567+00|1970-01-01 00:00:01.234567|"
                "-12.34|1000000000000000000000000000000000000|\\xFF\\xFE\n"
                "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
                "SELECT * FROM '%s'", fixture_path(f, "w.parquet"));
    assert_rows(f,
                "TINYINT|SMALLINT|FLOAT|DATE|TIMESTAMP WITH TIME ZONE|TIMESTAMP|DECIMAL(4,2)|"
                "DECIMAL(38,0)|BLOB",
                "SELECT typeof(i8), typeof(i16), typeof(f), typeof(d), typeof(t), typeof(n), "
                "typeof(small), typeof(wide), typeof(b) FROM '%s' LIMIT 1",
                fixture_path(f, "w.parquet"));
}

static void
test_write__takes_structs_of_many_fields(void **state)
{
    enum { FIELD_COUNT = 1000 };
    static char names[FIELD_COUNT][16];
    static dw_column_spec fields[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "f%zu", i);
        fields[i] = (dw_column_spec){.name = names[i], .kind = DW_VECTOR_I64};
    }
    const dw_column_spec wide = {
        .name = "s", .kind = DW_VECTOR_STRUCT, .children = fields, .child_count = FIELD_COUNT};
    fixture *f = *state;
    dw_engine *engine = dw__database_engine(f->database);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    assert_ok(engine->ops->write_parquet(engine, &wide, 1, no_batch, NULL, &bytes, &f->err),
              &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    assert_rows(f, "1002", "SELECT count(*) FROM parquet_schema('%s')",
                fixture_path(f, "w.parquet"));
}

static void
test_write__takes_more_rows_than_a_batch_and_none(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    source s = {5000, 0, DW_OK, false};
    assert_ok(write_rows(f, &s, &bytes), &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    assert_rows(f, "5000|49980", "SELECT count(*), max(add.size) FROM '%s'",
                fixture_path(f, "w.parquet"));
    dw__strbuf_clear(&bytes);
    s = (source){0, 0, DW_OK, false};
    assert_ok(write_rows(f, &s, &bytes), &f->err);
    dwt_write_file(f->dir.path, "w.parquet", dw__strbuf_str(&bytes));
    assert_rows(f, "0", "SELECT count(*) FROM '%s'", fixture_path(f, "w.parquet"));
}

static void
test_write__passes_on_the_failure_of_its_source(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 1 << 26);
    source s = {5000, 0, DW_CONFLICT, false};
    assert_error(write_rows(f, &s, &bytes), DW_CONFLICT, "SOURCE", &f->err);
    s = (source){10, 0, DW_OK, true};
    assert_error(write_rows(f, &s, &bytes), DW_INVALID_ARGUMENT, "TEXT_INVALID", &f->err);
}

static void
test_write__refuses_more_bytes_than_the_buffer_may_hold(void **state)
{
    fixture *f = *state;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), 100);
    source s = {100, 0, DW_OK, false};
    assert_int_not_equal(write_rows(f, &s, &bytes), DW_OK);
}

/* ---- Out of memory --------------------------------------------------------------------------- */

static void
run_with_failing_allocations(fixture *f, dw_status (*operation)(fixture *f))
{
    assert_ok(operation(f), &f->err);
    bool has_failed = true;
    for (int64_t n = 1; has_failed; n++) {
        dwt_fault_allocator_fail_at(&f->world.memory, n, n % 2 == 0);
        dw_status status = operation(f);
        has_failed = dwt_fault_allocator_has_failed(&f->world.memory);
        dwt_fault_allocator_fail_at(&f->world.memory, 0, false);
        assert_true(status == DW_OK || status == DW_OUT_OF_MEMORY);
        assert_true(has_failed || status == DW_OK);
    }
}

static dw_status
read_once(fixture *f)
{
    dw_storage storage = directory(f);
    dw_parquet_read request = {
        .key = DW_STR("c.parquet"), .columns = columns, .column_count = COLUMN_COUNT};
    const char *text = NULL;
    return read_text(f, &storage, &request, &text);
}

static dw_status
write_once(fixture *f)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(&f->world.memory.allocator, 1 << 20);
    source s = {10, 0, DW_OK, false};
    return write_rows(f, &s, &bytes);
}

static void
test_parquet__survives_every_failed_allocation(void **state)
{
    fixture *f = *state;
    write_checkpoint(f);
    run_with_failing_allocations(f, read_once);
    run_with_failing_allocations(f, write_once);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read__gives_nested_columns_in_the_order_of_the_file),
        TEST(test_read__leaves_out_rows_without_the_required_column),
        TEST(test_read__leaves_out_rows_with_a_column_that_must_be_absent),
        TEST(test_read__makes_missing_columns_null),
        TEST(test_read__names_a_column_of_another_shape),
        TEST(test_read__says_when_there_is_no_file),
        TEST(test_read__refuses_damaged_files),
        TEST(test_read__takes_names_as_they_are),
        TEST(test_read__reads_objects_that_the_engine_cannot_open),
        TEST(test_read__stops_when_the_visitor_or_the_user_says_so),
        TEST(test_read__streams_many_row_groups_in_order),
        TEST(test_write__makes_a_file_that_reads_back),
        TEST(test_write__uses_the_types_of_the_columns),
        TEST(test_write__has_the_types_that_tables_have),
        TEST(test_write__takes_structs_of_many_fields),
        TEST(test_write__takes_more_rows_than_a_batch_and_none),
        TEST(test_write__passes_on_the_failure_of_its_source),
        TEST(test_write__refuses_more_bytes_than_the_buffer_may_hold),
        TEST(test_parquet__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
