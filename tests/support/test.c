/*
 * Assertions that say what they found.
 */
#include "support/test.h"

static void
fail_at(const char *file, int line)
{
    _fail(file, line);
}

void
dwt_assert_ok(dw_status status, const dw_error *err, const char *file, int line)
{
    if (status != DW_OK) {
        print_error("expected OK, found %s: %s: %s (%s)\n", dw_status_name(status),
                    err == NULL ? "" : err->code, err == NULL ? "" : err->message,
                    err == NULL ? "" : err->context);
        fail_at(file, line);
    }
}

void
dwt_assert_error(dw_status actual, dw_status expected, const char *expected_code,
                 const dw_error *err, const char *file, int line)
{
    bool same = actual == expected && err->status == expected &&
                strcmp(err->code, expected_code) == 0 && err->message[0] != '\0';
    if (!same) {
        print_error("expected %s: %s, found %s: %s: %s (%s)\n", dw_status_name(expected),
                    expected_code, dw_status_name(actual), err->code, err->message, err->context);
        fail_at(file, line);
    }
}

void
dwt_assert_message_has(const dw_error *err, const char *text, const char *file, int line)
{
    if (strstr(err->message, text) == NULL && strstr(err->context, text) == NULL) {
        print_error("expected \"%s\" in: %s (%s)\n", text, err->message, err->context);
        fail_at(file, line);
    }
}

void
dwt_assert_str(dw_str actual, const char *expected, const char *file, int line)
{
    if (actual.ptr == NULL || !dw__str_equal(actual, dw__str_from(expected))) {
        print_error("expected \"%s\", found \"%.*s\"%s\n", expected, DW_STR_ARG(actual),
                    actual.ptr == NULL ? " (the null string)" : "");
        fail_at(file, line);
    }
}
