/*
 * Scans over files some of whose rows are deleted.
 */
#include "table_world.h"

#include "codec/codec.h"
#include "codec/roaring.h"

/* ---- Deleted rows ---------------------------------------------------------------------------- */

/* The rows [first, first + count) by steps of `step`, framed as in a file of deletion vectors. */
static dw_str
frame_rows(table_world *world, uint64_t first, uint64_t count, uint64_t step)
{
    dw_rowset *rows;
    dw_str payload;
    assert_ok(dw__rowset_new(world->test.env.allocator, &rows, &world->err), &world->err);
    for (uint64_t i = 0; i < count; i++) {
        assert_ok(dw__rowset_add(rows, first + i * step, &world->err), &world->err);
    }
    assert_ok(dw__rowset_serialize(rows, &world->arena, &payload, &world->err), &world->err);
    dw__rowset_free(rows);
    char *bytes = dw__arena_alloc_bytes(&world->arena, payload.len + 9);
    assert_non_null(bytes);
    uint32_t crc = dw__crc32(payload);
    bytes[0] = 1;
    for (size_t i = 0; i < 4; i++) {
        bytes[1 + i] = (char) (payload.len >> (24 - 8 * i));
        bytes[5 + payload.len + i] = (char) (crc >> (24 - 8 * i));
    }
    memcpy(bytes + 5, payload.ptr, payload.len);
    return dw__str_make(bytes, payload.len + 9);
}

#define DV_KEY "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"

/* The member of an add for a vector of `size` bytes at offset 1 of DV_KEY. */
static void
describe_vector(char text[512], size_t size, int cardinality)
{
    snprintf(text, 512,
             "\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":"
             "\"ab^-aqEH.-t@S}K{vb[*k^\",\"offset\":1,\"sizeInBytes\":%zu,\"cardinality\":%d}",
             size, cardinality);
}

/* A table of 10,000 rows in row groups of 2,048, of which every hundredth is deleted. */
static void
make_deleted(table_world *world, dw_str vector, int cardinality)
{
    dwt_commit commit;
    char more[512];
    table_world_run(world,
                    "COPY (SELECT i::INTEGER AS i, i %% 7 AS k FROM range(10000) t(i)) TO "
                    "'%s/a.parquet' (ROW_GROUP_SIZE 2048)",
                    world->dir.path);
    table_world_write(world, "b.parquet", "SELECT 20000 AS i, 0::BIGINT AS k");
    dwt_put(world->storage, DV_KEY, vector);
    describe_vector(more, vector.len - 9, cardinality);
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("i", "integer") NEXT("k", "long")), NULL,
                       NULL);
    table_world_add(world, &commit, "a.parquet", NULL, NULL, more);
    table_world_add(world, &commit, "b.parquet", NULL, NULL, NULL);
    table_world_commit(world, &commit, 0);
}

static void
test_scan__leaves_deleted_rows_out_across_row_groups_and_filters(void **state)
{
    table_world *world = *state;
    make_deleted(world, frame_rows(world, 0, 100, 100), 100);
    for (int round = 0; round < 2; round++) {
        assert_query(world, "9901", "SELECT count(*) FROM t");
        assert_query(world, "0", "SELECT count(*) FROM t WHERE i % 100 = 0 AND i < 10000");
        assert_query(world, "9999", "SELECT i FROM t WHERE i BETWEEN 9999 AND 19999");
        assert_query(world, "5901", "SELECT min(i) FROM t WHERE i >= 5900");
        /* 99 of 5900 .. 5999, and only the first of the next row group is deleted. */
        assert_query(world, "99", "SELECT count(*) FROM t WHERE i >= 5900 AND i < 6000");
    }
}

static void
test_scan__reads_deletion_vectors_that_stand_in_the_log(void **state)
{
    table_world *world = *state;
    dwt_commit commit;
    char more[1024];
    dw_str encoded;
    dw_str framed = frame_rows(world, 1, 2, 2);
    size_t size = framed.len - 9;
    char *padded = dw__arena_alloc_zero(&world->arena, size + 4);
    memcpy(padded, framed.ptr + 5, size);
    assert_ok(dw__z85_encode(&world->arena, dw__str_make(padded, (size + 3) / 4 * 4), &encoded,
                             &world->err),
              &world->err);
    dw_strbuf json = dw__strbuf_make(world->test.env.allocator, 4096);
    dw__json_put_string(&json, encoded);
    snprintf(more, sizeof(more),
             "\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":%s,\"sizeInBytes\":%zu,"
             "\"cardinality\":2}",
             dw__strbuf_cstr(&json), size);
    dw__strbuf_deinit(&json);
    table_world_write(world, "a.parquet", "SELECT i::INTEGER AS i FROM range(5) t(i)");
    table_world_create(world, &commit, DWT_SCHEMA(FIELD("i", "integer")), NULL, NULL);
    table_world_add(world, &commit, "a.parquet", NULL, NULL, more);
    table_world_commit(world, &commit, 0);
    assert_query(world, "0\n2\n4", "SELECT i FROM t ORDER BY i");
}

static void
expect_damaged(table_world *world, const char *code, const char *text)
{
    dw_status status = table_world_fail(world, "SELECT * FROM t");
    assert_error(status, DW_CORRUPT, code, &world->err);
    assert_message_has(&world->err, text);
    assert_message_has(&world->err, "a.parquet");
}

static void
test_scan__refuses_damaged_deletion_vectors(void **state)
{
    table_world *world = *state;
    dw_str good = frame_rows(world, 0, 100, 100);
    char *bytes = dw__arena_alloc_bytes(&world->arena, good.len);
    make_deleted(world, good, 99);
    expect_damaged(world, "DV_INVALID", "cardinality of 99, found 100");
    for (size_t at = 0; at < good.len; at += good.len / 9) {
        memcpy(bytes, good.ptr, good.len);
        bytes[at] = (char) (bytes[at] ^ 0x41);
        dwt_put(world->storage, DV_KEY, dw__str_make(bytes, good.len));
        expect_damaged(world, "DV_INVALID", DV_KEY);
    }
    dwt_put(world->storage, DV_KEY, dw__str_slice(good, 0, good.len - 1));
    expect_damaged(world, "DV_INVALID", "size");
    assert_ok(dw__storage_remove(world->storage, DW_STR(DV_KEY), &world->err), &world->err);
    expect_damaged(world, "DV_MISSING", DV_KEY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(test_scan__leaves_deleted_rows_out_across_row_groups_and_filters),
        TABLE_TEST(test_scan__reads_deletion_vectors_that_stand_in_the_log),
        TABLE_TEST(test_scan__refuses_damaged_deletion_vectors),
    };
    return cmocka_run_group_tests_name("deleted", tests, NULL, NULL);
}
