/*
 * FSCK from the first version that can be rebuilt to the newest. [FSCK-1..3]
 */
#include "fsck/fsck.h"

#include "base/assert.h"
#include "fsck/core.h"

#include <inttypes.h>

/* How much of the whole the parts are, for progress. */
#define SHARE_OF_LOG 0.6
#define SHARE_OF_FILES 0.8

/* The files of one version in the listing. */
typedef struct version_files {
    size_t start, end;
    int64_t version;
    const dw_log_file *commit;    /* NULL: none */
    const dw_log_file *compacted; /* the longest that begins here; NULL: none */
} version_files;

static version_files
files_at(const dw_log_listing *listing, size_t start)
{
    version_files out = {.start = start, .version = listing->items[start].version};
    for (out.end = start; out.end < listing->count; out.end++) {
        const dw_log_file *file = &listing->items[out.end];
        if (file->version != out.version) {
            break;
        }
        if (file->kind == DW_LOG_COMMIT) {
            out.commit = file;
        } else if (file->kind == DW_LOG_COMPACTED) {
            out.compacted = file;
        }
    }
    return out;
}

/* ---- Checkpoints of a version ---------------------------------------------------------------- */

static bool
is_complete(const dw_log_listing *listing, const version_files *files, const dw_log_file *first)
{
    if (first->kind != DW_LOG_CHECKPOINT_PART) {
        return first->kind == DW_LOG_CHECKPOINT || first->kind == DW_LOG_CHECKPOINT_UUID;
    }
    size_t found = 0;
    for (size_t i = files->start; i < files->end; i++) {
        found += listing->items[i].kind == DW_LOG_CHECKPOINT_PART &&
                 listing->items[i].part_count == first->part_count;
    }
    return first->part == 1 && found == first->part_count;
}

/* The checkpoint behind `after` (NULL: the first); NULL when there is no other. */
static const dw_log_file *
next_checkpoint(const dw_log_listing *listing, const version_files *files, const dw_log_file *after)
{
    for (size_t i = files->start; i < files->end; i++) {
        const dw_log_file *file = &listing->items[i];
        if ((after == NULL || file > after) && is_complete(listing, files, file)) {
            return file;
        }
    }
    return NULL;
}

static dw_status
load_any_checkpoint(dw_fsck *fsck, const version_files *files, bool *loaded_out, dw_error *err)
{
    *loaded_out = false;
    const dw_log_file *file = NULL;
    while (!*loaded_out && (file = next_checkpoint(&fsck->listing, files, file)) != NULL) {
        DW_TRY(dw__fsck_load_checkpoint(fsck, file, loaded_out, err));
    }
    return DW_OK;
}

static dw_status
check_checkpoints(dw_fsck *fsck, const version_files *files, dw_error *err)
{
    const dw_log_file *file = NULL;
    while ((file = next_checkpoint(&fsck->listing, files, file)) != NULL) {
        DW_TRY(dw__fsck_checkpoint(fsck, file, err));
    }
    return DW_OK;
}

static dw_status
check_checksum(dw_fsck *fsck, dw_error *err)
{
    while (fsck->crc_next < fsck->crcs.count) {
        const dw_fsck_crc *crc = &fsck->crcs.items[fsck->crc_next];
        if (crc->version > fsck->version) {
            break;
        }
        fsck->crc_next++;
        if (crc->version == fsck->version) {
            return dw__fsck_checksum(fsck, crc->key, err);
        }
    }
    return DW_OK;
}

/* ---- Replay ---------------------------------------------------------------------------------- */

static dw_status
read_text(dw_fsck *fsck, const dw_log_file *file, dw_commit_actions *out, dw_error *err)
{
    if (file->kind == DW_LOG_COMMIT) {
        return dw__commit_read(fsck->log, file->version, &fsck->scratch, out, err);
    }
    return dw__fsck_read_compacted(fsck, file, out, err);
}

/* Nothing can be compared until a checkpoint says anew what the table is. */
static void
lose_state(dw_fsck *fsck)
{
    fsck->state.is_valid = false;
    dw__fsck_windows_deinit(fsck);
}

/* Reads a commit, or a compacted one that stands for several, into the state. */
static dw_status
replay_file(dw_fsck *fsck, const dw_log_file *file, dw_error *err)
{
    dw_commit_actions commit;
    dw_error cause = DW_ERROR_INIT;
    fsck->version = file->last_version;
    DW_TRY(dw__fsck_open_windows(fsck, file, err));
    dw_status status = read_text(fsck, file, &commit, &cause);
    fsck->commit_count++;
    if (status == DW_OK) {
        status = dw__fsck_commit(fsck, &commit, err);
        if (status != DW_OK) {
            return status;
        }
    } else {
        DW_TRY(dw__fsck_find_error(fsck, "A15", file->key, &cause, err));
        lose_state(fsck);
    }
    fsck->state.version = file->last_version;
    return fsck->state.is_valid ? dw__fsck_close_windows(fsck, file->last_version, err) : DW_OK;
}

/* A cleanup removes commits first and their checkpoints later: until then older checkpoints stand
 * in front of a log that begins with a newer one. */
static void
find_gap(dw_fsck *fsck, int64_t first, int64_t last, bool has_checkpoint)
{
    bool is_cleanup = has_checkpoint && fsck->commit_count == 0;
    fsck->version = first;
    dw__fsck_find(fsck, is_cleanup ? DW_FSCK_NOTE : DW_FSCK_ERROR, "A2", DW_STR_NULL,
                  "versions %" PRId64 " to %" PRId64 " are missing from the log", first, last);
}

/* What comes next of a log that was begun. */
static dw_status
replay_version(dw_fsck *fsck, const version_files *files, dw_error *err)
{
    dw_fsck_state *state = &fsck->state;
    const dw_log_file *file = files->commit;
    if (files->version <= state->version) {
        return DW_OK; /* a compacted commit stood for it */
    }
    if (file == NULL && files->compacted != NULL && files->version == state->version + 1) {
        file = files->compacted;
        fsck->version = files->version;
        dw__fsck_find(fsck, DW_FSCK_WARNING, "A6", file->key,
                      "the commits from %" PRId64 " to %" PRId64
                      " are gone: only the compacted commit has what they did",
                      file->version, file->last_version);
    }
    bool has_checkpoint = next_checkpoint(&fsck->listing, files, NULL) != NULL;
    if (file == NULL && !has_checkpoint) {
        return DW_OK;
    }
    if (files->version > state->version + 1 || file == NULL) {
        find_gap(fsck, state->version + 1, file == NULL ? files->version : files->version - 1,
                 has_checkpoint);
        lose_state(fsck);
    }
    if (state->is_valid) {
        DW_TRY(replay_file(fsck, file, err));
    } else if (has_checkpoint) {
        fsck->version = state->version = files->version;
        DW_TRY(load_any_checkpoint(fsck, files, &state->is_valid, err));
    } else {
        state->version = files->version;
    }
    bool is_defined = state->protocol != NULL && state->metadata != NULL;
    if (state->is_valid && is_defined && state->version == files->version) {
        DW_TRY(check_checkpoints(fsck, files, err));
        DW_TRY(check_checksum(fsck, err));
    }
    return DW_OK;
}

/* The first version that can be rebuilt: commit 0, or the oldest checkpoint that can be read. */
static dw_status
begin(dw_fsck *fsck, size_t *next_out, dw_error *err)
{
    const dw_log_listing *listing = &fsck->listing;
    version_files files;
    fsck->state.is_valid = true;
    *next_out = 0;
    for (size_t i = 0; i < listing->count && listing->items[i].version == 0; i++) {
        if (listing->items[i].kind == DW_LOG_COMMIT) {
            return DW_OK;
        }
    }
    for (size_t i = 0; i < listing->count; i = files.end) {
        bool loaded;
        files = files_at(listing, i);
        fsck->version = files.version;
        DW_TRY(load_any_checkpoint(fsck, &files, &loaded, err));
        if (loaded) {
            fsck->state.version = files.version;
            DW_TRY(check_checkpoints(fsck, &files, err));
            DW_TRY(check_checksum(fsck, err));
            *next_out = files.end;
            return DW_OK;
        }
    }
    fsck->state.is_valid = false;
    fsck->version = -1;
    dw__fsck_find(fsck, DW_FSCK_ERROR, "A2", DW_STR_NULL,
                  "no version can be rebuilt: expected commit 0 or a complete checkpoint");
    *next_out = listing->count;
    return DW_OK;
}

static dw_status
replay(dw_fsck *fsck, dw_error *err)
{
    const dw_log_listing *listing = &fsck->listing;
    size_t i;
    DW_TRY(begin(fsck, &i, err));
    while (i < listing->count) {
        version_files files = files_at(listing, i);
        DW_TRY(dw__fsck_go_on(fsck, SHARE_OF_LOG * (double) i / (double) listing->count, err));
        dw__arena_reset(&fsck->scratch);
        DW_TRY(replay_version(fsck, &files, err));
        i = files.end;
    }
    return DW_OK;
}

/* ---- The newest version ---------------------------------------------------------------------- */

static dw_status
check_newest(dw_fsck *fsck, dw_error *err)
{
    fsck->version = fsck->state.version;
    DW_TRY(dw__fsck_hint(fsck, err));
    fsck->version = fsck->state.version;
    DW_TRY(dw__fsck_reader(fsck, err));
    if (!fsck->state.is_valid || fsck->state.metadata == NULL || fsck->state.protocol == NULL) {
        return DW_OK;
    }
    dw__fsck_check_clustering(fsck);
    DW_TRY(dw__fsck_row_ids(fsck, err));
    DW_TRY(dw__fsck_go_on(fsck, SHARE_OF_LOG, err));
    DW_TRY(dw__fsck_deletion_vectors(fsck, err));
    DW_TRY(dw__fsck_storage(fsck, err));
    DW_TRY(dw__fsck_go_on(fsck, SHARE_OF_FILES, err));
    return fsck->spec->with_data ? dw__fsck_data(fsck, err) : DW_OK;
}

static dw_status
check(dw_fsck *fsck, dw_error *err)
{
    DW_TRY(dw__fsck_list_log(fsck, err));
    if (fsck->listing.count == 0) {
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "%.*s is no Delta table: expected commits in " DW_LOG_DIR,
                             DW_STR_ARG(fsck->storage->root));
    }
    dw__fsck_check_listing(fsck);
    DW_TRY(replay(fsck, err));
    DW_TRY(check_newest(fsck, err));
    if (fsck->is_out_of_memory) {
        return dw__error_oom(err);
    }
    dw__fsck_find_unlisted(fsck);
    return dw__fsck_go_on(fsck, 1, err);
}

static dw_status
run(dw_log *log, dw_database *database, dw_connection *connection, const dw_fsck_spec *spec,
    struct ArrowArrayStream *out, dw_fsck_counts *counts_out, dw_error *err)
{
    static const dw_rows_column columns[] = {{"severity", DW_ROWS_STR, 0, 0},
                                             {"rule", DW_ROWS_STR, 0, 0},
                                             {"version", DW_ROWS_I64, 0, 0},
                                             {"path", DW_ROWS_STR, 0, 0},
                                             {"message", DW_ROWS_STR, 0, 0}};
    *counts_out = (dw_fsck_counts){0};
    const dw_env *env = dw__log_env(log);
    dw_fsck fsck = {.log = log,
                    .storage = dw__log_storage(log),
                    .env = env,
                    .connection = connection,
                    .database = database,
                    .spec = spec,
                    .version = -1};
    DW_TRY(dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &fsck.rows,
                        err));
    dw__log_listing_init(&fsck.listing, env->allocator);
    dw__fsck_state_init(&fsck.state, env->allocator);
    dw__arena_init(&fsck.scratch, env->allocator);
    dw_status status = check(&fsck, err);
    dw__fsck_windows_deinit(&fsck);
    dw__arena_deinit(&fsck.scratch);
    dw__fsck_state_deinit(&fsck.state);
    dw__log_listing_deinit(&fsck.listing);
    DW_VEC_DEINIT(env->allocator, &fsck.crcs);
    dw__fsck_types_deinit(&fsck);
    *counts_out = fsck.counts;
    if (status != DW_OK) {
        dw__rows_free(fsck.rows);
        return status;
    }
    return dw__rows_stream(fsck.rows, out, err);
}

dw_status
dw__log_fsck(dw_log *log, dw_connection *connection, const dw_fsck_spec *spec,
             struct ArrowArrayStream *out, dw_fsck_counts *counts_out, dw_error *err)
{
    return run(log, NULL, connection, spec, out, counts_out, err);
}

dw_status
dw__table_fsck(dw_table *table, dw_connection *connection, const dw_fsck_spec *spec,
               struct ArrowArrayStream *out, dw_fsck_counts *counts_out, dw_error *err)
{
    return run(dw__table_log(table), dw__table_database(table), connection, spec, out, counts_out,
               err);
}
