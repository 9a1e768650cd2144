/*
 * libcurl's easy interface, found by name at run time. Its numbers are part of its binary interface
 * and never change.
 */
#include "storage/http.h"

#include "base/assert.h"
#include "base/strbuf.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum {
    GLOBAL_DEFAULT = 3,
    OPT_URL = 10002,
    OPT_WRITEDATA = 10001,
    OPT_ERRORBUFFER = 10010,
    OPT_POSTFIELDS = 10015,
    OPT_HTTPHEADER = 10023,
    OPT_USERAGENT = 10018,
    OPT_POST = 47,
    OPT_POSTFIELDSIZE = 60,
    OPT_NOSIGNAL = 99,
    OPT_TIMEOUT_MS = 155,
    OPT_PROTOCOLS = 181,
    OPT_WRITEFUNCTION = 20011,
    INFO_RESPONSE_CODE = 0x200002,
    PROTOCOLS_HTTP = 1 | 2,
    ERROR_TEXT_SIZE = 256,
    STATUS_FIRST = 200,
    STATUS_END = 300
};

struct dw_http {
    const dw_allocator *allocator;
    void *library;
    void *handle;
    int (*setopt)(void *handle, int option, ...);
    int (*perform)(void *handle);
    int (*getinfo)(void *handle, int info, ...);
    void (*cleanup)(void *handle);
    void *(*append)(void *list, const char *text);
    void (*free_list)(void *list);
    char problem[ERROR_TEXT_SIZE];
    char answer[DW_HTTP_ANSWER_BYTES_MAX + 1];
    size_t answer_len;
};

/* ---- The library ----------------------------------------------------------------------------- */

static bool
find(void *library, const char *name, void *function_out)
{
    void *found = dlsym(library, name);
    memcpy(function_out, &found, sizeof found); /* ISO C has no cast from one to the other */
    return found != NULL;
}

static bool
find_all(dw_http *http)
{
    int (*init)(long flags);
    void *(*make)(void);
    bool ok = find(http->library, "curl_global_init", &init) &&
              find(http->library, "curl_easy_init", &make) &&
              find(http->library, "curl_easy_setopt", &http->setopt) &&
              find(http->library, "curl_easy_perform", &http->perform) &&
              find(http->library, "curl_easy_getinfo", &http->getinfo) &&
              find(http->library, "curl_easy_cleanup", &http->cleanup) &&
              find(http->library, "curl_slist_append", &http->append) &&
              find(http->library, "curl_slist_free_all", &http->free_list);
    if (!ok || init(GLOBAL_DEFAULT) != 0) {
        return false;
    }
    http->handle = make();
    return http->handle != NULL;
}

dw_status
dw__http_open(const dw_allocator *allocator, dw_http **out, dw_error *err)
{
    *out = NULL;
    dw_http *http = DW_NEW(allocator, dw_http);
    if (http == NULL) {
        return dw__error_oom(err);
    }
    http->allocator = allocator;
    http->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (http->library == NULL || !find_all(http)) {
        dw__http_close(http);
        return dw__error_set(err, DW_UNSUPPORTED, "HTTP_UNAVAILABLE",
                             "expected libcurl.so.4 to talk to a server, found none that can be "
                             "used: install it (libcurl4)");
    }
    *out = http;
    return DW_OK;
}

void
dw__http_close(dw_http *http)
{
    if (http == NULL) {
        return;
    }
    if (http->handle != NULL) {
        http->cleanup(http->handle);
    }
    /* The library stays: it has things that belong to the process. */
    DW_DELETE(http->allocator, http);
}

/* ---- A post ---------------------------------------------------------------------------------- */

/* Keeps the beginning of the answer, on one line. */
static size_t
take_answer(const char *bytes, size_t size, size_t count, void *ctx)
{
    dw_http *http = ctx;
    for (size_t i = 0; i < size * count && http->answer_len < DW_HTTP_ANSWER_BYTES_MAX; i++) {
        char c = bytes[i];
        http->answer[http->answer_len++] = (unsigned char) c < ' ' ? ' ' : c;
    }
    http->answer[http->answer_len] = '\0';
    return size * count;
}

/* NULL when out of memory. */
static void *
make_headers(const dw_http *http, const dw_http_post *post)
{
    void *list = http->append(NULL, "Content-Type: application/json");
    DW_AUTO(dw_strbuf) line = dw__strbuf_make(http->allocator, DW_HTTP_HEADER_BYTES_MAX);
    if (list == NULL || post->api_key.len == 0) {
        return list;
    }
    dw__strbuf_append_literal(&line, "Authorization: Bearer ");
    dw__strbuf_append(&line, post->api_key);
    void *more = line.failed ? NULL : http->append(list, dw__strbuf_cstr(&line));
    if (more == NULL) {
        http->free_list(list);
    }
    return more;
}

static bool
set_options(dw_http *http, const dw_http_post *post, void *headers)
{
    void *h = http->handle;
    return http->setopt(h, OPT_URL, post->url) == 0 &&
           http->setopt(h, OPT_PROTOCOLS, (long) PROTOCOLS_HTTP) == 0 &&
           http->setopt(h, OPT_POST, 1L) == 0 &&
           http->setopt(h, OPT_POSTFIELDS, post->body.ptr) == 0 &&
           http->setopt(h, OPT_POSTFIELDSIZE, (long) post->body.len) == 0 &&
           http->setopt(h, OPT_HTTPHEADER, headers) == 0 &&
           http->setopt(h, OPT_USERAGENT, "deltaworks") == 0 &&
           http->setopt(h, OPT_NOSIGNAL, 1L) == 0 &&
           http->setopt(h, OPT_TIMEOUT_MS, post->time_max_ms) == 0 &&
           http->setopt(h, OPT_ERRORBUFFER, http->problem) == 0 &&
           http->setopt(h, OPT_WRITEFUNCTION, take_answer) == 0 &&
           http->setopt(h, OPT_WRITEDATA, http) == 0;
}

static dw_status
judge(dw_http *http, const dw_http_post *post, int done, dw_error *err)
{
    long code = 0;
    if (done != 0) {
        return dw__error_set(err, DW_UNAVAILABLE, "HTTP_FAILED", "posting to %s failed: %s",
                             post->url, http->problem[0] != '\0' ? http->problem : "no reason");
    }
    if (http->getinfo(http->handle, INFO_RESPONSE_CODE, &code) == 0 && code >= STATUS_FIRST &&
        code < STATUS_END) {
        return DW_OK;
    }
    return dw__error_set(err, DW_IO, "HTTP_REFUSED", "%s answered %ld: %s", post->url, code,
                         http->answer);
}

dw_status
dw__http_send(dw_http *http, const dw_http_post *post, dw_error *err)
{
    dw_assert(post->time_max_ms > 0);
    http->problem[0] = http->answer[0] = '\0';
    http->answer_len = 0;
    void *headers = make_headers(http, post);
    if (headers == NULL) {
        return dw__error_oom(err);
    }
    int done = set_options(http, post, headers) ? http->perform(http->handle) : 1;
    dw_status status = judge(http, post, done, err);
    http->free_list(headers);
    return status;
}
