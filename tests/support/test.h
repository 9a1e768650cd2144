/*
 * What every test program includes first: cmocka with the headers it wants, and assertions for the
 * project's own types.
 *
 *     #include "support/test.h"
 *
 * More, each with its own header in tests/support:
 *     test_env.h         a deterministic dw_env that counts memory
 *     fault_allocator.h  fails the n-th allocation
 *     fault_loop.h       fails the 1st, 2nd, ... allocation or storage call of an operation
 *     hook_storage.h     a storage that asks before each call
 *     fault_storage.h    fails the n-th storage call, loses answers, crashes
 *     posix_faults.h     fails the n-th system call of its kind
 *     delta_log.h        writes small Delta logs
 *     temp_dir.h         a directory that goes away again
 */
#ifndef DWT_SUPPORT_TEST_H
#define DWT_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* The status is DW_OK; otherwise the test fails with the error's text. */
#define assert_ok(status, err) dwt_assert_ok((status), (err), __FILE__, __LINE__)
/* The call failed with that status and code, and says something. */
#define assert_error(actual, expected, expected_code, err)                                         \
    dwt_assert_error((actual), (expected), (expected_code), (err), __FILE__, __LINE__)
/* The error's message or context holds `text`. */
#define assert_message_has(err, text) dwt_assert_message_has((err), (text), __FILE__, __LINE__)
/* A dw_str equals a C string. */
#define assert_str(actual, expected) dwt_assert_str((actual), (expected), __FILE__, __LINE__)

/* These are for the macros above. */
void dwt_assert_ok(dw_status status, const dw_error *err, const char *file, int line);
void dwt_assert_error(dw_status actual, dw_status expected, const char *expected_code,
                      const dw_error *err, const char *file, int line);
void dwt_assert_message_has(const dw_error *err, const char *text, const char *file, int line);
void dwt_assert_str(dw_str actual, const char *expected, const char *file, int line);

#endif
