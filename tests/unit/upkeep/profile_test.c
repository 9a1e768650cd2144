/*
 * What is kept of a profile: it reads back, and what somebody made of it is refused in one line.
 */
#include "support/test.h"

#include "support/fault_loop.h"

#include "upkeep/profile_json.h"

#include <inttypes.h>

static const char kept[] =
    "{\"format\":1,\"tableId\":\"t-1\",\"version\":7,\"commitTime\":1700000000000,"
    "\"time\":1700000001000,\"rows\":300,\"sampledRows\":300,\"files\":2,\"bytes\":4096,"
    "\"columns\":[{\"name\":\"amount\",\"type\":\"double\",\"count\":290,\"distinct\":40,"
    "\"min\":\"-1.5\",\"max\":\"9.0\",\"mean\":2.25,\"deviation\":0.5,"
    "\"quantiles\":[\"0.0\",\"1.0\",\"2.0\",\"3.0\",\"8.0\"],"
    "\"top\":[{\"value\":\"2.0\",\"count\":12}]},"
    "{\"name\":\"day\",\"type\":\"date\",\"count\":0,\"distinct\":-1,\"newest\":-5,\"top\":[]}]}\n";

static void
test_profile__reads_back_as_it_was_printed(void **state)
{
    (void) state;
    dw_profile profile;
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    assert_ok(dw__profile_parse(dw__str_from(kept), "p.json", &arena, &profile, &err), &err);
    assert_int_equal(profile.column_count, 2);
    assert_true(profile.columns[0].has_mean && !profile.columns[1].has_mean);
    assert_int_equal(profile.columns[1].newest_us, -5);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DW_PROFILE_BYTES_MAX);
    dw__profile_print(&profile, &text);
    assert_str(dw__strbuf_str(&text), kept);
}

/* The text with one place changed, and what is said of that. */
typedef struct edit {
    const char *from, *to, *said;
} edit;

static const edit edits[] = {
    {"\"format\":1", "\"format\":2", "expected format to be 1, found 2"},
    {"\"format\":1,", "", "expected format to be 1, found nothing"},
    {"\"tableId\":\"t-1\"", "\"tableId\":null", "expected tableId to be a string, found null"},
    {"\"version\":7", "\"version\":-7",
     "expected version to be a whole number from 0 on, found -7"},
    {"\"rows\":300", "\"rows\":99999999999999999999",
     "expected rows to be a whole number from 0 on, found 99999999999999999999"},
    {"\"rows\":300", "\"rows\":-9223372036854775808",
     "expected rows to be a whole number from 0 on, found -9223372036854775808"},
    {"\"rows\":300", "\"rows\":\"300\"",
     "expected rows to be a whole number from 0 on, found a string"},
    {"\"sampledRows\":300", "\"sampledRows\":301",
     "expected sampledRows to be a whole number from 0 to 300, found 301"},
    {"\"files\":2,", "", "expected files to be a whole number from 0 on, found nothing"},
    {"\"commitTime\":1700000000000", "\"commitTime\":1.5",
     "expected commitTime to be a whole number, found 1.5"},
    {"\"count\":290", "\"count\":301",
     "expected columns[0].count to be a whole number from 0 to 300, found 301"},
    {"\"count\":290", "\"count\":-1",
     "expected columns[0].count to be a whole number from 0 to 300, found -1"},
    {"\"name\":\"amount\"", "\"name\":{}",
     "expected columns[0].name to be a string, found an object"},
    {"\"type\":\"date\",", "", "expected columns[1].type to be a string, found nothing"},
    {"\"distinct\":40", "\"distinct\":-2",
     "expected columns[0].distinct to be a whole number from -1 on, found -2"},
    {"\"min\":\"-1.5\"", "\"min\":-1.5", "expected columns[0].min to be a string, found -1.5"},
    {"\"mean\":2.25", "\"mean\":1e999",
     "expected columns[0].mean to be a finite number, found 1e999"},
    {"\"mean\":2.25", "\"mean\":NaN", "p.json is not valid JSON"},
    {"\"deviation\":0.5", "\"deviation\":-0.5",
     "expected columns[0].deviation to be a finite number from 0 on, found -0.5"},
    {",\"8.0\"]", "]", "expected columns[0].quantiles to be an array of 5 strings, found an array"},
    {"\"8.0\"]", "8.0]", "expected columns[0].quantiles to be a string, found 8.0"},
    {"\"top\":[]", "\"top\":[1,2,3,4,5,6]",
     "expected columns[1].top to be an array of at most 5 values, found an array"},
    {"\"top\":[]", "\"top\":[[]]", "expected columns[1].value to be a string, found nothing"},
    {"\"newest\":-5", "\"newest\":true",
     "expected columns[1].newest to be a whole number, found a boolean"},
    {"\"columns\":[", "\"columns\":7,\"were\":[", "expected columns to be an array, found 7"},
    {",\"top\":[]}]}\n", ",\"top\":[", "p.json is not valid JSON"},
    {"{\"format\"", "[],{\"format\"", "p.json is not valid JSON"},
};

static void
check_edit(const edit *e)
{
    dw_profile profile;
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    const char *at = strstr(kept, e->from);
    assert_non_null(at);
    dw_str text =
        dw__arena_printf(&arena, "%.*s%s%s", (int) (at - kept), kept, e->to, at + strlen(e->from));
    dw_status status = dw__profile_parse(text, "p.json", &arena, &profile, &err);
    assert_int_equal(status, DW_CORRUPT);
    assert_message_has(&err, "p.json");
    assert_message_has(&err, e->said);
    assert_null(strchr(err.message, '\n'));
}

static void
test_profile__that_somebody_edited_is_refused_with_the_member(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        check_edit(&edits[i]);
    }
}

static void
test_profile__that_is_cut_anywhere_is_refused(void **state)
{
    (void) state;
    for (size_t len = 0; len + 2 < sizeof(kept); len++) {
        dw_profile profile;
        dw_error err = DW_ERROR_INIT;
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, dw__allocator_libc());
        dw_str text = dw__str_make(kept, len);
        assert_error(dw__profile_parse(text, "p.json", &arena, &profile, &err), DW_CORRUPT,
                     "JSON_INVALID", &err);
    }
}

static void
put_times(dw_strbuf *out, const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        dw__strbuf_append(out, dw__str_from(text));
    }
}

static void
check_limit(const char *before, const char *repeated, const char *closing, const char *after,
            const char *said)
{
    dw_profile profile;
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), DW_PROFILE_BYTES_MAX);
    put_times(&text, before, 1);
    put_times(&text, repeated, 10000);
    put_times(&text, closing, 10000);
    put_times(&text, after, 1);
    dw_status status = dw__profile_parse(dw__strbuf_str(&text), "p.json", &arena, &profile, &err);
    assert_int_equal(status, DW_CORRUPT);
    assert_message_has(&err, said);
}

static void
test_profile__beyond_its_limits_is_refused(void **state)
{
    (void) state;
    check_limit("", "[", "]", "", "200 levels");
    check_limit("{\"format\":1,\"tableId\":\"", "x", "", "\"}",
                "expected tableId to have at most 1024 bytes, found 10000");
    check_limit("{\"format\":1,\"tableId\":\"\",\"version\":0,\"commitTime\":0,\"time\":0,"
                "\"rows\":0,\"sampledRows\":0,\"files\":0,\"bytes\":0,\"columns\":[0",
                ",0", "", "]}", "expected at most 1000 columns, found 10001");
}

static dw_status
parse_kept(dwt_world *world, void *ctx, dw_error *err)
{
    (void) ctx;
    dw_profile profile;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, world->env->allocator);
    return dw__profile_parse(dw__str_from(kept), "p.json", &arena, &profile, err);
}

static void
test_profile__is_read_or_refused_without_memory(void **state)
{
    (void) state;
    dwt_fault_loop(&(dwt_fault_case){.operation = parse_kept, .faults = DWT_FAULTS_ALLOC});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile__reads_back_as_it_was_printed),
        cmocka_unit_test(test_profile__that_somebody_edited_is_refused_with_the_member),
        cmocka_unit_test(test_profile__that_is_cut_anywhere_is_refused),
        cmocka_unit_test(test_profile__beyond_its_limits_is_refused),
        cmocka_unit_test(test_profile__is_read_or_refused_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
