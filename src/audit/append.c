/*
 * A writer locks the head, looks whether the log ends where the head says, and adds its record
 * there. Where it does not end there, records of a writer that was stopped before it wrote the head
 * are taken over, and all else is told by a record of its own. [AUDIT-1,2] [HEAD-1]
 */
#include "audit/append.h"

#include "audit/lines.h"
#include "base/assert.h"

/* The log as it is under the lock. */
typedef struct opened {
    const dw_audit_target *target;
    dw_local_file head_file, file;
    dw_audit_head head;
    dw_audit_head_state head_state;
    int64_t size;      /* of the newest file */
    bool is_damaged;   /* and by what: */
    bool ends_in_line; /* the last byte is no line end */
    dw_audit_repair repair;
} opened;

/* ---- What others left ------------------------------------------------------------------------ */

/* Goes over lines whose place in the chain is not known yet. */
typedef struct recovery {
    dw_json_parser parser;
    dw_audit_mark *last;
    bool is_chained; /* only records count that follow the last one */
    dw_sha256 torn;  /* the bytes behind the last record that counts */
    int64_t torn_bytes;
    bool ends_in_line;
} recovery;

static dw_status
take_line(void *ctx, dw_str bytes, bool is_whole, dw_error *err)
{
    recovery *r = ctx;
    dw_audit_line line;
    bool is_oom = false;
    bool counts = is_whole && dw__audit_line_read(bytes, &r->parser, &line, &is_oom) &&
                  (!r->is_chained || dw__audit_line_follows(&line, r->last));
    if (is_oom) {
        return dw__error_oom(err);
    }
    if (counts) {
        dw__audit_mark_set(r->last, &line);
        dw__sha256_init(&r->torn);
        r->torn_bytes = 0;
    } else {
        dw__sha256_add(&r->torn, bytes);
        r->torn_bytes += (int64_t) bytes.len;
    }
    r->ends_in_line = !dw__str_ends_with(bytes, DW_STR("\n"));
    return DW_OK;
}

/* Looks at what is behind an offset. */
static dw_status
recover(opened *o, const dw_local_file *file, int64_t from, int64_t to, bool is_chained,
        dw_error *err)
{
    const dw_allocator *allocator = o->target->env->allocator;
    recovery r = {
        .parser = dw__json_parser_make(allocator), .last = &o->head.last, .is_chained = is_chained};
    dw__sha256_init(&r.torn);
    dw_status status = dw__audit_visit(allocator, file, from, to, take_line, &r, err);
    dw__json_parser_deinit(&r.parser);
    if (r.ends_in_line) { /* the line end that closes it is one of the bytes that are told of */
        dw__sha256_add(&r.torn, DW_STR("\n"));
        r.torn_bytes++;
    }
    o->ends_in_line = r.ends_in_line;
    o->repair.torn_bytes = r.torn_bytes;
    dw__sha256_end(&r.torn, o->repair.torn_hash);
    return status;
}

static void
set_damage(opened *o, dw_audit_damage damage)
{
    o->is_damaged = true;
    o->repair.damage = damage;
}

static dw_status
recover_file(opened *o, int64_t number, dw_error *err)
{
    int64_t size;
    char path[DW_LOCAL_PATH_SIZE];
    DW_AUTO(dw_local_file) file = DW_LOCAL_FILE_NONE;
    if (!dw__audit_file_path(o->target->path, number, path)) {
        return DW_OK;
    }
    DW_TRY(dw__local_file_open(dw__str_from(path), DW_LOCAL_READ, &file, err));
    DW_TRY(dw__local_file_size(&file, &size, err));
    return recover(o, &file, 0, size, false, err);
}

/* Goes over the newest of the older files, and over those before it only where somebody left no
 * record in it. Its number is 0 when there is none. */
static dw_status
recover_older(opened *o, int64_t *number_out, dw_error *err)
{
    int64_t *numbers;
    size_t count;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, o->target->env->allocator);
    dw_assert(o->head.last.count == 0);
    DW_TRY(dw__audit_list(o->target->env, o->target->path, &arena, &numbers, &count, err));
    *number_out = count == 0 ? 0 : numbers[count - 1];
    for (size_t i = count; i > 0 && o->head.last.count == 0; i--) {
        DW_TRY(recover_file(o, numbers[i - 1], err));
    }
    return DW_OK;
}

/* True when the newest file was given a number, and the writer stopped before it wrote the head:
 * that is about the last record of an older file then. */
static dw_status
was_rotated(opened *o, bool *out, dw_error *err)
{
    int64_t number;
    dw_audit_mark last = o->head.last;
    dw__audit_mark_zero(&o->head.last);
    DW_TRY(recover_older(o, &number, err));
    *out = number > 0 && o->head.last.count == last.count &&
           dw__sha256_text_equal(o->head.last.hash, last.hash);
    o->head.last = last;
    return DW_OK;
}

static dw_status
look_behind_head(opened *o, dw_error *err)
{
    bool rotated;
    DW_TRY(was_rotated(o, &rotated, err));
    if (rotated || o->size > o->head.size_bytes) {
        DW_TRY(recover(o, &o->file, rotated ? 0 : o->head.size_bytes, o->size, true, err));
        if (o->repair.torn_bytes > 0) {
            set_damage(o, DW_AUDIT_TORN);
        }
        return DW_OK;
    }
    /* The chain goes on where it was: what is gone stays missed. */
    dw_audit_mark last = o->head.last;
    DW_TRY(recover(o, &o->file, 0, o->size, false, err));
    o->head.last = last;
    set_damage(o, DW_AUDIT_SHORTER);
    return DW_OK;
}

/* Without a head the chain goes on behind the last record that is there. */
static dw_status
look_without_head(opened *o, dw_error *err)
{
    int64_t number;
    const dw_audit_target *target = o->target;
    DW_TRY(recover_older(o, &number, err));
    if (number == 0 && o->size == 0) {
        return dw__audit_head_write(&o->head_file, target->env->allocator, target->key, &o->head,
                                    err);
    }
    set_damage(o, DW_AUDIT_HEADLESS);
    return recover(o, &o->file, 0, o->size, false, err);
}

/* A head without a MAC is made by who has no key: it is right only where no record has one. */
static dw_status
look_at_unsigned_head(opened *o, dw_error *err)
{
    int64_t number;
    dw_audit_mark told = o->head.last;
    dw__audit_mark_zero(&o->head.last);
    DW_TRY(recover_older(o, &number, err));
    DW_TRY(recover(o, &o->file, 0, o->size, false, err));
    if (o->head.last.has_mac) {
        set_damage(o, DW_AUDIT_HEADLESS);
        return DW_OK;
    }
    o->head.last = told;
    return o->size == o->head.size_bytes ? DW_OK : look_behind_head(o, err);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
open_locked(opened *o, dw_error *err)
{
    char path[DW_LOCAL_PATH_SIZE];
    const dw_audit_target *target = o->target;
    if (!dw__audit_head_path(target->path, path)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "STORAGE_KEY_INVALID",
                             "the path of the audit log is too long: expected at most %d bytes",
                             DW_LOCAL_PATH_SIZE - DW_AUDIT_SUFFIX_SIZE);
    }
    DW_TRY(dw__local_file_open(dw__str_from(path), DW_LOCAL_REPLACE, &o->head_file, err));
    DW_TRY(dw__local_file_lock(&o->head_file, target->env, false, DW_AUDIT_WAIT_MAX_MS, err));
    DW_TRY(dw__audit_head_read(&o->head_file, target->env->allocator, target->key, &o->head,
                               &o->head_state, err));
    DW_TRY(dw__local_file_open(target->path, DW_LOCAL_APPEND, &o->file, err));
    DW_TRY(dw__local_file_size(&o->file, &o->size, err));
    if (o->head_state != DW_AUDIT_HEAD_RIGHT) {
        DW_TRY(look_without_head(o, err));
    } else if (!o->head.last.has_mac && !dw__str_is_null(target->key) && o->head.last.count > 0) {
        DW_TRY(look_at_unsigned_head(o, err));
    } else if (o->size != o->head.size_bytes) {
        DW_TRY(look_behind_head(o, err));
    }
    if (o->head.last.has_mac && dw__str_is_null(target->key)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "AUDIT_KEY_MISSING",
                             "the records of %s have a MAC, and no key is given for the next one: "
                             "give the log's key file",
                             o->file.path);
    }
    return DW_OK;
}

/* The file that is full gets the next number, and a new one begins, for the same users. The head is
 * made to tell of its last record before: should a writer stop here the next one knows that the log
 * went on elsewhere. */
static dw_status
rotate(opened *o, const dw_audit_mark *last, dw_error *err)
{
    int64_t *numbers;
    size_t count;
    char path[DW_LOCAL_PATH_SIZE];
    const dw_audit_target *target = o->target;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, target->env->allocator);
    DW_TRY(dw__audit_list(target->env, target->path, &arena, &numbers, &count, err));
    if (!dw__audit_file_path(target->path, count == 0 ? 1 : numbers[count - 1] + 1, path)) {
        dw_unreachable("the path of the head is longer");
    }
    dw_audit_head head = {.last = *last, .size_bytes = o->size};
    DW_TRY(dw__local_file_sync(&o->file, err));
    DW_TRY(dw__audit_head_write(&o->head_file, target->env->allocator, target->key, &head, err));
    DW_TRY(dw__local_file_rename(target->path, dw__str_from(path), err));
    DW_AUTO(dw_local_file) full = o->file;
    o->file = DW_LOCAL_FILE_NONE;
    DW_TRY(dw__local_file_open(target->path, DW_LOCAL_APPEND, &o->file, err));
    dw__local_file_share(&o->file, &full);
    o->size = 0;
    return DW_OK;
}

static dw_status
add(opened *o, const dw_audit_event *event, bool is_synced, dw_strbuf *text, dw_error *err)
{
    const dw_audit_target *target = o->target;
    const dw_env *env = target->env;
    dw_audit_mark before = o->head.last;
    dw_audit_stamp stamp = {env->ops->now_us(env->ctx), target->identity};
    if (o->is_damaged) {
        dw__strbuf_append(text, o->ends_in_line ? DW_STR("\n") : DW_STR(""));
        dw__audit_repair_put(text, &stamp, &o->repair, target->key, &o->head.last);
    }
    dw__audit_record_put(text, &stamp, event, target->key, &o->head.last);
    DW_TRY(dw__strbuf_ok(text, "a record of the audit log", err));
    if (!o->is_damaged && o->size > 0 && o->size + (int64_t) text->len > target->file_bytes_max) {
        DW_TRY(rotate(o, &before, err));
    }
    DW_TRY(dw__local_file_append(&o->file, o->size, dw__strbuf_str(text), err));
    if (is_synced) {
        DW_TRY(dw__local_file_sync(&o->file, err));
    }
    o->head.size_bytes = o->size + (int64_t) text->len;
    return dw__audit_head_write(&o->head_file, env->allocator, target->key, &o->head, err);
}

dw_status
dw__audit_append(const dw_audit_target *target, const dw_audit_event *event, bool is_synced,
                 int64_t *number_out, dw_error *err)
{
    opened o = {.target = target, .head_file = DW_LOCAL_FILE_NONE, .file = DW_LOCAL_FILE_NONE};
    DW_AUTO(dw_strbuf) text =
        dw__strbuf_make(target->env->allocator, 2 * DW_AUDIT_RECORD_BYTES_MAX);
    *number_out = 0;
    dw_status status = open_locked(&o, err);
    if (status == DW_OK) {
        status = add(&o, event, is_synced, &text, err);
    }
    if (status == DW_OK) {
        *number_out = o.head.last.count;
    }
    dw__local_file_close(&o.file);
    dw__local_file_close(&o.head_file); /* and the next writer gets on */
    return status;
}
