/*
 * Reading and writing `_last_checkpoint`.
 */
#include "log/hint.h"

#include "codec/json.h"
#include "log/hint_checksum.h"
#include "log/names.h"

#include <inttypes.h>

/* A hint with another checksum than its own is damaged. */
static dw_status
check_sum(const dw_allocator *allocator, dw_json hint, dw_error *err)
{
    dw_str stated = dw__json_str(dw__json_get(hint, DW_STR("checksum")));
    char found[DW_MD5_TEXT_SIZE];
    if (dw__str_is_null(stated)) {
        return DW_OK;
    }
    DW_TRY(dw__hint_checksum(allocator, hint, found, err));
    return dw__str_equal(stated, dw__str_from(found))
               ? DW_OK
               : dw__error_set(err, DW_CORRUPT, "HINT_INVALID",
                               "expected the checksum %s in _last_checkpoint, found %.*s", found,
                               DW_STR_ARG(stated));
}

static int64_t
version_in(dw_json hint)
{
    int64_t version;
    bool is_number = dw__json_i64(dw__json_get(hint, DW_STR("version")), &version);
    return is_number && version >= 0 && version <= DW_VERSION_MAX ? version : -1;
}

dw_status
dw__hint_read(dw_storage *storage, const dw_allocator *allocator, int64_t *version_out,
              dw_error *err)
{
    *version_out = -1;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, DW_HINT_BYTES_MAX);
    dw_error ignored = DW_ERROR_INIT;
    dw_status status =
        dw__storage_get(storage, DW_STR(DW_LAST_CHECKPOINT_KEY), &text, NULL, &ignored);
    if (status == DW_OK) {
        DW_AUTO(dw_json_doc_ptr) doc = NULL;
        status = dw__json_parse(allocator, dw__strbuf_str(&text), "the hint", &doc, &ignored);
        if (status == DW_OK) {
            status = check_sum(allocator, dw__json_root(doc), &ignored);
        }
        if (status == DW_OK) {
            *version_out = version_in(dw__json_root(doc));
        }
    }
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}

/* Whether a checkpoint of the version that a hint names is there, by whatever name; a hint that
 * lies must not stay for ever. */
static bool
is_true(dw_storage *storage, const dw_allocator *allocator, int64_t version)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    char text[DW_CHECKPOINT_KEY_SIZE];
    dw_str stem = dw__version_prefix(version, text);
    dw_list_request request = {.prefix =
                                   dw__arena_printf(&arena, "%.*s.checkpoint.", DW_STR_ARG(stem)),
                               .start_after = DW_STR_NULL,
                               .limit = 1};
    dw_list_page page = {0};
    dw_error ignored = DW_ERROR_INIT;
    return !dw__str_is_null(request.prefix) &&
           dw__storage_list(storage, &request, &arena, &page, &ignored) == DW_OK && page.count > 0;
}

/* Puts the checksum of a hint into it. */
static dw_status
add_checksum(const dw_allocator *allocator, dw_strbuf *text, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    char checksum[DW_MD5_TEXT_SIZE];
    DW_TRY(dw__json_parse(allocator, dw__strbuf_str(text), "the hint", &doc, err));
    DW_TRY(dw__hint_checksum(allocator, dw__json_root(doc), checksum, err));
    text->len--; /* the brace */
    dw__strbuf_printf(text, ",\"checksum\":\"%s\"}", checksum);
    return dw__strbuf_ok(text, "the hint", err);
}

dw_status
dw__hint_write(dw_storage *storage, const dw_allocator *allocator, const dw_hint *hint,
               dw_error *err)
{
    int64_t newest;
    DW_TRY(dw__hint_read(storage, allocator, &newest, err));
    if (newest > hint->version && is_true(storage, allocator, newest)) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, DW_HINT_BYTES_MAX);
    dw__strbuf_printf(&text,
                      "{\"version\":%" PRId64 ",\"size\":%" PRId64 ",\"sizeInBytes\":%" PRId64
                      ",\"numOfAddFiles\":%" PRId64,
                      hint->version, hint->action_count, hint->size_bytes, hint->add_count);
    if (!dw__str_is_null(hint->v2_json)) {
        dw__strbuf_append_literal(&text, ",\"v2Checkpoint\":");
        dw__strbuf_append(&text, hint->v2_json);
    }
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "the hint", err));
    DW_TRY(add_checksum(allocator, &text, err));
    return dw__storage_put(storage, DW_STR(DW_LAST_CHECKPOINT_KEY), dw__strbuf_str(&text), err);
}
