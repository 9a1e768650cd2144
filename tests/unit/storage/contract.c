/*
 * The contract of storage.h as tests, one storage at a time.
 */
#include "contract.h"

#include "support/delta_log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define BUF_MAX ((size_t) 64 << 20)

static dw_storage *
storage_of(void **state)
{
    return ((storage_fixture *) *state)->storage;
}

static void
put(dw_storage *storage, const char *key, const char *text)
{
    dwt_put(storage, key, dw__str_from(text));
}

static void
assert_object(dw_storage *storage, const char *key, const char *text)
{
    char *found = dwt_get(storage, key);
    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

/* The keys of all pages, joined by blanks. */
static void
assert_listed(dw_storage *storage, dw_list_request request, const char *expected)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_strbuf) found = dw__strbuf_make(dw__allocator_libc(), BUF_MAX);
    dw_list_page page;
    do {
        dw_status status = dw__storage_list(storage, &request, &arena, &page, &err);
        assert_ok(status, &err);
        assert_true(request.limit == 0 || page.count <= request.limit);
        for (size_t i = 0; i < page.count; i++) {
            dw__strbuf_append(&found, found.len > 0 ? DW_STR(" ") : DW_STR(""));
            dw__strbuf_append(&found, page.objects[i].key);
        }
        if (page.has_more) {
            assert_true(page.count > 0);
            request.start_after = page.objects[page.count - 1].key;
        }
    } while (page.has_more);
    assert_string_equal(dw__strbuf_cstr(&found), expected);
}

/* ---- reading and writing --------------------------------------------------------------------- */

void
test_contract__gets_what_was_put(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "a", "one");
    put(storage, "_delta_log/00000000000000000000.json", "two");
    put(storage, "deep/er/x=1/y=2/file", "three");
    put(storage, "empty", "");
    assert_object(storage, "a", "one");
    assert_object(storage, "_delta_log/00000000000000000000.json", "two");
    assert_object(storage, "deep/er/x=1/y=2/file", "three");
    assert_object(storage, "empty", "");

    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    dw__strbuf_append_literal(&buf, "what was in it before");
    dw_status status = dw__storage_get(storage, DW_STR("a"), &buf, NULL, &err);
    assert_ok(status, &err);
    assert_str(dw__strbuf_str(&buf), "one");
}

void
test_contract__keeps_bytes_of_every_value(void **state)
{
    dw_storage *storage = storage_of(state);
    enum { SIZE = 3 * 1024 * 1024 + 17 };
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    uint64_t random = 7;
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (char) dwt_random_next(&random);
    }
    dwt_put(storage, "large", dw__str_make(bytes, SIZE));
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), BUF_MAX);
    dw_status status = dw__storage_get(storage, DW_STR("large"), &buf, NULL, &err);
    assert_ok(status, &err);
    assert_int_equal(buf.len, SIZE);
    assert_memory_equal(buf.ptr, bytes, SIZE);
    free(bytes);
}

void
test_contract__says_which_object_is_missing(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "dir/file", "x");
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    static const char *const missing[] = {"nothing", "no/thing", "dir", "dir/file/below", "dir/f"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        dw_str key = dw__str_from(missing[i]);
        dw_status status = dw__storage_get(storage, key, &buf, NULL, &err);
        assert_error(status, DW_NOT_FOUND, "OBJECT_NOT_FOUND", &err);
        assert_message_has(&err, missing[i]);
        status = dw__storage_get_range(storage, key, 0, 1, &buf, &err);
        assert_error(status, DW_NOT_FOUND, "OBJECT_NOT_FOUND", &err);
        dw_object_meta meta;
        status = dw__storage_head(storage, key, &meta, &err);
        assert_error(status, DW_NOT_FOUND, "OBJECT_NOT_FOUND", &err);
    }
}

void
test_contract__refuses_objects_beyond_the_limit(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "object", "0123456789");
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) fits = dw__strbuf_make(dw__allocator_libc(), 10);
    dw_status status = dw__storage_get(storage, DW_STR("object"), &fits, NULL, &err);
    assert_ok(status, &err);
    assert_str(dw__strbuf_str(&fits), "0123456789");

    DW_AUTO(dw_strbuf) small = dw__strbuf_make(dw__allocator_libc(), 9);
    status = dw__storage_get(storage, DW_STR("object"), &small, NULL, &err);
    assert_error(status, DW_CORRUPT, "OBJECT_TOO_LARGE", &err);
    assert_message_has(&err, "object");
    assert_message_has(&err, "9");
    assert_message_has(&err, "10");
}

static void
assert_range(dw_storage *storage, uint64_t offset, size_t len, const char *expected)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    dw_status status = dw__storage_get_range(storage, DW_STR("object"), offset, len, &buf, &err);
    assert_ok(status, &err);
    assert_str(dw__strbuf_str(&buf), expected);
}

void
test_contract__reads_ranges(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "object", "0123456789");
    assert_range(storage, 0, 10, "0123456789");
    assert_range(storage, 3, 4, "3456");
    assert_range(storage, 8, 100, "89");
    assert_range(storage, 0, SIZE_MAX / 4, "0123456789");
    assert_range(storage, 10, 1, "");
    assert_range(storage, 1000, 1, "");
    assert_range(storage, 5, 0, "");
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    dw_status status = dw__storage_get_range(storage, DW_STR("object"), UINT64_MAX, 1, &buf, &err);
    assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_RANGE_INVALID", &err);
}

void
test_contract__put_replaces(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "dir/object", "old and long");
    put(storage, "dir/object", "new");
    assert_object(storage, "dir/object", "new");
    assert_int_equal(dwt_count(storage, ""), 1);
}

void
test_contract__copies_an_object_once(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    int64_t size_bytes;
    put(storage, "from/a", "the bytes");
    put(storage, "taken", "others");
    dw_status status = dw__storage_copy(storage, DW_STR("to/deep/b"), storage, DW_STR("from/a"),
                                        &size_bytes, &err);
    assert_ok(status, &err);
    assert_int_equal(size_bytes, 9);
    assert_object(storage, "to/deep/b", "the bytes");
    assert_ok(dw__storage_sync(storage, DW_STR("to/deep/b"), 9, &err), &err);
    status =
        dw__storage_copy(storage, DW_STR("taken"), storage, DW_STR("from/a"), &size_bytes, &err);
    assert_int_equal(status, DW_ALREADY_EXISTS);
    assert_object(storage, "taken", "others");
    status = dw__storage_copy(storage, DW_STR("c"), storage, DW_STR("gone"), &size_bytes, &err);
    assert_int_equal(status, DW_NOT_FOUND);
}

void
test_contract__put_if_absent_keeps_the_first(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    dw_str key = DW_STR("_delta_log/00000000000000000001.json");
    dw_status status = dw__storage_put_if_absent(storage, key, DW_STR("first"), &err);
    assert_ok(status, &err);
    for (int i = 0; i < 3; i++) {
        status = dw__storage_put_if_absent(storage, key, DW_STR("second"), &err);
        assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
        assert_message_has(&err, "00000000000000000001.json");
    }
    assert_object(storage, key.ptr, "first");
    assert_int_equal(dwt_count(storage, ""), 1);

    status = dw__storage_remove(storage, key, &err);
    assert_ok(status, &err);
    status = dw__storage_put_if_absent(storage, key, DW_STR("third"), &err);
    assert_ok(status, &err);
    assert_object(storage, key.ptr, "third");
}

void
test_contract__a_hint_is_an_object_that_is_never_replaced(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    dw_str key = DW_STR("_delta_log/00000000000000000001.crc");
    dw_status status = dw__storage_put_hint_if_absent(storage, key, DW_STR("first"), &err);
    assert_ok(status, &err);
    status = dw__storage_put_hint_if_absent(storage, key, DW_STR("second"), &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    assert_object(storage, key.ptr, "first");
    status = dw__storage_put_hint_if_absent(storage, DW_STR("../out"), DW_STR("x"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
}

void
test_contract__who_comes_second_goes_on_with_a_draft(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    dw_draft *draft = NULL;
    for (int i = 0; i < 3; i++) {
        char key[32];
        snprintf(key, sizeof(key), "_delta_log/%d", i);
        dwt_put(storage, key, DW_STR("first"));
        dw_status status = dw__storage_put_draft_if_absent(storage, dw__str_from(key),
                                                           DW_STR("second"), &draft, &err);
        assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
        assert_object(storage, key, "first");
        assert_int_equal(dwt_count(storage, ""), i + 1);
    }
    dw_status status = dw__storage_put_draft_if_absent(storage, DW_STR("_delta_log/3"),
                                                       DW_STR("second"), &draft, &err);
    assert_ok(status, &err);
    assert_null(draft);
    assert_object(storage, "_delta_log/3", "second");

    /* In another place it is made anew, and who gives up frees it. */
    status = dw__storage_put_draft_if_absent(storage, DW_STR("_delta_log/3"), DW_STR("third"),
                                             &draft, &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    status = dw__storage_put_draft_if_absent(storage, DW_STR("other/place/4"), DW_STR("third"),
                                             &draft, &err);
    assert_ok(status, &err);
    assert_object(storage, "other/place/4", "third");
    status = dw__storage_put_draft_if_absent(storage, DW_STR("_delta_log/3"), DW_STR("fourth"),
                                             &draft, &err);
    assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    dw__storage_draft_free(storage, draft);
    assert_int_equal(dwt_count(storage, ""), 5);
    draft = NULL;
    status = dw__storage_put_draft_if_absent(storage, DW_STR("../out"), DW_STR("x"), &draft, &err);
    assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
}

/* ---- keys ------------------------------------------------------------------------------------ */

void
test_contract__takes_odd_keys(void **state)
{
    static const char *const keys[] = {
        "with blank",
        "per%20cent",
        "a=b/c d=e%2Ff/x",
        "line\nbreak",
        "\xc3\xa4\xc3\xb6/\xe2\x82\xac",
        "quote\"'`",
        "...",
        ".hidden",
        "back\\slash",
        "tab\there",
        "star*?[]{}",
        "-rf",
        "..x/y..",
        "colon:at@x",
        "\xff\xfe",
        ".x.tmp",
    };
    dw_storage *storage = storage_of(state);
    size_t count = sizeof(keys) / sizeof(keys[0]);
    for (size_t i = 0; i < count; i++) {
        put(storage, keys[i], keys[i]);
    }
    for (size_t i = 0; i < count; i++) {
        assert_object(storage, keys[i], keys[i]);
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            dw__storage_put_if_absent(storage, dw__str_from(keys[i]), DW_STR(""), &err);
        assert_error(status, DW_ALREADY_EXISTS, "OBJECT_EXISTS", &err);
    }
    assert_int_equal(dwt_count(storage, ""), count);
}

static void
assert_key_refused(dw_storage *storage, dw_str key)
{
    static const char code[] = "STORAGE_KEY_INVALID";
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    dw_object_meta meta;
    dw_status status = dw__storage_get(storage, key, &buf, NULL, &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    status = dw__storage_get_range(storage, key, 0, 1, &buf, &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    status = dw__storage_put(storage, key, DW_STR("x"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    status = dw__storage_put_if_absent(storage, key, DW_STR("x"), &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    status = dw__storage_head(storage, key, &meta, &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    status = dw__storage_remove(storage, key, &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
    dw_sync_request sync[] = {{DW_STR("sound"), -1}, {key, -1}};
    status = dw__storage_sync_many(storage, sync, 2, &err);
    assert_error(status, DW_INVALID_ARGUMENT, code, &err);
}

void
test_contract__refuses_bad_keys_everywhere(void **state)
{
    static const char *const bad[] = {"",    "/",    "/a",   "a/",     "a//b",  ".",   "..",
                                      "./a", "../a", "a/..", "a/../b", "a/./b", "a/.", "//"};
    dw_storage *storage = storage_of(state);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_key_refused(storage, dw__str_from(bad[i]));
    }
    assert_key_refused(storage, DW_STR("a\0b"));
    assert_key_refused(storage, DW_STR_NULL);
    char *long_key = malloc(DW_STORAGE_KEY_BYTES_MAX + 1);
    assert_non_null(long_key);
    memset(long_key, 'k', DW_STORAGE_KEY_BYTES_MAX + 1);
    assert_key_refused(storage, dw__str_make(long_key, DW_STORAGE_KEY_BYTES_MAX + 1));
    free(long_key);

    static const char *const bad_prefixes[] = {"/", "../", "a//", "a/../", "./", "/a"};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    for (size_t i = 0; i < sizeof(bad_prefixes) / sizeof(bad_prefixes[0]); i++) {
        dw_error err = DW_ERROR_INIT;
        dw_list_page page;
        dw_list_request request = {.prefix = dw__str_from(bad_prefixes[i])};
        dw_status status = dw__storage_list(storage, &request, &arena, &page, &err);
        assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
        status = dw__storage_prepare(storage, request.prefix, &err);
        assert_error(status, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID", &err);
    }
}

/* ---- listing --------------------------------------------------------------------------------- */

/* '-' and '.' come before '/', '0' after it: a directory stands where its '/' puts it. */
static void
put_sample(dw_storage *storage)
{
    static const char *const keys[] = {"a/b/c", "a/b",     "a-b", "a.b", "a0", "a/b-c",
                                       "a/z",   "a/b/c/d", "b",   "A",   "aa"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        /* On a file system "a/b" cannot be both a file and a directory. */
        if (strcmp(keys[i], "a/b") != 0 && strcmp(keys[i], "a/b/c/d") != 0) {
            put(storage, keys[i], "x");
        }
    }
}

#define SAMPLE_SORTED "A a-b a.b a/b-c a/b/c a/z a0 aa b"

void
test_contract__lists_in_bytewise_order(void **state)
{
    dw_storage *storage = storage_of(state);
    put_sample(storage);
    assert_listed(storage, (dw_list_request){.recursive = true}, SAMPLE_SORTED);
    assert_listed(storage, (dw_list_request){.recursive = true, .names_only = true}, SAMPLE_SORTED);
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a"), .recursive = true},
                  "a-b a.b a/b-c a/b/c a/z a0 aa");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/"), .recursive = true},
                  "a/b-c a/b/c a/z");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/b"), .recursive = true},
                  "a/b-c a/b/c");
}

void
test_contract__lists_one_level_unless_told(void **state)
{
    dw_storage *storage = storage_of(state);
    put_sample(storage);
    assert_listed(storage, (dw_list_request){.recursive = false}, "A a-b a.b a0 aa b");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/")}, "a/b-c a/z");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/b")}, "a/b-c");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a")}, "a-b a.b a0 aa");
}

void
test_contract__lists_nothing_where_nothing_is(void **state)
{
    dw_storage *storage = storage_of(state);
    assert_listed(storage, (dw_list_request){.recursive = true}, "");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("_delta_log/")}, "");
    put(storage, "file", "x");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("_delta_log/")}, "");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("no/such/dir/")}, "");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("file/")}, "");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("filed")}, "");
}

void
test_contract__lists_from_a_key_on(void **state)
{
    dw_storage *storage = storage_of(state);
    put_sample(storage);
    static const struct {
        const char *after;
        const char *expected;
    } cases[] = {
        {"", SAMPLE_SORTED},
        {"A", "a-b a.b a/b-c a/b/c a/z a0 aa b"},
        {"a", "a-b a.b a/b-c a/b/c a/z a0 aa b"},
        {"a-b", "a.b a/b-c a/b/c a/z a0 aa b"},
        {"a/", "a/b-c a/b/c a/z a0 aa b"},
        {"a/b", "a/b-c a/b/c a/z a0 aa b"},
        {"a/b-c", "a/b/c a/z a0 aa b"},
        {"a/b/", "a/b/c a/z a0 aa b"},
        {"a/b/c", "a/z a0 aa b"},
        {"a/b0", "a/z a0 aa b"},
        {"a/zz", "a0 aa b"},
        {"b", ""},
        {"c", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dw_list_request request = {.start_after = dw__str_from(cases[i].after), .recursive = true};
        assert_listed(storage, request, cases[i].expected);
        request.limit = 1;
        assert_listed(storage, request, cases[i].expected);
    }
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/"), .start_after = DW_STR("a0")},
                  "");
    assert_listed(storage, (dw_list_request){.prefix = DW_STR("a/"), .start_after = DW_STR("A")},
                  "a/b-c a/z");
    assert_listed(storage,
                  (dw_list_request){.prefix = DW_STR("a/"), .start_after = DW_STR("a/b-c")}, "a/z");
}

void
test_contract__pages_of_any_size_add_up(void **state)
{
    dw_storage *storage = storage_of(state);
    put_sample(storage);
    for (size_t limit = 1; limit <= 12; limit++) {
        assert_listed(storage, (dw_list_request){.recursive = true, .limit = limit}, SAMPLE_SORTED);
        assert_listed(storage, (dw_list_request){.limit = limit}, "A a-b a.b a0 aa b");
    }
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_page page;
    dw_list_request request = {.recursive = true, .limit = 9};
    dw_status status = dw__storage_list(storage, &request, &arena, &page, &err);
    assert_ok(status, &err);
    assert_int_equal(page.count, 9);
    assert_false(page.has_more);
    request.limit = 8;
    status = dw__storage_list(storage, &request, &arena, &page, &err);
    assert_ok(status, &err);
    assert_int_equal(page.count, 8);
    assert_true(page.has_more);
}

enum { MODEL_KEYS_MAX = 60, MODEL_ROUNDS = 400 };

/* A random key of one to three parts, of few letters so that many share prefixes. Its last part
 * starts with 'f' and the others do not: no key is both a file and a directory. */
static void
random_key(uint64_t *random, char *out)
{
    static const char letters[] = "ab-.0~";
    size_t len = 0;
    uint64_t parts = dwt_random_below(random, 3);
    for (uint64_t i = 0; i < parts; i++) {
        out[len++] = 'd';
        for (uint64_t j = dwt_random_below(random, 3); j > 0; j--) {
            out[len++] = letters[dwt_random_below(random, sizeof(letters) - 1)];
        }
        out[len++] = '/';
    }
    out[len++] = 'f';
    for (uint64_t j = dwt_random_below(random, 3); j > 0; j--) {
        out[len++] = letters[dwt_random_below(random, sizeof(letters) - 1)];
    }
    out[len] = '\0';
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What the listing must give, by going through all keys. */
static void
model_list(char keys[][32], size_t count, const dw_list_request *request, dw_strbuf *out)
{
    dw__strbuf_clear(out);
    for (size_t i = 0; i < count; i++) {
        dw_str key = dw__str_from(keys[i]);
        bool is_same_as_last = i > 0 && strcmp(keys[i], keys[i - 1]) == 0;
        bool is_behind = dw__str_compare(key, request->start_after) > 0;
        dw_str rest = dw__str_slice(key, request->prefix.len, key.len);
        bool is_level = request->recursive || dw__str_find(rest, '/') == SIZE_MAX;
        if (is_same_as_last || !is_behind || !is_level ||
            !dw__str_starts_with(key, request->prefix)) {
            continue;
        }
        dw__strbuf_append(out, out->len > 0 ? DW_STR(" ") : DW_STR(""));
        dw__strbuf_append(out, key);
    }
}

void
test_contract__lists_like_the_model(void **state)
{
    dw_storage *storage = storage_of(state);
    uint64_t random = 20240101;
    print_message("seed %" PRIu64 "\n", random);
    char keys[MODEL_KEYS_MAX][32];
    for (size_t i = 0; i < MODEL_KEYS_MAX; i++) {
        random_key(&random, keys[i]);
        put(storage, keys[i], "x");
    }
    qsort(keys, MODEL_KEYS_MAX, sizeof(keys[0]), compare_keys);
    DW_AUTO(dw_strbuf) expected = dw__strbuf_make(dw__allocator_libc(), BUF_MAX);
    for (int i = 0; i < MODEL_ROUNDS; i++) {
        char after[32];
        random_key(&random, after);
        after[dwt_random_below(&random, strlen(after) + 1)] = '\0';
        const char *prefix_source = keys[dwt_random_below(&random, MODEL_KEYS_MAX)];
        dw_list_request request = {
            .prefix =
                dw__str_make(prefix_source, dwt_random_below(&random, strlen(prefix_source) + 1)),
            .start_after = dw__str_from(after),
            .limit = dwt_random_below(&random, 8),
            .recursive = dwt_random_below(&random, 2) == 0,
        };
        model_list(keys, MODEL_KEYS_MAX, &request, &expected);
        assert_listed(storage, request, dw__strbuf_cstr(&expected));
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* ---- walking --------------------------------------------------------------------------------- */

enum { WALK_DIRECTORIES = 40, WALK_FILES = 25 };

typedef struct walked {
    pthread_mutex_t mutex;
    size_t count, wanted;
    int64_t size_bytes;
    bool fails;
} walked;

static bool
enters_visible(void *ctx, dw_str key, bool is_marked)
{
    (void) ctx;
    (void) is_marked;
    return dw__str_find(key, '_') == SIZE_MAX;
}

static bool
wants_most(void *ctx, dw_str key)
{
    walked *self = ctx;
    bool is_wanted = !dw__str_ends_with(key, DW_STR("/f7"));
    pthread_mutex_lock(&self->mutex);
    self->wanted += is_wanted ? 1 : 0;
    pthread_mutex_unlock(&self->mutex);
    return is_wanted;
}

static dw_status
note_file(void *ctx, const dw_object_meta *meta, dw_error *err)
{
    walked *self = ctx;
    pthread_mutex_lock(&self->mutex);
    self->count++;
    self->size_bytes += meta->size_bytes;
    pthread_mutex_unlock(&self->mutex);
    return self->fails ? dw__error_set(err, DW_CANCELLED, "CANCELLED", "enough") : DW_OK;
}

static dw_status
walk_over(dw_storage *storage, walked *out, dw_error *err)
{
    dw_walk walk = {.enters = enters_visible, .wants = wants_most, .file = note_file, .ctx = out};
    assert_int_equal(pthread_mutex_init(&out->mutex, NULL), 0);
    dw_status status = dw__storage_walk(storage, &walk, err);
    pthread_mutex_destroy(&out->mutex);
    return status;
}

static void
put_many(dw_storage *storage)
{
    char key[64];
    for (int i = 0; i < WALK_DIRECTORIES; i++) {
        for (int k = 0; k < WALK_FILES; k++) {
            snprintf(key, sizeof(key), "d%d/s%d/f%d", i, i % 3, k);
            put(storage, key, "abc");
        }
    }
    put(storage, "_hidden/x", "abc");
    put(storage, "_hidden0", "abc");
    put(storage, "d1/_hidden/x/y", "abc");
}

void
test_contract__walks_over_what_is_entered(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    walked all = {0};
    assert_ok(walk_over(storage, &all, &err), &err);
    assert_int_equal(all.count, 0);
    put_many(storage);
    assert_ok(walk_over(storage, &all, &err), &err);
    size_t expected = (size_t) (WALK_DIRECTORIES * (WALK_FILES - 1) + 1);
    assert_int_equal(all.count, expected);
    assert_int_equal(all.wanted, expected);
    assert_int_equal(all.size_bytes, 3 * expected);
}

void
test_contract__a_failing_visitor_ends_the_walk(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    walked all = {.fails = true};
    put_many(storage);
    assert_int_equal(walk_over(storage, &all, &err), DW_CANCELLED);
    assert_string_equal(err.code, "CANCELLED");
    assert_true(all.count < WALK_FILES);
}

void
test_contract__head_tells_size_and_time(void **state)
{
    dw_storage *storage = storage_of(state);
    put(storage, "dir/object", "12345");
    dw_error err = DW_ERROR_INIT;
    dw_object_meta meta;
    dw_status status = dw__storage_head(storage, DW_STR("dir/object"), &meta, &err);
    assert_ok(status, &err);
    assert_str(meta.key, "dir/object");
    assert_int_equal(meta.size_bytes, 5);
    assert_true(meta.modified_ms >= DWT_EPOCH_MS);

    int64_t modified_ms;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), 100);
    status = dw__storage_get(storage, DW_STR("dir/object"), &buf, &modified_ms, &err);
    assert_ok(status, &err);
    assert_int_equal(modified_ms, meta.modified_ms);

    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_page page;
    dw_list_request request = {.prefix = DW_STR("dir/")};
    status = dw__storage_list(storage, &request, &arena, &page, &err);
    assert_ok(status, &err);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.objects[0].size_bytes, 5);
    assert_int_equal(page.objects[0].modified_ms, meta.modified_ms);
}

void
test_contract__removes(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    put(storage, "dir/a", "1");
    put(storage, "dir/b", "2");
    static const char *const keys[] = {"dir/a", "dir/a", "nothing", "no/thing", "dir", "dir/b/c"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        dw_status status = dw__storage_remove(storage, dw__str_from(keys[i]), &err);
        assert_ok(status, &err);
    }
    assert_false(dwt_exists(storage, "dir/a"));
    assert_object(storage, "dir/b", "2");
    assert_listed(storage, (dw_list_request){.recursive = true}, "dir/b");
}

void
test_contract__syncs_what_is_there(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    put(storage, "x=1/y=1/a", "12345");
    put(storage, "x=1/y=2/b", "1234567");
    put(storage, "c", "");
    dw_sync_request all[] = {{DW_STR("x=1/y=1/a"), 5}, {DW_STR("x=1/y=2/b"), -1}, {DW_STR("c"), 0}};
    dw_status status = dw__storage_sync_many(storage, all, 3, &err);
    assert_ok(status, &err);
    status = dw__storage_sync_many(storage, NULL, 0, &err);
    assert_ok(status, &err);
    status = dw__storage_sync(storage, DW_STR("x=1/y=2/b"), 7, &err);
    assert_ok(status, &err);
    status = dw__storage_sync(storage, DW_STR("x=1/y=2/b"), 8, &err);
    assert_error(status, DW_CORRUPT, "OBJECT_SIZE_MISMATCH", &err);
    assert_message_has(&err, "x=1/y=2/b");
    status = dw__storage_sync(storage, DW_STR("x=1/y=2/nothing"), 8, &err);
    assert_error(status, DW_NOT_FOUND, "OBJECT_NOT_FOUND", &err);
}

void
test_contract__prepares_prefixes(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    static const char *const prefixes[] = {"", "_delta_log/", "a/b/c/", "a/b/c/d", ""};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        dw_status status = dw__storage_prepare(storage, dw__str_from(prefixes[i]), &err);
        assert_ok(status, &err);
    }
    assert_int_equal(dwt_count(storage, ""), 0);
}

/* ---- several threads ------------------------------------------------------------------------- */

enum { RACE_THREADS = 8, RACE_KEYS = 40 };

typedef struct racer {
    dw_storage *storage;
    pthread_barrier_t *start;
    size_t number;
    bool won[RACE_KEYS];
    bool failed;
} racer;

static void
race_key(char *out, size_t size, size_t number)
{
    snprintf(out, size, "_delta_log/%020zu.json", number);
}

static void *
race(void *ctx)
{
    racer *self = ctx;
    char text[32];
    snprintf(text, sizeof(text), "%zu", self->number);
    pthread_barrier_wait(self->start);
    for (size_t i = 0; i < RACE_KEYS; i++) {
        char key[64];
        race_key(key, sizeof(key), i);
        dw_status status =
            dw__storage_put_if_absent(self->storage, dw__str_from(key), dw__str_from(text), NULL);
        self->won[i] = status == DW_OK;
        self->failed = self->failed || (status != DW_OK && status != DW_ALREADY_EXISTS);
    }
    return NULL;
}

void
test_contract__one_thread_wins_each_key(void **state)
{
    dw_storage *storage = storage_of(state);
    pthread_t threads[RACE_THREADS];
    racer racers[RACE_THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, RACE_THREADS);
    for (size_t i = 0; i < RACE_THREADS; i++) {
        racers[i] = (racer){.storage = storage, .start = &start, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACE_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(racers[i].failed);
    }
    pthread_barrier_destroy(&start);
    for (size_t k = 0; k < RACE_KEYS; k++) {
        char key[64];
        char winner[32] = "";
        size_t wins = 0;
        race_key(key, sizeof(key), k);
        for (size_t i = 0; i < RACE_THREADS; i++) {
            if (racers[i].won[k]) {
                wins++;
                snprintf(winner, sizeof(winner), "%zu", i);
            }
        }
        assert_int_equal(wins, 1);
        assert_object(storage, key, winner);
    }
    assert_int_equal(dwt_count(storage, ""), RACE_KEYS);
}

enum { REPLACED_SIZE = 20000, REPLACED_ROUNDS = 60 };

static void *
read_whole_objects(void *ctx)
{
    racer *self = ctx;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), BUF_MAX);
    for (int round = 0; round < REPLACED_ROUNDS; round++) {
        dw_status status = dw__storage_get(self->storage, DW_STR("hint"), &buf, NULL, NULL);
        bool is_whole = status == DW_OK && buf.len == REPLACED_SIZE;
        for (size_t i = 1; is_whole && i < buf.len; i++) {
            is_whole = buf.ptr[i] == buf.ptr[0];
        }
        self->failed = self->failed || !is_whole;
    }
    return NULL;
}

void
test_contract__readers_see_whole_objects(void **state)
{
    dw_storage *storage = storage_of(state);
    char bytes[REPLACED_SIZE];
    memset(bytes, 'a', sizeof(bytes));
    dwt_put(storage, "hint", dw__str_make(bytes, sizeof(bytes)));
    racer readers[2] = {{.storage = storage}, {.storage = storage}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_whole_objects, &readers[i]), 0);
    }
    for (int round = 0; round < REPLACED_ROUNDS; round++) {
        memset(bytes, 'a' + round % 26, sizeof(bytes));
        dwt_put(storage, "hint", dw__str_make(bytes, sizeof(bytes)));
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_false(readers[i].failed);
    }
}

void
test_contract__composes_objects_of_pieces(void **state)
{
    dw_storage *storage = storage_of(state);
    dw_error err = DW_ERROR_INIT;
    dwt_put(storage, "p/a", DW_STR("0123456789"));
    dwt_put(storage, "p/b", DW_STR("abc"));
    dw_piece pieces[] = {{.bytes = DW_STR("<")},
                         {.key = DW_STR("p/a"), .offset = 2, .size = 5},
                         {.key = DW_STR("p/b"), .offset = 0, .size = 3},
                         {.key = DW_STR("p/a"), .offset = 9, .size = 1},
                         {.bytes = DW_STR(">")}};
    assert_ok(dw__storage_compose(storage, DW_STR("p/c"), pieces, 5, &err), &err);
    assert_ok(dw__storage_sync(storage, DW_STR("p/c"), 11, &err), &err);
    assert_object(storage, "p/c", "<23456abc9>");
    /* What is not there leaves nothing behind. */
    pieces[2].size = 4;
    dw_status status = dw__storage_compose(storage, DW_STR("p/d"), pieces, 5, &err);
    assert_int_equal(status, DW_CORRUPT);
    pieces[2].key = DW_STR("p/none");
    status = dw__storage_compose(storage, DW_STR("p/e"), pieces, 5, &err);
    assert_int_equal(status, DW_NOT_FOUND);
    assert_int_equal(dwt_count(storage, ""), 3);
}
