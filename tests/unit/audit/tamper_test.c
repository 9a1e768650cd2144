/*
 * A thousand random tamperings with a log of several files, each of which must be found, and a
 * hundred crashes, each of which must not be taken for one. A seed replays.
 */
#include "audit_world.h"

#include <inttypes.h>
#include <unistd.h>

#define TAMPERINGS 1000
#define CRASHES 100
#define STATEMENTS 20
#define FILES_MAX 16

typedef struct chance {
    uint64_t state;
} chance;

static uint64_t
draw(chance *c, uint64_t below)
{
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return c->state % below;
}

/* ---- The log in memory ----------------------------------------------------------------------- */

typedef struct saved_file {
    char name[32];
    char *bytes;
    size_t len;
} saved_file;

typedef struct saved_log {
    saved_file files[FILES_MAX]; /* the newest is the first, then the head, then older ones */
    size_t count;
} saved_log;

static void
save(const audit_world *w, saved_log *out)
{
    out->count = 0;
    for (int i = -2; out->count < FILES_MAX; i++) {
        saved_file *file = &out->files[out->count];
        if (i < 0) {
            snprintf(file->name, sizeof(file->name), i == -2 ? "audit.jsonl" : "audit.jsonl.head");
        } else {
            snprintf(file->name, sizeof(file->name), "audit.jsonl.%09d", i + 1);
        }
        file->bytes = dwt_read_file(w->dir.path, file->name, &file->len);
        if (file->bytes == NULL) {
            return;
        }
        out->count++;
    }
}

static void
put_back(const audit_world *w, const saved_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        const saved_file *file = &log->files[i];
        dwt_write_file(w->dir.path, file->name, dw__str_make(file->bytes, file->len));
    }
}

static void
forget(saved_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->files[i].bytes);
    }
}

/* ---- Tampering ------------------------------------------------------------------------------- */

typedef enum tampering {
    FLIP_BIT,
    DELETE_LINE,
    REPEAT_LINE,
    SWAP_LINES,
    INSERT_LINE,
    CUT_LINE,
    CUT_TAIL,
    CUT_FILE_BYTES,
    REMOVE_FILE,
    EMPTY_FILE,
    CHANGE_DIGIT,
    FLIP_HEAD,
    TAMPERING_COUNT
} tampering;

static const char *const tampering_names[] = {
    "flip a bit", "delete a line", "repeat a line", "swap lines",   "insert a line",  "cut a line",
    "cut lines",  "cut bytes",     "remove a file", "empty a file", "change a digit", "flip head"};

typedef struct lines {
    dw_str items[64];
    size_t count;
} lines;

static lines
split(dw_str bytes)
{
    lines out = {.count = 0};
    while (bytes.len > 0 && out.count < 64) {
        size_t end = dw__str_find(bytes, '\n');
        size_t len = end == SIZE_MAX ? bytes.len : end + 1;
        out.items[out.count++] = dw__str_slice(bytes, 0, len);
        bytes = dw__str_slice(bytes, len, SIZE_MAX);
    }
    return out;
}

static void
write_lines(const audit_world *w, const char *name, const lines *from)
{
    dw_strbuf text = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 20);
    for (size_t i = 0; i < from->count; i++) {
        dw__strbuf_append(&text, from->items[i]);
    }
    dwt_write_file(w->dir.path, name, dw__strbuf_str(&text));
    dw__strbuf_deinit(&text);
}

static void
insert(lines *l, size_t at, dw_str line)
{
    assert_true(l->count < 64);
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof(*l->items));
    l->items[at] = line;
    l->count++;
}

static void
take_out(lines *l, size_t at)
{
    memmove(l->items + at, l->items + at + 1, (l->count - at - 1) * sizeof(*l->items));
    l->count--;
}

static void
tamper_with_lines(const audit_world *w, chance *c, tampering kind, const saved_file *file)
{
    lines l = split(dw__str_make(file->bytes, file->len));
    size_t at = (size_t) draw(c, l.count);
    size_t other = (size_t) draw(c, l.count);
    dw_str line = l.items[at];
    if (kind == DELETE_LINE) {
        take_out(&l, at);
    } else if (kind == REPEAT_LINE) {
        insert(&l, other, line);
    } else if (kind == SWAP_LINES && l.count > 1) {
        other = at == other ? (at + 1) % l.count : other;
        l.items[at] = l.items[other];
        l.items[other] = line;
    } else if (kind == INSERT_LINE) {
        insert(&l, at, draw(c, 2) == 0 ? DW_STR("{\"number\":7}\n") : DW_STR("\n"));
    } else if (kind == CUT_LINE) {
        l.items[at] = dw__str_slice(line, 0, (size_t) draw(c, line.len));
    } else {
        l.count = at;
    }
    write_lines(w, file->name, &l);
}

static void
tamper_with_bytes(const audit_world *w, chance *c, tampering kind, const saved_file *file)
{
    char *bytes = malloc(file->len);
    size_t len = file->len;
    size_t at = (size_t) draw(c, len);
    memcpy(bytes, file->bytes, len);
    if (kind == FLIP_BIT || kind == FLIP_HEAD) {
        bytes[at] = (char) (bytes[at] ^ (1 << draw(c, 8)));
    } else if (kind == CHANGE_DIGIT) {
        while (bytes[at] < '0' || bytes[at] > '9') {
            at = (at + 1) % len;
        }
        bytes[at] = (char) (bytes[at] == '9' ? '0' : bytes[at] + 1);
    } else {
        len = kind == EMPTY_FILE ? 0 : at;
    }
    dwt_write_file(w->dir.path, file->name, dw__str_make(bytes, len));
    free(bytes);
}

static void
tamper(const audit_world *w, chance *c, tampering kind, const saved_log *log)
{
    char path[DWT_PATH_SIZE + 64];
    size_t idx = (size_t) draw(c, log->count);
    const saved_file *file = &log->files[kind == FLIP_HEAD ? 1 : idx == 1 ? 0 : idx];
    if (kind == REMOVE_FILE) {
        file = &log->files[idx]; /* the head, too */
        snprintf(path, sizeof(path), "%s/%s", w->dir.path, file->name);
        assert_int_equal(unlink(path), 0);
    } else if (kind >= DELETE_LINE && kind <= CUT_TAIL) {
        tamper_with_lines(w, c, kind, file);
    } else {
        tamper_with_bytes(w, c, kind, file);
    }
}

static void
write_log(audit_world *w, bool with_key)
{
    dw_audit_spec spec = audit_spec(w, with_key);
    dw_audit *audit = audit_open(w, &spec);
    for (int64_t i = 1; i <= STATEMENTS; i++) {
        audit_add(audit, i);
    }
    dw__audit_close(audit);
}

static void
check_tamperings(audit_world *w, uint64_t seed, bool with_key)
{
    saved_log log;
    dw_audit_verify_spec spec = audit_verify_spec(w, with_key);
    chance c = {seed};
    write_log(w, with_key);
    save(w, &log);
    assert_true(log.count >= 4); /* the newest file, the head, and older ones */
    assert_int_equal(audit_check(w, &spec).error_count, 0);
    for (int i = 0; i < TAMPERINGS; i++) {
        tampering kind = (tampering) (i % TAMPERING_COUNT);
        tamper(w, &c, kind, &log);
        dw_audit_verdict verdict = audit_check(w, &spec);
        if (verdict.error_count == 0) {
            fail_msg("seed %" PRIu64 ", tampering %d (%s) was not found", seed, i,
                     tampering_names[kind]);
        }
        put_back(w, &log);
    }
    assert_int_equal(audit_check(w, &spec).error_count, 0);
    forget(&log);
}

static void
test_verify__finds_a_thousand_random_tamperings(void **state)
{
    check_tamperings(*state, 20240501, false);
}

static void
test_verify__finds_a_thousand_random_tamperings_with_a_key(void **state)
{
    check_tamperings(*state, 977, true);
}

/* ---- Crashes --------------------------------------------------------------------------------- */

/* The writer stops in the middle of its last record, or behind it before it wrote the head. */
static void
test_verify__takes_no_crash_for_tampering(void **state)
{
    audit_world *w = *state;
    chance c = {31};
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, true);
    dw_audit_spec spec = audit_spec(w, true);
    spec.file_bytes_max = DW_AUDIT_FILE_BYTES_DEFAULT;
    dw_audit *audit = audit_open(w, &spec);
    audit_add(audit, 1);
    for (int i = 0; i < CRASHES; i++) {
        size_t old_len, len, head_len;
        char *old = dwt_read_file(w->dir.path, "audit.jsonl", &old_len);
        char *head = dwt_read_file(w->dir.path, "audit.jsonl.head", &head_len);
        audit_add(audit, 2);
        char *now = dwt_read_file(w->dir.path, "audit.jsonl", &len);
        size_t kept = old_len + (size_t) draw(&c, len - old_len) + 1;
        dwt_write_file(w->dir.path, "audit.jsonl", dw__str_make(now, kept));
        dwt_write_file(w->dir.path, "audit.jsonl.head", dw__str_make(head, head_len));
        dw_audit_verdict verdict = audit_check(w, &verify_spec);
        assert_int_equal(verdict.error_count, 0);
        audit_add(audit, 3);
        verdict = audit_check(w, &verify_spec);
        assert_int_equal(verdict.error_count, 0);
        free(old);
        free(head);
        free(now);
    }
    dw__audit_close(audit);
}

static void
test_verify__finds_what_a_later_writer_buried(void **state)
{
    audit_world *w = *state;
    chance c = {5};
    saved_log log;
    dw_audit_verify_spec verify_spec = audit_verify_spec(w, false);
    dw_audit_spec spec = audit_spec(w, false);
    write_log(w, false);
    save(w, &log);
    dw_audit *audit = audit_open(w, &spec);
    for (int i = 0; i < TAMPERINGS / 10; i++) {
        tampering kind = (tampering) (i % TAMPERING_COUNT);
        tamper(w, &c, kind, &log);
        audit_add(audit, 9);
        if (audit_check(w, &verify_spec).error_count == 0) {
            fail_msg("tampering %d (%s) was not found after another record", i,
                     tampering_names[kind]);
        }
        dwt_remove_tree(w->dir.path);
        put_back(w, &log);
    }
    dw__audit_close(audit);
    forget(&log);
}

int
main(void)
{
#define WORLD_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, audit_world_setup, audit_world_teardown)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings),
        WORLD_TEST(test_verify__finds_a_thousand_random_tamperings_with_a_key),
        WORLD_TEST(test_verify__takes_no_crash_for_tampering),
        WORLD_TEST(test_verify__finds_what_a_later_writer_buried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
