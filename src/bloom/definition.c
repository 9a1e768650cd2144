/*
 * See definition.h. What others wrote there and is no number, or none that makes sense, counts as
 * not said: an index is never worth an error.
 */
#include "bloom/definition.h"

#include "bloom/item.h"
#include "codec/json.h"

#include <string.h>

#define PREFIX "delta.bloomFilter."
#define ENABLED PREFIX "enabled"
#define FPP PREFIX "fpp"
#define NUM_ITEMS PREFIX "numItems"
#define MAX_EXPECTED_FPP PREFIX "maxExpectedFpp"
#define METADATA_BYTES_MAX ((size_t) 64 << 20)

dw_bloom_options
dw__bloom_options_default(void)
{
    return (dw_bloom_options){.fpp = DW_BLOOM_FPP_DEFAULT, .expected_fpp_max = 1};
}

bool
dw__bloom_options_equal(const dw_bloom_options *a, const dw_bloom_options *b)
{
    return a->item_count == b->item_count && !(a->fpp < b->fpp) && !(a->fpp > b->fpp) &&
           !(a->expected_fpp_max < b->expected_fpp_max) &&
           !(a->expected_fpp_max > b->expected_fpp_max);
}

static bool
mentions(const dw_field *field, dw_str text)
{
    return field->metadata_json.len > 0 &&
           memmem(field->metadata_json.ptr, field->metadata_json.len, text.ptr, text.len) != NULL;
}

bool
dw__bloom_has_collation(const dw_field *field)
{
    return mentions(field, DW_STR("__COLLATIONS"));
}

bool
dw__bloom_is_indexed(const dw_field *field)
{
    return mentions(field, DW_STR("\"" ENABLED "\":true")) ||
           mentions(field, DW_STR("\"" ENABLED "\":\"true\""));
}

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
read_number(const dw_field *field, dw_str key, dw_arena *arena, double *out, dw_error *err)
{
    dw_str text;
    double value;
    DW_TRY(dw__field_metadata_get(field, key, arena, &text, err));
    if (!dw__str_is_null(text) && dw__str_to_double(text, &value)) {
        *out = value;
    }
    return DW_OK;
}

static dw_status
read_options(const dw_field *field, dw_arena *arena, dw_bloom_options *out, dw_error *err)
{
    *out = dw__bloom_options_default();
    double fpp = out->fpp;
    double items = 0;
    double most = out->expected_fpp_max;
    DW_TRY(read_number(field, DW_STR(FPP), arena, &fpp, err));
    DW_TRY(read_number(field, DW_STR(NUM_ITEMS), arena, &items, err));
    DW_TRY(read_number(field, DW_STR(MAX_EXPECTED_FPP), arena, &most, err));
    out->fpp = fpp >= DW_BLOOM_FPP_MIN && fpp <= DW_BLOOM_FPP_MAX ? fpp : out->fpp;
    out->item_count = items >= 1 && items <= (double) DW_BLOOM_ITEMS_MAX ? (int64_t) items : 0;
    out->expected_fpp_max = most > 0 && most <= 1 ? most : 1;
    return DW_OK;
}

static dw_status
read_column(const dw_field *field, dw_arena *arena, dw_bloom_column *out, dw_error *err)
{
    char text[DW_TYPE_TEXT_SIZE];
    out->field = field;
    if (!dw__arena_dup(arena, dw__str_from(dw__type_text(field->type, text)), &out->type)) {
        return dw__error_oom(err);
    }
    return read_options(field, arena, &out->options, err);
}

dw_status
dw__bloom_columns_of(const dw_type *schema, const dw_str *partition_columns, size_t partition_count,
                     dw_arena *arena, dw_bloom_columns *out, dw_error *err)
{
    dw_bloom_column *items = NULL;
    *out = (dw_bloom_columns){0};
    for (size_t i = 0; i < schema->field_count && out->count < DW_BLOOM_COLUMNS_MAX; i++) {
        const dw_field *field = &schema->fields[i];
        if (!dw__bloom_is_indexed(field) || !dw__item_is_of(field->type) ||
            dw__bloom_has_collation(field) ||
            dw__str_among(partition_columns, partition_count, field->name)) {
            continue;
        }
        if (items == NULL) {
            items = DW_ARENA_ARRAY(arena, dw_bloom_column, DW_BLOOM_COLUMNS_MAX);
        }
        if (items == NULL) {
            return dw__error_oom(err);
        }
        DW_TRY(read_column(field, arena, &items[out->count++], err));
    }
    out->items = items;
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void
put_others(dw_strbuf *out, dw_json metadata)
{
    for (dw_json_iter iter = dw__json_iter(metadata); dw__json_next(&iter);) {
        if (!dw__str_starts_with(iter.key, DW_STR(PREFIX))) {
            dw__json_put_key(out, iter.key);
            dw__json_write(out, iter.value);
        }
    }
}

static void
put_options(dw_strbuf *out, const dw_bloom_options *options)
{
    dw__json_put_key(out, DW_STR(ENABLED));
    dw__strbuf_append_literal(out, "true");
    dw__json_put_key(out, DW_STR(FPP));
    dw__json_put_double(out, options->fpp);
    if (options->item_count > 0) {
        dw__json_put_key(out, DW_STR(NUM_ITEMS));
        dw__strbuf_append_i64(out, options->item_count);
    }
    if (options->expected_fpp_max < 1) {
        dw__json_put_key(out, DW_STR(MAX_EXPECTED_FPP));
        dw__json_put_double(out, options->expected_fpp_max);
    }
}

dw_status
dw__bloom_define(const dw_field *field, const dw_bloom_options *options, dw_arena *arena,
                 dw_str *metadata_out, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, METADATA_BYTES_MAX);
    DW_TRY(dw__json_parse(arena->allocator, field->metadata_json, "the metadata of a column", &doc,
                          err));
    dw__strbuf_append_char(&text, '{');
    put_others(&text, dw__json_root(doc));
    if (options != NULL) {
        put_options(&text, options);
    }
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "the metadata of a column", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), metadata_out) ? DW_OK : dw__error_oom(err);
}
