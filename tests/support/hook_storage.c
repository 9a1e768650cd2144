/*
 * The storage that asks before each call. Each operation is run by one small function on its
 * arguments, so that it can be left out, done once or done twice.
 */
#include "support/hook_storage.h"

#include "base/assert.h"

typedef struct hook_storage {
    dw_storage base;
    dw_storage *inner;
    dwt_storage_hooks hooks;
} hook_storage;

typedef struct call_args {
    dw_str key;
    dw_str bytes;
    dw_strbuf *buf;
    int64_t *modified_ms_out;
    uint64_t offset;
    size_t len;
    const dw_list_request *list_request;
    dw_arena *arena;
    dw_list_page *page_out;
    dw_object_meta *meta_out;
    const dw_sync_request *sync_requests;
    size_t sync_count;
} call_args;

static dw_status
run_once(dw_storage *inner, dwt_storage_op op, const call_args *args, dw_error *err)
{
    switch (op) {
    case DWT_OP_GET:
        return dw__storage_get(inner, args->key, args->buf, args->modified_ms_out, err);
    case DWT_OP_GET_RANGE:
        return dw__storage_get_range(inner, args->key, args->offset, args->len, args->buf, err);
    case DWT_OP_PUT_IF_ABSENT:
        return dw__storage_put_if_absent(inner, args->key, args->bytes, err);
    case DWT_OP_PUT:
        return dw__storage_put(inner, args->key, args->bytes, err);
    case DWT_OP_LIST:
        return dw__storage_list(inner, args->list_request, args->arena, args->page_out, err);
    case DWT_OP_HEAD:
        return dw__storage_head(inner, args->key, args->meta_out, err);
    case DWT_OP_REMOVE:
        return dw__storage_remove(inner, args->key, err);
    case DWT_OP_SYNC:
        return dw__storage_sync_many(inner, args->sync_requests, args->sync_count, err);
    case DWT_OP_PREPARE:
        return dw__storage_prepare(inner, args->key, err);
    }
    dw_unreachable("an operation is one of those above");
}

static dw_status
injected(const dwt_storage_call *call, dw_status status, dw_error *err)
{
    dw_assert(status != DW_OK);
    return dw__error_set(err, status, "INJECTED_FAULT", "injected fault in %s of \"%.*s\"",
                         dwt_storage_op_name(call->op), DW_STR_ARG(call->key));
}

static dw_status
run_by_verdict(hook_storage *self, const dwt_storage_call *call, const call_args *args,
               dw_error *err)
{
    dwt_verdict verdict = self->hooks.before(self->hooks.ctx, call);
    dw_error ignored = DW_ERROR_INIT;
    dw_status unheard;
    switch (verdict.fate) {
    case DWT_FATE_PASS:
        return run_once(self->inner, call->op, args, err);
    case DWT_FATE_FAIL:
        return injected(call, verdict.status, err);
    case DWT_FATE_LOSE_ACK:
        unheard = run_once(self->inner, call->op, args, &ignored);
        (void) unheard;
        return injected(call, verdict.status, err);
    case DWT_FATE_FORCE:
        dw_assert(call->op == DWT_OP_PUT_IF_ABSENT);
        return run_once(self->inner, DWT_OP_PUT, args, err);
    case DWT_FATE_REPEAT:
        unheard = run_once(self->inner, call->op, args, &ignored);
        (void) unheard;
        return run_once(self->inner, call->op, args, err);
    }
    dw_unreachable("a fate is one of those above");
}

static dw_status
run(dw_storage *storage, dwt_storage_op op, const call_args *args, dw_error *err)
{
    hook_storage *self = (hook_storage *) storage;
    dwt_storage_call call = {op, args->key, args->bytes};
    dw_status status = run_by_verdict(self, &call, args, err);
    if (self->hooks.after != NULL) {
        self->hooks.after(self->hooks.ctx, &call, status);
    }
    return status;
}

static dw_status
hook_get(dw_storage *storage, dw_str key, dw_strbuf *buf, int64_t *modified_ms_out, dw_error *err)
{
    call_args args = {.key = key, .buf = buf, .modified_ms_out = modified_ms_out};
    return run(storage, DWT_OP_GET, &args, err);
}

static dw_status
hook_get_range(dw_storage *storage, dw_str key, uint64_t offset, size_t len, dw_strbuf *buf,
               dw_error *err)
{
    call_args args = {.key = key, .offset = offset, .len = len, .buf = buf};
    return run(storage, DWT_OP_GET_RANGE, &args, err);
}

static dw_status
hook_put_if_absent(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    call_args args = {.key = key, .bytes = bytes};
    return run(storage, DWT_OP_PUT_IF_ABSENT, &args, err);
}

static dw_status
hook_put(dw_storage *storage, dw_str key, dw_str bytes, dw_error *err)
{
    call_args args = {.key = key, .bytes = bytes};
    return run(storage, DWT_OP_PUT, &args, err);
}

static dw_status
hook_list(dw_storage *storage, const dw_list_request *request, dw_arena *arena,
          dw_list_page *page_out, dw_error *err)
{
    call_args args = {
        .key = request->prefix, .list_request = request, .arena = arena, .page_out = page_out};
    return run(storage, DWT_OP_LIST, &args, err);
}

static dw_status
hook_head(dw_storage *storage, dw_str key, dw_object_meta *meta_out, dw_error *err)
{
    call_args args = {.key = key, .meta_out = meta_out};
    return run(storage, DWT_OP_HEAD, &args, err);
}

static dw_status
hook_remove(dw_storage *storage, dw_str key, dw_error *err)
{
    call_args args = {.key = key};
    return run(storage, DWT_OP_REMOVE, &args, err);
}

static dw_status
hook_sync(dw_storage *storage, const dw_sync_request *requests, size_t count, dw_error *err)
{
    call_args args = {.key = requests[0].key, .sync_requests = requests, .sync_count = count};
    return run(storage, DWT_OP_SYNC, &args, err);
}

static dw_status
hook_prepare(dw_storage *storage, dw_str prefix, dw_error *err)
{
    call_args args = {.key = prefix};
    return run(storage, DWT_OP_PREPARE, &args, err);
}

static void
hook_close(dw_storage *storage)
{
    DW_DELETE(storage->env->allocator, (hook_storage *) storage);
}

dw_storage *
dwt_hook_storage_open(const dw_env *env, dw_storage *inner, const dwt_storage_hooks *hooks)
{
    static const dw_storage_ops ops = {
        .get = hook_get,
        .get_range = hook_get_range,
        .put_if_absent = hook_put_if_absent,
        .put = hook_put,
        .list = hook_list,
        .head = hook_head,
        .remove = hook_remove,
        .sync = hook_sync,
        .prepare = hook_prepare,
        .close = hook_close,
    };
    hook_storage *self = DW_NEW(env->allocator, hook_storage);
    dw_assert(self != NULL);
    *self = (hook_storage){{&ops, env, inner->root}, inner, *hooks};
    return &self->base;
}

const char *
dwt_storage_op_name(dwt_storage_op op)
{
    static const char *const names[] = {"get",  "get_range", "put_if_absent", "put",    "list",
                                        "head", "remove",    "sync",          "prepare"};
    return names[op];
}

bool
dwt_storage_op_is_write(dwt_storage_op op)
{
    return op == DWT_OP_PUT_IF_ABSENT || op == DWT_OP_PUT || op == DWT_OP_REMOVE;
}
