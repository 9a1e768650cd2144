/*
 * The files of the newest version: are they in storage, and is there anything else? Deletion
 * vectors, row ids, clustering. Rules A12, B6, G, H, I, N5, O1.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "fsck/core.h"
#include "scan/dv.h"

#include <inttypes.h>
#include <stdlib.h>

#define LIST_PAGE_OBJECTS 10000

/* ---- Storage --------------------------------------------------------------------------------- */

/* What begins with "_" or "." is nobody's, but for the folder of change data. */
static bool
is_hidden(dw_str key)
{
    static const dw_str change_data = {"_change_data/", sizeof "_change_data/" - 1};
    bool is_change = dw__str_starts_with(key, change_data);
    dw_str rest = dw__str_slice(key, is_change ? change_data.len : 0, key.len);
    while (rest.len > 0) {
        size_t slash = dw__str_find(rest, '/');
        dw_str part = dw__str_slice(rest, 0, slash == SIZE_MAX ? rest.len : slash);
        /* A partition column may begin with an underscore: "_a=1/". */
        if (part.len > 0 && (part.ptr[0] == '.' || part.ptr[0] == '_') &&
            dw__str_find(part, '=') == SIZE_MAX) {
            return true;
        }
        rest = slash == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, slash + 1, rest.len);
    }
    return false;
}

static void
check_size(dw_fsck *fsck, const dw_fsck_path *path, int64_t size_bytes)
{
    for (const dw_fsck_file *file = path->live; file != NULL; file = file->next) {
        if (size_bytes >= 0 && file->size_bytes != size_bytes) {
            fsck->version = file->version;
            dw__fsck_find(fsck, DW_FSCK_ERROR, "B6", path->path,
                          "expected a file of %" PRId64 " bytes, as its add says, found %" PRId64,
                          file->size_bytes, size_bytes);
        }
    }
}

static void
check_object(dw_fsck *fsck, const dw_object_meta *object)
{
    dw_map_value *found = dw__map_get(&fsck->state.paths, object->key);
    if (found != NULL) {
        dw_fsck_path *path = found->ptr;
        path->is_found = true;
        check_size(fsck, path, object->size_bytes);
    } else if (!is_hidden(object->key)) {
        fsck->version = -1;
        dw__fsck_find(fsck, DW_FSCK_NOTE, "O1", object->key,
                      "no version that the log still has names the file (%" PRId64 " bytes)",
                      object->size_bytes);
    }
}

static dw_status
list_storage(dw_fsck *fsck, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, fsck->env->allocator);
    DW_AUTO(dw_strbuf) last = dw__strbuf_make(fsck->env->allocator, DW_STORAGE_KEY_BYTES_MAX);
    dw_list_request request = {.prefix = DW_STR(""),
                               .start_after = DW_STR_NULL,
                               .limit = LIST_PAGE_OBJECTS,
                               .recursive = true};
    for (bool more = true; more;) {
        dw_list_page page;
        dw__arena_reset(&arena);
        DW_TRY(dw__storage_list(fsck->storage, &request, &arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            check_object(fsck, &page.objects[i]);
        }
        more = page.has_more && page.count > 0;
        if (more) {
            dw__strbuf_clear(&last);
            dw__strbuf_append(&last, page.objects[page.count - 1].key);
            DW_TRY(dw__strbuf_ok(&last, "a key", err));
            request.start_after = dw__strbuf_str(&last);
        }
        DW_TRY(dw__fsck_go_on(fsck, 0.7, err));
    }
    return DW_OK;
}

/* A file elsewhere, as those of shallow clones are. */
static dw_status
check_elsewhere(dw_fsck *fsck, dw_fsck_path *path, dw_error *err)
{
    size_t slash = dw__str_find_last(path->path, '/');
    if (path->path.ptr[0] != '/' || slash == 0 || slash + 1 == path->path.len) {
        dw__fsck_find(fsck, DW_FSCK_NOTE, "N5", path->path,
                      "whether the file is there was not checked: it is in another storage");
        path->is_found = true;
        return DW_OK;
    }
    DW_AUTO(dw_storage_ptr) other = NULL;
    dw_object_meta meta;
    dw_error cause = DW_ERROR_INIT;
    DW_TRY(dw__storage_open(fsck->env, dw__str_slice(path->path, 0, slash), &other, err));
    dw_status status = dw__storage_head(other, dw__str_slice(path->path, slash + 1, path->path.len),
                                        &meta, &cause);
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__error_copy(err, &cause);
        return status;
    }
    path->is_found = status == DW_OK;
    if (path->is_found) {
        check_size(fsck, path, meta.size_bytes);
    }
    return DW_OK;
}

static dw_status
check_is_there(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    (void) ctx;
    fsck->version = file->version;
    if (!path->is_found && dw__uri_is_absolute(path->path)) {
        DW_TRY(check_elsewhere(fsck, path, err));
    }
    if (!path->is_found) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "N5", path->path,
                      "the data file is missing: version %" PRId64 " added it", file->version);
    }
    return DW_OK;
}

dw_status
dw__fsck_storage(dw_fsck *fsck, dw_error *err)
{
    DW_TRY(list_storage(fsck, err));
    return dw__fsck_visit_live(fsck, check_is_there, NULL, err);
}

/* ---- Deletion vectors ------------------------------------------------------------------------ */

static dw_status
check_dv(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    (void) ctx;
    if (!file->has_dv) {
        return DW_OK;
    }
    DW_TRY(dw__fsck_go_on(fsck, 0.65, err));
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    dw_error cause = DW_ERROR_INIT;
    uint64_t behind;
    fsck->version = file->version;
    dw__arena_reset(&fsck->scratch);
    dw_status status = dw__dv_read(fsck->storage, &file->dv, &fsck->scratch, &rows, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "G5", path->path, &cause, err);
    }
    if (file->num_records >= 0 && dw__rowset_next(rows, (uint64_t) file->num_records, &behind)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "G5", path->path,
                      "the deletion vector has row %" PRIu64 ", the file only %" PRId64 " rows",
                      behind, file->num_records);
    }
    return DW_OK;
}

dw_status
dw__fsck_deletion_vectors(dw_fsck *fsck, dw_error *err)
{
    return dw__fsck_visit_live(fsck, check_dv, NULL, err);
}

/* ---- Row ids --------------------------------------------------------------------------------- */

/* The row ids of a file: from `first` to before `last`. */
typedef struct id_range {
    int64_t first, last;
    const dw_fsck_path *path;
} id_range;

typedef struct id_ranges {
    id_range *items;
    size_t count, capacity;
} id_ranges;

static dw_status
collect_ids(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    id_ranges *ranges = ctx;
    if (file->base_row_id < 0) {
        return DW_OK;
    }
    if (file->num_records < 0) {
        fsck->version = file->version;
        dw__fsck_find(fsck, DW_FSCK_WARNING, "H1", path->path,
                      "expected numRecords in the statistics of a file with row ids, found none");
        return DW_OK;
    }
    id_range *slot = DW_VEC_PUSH(fsck->env->allocator, ranges);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = (id_range){file->base_row_id, file->base_row_id + file->num_records, path};
    return DW_OK;
}

static int
compare_ranges(const void *a, const void *b)
{
    const id_range *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

static void
check_ranges(dw_fsck *fsck, const id_ranges *ranges, int64_t mark)
{
    for (size_t i = 0; i < ranges->count; i++) {
        const id_range *range = &ranges->items[i];
        if (i > 0 && range->first < ranges->items[i - 1].last) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "H1", range->path->path,
                          "its row ids begin at %" PRId64 ", those of %.*s end at %" PRId64,
                          range->first, DW_STR_ARG(ranges->items[i - 1].path->path),
                          ranges->items[i - 1].last - 1);
        }
        if (range->last - 1 > mark) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "H2", range->path->path,
                          "its row ids reach %" PRId64 ", but the mark is %" PRId64,
                          range->last - 1, mark);
        }
    }
}

int64_t
dw__fsck_row_id_mark(dw_fsck *fsck)
{
    const dw_fsck_domain *domain = dw__fsck_domain(&fsck->state, DW_STR("delta.rowTracking"));
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    int64_t mark = -1;
    if (domain != NULL &&
        dw__fsck_parse(fsck, domain->domain.configuration, "the domain", &doc, &ignored) == DW_OK) {
        (void) dw__json_i64(dw__json_get(dw__json_root(doc), DW_STR("rowIdHighWaterMark")), &mark);
    }
    return mark;
}

static dw_status
find_without_id(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    (void) ctx;
    (void) err;
    if (file->base_row_id < 0 || file->commit_version < 0) {
        fsck->version = file->version;
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H1", path->path,
                      "delta.enableRowTracking is true, but the file has no row ids");
    }
    return DW_OK;
}

dw_status
dw__fsck_row_ids(dw_fsck *fsck, dw_error *err)
{
    if (!dw__protocol_supports(fsck->state.protocol, DW_FEATURE_ROW_TRACKING)) {
        return DW_OK;
    }
    if (fsck->state.properties.enable_row_tracking) {
        DW_TRY(dw__fsck_visit_live(fsck, find_without_id, NULL, err));
    }
    id_ranges ranges = {0};
    dw_status status = dw__fsck_visit_live(fsck, collect_ids, &ranges, err);
    if (status == DW_OK && ranges.count > 0) {
        fsck->version = fsck->state.version;
        qsort(ranges.items, ranges.count, sizeof(ranges.items[0]), compare_ranges);
        check_ranges(fsck, &ranges, dw__fsck_row_id_mark(fsck));
    }
    DW_VEC_DEINIT(fsck->env->allocator, &ranges);
    return status;
}

/* ---- Clustering ------------------------------------------------------------------------------ */

static void
check_clustering_column(dw_fsck *fsck, dw_json path)
{
    const dw_type *type = fsck->state.schema;
    const dw_field *field = NULL;
    dw_json_iter it = dw__json_iter(path);
    while (type != NULL && dw__json_next(&it)) {
        dw_str name = dw__json_str(it.value);
        field = dw__schema_find_physical(type, name);
        type = field == NULL ? NULL : field->type;
        if (field == NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "I1", DW_STR_NULL,
                          "the clustering column '%.*s' is not in the schema", DW_STR_ARG(name));
        }
    }
    if (field != NULL && dw__type_is_nested(field->type)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "I1", DW_STR_NULL,
                      "the clustering column '%.*s' is nested", DW_STR_ARG(field->name));
    }
}

void
dw__fsck_check_clustering(dw_fsck *fsck)
{
    const dw_fsck_domain *domain = dw__fsck_domain(&fsck->state, DW_STR("delta.clustering"));
    if (domain == NULL || fsck->state.schema == NULL) {
        return;
    }
    fsck->version = domain->version;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error cause = DW_ERROR_INIT;
    if (dw__fsck_parse(fsck, domain->domain.configuration, "the domain", &doc, &cause) != DW_OK) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "I1", DW_STR_NULL, "%s", cause.message);
        return;
    }
    dw_json columns = dw__json_get(dw__json_root(doc), DW_STR("clusteringColumns"));
    if (dw__json_count(columns) > 0 &&
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_CLUSTERING)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D14", DW_STR_NULL,
                      "clustering columns need the feature clustering, which the protocol does not "
                      "have");
    }
    if (dw__json_count(columns) > 0 && fsck->state.metadata->partition_column_count > 0) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "I1", DW_STR_NULL,
                      "the table is both clustered and partitioned");
    }
    dw_json_iter it = dw__json_iter(columns);
    while (dw__json_next(&it)) {
        check_clustering_column(fsck, it.value);
    }
}
