/*
 * What several changes come to.
 */
#include "base/map.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "table/transaction_core.h"

#define TEXT_BYTES_MAX ((size_t) 16 << 20)

/* ---- Actions --------------------------------------------------------------------------------- */

/* The keys of what an action is about, by which a later one of the same key takes its place. */
static dw_status
key_of(const dw_action *action, size_t idx, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str dv;
    switch (action->kind) {
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
        DW_TRY(dw__dv_unique_id(action->as.file.dv, arena, &dv, err));
        *out = dw__arena_printf(arena, "f%.*s\n%.*s", DW_STR_ARG(action->as.file.path),
                                DW_STR_ARG(dv));
        break;
    case DW_ACTION_TXN:
        *out = dw__arena_printf(arena, "t%.*s", DW_STR_ARG(action->as.txn.app_id));
        break;
    case DW_ACTION_DOMAIN:
        *out = dw__arena_printf(arena, "d%.*s", DW_STR_ARG(action->as.domain.domain));
        break;
    case DW_ACTION_METADATA:
        *out = DW_STR("m");
        break;
    case DW_ACTION_PROTOCOL:
        *out = DW_STR("p");
        break;
    case DW_ACTION_CDC:
    case DW_ACTION_COMMIT_INFO:
    case DW_ACTION_SIDECAR:
    case DW_ACTION_CHECKPOINT_METADATA:
    case DW_ACTION_UNKNOWN:
        *out = dw__arena_printf(arena, "%zu", idx);
        break;
    }
    return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
}

/* What is known of one key. */
typedef struct net_entry {
    size_t last;        /* the action that counts */
    bool was_not_there; /* its first action added it */
} net_entry;

static bool
is_dropped(const dw_transaction *transaction, const net_entry *entry)
{
    return entry->was_not_there && transaction->actions.items[entry->last].kind == DW_ACTION_REMOVE;
}

static dw_status
gather(dw_transaction *transaction, dw_map *map, net_entry *entries, size_t *count_out,
       dw_error *err)
{
    *count_out = 0;
    for (size_t i = 0; i < transaction->actions.count; i++) {
        dw_str key;
        bool is_new;
        const dw_action *action = &transaction->actions.items[i];
        DW_TRY(key_of(action, i, &transaction->arena, &key, err));
        dw_map_value *slot = dw__map_put(map, key, &is_new);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        if (is_new) {
            slot->i64 = (int64_t) *count_out;
            entries[(*count_out)++] = (net_entry){.was_not_there = action->kind == DW_ACTION_ADD};
        }
        entries[slot->i64].last = i;
    }
    return DW_OK;
}

static dw_status
fold(dw_transaction *transaction, dw_map *map, dw_action_vec *out, dw_error *err)
{
    size_t count;
    net_entry *entries =
        DW_ARENA_ARRAY(&transaction->arena, net_entry, transaction->actions.count + 1);
    out->items = DW_ARENA_ARRAY(&transaction->arena, dw_action, transaction->actions.count + 1);
    if (entries == NULL || out->items == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(gather(transaction, map, entries, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (!is_dropped(transaction, &entries[i])) {
            out->items[out->count++] = transaction->actions.items[entries[i].last];
        }
    }
    return DW_OK;
}

dw_status
dw__transaction_net(dw_transaction *transaction, dw_action_vec *out, dw_error *err)
{
    dw_map map;
    *out = (dw_action_vec){0};
    dw__map_init(&map, transaction->env->allocator);
    dw_status status = fold(transaction, &map, out, err);
    dw__map_deinit(&map);
    return status;
}

/* ---- What history says of it ----------------------------------------------------------------- */

/* A metric of several changes is the sum of theirs. */
typedef struct metric {
    dw_str name;
    int64_t value;
} metric;

typedef struct metric_vec {
    metric *items;
    size_t count;
    size_t capacity;
} metric_vec;

static dw_status
add_metric(metric_vec *sums, dw_arena *arena, dw_str name, dw_str value, dw_error *err)
{
    int64_t number;
    if (!dw__str_to_i64(value, &number)) {
        return DW_OK;
    }
    for (size_t i = 0; i < sums->count; i++) {
        if (dw__str_equal(sums->items[i].name, name)) {
            sums->items[i].value += number;
            return DW_OK;
        }
    }
    metric *slot = DW_VEC_PUSH(arena->allocator, sums);
    if (slot == NULL || !dw__arena_dup(arena, name, &slot->name)) {
        return dw__error_oom(err);
    }
    slot->value = number;
    return DW_OK;
}

static dw_status
add_metrics(metric_vec *sums, dw_arena *arena, dw_str json, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (dw__str_is_null(json) || json.len == 0) {
        return DW_OK;
    }
    DW_TRY(dw__json_parse(arena->allocator, json, "the operation's metrics", &doc, err));
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        DW_TRY(add_metric(sums, arena, it.key, dw__json_str(it.value), err));
    }
    return DW_OK;
}

static dw_status
sum_metrics(dw_transaction *transaction, dw_str *out, dw_error *err)
{
    metric_vec sums = {0};
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < transaction->changes.count; i++) {
        status = add_metrics(&sums, &transaction->arena, transaction->changes.items[i].metrics_json,
                             err);
    }
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(transaction->arena.allocator, TEXT_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    for (size_t i = 0; i < sums.count; i++) {
        dw__json_put_key(&json, sums.items[i].name);
        dw__strbuf_append_char(&json, '"');
        dw__strbuf_append_i64(&json, sums.items[i].value);
        dw__strbuf_append_char(&json, '"');
    }
    dw__strbuf_append_char(&json, '}');
    DW_VEC_DEINIT(transaction->arena.allocator, &sums);
    DW_TRY(status);
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(&transaction->arena, dw__strbuf_str(&json), out) ? DW_OK
                                                                          : dw__error_oom(err);
}

/* [{"operation":"DELETE","parameters":{...}},...] */
static void
print_changes(const dw_transaction *transaction, dw_strbuf *out)
{
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < transaction->changes.count; i++) {
        const dw_staged_change *change = &transaction->changes.items[i];
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        dw__json_put_key(out, DW_STR("operation"));
        dw__json_put_string(out, dw__str_from(change->operation));
        if (!dw__str_is_null(change->parameters_json)) {
            dw__json_put_key(out, DW_STR("parameters"));
            dw__strbuf_append(out, change->parameters_json);
        }
        dw__strbuf_append_char(out, '}');
    }
    dw__strbuf_append_char(out, ']');
}

dw_status
dw__transaction_describe(dw_transaction *transaction, dw_str *parameters, dw_str *metrics,
                         dw_error *err)
{
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(transaction->arena.allocator, TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(transaction->arena.allocator, TEXT_BYTES_MAX);
    print_changes(transaction, &list);
    dw__change_put_parameter(&json, "level",
                             dw__str_from(dw__transaction_level_name(transaction->level)));
    dw__change_put_parameter(&json, "statements", dw__strbuf_str(&list));
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    if (!dw__arena_dup(&transaction->arena, dw__strbuf_str(&json), parameters)) {
        return dw__error_oom(err);
    }
    return sum_metrics(transaction, metrics, err);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static bool
mark(dw_map *map, dw_str key)
{
    return dw__str_is_null(key) || dw__map_put(map, key, NULL) != NULL;
}

/* Remembers which files the actions name. False when that is not known of all of them. */
static bool
mark_named(const dw_action_vec *actions, dw_map *map, dw_arena *arena)
{
    dw_error ignored = DW_ERROR_INIT;
    for (size_t i = 0; i < actions->count; i++) {
        const dw_action *action = &actions->items[i];
        const dw_file *file = &action->as.file;
        dw_str path = DW_STR_NULL;
        dw_str vector = DW_STR_NULL;
        bool is_absolute;
        if (action->kind != DW_ACTION_ADD && action->kind != DW_ACTION_CDC) {
            continue;
        }
        if (dw__uri_decode(arena, file->path, &path, &ignored) != DW_OK ||
            (file->dv != NULL && file->dv->storage_type != 'i' &&
             dw__dv_path(file->dv, arena, &vector, &is_absolute, &ignored) != DW_OK) ||
            !mark(map, path) || !mark(map, vector)) {
            return false;
        }
    }
    return true;
}

void
dw__transaction_remove_files(dw_transaction *transaction, const dw_action_vec *kept)
{
    dw_map named;
    dw__map_init(&named, transaction->env->allocator);
    bool is_sure = mark_named(kept, &named, &transaction->arena);
    for (size_t i = 0; i < transaction->written.count; i++) {
        dw_str key = transaction->written.items[i];
        if (is_sure && dw__map_get(&named, key) == NULL &&
            dw__storage_remove(dw__table_storage(transaction->changed->table), key, NULL) !=
                DW_OK) {
            dw__env_warn(transaction->env, "could not remove %.*s, which no version uses",
                         DW_STR_ARG(key));
        }
    }
    dw__map_deinit(&named);
}
