/*
 * Profiles as files: _deltaworks_profile/<version>.json. [PROFILE-3]
 */
#include "upkeep/profile.h"

#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define SUFFIX DW_STR(".json")
#define FORMAT_VERSION 1
/* Of the folder: more names than profiles are kept are other programs'. */
#define NAMES_MAX 10000
#define KEY_SIZE (sizeof(DW_PROFILE_DIR) + 32)

/* ---- As JSON --------------------------------------------------------------------------------- */

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

static void
put_profile(dw_strbuf *out, const dw_profile *profile)
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

/* ---- From JSON ------------------------------------------------------------------------------- */

static bool
get_number(dw_json object, const char *key, int64_t *out)
{
    return dw__json_i64(dw__json_get(object, dw__str_from(key)), out);
}

/* False when there is no memory. */
static bool
get_text(dw_json object, const char *key, dw_arena *arena, dw_str *out)
{
    dw_str text = dw__json_str(dw__json_get(object, dw__str_from(key)));
    *out = DW_STR_NULL;
    return dw__str_is_null(text) || dw__arena_dup(arena, text, out);
}

static bool
get_lists(dw_json object, dw_arena *arena, dw_column_profile *out)
{
    dw_json_iter quantiles = dw__json_iter(dw__json_get(object, DW_STR("quantiles")));
    for (size_t i = 0; i < DW_PROFILE_QUANTILES; i++) {
        bool has_one = dw__json_next(&quantiles);
        dw_str text = has_one ? dw__json_str(quantiles.value) : DW_STR_NULL;
        out->quantiles[i] = DW_STR_NULL;
        if (!dw__str_is_null(text) && !dw__arena_dup(arena, text, &out->quantiles[i])) {
            return false;
        }
    }
    dw_json_iter top = dw__json_iter(dw__json_get(object, DW_STR("top")));
    while (out->top_count < DW_PROFILE_TOP_VALUES && dw__json_next(&top)) {
        dw_profile_value *value = &out->top[out->top_count++];
        if (!get_text(top.value, "value", arena, &value->text)) {
            return false;
        }
        (void) get_number(top.value, "count", &value->count);
    }
    return true;
}

static bool
get_column(dw_json object, dw_arena *arena, dw_column_profile *out)
{
    *out = (dw_column_profile){.distinct = -1};
    (void) get_number(object, "count", &out->count);
    (void) get_number(object, "distinct", &out->distinct);
    out->has_newest = get_number(object, "newest", &out->newest_us);
    out->has_mean = dw__json_double(dw__json_get(object, DW_STR("mean")), &out->mean);
    (void) dw__json_double(dw__json_get(object, DW_STR("deviation")), &out->deviation);
    return get_text(object, "name", arena, &out->name) &&
           get_text(object, "type", arena, &out->type) &&
           get_text(object, "min", arena, &out->min) && get_text(object, "max", arena, &out->max) &&
           get_lists(object, arena, out);
}

/* DW_CORRUPT for what is no profile. */
static dw_status
parse(dw_str text, dw_arena *arena, dw_profile *out, dw_error *err)
{
    int64_t format = 0;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, text, "a profile", &doc, err));
    dw_json root = dw__json_root(doc);
    dw_json columns = dw__json_get(root, DW_STR("columns"));
    size_t count = dw__json_count(columns);
    *out = (dw_profile){0};
    if (!get_number(root, "format", &format) || format != FORMAT_VERSION ||
        !get_number(root, "version", &out->version) || !get_number(root, "rows", &out->row_count) ||
        count > DW_PROFILE_COLUMNS_MAX) {
        return dw__error_set(err, DW_CORRUPT, "PROFILE_INVALID",
                             "expected a profile of format %d, found something else",
                             FORMAT_VERSION);
    }
    (void) get_number(root, "commitTime", &out->commit_ms);
    (void) get_number(root, "time", &out->taken_ms);
    (void) get_number(root, "sampledRows", &out->sample_count);
    (void) get_number(root, "files", &out->file_count);
    (void) get_number(root, "bytes", &out->size_bytes);
    out->columns = DW_ARENA_ARRAY(arena, dw_column_profile, count + 1);
    if (out->columns == NULL || !get_text(root, "tableId", arena, &out->table_id)) {
        return dw__error_oom(err);
    }
    dw_json_iter iter = dw__json_iter(columns);
    while (dw__json_next(&iter)) {
        dw_column_profile *column = &out->columns[out->column_count++];
        if (!get_column(iter.value, arena, column)) {
            return dw__error_oom(err);
        }
        column->name = dw__str_is_null(column->name) ? DW_STR("") : column->name;
    }
    return DW_OK;
}

/* ---- The folder ------------------------------------------------------------------------------ */

static dw_str
print_key(int64_t version, char key[KEY_SIZE])
{
    int len = snprintf(key, KEY_SIZE, DW_PROFILE_DIR "%020" PRId64 ".json", version);
    return dw__str_make(key, (size_t) len);
}

/* The version that a key is of; -1: it is no profile. */
static int64_t
read_key(dw_str key)
{
    enum { DIGITS = 20 };
    size_t prefix = sizeof(DW_PROFILE_DIR) - 1;
    int64_t version = 0;
    if (key.len != prefix + DIGITS + SUFFIX.len || !dw__str_ends_with(key, SUFFIX)) {
        return -1;
    }
    for (size_t i = prefix; i < prefix + DIGITS; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9' || version > INT64_MAX / 10 - 1) {
            return -1;
        }
        version = version * 10 + (key.ptr[i] - '0');
    }
    return version;
}

/* The versions with a profile, in order, in `arena`. */
static dw_status
list_versions(dw_table *table, dw_arena *arena, int64_t **out, size_t *count_out, dw_error *err)
{
    dw_list_request request = {.prefix = DW_STR(DW_PROFILE_DIR),
                               .start_after = DW_STR_NULL,
                               .limit = NAMES_MAX,
                               .names_only = true};
    dw_list_page page = {0};
    DW_TRY(dw__storage_list(dw__table_storage(table), &request, arena, &page, err));
    *count_out = 0;
    *out = DW_ARENA_ARRAY(arena, int64_t, page.count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < page.count; i++) {
        int64_t version = read_key(page.objects[i].key);
        if (version >= 0) {
            (*out)[(*count_out)++] = version;
        }
    }
    return DW_OK;
}

static dw_status
keep(dw_table *table, const dw_profile *profile, dw_error *err)
{
    char key[KEY_SIZE];
    int64_t *versions;
    size_t count;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena.allocator, DW_PROFILE_BYTES_MAX);
    put_profile(&json, profile);
    DW_TRY(dw__strbuf_ok(&json, "a profile", err));
    dw_str name = print_key(profile->version, key);
    DW_TRY(dw__storage_put(dw__table_storage(table), name, dw__strbuf_str(&json), err));
    DW_TRY(list_versions(table, &arena, &versions, &count, err));
    for (size_t i = 0; i + DW_PROFILES_MAX < count; i++) {
        name = print_key(versions[i], key);
        DW_TRY(dw__storage_remove(dw__table_storage(table), name, err));
    }
    return DW_OK;
}

void
dw__profile_keep(dw_table *table, const dw_profile *profile)
{
    dw_error cause = DW_ERROR_INIT;
    if (keep(table, profile, &cause) != DW_OK) {
        dw__env_warn(dw__table_env(table), "the profile was not kept: %s", cause.message);
    }
}

static dw_status
read_profile(dw_table *table, int64_t version, dw_arena *arena, dw_profile *out, dw_error *err)
{
    char key[KEY_SIZE];
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_PROFILE_BYTES_MAX);
    dw_str name = print_key(version, key);
    DW_TRY(dw__storage_get(dw__table_storage(table), name, &text, NULL, err));
    return parse(dw__strbuf_str(&text), arena, out, err);
}

dw_status
dw__profile_find(dw_table *table, const dw_log_snapshot *snapshot, int64_t version, dw_arena *arena,
                 dw_profile *out, bool *found_out, dw_error *err)
{
    int64_t *versions;
    size_t count;
    *found_out = false;
    DW_TRY(list_versions(table, arena, &versions, &count, err));
    for (size_t i = count; i > 0 && !*found_out; i--) {
        dw_error cause = DW_ERROR_INIT;
        if (versions[i - 1] > version) {
            continue;
        }
        dw_status status = read_profile(table, versions[i - 1], arena, out, &cause);
        if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
            dw__error_copy(err, &cause);
            return status;
        }
        *found_out = status == DW_OK && out->version == versions[i - 1] &&
                     dw__str_equal(out->table_id, dw__log_snapshot_metadata(snapshot)->id);
    }
    return DW_OK;
}
