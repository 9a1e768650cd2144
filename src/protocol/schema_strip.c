/*
 * Taking members out of the metadata of all fields: what a feature left there that is to go.
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/json_arena.h"
#include "protocol/schema.h"

#define METADATA_BYTES_MAX ((size_t) 64 << 20)

static bool
has_prefix(dw_str key, const dw_str *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_starts_with(key, prefixes[i])) {
            return true;
        }
    }
    return false;
}

static dw_status
strip_field(dw_field *field, const dw_str *prefixes, size_t count, dw_arena *arena, dw_error *err)
{
    if (field->metadata_json.len <= 2) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(
        dw__json_parse(arena->allocator, field->metadata_json, "a column's metadata", &doc, err));
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena->allocator, METADATA_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    bool changes = false;
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        if (has_prefix(it.key, prefixes, count)) {
            changes = true;
        } else {
            dw__json_put_key(&json, it.key);
            dw__json_write(&json, it.value);
        }
    }
    dw__strbuf_append_char(&json, '}');
    return changes ? dw__strbuf_to_arena(&json, arena, &field->metadata_json, err) : DW_OK;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
dw_status
dw__schema_strip(const dw_type *schema, const dw_str *prefixes, size_t count, dw_arena *arena,
                 const dw_type **out, dw_error *err)
{
    *out = schema;
    if (!dw__type_is_nested(schema)) {
        return DW_OK;
    }
    dw_type *copy = DW_ARENA_NEW(arena, dw_type);
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, schema->field_count + 1);
    if (copy == NULL || fields == NULL) {
        return dw__error_oom(err);
    }
    *copy = *schema;
    copy->fields = fields;
    for (size_t i = 0; i < schema->field_count; i++) {
        fields[i] = schema->fields[i];
        DW_TRY(strip_field(&fields[i], prefixes, count, arena, err));
        DW_TRY(dw__schema_strip(fields[i].type, prefixes, count, arena, &fields[i].type, err));
    }
    if (schema->key != NULL) {
        DW_TRY(dw__schema_strip(schema->key, prefixes, count, arena, &copy->key, err));
    }
    if (schema->element != NULL) {
        DW_TRY(dw__schema_strip(schema->element, prefixes, count, arena, &copy->element, err));
    }
    *out = copy;
    return DW_OK;
}
