/*
 * Listing the log page by page and keeping what has the name of a log file.
 */
#include "log/listing.h"

#include "base/assert.h"
#include "base/vec.h"
#include "log/log.h"

void
dw__log_listing_init(dw_log_listing *listing, const dw_allocator *allocator)
{
    *listing = (dw_log_listing){.checksum_version = -1, .allocator = allocator};
    dw__arena_init(&listing->arena, allocator);
}

void
dw__log_listing_deinit(dw_log_listing *listing)
{
    if (listing->allocator != NULL) {
        DW_VEC_DEINIT(listing->allocator, listing);
        dw__arena_deinit(&listing->arena);
    }
}

bool
dw__log_listing_add(dw_log_listing *listing, const dw_object_meta *object)
{
    dw_log_file file = {
        .key = object->key, .size_bytes = object->size_bytes, .modified_ms = object->modified_ms};
    dw_assert(dw__str_starts_with(object->key, DW_STR(DW_LOG_DIR)));
    dw_str name = dw__str_slice(object->key, sizeof(DW_LOG_DIR) - 1, object->key.len);
    if (!dw__log_name_parse(name, &file)) {
        int64_t version;
        if (dw__checksum_name_parse(name, &version) && version > listing->checksum_version) {
            listing->checksum_version = version;
        }
        return true;
    }
    dw_log_file *slot = DW_VEC_PUSH(listing->allocator, listing);
    if (slot == NULL) {
        return false;
    }
    *slot = file;
    return true;
}

static dw_status
add_page(dw_log_listing *listing, const dw_list_page *page, dw_error *err)
{
    if (listing->count + page->count > DW_LOG_FILES_MAX) {
        return dw__error_set(err, DW_CORRUPT, "LOG_TOO_LARGE",
                             "the log has more than %zu files; expected that old ones are cleaned "
                             "up",
                             DW_LOG_FILES_MAX);
    }
    for (size_t i = 0; i < page->count; i++) {
        if (!dw__log_listing_add(listing, &page->objects[i])) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

dw_status
dw__log_list(dw_storage *storage, int64_t from_version, dw_log_listing *listing, dw_error *err)
{
    dw_assert(listing->count == 0);
    char prefix[DW_CHECKPOINT_KEY_SIZE];
    dw_list_request request = {.prefix = DW_STR(DW_LOG_DIR), .start_after = DW_STR_NULL};
    if (from_version > 0) {
        request.start_after = dw__version_prefix(from_version, prefix);
    }
    listing->from_version = from_version;
    for (bool more = true; more;) {
        dw_list_page page;
        DW_TRY(dw__storage_list(storage, &request, &listing->arena, &page, err));
        DW_TRY(add_page(listing, &page, err));
        more = page.has_more && page.count > 0;
        if (more) {
            request.start_after = page.objects[page.count - 1].key;
        }
    }
    return DW_OK;
}

static bool
holds_log_file(const dw_list_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        dw_str key = page->objects[i].key;
        dw_log_file file;
        if (dw__log_name_parse(dw__str_slice(key, sizeof(DW_LOG_DIR) - 1, key.len), &file)) {
            return true;
        }
    }
    return false;
}

dw_status
dw__log_list_any(dw_storage *storage, const dw_allocator *allocator, bool *any_out, dw_error *err)
{
    *any_out = false;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    dw_list_request request = {
        .prefix = DW_STR(DW_LOG_DIR), .start_after = DW_STR_NULL, .limit = 100, .names_only = true};
    for (bool more = true; more && !*any_out;) {
        dw_list_page page;
        DW_TRY(dw__storage_list(storage, &request, &arena, &page, err));
        *any_out = holds_log_file(&page);
        more = page.has_more && page.count > 0;
        if (more) {
            request.start_after = page.objects[page.count - 1].key;
        }
    }
    return DW_OK;
}
