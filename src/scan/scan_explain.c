/*
 * Errors of the engine about data files, in the words of a table: which file, which version added
 * it, what is wrong with it, what to do.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "scan/scan_core.h"
#include "scan/scan_sql.h"

#include <stdio.h>

/* Files whose presence is checked when the engine does not say which one it is about. */
#define CHECKED_FILES_MAX ((size_t) 10000)
/* Files whose footers are read when the engine found one damaged and does not say which. */
#define PROBED_FILES_MAX ((size_t) 1000)
/* Commits that are searched for who added a file. */
#define SEARCHED_COMMITS_MAX 1000

/* A file of the scan. */
typedef struct suspect {
    const dw_bound_source *source;
    size_t idx;
} suspect;

static dw_str
path_in_log(const suspect *file)
{
    return dw__file_set_path(file->source->relation.files, file->source->files[file->idx]);
}

static dw_storage *
storage_of(const suspect *file)
{
    return dw__log_storage(file->source->relation.log);
}

/* ---- Which file ------------------------------------------------------------------------------ */

/* The file whose path stands in the message; of several the longest path. */
static bool
find_mentioned(const dw_scan *scan, const char *message, suspect *out)
{
    size_t best_len = 0;
    for (size_t s = 0; s < scan->count; s++) {
        const dw_bound_source *source = &scan->sources[s];
        for (size_t i = 0; i < source->file_count; i++) {
            dw_str path = source->paths[i];
            if (path.len > best_len &&
                memmem(message, strlen(message), path.ptr, path.len) != NULL) {
                best_len = path.len;
                *out = (suspect){source, i};
            }
        }
    }
    return best_len > 0;
}

/* What storage says of a file; DW_OK with a negative size when it cannot be asked. */
static dw_status
ask_storage(const suspect *file, dw_arena *scratch, int64_t *size_out)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_object_meta meta;
    dw_str key;
    *size_out = -1;
    dw_str path = path_in_log(file);
    if (dw__uri_is_absolute(path) || dw__uri_canonical(scratch, path, &key, &ignored) != DW_OK) {
        return DW_OK;
    }
    dw_status status = dw__storage_head(storage_of(file), key, &meta, &ignored);
    if (status == DW_OK) {
        *size_out = meta.size_bytes;
    }
    return status == DW_NOT_FOUND ? DW_NOT_FOUND : DW_OK;
}

static int64_t
expected_size(const suspect *file)
{
    return dw__file_set_file_size(file->source->relation.files, file->source->files[file->idx]);
}

/* The first file that is not there, or is not as large as the log says. */
static bool
find_broken(const dw_scan *scan, dw_arena *scratch, suspect *out)
{
    size_t checked = 0;
    for (size_t s = 0; s < scan->count; s++) {
        const dw_bound_source *source = &scan->sources[s];
        for (size_t i = 0; i < source->file_count && checked < CHECKED_FILES_MAX; i++, checked++) {
            int64_t size;
            *out = (suspect){source, i};
            if (ask_storage(out, scratch, &size) == DW_NOT_FOUND ||
                (size >= 0 && size != expected_size(out))) {
                return true;
            }
        }
    }
    return false;
}

/* The first file whose footer the engine cannot read. It needs a connection of its own: the scan's
 * may be in the middle of a statement. */
static bool
find_unreadable(const dw_scan *scan, dw_arena *scratch, suspect *out)
{
    dw_connection *connection;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__connection_open(scan->database, &connection, &ignored) != DW_OK) {
        return false;
    }
    bool is_found = false;
    size_t probed = 0;
    for (size_t s = 0; !is_found && s < scan->count; s++) {
        const dw_bound_source *source = &scan->sources[s];
        for (size_t i = 0; !is_found && i < source->file_count && probed < PROBED_FILES_MAX; i++) {
            dw_strbuf sql = dw__strbuf_make(scratch->allocator, DW_SCAN_SQL_BYTES_MAX);
            dw__strbuf_append_literal(&sql, "FROM parquet_file_metadata([");
            dw__sql_put_literal(&sql, source->paths[i]);
            dw__strbuf_append_literal(&sql, "])");
            *out = (suspect){source, i};
            dw_status status = dw__connection_execute(connection, dw__strbuf_str(&sql), &ignored);
            is_found = status == DW_CORRUPT || status == DW_INVALID_ARGUMENT;
            dw__strbuf_deinit(&sql);
            probed++;
        }
    }
    dw__connection_close(connection);
    return is_found;
}

/* ---- Who added it ---------------------------------------------------------------------------- */

static bool
adds_file(const dw_commit_actions *actions, dw_str path)
{
    for (size_t i = 0; i < actions->count; i++) {
        const dw_action *action = &actions->items[i];
        if (action->kind == DW_ACTION_ADD && dw__str_equal(action->as.file.path, path)) {
            return true;
        }
    }
    return false;
}

/* The newest version up to the snapshot's that added the file; -1 when it is not to be found. */
static int64_t
find_version(const suspect *file, const dw_allocator *allocator)
{
    dw_log *log = dw__log_snapshot_log(file->source->snapshot);
    int64_t newest = dw__log_snapshot_version(file->source->snapshot);
    dw_arena arena;
    dw__arena_init(&arena, allocator);
    int64_t found = -1;
    for (int64_t version = newest;
         found < 0 && version >= 0 && newest - version < SEARCHED_COMMITS_MAX; version--) {
        dw_error ignored = DW_ERROR_INIT;
        dw_commit_actions actions = {0};
        if (dw__commit_read(log, version, &arena, &actions, &ignored) != DW_OK) {
            break;
        }
        found = adds_file(&actions, path_in_log(file)) ? version : -1;
        dw__arena_reset(&arena);
    }
    dw__arena_deinit(&arena);
    return found;
}

/* ---- Saying it ------------------------------------------------------------------------------- */

#define ADVICE                                                                                     \
    "put it back from a backup, or read an earlier version of the table that does not need it"

/* The path as a person knows it: decoded. */
static dw_str
readable_path(const suspect *file, dw_arena *scratch)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_str path = path_in_log(file);
    dw_str decoded;
    return dw__uri_canonical(scratch, path, &decoded, &ignored) == DW_OK ? decoded : path;
}

/* A file that is whole, but not for us. */
static void
say_codec(const suspect *file, dw_arena *scratch, dw_error *err)
{
    dw_str path = readable_path(file, scratch);
    char message[DW_ERROR_MESSAGE_SIZE];
    memcpy(message, err->message, sizeof(message));
    (void) !dw__error_set(
        err, DW_UNSUPPORTED, "CODEC_UNSUPPORTED",
        "the data file %.*s is compressed in a way that is not supported (%.600s); "
        "let the engine that wrote it write it again with zstd",
        DW_STR_ARG(path), message);
}

static void
say(const suspect *file, dw_arena *scratch, const char *code, const char *what, dw_error *err)
{
    dw_str path = readable_path(file, scratch);
    int64_t version = find_version(file, scratch->allocator);
    char context[DW_ERROR_CONTEXT_SIZE];
    memcpy(context, err->context, sizeof(context));
    if (version >= 0) {
        (void) !dw__error_set(err, DW_CORRUPT, code,
                              "the data file %.*s, which version %lld added, %s; " ADVICE,
                              DW_STR_ARG(path), (long long) version, what);
    } else {
        (void) !dw__error_set(err, DW_CORRUPT, code, "the data file %.*s %s; " ADVICE,
                              DW_STR_ARG(path), what);
    }
    memcpy(err->context, context, sizeof(context));
}

static void
explain(const suspect *file, dw_arena *scratch, dw_error *err)
{
    char what[DW_ERROR_MESSAGE_SIZE];
    int64_t size;
    if (strstr(err->message, "Unsupported compression codec") != NULL) {
        say_codec(file, scratch, err);
        return;
    }
    if (ask_storage(file, scratch, &size) == DW_NOT_FOUND) {
        say(file, scratch, "DATA_FILE_MISSING", "is missing", err);
        return;
    }
    if (size >= 0 && size != expected_size(file)) {
        snprintf(what, sizeof(what), "is damaged: expected %lld bytes, found %lld",
                 (long long) expected_size(file), (long long) size);
    } else {
        snprintf(what, sizeof(what), "cannot be read (%.700s)", err->message);
    }
    say(file, scratch, "DATA_FILE_DAMAGED", what, err);
}

dw_status
dw__scan_explain_error(const dw_scan *scan, dw_error *err)
{
    dw_assert(err != NULL);
    bool may_be_file = err->status == DW_IO || err->status == DW_NOT_FOUND ||
                       err->status == DW_INVALID_ARGUMENT || err->status == DW_INTERNAL ||
                       err->status == DW_CORRUPT;
    if (scan == NULL || !may_be_file || dw__error_has_code(err, "STORAGE_FULL")) {
        return err->status;
    }
    dw_arena scratch;
    dw__arena_init(&scratch, scan->env->allocator);
    suspect file;
    bool is_found = find_mentioned(scan, err->message, &file);
    if (!is_found && err->status != DW_INVALID_ARGUMENT) {
        is_found = find_broken(scan, &scratch, &file) ||
                   (err->status == DW_CORRUPT && find_unreadable(scan, &scratch, &file));
    }
    if (is_found) {
        explain(&file, &scratch, err);
    }
    dw__arena_deinit(&scratch);
    return err->status;
}
