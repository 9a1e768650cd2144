/*
 * Finds tables by listing: storage knows no directories, so each step asks for the first key behind
 * the directory before, and whether that directory has a log.
 */
#include "sql/table_list.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/json.h"
#include "log/log.h"

#include <stdlib.h>

/* As the catalog writes it. */
#define DW_NAMES_KEY "_deltaworks/names.json"
#define DW_NAMES_BYTES_MAX ((size_t) 16 << 20)

typedef struct lister {
    dw_storage *warehouse;
    dw_arena *arena;
    dw_table_list *out;
    size_t looks, looks_max;
    dw_error *err;
} lister;

/* ---- Directories ----------------------------------------------------------------------------- */

static dw_status
first_key(lister *l, dw_str prefix, dw_str after, bool recursive, dw_str *out)
{
    dw_list_page page;
    dw_list_request request = {
        .prefix = prefix, .start_after = after, .limit = 1, .recursive = recursive};
    *out = DW_STR_NULL;
    l->looks++;
    DW_TRY(dw__storage_list(l->warehouse, &request, l->arena, &page, l->err));
    *out = page.count > 0 ? page.objects[0].key : DW_STR_NULL;
    return DW_OK;
}

/* The next directory directly below `prefix` ("" or "sales/") behind `*after`: its name, and where
 * to go on. The null string when there is no more. */
static dw_status
next_directory(lister *l, dw_str prefix, dw_str *after, dw_str *out)
{
    *out = DW_STR_NULL;
    while (l->looks < l->looks_max) {
        dw_str key;
        DW_TRY(first_key(l, prefix, *after, true, &key));
        if (dw__str_is_null(key)) {
            return DW_OK;
        }
        dw_str name = dw__str_slice(key, prefix.len, key.len);
        size_t slash = dw__str_find(name, '/');
        if (slash == SIZE_MAX) {
            *after = key;
            continue;
        }
        *out = dw__str_slice(name, 0, slash);
        *after = dw__arena_printf(l->arena, "%.*s%.*s/\xff", DW_STR_ARG(prefix), DW_STR_ARG(*out));
        return dw__str_is_null(*after) ? dw__error_oom(l->err) : DW_OK;
    }
    return DW_OK;
}

static dw_status
has_log(lister *l, dw_str prefix, dw_str name, bool *out)
{
    dw_str key;
    dw_str log =
        dw__arena_printf(l->arena, "%.*s%.*s/" DW_LOG_DIR, DW_STR_ARG(prefix), DW_STR_ARG(name));
    if (dw__str_is_null(log)) {
        return dw__error_oom(l->err);
    }
    DW_TRY(first_key(l, log, DW_STR_NULL, false, &key));
    *out = !dw__str_is_null(key);
    return DW_OK;
}

static dw_status
add_name(lister *l, dw_str schema, dw_str name)
{
    dw_str *slot = DW_VEC_PUSH(l->arena->allocator, &l->out->names);
    if (slot == NULL) {
        return dw__error_oom(l->err);
    }
    *slot = schema.len == 0
                ? name
                : dw__arena_printf(l->arena, "%.*s.%.*s", DW_STR_ARG(schema), DW_STR_ARG(name));
    return dw__str_is_null(*slot) ? dw__error_oom(l->err) : DW_OK;
}

/* Hidden directories and ours hold no tables that a name could stand for. */
static bool
is_hidden(dw_str name)
{
    return name.ptr[0] == '.' || name.ptr[0] == '_';
}

/*
 * Tables directly below `schema` ("": the warehouse itself), and, from there, in its directories.
 */
static dw_status
list_level(lister *l, dw_str schema)
{
    dw_str after = DW_STR_NULL;
    dw_str prefix =
        schema.len == 0 ? DW_STR("") : dw__arena_printf(l->arena, "%.*s/", DW_STR_ARG(schema));
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(l->err);
    }
    for (;;) {
        dw_str name;
        bool is_table = false;
        DW_TRY(next_directory(l, prefix, &after, &name));
        if (dw__str_is_null(name)) {
            return DW_OK;
        }
        if (is_hidden(name)) {
            continue;
        }
        DW_TRY(has_log(l, prefix, name, &is_table));
        if (is_table) {
            DW_TRY(add_name(l, schema, name));
        } else if (schema.len == 0) {
            DW_TRY(list_level(l, name)); /* one level down, and no further */
        }
    }
    return DW_OK;
}

/* ---- Names for other places ------------------------------------------------------------------ */

static dw_status
add_keys(lister *l, dw_str json)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(l->arena->allocator, json, DW_NAMES_KEY, &doc, l->err));
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        dw_str name;
        if (!dw__arena_dup(l->arena, it.key, &name)) {
            return dw__error_oom(l->err);
        }
        DW_TRY(add_name(l, DW_STR(""), name));
    }
    return DW_OK;
}

static dw_status
list_registered(lister *l)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(l->arena->allocator, DW_NAMES_BYTES_MAX);
    dw_error detail = DW_ERROR_INIT;
    dw_status status = dw__storage_get(l->warehouse, DW_STR(DW_NAMES_KEY), &json, NULL, &detail);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(l->err, &detail);
        return status;
    }
    return add_keys(l, dw__strbuf_str(&json));
}

/* ---- The list -------------------------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

static void
sort_names(dw_str_vec *names)
{
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    }
}

dw_status
dw__table_list(dw_catalog *catalog, size_t looks_max, dw_arena *arena, dw_table_list *out,
               dw_error *err)
{
    *out = (dw_table_list){0};
    lister l = {.warehouse = dw__catalog_warehouse(catalog),
                .arena = arena,
                .out = out,
                .looks_max = looks_max,
                .err = err};
    DW_TRY(list_level(&l, DW_STR("")));
    DW_TRY(list_registered(&l));
    sort_names(&out->names);
    return DW_OK;
}

void
dw__table_list_deinit(dw_table_list *list, const dw_arena *arena)
{
    DW_VEC_DEINIT(arena->allocator, &list->names);
}

/* ---- The nearest name ------------------------------------------------------------------------ */

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How far a table's name is from the wanted one; a schema that was left out counts for one. */
static size_t
distance_of(dw_str candidate, dw_str name)
{
    size_t dot = dw__str_find(candidate, '.');
    size_t whole = dw__str_distance(candidate, name);
    if (dot == SIZE_MAX || dw__str_find(name, '.') != SIZE_MAX) {
        return whole;
    }
    return least(whole,
                 dw__str_distance(dw__str_slice(candidate, dot + 1, candidate.len), name) + 1);
}

dw_str
dw__table_list_nearest(const dw_table_list *list, dw_str name)
{
    dw_str nearest = DW_STR_NULL;
    size_t best = name.len / 3 + 2; /* from there on it is another word */
    if (name.len > DW_STR_DISTANCE_MAX) {
        return nearest;
    }
    for (size_t i = 0; i < list->names.count; i++) {
        dw_str candidate = list->names.items[i];
        size_t d = candidate.len > DW_STR_DISTANCE_MAX ? SIZE_MAX : distance_of(candidate, name);
        if (d < best) {
            best = d;
            nearest = candidate;
        }
    }
    return nearest;
}
