/*
 * See zcube.h.
 */
#include "upkeep/zcube.h"

#include "codec/codec.h"
#include "codec/json.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)

static dw_status
names_match(dw_str names_json, const dw_cluster_columns *columns, const dw_allocator *allocator,
            bool *out, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    *out = false;
    dw_status status = dw__json_parse(allocator, names_json, "the tag ZCUBE_ZORDER_BY", &doc, err);
    if (status == DW_CORRUPT || status == DW_INVALID_ARGUMENT) {
        dw__error_clear(err);
        return DW_OK;
    }
    DW_TRY(status);
    size_t count = 0;
    bool same = true;
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        same = same && count < columns->count &&
               dw__str_equal(dw__json_str(it.value), columns->items[count].name);
        count++;
    }
    *out = same && count == columns->count;
    return DW_OK;
}

static dw_status
read_tags(dw_json tags, const dw_cluster_columns *columns, dw_arena *arena, dw_zcube *out,
          dw_error *err)
{
    dw_str id = dw__json_str(dw__json_get(tags, DW_STR("ZCUBE_ID")));
    dw_str names = dw__json_str(dw__json_get(tags, DW_STR("ZCUBE_ZORDER_BY")));
    dw_str curve = dw__json_str(dw__json_get(tags, DW_STR("ZCUBE_ZORDER_CURVE")));
    if (dw__str_is_null(id) || dw__str_is_null(names)) {
        return DW_OK;
    }
    DW_TRY(names_match(names, columns, arena->allocator, &out->matches, err));
    return dw__arena_dup(arena, id, &out->id) && dw__arena_dup(arena, curve, &out->curve)
               ? DW_OK
               : dw__error_oom(err);
}

dw_status
dw__zcube_read(dw_str tags_json, const dw_cluster_columns *columns, dw_arena *arena, dw_zcube *out,
               dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    *out = (dw_zcube){.id = DW_STR_NULL, .curve = DW_STR_NULL};
    if (dw__str_is_null(tags_json)) {
        return DW_OK;
    }
    DW_TRY(dw__json_parse(arena->allocator, tags_json, "the tags of a file", &doc, err));
    return read_tags(dw__json_root(doc), columns, arena, out, err);
}

dw_status
dw__zcube_print(dw_str id, dw_str names_json, dw_str curve, dw_arena *arena, dw_str *out,
                dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena->allocator, TEXT_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    dw__json_put_key(&json, DW_STR("ZCUBE_ID"));
    dw__json_put_string(&json, id);
    dw__json_put_key(&json, DW_STR("ZCUBE_ZORDER_BY"));
    dw__json_put_string(&json, names_json);
    dw__json_put_key(&json, DW_STR("ZCUBE_ZORDER_CURVE"));
    dw__json_put_string(&json, curve);
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "the tags of a file", err));
    return dw__arena_dup(arena, dw__strbuf_str(&json), out) ? DW_OK : dw__error_oom(err);
}
