/*
 * Names of files in a clone, and the copying.
 */
#include "upkeep/clone_files.h"

#include "codec/codec.h"
#include "codec/uri.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define PATH_BYTES_MAX (3 * DW_STORAGE_KEY_BYTES_MAX + 16)
/* How much of its end tells a file from others of its size. */
#define TAIL_BYTES ((size_t) 65536)
#define THREADS_MAX 4

/* A file of deletion vectors in the target: how a descriptor names it. */
typedef struct clone_vector {
    char storage_type;
    dw_str path;
} clone_vector;

void
dw__clone_files_init(dw_clone_files *files, dw_table *source, dw_table *target, bool deep,
                     dw_arena *arena)
{
    *files = (dw_clone_files){.source = source, .target = target, .deep = deep, .arena = arena};
    dw__map_init(&files->live, arena->allocator);
    dw__map_init(&files->vectors, arena->allocator);
}

void
dw__clone_files_deinit(dw_clone_files *files)
{
    DW_VEC_DEINIT(files->arena->allocator, &files->copies);
    dw__map_deinit(&files->vectors);
    dw__map_deinit(&files->live);
    dw__storage_close(files->elsewhere);
}

dw_status
dw__clone_files_note_live(dw_clone_files *files, const dw_file_set *set, dw_file_ref ref,
                          dw_error *err)
{
    dw_str key, kept;
    DW_TRY(dw__uri_canonical(files->arena, dw__file_set_path(set, ref), &key, err));
    dw_clone_live *live = DW_ARENA_NEW(files->arena, dw_clone_live);
    if (live == NULL || !dw__arena_dup(files->arena, key, &kept)) {
        return dw__error_oom(err);
    }
    live->size_bytes = dw__file_set_file_size(set, ref);
    live->has_vector = dw__file_set_dv(set, ref) != NULL;
    live->modified_ms = dw__file_set_modification_time_ms(set, ref);
    live->has_base_row_id = dw__file_set_base_row_id(set, ref, &live->base_row_id);
    live->has_commit_version = dw__file_set_commit_version(set, ref, &live->commit_version);
    dw_map_value *slot = dw__map_put(&files->live, kept, NULL);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    slot->ptr = live;
    return DW_OK;
}

dw_status
dw__clone_files_find_live(dw_clone_files *files, dw_str path, const dw_clone_live **out,
                          dw_error *err)
{
    dw_str key;
    *out = NULL;
    DW_TRY(dw__uri_canonical(files->arena, path, &key, err));
    const dw_map_value *slot = dw__map_get(&files->live, key);
    *out = slot == NULL ? NULL : slot->ptr;
    return DW_OK;
}

bool
dw__clone_files_is_same(const dw_clone_files *files, const dw_clone_live *live, const dw_file *add)
{
    return live->size_bytes == add->size_bytes &&
           (!files->may_change || live->modified_ms == add->modification_time_ms);
}

/* ---- Absolute names -------------------------------------------------------------------------- */

/* root + "/" + key as a URI, as the reference writes it. */
static dw_status
make_absolute(dw_clone_files *files, dw_str key, dw_str *out, dw_error *err)
{
    dw_str root = dw__table_root(files->source);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(files->arena->allocator, PATH_BYTES_MAX);
    if (dw__str_starts_with(root, DW_STR("/"))) {
        dw__strbuf_append_literal(&text, "file:");
    }
    dw__uri_encode_path(&text, root);
    dw__strbuf_append_char(&text, '/');
    dw__uri_encode_path(&text, key);
    DW_TRY(dw__strbuf_ok(&text, "a path", err));
    return dw__arena_dup(files->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

static dw_status
refer_to(dw_clone_files *files, dw_file *add, dw_error *err)
{
    dw_str key;
    bool is_absolute;
    if (!dw__uri_is_absolute(add->path)) {
        DW_TRY(dw__uri_canonical(files->arena, add->path, &key, err));
        DW_TRY(make_absolute(files, key, &add->path, err));
    }
    if (add->dv == NULL || add->dv->storage_type != 'u') {
        return DW_OK;
    }
    dw_dv_descriptor *dv = DW_ARENA_NEW(files->arena, dw_dv_descriptor);
    if (dv == NULL) {
        return dw__error_oom(err);
    }
    *dv = *add->dv;
    DW_TRY(dw__dv_path(add->dv, files->arena, &key, &is_absolute, err));
    dv->storage_type = 'p';
    DW_TRY(make_absolute(files, key, &dv->path_or_inline_dv, err));
    add->dv = dv;
    return DW_OK;
}

/* ---- Names of copies ------------------------------------------------------------------------- */

static dw_str
last_part(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    return slash == SIZE_MAX ? path : dw__str_slice(path, slash + 1, path.len);
}

/* Where a file of the source is, from the root of the file system on. */
static dw_status
full_path(dw_clone_files *files, dw_str from, bool is_absolute, dw_str *out, dw_error *err)
{
    *out = is_absolute
               ? from
               : dw__arena_printf(files->arena, "%.*s/%.*s",
                                  DW_STR_ARG(dw__table_root(files->source)), DW_STR_ARG(from));
    return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
}

/* Where a source file is: its storage and its key there. */
static dw_status
find_source(dw_clone_files *files, dw_str from, bool is_absolute, dw_storage **storage_out,
            dw_str *key_out, dw_error *err)
{
    *storage_out = dw__table_storage(files->source);
    *key_out = from;
    if (!is_absolute) {
        return DW_OK;
    }
    if (from.len < 2 || from.ptr[0] != '/') {
        return dw__error_set(err, DW_UNSUPPORTED, "STORAGE_UNSUPPORTED",
                             "%.*s is in another storage, from which nothing can be copied",
                             DW_STR_ARG(from));
    }
    if (files->elsewhere == NULL) {
        DW_TRY(dw__storage_open((*storage_out)->env, DW_STR("/"), &files->elsewhere, err));
    }
    *storage_out = files->elsewhere;
    *key_out = dw__str_slice(from, 1, from.len);
    return DW_OK;
}

static dw_status
missing(dw_str from, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "FILE_NOT_FOUND",
                         "the source's file %.*s is missing: restore it from a backup, or clone a "
                         "version that does not need it",
                         DW_STR_ARG(from));
}

static dw_status
read_tail(dw_storage *storage, dw_str key, int64_t size_bytes, dw_strbuf *out, dw_error *err)
{
    uint64_t size = (uint64_t) size_bytes;
    uint64_t offset = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    *out = dw__strbuf_make(storage->env->allocator, TAIL_BYTES);
    return dw__storage_get_range(storage, key, offset, (size_t) (size - offset), out, err);
}

/* [CLONE-FILES-2] */
static dw_status
is_copy(dw_clone_files *files, const dw_clone_copy *copy, dw_str to, bool *taken_out,
        bool *same_out, dw_error *err)
{
    dw_storage *source, *target = dw__table_storage(files->target);
    dw_str key;
    dw_object_meta there, meta;
    dw_error cause = DW_ERROR_INIT;
    *same_out = false;
    *taken_out = true;
    dw_status status = dw__storage_head(target, to, &there, &cause);
    if (status == DW_NOT_FOUND) {
        *taken_out = false;
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    DW_TRY(find_source(files, copy->from, copy->is_absolute, &source, &key, err));
    DW_TRY(dw__storage_head(source, key, &meta, err));
    if (meta.size_bytes != there.size_bytes) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) a = {0};
    DW_AUTO(dw_strbuf) b = {0};
    DW_TRY(read_tail(source, key, meta.size_bytes, &a, err));
    DW_TRY(read_tail(target, to, meta.size_bytes, &b, err));
    *same_out = dw__str_equal(dw__strbuf_str(&a), dw__strbuf_str(&b));
    return DW_OK;
}

/* Takes the first of two names that is free, or has what is wanted already. */
static dw_status
choose_name(dw_clone_files *files, dw_clone_copy *copy, const dw_str names[2], dw_error *err)
{
    for (size_t i = 0; i < 2; i++) {
        bool is_taken;
        copy->to = names[i];
        DW_TRY(is_copy(files, copy, names[i], &is_taken, &copy->is_there, err));
        if (!is_taken || copy->is_there) {
            return DW_OK;
        }
    }
    return dw__error_set(err, DW_ALREADY_EXISTS, "OBJECT_EXISTS",
                         "the clone needs the name %.*s, which another file has: remove it, or "
                         "clone to another place",
                         DW_STR_ARG(names[1]));
}

/* Finds the source now: later several threads ask for it. */
static dw_status
put_down(dw_clone_files *files, const dw_clone_copy *copy, dw_error *err)
{
    dw_storage *source;
    dw_str key;
    DW_TRY(find_source(files, copy->from, copy->is_absolute, &source, &key, err));
    dw_clone_copy *slot = DW_VEC_PUSH(files->arena->allocator, &files->copies);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = *copy;
    files->bytes_to_copy += copy->is_there ? 0 : copy->size_bytes;
    return DW_OK;
}

static dw_status
encode(dw_clone_files *files, dw_str key, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(files->arena->allocator, PATH_BYTES_MAX);
    dw__uri_encode_path(&text, key);
    DW_TRY(dw__strbuf_ok(&text, "a path", err));
    return dw__arena_dup(files->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

/* ---- Copies of data files -------------------------------------------------------------------- */

static dw_status
copy_data(dw_clone_files *files, dw_file *add, int64_t *copied_out, dw_error *err)
{
    char hash[DW_MD5_TEXT_SIZE];
    dw_str names[2], path;
    dw_clone_copy copy = {.is_absolute = dw__uri_is_absolute(add->path),
                          .size_bytes = add->size_bytes};
    DW_TRY(dw__uri_canonical(files->arena, add->path, &copy.from, err));
    DW_TRY(full_path(files, copy.from, copy.is_absolute, &path, err));
    dw__md5(path, hash);
    names[1] = dw__arena_printf(files->arena, "%s-%.*s", hash, DW_STR_ARG(last_part(copy.from)));
    if (dw__str_is_null(names[1])) {
        return dw__error_oom(err);
    }
    names[0] = copy.is_absolute ? names[1] : copy.from;
    for (size_t i = 0; i < 2; i++) {
        const dw_map_value *slot = dw__map_get(&files->live, names[i]);
        const dw_clone_live *live = slot == NULL ? NULL : slot->ptr;
        if (live != NULL && dw__clone_files_is_same(files, live, add)) {
            return i == 0 && !copy.is_absolute ? DW_OK : encode(files, names[i], &add->path, err);
        }
    }
    DW_TRY(choose_name(files, &copy, names, err));
    DW_TRY(put_down(files, &copy, err));
    *copied_out = copy.is_there ? 0 : 1;
    bool keeps_path = !copy.is_absolute && dw__str_equal(copy.to, copy.from);
    return keeps_path ? DW_OK : encode(files, copy.to, &add->path, err);
}

/* ---- Copies of deletion vectors -------------------------------------------------------------- */

/*
 * The name that a path gives the copy of a file of deletion vectors, and how a descriptor says it.
 */
static dw_status
name_vector(dw_clone_files *files, dw_str path, dw_str *key_out, dw_str *z85_out, dw_error *err)
{
    _Static_assert(DW_MD5_BYTES == DW_UUID_BYTES, "a digest serves as a UUID");
    uint8_t bytes[DW_MD5_BYTES];
    char uuid[DW_UUID_TEXT_SIZE];
    dw__md5_bytes(path, bytes);
    dw__uuid_format(bytes, uuid);
    *key_out = dw__arena_printf(files->arena, "deletion_vector_%s.bin", uuid);
    if (dw__str_is_null(*key_out)) {
        return dw__error_oom(err);
    }
    return dw__z85_encode(files->arena, dw__str_make((const char *) bytes, DW_UUID_BYTES), z85_out,
                          err);
}

static dw_status
plan_vector(dw_clone_files *files, const dw_dv_descriptor *dv, dw_clone_copy *copy,
            clone_vector **out, dw_error *err)
{
    dw_str names[2], path, z85;
    dw_storage *source;
    dw_str key;
    dw_object_meta meta;
    *out = DW_ARENA_NEW(files->arena, clone_vector);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(full_path(files, copy->from, copy->is_absolute, &path, err));
    DW_TRY(name_vector(files, path, &names[1], &z85, err));
    names[0] = copy->is_absolute ? names[1] : copy->from;
    DW_TRY(find_source(files, copy->from, copy->is_absolute, &source, &key, err));
    dw_status status = dw__storage_head(source, key, &meta, err);
    if (status == DW_NOT_FOUND) {
        return missing(copy->from, err);
    }
    DW_TRY(status);
    copy->size_bytes = meta.size_bytes;
    DW_TRY(choose_name(files, copy, names, err));
    bool keeps_name = !copy->is_absolute && dw__str_equal(copy->to, copy->from);
    **out = (clone_vector){'u', keeps_name ? dv->path_or_inline_dv : z85};
    return put_down(files, copy, err);
}

static dw_status
copy_vector(dw_clone_files *files, dw_file *add, dw_error *err)
{
    dw_clone_copy copy = {0};
    clone_vector *vector;
    if (add->dv == NULL || add->dv->storage_type == 'i') {
        return DW_OK;
    }
    DW_TRY(dw__dv_path(add->dv, files->arena, &copy.from, &copy.is_absolute, err));
    dw_map_value *slot = dw__map_get(&files->vectors, copy.from);
    if (slot == NULL) {
        DW_TRY(plan_vector(files, add->dv, &copy, &vector, err));
        slot = dw__map_put(&files->vectors, copy.from, NULL);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        slot->ptr = vector;
    }
    vector = slot->ptr;
    dw_dv_descriptor *dv = DW_ARENA_NEW(files->arena, dw_dv_descriptor);
    if (dv == NULL) {
        return dw__error_oom(err);
    }
    *dv = *add->dv;
    dv->storage_type = vector->storage_type;
    dv->path_or_inline_dv = vector->path;
    add->dv = dv;
    return DW_OK;
}

dw_status
dw__clone_files_map(dw_clone_files *files, dw_file *add, int64_t *copied_out, dw_error *err)
{
    *copied_out = 0;
    if (!files->deep) {
        return refer_to(files, add, err);
    }
    DW_TRY(copy_data(files, add, copied_out, err));
    return copy_vector(files, add, err);
}

/* ---- Copying --------------------------------------------------------------------------------- */

typedef struct copy_job {
    dw_clone_files *files;
    const dw_upkeep *upkeep;
    atomic_size_t next;
    atomic_bool stops;
    atomic_llong done_bytes;
    pthread_mutex_t mutex; /* guards status and error */
    dw_status status;
    dw_error error;
} copy_job;

static dw_status
copy_one(copy_job *job, const dw_clone_copy *copy, dw_error *err)
{
    dw_storage *source;
    dw_str key;
    int64_t size_bytes;
    if (copy->is_there) {
        return DW_OK;
    }
    DW_TRY(dw__upkeep_check(job->upkeep, err));
    DW_TRY(find_source(job->files, copy->from, copy->is_absolute, &source, &key, err));
    dw_status status = dw__storage_copy(dw__table_storage(job->files->target), copy->to, source,
                                        key, &size_bytes, err);
    if (status == DW_NOT_FOUND) {
        return missing(copy->from, err);
    }
    DW_TRY(status);
    if (size_bytes != copy->size_bytes) {
        return dw__error_set(err, DW_CORRUPT, "OBJECT_SIZE_MISMATCH",
                             "expected the source's file %.*s to have %" PRId64
                             " bytes, found %" PRId64,
                             DW_STR_ARG(copy->from), copy->size_bytes, size_bytes);
    }
    long long done = atomic_fetch_add(&job->done_bytes, size_bytes) + size_bytes;
    dw__upkeep_progress(job->upkeep, done, job->files->bytes_to_copy);
    return DW_OK;
}

static void *
work(void *ctx)
{
    copy_job *job = ctx;
    while (!atomic_load(&job->stops)) {
        size_t idx = atomic_fetch_add(&job->next, 1);
        if (idx >= job->files->copies.count) {
            break;
        }
        dw_error err = DW_ERROR_INIT;
        dw_status status = copy_one(job, &job->files->copies.items[idx], &err);
        if (status != DW_OK) {
            atomic_store(&job->stops, true);
            pthread_mutex_lock(&job->mutex);
            if (job->status == DW_OK) {
                job->status = status;
                job->error = err;
            }
            pthread_mutex_unlock(&job->mutex);
        }
    }
    return NULL;
}

/* Helpers have all signals blocked: those are for the program's own threads. */
static size_t
start_helpers(copy_job *job, pthread_t *helpers)
{
    sigset_t all, before;
    size_t count = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (count + 1 < THREADS_MAX && count + 1 < job->files->copies.count &&
           pthread_create(&helpers[count], NULL, work, job) == 0) {
        count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

static dw_status
make_durable(dw_clone_files *files, dw_error *err)
{
    dw_sync_request *requests = DW_ARENA_ARRAY(files->arena, dw_sync_request, files->copies.count);
    if (requests == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < files->copies.count; i++) {
        const dw_clone_copy *copy = &files->copies.items[i];
        requests[i] = (dw_sync_request){.key = copy->to, .size_bytes = copy->size_bytes};
    }
    return dw__storage_sync_many(dw__table_storage(files->target), requests, files->copies.count,
                                 err);
}

dw_status
dw__clone_files_copy(dw_clone_files *files, const dw_upkeep *upkeep, dw_error *err)
{
    if (files->copies.count == 0) {
        return DW_OK;
    }
    copy_job job = {.files = files, .upkeep = upkeep};
    if (pthread_mutex_init(&job.mutex, NULL) != 0) {
        return dw__error_oom(err);
    }
    pthread_t helpers[THREADS_MAX];
    size_t helper_count = start_helpers(&job, helpers);
    (void) work(&job);
    for (size_t i = 0; i < helper_count; i++) {
        pthread_join(helpers[i], NULL);
    }
    pthread_mutex_destroy(&job.mutex);
    if (job.status != DW_OK) {
        dw__error_copy(err, &job.error);
        return job.status;
    }
    return make_durable(files, err);
}
