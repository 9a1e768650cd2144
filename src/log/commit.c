/*
 * Reading commit files one at a time.
 */
#include "log/commit.h"

#include "base/assert.h"

#include <inttypes.h>

dw_status
dw__commit_get(dw_log *log, int64_t version, dw_strbuf *bytes, int64_t *modified_ms_out,
               dw_error *err)
{
    char key[DW_COMMIT_KEY_SIZE];
    dw_status status = dw__storage_get(dw__log_storage(log), dw__commit_key(version, key), bytes,
                                       modified_ms_out, err);
    if (status == DW_NOT_FOUND) {
        return dw__error_set(err, DW_NOT_FOUND, "LOG_VERSION_MISSING",
                             "version %" PRId64 " is not in the log", version);
    }
    return status;
}

void
dw__commit_context(dw_error *err, dw_str key)
{
    dw__error_context(err, "reading %.*s", DW_STR_ARG(key));
}

typedef struct collector {
    dw_commit_actions *actions;
    dw_arena *arena;
} collector;

/* Room for one more action; the arena keeps the outgrown arrays, which together are no larger. */
static bool
grow(collector *c)
{
    dw_commit_actions *actions = c->actions;
    if (actions->count < actions->capacity) {
        return true;
    }
    size_t capacity = actions->capacity == 0 ? 8 : actions->capacity * 2;
    dw_action *items = DW_ARENA_ARRAY(c->arena, dw_action, capacity);
    if (items == NULL) {
        return false;
    }
    if (actions->count > 0) {
        memcpy(items, actions->items, actions->count * sizeof(dw_action));
    }
    actions->items = items;
    actions->capacity = capacity;
    return true;
}

static dw_status
collect(void *ctx, const dw_action *action, dw_error *err)
{
    collector *c = ctx;
    if (!grow(c)) {
        return dw__error_oom(err);
    }
    c->actions->items[c->actions->count++] = *action;
    return DW_OK;
}

dw_status
dw__commit_read(dw_log *log, int64_t version, dw_arena *arena, dw_commit_actions *out,
                dw_error *err)
{
    dw_assert(version >= 0);
    *out = (dw_commit_actions){0};
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__log_env(log)->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__commit_get(log, version, &bytes, &out->modified_ms, err));
    out->size_bytes = bytes.len;
    collector c = {out, arena};
    dw_status status = dw__actions_parse(dw__strbuf_str(&bytes), arena, collect, &c, err);
    if (status != DW_OK) {
        char key[DW_COMMIT_KEY_SIZE];
        dw__commit_context(err, dw__commit_key(version, key));
        *out = (dw_commit_actions){0};
    }
    return status;
}

/* ---- commitInfo only ------------------------------------------------------------------------- */

/* A commitInfo is normally the first line: reading so much is nearly always enough. */
#define HEAD_BYTES ((size_t) 16384)
#define INFO_MEMBER "\"commitInfo\""

/* True when nothing but `{` and blanks stands before the member's name. */
static bool
opens_line(dw_str before)
{
    dw_str trimmed = dw__str_trim(before);
    return trimmed.len == 1 && trimmed.ptr[0] == '{';
}

/* The line of the commitInfo; the null string when there is none. A line that the text was cut in
 * is not taken. Parsing every line only to find this one would cost too much. */
static dw_str
find_info_line(dw_str text, bool is_cut)
{
    size_t at = 0;
    while (at < text.len) {
        dw_str rest = dw__str_slice(text, at, text.len);
        const char *found = memmem(rest.ptr, rest.len, INFO_MEMBER, sizeof(INFO_MEMBER) - 1);
        if (found == NULL) {
            return DW_STR_NULL;
        }
        size_t place = (size_t) (found - text.ptr);
        size_t before = dw__str_find_last(dw__str_slice(text, 0, place), '\n');
        size_t start = before == SIZE_MAX ? 0 : before + 1;
        size_t len = dw__str_find(dw__str_slice(text, start, text.len), '\n');
        bool ends = len != SIZE_MAX || !is_cut;
        len = len == SIZE_MAX ? text.len - start : len;
        if (opens_line(dw__str_slice(text, start, place - start))) {
            return ends ? dw__str_slice(text, start, len) : DW_STR_NULL;
        }
        at = start + len + 1;
    }
    return DW_STR_NULL;
}

static dw_status
parse_info_line(dw_str line, dw_arena *arena, dw_commit_info *out, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, line, "the commitInfo", &doc, err));
    dw_action action;
    DW_TRY(dw__action_parse(dw__json_root(doc), arena, &action, err));
    return action.kind == DW_ACTION_COMMIT_INFO
               ? dw__commit_info_parse(action.as.json, arena, out, err)
               : DW_OK;
}

dw_status
dw__commit_info_read(dw_log *log, int64_t version, dw_arena *arena, dw_commit_info *out,
                     dw_error *err)
{
    *out = (dw_commit_info){0};
    char key_text[DW_COMMIT_KEY_SIZE];
    dw_str key = dw__commit_key(version, key_text);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__log_env(log)->allocator, DW_COMMIT_BYTES_MAX);
    dw_status status = dw__storage_get_range(dw__log_storage(log), key, 0, HEAD_BYTES, &bytes, err);
    if (status == DW_NOT_FOUND) {
        return dw__error_set(err, DW_NOT_FOUND, "LOG_VERSION_MISSING",
                             "version %" PRId64 " is not in the log", version);
    }
    DW_TRY(status);
    bool is_cut = bytes.len == HEAD_BYTES;
    dw_str line = find_info_line(dw__strbuf_str(&bytes), is_cut);
    if (dw__str_is_null(line) && is_cut) {
        DW_TRY(dw__commit_get(log, version, &bytes, NULL, err));
        line = find_info_line(dw__strbuf_str(&bytes), false);
    }
    if (dw__str_is_null(line)) {
        return DW_OK;
    }
    status = parse_info_line(line, arena, out, err);
    if (status != DW_OK) {
        dw__commit_context(err, key);
    }
    return status;
}
