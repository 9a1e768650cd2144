/*
 * Deleting what was found: several threads take keys in batches, and afterwards directories that
 * became empty go, the deepest first. What cannot be deleted is told, and the rest goes on.
 */
#include "base/assert.h"
#include "upkeep/vacuum_core.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_KEYS 64
#define REMOVERS_MAX 4
/* With fewer files it does not pay to start threads. */
#define HELPED_KEYS_MIN 256

typedef struct removers {
    dw_vacuum *v;
    pthread_mutex_t mutex; /* guards all below */
    dw_key_reader reader;
    bool is_done; /* nothing is left, or somebody gave up */
    int64_t taken;
    dw_status status; /* why */
    dw_error err;
} removers;

typedef struct batch_key {
    size_t start, len; /* in the texts of the batch */
    int64_t size_bytes;
} batch_key;

typedef struct batch {
    dw_strbuf texts;
    batch_key keys[BATCH_KEYS];
    size_t count;
} batch;

/* ---- Files ----------------------------------------------------------------------------------- */

static void
give_up(removers *all, dw_status status, const dw_error *err)
{
    all->is_done = true;
    if (status != DW_OK && all->status == DW_OK) {
        all->status = status;
        dw__error_copy(&all->err, err);
    }
}

static dw_status
fill_batch(removers *all, batch *out, dw_error *err)
{
    dw_str key;
    bool found = true;
    dw__strbuf_clear(&out->texts);
    while (out->count < BATCH_KEYS && found) {
        batch_key *slot = &out->keys[out->count];
        DW_TRY(dw__key_reader_next(&all->reader, &key, &slot->size_bytes, &found, err));
        if (found) {
            slot->start = out->texts.len;
            slot->len = key.len;
            dw__strbuf_append(&out->texts, key);
            out->count++;
        }
    }
    return dw__strbuf_ok(&out->texts, "a part of the list of files", err);
}

/* The next keys; none when nothing is left, when the user or the budget says stop, or after an
 * error. */
static void
take_batch(removers *all, batch *out)
{
    dw_error err = DW_ERROR_INIT;
    out->count = 0;
    pthread_mutex_lock(&all->mutex);
    if (!all->is_done) {
        dw_status status = dw__upkeep_check(all->v->upkeep, &err);
        all->v->result.is_over = status == DW_OK && dw__upkeep_is_over(all->v->upkeep);
        if (status == DW_OK && !all->v->result.is_over) {
            status = fill_batch(all, out, &err);
        }
        out->count = status == DW_OK ? out->count : 0;
        if (out->count == 0) {
            give_up(all, status, &err);
        }
        all->taken += (int64_t) out->count;
        dw__upkeep_progress(all->v->upkeep, all->taken, all->v->files.count);
    }
    pthread_mutex_unlock(&all->mutex);
}

static void
note_failure(dw_vacuum *v, dw_str key, const dw_error *err)
{
    int64_t idx = v->result.failed_count++;
    if (idx < DW_VACUUM_FAILURES_MAX) {
        dw_vacuum_failure *failure = &v->failures[idx];
        bool ok = dw__arena_dup(&v->told, key, &failure->key) &&
                  dw__arena_dup(&v->told, dw__str_from(err->message), &failure->message);
        failure->key = ok ? failure->key : DW_STR("");
        failure->message = ok ? failure->message : DW_STR("");
    }
}

/* Hadoop keeps a checksum beside each file, hidden, and without its file nobody's. That there is
 * none, or that it stays, is no matter. */
static void
remove_checksum(dw_vacuum *v, dw_str key)
{
    char checksum[DW_STORAGE_KEY_BYTES_MAX + sizeof("..crc")];
    dw_error ignored = DW_ERROR_INIT;
    size_t slash = dw__str_find_last(key, '/');
    size_t start = slash == SIZE_MAX ? 0 : slash + 1;
    int len = snprintf(checksum, sizeof(checksum), "%.*s.%.*s.crc", (int) start, key.ptr,
                       DW_STR_ARG(dw__str_slice(key, start, key.len)));
    if (len > 0 && (size_t) len < sizeof(checksum)) {
        dw_status status =
            dw__storage_remove(v->storage, dw__str_make(checksum, (size_t) len), &ignored);
        (void) status;
    }
}

static void
remove_one(dw_vacuum *v, dw_str key, int64_t size_bytes)
{
    dw_error err = DW_ERROR_INIT;
    if (v->keeps_more && dw__vacuum_is_kept(v, key)) {
        return;
    }
    dw_status status = dw__storage_remove(v->storage, key, &err);
    if (status == DW_OK) {
        remove_checksum(v, key);
    }
    pthread_mutex_lock(&v->mutex);
    if (status == DW_OK) {
        v->result.deleted_count++;
        v->result.deleted_bytes += size_bytes;
    } else {
        note_failure(v, key, &err);
    }
    pthread_mutex_unlock(&v->mutex);
}

static void *
run_remover(void *argument)
{
    removers *all = argument;
    batch taken = {
        .texts = dw__strbuf_make(all->v->env->allocator, BATCH_KEYS * DW_STORAGE_KEY_BYTES_MAX)};
    for (take_batch(all, &taken); taken.count > 0; take_batch(all, &taken)) {
        for (size_t i = 0; i < taken.count; i++) {
            const batch_key *key = &taken.keys[i];
            remove_one(all->v, dw__str_slice(dw__strbuf_str(&taken.texts), key->start, key->len),
                       key->size_bytes);
        }
    }
    dw__strbuf_deinit(&taken.texts);
    return NULL;
}

static dw_status
remove_files(dw_vacuum *v, dw_error *err)
{
    pthread_t helpers[REMOVERS_MAX - 1];
    size_t started = 0;
    removers all = {.v = v, .reader = dw__key_reader_make(&v->files), .err = DW_ERROR_INIT};
    int failed = pthread_mutex_init(&all.mutex, NULL);
    dw_assert(failed == 0);
    size_t wanted = v->files.count < HELPED_KEYS_MIN ? 0 : REMOVERS_MAX - 1;
    while (started < wanted && pthread_create(&helpers[started], NULL, run_remover, &all) == 0) {
        started++;
    }
    run_remover(&all);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helpers[i], NULL);
    }
    pthread_mutex_destroy(&all.mutex);
    dw__key_reader_deinit(&all.reader);
    dw__error_copy(all.status == DW_OK ? NULL : err, &all.err);
    return all.status;
}

/* ---- Directories ----------------------------------------------------------------------------- */

/* What is in a directory comes before it. */
static int
compare_deepest_first(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) b, *(const dw_str *) a);
}

static dw_status
sort_directories(dw_vacuum *v, dw_str *out, dw_error *err)
{
    dw_key_reader reader = dw__key_reader_make(&v->directories);
    dw_status status = DW_OK;
    bool found = true;
    for (size_t i = 0; status == DW_OK && found;) {
        dw_str key;
        int64_t size;
        status = dw__key_reader_next(&reader, &key, &size, &found, err);
        if (status == DW_OK && found && !dw__arena_dup(&v->arena, key, &out[i++])) {
            status = dw__error_oom(err);
        }
    }
    dw__key_reader_deinit(&reader);
    if (status == DW_OK && v->directories.count > 0) {
        qsort(out, (size_t) v->directories.count, sizeof(out[0]), compare_deepest_first);
    }
    return status;
}

static dw_status
remove_directories(dw_vacuum *v, dw_error *err)
{
    size_t count = (size_t) v->directories.count;
    dw_str *keys = DW_ARENA_ARRAY(&v->arena, dw_str, count);
    if (keys == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(sort_directories(v, keys, err));
    for (size_t i = 0; i < count; i++) {
        dw_error cause = DW_ERROR_INIT;
        bool removed;
        DW_TRY(dw__upkeep_check(v->upkeep, err));
        if (dw__storage_remove_directory(v->storage, keys[i], &removed, &cause) != DW_OK) {
            note_failure(v, keys[i], &cause);
        }
        v->result.directory_count += removed ? 1 : 0;
    }
    return DW_OK;
}

dw_status
dw__vacuum_remove(dw_vacuum *v, dw_error *err)
{
    DW_TRY(remove_files(v, err));
    return v->result.is_over ? DW_OK : remove_directories(v, err);
}
