/*
 * Listing a file system as if it were an object store: keys in bytewise order, in pages, from a key
 * on. A directory is read once and its names are sorted; what lies before the wanted key is dropped
 * before anything is asked about it. In the order of the keys a directory "d" stands where "d/"
 * does.
 *
 * Why nothing is missed ([STORAGE-3]): readdir returns every entry that exists from before the
 * first call to after the last exactly once, whatever comes and goes beside it. Objects get their
 * names after they are complete ([POSIX-1]) and objects of the log are never replaced, so the entry
 * of an object that was complete before the listing stays the same entry throughout. An entry that
 * is gone when its size is asked for was removed meanwhile and is left out.
 */
#include "storage/posix.h"

#include "base/assert.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Deeper than any table; symbolic links may go round in circles. */
#define DEPTH_MAX 100
/* How many names of a directory are kept at once, so that memory stays bounded: somewhat more than
 * a page. A directory with more is read several times. */
#define WINDOW_NAMES_MIN ((size_t) 1000)

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

typedef struct name_vec {
    dw_str *items; /* in the level's arena; those of directories end with '/' */
    size_t count;
    size_t capacity;
} name_vec;

/* One directory on the way down. */
typedef struct list_level {
    DIR *stream;
    dw_str prefix; /* of the keys in it: "" or "a/b/" */
    dw_str filter; /* names must start with it */
    dw_arena arena;
    name_vec names; /* sorted; a window onto the directory when is_cut */
    size_t next;
    bool is_cut;
} list_level;

typedef struct level_vec {
    list_level *items;
    size_t count;
    size_t capacity;
} level_vec;

typedef struct meta_vec {
    dw_object_meta *items;
    size_t count;
    size_t capacity;
} meta_vec;

typedef struct list_walk {
    const dw_posix *posix;
    const dw_allocator *allocator;
    const dw_list_request *request;
    dw_arena *arena; /* the caller's */
    level_vec levels;
    meta_vec found;
    bool has_more;
} list_walk;

static dw_status
list_error(const list_walk *walk, int errnum, dw_str prefix, dw_error *err)
{
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(walk->posix, prefix, &path, err));
    return dw__posix_error(errnum, "listing", path.text, err);
}

/* ---- reading one directory ------------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

/* Sorts, drops what came twice, and keeps the first `keep` names. */
static void
sort_and_cut(list_level *level, size_t keep)
{
    name_vec *names = &level->names;
    if (names->count == 0) {
        return;
    }
    qsort(names->items, names->count, sizeof(dw_str), compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < names->count; i++) {
        if (!dw__str_equal(names->items[i], names->items[kept - 1])) {
            names->items[kept++] = names->items[i];
        }
    }
    level->is_cut = level->is_cut || kept > keep;
    names->count = kept < keep ? kept : keep;
}

typedef enum entry_kind { ENTRY_OTHER, ENTRY_FILE, ENTRY_DIRECTORY } entry_kind;

/* Follows symbolic links, as everybody does who opens the file. */
static entry_kind
kind_of(DIR *stream, const struct dirent *entry)
{
    if (entry->d_type == DT_REG) {
        return ENTRY_FILE;
    }
    if (entry->d_type == DT_DIR) {
        return ENTRY_DIRECTORY;
    }
    struct stat info;
    bool is_open = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
    if (!is_open || fstatat(dirfd(stream), entry->d_name, &info, 0) != 0) {
        return ENTRY_OTHER;
    }
    if (S_ISDIR(info.st_mode)) {
        return ENTRY_DIRECTORY;
    }
    return S_ISREG(info.st_mode) ? ENTRY_FILE : ENTRY_OTHER;
}

/* Where the names of a window may lie: from `after` on, which is relative to the directory, up to
 * `bound` (the null string: no bound). */
typedef struct name_range {
    dw_str after;
    bool after_is_walked; /* `after` may be a directory: what is in it was listed already */
    dw_str bound;
} name_range;

/* Whether a name (with '/' behind a directory's) leads to keys in the range. */
static bool
is_in_range(const name_range *range, dw_str name, bool is_directory)
{
    if (!dw__str_is_null(range->bound) && dw__str_compare(name, range->bound) > 0) {
        return false;
    }
    return dw__str_compare(name, range->after) > 0 ||
           (is_directory && !range->after_is_walked && dw__str_starts_with(range->after, name));
}

/* The cheap questions, before the entry is copied or its kind is found out. */
static bool
is_worth_a_look(const list_level *level, const struct dirent *entry, dw_str name,
                const name_range *range)
{
    if (!dw__str_starts_with(name, level->filter) || dw__str_equal(name, DW_STR(".")) ||
        dw__str_equal(name, DW_STR(".."))) {
        return false;
    }
    bool is_late = !dw__str_is_null(range->bound) && dw__str_compare(name, range->bound) > 0;
    bool is_early = entry->d_type == DT_REG && !is_in_range(range, name, false);
    return !is_late && !is_early && !dw__posix_is_temp_name(name);
}

/* Adds the entry to the names if it belongs there; false when out of memory. */
static bool
take_entry(const list_walk *walk, list_level *level, const struct dirent *entry,
           const name_range *range)
{
    dw_str name = dw__str_from(entry->d_name);
    if (!is_worth_a_look(level, entry, name, range)) {
        return true;
    }
    entry_kind kind = kind_of(level->stream, entry);
    bool is_directory = kind == ENTRY_DIRECTORY;
    if (kind == ENTRY_OTHER || (is_directory && !walk->request->recursive)) {
        return true;
    }
    /* Room for a '/' and a NUL. */
    char *copy = dw__arena_alloc_bytes(&level->arena, name.len + 2);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, name.ptr, name.len);
    memcpy(copy + name.len, is_directory ? "/" : "", is_directory ? 2 : 1);
    dw_str kept = dw__str_make(copy, name.len + (is_directory ? 1 : 0));
    if (!is_in_range(range, kept, is_directory)) {
        return true;
    }
    dw_str *slot = DW_VEC_PUSH(walk->allocator, &level->names);
    if (slot != NULL) {
        *slot = kept;
    }
    return slot != NULL;
}

/* Fills the level's window with the first names of the range. */
static dw_status
read_names(const list_walk *walk, list_level *level, name_range range, dw_error *err)
{
    size_t wanted = walk->request->limit + 1;
    size_t window = wanted < WINDOW_NAMES_MIN ? WINDOW_NAMES_MIN : wanted;
    level->names.count = 0;
    level->next = 0;
    level->is_cut = false;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(level->stream);
        if (entry == NULL) {
            break;
        }
        if (!take_entry(walk, level, entry, &range)) {
            return dw__error_oom(err);
        }
        if (level->names.count >= 2 * window) {
            sort_and_cut(level, window);
            range.bound = level->names.items[level->names.count - 1];
        }
    }
    if (errno != 0 && errno != ENOENT) {
        return list_error(walk, errno, level->prefix, err);
    }
    sort_and_cut(level, window);
    return DW_OK;
}

/* ---- going down and up ----------------------------------------------------------------------- */

static void
close_level(const list_walk *walk, list_level *level)
{
    if (level->stream != NULL) {
        closedir(level->stream);
    }
    DW_VEC_DEINIT(walk->allocator, &level->names);
    dw__arena_deinit(&level->arena);
}

/* The part of start_after that matters in the directory; "" when all of it does. */
static dw_str
after_within(const list_walk *walk, dw_str prefix)
{
    dw_str after = walk->request->start_after;
    return dw__str_starts_with(after, prefix) ? dw__str_slice(after, prefix.len, after.len)
                                              : DW_STR("");
}

static bool
is_gone(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR;
}

/* Enters the directory that `fd` is open on; takes `fd` over. `prefix` must outlive the level. */
static dw_status
enter(list_walk *walk, int fd, dw_str prefix, dw_str filter, dw_error *err)
{
    list_level *level = NULL;
    DIR *stream = fdopendir(fd);
    if (stream != NULL) {
        level = DW_VEC_PUSH(walk->allocator, &walk->levels);
    }
    if (level == NULL) {
        dw_status status =
            stream == NULL ? list_error(walk, errno, prefix, err) : dw__error_oom(err);
        if (stream != NULL) {
            closedir(stream);
        } else {
            close(fd);
        }
        return status;
    }
    level->stream = stream;
    level->prefix = prefix;
    level->filter = filter;
    dw__arena_init(&level->arena, walk->allocator);
    name_range range = {after_within(walk, prefix), false, DW_STR_NULL};
    return read_names(walk, level, range, err);
}

static dw_status
enter_first(list_walk *walk, dw_error *err)
{
    dw_str prefix = walk->request->prefix;
    size_t slash = dw__str_find_last(prefix, '/');
    size_t cut = slash == SIZE_MAX ? 0 : slash + 1;
    dw_str directory = dw__str_slice(prefix, 0, cut);
    /* Every key here starts with `directory`: all, some or none of them are behind start_after. */
    dw_str after = walk->request->start_after;
    if (!dw__str_starts_with(after, directory) && dw__str_compare(after, directory) > 0) {
        return DW_OK;
    }
    dw_posix_path path;
    DW_TRY(dw__posix_path_make(walk->posix, directory, &path, err));
    int fd = open(path.text, DIRECTORY_FLAGS);
    if (fd < 0) {
        return is_gone(errno) ? DW_OK : list_error(walk, errno, directory, err);
    }
    return enter(walk, fd, directory, dw__str_slice(prefix, cut, prefix.len), err);
}

/* Enters the directory `name` ("d/") of the deepest level. */
static dw_status
enter_child(list_walk *walk, dw_str name, dw_error *err)
{
    list_level *parent = &walk->levels.items[walk->levels.count - 1];
    dw_str prefix =
        dw__arena_printf(&parent->arena, "%.*s%.*s", DW_STR_ARG(parent->prefix), DW_STR_ARG(name));
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(err);
    }
    if (walk->levels.count >= DEPTH_MAX || prefix.len > DW_STORAGE_KEY_BYTES_MAX) {
        return dw__error_set(err, DW_IO, "STORAGE_TOO_DEEP",
                             "expected at most %d nested directories, found more at %.*s/%.*s: is "
                             "there a loop of symbolic links?",
                             DEPTH_MAX, DW_STR_ARG(walk->posix->base.root),
                             DW_STR_ARG(dw__str_slice(prefix, 0, 200)));
    }
    int fd = openat(dirfd(parent->stream), name.ptr, DIRECTORY_FLAGS);
    if (fd < 0) {
        return is_gone(errno) ? DW_OK : list_error(walk, errno, prefix, err);
    }
    return enter(walk, fd, prefix, DW_STR(""), err);
}

/* ---- what is found --------------------------------------------------------------------------- */

/*
 * Fills in size and time of the file `name`; *is_there is false when it is gone or something else.
 */
static dw_status
look_at(const list_walk *walk, const list_level *level, dw_str name, dw_object_meta *meta,
        bool *is_there, dw_error *err)
{
    *is_there = true;
    if (walk->request->names_only) {
        meta->size_bytes = -1;
        meta->modified_ms = -1;
        return DW_OK;
    }
    struct stat info;
    if (fstatat(dirfd(level->stream), name.ptr, &info, 0) != 0) {
        *is_there = false;
        return is_gone(errno) ? DW_OK : list_error(walk, errno, level->prefix, err);
    }
    *is_there = S_ISREG(info.st_mode);
    meta->size_bytes = (int64_t) info.st_size;
    meta->modified_ms = dw__posix_modified_ms(&info);
    return DW_OK;
}

/* Adds the file `name` of the level, or notes that the page is full. */
static dw_status
add_file(list_walk *walk, const list_level *level, dw_str name, dw_error *err)
{
    dw_object_meta meta;
    bool is_there;
    DW_TRY(look_at(walk, level, name, &meta, &is_there, err));
    if (!is_there) {
        return DW_OK;
    }
    if (walk->found.count == walk->request->limit) {
        walk->has_more = true;
        return DW_OK;
    }
    size_t key_len = level->prefix.len + name.len;
    char *key = dw__arena_alloc_bytes(walk->arena, key_len);
    dw_object_meta *slot = key == NULL ? NULL : DW_VEC_PUSH(walk->allocator, &walk->found);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    memcpy(key, level->prefix.ptr, level->prefix.len);
    memcpy(key + level->prefix.len, name.ptr, name.len);
    meta.key = dw__str_make(key, key_len);
    *slot = meta;
    return DW_OK;
}

/* The window is used up: moves it on, or leaves the directory. */
static dw_status
move_on(list_walk *walk, list_level *level, dw_error *err)
{
    if (!level->is_cut) {
        close_level(walk, level);
        walk->levels.count--;
        return DW_OK;
    }
    /* The names move to the front of a fresh arena; the last one must live on meanwhile. */
    dw_str last = level->names.items[level->names.count - 1];
    dw_arena old = level->arena;
    dw__arena_init(&level->arena, walk->allocator);
    rewinddir(level->stream);
    dw_status status = read_names(walk, level, (name_range){last, true, DW_STR_NULL}, err);
    dw__arena_deinit(&old);
    return status;
}

static dw_status
run_walk(list_walk *walk, dw_error *err)
{
    DW_TRY(enter_first(walk, err));
    while (walk->levels.count > 0 && !walk->has_more) {
        list_level *level = &walk->levels.items[walk->levels.count - 1];
        if (level->next == level->names.count) {
            DW_TRY(move_on(walk, level, err));
            continue;
        }
        dw_str name = level->names.items[level->next++];
        if (dw__str_ends_with(name, DW_STR("/"))) {
            DW_TRY(enter_child(walk, name, err));
        } else {
            DW_TRY(add_file(walk, level, name, err));
        }
    }
    return DW_OK;
}

static dw_status
fill_page(list_walk *walk, dw_list_page *page_out, dw_error *err)
{
    page_out->objects = DW_ARENA_ARRAY(walk->arena, dw_object_meta, walk->found.count);
    if (page_out->objects == NULL) {
        return dw__error_oom(err);
    }
    if (walk->found.count > 0) {
        memcpy(page_out->objects, walk->found.items, walk->found.count * sizeof(dw_object_meta));
    }
    page_out->count = walk->found.count;
    page_out->has_more = walk->has_more;
    return DW_OK;
}

dw_status
dw__posix_list(dw_storage *storage, const dw_list_request *request, dw_arena *arena,
               dw_list_page *page_out, dw_error *err)
{
    list_walk walk = {.posix = dw__posix_from(storage),
                      .allocator = storage->env->allocator,
                      .request = request,
                      .arena = arena};
    dw_status status = run_walk(&walk, err);
    if (status == DW_OK) {
        status = fill_page(&walk, page_out, err);
    }
    while (walk.levels.count > 0) {
        close_level(&walk, &walk.levels.items[--walk.levels.count]);
    }
    DW_VEC_DEINIT(walk.allocator, &walk.levels);
    DW_VEC_DEINIT(walk.allocator, &walk.found);
    return status;
}
