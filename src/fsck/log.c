/*
 * The names below _delta_log, `_last_checkpoint`, and our own reader's view. Rules A and C1.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "log/hint.h"
#include "log/hint_checksum.h"

#include <inttypes.h>

#define VERSION_DIGITS 20

/* ---- Listing --------------------------------------------------------------------------------- */

/* "_delta_log/<twenty digits>.crc" */
static bool
is_checksum(dw_str key, int64_t *version_out)
{
    dw_str name = dw__str_slice(key, sizeof(DW_LOG_DIR) - 1, key.len);
    return name.len == VERSION_DIGITS + sizeof(".crc") - 1 &&
           dw__str_ends_with(name, DW_STR(".crc")) && name.ptr[0] >= '0' && name.ptr[0] <= '9' &&
           dw__str_to_i64(dw__str_slice(name, 0, VERSION_DIGITS), version_out);
}

static dw_status
add_object(dw_fsck *fsck, const dw_object_meta *object, dw_error *err)
{
    int64_t version;
    if (fsck->listing.count >= DW_LOG_FILES_MAX) {
        return dw__error_set(err, DW_CORRUPT, "LOG_TOO_LARGE", "the log has more than %zu files",
                             DW_LOG_FILES_MAX);
    }
    if (is_checksum(object->key, &version)) {
        dw_fsck_crc *slot = DW_VEC_PUSH(fsck->env->allocator, &fsck->crcs);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        *slot = (dw_fsck_crc){.version = version, .key = object->key};
    }
    return dw__log_listing_add(&fsck->listing, object) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__fsck_list_log(dw_fsck *fsck, dw_error *err)
{
    dw_list_request request = {.prefix = DW_STR(DW_LOG_DIR), .start_after = DW_STR_NULL};
    for (bool more = true; more;) {
        dw_list_page page;
        DW_TRY(dw__storage_list(fsck->storage, &request, &fsck->listing.arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            DW_TRY(add_object(fsck, &page.objects[i], err));
        }
        more = page.has_more && page.count > 0;
        if (more) {
            request.start_after = page.objects[page.count - 1].key;
        }
    }
    return DW_OK;
}

/* The parts of that checkpoint, counted from the one at `i`, which is the first that is listed. */
static void
check_parts(dw_fsck *fsck, size_t i)
{
    const dw_log_file *first = &fsck->listing.items[i];
    bool is_first = true;
    for (size_t j = i; j > 0 && fsck->listing.items[j - 1].version == first->version; j--) {
        const dw_log_file *before = &fsck->listing.items[j - 1];
        is_first = is_first && !(before->kind == DW_LOG_CHECKPOINT_PART &&
                                 before->part_count == first->part_count);
    }
    if (!is_first) {
        return;
    }
    uint32_t found = 0;
    for (size_t j = i; j < fsck->listing.count; j++) {
        const dw_log_file *file = &fsck->listing.items[j];
        if (file->version != first->version) {
            break;
        }
        found += file->kind == DW_LOG_CHECKPOINT_PART && file->part_count == first->part_count;
    }
    if (found != first->part_count) {
        fsck->version = first->version;
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A4", first->key,
                      "expected %" PRIu32 " parts of the checkpoint, found %" PRIu32
                      ": readers pass it over",
                      first->part_count, found);
    }
}

void
dw__fsck_check_listing(dw_fsck *fsck)
{
    const dw_log_listing *listing = &fsck->listing;
    int64_t first, newest;
    dw__segment_range(listing, &first, &newest);
    for (size_t i = 0; i < listing->count; i++) {
        const dw_log_file *file = &listing->items[i];
        fsck->version = file->version;
        if (file->kind == DW_LOG_CHECKPOINT_PART) {
            check_parts(fsck, i);
        }
        if (file->kind == DW_LOG_COMPACTED && file->last_version <= file->version) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", file->key,
                          "expected a compacted commit of several versions, from the lower to the "
                          "higher");
        }
        if (file->kind == DW_LOG_COMPACTED && file->last_version > newest) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", file->key,
                          "the compacted commit reaches beyond the newest version %" PRId64,
                          newest);
        }
    }
    for (size_t i = 0; i < fsck->crcs.count; i++) {
        if (fsck->crcs.items[i].version > newest) {
            fsck->version = fsck->crcs.items[i].version;
            dw__fsck_find(fsck, DW_FSCK_WARNING, "A9", fsck->crcs.items[i].key,
                          "the checksum is of a version that is not there");
        }
    }
    fsck->version = -1;
}

/* ---- _last_checkpoint ------------------------------------------------------------------------ */

static bool
has_checkpoint(const dw_log_listing *listing, int64_t version, int64_t parts)
{
    int64_t found = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const dw_log_file *file = &listing->items[i];
        if (file->version != version) {
            continue;
        }
        if (parts <= 1 &&
            (file->kind == DW_LOG_CHECKPOINT || file->kind == DW_LOG_CHECKPOINT_UUID)) {
            return true;
        }
        found += file->kind == DW_LOG_CHECKPOINT_PART && file->part_count == parts;
    }
    return parts >= 1 && found == parts;
}

/* Readers that look at the checksum take a hint that lacks its own for none. */
static dw_status
check_hint_checksum(dw_fsck *fsck, dw_json hint, dw_error *err)
{
    char expected[DW_MD5_TEXT_SIZE];
    dw_error cause = DW_ERROR_INIT;
    dw_str key = DW_STR(DW_LAST_CHECKPOINT_KEY);
    dw_str found = dw__json_str(dw__json_get(hint, DW_STR("checksum")));
    if (dw__str_is_null(found)) {
        return DW_OK;
    }
    dw_status status = dw__hint_checksum(fsck->env->allocator, hint, expected, &cause);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status != DW_OK) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key, "%s", cause.message);
    } else if (!dw__str_equal(found, dw__str_from(expected))) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key,
                      "its checksum is %.*s, but its members have %s", DW_STR_ARG(found), expected);
    }
    return DW_OK;
}

static void
check_hint(dw_fsck *fsck, dw_json hint)
{
    dw_str key = DW_STR(DW_LAST_CHECKPOINT_KEY);
    int64_t version, parts = 0, size;
    if (!dw__json_i64(dw__json_get(hint, DW_STR("version")), &version) || version < 0) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key, "expected a version, found none");
        return;
    }
    if (!dw__json_i64(dw__json_get(hint, DW_STR("size")), &size) || size < 0) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key,
                      "expected size, the number of actions, found none");
    }
    fsck->version = version;
    if (dw__json_kind(dw__json_get(hint, DW_STR("parts"))) == DW_JSON_NUMBER) {
        (void) dw__json_i64(dw__json_get(hint, DW_STR("parts")), &parts);
    }
    if (!has_checkpoint(&fsck->listing, version, parts)) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key,
                      "the checkpoint that it names is not there, or not complete");
    }
}

dw_status
dw__fsck_hint(dw_fsck *fsck, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(fsck->env->allocator, DW_HINT_BYTES_MAX);
    dw_error cause = DW_ERROR_INIT;
    dw_str key = DW_STR(DW_LAST_CHECKPOINT_KEY);
    fsck->version = -1;
    dw_status status = dw__storage_get(fsck->storage, key, &text, NULL, &cause);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (status == DW_OK) {
        status =
            dw__json_parse(fsck->env->allocator, dw__strbuf_str(&text), "the hint", &doc, &cause);
    }
    if (status == DW_CORRUPT) {
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A7", key, "%s", cause.message);
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    check_hint(fsck, dw__json_root(doc));
    return check_hint_checksum(fsck, dw__json_root(doc), err);
}

/* ---- Our reader ------------------------------------------------------------------------------ */

/* The state that was replayed here must be the one that every other verb sees. */
dw_status
dw__fsck_reader(dw_fsck *fsck, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot_at(fsck->log, fsck->state.version, &snapshot, &cause);
    if (status != DW_OK) {
        bool is_known = fsck->counts.errors > 0 && (status == DW_CORRUPT || status == DW_NOT_FOUND);
        return is_known ? DW_OK : dw__fsck_find_error(fsck, "C1", DW_STR_NULL, &cause, err);
    }
    if (!fsck->state.is_valid) {
        return DW_OK;
    }
    const dw_file_set *files = dw__log_snapshot_files(snapshot);
    int64_t count = (int64_t) dw__file_set_count(files);
    if (count != fsck->state.file_count ||
        dw__file_set_size_bytes(files) != fsck->state.size_bytes) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "C1", DW_STR_NULL,
                      "the log replays to %" PRId64 " files of %" PRId64
                      " bytes, what readers start from to %" PRId64 " of %" PRId64,
                      fsck->state.file_count, fsck->state.size_bytes, count,
                      dw__file_set_size_bytes(files));
    }
    return DW_OK;
}
