/*
 * Printing and reading the text of a profile. [PROFILE-JSON-1,2]
 */
#include "upkeep/profile_json.h"

#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define FORMAT_VERSION 1
/* Of values and types: as they are made, with room. */
#define TEXT_BYTES_MAX ((size_t) 1024)
#define NAME_BYTES_MAX ((size_t) 65536)
/* Of a number that is shown in an error. */
#define NUMBER_CHARS_MAX 40

/* ---- Printing -------------------------------------------------------------------------------- */

static void
put_lists(dw_strbuf *out, const dw_column_profile *column)
{
    if (!dw__str_is_null(column->quantiles[0])) {
        dw__json_put_key(out, DW_STR("quantiles"));
        dw__strbuf_append_char(out, '[');
        for (size_t i = 0; i < DW_PROFILE_QUANTILES; i++) {
            dw__json_put_comma(out);
            dw__json_put_string(out, column->quantiles[i]);
        }
        dw__strbuf_append_char(out, ']');
    }
    dw__json_put_key(out, DW_STR("top"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < column->top_count; i++) {
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        dw__json_put_text(out, "value", column->top[i].text);
        dw__json_put_i64(out, "count", column->top[i].count);
        dw__strbuf_append_char(out, '}');
    }
    dw__strbuf_append_char(out, ']');
}

static void
put_column(dw_strbuf *out, const dw_column_profile *column)
{
    dw__json_put_comma(out);
    dw__strbuf_append_char(out, '{');
    dw__json_put_text(out, "name", column->name);
    dw__json_put_text(out, "type", column->type);
    dw__json_put_i64(out, "count", column->count);
    dw__json_put_i64(out, "distinct", column->distinct);
    dw__json_put_text(out, "min", column->min);
    dw__json_put_text(out, "max", column->max);
    if (column->has_mean) {
        dw__json_put_key(out, DW_STR("mean"));
        dw__json_put_double(out, column->mean);
        dw__json_put_key(out, DW_STR("deviation"));
        dw__json_put_double(out, column->deviation);
    }
    if (column->has_newest) {
        dw__json_put_i64(out, "newest", column->newest_us);
    }
    put_lists(out, column);
    dw__strbuf_append_char(out, '}');
}

void
dw__profile_print(const dw_profile *profile, dw_strbuf *out)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_i64(out, "format", FORMAT_VERSION);
    dw__json_put_text(out, "tableId", profile->table_id);
    dw__json_put_i64(out, "version", profile->version);
    dw__json_put_i64(out, "commitTime", profile->commit_ms);
    dw__json_put_i64(out, "time", profile->taken_ms);
    dw__json_put_i64(out, "rows", profile->row_count);
    dw__json_put_i64(out, "sampledRows", profile->sample_count);
    dw__json_put_i64(out, "files", profile->file_count);
    dw__json_put_i64(out, "bytes", profile->size_bytes);
    dw__json_put_key(out, DW_STR("columns"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < profile->column_count; i++) {
        put_column(out, &profile->columns[i]);
    }
    dw__strbuf_append_literal(out, "]}\n");
}

/* ---- Reading --------------------------------------------------------------------------------- */

typedef struct reader {
    dw_arena *arena;
    const char *where;
    char place[32]; /* in front of the member: "columns[3]." */
    dw_error *err;
} reader;

/* Numbers are shown, of everything else what it is. */
static dw_status
refuse(const reader *r, const char *member, const char *expected, dw_json found)
{
    dw_str number = dw__str_slice(dw__json_number(found), 0, NUMBER_CHARS_MAX);
    dw_str kind = dw__str_from(dw__json_kind_name(dw__json_kind(found)));
    return dw__error_set(r->err, DW_CORRUPT, "PROFILE_INVALID",
                         "%s: expected %s%s to be %s, found %.*s", r->where, r->place, member,
                         expected, DW_STR_ARG(number.len > 0 ? number : kind));
}

/* A whole number from 0 to `max`. */
static dw_status
read_count(const reader *r, dw_json object, const char *member, int64_t max, int64_t *out)
{
    char expected[96] = "a whole number from 0 on";
    dw_json found = dw__json_get(object, dw__str_from(member));
    if (dw__json_i64(found, out) && *out >= 0 && *out <= max) {
        return DW_OK;
    }
    if (max < INT64_MAX) {
        (void) snprintf(expected, sizeof(expected), "a whole number from 0 to %" PRId64, max);
    }
    return refuse(r, member, expected, found);
}

static dw_status
read_number(const reader *r, dw_json object, const char *member, int64_t *out)
{
    dw_json found = dw__json_get(object, dw__str_from(member));
    return dw__json_i64(found, out) ? DW_OK : refuse(r, member, "a whole number", found);
}

static dw_status
keep_text(const reader *r, const char *member, dw_json found, size_t size_max, dw_str *out)
{
    dw_str text = dw__json_str(found);
    if (dw__str_is_null(text)) {
        return refuse(r, member, "a string", found);
    }
    if (text.len > size_max) {
        return dw__error_set(r->err, DW_CORRUPT, "PROFILE_INVALID",
                             "%s: expected %s%s to have at most %zu bytes, found %zu", r->where,
                             r->place, member, size_max, text.len);
    }
    return dw__arena_dup(r->arena, text, out) ? DW_OK : dw__error_oom(r->err);
}

static dw_status
read_text(const reader *r, dw_json object, const char *member, size_t size_max, dw_str *out)
{
    return keep_text(r, member, dw__json_get(object, dw__str_from(member)), size_max, out);
}

/* Null string: it is not there. */
static dw_status
read_value(const reader *r, dw_json object, const char *member, dw_str *out)
{
    dw_json found = dw__json_get(object, dw__str_from(member));
    *out = DW_STR_NULL;
    return dw__json_kind(found) == DW_JSON_MISSING
               ? DW_OK
               : keep_text(r, member, found, TEXT_BYTES_MAX, out);
}

/* `mean` is null where it is no finite number. */
static dw_status
read_mean(const reader *r, dw_json object, dw_column_profile *out)
{
    dw_json mean = dw__json_get(object, DW_STR("mean"));
    dw_json deviation = dw__json_get(object, DW_STR("deviation"));
    dw_json_kind kind = dw__json_kind(mean);
    if (kind == DW_JSON_MISSING || kind == DW_JSON_NULL) {
        return DW_OK;
    }
    out->has_mean = dw__json_double(mean, &out->mean);
    if (!out->has_mean) {
        return refuse(r, "mean", "a finite number", mean);
    }
    bool is_known = dw__json_kind(deviation) != DW_JSON_NULL;
    if (is_known && (!dw__json_double(deviation, &out->deviation) || out->deviation < 0)) {
        return refuse(r, "deviation", "a finite number from 0 on", deviation);
    }
    return DW_OK;
}

static dw_status
read_quantiles(const reader *r, dw_json object, dw_column_profile *out)
{
    dw_json found = dw__json_get(object, DW_STR("quantiles"));
    if (dw__json_kind(found) == DW_JSON_MISSING) {
        return DW_OK;
    }
    if (dw__json_kind(found) != DW_JSON_ARRAY || dw__json_count(found) != DW_PROFILE_QUANTILES) {
        return refuse(r, "quantiles", "an array of 5 strings", found);
    }
    size_t i = 0;
    dw_json_iter quantiles = dw__json_iter(found);
    while (dw__json_next(&quantiles)) {
        DW_TRY(keep_text(r, "quantiles", quantiles.value, TEXT_BYTES_MAX, &out->quantiles[i]));
        i++;
    }
    return DW_OK;
}

static dw_status
read_top(const reader *r, dw_json object, dw_column_profile *out)
{
    dw_json found = dw__json_get(object, DW_STR("top"));
    if (dw__json_kind(found) != DW_JSON_ARRAY || dw__json_count(found) > DW_PROFILE_TOP_VALUES) {
        return refuse(r, "top", "an array of at most 5 values", found);
    }
    dw_json_iter top = dw__json_iter(found);
    while (dw__json_next(&top)) {
        dw_profile_value *value = &out->top[out->top_count++];
        DW_TRY(read_text(r, top.value, "value", TEXT_BYTES_MAX, &value->text));
        DW_TRY(read_count(r, top.value, "count", INT64_MAX, &value->count));
    }
    return DW_OK;
}

static dw_status
read_column(const reader *r, dw_json object, int64_t row_count, dw_column_profile *out)
{
    dw_json newest = dw__json_get(object, DW_STR("newest"));
    dw_json distinct = dw__json_get(object, DW_STR("distinct"));
    *out = (dw_column_profile){.distinct = -1};
    DW_TRY(read_text(r, object, "name", NAME_BYTES_MAX, &out->name));
    DW_TRY(read_text(r, object, "type", TEXT_BYTES_MAX, &out->type));
    DW_TRY(read_count(r, object, "count", row_count, &out->count));
    if (!dw__json_i64(distinct, &out->distinct) || out->distinct < -1) {
        return refuse(r, "distinct", "a whole number from -1 on", distinct);
    }
    DW_TRY(read_value(r, object, "min", &out->min));
    DW_TRY(read_value(r, object, "max", &out->max));
    DW_TRY(read_mean(r, object, out));
    out->has_newest = dw__json_kind(newest) != DW_JSON_MISSING;
    if (out->has_newest) {
        DW_TRY(read_number(r, object, "newest", &out->newest_us));
    }
    DW_TRY(read_quantiles(r, object, out));
    return read_top(r, object, out);
}

static dw_status
read_columns(reader *r, dw_json root, dw_profile *out)
{
    dw_json columns = dw__json_get(root, DW_STR("columns"));
    if (dw__json_kind(columns) != DW_JSON_ARRAY) {
        return refuse(r, "columns", "an array", columns);
    }
    size_t count = dw__json_count(columns);
    if (count > DW_PROFILE_COLUMNS_MAX) {
        return dw__error_set(r->err, DW_CORRUPT, "PROFILE_INVALID",
                             "%s: expected at most %zu columns, found %zu", r->where,
                             DW_PROFILE_COLUMNS_MAX, count);
    }
    out->columns = DW_ARENA_ARRAY(r->arena, dw_column_profile, count + 1);
    if (out->columns == NULL) {
        return dw__error_oom(r->err);
    }
    dw_json_iter iter = dw__json_iter(columns);
    while (dw__json_next(&iter)) {
        (void) snprintf(r->place, sizeof(r->place), "columns[%zu].", out->column_count);
        DW_TRY(read_column(r, iter.value, out->row_count, &out->columns[out->column_count]));
        out->column_count++;
    }
    return DW_OK;
}

static dw_status
read_profile(reader *r, dw_json root, dw_profile *out)
{
    int64_t format;
    dw_json found = dw__json_get(root, DW_STR("format"));
    if (dw__json_kind(root) != DW_JSON_OBJECT) {
        return refuse(r, "the text", "an object", root);
    }
    if (!dw__json_i64(found, &format) || format != FORMAT_VERSION) {
        return refuse(r, "format", "1", found);
    }
    DW_TRY(read_text(r, root, "tableId", TEXT_BYTES_MAX, &out->table_id));
    DW_TRY(read_count(r, root, "version", INT64_MAX, &out->version));
    DW_TRY(read_number(r, root, "commitTime", &out->commit_ms));
    DW_TRY(read_number(r, root, "time", &out->taken_ms));
    DW_TRY(read_count(r, root, "rows", INT64_MAX, &out->row_count));
    DW_TRY(read_count(r, root, "sampledRows", out->row_count, &out->sample_count));
    DW_TRY(read_count(r, root, "files", INT64_MAX, &out->file_count));
    DW_TRY(read_count(r, root, "bytes", INT64_MAX, &out->size_bytes));
    return read_columns(r, root, out);
}

dw_status
dw__profile_parse(dw_str text, const char *where, dw_arena *arena, dw_profile *out, dw_error *err)
{
    reader r = {.arena = arena, .where = where, .err = err};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    *out = (dw_profile){0};
    DW_TRY(dw__json_parse(arena->allocator, text, where, &doc, err));
    return read_profile(&r, dw__json_root(doc), out);
}
