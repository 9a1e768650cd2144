/*
 * What every storage must do, as one suite that each implementation runs. Its file gives setup and
 * teardown, which make and release a storage_fixture.
 *
 *     static const struct CMUnitTest tests[] = {STORAGE_CONTRACT_TESTS(setup, teardown), ...};
 */
#ifndef DWT_STORAGE_CONTRACT_H
#define DWT_STORAGE_CONTRACT_H

#include "support/test.h"

#include "storage/storage.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

typedef struct storage_fixture {
    dwt_env world;
    dw_storage *storage; /* empty */
    dwt_temp_dir dir;    /* for storages that need one */
    void *extra;
} storage_fixture;

void test_contract__gets_what_was_put(void **state);
void test_contract__keeps_bytes_of_every_value(void **state);
void test_contract__says_which_object_is_missing(void **state);
void test_contract__refuses_objects_beyond_the_limit(void **state);
void test_contract__reads_ranges(void **state);
void test_contract__put_replaces(void **state);
void test_contract__copies_an_object_once(void **state);
void test_contract__put_if_absent_keeps_the_first(void **state);
void test_contract__a_hint_is_an_object_that_is_never_replaced(void **state);
void test_contract__who_comes_second_goes_on_with_a_draft(void **state);
void test_contract__takes_odd_keys(void **state);
void test_contract__refuses_bad_keys_everywhere(void **state);
void test_contract__lists_in_bytewise_order(void **state);
void test_contract__lists_one_level_unless_told(void **state);
void test_contract__lists_nothing_where_nothing_is(void **state);
void test_contract__lists_from_a_key_on(void **state);
void test_contract__pages_of_any_size_add_up(void **state);
void test_contract__lists_like_the_model(void **state);
void test_contract__walks_over_what_is_entered(void **state);
void test_contract__a_failing_visitor_ends_the_walk(void **state);
void test_contract__head_tells_size_and_time(void **state);
void test_contract__removes(void **state);
void test_contract__syncs_what_is_there(void **state);
void test_contract__prepares_prefixes(void **state);
void test_contract__composes_objects_of_pieces(void **state);
void test_contract__one_thread_wins_each_key(void **state);
void test_contract__readers_see_whole_objects(void **state);

#define STORAGE_CONTRACT_TEST(name, setup, teardown)                                               \
    cmocka_unit_test_setup_teardown(test_contract__##name, setup, teardown)

#define STORAGE_CONTRACT_TESTS(setup, teardown)                                                    \
    STORAGE_CONTRACT_TEST(gets_what_was_put, setup, teardown),                                     \
        STORAGE_CONTRACT_TEST(keeps_bytes_of_every_value, setup, teardown),                        \
        STORAGE_CONTRACT_TEST(says_which_object_is_missing, setup, teardown),                      \
        STORAGE_CONTRACT_TEST(refuses_objects_beyond_the_limit, setup, teardown),                  \
        STORAGE_CONTRACT_TEST(reads_ranges, setup, teardown),                                      \
        STORAGE_CONTRACT_TEST(put_replaces, setup, teardown),                                      \
        STORAGE_CONTRACT_TEST(copies_an_object_once, setup, teardown),                             \
        STORAGE_CONTRACT_TEST(put_if_absent_keeps_the_first, setup, teardown),                     \
        STORAGE_CONTRACT_TEST(a_hint_is_an_object_that_is_never_replaced, setup, teardown),        \
        STORAGE_CONTRACT_TEST(who_comes_second_goes_on_with_a_draft, setup, teardown),             \
        STORAGE_CONTRACT_TEST(takes_odd_keys, setup, teardown),                                    \
        STORAGE_CONTRACT_TEST(refuses_bad_keys_everywhere, setup, teardown),                       \
        STORAGE_CONTRACT_TEST(lists_in_bytewise_order, setup, teardown),                           \
        STORAGE_CONTRACT_TEST(lists_one_level_unless_told, setup, teardown),                       \
        STORAGE_CONTRACT_TEST(lists_nothing_where_nothing_is, setup, teardown),                    \
        STORAGE_CONTRACT_TEST(lists_from_a_key_on, setup, teardown),                               \
        STORAGE_CONTRACT_TEST(pages_of_any_size_add_up, setup, teardown),                          \
        STORAGE_CONTRACT_TEST(lists_like_the_model, setup, teardown),                              \
        STORAGE_CONTRACT_TEST(walks_over_what_is_entered, setup, teardown),                        \
        STORAGE_CONTRACT_TEST(a_failing_visitor_ends_the_walk, setup, teardown),                   \
        STORAGE_CONTRACT_TEST(head_tells_size_and_time, setup, teardown),                          \
        STORAGE_CONTRACT_TEST(removes, setup, teardown),                                           \
        STORAGE_CONTRACT_TEST(syncs_what_is_there, setup, teardown),                               \
        STORAGE_CONTRACT_TEST(prepares_prefixes, setup, teardown),                                 \
        STORAGE_CONTRACT_TEST(composes_objects_of_pieces, setup, teardown),                        \
        STORAGE_CONTRACT_TEST(one_thread_wins_each_key, setup, teardown),                          \
        STORAGE_CONTRACT_TEST(readers_see_whole_objects, setup, teardown)

#endif
