/*
 * The runtime's catalog: names resolved against the warehouse, and one open table a root.
 */
#include "table/catalog.h"

#include "base/assert.h"
#include "base/map.h"
#include "codec/json.h"

#include <pthread.h>

#define NAMES_KEY "_deltaworks/names.json"
#define NAMES_BYTES_MAX ((size_t) 16 << 20)
#define NAME_PARTS_MAX 2

struct dw_catalog {
    const dw_env *env;
    dw_database *database;
    dw_storage *warehouse;
    dw_audit *audit;       /* NULL: nothing is recorded */
    pthread_mutex_t mutex; /* guards everything below */
    dw_arena arena;
    dw_str use_directory; /* null string: the use of columns is not counted */
    dw_map by_uri;        /* uri -> dw_table, a reference each */
    dw_lineage_defaults lineage;
};

dw_status
dw__catalog_open(const dw_env *env, dw_database *database, dw_str warehouse, dw_catalog **out,
                 dw_error *err)
{
    *out = NULL;
    dw_catalog *catalog = DW_NEW(env->allocator, dw_catalog);
    if (catalog == NULL) {
        return dw__error_oom(err);
    }
    catalog->env = env;
    catalog->database = database;
    dw__arena_init(&catalog->arena, env->allocator);
    dw__map_init(&catalog->by_uri, env->allocator);
    catalog->use_directory = DW_STR_NULL;
    int failed = pthread_mutex_init(&catalog->mutex, NULL);
    dw_assert(failed == 0);
    dw_status status = dw__storage_open(env, warehouse, &catalog->warehouse, err);
    if (status != DW_OK) {
        dw__catalog_close(catalog);
        return status;
    }
    *out = catalog;
    return DW_OK;
}

void
dw__catalog_close(dw_catalog *catalog)
{
    if (catalog == NULL) {
        return;
    }
    for (size_t i = 0; i < catalog->by_uri.slot_count; i++) {
        if (catalog->by_uri.slots[i].key.ptr != NULL) {
            dw__table_unref(catalog->by_uri.slots[i].value.ptr);
        }
    }
    dw__map_deinit(&catalog->by_uri);
    dw__arena_deinit(&catalog->arena);
    dw__storage_close(catalog->warehouse);
    dw__audit_close(catalog->audit);
    pthread_mutex_destroy(&catalog->mutex);
    DW_DELETE(catalog->env->allocator, catalog);
}

dw_database *
dw__catalog_database(dw_catalog *catalog)
{
    return catalog->database;
}

const dw_env *
dw__catalog_env(const dw_catalog *catalog)
{
    return catalog->env;
}

void
dw__catalog_adopt_audit(dw_catalog *catalog, dw_audit *audit)
{
    dw_assert(catalog->audit == NULL);
    catalog->audit = audit;
}

const dw_audit *
dw__catalog_audit(const dw_catalog *catalog)
{
    return catalog->audit;
}

dw_storage *
dw__catalog_warehouse(dw_catalog *catalog)
{
    return catalog->warehouse;
}

/* Puts `table` into the cache under `uri`; the cache takes a reference of its own. */
static dw_status
remember(dw_catalog *catalog, dw_str uri, dw_table *table, dw_error *err)
{
    dw_str key;
    if (!dw__arena_dup(&catalog->arena, uri, &key)) {
        return dw__error_oom(err);
    }
    bool is_new;
    dw_map_value *slot = dw__map_put(&catalog->by_uri, key, &is_new);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    if (is_new) {
        slot->ptr = dw__table_ref(table);
    }
    return DW_OK;
}

/* The cached table, or a new one under its spelling and its root. The mutex is held. */
static dw_status
find_or_open(dw_catalog *catalog, dw_str uri, dw_table **out, dw_error *err)
{
    const dw_map_value *known = dw__map_get(&catalog->by_uri, uri);
    if (known != NULL) {
        *out = dw__table_ref(known->ptr);
        return DW_OK;
    }
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__table_open(catalog->env, catalog->database, uri, &table, err));
    dw_str root = dw__table_root(table);
    known = dw__map_get(&catalog->by_uri, root);
    if (known != NULL) { /* the same place under another spelling */
        dw__table_unref(table);
        table = dw__table_ref(known->ptr);
    } else {
        dw__table_set_audit(table, catalog->audit);
        dw__table_set_lineage(table, &catalog->lineage);
        if (!dw__str_is_null(catalog->use_directory)) {
            dw__table_count_use(table, catalog->use_directory);
        }
        DW_TRY(remember(catalog, root, table, err));
    }
    DW_TRY(remember(catalog, uri, table, err));
    *out = dw__table_ref(table);
    return DW_OK;
}

dw_status
dw__catalog_count_use(dw_catalog *catalog, dw_str directory, dw_error *err)
{
    pthread_mutex_lock(&catalog->mutex);
    bool done = dw__arena_dup(&catalog->arena, directory, &catalog->use_directory);
    pthread_mutex_unlock(&catalog->mutex);
    return done ? DW_OK : dw__error_oom(err);
}

dw_status
dw__catalog_set_lineage(dw_catalog *catalog, const dw_lineage_defaults *defaults, dw_error *err)
{
    dw_arena *arena = &catalog->arena;
    bool done = dw__arena_dup(arena, defaults->namespace_name, &catalog->lineage.namespace_name) &&
                dw__arena_dup(arena, defaults->user, &catalog->lineage.user) &&
                dw__arena_dup(arena, defaults->parent, &catalog->lineage.parent);
    catalog->lineage.emitter = defaults->emitter;
    return done ? DW_OK : dw__error_oom(err);
}

const dw_lineage_defaults *
dw__catalog_lineage(const dw_catalog *catalog)
{
    return &catalog->lineage;
}

dw_status
dw__catalog_table_at(dw_catalog *catalog, dw_str uri, dw_table **out, dw_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&catalog->mutex);
    dw_status status = find_or_open(catalog, uri, out, err);
    pthread_mutex_unlock(&catalog->mutex);
    return status;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool
is_plain_name(dw_str part)
{
    if (part.len == 0 || part.ptr[0] == '.' || part.ptr[0] == '_') {
        return false;
    }
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char) part.ptr[i];
        if (c == '/' || c < 0x20) {
            return false;
        }
    }
    return true;
}

static dw_status
join_parts(const dw_str *parts, size_t part_count, char separator, dw_strbuf *out, dw_error *err)
{
    if (part_count == 0 || part_count > NAME_PARTS_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "TABLE_NAME_INVALID",
                             "a table name has one or two parts, name or schema.name");
    }
    for (size_t i = 0; i < part_count; i++) {
        if (!is_plain_name(parts[i])) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "TABLE_NAME_INVALID",
                                 "\"%.*s\" cannot name a table: expected a plain name that does "
                                 "not start with '.' or '_' and has no '/'; for a path write "
                                 "delta.`path`",
                                 DW_STR_ARG(parts[i]));
        }
        if (i > 0) {
            dw__strbuf_append_char(out, separator);
        }
        dw__strbuf_append(out, parts[i]);
    }
    return dw__strbuf_ok(out, "the table name", err);
}

/* The remembered locations as a JSON object, NULL when nothing was ever remembered. */
static dw_status
read_names(dw_catalog *catalog, dw_json_doc **out, dw_error *err)
{
    *out = NULL;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(catalog->env->allocator, NAMES_BYTES_MAX);
    dw_error detail = DW_ERROR_INIT;
    dw_status status = dw__storage_get(catalog->warehouse, DW_STR(NAMES_KEY), &text, NULL, &detail);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &detail);
        return status;
    }
    return dw__json_parse(catalog->env->allocator, dw__strbuf_str(&text), NAMES_KEY, out, err);
}

dw_status
dw__catalog_resolve(dw_catalog *catalog, const dw_str *parts, size_t part_count, dw_arena *arena,
                    dw_str *root_out, dw_error *err)
{
    *root_out = DW_STR_NULL;
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(catalog->env->allocator, DW_ERROR_MESSAGE_SIZE);
    DW_TRY(join_parts(parts, part_count, '.', &name, err));
    DW_AUTO(dw_json_doc_ptr) names = NULL;
    DW_TRY(read_names(catalog, &names, err));
    if (names != NULL) {
        dw_str known = dw__json_str(dw__json_get(dw__json_root(names), dw__strbuf_str(&name)));
        if (!dw__str_is_null(known)) {
            return dw__arena_dup(arena, known, root_out) ? DW_OK : dw__error_oom(err);
        }
    }
    dw__strbuf_clear(&name);
    DW_TRY(join_parts(parts, part_count, '/', &name, err));
    dw_str root = catalog->warehouse->root;
    *root_out = dw__arena_printf(arena, "%.*s/%s", DW_STR_ARG(root), dw__strbuf_cstr(&name));
    return dw__str_is_null(*root_out) ? dw__error_oom(err) : DW_OK;
}

/* A reference to the table that was opened under that spelling; NULL: none was. */
static dw_table *
find_known(dw_catalog *catalog, dw_str uri)
{
    pthread_mutex_lock(&catalog->mutex);
    const dw_map_value *known = dw__map_get(&catalog->by_uri, uri);
    dw_table *table = known == NULL ? NULL : dw__table_ref(known->ptr);
    pthread_mutex_unlock(&catalog->mutex);
    return table;
}

dw_status
dw__catalog_has(dw_catalog *catalog, const dw_str *parts, size_t part_count, bool *found_out,
                dw_error *err)
{
    *found_out = false;
    if (part_count == 0 || part_count > NAME_PARTS_MAX) {
        return DW_OK;
    }
    for (size_t i = 0; i < part_count; i++) {
        if (!is_plain_name(parts[i])) {
            return DW_OK;
        }
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, catalog->env->allocator);
    dw_str root;
    DW_TRY(dw__catalog_resolve(catalog, parts, part_count, &arena, &root, err));
    /* What is not there is not kept: a session may ask for any number of other names. */
    DW_AUTO(dw_table_ptr) table = find_known(catalog, root);
    if (table == NULL) {
        DW_TRY(dw__table_open(catalog->env, catalog->database, root, &table, err));
    }
    return dw__log_exists(dw__table_log(table), found_out, err);
}

/* Prints the names that were there, without `name`, and then `name` with its root. */
static void
print_names(dw_strbuf *out, const dw_json_doc *old, dw_str name, dw_str root)
{
    dw__strbuf_append_char(out, '{');
    if (old != NULL) {
        dw_json_iter it = dw__json_iter(dw__json_root(old));
        while (dw__json_next(&it)) {
            if (!dw__str_equal(it.key, name)) {
                dw__json_put_key(out, it.key);
                dw__json_write(out, it.value);
            }
        }
    }
    dw__json_put_key(out, name);
    dw__json_put_string(out, root);
    dw__strbuf_append_literal(out, "}\n");
}

static dw_status
register_name(dw_catalog *catalog, dw_str name, dw_str root, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) names = NULL;
    DW_TRY(read_names(catalog, &names, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(catalog->env->allocator, NAMES_BYTES_MAX);
    print_names(&text, names, name, root);
    DW_TRY(dw__strbuf_ok(&text, NAMES_KEY, err));
    return dw__storage_put(catalog->warehouse, DW_STR(NAMES_KEY), dw__strbuf_str(&text), err);
}

dw_status
dw__catalog_register(dw_catalog *catalog, const dw_str *parts, size_t part_count, dw_str root,
                     dw_error *err)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(catalog->env->allocator, DW_ERROR_MESSAGE_SIZE);
    DW_TRY(join_parts(parts, part_count, '.', &name, err));
    pthread_mutex_lock(&catalog->mutex);
    dw_status status = register_name(catalog, dw__strbuf_str(&name), root, err);
    pthread_mutex_unlock(&catalog->mutex);
    return status;
}
