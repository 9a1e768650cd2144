/*
 * What the recorded calls may have left behind: for a crash after each of them, every combination
 * of what each file may hold and what each name may bear.
 */
#include "power_loss.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILES_MAX = 64,
    NAMES_MAX = 64,
    VALUES_MAX = 8,
    /* More combinations at one point than that would say nothing new: every so manieth is taken. */
    COMBINATIONS_MAX = 3000
};

/* How much of a file's unsynced bytes the crash left. */
typedef enum remainder_kind {
    REMAINS_NOTHING,
    REMAINS_ALL,
    REMAINS_HALF,
    REMAINS_ZEROS,
    REMAINDER_COUNT
} remainder_kind;

typedef struct file_state {
    dw_strbuf bytes;
    size_t durable_size;
    int choice_count; /* 1 when all is durable */
    int choice;
} file_state;

typedef struct name_state {
    const char *name;
    int values[VALUES_MAX]; /* the durable one first, then those since */
    int choice_count;
    int choice;
} name_state;

typedef struct crash_point {
    file_state files[FILES_MAX];
    int file_count;
    name_state names[NAMES_MAX];
    int name_count;
    int64_t acknowledged;
} crash_point;

/* ---- the state before the crash -------------------------------------------------------------- */

static name_state *
name_slot(crash_point *point, const char *name)
{
    for (int i = 0; i < point->name_count; i++) {
        if (strcmp(point->names[i].name, name) == 0) {
            return &point->names[i];
        }
    }
    dw_assert(point->name_count < NAMES_MAX);
    name_state *slot = &point->names[point->name_count++];
    *slot = (name_state){.name = name, .values = {POWER_ABSENT}, .choice_count = 1};
    return slot;
}

static void
bear(crash_point *point, const char *name, int value)
{
    name_state *slot = name_slot(point, name);
    dw_assert(slot->choice_count < VALUES_MAX);
    slot->values[slot->choice_count++] = value;
}

static bool
is_directly_in(const char *name, const char *directory)
{
    size_t len = strlen(directory);
    if (len > 0 && (strncmp(name, directory, len) != 0 || name[len] != '/')) {
        return false;
    }
    const char *rest = len == 0 ? name : name + len + 1;
    return rest[0] != '\0' && strchr(rest, '/') == NULL;
}

static void
settle_directory(crash_point *point, const char *directory)
{
    for (int i = 0; i < point->name_count; i++) {
        name_state *slot = &point->names[i];
        if (is_directly_in(slot->name, directory)) {
            slot->values[0] = slot->values[slot->choice_count - 1];
            slot->choice_count = 1;
        }
    }
}

static void
apply_event(crash_point *point, const power_event *event)
{
    switch (event->kind) {
    case POWER_NAME:
        bear(point, event->name, event->file);
        return;
    case POWER_WRITE:
        dw__strbuf_append(&point->files[event->file].bytes,
                          dw__str_make(event->bytes, event->size));
        point->files[event->file].choice_count = REMAINDER_COUNT;
        return;
    case POWER_SYNC_FILE:
        point->files[event->file].durable_size = point->files[event->file].bytes.len;
        point->files[event->file].choice_count = 1;
        return;
    case POWER_SYNC_DIRECTORY:
        settle_directory(point, event->name);
        return;
    case POWER_ACKNOWLEDGED:
        point->acknowledged++;
        return;
    }
    dw_unreachable("an event is one of those above");
}

/* ---- one state after it ---------------------------------------------------------------------- */

static void
file_bytes_after(const file_state *file, dw_strbuf *out)
{
    dw_str all = dw__strbuf_str(&file->bytes);
    size_t unsynced = all.len - file->durable_size;
    dw__strbuf_clear(out);
    dw__strbuf_append(out, dw__str_slice(all, 0, file->durable_size));
    remainder_kind kind = file->choice_count == 1 ? REMAINS_NOTHING : (remainder_kind) file->choice;
    if (kind == REMAINS_ALL) {
        dw__strbuf_append(out, dw__str_slice(all, file->durable_size, unsynced));
    } else if (kind == REMAINS_HALF) {
        dw__strbuf_append(out, dw__str_slice(all, file->durable_size, unsynced / 2));
    } else if (kind == REMAINS_ZEROS) {
        for (size_t i = 0; i < unsynced; i++) {
            dw__strbuf_append_char(out, '\0');
        }
    }
}

static int
compare_by_name(const void *a, const void *b)
{
    return strcmp((*(const name_state *const *) a)->name, (*(const name_state *const *) b)->name);
}

/* Whether the directory that holds the name survived. */
static bool
has_parent(const char *root, const char *name)
{
    char path[2 * DWT_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    *strrchr(path, '/') = '\0';
    struct stat info;
    return stat(path, &info) == 0;
}

/* Makes the state below `root`, which is empty; says in `digest` what it consists of. */
static void
materialise(const crash_point *point, const char *root, dw_strbuf *digest)
{
    const name_state *sorted[NAMES_MAX];
    for (int i = 0; i < point->name_count; i++) {
        sorted[i] = &point->names[i];
    }
    qsort(sorted, (size_t) point->name_count, sizeof(sorted[0]), compare_by_name);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(dw__allocator_libc(), SIZE_MAX / 2);
    for (int i = 0; i < point->name_count; i++) {
        int value = sorted[i]->values[sorted[i]->choice];
        if (value == POWER_ABSENT || !has_parent(root, sorted[i]->name)) {
            continue;
        }
        dw__strbuf_printf(digest, "%s=", sorted[i]->name);
        if (value == POWER_DIRECTORY) {
            char path[2 * DWT_PATH_SIZE];
            snprintf(path, sizeof(path), "%s/%s", root, sorted[i]->name);
            int failed = mkdir(path, 0777);
            dw_assert(failed == 0);
        } else {
            file_bytes_after(&point->files[value], &bytes);
            dwt_write_file(root, sorted[i]->name, dw__strbuf_str(&bytes));
            dw__strbuf_append(digest, dw__strbuf_str(&bytes));
        }
        dw__strbuf_append_char(digest, '\n');
    }
    dw__strbuf_printf(digest, "%lld", (long long) point->acknowledged);
}

/* ---- all of them ----------------------------------------------------------------------------- */

typedef struct enumeration {
    power_check check;
    void *ctx;
    dw_map seen; /* digests of states that were checked */
    dw_arena arena;
    power_verdict verdict;
} enumeration;

static void
check_state(enumeration *self, const crash_point *point, size_t event_count)
{
    dwt_temp_dir dir;
    dwt_temp_dir_make(&dir);
    DW_AUTO(dw_strbuf) digest = dw__strbuf_make(dw__allocator_libc(), SIZE_MAX / 2);
    materialise(point, dir.path, &digest);
    dw_str key;
    bool is_new = false;
    bool is_there = dw__arena_dup(&self->arena, dw__strbuf_str(&digest), &key) &&
                    dw__map_put(&self->seen, key, &is_new) != NULL;
    dw_assert(is_there);
    if (is_new) {
        self->verdict.state_count++;
        const char *fault = self->check(self->ctx, dir.path, point->acknowledged);
        if (fault != NULL && self->verdict.fault_count++ == 0) {
            snprintf(self->verdict.fault, sizeof(self->verdict.fault),
                     "after call %zu, %lld acknowledged: %s", event_count,
                     (long long) point->acknowledged, fault);
        }
    }
    dwt_temp_dir_remove(&dir);
}

/* Takes combination `number` apart into the choices of files and names. */
static void
choose(crash_point *point, uint64_t number)
{
    for (int i = 0; i < point->file_count; i++) {
        point->files[i].choice = (int) (number % (uint64_t) point->files[i].choice_count);
        number /= (uint64_t) point->files[i].choice_count;
    }
    for (int i = 0; i < point->name_count; i++) {
        point->names[i].choice = (int) (number % (uint64_t) point->names[i].choice_count);
        number /= (uint64_t) point->names[i].choice_count;
    }
}

static uint64_t
combination_count(const crash_point *point)
{
    uint64_t count = 1;
    for (int i = 0; i < point->file_count; i++) {
        count *= (uint64_t) point->files[i].choice_count;
    }
    for (int i = 0; i < point->name_count; i++) {
        count *= (uint64_t) point->names[i].choice_count;
    }
    return count;
}

static void
check_point(enumeration *self, crash_point *point, size_t event_count)
{
    uint64_t count = combination_count(point);
    uint64_t step = count / COMBINATIONS_MAX + 1;
    for (uint64_t number = 0; number < count; number += step) {
        choose(point, number);
        check_state(self, point, event_count);
    }
}

power_verdict
power_enumerate(power_recorder *recorder, power_check check, void *ctx)
{
    enumeration self = {.check = check, .ctx = ctx};
    dw__map_init(&self.seen, dw__allocator_libc());
    dw__arena_init(&self.arena, dw__allocator_libc());
    crash_point *point = calloc(1, sizeof(*point));
    dw_assert(point != NULL);
    dw_assert(recorder->file_count <= FILES_MAX);
    point->file_count = recorder->file_count;
    for (int i = 0; i < point->file_count; i++) {
        point->files[i] = (file_state){.bytes = dw__strbuf_make(dw__allocator_libc(), SIZE_MAX / 2),
                                       .choice_count = 1};
    }
    for (size_t i = 0; i <= recorder->events.count; i++) {
        check_point(&self, point, i);
        if (i < recorder->events.count) {
            apply_event(point, &recorder->events.items[i]);
        }
    }
    for (int i = 0; i < point->file_count; i++) {
        dw__strbuf_deinit(&point->files[i].bytes);
    }
    free(point);
    dw__map_deinit(&self.seen);
    dw__arena_deinit(&self.arena);
    return self.verdict;
}
