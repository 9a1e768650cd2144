/*
 * Posting bytes to a server: what events go through. libcurl is opened at the first use, so that a
 * program that posts nothing does not load it, and one without it can do all the rest.
 *
 *  [HTTP-1] A post ends within its time, whatever the server does.
 */
#ifndef DW_STORAGE_HTTP_H
#define DW_STORAGE_HTTP_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* Of an answer, which only a refusal shows. */
#define DW_HTTP_ANSWER_BYTES_MAX ((size_t) 512)
#define DW_HTTP_HEADER_BYTES_MAX ((size_t) 8192)

typedef struct dw_http_post {
    const char *url; /* http:// or https:// */
    dw_str body;     /* JSON */
    dw_str api_key;  /* sent as "Authorization: Bearer ..."; null string: none */
    long time_max_ms;
} dw_http_post;

/* A client, which keeps its connections. One thread at a time. */
typedef struct dw_http dw_http;

/* DW_UNSUPPORTED (HTTP_UNAVAILABLE) where libcurl is not there. */
DW_WARN_UNUSED dw_status dw__http_open(const dw_allocator *allocator, dw_http **out, dw_error *err);
void dw__http_close(dw_http *http);
/* DW_OK for an answer of 200 to 299. DW_UNAVAILABLE (HTTP_FAILED) says why there was none,
 * DW_IO (HTTP_REFUSED) what it said. */
DW_WARN_UNUSED dw_status dw__http_send(dw_http *http, const dw_http_post *post, dw_error *err);

#endif
