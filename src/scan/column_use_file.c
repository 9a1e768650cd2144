/*
 * The file that keeps the counts of a table: pruning/<MD5 of the table's root>.json. [USE-1,3]
 */
#include "base/assert.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "scan/column_use_core.h"

#include <stdio.h>

#define KEY_SIZE (sizeof("pruning/.json") + DW_MD5_TEXT_SIZE)

static void
make_key(dw_str root, char out[KEY_SIZE])
{
    char digest[DW_MD5_TEXT_SIZE];
    dw__md5(root, digest);
    int len = snprintf(out, KEY_SIZE, "pruning/%s.json", digest);
    dw_assert(len > 0 && (size_t) len < KEY_SIZE);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool
read_count(dw_json object, dw_str key, int64_t *out)
{
    return dw__json_i64(dw__json_get(object, key), out) && *out >= 0;
}

/* False when it is no column's. */
static bool
read_column(dw_use_set *set, dw_json value, dw_strbuf *path)
{
    dw_column_uses uses = {.path = DW_STR_NULL};
    dw_json parts = dw__json_get(value, DW_STR("path"));
    dw__strbuf_clear(path);
    dw__json_write(path, parts);
    uses.path = dw__strbuf_str(path);
    if (dw__json_kind(parts) != DW_JSON_ARRAY || dw__strbuf_ok(path, "the path", NULL) != DW_OK ||
        !read_count(value, DW_STR("uses"), &uses.use_count) ||
        !read_count(value, DW_STR("files"), &uses.file_count) ||
        !read_count(value, DW_STR("filesSkipped"), &uses.skipped_count)) {
        return false;
    }
    dw__use_set_add(set, &uses);
    return true;
}

static dw_status
parse(dw_use_set *set, const dw_env *env, dw_str text, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(env->allocator, text, "the use of columns", &doc, err));
    dw_json columns = dw__json_get(dw__json_root(doc), DW_STR("columns"));
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(env->allocator, DW_COLUMN_USE_PATH_BYTES_MAX);
    bool is_right = read_count(dw__json_root(doc), DW_STR("scans"), &set->scan_count) &&
                    dw__json_kind(columns) == DW_JSON_ARRAY;
    dw_json_iter it = dw__json_iter(columns);
    while (is_right && dw__json_next(&it)) {
        is_right = read_column(set, it.value, &path);
    }
    return is_right ? DW_OK
                    : dw__error_set(err, DW_CORRUPT, "PRUNING_STATISTICS_INVALID",
                                    "expected scans and columns with path, uses, files and "
                                    "filesSkipped");
}

/* What the file says is taken as a whole or not at all. */
static dw_status
load(dw_use_set *set, dw_storage *storage, dw_str key, dw_error *err)
{
    const dw_env *env = storage->env;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(env->allocator, DW_COLUMN_USE_BYTES_MAX);
    DW_TRY(dw__storage_get(storage, key, &text, NULL, err));
    dw_use_set *found = DW_NEW(env->allocator, dw_use_set);
    if (found == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = parse(found, env, dw__strbuf_str(&text), err);
    if (status == DW_OK) {
        dw__use_set_merge(set, found);
    }
    DW_DELETE(env->allocator, found);
    return status;
}

static void
load_or_warn(dw_use_set *set, dw_storage *storage, dw_str key)
{
    dw_error err = DW_ERROR_INIT;
    if (load(set, storage, key, &err) == DW_CORRUPT) {
        dw__env_warn(storage->env,
                     "%.*s/%.*s, which has what was recorded of the use of a table's columns, "
                     "is damaged and counts as empty: %s",
                     DW_STR_ARG(storage->root), DW_STR_ARG(key), err.message);
    }
}

void
dw__use_set_load(dw_use_set *set, const dw_env *env, dw_str directory, dw_str root)
{
    char key[KEY_SIZE];
    DW_AUTO(dw_storage_ptr) storage = NULL;
    make_key(root, key);
    if (dw__storage_open(env, directory, &storage, NULL) == DW_OK) {
        load_or_warn(set, storage, dw__str_from(key));
    }
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void
print(const dw_use_set *set, dw_str root, dw_strbuf *out)
{
    dw__strbuf_append_char(out, '{');
    dw__json_put_key(out, DW_STR("table"));
    dw__json_put_string(out, root);
    dw__strbuf_append_literal(out, ",\"scans\":");
    dw__strbuf_append_i64(out, set->scan_count);
    dw__strbuf_append_literal(out, ",\"columns\":[");
    for (size_t i = 0; i < set->count; i++) {
        const dw_use_entry *entry = &set->entries[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("\n{\"path\":") : DW_STR(",\n{\"path\":"));
        dw__strbuf_append(out, (dw_str){entry->path, entry->path_len});
        dw__strbuf_append_literal(out, ",\"uses\":");
        dw__strbuf_append_i64(out, entry->use_count);
        dw__strbuf_append_literal(out, ",\"files\":");
        dw__strbuf_append_i64(out, entry->file_count);
        dw__strbuf_append_literal(out, ",\"filesSkipped\":");
        dw__strbuf_append_i64(out, entry->skipped_count);
        dw__strbuf_append_char(out, '}');
    }
    dw__strbuf_append_literal(out, "]}\n");
}

static dw_status
put(const dw_use_set *all, dw_storage *storage, dw_str key, dw_str root, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(storage->env->allocator, DW_COLUMN_USE_BYTES_MAX);
    print(all, root, &text);
    DW_TRY(dw__strbuf_ok(&text, "the use of columns", err));
    return dw__storage_put_hint(storage, key, dw__strbuf_str(&text), err);
}

void
dw__use_set_keep(const dw_use_set *set, const dw_env *env, dw_str directory, dw_str root)
{
    char key[KEY_SIZE];
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_storage_ptr) storage = NULL;
    make_key(root, key);
    if (dw__storage_open(env, directory, &storage, NULL) != DW_OK) {
        return;
    }
    dw_use_set *all = DW_NEW(env->allocator, dw_use_set);
    if (all == NULL) {
        return;
    }
    load_or_warn(all, storage, dw__str_from(key));
    dw__use_set_merge(all, set);
    if (put(all, storage, dw__str_from(key), root, &err) != DW_OK) {
        dw__env_debug(env, "the use of columns was not kept: %s", err.message);
    }
    DW_DELETE(env->allocator, all);
}
