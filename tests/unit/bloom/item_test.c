/*
 * What values of conditions are in filters.
 */
#include "support/test.h"

#include "bloom/item.h"

static const dw_type long_type = {.kind = DW_TYPE_LONG};
static const dw_type float_type = {.kind = DW_TYPE_FLOAT};
static const dw_type decimal_type = {.kind = DW_TYPE_DECIMAL, .precision = 10, .scale = 2};

static dw_item
of_integer(int64_t value, const char *then)
{
    dw_value held = {.kind = DW_VALUE_I64, .as.i64 = value};
    return dw__item_of_value(&held, &long_type, dw__str_from(then));
}

static void
test_item__of_a_widened_column_is_one_of_the_narrower_type(void **state)
{
    (void) state;
    assert_true(of_integer(7, "bigint").hash == dw__item_of_i64(7));
    assert_true(of_integer(7, "int").hash == dw__item_of_i32(7));
    assert_true(of_integer(-7, "tinyint").hash == dw__item_of_i32(-7));
    assert_int_equal(of_integer(INT64_C(1) << 40, "int").kind, DW_ITEM_NOWHERE);
    assert_int_equal(of_integer(128, "tinyint").kind, DW_ITEM_NOWHERE);
    assert_int_equal(of_integer(7, "string").kind, DW_ITEM_UNKNOWN);
    assert_int_equal(of_integer(7, "decimal(10,0)").kind, DW_ITEM_UNKNOWN);
}

static void
test_item__is_unknown_where_a_value_is_not_of_the_type(void **state)
{
    (void) state;
    dw_value tenth = {.kind = DW_VALUE_DOUBLE, .as.f64 = 0.1};
    dw_value half = {.kind = DW_VALUE_DOUBLE, .as.f64 = 0.5};
    dw_value decimal = {.kind = DW_VALUE_DECIMAL, .scale = 2, .as.i128 = 150};
    dw_value other = {.kind = DW_VALUE_DECIMAL, .scale = 1, .as.i128 = 15};
    assert_int_equal(dw__item_of_value(&tenth, &float_type, DW_STR("float")).kind, DW_ITEM_UNKNOWN);
    assert_true(dw__item_of_value(&half, &float_type, DW_STR("float")).hash ==
                dw__item_of_float(0.5f));
    assert_true(dw__item_of_value(&decimal, &decimal_type, DW_STR("decimal(10,2)")).hash ==
                dw__item_of_i64(150));
    assert_int_equal(dw__item_of_value(&other, &decimal_type, DW_STR("decimal(10,2)")).kind,
                     DW_ITEM_UNKNOWN);
    assert_int_equal(dw__item_of_value(&decimal, &decimal_type, DW_STR("decimal(9,2)")).kind,
                     DW_ITEM_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_item__of_a_widened_column_is_one_of_the_narrower_type),
        cmocka_unit_test(test_item__is_unknown_where_a_value_is_not_of_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
