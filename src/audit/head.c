/*
 * Reading and writing the head: one line of JSON of fixed length, so that it is written over
 * itself. [HEAD-1]
 */
#include "audit/head.h"

#define HEAD_BYTES ((size_t) 384)
#define MAC_KEY ",\"mac\":\""
#define HEX_LEN (DW_SHA256_TEXT_SIZE - 1)

/* Appends what the MAC is over. */
static void
put_members(dw_strbuf *out, const dw_audit_head *head)
{
    dw__strbuf_append_literal(out, "{\"count\":");
    dw__strbuf_append_i64(out, head->last.count);
    dw__json_put_key(out, DW_STR("size"));
    dw__strbuf_append_i64(out, head->size_bytes);
    dw__json_put_key(out, DW_STR("hasMac"));
    dw__strbuf_append(out, head->last.has_mac ? DW_STR("true") : DW_STR("false"));
    dw__json_put_key(out, DW_STR("hash"));
    dw__json_put_string(out, dw__str_from(head->last.hash));
}

/* As long as no record has a MAC the head has none. */
static void
put_line(dw_strbuf *out, const dw_audit_head *head, dw_str key)
{
    put_members(out, head);
    if (head->last.has_mac && !dw__str_is_null(key)) {
        char mac[DW_SHA256_TEXT_SIZE];
        dw__hmac_sha256_text(key, dw__strbuf_str(out), mac);
        dw__strbuf_append_literal(out, MAC_KEY);
        dw__strbuf_append(out, dw__str_from(mac));
        dw__strbuf_append_char(out, '"');
    }
    dw__strbuf_append_char(out, '}');
    while (!out->failed && out->len + 1 < HEAD_BYTES) {
        dw__strbuf_append_char(out, ' ');
    }
    dw__strbuf_append_char(out, '\n');
}

dw_status
dw__audit_head_write(const dw_local_file *file, const dw_allocator *allocator, dw_str key,
                     const dw_audit_head *head, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, HEAD_BYTES);
    put_line(&text, head, key);
    DW_TRY(dw__strbuf_ok(&text, "the head of the audit log", err));
    return dw__local_file_replace(file, dw__strbuf_str(&text), err);
}

static bool
read_members(dw_json root, dw_audit_head *out)
{
    dw_str hash = dw__json_str(dw__json_get(root, DW_STR("hash")));
    out->last.has_mac = dw__json_bool(dw__json_get(root, DW_STR("hasMac")), false);
    if (hash.len != HEX_LEN) {
        return false;
    }
    memcpy(out->last.hash, hash.ptr, HEX_LEN);
    out->last.hash[HEX_LEN] = '\0';
    return dw__json_i64(dw__json_get(root, DW_STR("count")), &out->last.count) &&
           dw__json_i64(dw__json_get(root, DW_STR("size")), &out->size_bytes) &&
           out->last.count >= 0 && out->size_bytes >= 0;
}

/* It counts when it is, byte by byte, what would be written. Who has no key cannot tell whether the
 * MAC is right. */
static dw_status
is_spelled(const dw_allocator *allocator, dw_str found, dw_str key, const dw_audit_head *head,
           bool *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, HEAD_BYTES);
    if (head->last.has_mac && dw__str_is_null(key)) {
        put_members(&text, head);
        *out = dw__str_starts_with(found, dw__strbuf_str(&text));
    } else {
        put_line(&text, head, key);
        *out = dw__str_equal(found, dw__strbuf_str(&text));
    }
    return dw__strbuf_ok(&text, "the head of the audit log", err);
}

dw_status
dw__audit_head_read(const dw_local_file *file, const dw_allocator *allocator, dw_str key,
                    dw_audit_head *out, dw_audit_head_state *state_out, dw_error *err)
{
    dw_error invalid = DW_ERROR_INIT;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, HEAD_BYTES + 1);
    *out = (dw_audit_head){0};
    dw__audit_mark_zero(&out->last);
    *state_out = DW_AUDIT_HEAD_INVALID;
    DW_TRY(dw__local_file_read(file, 0, HEAD_BYTES + 1, &text, err));
    if (text.len == 0) {
        *state_out = DW_AUDIT_HEAD_EMPTY;
        return DW_OK;
    }
    dw_status status = dw__json_parse(allocator, dw__strbuf_str(&text), "the head", &doc, &invalid);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    dw_audit_head found = *out;
    bool is_right =
        text.len == HEAD_BYTES && status == DW_OK && read_members(dw__json_root(doc), &found);
    if (is_right) {
        DW_TRY(is_spelled(allocator, dw__strbuf_str(&text), key, &found, &is_right, err));
    }
    if (is_right) {
        *out = found;
        *state_out = DW_AUDIT_HEAD_RIGHT;
    }
    return DW_OK;
}
