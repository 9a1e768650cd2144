/*
 * What the storage on a file system does when a system call fails: nothing happened (DW_IO), or it
 * is said that it may have (DW_AMBIGUOUS). No file stays open, none stays behind.
 */
#include "support/test.h"

#include "storage/posix_calls.h"
#include "support/delta_log.h"
#include "support/posix_faults.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

typedef struct fixture {
    dwt_env world;
    dwt_temp_dir dir;
    dwt_posix_faults faults;
    dw_storage *storage;
} fixture;

static const dw_str commit_key = {"_delta_log/00000000000000000007.json", 36};

static int
setup(void **state)
{
    fixture *self = calloc(1, sizeof(*self));
    dwt_env_init(&self->world, 1);
    dwt_temp_dir_make(&self->dir);
    dwt_posix_faults_init(&self->faults, dw__posix_calls_system());
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_posix_open_over(
        &self->world.env, &self->faults.calls, dw__str_from(self->dir.path), &self->storage, &err);
    assert_ok(status, &err);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    fixture *self = *state;
    assert_int_equal(self->faults.open_count, 0);
    dw__storage_close(self->storage);
    dwt_env_deinit(&self->world);
    dwt_temp_dir_remove(&self->dir);
    free(self);
    return 0;
}

/* All entries of the log's directory, hidden ones too. */
static size_t
entry_count(const fixture *self)
{
    char path[2 * DWT_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/_delta_log", self->dir.path);
    DIR *stream = opendir(path);
    size_t count = 0;
    while (stream != NULL && readdir(stream) != NULL) {
        count++;
    }
    if (stream != NULL) {
        closedir(stream);
    }
    return count < 2 ? 0 : count - 2;
}

static dw_status
put_commit(fixture *self, const char *text, dw_error *err)
{
    dw__error_clear(err);
    return dw__storage_put_if_absent(self->storage, commit_key, dw__str_from(text), err);
}

static void
break_call(fixture *self, dwt_call call, int errnum)
{
    dwt_posix_faults_clear(&self->faults);
    self->faults.rules[call] = (dwt_call_rule){.at = DWT_ALWAYS, .errnum = errnum};
}

static void
lose_answer(fixture *self, dwt_call call, int errnum)
{
    dwt_posix_faults_clear(&self->faults);
    self->faults.rules[call] = (dwt_call_rule){.at = 1, .errnum = errnum, .after_effect = true};
}

/* ---- each failure says what to do ------------------------------------------------------------ */

static void
test_posix_fault__says_what_to_do(void **state)
{
    static const struct {
        dwt_call call;
        int errnum;
        dw_status status;
        const char *code;
        const char *advice;
    } cases[] = {
        {DWT_CALL_WRITE, ENOSPC, DW_IO, "STORAGE_FULL", "free some space"},
        {DWT_CALL_WRITE, EDQUOT, DW_IO, "STORAGE_FULL", "quota"},
        {DWT_CALL_WRITE, EFBIG, DW_IO, "STORAGE_FULL", "ulimit -f"},
        {DWT_CALL_WRITE, EIO, DW_IO, "STORAGE_IO", "check the disk"},
        {DWT_CALL_FSYNC, EIO, DW_IO, "STORAGE_IO", "check the disk"},
        {DWT_CALL_FSYNC, ENOSPC, DW_IO, "STORAGE_FULL", "free some space"},
        {DWT_CALL_OPEN_ANONYMOUS, EROFS, DW_IO, "STORAGE_READ_ONLY", "mount it writable"},
        {DWT_CALL_OPEN_ANONYMOUS, EACCES, DW_IO, "STORAGE_PERMISSION", "permission denied"},
        {DWT_CALL_OPEN_ANONYMOUS, EMFILE, DW_IO, "STORAGE_FILES_MAX", "ulimit -n"},
        {DWT_CALL_OPEN_ANONYMOUS, ENFILE, DW_IO, "STORAGE_FILES_MAX", "too many open files"},
        {DWT_CALL_OPEN_DIRECTORY, EMFILE, DW_IO, "STORAGE_FILES_MAX", "ulimit -n"},
        {DWT_CALL_LINK_FD, ENOSPC, DW_IO, "STORAGE_FULL", "free some space"},
        {DWT_CALL_LINK_FD, EROFS, DW_IO, "STORAGE_READ_ONLY", "mount it writable"},
        {DWT_CALL_OPEN_ANONYMOUS, ETIMEDOUT, DW_UNAVAILABLE, "STORAGE_UNAVAILABLE", "try again"},
        {DWT_CALL_OPEN_ANONYMOUS, ENOMEM, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", "out of memory"},
        {DWT_CALL_WRITE, EPROTO, DW_IO, "STORAGE_IO", "Protocol error"},
    };
    fixture *self = *state;
    dwt_put(self->storage, "_delta_log/other", DW_STR("x"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        break_call(self, cases[i].call, cases[i].errnum);
        dw_error err = DW_ERROR_INIT;
        dw_status status = put_commit(self, "x", &err);
        assert_error(status, cases[i].status, cases[i].code, &err);
        assert_message_has(&err, cases[i].advice);
        if (cases[i].status != DW_OUT_OF_MEMORY) {
            assert_message_has(&err, self->dir.path);
        }
        assert_int_equal(entry_count(self), 1);
    }
}

static void
test_posix_fault__reading_fails_with_a_reason(void **state)
{
    static const dwt_call calls[] = {DWT_CALL_OPEN, DWT_CALL_FSTAT, DWT_CALL_PREAD};
    fixture *self = *state;
    dwt_put(self->storage, "file", DW_STR("x"));
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        break_call(self, calls[i], EIO);
        dw_error err = DW_ERROR_INIT;
        DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
        dw_status status = dw__storage_get(self->storage, DW_STR("file"), &buf, NULL, &err);
        assert_error(status, DW_IO, "STORAGE_IO", &err);
        status = dw__storage_get_range(self->storage, DW_STR("file"), 0, 1, &buf, &err);
        assert_error(status, DW_IO, "STORAGE_IO", &err);
    }
    break_call(self, DWT_CALL_STAT, EACCES);
    dw_error err = DW_ERROR_INIT;
    dw_object_meta meta;
    dw_status status = dw__storage_head(self->storage, DW_STR("file"), &meta, &err);
    assert_error(status, DW_IO, "STORAGE_PERMISSION", &err);
    break_call(self, DWT_CALL_UNLINK, EACCES);
    status = dw__storage_remove(self->storage, DW_STR("file"), &err);
    assert_error(status, DW_IO, "STORAGE_PERMISSION", &err);
    break_call(self, DWT_CALL_FSYNC, EIO);
    status = dw__storage_sync(self->storage, DW_STR("file"), -1, &err);
    assert_error(status, DW_IO, "STORAGE_IO", &err);
    break_call(self, DWT_CALL_FSYNC_DIRECTORY, EIO);
    status = dw__storage_sync(self->storage, DW_STR("file"), -1, &err);
    assert_error(status, DW_IO, "STORAGE_IO", &err);
}

static void
test_posix_fault__interrupted_calls_are_repeated(void **state)
{
    static const dwt_call calls[] = {DWT_CALL_OPEN_ANONYMOUS,  DWT_CALL_WRITE, DWT_CALL_FSYNC,
                                     DWT_CALL_FSYNC_DIRECTORY, DWT_CALL_OPEN,  DWT_CALL_PREAD};
    fixture *self = *state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        dwt_posix_faults_clear(&self->faults);
        self->faults.rules[calls[i]] = (dwt_call_rule){.at = 1, .errnum = EINTR};
        dw_error err = DW_ERROR_INIT;
        dw_status status = put_commit(self, "text", &err);
        assert_ok(status, &err);
        char *bytes = dwt_get(self->storage, commit_key.ptr);
        assert_string_equal(bytes, "text");
        free(bytes);
        assert_true(self->faults.has_failed);
        status = dw__storage_remove(self->storage, commit_key, &err);
        assert_ok(status, &err);
    }
}

/*
 * ---- bytes of other objects -------------------------------------------------------------------
 */

/* Copies an object and puts one together of pieces of it, a few bytes at a time. */
static dw_status
copy_and_compose(fixture *self, dw_error *err)
{
    int64_t size = 0;
    const dw_piece pieces[] = {{.bytes = DW_STR("<")},
                               {.key = DW_STR("from"), .offset = 1, .size = 7},
                               {.key = DW_STR("from"), .offset = 0, .size = 2}};
    DW_TRY(
        dw__storage_copy(self->storage, DW_STR("copy"), self->storage, DW_STR("from"), &size, err));
    assert_int_equal(size, 10);
    return dw__storage_compose(self->storage, DW_STR("whole"), pieces, 3, err);
}

static void
check_copies(fixture *self)
{
    static const char *const expected[][2] = {{"copy", "0123456789"}, {"whole", "<123456701"}};
    dw_error err = DW_ERROR_INIT;
    for (size_t i = 0; i < 2; i++) {
        char *bytes = dwt_get(self->storage, expected[i][0]);
        assert_string_equal(bytes, expected[i][1]);
        free(bytes);
        assert_ok(dw__storage_remove(self->storage, dw__str_from(expected[i][0]), &err), &err);
    }
}

static void
test_posix_fault__copies_through_memory_what_the_kernel_does_not_copy(void **state)
{
    static const int errnums[] = {EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM};
    fixture *self = *state;
    dwt_put(self->storage, "from", DW_STR("0123456789"));
    for (size_t i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
        for (int at = -1; at < 4; at++) { /* always, never, and on the way */
            dwt_posix_faults_clear(&self->faults);
            self->faults.io_bytes_max = 3;
            self->faults.rules[DWT_CALL_COPY] = (dwt_call_rule){.at = at, .errnum = errnums[i]};
            dw_error err = DW_ERROR_INIT;
            assert_ok(copy_and_compose(self, &err), &err);
            check_copies(self);
        }
    }
}

static void
test_posix_fault__copies_are_whole_or_not_there(void **state)
{
    static const dwt_call calls[] = {DWT_CALL_COPY, DWT_CALL_PREAD, DWT_CALL_WRITE};
    fixture *self = *state;
    dwt_put(self->storage, "from", DW_STR("0123456789"));
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool is_hit = true;
        for (int at = 1; is_hit; at++) {
            dw_error err = DW_ERROR_INIT;
            dwt_posix_faults_clear(&self->faults);
            self->faults.io_bytes_max = 3;
            self->faults.rules[calls[i]] = (dwt_call_rule){.at = at, .errnum = EIO};
            if (calls[i] != DWT_CALL_COPY) {
                self->faults.rules[DWT_CALL_COPY] = (dwt_call_rule){DWT_ALWAYS, EXDEV, false};
            }
            dw_status status = copy_and_compose(self, &err);
            is_hit = status != DW_OK;
            dwt_posix_faults_clear(&self->faults);
            if (is_hit) {
                bool has_copy = dwt_count(self->storage, "") == 2;
                assert_error(status, DW_IO, "STORAGE_IO", &err);
                assert_true(has_copy || dwt_count(self->storage, "") == 1);
                status = has_copy ? dw__storage_remove(self->storage, DW_STR("copy"), &err) : DW_OK;
                assert_ok(status, &err);
                continue;
            }
            check_copies(self);
            assert_true(at > 3);
        }
    }
}

/* ---- finding the way to name a file ---------------------------------------------------------- */

static void
test_posix_fault__finds_another_way_without_anonymous_files(void **state)
{
    static const int errnums[] = {EOPNOTSUPP, EISDIR, EINVAL, ENOENT};
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    break_call(self, DWT_CALL_OPEN_ANONYMOUS, errnums[0]);
    dw_status status = put_commit(self, "text", &err);
    assert_ok(status, &err);
    assert_int_equal(self->faults.counts[DWT_CALL_LINK], 1);
    assert_int_equal(entry_count(self), 1);

    /* It is remembered. */
    status = dw__storage_put_if_absent(self->storage, DW_STR("_delta_log/2"), DW_STR("x"), &err);
    assert_ok(status, &err);
    assert_int_equal(self->faults.counts[DWT_CALL_OPEN_ANONYMOUS], 1);
    for (size_t i = 1; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
        void *fresh;
        assert_int_equal(setup(&fresh), 0);
        break_call(fresh, DWT_CALL_OPEN_ANONYMOUS, errnums[i]);
        status = put_commit(fresh, "text", &err);
        assert_ok(status, &err);
        assert_int_equal(teardown(&fresh), 0);
    }
}

static void
test_posix_fault__finds_another_way_without_proc(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    break_call(self, DWT_CALL_LINK_FD, ENOENT);
    dw_status status = put_commit(self, "text", &err);
    assert_ok(status, &err);
    assert_int_equal(self->faults.counts[DWT_CALL_LINK], 1);
    assert_int_equal(entry_count(self), 1);
    char *bytes = dwt_get(self->storage, commit_key.ptr);
    assert_string_equal(bytes, "text");
    free(bytes);
}

static void
forbid_links(fixture *self, int errnum)
{
    break_call(self, DWT_CALL_OPEN_ANONYMOUS, EOPNOTSUPP);
    self->faults.rules[DWT_CALL_LINK] = (dwt_call_rule){.at = DWT_ALWAYS, .errnum = errnum};
}

static void
test_posix_fault__renames_where_links_are_not_known(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    forbid_links(self, EOPNOTSUPP);
    dw_status status = put_commit(self, "first", &err);
    assert_ok(status, &err);
    assert_int_equal(self->faults.counts[DWT_CALL_RENAME_IF_ABSENT], 1);
    assert_int_equal(entry_count(self), 1);
    /* A rival's object that the early look missed is not replaced. */
    self->faults.rules[DWT_CALL_STAT] = (dwt_call_rule){.at = 2, .errnum = ENOENT};
    status = put_commit(self, "second", &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    assert_int_equal(entry_count(self), 1);
}

static void
test_posix_fault__refuses_a_file_system_without_any_way(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    forbid_links(self, EPERM);
    self->faults.rules[DWT_CALL_RENAME_IF_ABSENT] = (dwt_call_rule){DWT_ALWAYS, EINVAL, false};
    dw_status status = put_commit(self, "text", &err);
    assert_error(status, DW_UNSUPPORTED, "STORAGE_NO_ATOMIC_CREATE", &err);
    assert_message_has(&err, "use another file system");
    assert_int_equal(entry_count(self), 0);
}

/* ---- outcomes that are not clear at once ----------------------------------------------------- */

static void
test_posix_fault__a_lost_answer_is_settled_by_looking(void **state)
{
    static const int errnums[] = {EIO, ETIMEDOUT, EEXIST, ESTALE, EPERM};
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    for (size_t i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
        lose_answer(self, DWT_CALL_LINK_FD, errnums[i]);
        dw_status status = put_commit(self, "text", &err);
        assert_ok(status, &err);
        status = dw__storage_remove(self->storage, commit_key, &err);
        assert_ok(status, &err);
    }
    for (size_t i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
        lose_answer(self, DWT_CALL_RENAME, errnums[i]);
        dw_status status = dw__storage_put(self->storage, commit_key, DW_STR("text"), &err);
        assert_ok(status, &err);
    }
    assert_int_equal(entry_count(self), 1);
}

static void
test_posix_fault__a_rival_between_look_and_link_wins(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    dw_status status = put_commit(self, "rival", &err);
    assert_ok(status, &err);
    dwt_posix_faults_clear(&self->faults);
    self->faults.rules[DWT_CALL_STAT] = (dwt_call_rule){.at = 1, .errnum = ENOENT};
    status = put_commit(self, "ours", &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    char *bytes = dwt_get(self->storage, commit_key.ptr);
    assert_string_equal(bytes, "rival");
    free(bytes);
    assert_int_equal(entry_count(self), 1);
}

static dw_status
put_draft(fixture *self, const char *key, dw_draft **draft, dw_error *err)
{
    dw__error_clear(err);
    return dw__storage_put_draft_if_absent(self->storage, dw__str_from(key), DW_STR("ours"), draft,
                                           err);
}

static void
test_posix_fault__a_draft_is_written_and_synced_once(void **state)
{
    fixture *self = *state;
    for (int touches = 0; touches < 2; touches++) {
        char keys[2][32];
        snprintf(keys[0], sizeof(keys[0]), "_delta_log/%d", touches);
        snprintf(keys[1], sizeof(keys[1]), "_delta_log/%d.next", touches);
        dwt_put(self->storage, keys[0], DW_STR("rival"));
        break_call(self, touches ? DWT_CALL_COPY : DWT_CALL_TOUCH, EROFS);
        dw_error err = DW_ERROR_INIT;
        dw_draft *draft = NULL;
        dw_status status = put_draft(self, keys[0], &draft, &err);
        assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
        assert_int_equal(self->faults.open_count, 2);
        status = put_draft(self, keys[0], &draft, &err);
        assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
        status = put_draft(self, keys[1], &draft, &err);
        assert_ok(status, &err);
        /* One that cannot get the time of now is made anew. */
        assert_int_equal(self->faults.counts[DWT_CALL_FSYNC], touches ? 1 : 3);
        char *bytes = dwt_get(self->storage, keys[1]);
        assert_string_equal(bytes, "ours");
        free(bytes);
    }
    assert_int_equal(entry_count(self), 4);
}

static void
test_posix_fault__what_cannot_be_settled_is_ambiguous(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    lose_answer(self, DWT_CALL_LINK_FD, EIO);
    self->faults.rules[DWT_CALL_STAT] = (dwt_call_rule){.at = 2, .errnum = EIO};
    dw_status status = put_commit(self, "text", &err);
    assert_error(status, DW_AMBIGUOUS, "STORAGE_OUTCOME_UNKNOWN", &err);
    assert_true(dwt_exists(self->storage, commit_key.ptr));

    status = dw__storage_remove(self->storage, commit_key, &err);
    assert_ok(status, &err);
    dwt_posix_faults_clear(&self->faults);
    self->faults.rules[DWT_CALL_LINK_FD] = (dwt_call_rule){.at = 1, .errnum = EIO};
    self->faults.rules[DWT_CALL_STAT] = (dwt_call_rule){.at = 2, .errnum = EIO};
    status = put_commit(self, "text", &err);
    assert_error(status, DW_AMBIGUOUS, "STORAGE_OUTCOME_UNKNOWN", &err);
    assert_false(dwt_exists(self->storage, commit_key.ptr));
}

static void
test_posix_fault__an_unsynced_name_is_ambiguous(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    dwt_put(self->storage, "_delta_log/other", DW_STR("x"));
    break_call(self, DWT_CALL_FSYNC_DIRECTORY, EIO);
    dw_status status = put_commit(self, "text", &err);
    assert_error(status, DW_AMBIGUOUS, "STORAGE_SYNC_FAILED", &err);
    assert_message_has(&err, "power failure");
    assert_true(dwt_exists(self->storage, commit_key.ptr));
    status = dw__storage_put(self->storage, DW_STR("_delta_log/other"), DW_STR("y"), &err);
    assert_error(status, DW_AMBIGUOUS, "STORAGE_SYNC_FAILED", &err);

    /* Some file systems have no use for it, and say so. */
    break_call(self, DWT_CALL_FSYNC_DIRECTORY, EINVAL);
    status = dw__storage_put(self->storage, DW_STR("_delta_log/other"), DW_STR("z"), &err);
    assert_ok(status, &err);
}

static void
test_posix_fault__an_unsynced_parent_stops_before_the_name(void **state)
{
    fixture *self = *state;
    dw_error err = DW_ERROR_INIT;
    break_call(self, DWT_CALL_FSYNC_DIRECTORY, EIO);
    dw_status status = put_commit(self, "text", &err);
    assert_error(status, DW_IO, "STORAGE_IO", &err);
    assert_int_equal(entry_count(self), 0);
}

/* ---- every call, one after the other --------------------------------------------------------- */

typedef struct fault_round {
    fixture *fixture;
    int errnum;
    bool after_effect;
    int method; /* 0 anonymous, 1 linked, 2 renamed, 3 put, 4 put without anonymous files;
                   5, 6, 7 as 0, 1, 2, behind a key that was taken */
} fault_round;

static void
prepare_round(const fault_round *round, int64_t n)
{
    dwt_posix_faults *faults = &round->fixture->faults;
    dwt_posix_faults_clear(faults);
    if (round->method % 5 != 0 && round->method != 3) {
        faults->rules[DWT_CALL_OPEN_ANONYMOUS] = (dwt_call_rule){DWT_ALWAYS, EOPNOTSUPP, false};
    }
    if (round->method % 5 == 2) {
        faults->rules[DWT_CALL_LINK] = (dwt_call_rule){DWT_ALWAYS, EPERM, false};
    }
    faults->any_rule = (dwt_call_rule){n, round->errnum, round->after_effect};
}

static dw_status
put_of_round(const fault_round *round, dw_error *err)
{
    fixture *self = round->fixture;
    if (round->method < 3) {
        return put_commit(self, "text", err);
    }
    if (round->method < 5) {
        return dw__storage_put(self->storage, commit_key, DW_STR("text"), err);
    }
    dw_draft *draft = NULL;
    dw_status status = dw__storage_put_draft_if_absent(self->storage, DW_STR("_delta_log/6"),
                                                       DW_STR("text"), &draft, err);
    assert_int_not_equal(status, DW_OK);
    if (status == DW_ALREADY_EXISTS) {
        dw__error_clear(err);
        status =
            dw__storage_put_draft_if_absent(self->storage, commit_key, DW_STR("text"), &draft, err);
    }
    dw__storage_draft_free(self->storage, draft);
    return status;
}

/* One write whose n-th call fails; false when there is no n-th call. */
static bool
run_round(fault_round *round, int64_t n)
{
    void *state;
    assert_int_equal(setup(&state), 0);
    fixture *self = round->fixture = state;
    size_t rivals = round->method >= 5;
    if (rivals > 0) {
        dwt_put(self->storage, "_delta_log/6", DW_STR("rival"));
    }
    prepare_round(round, n);
    dw_error err = DW_ERROR_INIT;
    dw_status status = put_of_round(round, &err);
    bool was_reached = self->faults.any_count >= n;
    assert_int_equal(err.status, status);
    dwt_posix_faults_clear(&self->faults);
    char *bytes = dwt_get(self->storage, commit_key.ptr);
    if (bytes != NULL) {
        assert_string_equal(bytes, "text");
    }
    if (status == DW_OK) {
        assert_non_null(bytes);
    } else if (status != DW_AMBIGUOUS) {
        assert_null(bytes);
    }
    free(bytes);
    /* What stays is what could not be removed. */
    assert_int_equal(dwt_count(self->storage, ""), rivals + (bytes != NULL));
    assert_int_equal(teardown(&state), 0);
    return was_reached;
}

static void
test_posix_fault__no_failing_call_breaks_a_promise(void **state)
{
    (void) state;
    static const int errnums[] = {EIO, ENOSPC, EACCES, EMFILE, EEXIST};
    for (int method = 0; method < 8; method++) {
        for (size_t i = 0; i < 2 * sizeof(errnums) / sizeof(errnums[0]); i++) {
            fault_round round = {
                .errnum = errnums[i / 2], .after_effect = i % 2 == 1, .method = method};
            int64_t n = 1;
            while (run_round(&round, n)) {
                n++;
            }
            assert_true(n > 8);
        }
    }
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(test_posix_fault__##name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(says_what_to_do),
        FAULT_TEST(reading_fails_with_a_reason),
        FAULT_TEST(interrupted_calls_are_repeated),
        FAULT_TEST(copies_through_memory_what_the_kernel_does_not_copy),
        FAULT_TEST(copies_are_whole_or_not_there),
        FAULT_TEST(finds_another_way_without_anonymous_files),
        FAULT_TEST(finds_another_way_without_proc),
        FAULT_TEST(renames_where_links_are_not_known),
        FAULT_TEST(refuses_a_file_system_without_any_way),
        FAULT_TEST(a_lost_answer_is_settled_by_looking),
        FAULT_TEST(a_rival_between_look_and_link_wins),
        FAULT_TEST(a_draft_is_written_and_synced_once),
        FAULT_TEST(what_cannot_be_settled_is_ambiguous),
        FAULT_TEST(an_unsynced_name_is_ambiguous),
        FAULT_TEST(an_unsynced_parent_stops_before_the_name),
        cmocka_unit_test(test_posix_fault__no_failing_call_breaks_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
