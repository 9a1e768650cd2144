/*
 * Index files: what was written is read, and what is damaged is not.
 */
#include "support/test.h"

#include "bloom_world.h"
#include "support/fault_loop.h"

#include <stdlib.h>

enum { FILE_COUNT = 2000 };

static dw_strbuf
print(int64_t count)
{
    dw_error err = DW_ERROR_INIT;
    dw_strbuf bytes = dw__strbuf_make(dw__allocator_libc(), (size_t) 64 << 20);
    assert_ok(dwt_index_print(dw__allocator_libc(), 0, count, &bytes, &err), &err);
    return bytes;
}

static dw_status
parse(dw_str bytes, dw_index *out, dw_error *err)
{
    dw_index_head head;
    DW_TRY(dw__index_head_parse(dw__str_slice(bytes, 0, DW_INDEX_HEAD_BYTES), &head, err));
    return dw__index_parse(
        &head, dw__str_slice(bytes, DW_INDEX_HEAD_BYTES, (size_t) head.directory_bytes), out, err);
}

static uint64_t
find(const dw_index *index, const dw_index_key *key)
{
    uint64_t i = 0;
    while (i < index->head.entry_count) {
        dw_index_key there = dw__index_entry_key(index, i);
        if (dw__index_key_compare(&there, key) == 0) {
            break;
        }
        i++;
    }
    return i;
}

static void
test_index_file__has_the_filters_that_were_put_in(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    dw_index index;
    dw_strbuf bytes = print(FILE_COUNT);
    assert_ok(parse(dw__strbuf_str(&bytes), &index, &err), &err);
    assert_int_equal(index.head.entry_count, FILE_COUNT);
    assert_int_equal(dw__index_find_column(&index, DW_STR("a")), 0);
    assert_true(dw__index_find_column(&index, DW_STR("b")) == SIZE_MAX);
    for (int64_t i = 0; i < FILE_COUNT; i += 7) {
        dw_index_key key = dwt_index_key(i);
        uint64_t entry = find(&index, &key);
        assert_true(entry < FILE_COUNT);
        dw_index_filter filter = dw__index_entry_filter(&index, entry, 0);
        const uint8_t *at = (const uint8_t *) bytes.ptr + index.head.filters_offset + filter.offset;
        uint64_t item = dw__item_of_i64(DWT_ITEMS_A_FILE * i);
        size_t block = dw__bloom_block((size_t) filter.size, item);
        assert_true(dw__bloom_block_has(at + block * DW_BLOOM_BLOCK_BYTES, item));
    }
    for (uint64_t i = 0; i < index.page_count; i++) {
        assert_true(dw__index_page_is_sound(
            &index, i,
            (const uint8_t *) bytes.ptr + index.head.filters_offset + i * index.head.page_bytes));
    }
    dw_index_key other = dwt_index_key(3);
    other.modified_ms++;
    assert_int_equal(find(&index, &other), FILE_COUNT);
    dw__strbuf_deinit(&bytes);
}

static void
test_index_file__puts_entries_of_one_data_file_together(void **state)
{
    (void) state;
    dw_error err = DW_ERROR_INIT;
    dw_index index;
    dw_index_writer *writer;
    dw_index_column columns[] = {{.name = DW_STR("a"), .type = DW_STR("int")},
                                 {.name = DW_STR("b"), .type = DW_STR("string")}};
    dw_strbuf bytes = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 20);
    dw_index_key key = dwt_index_key(1);
    static const char filter[32] = {1};
    assert_ok(dw__index_writer_new(dw__allocator_libc(), columns, 2, &writer, &err), &err);
    assert_ok(dw__index_writer_add(writer, &key, &err), &err);
    assert_ok(dw__index_writer_put(writer, 0, dw__str_make(filter, 32), &err), &err);
    assert_ok(dw__index_writer_add(writer, &key, &err), &err);
    assert_ok(dw__index_writer_put(writer, 1, DW_STR(""), &err), &err);
    assert_ok(dw__index_writer_print(writer, &bytes, &err), &err);
    dw__index_writer_free(writer);
    assert_ok(parse(dw__strbuf_str(&bytes), &index, &err), &err);
    assert_int_equal(index.head.entry_count, 1);
    assert_true(dw__index_filter_is_there(dw__index_entry_filter(&index, 0, 0)));
    assert_true(dw__index_entry_filter(&index, 0, 1).offset == DW_INDEX_NOT_KEPT);
    dw__strbuf_deinit(&bytes);
}

static void
test_index_file__is_refused_when_a_bit_of_its_directory_is_wrong(void **state)
{
    (void) state;
    dw_index index;
    dw_strbuf bytes = print(5);
    dw_error err = DW_ERROR_INIT;
    assert_ok(parse(dw__strbuf_str(&bytes), &index, &err), &err);
    for (size_t i = 0; i < index.head.filters_offset; i++) {
        bytes.ptr[i] = (char) (bytes.ptr[i] ^ 4);
        assert_error(parse(dw__strbuf_str(&bytes), &index, &err), DW_CORRUPT, "INDEX_FILE_INVALID",
                     &err);
        dw__error_clear(&err);
        bytes.ptr[i] = (char) (bytes.ptr[i] ^ 4);
    }
    assert_error(parse(dw__str_slice(dw__strbuf_str(&bytes), 0, 200), &index, &err), DW_CORRUPT,
                 "INDEX_FILE_INVALID", &err);
    dw__strbuf_deinit(&bytes);
}

static dw_status
print_world(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(world->env->allocator, (size_t) 1 << 20);
    return dwt_index_print(world->env->allocator, 0, 3, &bytes, err);
}

static void
test_index_file__survives_a_lack_of_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = print_world, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_file__has_the_filters_that_were_put_in),
        cmocka_unit_test(test_index_file__puts_entries_of_one_data_file_together),
        cmocka_unit_test(test_index_file__is_refused_when_a_bit_of_its_directory_is_wrong),
        cmocka_unit_test(test_index_file__survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
