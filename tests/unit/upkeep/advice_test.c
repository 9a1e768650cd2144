/*
 * The choice of clustering columns, from made-up use.
 */
#include "support/test.h"

#include "upkeep/advice.h"

static dw_advice_use
used(double count, double share)
{
    return (dw_advice_use){.use_count = count, .share = share, .is_eligible = true};
}

static void
test_advice__takes_the_column_that_is_used(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 1), used(1, 1)};
    dw_advice_choice choice = dw__advice_choose(uses, 2, 25);
    assert_int_equal(choice.count, 1);
    assert_int_equal(choice.items[0], 0);
    assert_true(choice.is_better);
    assert_true(choice.share > 0.039 && choice.share < 0.041);
}

static void
test_advice__takes_several_columns_that_are_used_alike(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 1), used(18, 1), used(1, 1)};
    dw_advice_choice choice = dw__advice_choose(uses, 3, 100);
    assert_int_equal(choice.count, 2);
    assert_int_equal(choice.items[1], 1);
    assert_true(choice.share > 0.099 && choice.share < 0.101);
}

static void
test_advice__takes_four_columns_at_most(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(9, 1), used(9, 1), used(9, 1), used(9, 1), used(9, 1)};
    assert_int_equal(dw__advice_choose(uses, 5, 100000).count, 4);
}

static void
test_advice__leaves_out_columns_that_rows_cannot_be_ordered_by(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 1), used(10, 1)};
    uses[0].is_eligible = false;
    dw_advice_choice choice = dw__advice_choose(uses, 2, 1000);
    assert_int_equal(choice.count, 1);
    assert_int_equal(choice.items[0], 1);
}

static void
test_advice__does_not_choose_for_few_files_or_no_use(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 1)};
    assert_false(dw__advice_choose(uses, 1, 1).is_better);
    assert_false(dw__advice_choose(uses, 1, 0).is_better);
    assert_false(dw__advice_choose(uses, 0, 100).is_better);
}

static void
test_advice__keeps_files_that_are_in_order_already(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 0.04)};
    assert_false(dw__advice_choose(uses, 1, 25).is_better);
}

static void
test_advice__keeps_columns_that_wait_for_optimize(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(20, 1)};
    uses[0].is_present = true;
    assert_false(dw__advice_choose(uses, 1, 25).is_better);
}

static void
test_advice__does_not_change_its_mind_for_a_little_more_use(void **state)
{
    (void) state;
    dw_advice_use uses[] = {used(21, 1), used(20, 0.04)};
    uses[1].is_present = true;
    dw_advice_choice choice = dw__advice_choose(uses, 1 + 1, 4);
    assert_true(!choice.is_better || choice.count == 2);
    dw_advice_use much_more[] = {used(200, 1), used(5, 0.04)};
    much_more[1].is_present = true;
    choice = dw__advice_choose(much_more, 2, 25);
    assert_true(choice.is_better);
    assert_int_equal(choice.items[0], 0);
}

/* What was chosen and followed is what there is: the same use then finds nothing better. */
static void
test_advice__is_content_with_what_it_chose(void **state)
{
    (void) state;
    for (double second = 1; second < 40; second++) {
        for (double files = 2; files < 5000; files *= 3) {
            dw_advice_use uses[] = {used(40, 1), used(second, 1), used(1, 1)};
            dw_advice_choice first = dw__advice_choose(uses, 3, files);
            for (size_t i = 0; i < first.count; i++) {
                uses[first.items[i]].is_present = true;
            }
            assert_false(first.count > 0 && dw__advice_choose(uses, 3, files).is_better);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_advice__takes_the_column_that_is_used),
        cmocka_unit_test(test_advice__takes_several_columns_that_are_used_alike),
        cmocka_unit_test(test_advice__takes_four_columns_at_most),
        cmocka_unit_test(test_advice__leaves_out_columns_that_rows_cannot_be_ordered_by),
        cmocka_unit_test(test_advice__does_not_choose_for_few_files_or_no_use),
        cmocka_unit_test(test_advice__keeps_files_that_are_in_order_already),
        cmocka_unit_test(test_advice__keeps_columns_that_wait_for_optimize),
        cmocka_unit_test(test_advice__does_not_change_its_mind_for_a_little_more_use),
        cmocka_unit_test(test_advice__is_content_with_what_it_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
