/*
 * The table version by version: the oldest state that is wanted, and then what each commit adds and
 * takes away. Of a live file only its figures are kept, under a digest of its key. [STATISTICS-1]
 */
#include "base/assert.h"
#include "codec/codec.h"
#include "codec/uri.h"
#include "log/commit.h"
#include "statistics/statistics.h"

#include <inttypes.h>
#include <stdio.h>

/* Of a commit that are read at once; a longer line is read as a whole. */
#define CHUNK_BYTES ((size_t) 8 << 20)
#define KEY_BYTES_MAX ((size_t) 1 << 20)
#define SLOTS_FIRST ((size_t) 1024)

/* ---- Live files ------------------------------------------------------------------------------ */

typedef struct file_slot {
    uint64_t key[2]; /* both 0: empty */
    dw_file_figures figures;
} file_slot;

/* A table with linear probing; at most three quarters are used. */
typedef struct file_table {
    const dw_allocator *allocator;
    file_slot *slots;
    size_t slot_count, count;
} file_table;

static void
table_deinit(file_table *table)
{
    dw__dealloc(table->allocator, table->slots, table->slot_count * sizeof(*table->slots));
}

static bool
is_empty(const file_slot *slot)
{
    return slot->key[0] == 0 && slot->key[1] == 0;
}

/* The slot of the key, or the empty one where it belongs. */
static size_t
find_slot(const file_table *table, const uint64_t key[2])
{
    size_t mask = table->slot_count - 1;
    size_t i = (size_t) key[0] & mask;
    while (!is_empty(&table->slots[i]) &&
           (table->slots[i].key[0] != key[0] || table->slots[i].key[1] != key[1])) {
        i = (i + 1) & mask;
    }
    return i;
}

static bool
grow(file_table *table)
{
    if (table->slot_count > 0 && (table->count + 1) * 4 <= table->slot_count * 3) {
        return true;
    }
    file_table grown = {.allocator = table->allocator,
                        .slot_count = table->slot_count == 0 ? SLOTS_FIRST : 2 * table->slot_count};
    grown.slots = dw__alloc_zero(table->allocator, grown.slot_count * sizeof(*grown.slots));
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->slot_count; i++) {
        if (!is_empty(&table->slots[i])) {
            grown.slots[find_slot(&grown, table->slots[i].key)] = table->slots[i];
            grown.count++;
        }
    }
    table_deinit(table);
    *table = grown;
    return true;
}

/* Empties a slot, and moves those behind it that it kept from their places. */
static void
empty_slot(file_table *table, size_t at)
{
    size_t mask = table->slot_count - 1;
    size_t hole = at;
    for (size_t i = (at + 1) & mask; !is_empty(&table->slots[i]); i = (i + 1) & mask) {
        size_t home = (size_t) table->slots[i].key[0] & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    memset(&table->slots[hole], 0, sizeof(table->slots[hole]));
    table->count--;
}

/* ---- A commit -------------------------------------------------------------------------------- */

typedef struct walker {
    dw_log *log;
    file_table files;
    dw_file_totals now, added, removed;
    dw_strbuf key;
    dw_arena arena; /* of the actions of a chunk */
} walker;

static dw_status
make_key(walker *w, dw_str path, const dw_dv_descriptor *dv, uint64_t out[2], dw_error *err)
{
    uint8_t digest[DW_MD5_BYTES];
    dw_str canonical;
    DW_TRY(dw__uri_canonical(&w->arena, path, &canonical, err));
    dw__strbuf_clear(&w->key);
    dw__strbuf_append(&w->key, canonical);
    if (dv != NULL) {
        dw__strbuf_append_char(&w->key, '\0');
        dw__strbuf_printf(&w->key, "%c%d@", dv->storage_type,
                          dv->has_offset ? (int) dv->offset : -1);
        dw__strbuf_append(&w->key, dv->path_or_inline_dv);
    }
    DW_TRY(dw__strbuf_ok(&w->key, "the key of a file", err));
    dw__md5_bytes(dw__strbuf_str(&w->key), digest);
    memcpy(out, digest, sizeof(digest));
    out[0] |= out[0] == 0 && out[1] == 0 ? 1 : 0;
    return DW_OK;
}

static dw_status
take_in(walker *w, const uint64_t key[2], const dw_file_figures *figures, dw_error *err)
{
    if (!grow(&w->files)) {
        return dw__error_oom(err);
    }
    file_slot *slot = &w->files.slots[find_slot(&w->files, key)];
    if (is_empty(slot)) {
        memcpy(slot->key, key, sizeof(slot->key));
        w->files.count++;
        dw__file_totals_add(&w->added, figures);
    } else { /* told again, as with better statistics */
        dw__file_totals_remove(&w->now, &slot->figures);
    }
    slot->figures = *figures;
    dw__file_totals_add(&w->now, figures);
    return DW_OK;
}

static void
take_out(walker *w, const uint64_t key[2])
{
    if (w->files.slot_count == 0) {
        return;
    }
    size_t i = find_slot(&w->files, key);
    if (is_empty(&w->files.slots[i])) {
        return;
    }
    dw__file_totals_add(&w->removed, &w->files.slots[i].figures);
    dw__file_totals_remove(&w->now, &w->files.slots[i].figures);
    empty_slot(&w->files, i);
}

static dw_status
take_action(void *ctx, const dw_action *action, dw_error *err)
{
    walker *w = ctx;
    uint64_t key[2];
    const dw_file *file = &action->as.file;
    if (action->kind != DW_ACTION_ADD && action->kind != DW_ACTION_REMOVE) {
        return DW_OK;
    }
    DW_TRY(make_key(w, file->path, file->dv, key, err));
    if (action->kind == DW_ACTION_REMOVE) {
        take_out(w, key);
        return DW_OK;
    }
    dw_file_figures figures = dw__file_figures_make(file->size_bytes, file->dv, file->stats);
    return take_in(w, key, &figures, err);
}

/* The lines that are whole; without any (at the end of the file) what there is. */
static dw_str
whole_lines(dw_str chunk, bool is_last)
{
    size_t end = dw__str_find_last(chunk, '\n');
    return is_last || end == SIZE_MAX ? chunk : dw__str_slice(chunk, 0, end + 1);
}

/* Reads a commit a few megabytes at a time. */
static dw_status
replay(walker *w, int64_t version, int64_t *bytes_out, dw_error *err)
{
    char key[DW_COMMIT_KEY_SIZE];
    dw_str commit = dw__commit_key(version, key);
    dw_storage *storage = dw__log_storage(w->log);
    size_t wanted = CHUNK_BYTES;
    uint64_t offset = 0;
    DW_AUTO(dw_strbuf) chunk = dw__strbuf_make(storage->env->allocator, DW_COMMIT_BYTES_MAX);
    w->added = w->removed = (dw_file_totals){0};
    do {
        if (dw__env_is_cancelled(storage->env)) {
            return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the log");
        }
        DW_TRY(dw__storage_get_range(storage, commit, offset, wanted, &chunk, err));
        bool is_last = chunk.len < wanted;
        dw_str lines = whole_lines(dw__strbuf_str(&chunk), is_last);
        if (!is_last && !dw__str_ends_with(lines, DW_STR("\n")) &&
            wanted < DW_COMMIT_BYTES_MAX / 2) {
            wanted *= 2; /* a line is longer than that */
            continue;
        }
        DW_TRY(dw__actions_parse(lines, &w->arena, take_action, w, err));
        dw__arena_reset(&w->arena);
        offset += lines.len;
        if (is_last) {
            break;
        }
    } while (true);
    *bytes_out = (int64_t) offset;
    return DW_OK;
}

/* ---- The oldest state ------------------------------------------------------------------------ */

typedef struct base_reader {
    walker *w;
    const dw_file_set *files;
} base_reader;

static dw_status
take_base_file(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    base_reader *reader = ctx;
    uint64_t key[2];
    dw_file file = dw__file_set_key(reader->files, ref);
    dw_file_figures figures =
        dw__file_figures_make(dw__file_set_file_size(reader->files, ref), file.dv, stats);
    DW_TRY(make_key(reader->w, file.path, file.dv, key, err));
    if (reader->w->arena.size_total > CHUNK_BYTES) {
        dw__arena_reset(&reader->w->arena);
    }
    return take_in(reader->w, key, &figures, err);
}

static dw_status
take_base(walker *w, int64_t version, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot_at(w->log, version, &snapshot, err));
    base_reader reader = {w, dw__log_snapshot_files(snapshot)};
    return dw__file_set_visit_stats(dw__log_snapshot_files(snapshot), take_base_file, &reader, err);
}

/* ---- Versions -------------------------------------------------------------------------------- */

static dw_status
visit_version(walker *w, const dw_history_entry *entry, bool has_changes, dw_version_visitor visit,
              void *ctx, dw_error *err)
{
    dw_version_figures figures = {.version = entry->version,
                                  .timestamp_ms = entry->timestamp_ms,
                                  .operation = entry->info.operation,
                                  .has_changes = has_changes};
    if (has_changes) {
        DW_TRY(replay(w, entry->version, &figures.commit_bytes, err));
        figures.added = w->added;
        figures.removed = w->removed;
    }
    figures.after = w->now;
    return visit(ctx, &figures, err);
}

/* The entries come newest first; the base is the state before the oldest, or the oldest itself
 * where the one before cannot be read any more. */
static dw_status
visit_versions(walker *w, const dw_history_entry *entries, size_t count, dw_version_visitor visit,
               void *ctx, dw_error *err)
{
    int64_t first_readable, last;
    size_t left = count;
    DW_TRY(dw__log_version_range(w->log, &first_readable, &last, err));
    while (left > 0 && entries[left - 1].version < first_readable) {
        left--;
    }
    if (left == 0) {
        return DW_OK;
    }
    int64_t oldest = entries[left - 1].version;
    bool is_known = oldest == 0 || oldest > first_readable;
    if (oldest > 0) {
        DW_TRY(take_base(w, is_known ? oldest - 1 : oldest, err));
    }
    for (size_t i = left; i > 0; i--) {
        bool has_changes = is_known || i < left;
        DW_TRY(visit_version(w, &entries[i - 1], has_changes, visit, ctx, err));
    }
    return DW_OK;
}

dw_status
dw__statistics_visit_versions(dw_log *log, int64_t limit, dw_version_visitor visit, void *ctx,
                              dw_error *err)
{
    const dw_allocator *allocator = dw__log_env(log)->allocator;
    dw_history_entry *entries;
    size_t count;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    DW_TRY(dw__log_history(log, limit, &arena, &entries, &count, err));
    walker w = {.log = log,
                .files = {.allocator = allocator},
                .key = dw__strbuf_make(allocator, KEY_BYTES_MAX)};
    dw__arena_init(&w.arena, allocator);
    dw_status status = visit_versions(&w, entries, count, visit, ctx, err);
    dw__arena_deinit(&w.arena);
    dw__strbuf_deinit(&w.key);
    table_deinit(&w.files);
    return status;
}
