/*
 * The queue of events, and the thread that posts them. [EMIT-1,2]
 */
#include "lineage/emitter.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/strbuf.h"
#include "storage/http.h"
#include "storage/local_file.h"

#include <pthread.h>
#include <time.h>

/* Others that append to the file hold it for as long as a write takes. */
#define LOCK_WAIT_MS 100
#define US_PER_MS 1000
#define US_PER_SECOND 1000000
#define NS_PER_US 1000

typedef struct waiting_event {
    struct waiting_event *next;
    size_t size; /* of all of this */
    size_t len;
    char text[];
} waiting_event;

struct dw_emitter {
    const dw_env *env;
    dw_arena arena; /* of the texts */
    char *url;
    dw_str api_key, file;
    long time_max_ms;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what is below */
    pthread_cond_t changed;
    waiting_event *first, *last;
    size_t count, bytes;
    int64_t dropped;
    int64_t end_us; /* of closing, by the monotonic clock */
    bool has_thread, is_closing, is_done;
    bool has_warned; /* of what is wrong again and again one warning is enough */
};

static void
warn(dw_emitter *emitter, const char *what, const dw_error *err)
{
    pthread_mutex_lock(&emitter->mutex);
    bool is_first = !emitter->has_warned;
    emitter->has_warned = true;
    pthread_mutex_unlock(&emitter->mutex);
    if (is_first) {
        dw__env_warn(emitter->env, "a lineage event was not %s: %s", what, err->message);
    } else {
        dw__env_debug(emitter->env, "a lineage event was not %s: %s", what, err->message);
    }
}

/* ---- The file -------------------------------------------------------------------------------- */

/* One line, under the file's lock: other processes append to it, too. */
static dw_status
append_line(const dw_emitter *emitter, dw_str event, dw_error *err)
{
    int64_t size;
    DW_AUTO(dw_local_file) file = DW_LOCAL_FILE_NONE;
    DW_AUTO(dw_strbuf) line = dw__strbuf_make(emitter->env->allocator, SIZE_MAX);
    dw__strbuf_append(&line, event);
    dw__strbuf_append_char(&line, '\n');
    DW_TRY(dw__strbuf_ok(&line, "an event", err));
    DW_TRY(dw__local_file_open(emitter->file, DW_LOCAL_APPEND, &file, err));
    DW_TRY(dw__local_file_lock(&file, emitter->env, false, LOCK_WAIT_MS, err));
    DW_TRY(dw__local_file_size(&file, &size, err));
    return dw__local_file_append(&file, size, dw__strbuf_str(&line), err);
}

/* ---- The server ------------------------------------------------------------------------------ */

/* How long a post may take: not beyond the time that closing may. */
static long
time_left_ms(dw_emitter *emitter)
{
    long left = emitter->time_max_ms;
    pthread_mutex_lock(&emitter->mutex);
    if (emitter->is_closing) {
        int64_t now_us = emitter->env->ops->monotonic_us(emitter->env->ctx);
        left = (long) ((emitter->end_us - now_us) / US_PER_MS);
    }
    pthread_mutex_unlock(&emitter->mutex);
    return left;
}

static void
post(dw_emitter *emitter, dw_http *http, const waiting_event *event)
{
    dw_error err = DW_ERROR_INIT;
    long left_ms = time_left_ms(emitter);
    if (left_ms <= 0) {
        pthread_mutex_lock(&emitter->mutex);
        emitter->dropped++;
        pthread_mutex_unlock(&emitter->mutex);
        return;
    }
    dw_http_post request = {.url = emitter->url,
                            .body = dw__str_make(event->text, event->len),
                            .api_key = emitter->api_key,
                            .time_max_ms = left_ms};
    if (dw__http_send(http, &request, &err) != DW_OK) {
        warn(emitter, "posted", &err);
    }
}

static void
free_event(const dw_emitter *emitter, waiting_event *event)
{
    dw__dealloc(emitter->env->allocator, event, event->size);
}

/* The next event to post; NULL when none will come. */
static waiting_event *
take_event(dw_emitter *emitter)
{
    pthread_mutex_lock(&emitter->mutex);
    while (emitter->first == NULL && !emitter->is_closing) {
        pthread_cond_wait(&emitter->changed, &emitter->mutex);
    }
    waiting_event *event = emitter->first;
    if (event != NULL) {
        emitter->first = event->next;
        emitter->last = emitter->first == NULL ? NULL : emitter->last;
        emitter->count--;
        emitter->bytes -= event->size;
    }
    pthread_mutex_unlock(&emitter->mutex);
    return event;
}

static void *
run_poster(void *argument)
{
    dw_emitter *emitter = argument;
    dw_error err = DW_ERROR_INIT;
    dw_http *http = NULL;
    if (dw__http_open(emitter->env->allocator, &http, &err) != DW_OK) {
        warn(emitter, "posted", &err);
    }
    for (;;) {
        waiting_event *event = take_event(emitter);
        if (event == NULL) {
            break;
        }
        if (http != NULL) {
            post(emitter, http, event);
        }
        free_event(emitter, event);
    }
    dw__http_close(http);
    pthread_mutex_lock(&emitter->mutex);
    emitter->is_done = true;
    pthread_cond_broadcast(&emitter->changed);
    pthread_mutex_unlock(&emitter->mutex);
    return NULL;
}

/* With the mutex. False when there is no room, or no memory. */
static bool
enqueue(dw_emitter *emitter, dw_str text)
{
    size_t size = sizeof(waiting_event) + text.len;
    if (emitter->count >= DW_EMITTER_WAITING_MAX ||
        emitter->bytes + size > DW_EMITTER_WAITING_BYTES_MAX) {
        return false;
    }
    waiting_event *event = dw__alloc(emitter->env->allocator, size);
    if (event == NULL) {
        return false;
    }
    *event = (waiting_event){.size = size, .len = text.len};
    memcpy(event->text, text.ptr, text.len);
    if (emitter->last == NULL) {
        emitter->first = event;
    } else {
        emitter->last->next = event;
    }
    emitter->last = event;
    emitter->count++;
    emitter->bytes += size;
    return true;
}

static void
send_to_server(dw_emitter *emitter, dw_str event)
{
    pthread_mutex_lock(&emitter->mutex);
    if (!emitter->has_thread) {
        emitter->has_thread = pthread_create(&emitter->thread, NULL, run_poster, emitter) == 0;
    }
    if (!emitter->has_thread || !enqueue(emitter, event)) {
        emitter->dropped++;
    }
    pthread_cond_broadcast(&emitter->changed);
    pthread_mutex_unlock(&emitter->mutex);
}

/* ---- Both ------------------------------------------------------------------------------------ */

void
dw__emitter_send(dw_emitter *emitter, dw_str event)
{
    dw_error err = DW_ERROR_INIT;
    if (emitter->file.len > 0 && append_line(emitter, event, &err) != DW_OK) {
        warn(emitter, "written", &err);
    }
    if (emitter->url != NULL) {
        send_to_server(emitter, event);
    }
}

dw_status
dw__emitter_open(const dw_env *env, const dw_emitter_options *options, dw_emitter **out,
                 dw_error *err)
{
    *out = NULL;
    dw_emitter *emitter = DW_NEW(env->allocator, dw_emitter);
    if (emitter == NULL) {
        return dw__error_oom(err);
    }
    emitter->env = env;
    emitter->time_max_ms = options->time_max_ms;
    dw__arena_init(&emitter->arena, env->allocator);
    pthread_condattr_t clock;
    int failed = pthread_mutex_init(&emitter->mutex, NULL) + pthread_condattr_init(&clock) +
                 pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) +
                 pthread_cond_init(&emitter->changed, &clock);
    dw_assert(failed == 0);
    pthread_condattr_destroy(&clock);
    bool ok = dw__arena_dup(&emitter->arena, dw__str_from(options->api_key), &emitter->api_key) &&
              dw__arena_dup(&emitter->arena, dw__str_from(options->file), &emitter->file);
    if (ok && options->url != NULL) {
        emitter->url = dw__arena_dup_cstr(&emitter->arena, dw__str_from(options->url));
        ok = emitter->url != NULL;
    }
    if (!ok) {
        dw__emitter_close(emitter);
        return dw__error_oom(err);
    }
    *out = emitter;
    return DW_OK;
}

/* Waits until all is posted; what is not by then is dropped. [EMIT-2] */
static void
drain(dw_emitter *emitter)
{
    int64_t end_us = emitter->env->ops->monotonic_us(emitter->env->ctx) +
                     (int64_t) emitter->time_max_ms * US_PER_MS;
    struct timespec end = {.tv_sec = end_us / US_PER_SECOND,
                           .tv_nsec = (end_us % US_PER_SECOND) * NS_PER_US};
    int waited = 0;
    pthread_mutex_lock(&emitter->mutex);
    emitter->is_closing = true;
    emitter->end_us = end_us;
    pthread_cond_broadcast(&emitter->changed);
    while (!emitter->is_done && waited == 0) {
        waited = pthread_cond_timedwait(&emitter->changed, &emitter->mutex, &end);
    }
    while (emitter->first != NULL) {
        waiting_event *next = emitter->first->next;
        free_event(emitter, emitter->first);
        emitter->first = next;
        emitter->dropped++;
    }
    emitter->last = NULL;
    pthread_mutex_unlock(&emitter->mutex);
    pthread_join(emitter->thread, NULL); /* the post that is on its way has its own time-out */
}

void
dw__emitter_close(dw_emitter *emitter)
{
    if (emitter == NULL) {
        return;
    }
    if (emitter->has_thread) {
        drain(emitter);
    }
    if (emitter->dropped > 0) {
        dw__env_warn(emitter->env,
                     "%lld lineage events were dropped: the server at %s was too slow, or is not "
                     "there",
                     (long long) emitter->dropped, emitter->url);
    }
    pthread_cond_destroy(&emitter->changed);
    pthread_mutex_destroy(&emitter->mutex);
    dw__arena_deinit(&emitter->arena);
    DW_DELETE(emitter->env->allocator, emitter);
}
