/*
 * One member of a field's metadata, set or taken out. See schema_edit.h.
 */
#include "protocol/field_traits.h"
#include "protocol/json_arena.h"
#include "protocol/schema_edit.h"

#define METADATA_BYTES_MAX ((size_t) 64 << 20)

/* What a member that is in the metadata already gives way to stands in its place. */
static void
print_members(dw_json metadata, dw_str key, dw_str json, dw_strbuf *out)
{
    bool is_put = dw__str_is_null(json);
    dw__strbuf_append_char(out, '{');
    dw_json_iter it = dw__json_iter(metadata);
    while (dw__json_next(&it)) {
        bool is_it = dw__str_equal(it.key, key);
        if (!is_it) {
            dw__json_put_key(out, it.key);
            dw__json_write(out, it.value);
        } else if (!is_put) {
            dw__json_put_key(out, key);
            dw__strbuf_append(out, json);
            is_put = true;
        }
    }
    if (!is_put) {
        dw__json_put_key(out, key);
        dw__strbuf_append(out, json);
    }
    dw__strbuf_append_char(out, '}');
}

dw_status
dw__field_metadata_set(dw_field *field, dw_str key, dw_str json, dw_arena *arena, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) before = NULL;
    DW_AUTO(dw_json_doc_ptr) after = NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, METADATA_BYTES_MAX);
    dw_str old = field->metadata_json.len == 0 ? DW_STR("{}") : field->metadata_json;
    DW_TRY(dw__json_parse(arena->allocator, old, "a column's metadata", &before, err));
    print_members(dw__json_root(before), key, json, &text);
    DW_TRY(dw__strbuf_to_arena(&text, arena, &field->metadata_json, err));
    DW_TRY(
        dw__json_parse(arena->allocator, field->metadata_json, "a column's metadata", &after, err));
    field->traits = dw__field_traits(dw__json_root(after));
    return DW_OK;
}
