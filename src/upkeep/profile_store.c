/*
 * Profiles as files: _deltaworks_profile/<version>.json. [PROFILE-3]
 */
#include "upkeep/profile_json.h"

#include <inttypes.h>
#include <stdio.h>

#define SUFFIX DW_STR(".json")
/* Of the folder: more names than profiles are kept are other programs'. */
#define NAMES_MAX 10000
#define KEY_SIZE (sizeof(DW_PROFILE_DIR) + 32)

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
    dw__profile_print(profile, &json);
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
    DW_TRY(dw__profile_parse(dw__strbuf_str(&text), key, arena, out, err));
    return out->version == version ? DW_OK
                                   : dw__error_set(err, DW_CORRUPT, "PROFILE_INVALID",
                                                   "%s: expected the profile of version %" PRId64
                                                   ", found that of version %" PRId64,
                                                   key, version, out->version);
}

/* What cannot be read is passed over, and told; one that somebody just removed is not there. */
static dw_status
pass_over(const dw_table *table, const dw_error *cause, dw_error *err)
{
    if (cause->status == DW_OUT_OF_MEMORY || cause->status == DW_CANCELLED) {
        dw__error_copy(err, cause);
        return cause->status;
    }
    if (cause->status != DW_NOT_FOUND) {
        dw__env_warn(dw__table_env(table), "a profile is passed over: %s", cause->message);
    }
    return DW_OK;
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
        if (read_profile(table, versions[i - 1], arena, out, &cause) != DW_OK) {
            DW_TRY(pass_over(table, &cause, err));
            continue;
        }
        *found_out = dw__str_equal(out->table_id, dw__log_snapshot_metadata(snapshot)->id);
    }
    return DW_OK;
}
