/*
 * Writing the audit log: what a record says, files that follow one another, locks, keys, and what
 * happens when it cannot be written.
 */
#include "audit_world.h"

#include "support/fault_loop.h"

#include "audit/append.h"
#include "codec/json.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 4
#define STATEMENTS_A_THREAD 50

/* ---- Digests --------------------------------------------------------------------------------- */

static void
test_sha256__is_that_of_the_standard(void **state)
{
    (void) state;
    char text[DW_SHA256_TEXT_SIZE];
    dw__sha256_text(DW_STR("abc"), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    dw__sha256_text(DW_STR(""), text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, cases 2 and 6. */
static void
test_hmac__is_that_of_the_standard(void **state)
{
    (void) state;
    char text[DW_SHA256_TEXT_SIZE];
    char long_key[131];
    memset(long_key, 0xaa, sizeof(long_key));
    dw__hmac_sha256_text(DW_STR("Jefe"), DW_STR("what do ya want for nothing?"), text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    dw__hmac_sha256_text(dw__str_make(long_key, sizeof(long_key)),
                         DW_STR("Test Using Larger Than Block-Size Key - Hash Key First"), text);
    assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* ---- Records --------------------------------------------------------------------------------- */

typedef struct seen {
    char text[1 << 16];
    size_t count;
} seen;

static dw_status
see(void *ctx, dw_str line, dw_error *err)
{
    (void) err;
    seen *s = ctx;
    snprintf(s->text, sizeof(s->text), "%.*s", DW_STR_ARG(line));
    s->count++;
    return DW_OK;
}

static dw_audit_query
query_all(const audit_world *w)
{
    return (dw_audit_query){.path = dw__str_from(w->path),
                            .since_us = INT64_MIN,
                            .until_us = INT64_MAX,
                            .table = DW_STR_NULL,
                            .user = DW_STR_NULL};
}

static void
test_record__says_who_did_what_when(void **state)
{
    audit_world *w = *state;
    seen found = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    dw_audit_spec spec = audit_spec(w, false);
    spec.user = DW_STR("nightly \"load\"");
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 7);
    dw_audit_query query = query_all(w);
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_int_equal(found.count, 2);
    static const char *const parts[] = {"{\"number\":2,\"time\":\"2024-01-01T00:00:",
                                        "\"userId\":",
                                        "\"name\":\"nightly \\\"load\\\"\"",
                                        "\"outcome\":\"committed\",\"started\":1",
                                        "\"table\":\"/data/t\"",
                                        "\"readVersion\":6,\"version\":7",
                                        "\"rowsInserted\":1",
                                        "\"prev\":\"",
                                        "\"hash\":\""};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(found.text, parts[i]) == NULL) {
            fail_msg("%s lacks %s", found.text, parts[i]);
        }
    }
    query.table = DW_STR("t");
    query.limit = 1;
    found.count = 0;
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_int_equal(found.count, 1);
    query.table = DW_STR("data");
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_int_equal(found.count, 1);
    dw__audit_close(audit);
}

static void
test_record__of_a_user_without_a_name_is_found_by_the_number(void **state)
{
    audit_world *w = *state;
    seen found = {.count = 0};
    int64_t number;
    dw_error err = DW_ERROR_INIT;
    dw_identity identity = {.user = "", .user_id = 5002};
    dw_audit_target target = {.env = &w->test.env,
                              .path = dw__str_from(w->path),
                              .key = DW_STR_NULL,
                              .file_bytes_max = DW_AUDIT_FILE_BYTES_MIN,
                              .identity = &identity};
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    assert_ok(dw__audit_append(&target, &event, false, &number, &err), &err);
    dw_audit_query query = query_all(w);
    query.user = DW_STR("5002");
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_int_equal(found.count, 1);
    query.user = DW_STR("5003");
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_int_equal(found.count, 1);
}

static void
test_record__keeps_the_beginning_and_the_digest_of_a_long_statement(void **state)
{
    audit_world *w = *state;
    seen found = {.count = 0};
    dw_error err = DW_ERROR_INIT;
    int64_t number;
    char *text = malloc(3 * DW_AUDIT_STATEMENT_BYTES_MAX);
    memset(text, 'x', 3 * DW_AUDIT_STATEMENT_BYTES_MAX);
    memcpy(text + DW_AUDIT_STATEMENT_BYTES_MAX - 1, "\xc3\xa9", 2); /* across the limit */
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit *audit = audit_open(w, &spec);
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    event.statement = dw__str_make(text, 3 * DW_AUDIT_STATEMENT_BYTES_MAX);
    event.verb = DW_STR("INSERT");
    event.table_path = event.table_id = event.user = event.session = event.code = DW_STR_NULL;
    assert_ok(dw__audit_begin(audit, &event, &number, &err), &err);
    dw_audit_query query = query_all(w);
    assert_ok(dw__audit_lines(&w->test.env, &query, see, &found, &err), &err);
    assert_non_null(strstr(found.text, "xxx\",\"statementBytes\":49152,\"statementSha256\":\""));
    assert_null(strstr(found.text, "\xef\xbf\xbd"));
    dw__audit_close(audit);
    free(text);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
test_files__continue_one_another(void **state)
{
    audit_world *w = *state;
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, false);
    dw_audit *audit = audit_open(w, &spec);
    for (int64_t i = 1; i <= 40; i++) {
        audit_add(audit, i);
    }
    dw_audit_verdict verdict = audit_check(w, &verify_spec);
    assert_int_equal(verdict.record_count, 80);
    assert_int_equal(verdict.error_count + verdict.note_count, 0);
    char path[DWT_PATH_SIZE + 64];
    snprintf(path, sizeof(path), "%s.%09d", w->path, 5);
    assert_int_equal(access(path, F_OK), 0);
    dw__audit_close(audit);
}

static void
test_files__that_are_new_are_for_the_users_of_the_full_one(void **state)
{
    audit_world *w = *state;
    struct stat found;
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 1);
    assert_int_equal(stat(w->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(chmod(w->path, 0660), 0);
    for (int64_t i = 2; i <= 20; i++) {
        audit_add(audit, i);
    }
    assert_int_equal(stat(w->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    dw__audit_close(audit);
}

/* What is old may be kept elsewhere: the anchor of its last record stands for it. */
static void
test_anchor__stands_for_files_that_are_kept_elsewhere(void **state)
{
    audit_world *w = *state;
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, false);
    char path[DWT_PATH_SIZE + 64];
    snprintf(path, sizeof(path), "%s.%09d", w->path, 1);
    dw_audit *audit = audit_open(w, &spec);
    for (int64_t i = 1; i <= 20; i++) {
        audit_add(audit, i);
    }
    size_t len;
    char *bytes = dwt_read_file(w->dir.path, "audit.jsonl.000000001", &len);
    for (size_t i = 0; i < len; i++) {
        verify_spec.anchor_count += bytes[i] == '\n';
    }
    assert_int_equal(unlink(path), 0);
    int64_t count = verify_spec.anchor_count;
    verify_spec.anchor_count = 0;
    assert_true(audit_check(w, &verify_spec).error_count > 0);
    verify_spec.anchor_count = count;
    verify_spec.anchor_hash = dw__str_make(bytes + len - 67, 64);
    assert_int_equal(audit_check(w, &verify_spec).error_count, 0);
    verify_spec.anchor_count = count - 1;
    assert_true(audit_check(w, &verify_spec).error_count > 0);
    free(bytes);
    dw__audit_close(audit);
}

static void
test_anchor__finds_a_log_that_was_written_anew(void **state)
{
    audit_world *w = *state;
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, false);
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 1);
    dw_audit_verdict old = audit_check(w, &verify_spec);
    dwt_remove_tree(w->path);
    char head[DWT_PATH_SIZE + 64];
    snprintf(head, sizeof(head), "%s.head", w->path);
    dwt_remove_tree(head);
    audit_add(audit, 1);
    audit_add(audit, 2);
    assert_int_equal(audit_check(w, &verify_spec).error_count, 0); /* nothing tells */
    verify_spec.anchor_count = old.record_count;
    verify_spec.anchor_hash = dw__str_from(old.last_hash);
    assert_int_equal(audit_check(w, &verify_spec).error_count, 1);
    dw__audit_close(audit);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void
test_key__finds_a_chain_that_was_made_again(void **state)
{
    audit_world *w = *state;
    dw_audit_spec with_key = audit_spec(w, true);
    dw_audit_spec without = audit_spec(w, false);
    dw_audit_verify_spec check = audit_verify_spec(w, true);
    dw_audit *audit = audit_open(w, &with_key);
    audit_add(audit, 1);
    assert_int_equal(audit_check(w, &check).error_count, 0);
    dw__audit_close(audit);
    char head[DWT_PATH_SIZE + 64];
    snprintf(head, sizeof(head), "%s.head", w->path);
    dwt_remove_tree(w->path);
    dwt_remove_tree(head);
    audit = audit_open(w, &without); /* the forger has no key */
    audit_add(audit, 1);
    dw__audit_close(audit);
    check.key_path = DW_STR_NULL;
    assert_int_equal(audit_check(w, &check).error_count, 0);
    check.key_path = dw__str_from(w->key_path);
    assert_true(audit_check(w, &check).error_count > 0);
}

/* Older records without a MAC are those of before there was a key, or of a forger. */
static void
test_key__is_told_where_it_was_first_used(void **state)
{
    audit_world *w = *state;
    dw_audit_spec with_key = audit_spec(w, true);
    dw_audit_spec without = audit_spec(w, false);
    dw_audit_verify_spec check = audit_verify_spec(w, true);
    dw_audit *audit = audit_open(w, &without);
    audit_add(audit, 1);
    dw__audit_close(audit);
    audit = audit_open(w, &with_key);
    audit_add(audit, 2);
    dw__audit_close(audit);
    dw_audit_verdict verdict = audit_check(w, &check);
    assert_int_equal(verdict.record_count, 4);
    assert_int_equal(verdict.error_count, 0);
    assert_int_equal(verdict.note_count, 1);
    check.key_path = DW_STR_NULL;
    assert_int_equal(audit_check(w, &check).note_count, 0);
}

static void
test_key__is_needed_where_records_have_a_mac(void **state)
{
    audit_world *w = *state;
    dw_error err = DW_ERROR_INIT;
    dw_audit_spec spec = audit_spec(w, true);
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 1);
    dw__audit_close(audit);
    spec.key_path = DW_STR_NULL;
    spec.is_required = true;
    audit = audit_open(w, &spec);
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    int64_t number;
    assert_error(dw__audit_begin(audit, &event, &number, &err), DW_IO, "AUDIT_LOG_UNWRITABLE",
                 &err);
    assert_message_has(&err, "no key is given");
    dw__audit_close(audit);
}

static void
test_key__that_is_short_is_refused(void **state)
{
    audit_world *w = *state;
    dw_error err = DW_ERROR_INIT;
    dw_audit_spec spec = audit_spec(w, true);
    dw_audit *audit;
    dwt_write_file(w->dir.path, "key", DW_STR("short\n"));
    assert_error(dw__audit_open(&w->test.env, &spec, &audit, &err), DW_INVALID_ARGUMENT,
                 "AUDIT_KEY_INVALID", &err);
}

/* ---- What cannot be written ------------------------------------------------------------------ */

static void
test_begin__is_refused_only_where_the_log_is_required(void **state)
{
    audit_world *w = *state;
    dw_error err = DW_ERROR_INIT;
    int64_t number;
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    dw_audit_spec spec = audit_spec(w, false);
    spec.path = DW_STR("/nowhere/at/all.jsonl");
    dw_audit *audit = audit_open(w, &spec);
    assert_ok(dw__audit_begin(audit, &event, &number, &err), &err);
    assert_int_equal(number, 0);
    assert_non_null(strstr(w->test.log, "warn: a record is missing in the audit log /nowhere"));
    event.outcome = DW_AUDIT_DONE;
    dw__audit_end(audit, &event); /* nothing is said twice */
    dw__audit_close(audit);
    spec.is_required = true;
    audit = audit_open(w, &spec);
    event.outcome = DW_AUDIT_STARTED;
    assert_error(dw__audit_begin(audit, &event, &number, &err), DW_IO, "AUDIT_LOG_UNWRITABLE",
                 &err);
    assert_message_has(&err, "nothing was done");
    dw__audit_close(audit);
}

static dw_status
add_and_check(dwt_world *world, void *ctx, dw_error *err)
{
    audit_world *w = ctx;
    dw_audit *audit;
    int64_t number;
    struct ArrowArrayStream rows;
    dw_audit_verdict verdict;
    dw_audit_spec spec = audit_spec(w, true);
    dw_audit_verify_spec check = audit_verify_spec(w, true);
    spec.is_required = true;
    DW_TRY(dw__audit_open(world->env, &spec, &audit, err));
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    event.statement = DW_STR("DELETE FROM t");
    event.verb = DW_STR("DELETE");
    event.table_path = event.table_id = event.user = event.session = event.code = DW_STR_NULL;
    dw_status status = dw__audit_begin(audit, &event, &number, err);
    dw__audit_close(audit);
    if (status == DW_OK) {
        status = dw__audit_verify(world->env, &check, &rows, &verdict, err);
    }
    if (status == DW_OK) {
        rows.release(&rows);
        assert_int_equal(verdict.error_count, 0);
    }
    return status;
}

static void
test_log__survives_every_failed_allocation(void **state)
{
    dwt_fault_loop(
        &(dwt_fault_case){.operation = add_and_check, .ctx = *state, .faults = DWT_FAULTS_ALLOC});
}

/* ---- Many writers ---------------------------------------------------------------------------- */

static void *
write_many(void *ctx)
{
    for (int64_t i = 1; i <= STATEMENTS_A_THREAD; i++) {
        audit_add(ctx, i);
    }
    return NULL;
}

static void
test_writers__keep_one_chain(void **state)
{
    audit_world *w = *state;
    dw_env real = dw__env_system(); /* they wait for each other by the clock */
    dw_error err = DW_ERROR_INIT;
    dw_audit *audit;
    pthread_t threads[THREADS];
    dw_audit_spec spec = audit_spec(w, false);
    dw_audit_verify_spec check = audit_verify_spec(w, false);
    assert_ok(dw__audit_open(&real, &spec, &audit, &err), &err);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, audit), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    dw_audit_verdict verdict = audit_check(w, &check);
    assert_int_equal(verdict.error_count + verdict.note_count, 0);
    assert_int_equal(verdict.record_count, 2 * THREADS * STATEMENTS_A_THREAD);
    dw__audit_close(audit);
}

int
main(void)
{
#define WORLD_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, audit_world_setup, audit_world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256__is_that_of_the_standard),
        cmocka_unit_test(test_hmac__is_that_of_the_standard),
        WORLD_TEST(test_record__says_who_did_what_when),
        WORLD_TEST(test_record__of_a_user_without_a_name_is_found_by_the_number),
        WORLD_TEST(test_record__keeps_the_beginning_and_the_digest_of_a_long_statement),
        WORLD_TEST(test_files__that_are_new_are_for_the_users_of_the_full_one),
        WORLD_TEST(test_files__continue_one_another),
        WORLD_TEST(test_anchor__stands_for_files_that_are_kept_elsewhere),
        WORLD_TEST(test_anchor__finds_a_log_that_was_written_anew),
        WORLD_TEST(test_key__finds_a_chain_that_was_made_again),
        WORLD_TEST(test_key__is_told_where_it_was_first_used),
        WORLD_TEST(test_key__is_needed_where_records_have_a_mac),
        WORLD_TEST(test_key__that_is_short_is_refused),
        WORLD_TEST(test_begin__is_refused_only_where_the_log_is_required),
        WORLD_TEST(test_log__survives_every_failed_allocation),
        WORLD_TEST(test_writers__keep_one_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
