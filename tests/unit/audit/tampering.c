/* The tamperings themselves; each makes another log of a sound one. */
#include "tampering.h"

#include "audit/head.h"
#include "audit/record.h"

#include <unistd.h>

#define PREV_KEY ",\"prev\":\""
#define HASH_KEY ",\"hash\":\""
#define HEX_LEN ((size_t) DW_SHA256_TEXT_SIZE - 1)
#define KEY_STR dw__str_make(KEY_TEXT, sizeof(KEY_TEXT) - 2) /* without the line end */

static size_t
find_text(dw_str in, dw_str text)
{
    const char *found = memmem(in.ptr, in.len, text.ptr, text.len);
    return found == NULL ? SIZE_MAX : (size_t) (found - in.ptr);
}

/* ---- The log on disk ------------------------------------------------------------------------- */

enum { NAME_SIZE = 48 };

static const char *
file_name(const saved_log *log, size_t idx, char out[NAME_SIZE])
{
    if (idx + 1 == log->file_count) {
        return "audit.jsonl";
    }
    snprintf(out, NAME_SIZE, "audit.jsonl.%09zu", idx + 1);
    return out;
}

static dw_str
read_text(const audit_world *w, const char *name, dw_arena *arena)
{
    size_t len;
    dw_str text = DW_STR_NULL;
    char *bytes = dwt_read_file(w->dir.path, name, &len);
    if (bytes != NULL) {
        assert_true(dw__arena_dup(arena, dw__str_make(bytes, len), &text));
        free(bytes);
    }
    return text;
}

void
saved_log_read(const audit_world *w, dw_arena *arena, saved_log *out)
{
    char name[NAME_SIZE];
    *out = (saved_log){.head = read_text(w, "audit.jsonl.head", arena)};
    dw_str text;
    do {
        assert_true(out->file_count + 1 < DWT_LOG_FILES_MAX);
        snprintf(name, sizeof(name), "audit.jsonl.%09zu", out->file_count + 1);
        text = read_text(w, name, arena);
        out->files[out->file_count++] = text;
    } while (!dw__str_is_null(text));
    out->files[out->file_count - 1] = read_text(w, "audit.jsonl", arena);
}

static void
write_or_remove(const audit_world *w, const char *name, dw_str text)
{
    char path[DWT_PATH_SIZE + NAME_SIZE + 1];
    if (dw__str_is_null(text)) {
        snprintf(path, sizeof(path), "%s/%s", w->dir.path, name);
        (void) unlink(path);
    } else {
        dwt_write_file(w->dir.path, name, text);
    }
}

void
saved_log_write(const audit_world *w, const saved_log *log)
{
    char name[NAME_SIZE];
    for (size_t i = 0; i < DWT_LOG_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "audit.jsonl.%09zu", i + 1);
        write_or_remove(w, name, i + 1 < log->file_count ? log->files[i] : DW_STR_NULL);
    }
    write_or_remove(w, "audit.jsonl", log->files[log->file_count - 1]);
    write_or_remove(w, "audit.jsonl.head", log->head);
}

static void
add_text(dw_sha256 *digest, const char *name, dw_str text)
{
    if (!dw__str_is_null(text)) {
        dw__sha256_add(digest, dw__str_from(name));
        dw__sha256_add(digest, DW_STR("\n"));
        dw__sha256_add(digest, text);
    }
}

void
saved_log_digest(const saved_log *log, char out[DW_SHA256_TEXT_SIZE])
{
    dw_sha256 digest;
    char name[NAME_SIZE];
    dw__sha256_init(&digest);
    for (size_t i = 0; i < log->file_count; i++) {
        add_text(&digest, file_name(log, i, name), log->files[i]);
    }
    add_text(&digest, "head", log->head);
    dw__sha256_end(&digest, out);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static dw_str *
draw_file(saved_log *log, chance *c)
{
    return &log->files[chance_draw(c, log->file_count)];
}

static char *
copy_text(dw_str text, dw_arena *arena)
{
    dw_str copy;
    assert_true(dw__arena_dup(arena, text, &copy));
    return (char *) (uintptr_t) copy.ptr;
}

static void
flip(dw_str *text, chance *c, dw_arena *arena)
{
    char *bytes = copy_text(*text, arena);
    size_t at = (size_t) chance_draw(c, text->len);
    bytes[at] = (char) (bytes[at] ^ (1 << chance_draw(c, 8)));
    text->ptr = bytes;
}

static void
flip_bit(saved_log *log, chance *c, dw_arena *arena)
{
    flip(draw_file(log, c), c, arena);
}

static void
flip_bit_of_head(saved_log *log, chance *c, dw_arena *arena)
{
    flip(&log->head, c, arena);
}

/* Another digit, and the text is still JSON: no number gets a zero in front. */
static dw_str
with_another_digit(dw_str text, chance *c, dw_arena *arena)
{
    char *bytes = copy_text(text, arena);
    size_t at = (size_t) chance_draw(c, text.len);
    while (bytes[at] < '0' || bytes[at] > '9') {
        at = (at + 1) % text.len;
    }
    bytes[at] = (char) (bytes[at] == '9' ? '8' : bytes[at] + 1);
    return dw__str_make(bytes, text.len);
}

static void
change_digit(saved_log *log, chance *c, dw_arena *arena)
{
    dw_str *file = draw_file(log, c);
    *file = with_another_digit(*file, c, arena);
}

static void
cut_bytes(saved_log *log, chance *c, dw_arena *arena)
{
    (void) arena;
    dw_str *file = draw_file(log, c);
    *file = dw__str_slice(*file, 0, 1 + (size_t) chance_draw(c, file->len - 1));
}

/* ---- Records --------------------------------------------------------------------------------- */

typedef struct records {
    dw_str items[DWT_LOG_RECORDS_MAX];
    size_t files[DWT_LOG_RECORDS_MAX]; /* where each is */
    size_t count;
} records;

static void
split(const saved_log *log, records *out)
{
    out->count = 0;
    for (size_t i = 0; i < log->file_count; i++) {
        dw_str rest = log->files[i];
        while (rest.len > 0) {
            assert_true(out->count < DWT_LOG_RECORDS_MAX);
            size_t len = dw__str_find(rest, '\n') + 1;
            out->files[out->count] = i;
            out->items[out->count++] = dw__str_slice(rest, 0, len);
            rest = dw__str_slice(rest, len, SIZE_MAX);
        }
    }
}

static void
join(const records *from, saved_log *log, dw_arena *arena)
{
    dw_strbuf text = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 20);
    for (size_t i = 0; i < log->file_count; i++) {
        dw__strbuf_clear(&text);
        for (size_t k = 0; k < from->count; k++) {
            if (from->files[k] == i) {
                dw__strbuf_append(&text, from->items[k]);
            }
        }
        assert_true(dw__arena_dup(arena, dw__strbuf_str(&text), &log->files[i]));
    }
    dw__strbuf_deinit(&text);
}

static void
insert(records *r, size_t at, dw_str line)
{
    assert_true(r->count < DWT_LOG_RECORDS_MAX);
    memmove(r->items + at + 1, r->items + at, (r->count - at) * sizeof(*r->items));
    memmove(r->files + at + 1, r->files + at, (r->count - at) * sizeof(*r->files));
    r->items[at] = line;
    r->count++;
}

static void
take_out(records *r, size_t at)
{
    r->count--;
    memmove(r->items + at, r->items + at + 1, (r->count - at) * sizeof(*r->items));
    memmove(r->files + at, r->files + at + 1, (r->count - at) * sizeof(*r->files));
}

static void
delete_record(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    take_out(&r, (size_t) chance_draw(c, r.count));
    join(&r, log, arena);
}

static void
repeat_record(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    dw_str line = r.items[chance_draw(c, r.count)];
    insert(&r, (size_t) chance_draw(c, r.count), line);
    join(&r, log, arena);
}

static void
swap_records(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    size_t a = (size_t) chance_draw(c, r.count);
    size_t b = (a + 1 + (size_t) chance_draw(c, r.count - 1)) % r.count;
    dw_str line = r.items[a];
    r.items[a] = r.items[b];
    r.items[b] = line;
    join(&r, log, arena);
}

static void
insert_line(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    insert(&r, (size_t) chance_draw(c, r.count),
           chance_draw(c, 2) == 0 ? DW_STR("{\"number\":7}\n") : DW_STR("\n"));
    join(&r, log, arena);
}

static void
cut_record(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    dw_str *line = &r.items[chance_draw(c, r.count)];
    *line = dw__str_slice(*line, 0, (size_t) chance_draw(c, line->len));
    join(&r, log, arena);
}

/* All behind some record, of which `kept` stay at least; files that are empty by that stay. */
static void
cut_behind(saved_log *log, chance *c, size_t kept, dw_arena *arena)
{
    records r;
    split(log, &r);
    r.count = kept + (size_t) chance_draw(c, r.count - kept);
    join(&r, log, arena);
}

static void
cut_records(saved_log *log, chance *c, dw_arena *arena)
{
    cut_behind(log, c, 0, arena);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
remove_file(saved_log *log, chance *c, dw_arena *arena)
{
    (void) arena;
    size_t idx = (size_t) chance_draw(c, log->file_count + 1);
    *(idx == log->file_count ? &log->head : &log->files[idx]) = DW_STR_NULL;
}

static void
empty_file(saved_log *log, chance *c, dw_arena *arena)
{
    (void) arena;
    size_t idx = (size_t) chance_draw(c, log->file_count + 1);
    *(idx == log->file_count ? &log->head : &log->files[idx]) = DW_STR("");
}

static void
swap_files(saved_log *log, chance *c, dw_arena *arena)
{
    (void) arena;
    size_t a = (size_t) chance_draw(c, log->file_count);
    size_t b = (a + 1 + (size_t) chance_draw(c, log->file_count - 1)) % log->file_count;
    dw_str text = log->files[a];
    log->files[a] = log->files[b];
    log->files[b] = text;
}

static void
repeat_file(saved_log *log, chance *c, dw_arena *arena)
{
    (void) arena;
    size_t at = (size_t) chance_draw(c, log->file_count);
    dw_str text = *draw_file(log, c);
    memmove(log->files + at + 1, log->files + at, (log->file_count - at) * sizeof(*log->files));
    log->files[at] = text;
    log->file_count++;
}

/* ---- Digests --------------------------------------------------------------------------------- */

/* A record with another number and another one before it, and the digest that belongs to that. A
 * MAC is kept as it is, since who has no key can make none, or left out. */
static dw_str
hash_anew(dw_str line, size_t number, dw_str prev, bool is_signed, dw_arena *arena)
{
    char digest[DW_SHA256_TEXT_SIZE];
    dw_str text = dw__str_slice(line, dw__str_find(line, ','), SIZE_MAX);
    size_t prev_at = find_text(text, DW_STR(PREV_KEY));
    size_t hash_at = find_text(text, DW_STR(HASH_KEY));
    size_t mac_at = prev_at + sizeof(PREV_KEY) - 1 + HEX_LEN + 1;
    dw_strbuf out = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 20);
    dw__strbuf_printf(&out, "{\"number\":%zu", number);
    dw__strbuf_append(&out, dw__str_slice(text, 0, prev_at));
    dw__strbuf_printf(&out, PREV_KEY "%.*s\"", DW_STR_ARG(prev));
    if (is_signed) {
        dw__strbuf_append(&out, dw__str_slice(text, mac_at, hash_at - mac_at));
    }
    dw__sha256_text(dw__strbuf_str(&out), digest);
    dw__strbuf_printf(&out, HASH_KEY "%s\"}\n", digest);
    assert_true(dw__arena_dup(arena, dw__strbuf_str(&out), &text));
    dw__strbuf_deinit(&out);
    return text;
}

/* The digest that a record has, or that it tells of the one before it. */
static dw_str
find_hash(dw_str line, const char *key)
{
    return dw__str_slice(line, find_text(line, dw__str_from(key)) + sizeof(HASH_KEY) - 1, HEX_LEN);
}

/* Who has no key keeps the MACs, or leaves them out. That no record at all has one is another
 * thing: a key may have been used from some record on. */
static void
hash_from(records *r, size_t first, chance *c, dw_arena *arena)
{
    bool is_signed = first == 0 || chance_draw(c, 2) == 0;
    dw_audit_mark zero;
    dw__audit_mark_zero(&zero);
    for (size_t i = first; i < r->count; i++) {
        dw_str prev = i == 0 ? dw__str_from(zero.hash) : find_hash(r->items[i - 1], HASH_KEY);
        r->items[i] = hash_anew(r->items[i], i + 1, prev, is_signed, arena);
    }
}

/* What a record says, but not its number or digests. */
static dw_str
edit(dw_str line, chance *c, dw_arena *arena)
{
    size_t from = dw__str_find(line, ',');
    size_t to = find_text(line, DW_STR(PREV_KEY));
    dw_str said = with_another_digit(dw__str_slice(line, from, to - from), c, arena);
    dw_str out = dw__arena_printf(arena, "%.*s%.*s%.*s", DW_STR_ARG(dw__str_slice(line, 0, from)),
                                  DW_STR_ARG(said), DW_STR_ARG(dw__str_slice(line, to, SIZE_MAX)));
    assert_false(dw__str_is_null(out));
    return out;
}

/* The record alone: what is behind it still tells of the one that was. */
static void
edit_and_hash_record(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    size_t at = (size_t) chance_draw(c, r.count);
    dw_str prev = find_hash(r.items[at], PREV_KEY);
    r.items[at] = hash_anew(edit(r.items[at], c, arena), at + 1, prev, true, arena);
    join(&r, log, arena);
}

static void
edit_and_hash_rest(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    size_t at = (size_t) chance_draw(c, r.count);
    r.items[at] = edit(r.items[at], c, arena);
    hash_from(&r, at, c, arena);
    join(&r, log, arena);
}

static void
delete_and_hash_rest(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    size_t at = (size_t) chance_draw(c, r.count);
    take_out(&r, at);
    hash_from(&r, at, c, arena);
    join(&r, log, arena);
}

static void
insert_and_hash_rest(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    size_t at = (size_t) chance_draw(c, r.count);
    insert(&r, at, edit(r.items[chance_draw(c, r.count)], c, arena));
    hash_from(&r, at, c, arena);
    join(&r, log, arena);
}

/* ---- The head, too --------------------------------------------------------------------------- */

/* A head that fits what is there now. `key` null string: who made it has none. */
static void
make_head(saved_log *log, dw_str key, dw_arena *arena)
{
    records r;
    char path[] = "/tmp/tampered-head-XXXXXX";
    dw_error err = DW_ERROR_INIT;
    dw_audit_head head = {.size_bytes = (int64_t) log->files[log->file_count - 1].len};
    split(log, &r);
    dw__audit_mark_zero(&head.last);
    if (r.count > 0) {
        dw_str hash = find_hash(r.items[r.count - 1], HASH_KEY);
        head.last.count = (int64_t) r.count;
        head.last.has_mac = !dw__str_is_null(key);
        memcpy(head.last.hash, hash.ptr, hash.len);
    }
    dw_local_file file = {.fd = mkstemp(path)};
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(dw__allocator_libc(), (size_t) 1 << 10);
    snprintf(file.path, sizeof(file.path), "%s", path);
    assert_ok(dw__audit_head_write(&file, dw__allocator_libc(), key, &head, &err), &err);
    assert_ok(dw__local_file_read(&file, 0, (size_t) 1 << 10, &text, &err), &err);
    assert_true(dw__arena_dup(arena, dw__strbuf_str(&text), &log->head));
    dw__local_file_close(&file);
    (void) unlink(path);
}

static void
edit_hash_rest_and_head(saved_log *log, chance *c, dw_arena *arena)
{
    edit_and_hash_rest(log, c, arena);
    make_head(log, DW_STR_NULL, arena);
}

static void
delete_hash_rest_and_head(saved_log *log, chance *c, dw_arena *arena)
{
    delete_and_hash_rest(log, c, arena);
    make_head(log, DW_STR_NULL, arena);
}

static void
cut_records_and_head(saved_log *log, chance *c, dw_arena *arena)
{
    cut_behind(log, c, 1, arena);
    make_head(log, DW_STR_NULL, arena);
}

/* As it was once, with the head of then. */
static void
put_back_older(saved_log *log, chance *c, dw_arena *arena)
{
    records r;
    split(log, &r);
    bool is_signed = find_text(r.items[0], DW_STR(",\"mac\":\"")) != SIZE_MAX;
    r.count = 1 + (size_t) chance_draw(c, r.count - 1);
    size_t last = r.files[r.count - 1];
    join(&r, log, arena);
    log->file_count = last + 1;
    make_head(log, is_signed ? KEY_STR : DW_STR_NULL, arena);
}

const tampering tamperings[] = {
    {"a bit is flipped", NEEDS_NOTHING, flip_bit},
    {"a digit is changed", NEEDS_NOTHING, change_digit},
    {"a file is cut between its bytes", NEEDS_NOTHING, cut_bytes},
    {"a bit of the head is flipped", NEEDS_NOTHING, flip_bit_of_head},
    {"a record is deleted", NEEDS_NOTHING, delete_record},
    {"a record is repeated", NEEDS_NOTHING, repeat_record},
    {"two records are swapped", NEEDS_NOTHING, swap_records},
    {"a line is put in", NEEDS_NOTHING, insert_line},
    {"a record is cut", NEEDS_NOTHING, cut_record},
    {"the log is cut behind a record", NEEDS_NOTHING, cut_records},
    {"a file is removed", NEEDS_NOTHING, remove_file},
    {"a file is emptied", NEEDS_NOTHING, empty_file},
    {"two files are swapped", NEEDS_NOTHING, swap_files},
    {"a file is repeated", NEEDS_NOTHING, repeat_file},
    {"a record is edited and hashed anew", NEEDS_NOTHING, edit_and_hash_record},
    {"a record is edited, all from it on hashed anew", NEEDS_NOTHING, edit_and_hash_rest},
    {"a record is deleted, all behind it hashed anew", NEEDS_NOTHING, delete_and_hash_rest},
    {"a record is put in, all from it on hashed anew", NEEDS_NOTHING, insert_and_hash_rest},
    {"edited, hashed anew, and the head", NEEDS_KEY_OR_ANCHOR, edit_hash_rest_and_head},
    {"deleted, hashed anew, and the head", NEEDS_KEY_OR_ANCHOR, delete_hash_rest_and_head},
    {"cut behind a record, and the head", NEEDS_KEY_OR_ANCHOR, cut_records_and_head},
    {"an older log is put back with its head", NEEDS_ANCHOR, put_back_older},
};
const size_t tampering_count = sizeof(tamperings) / sizeof(tamperings[0]);
