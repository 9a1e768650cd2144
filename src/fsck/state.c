/*
 * The state that the replay builds: paths with their live files, definition, txns and domains.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "fsck/core.h"
#include "protocol/stats.h"

/* ---- Life ------------------------------------------------------------------------------------ */

void
dw__fsck_state_init(dw_fsck_state *state, const dw_allocator *allocator)
{
    *state = (dw_fsck_state){.version = -1,
                             .in_commit_timestamp_ms = INT64_MIN,
                             .commit_in_commit_timestamp_ms = INT64_MIN};
    dw__arena_init(&state->path_arena, allocator);
    dw__arena_init(&state->definition_arena, allocator);
    dw__arena_init(&state->item_arena, allocator);
    dw__map_init(&state->paths, allocator);
    dw__map_init(&state->txns, allocator);
    dw__map_init(&state->domains, allocator);
}

static void
free_file(const dw_allocator *allocator, dw_fsck_file *file)
{
    dw__dealloc(allocator, (void *) (uintptr_t) file->dv.path_or_inline_dv.ptr, file->dv_text_size);
    DW_DELETE(allocator, file);
}

static void
free_files(dw_fsck_state *state)
{
    const dw_allocator *allocator = state->path_arena.allocator;
    for (size_t i = 0; i < state->paths.slot_count; i++) {
        if (state->paths.slots[i].key.ptr == NULL) {
            continue;
        }
        dw_fsck_path *path = state->paths.slots[i].value.ptr;
        while (path->live != NULL) {
            dw_fsck_file *next = path->live->next;
            free_file(allocator, path->live);
            path->live = next;
        }
    }
}

void
dw__fsck_state_deinit(dw_fsck_state *state)
{
    free_files(state);
    dw__map_deinit(&state->paths);
    dw__map_deinit(&state->txns);
    dw__map_deinit(&state->domains);
    dw__arena_deinit(&state->path_arena);
    dw__arena_deinit(&state->definition_arena);
    dw__arena_deinit(&state->item_arena);
}

void
dw__fsck_state_clear(dw_fsck_state *state)
{
    const dw_allocator *allocator = state->path_arena.allocator;
    free_files(state);
    dw__map_deinit(&state->txns);
    dw__map_deinit(&state->domains);
    dw__map_init(&state->txns, allocator);
    dw__map_init(&state->domains, allocator);
    dw__arena_reset(&state->item_arena);
    dw__arena_reset(&state->definition_arena);
    state->file_count = state->size_bytes = state->row_count = 0;
    state->unknown_row_count_files = 0;
    state->protocol = NULL;
    state->metadata = NULL;
    state->schema = NULL;
    state->in_commit_timestamp_ms = INT64_MIN;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* The entry of a path that is none yet; NULL when out of memory. */
static dw_fsck_path *
make_path(dw_fsck_state *state, dw_str plain)
{
    dw_fsck_path *made = DW_ARENA_NEW(&state->path_arena, dw_fsck_path);
    if (made == NULL || !dw__arena_dup(&state->path_arena, plain, &made->path)) {
        return NULL;
    }
    made->commit_seen = made->removed_seen = made->first_version = -1;
    dw_map_value *slot = dw__map_put(&state->paths, made->path, NULL);
    if (slot == NULL) {
        return NULL;
    }
    slot->ptr = made;
    return made;
}

dw_status
dw__fsck_path(dw_fsck_state *state, dw_str uri, dw_arena *scratch, dw_fsck_path **out,
              dw_error *err)
{
    dw_str plain;
    DW_TRY(dw__uri_canonical(scratch, uri, &plain, err));
    dw_map_value *found = dw__map_get(&state->paths, plain);
    if (found != NULL) {
        *out = found->ptr;
        return DW_OK;
    }
    *out = make_path(state, plain);
    return *out == NULL ? dw__error_oom(err) : DW_OK;
}

bool
dw__fsck_dv_equal(const dw_dv_descriptor *a, const dw_dv_descriptor *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->storage_type == b->storage_type && a->has_offset == b->has_offset &&
           (!a->has_offset || a->offset == b->offset) &&
           dw__str_equal(a->path_or_inline_dv, b->path_or_inline_dv);
}

dw_fsck_file *
dw__fsck_path_find(const dw_fsck_path *path, const dw_dv_descriptor *dv)
{
    for (dw_fsck_file *file = path->live; file != NULL; file = file->next) {
        if (dw__fsck_dv_equal(file->has_dv ? &file->dv : NULL, dv)) {
            return file;
        }
    }
    return NULL;
}

uint64_t
dw__fsck_values_hash(const dw_pairs *values)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < values->count; i++) {
        dw_str value = values->items[i].value;
        /* The empty string and null are the same partition value. */
        uint64_t of_value = value.len == 0 ? 1 : dw__str_hash(value);
        hash += (dw__str_hash(values->items[i].key) | 1) * of_value;
    }
    return hash;
}

int64_t
dw__fsck_num_records(dw_str stats)
{
    dw_file_stats counts = {0};
    if (dw__str_is_null(stats)) {
        return -1;
    }
    dw__stats_read_counts(stats, &counts);
    return counts.has_num_records ? counts.num_records : -1;
}

/* The rows that a file shows; -1: not known. */
static int64_t
visible_rows(const dw_fsck_file *file)
{
    if (file->num_records < 0) {
        return -1;
    }
    return file->num_records - (file->has_dv ? file->dv.cardinality : 0);
}

static void
count_file(dw_fsck_state *state, const dw_fsck_file *file, int sign)
{
    int64_t rows = visible_rows(file);
    state->file_count += sign;
    state->size_bytes += sign * file->size_bytes;
    state->row_count += rows < 0 ? 0 : sign * rows;
    state->unknown_row_count_files += rows < 0 ? sign : 0;
}

dw_status
dw__fsck_file_add(dw_fsck_state *state, dw_fsck_path *path, const dw_file *file, int64_t version,
                  dw_error *err)
{
    const dw_allocator *allocator = state->path_arena.allocator;
    dw_fsck_file *made = DW_NEW(allocator, dw_fsck_file);
    if (made == NULL) {
        return dw__error_oom(err);
    }
    made->version = version;
    made->size_bytes = file->has_size ? file->size_bytes : 0;
    made->modified_ms = file->modification_time_ms;
    made->base_row_id = file->has_base_row_id ? file->base_row_id : -1;
    made->commit_version =
        file->has_default_row_commit_version ? file->default_row_commit_version : -1;
    made->num_records = dw__fsck_num_records(file->stats);
    made->values_hash = dw__fsck_values_hash(&file->partition_values);
    if (file->dv != NULL) {
        made->has_dv = true;
        made->dv = *file->dv;
        made->dv_text_size = file->dv->path_or_inline_dv.len + 1;
        char *text = dw__alloc_zero(allocator, made->dv_text_size);
        if (text == NULL) {
            DW_DELETE(allocator, made);
            return dw__error_oom(err);
        }
        memcpy(text, file->dv->path_or_inline_dv.ptr, made->dv_text_size - 1);
        made->dv.path_or_inline_dv.ptr = text;
    }
    path->first_version = path->first_version < 0 ? version : path->first_version;
    made->next = path->live;
    path->live = made;
    count_file(state, made, 1);
    return DW_OK;
}

void
dw__fsck_file_remove(dw_fsck_state *state, dw_fsck_path *path, dw_fsck_file *file)
{
    dw_fsck_file **link = &path->live;
    while (*link != file) {
        dw_assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = file->next;
    count_file(state, file, -1);
    free_file(state->path_arena.allocator, file);
}

dw_status
dw__fsck_name_dv(dw_fsck *fsck, const dw_dv_descriptor *dv, bool is_live, dw_error *err)
{
    if (dv == NULL || dv->storage_type == 'i') {
        return DW_OK;
    }
    dw_str plain;
    bool is_absolute;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__dv_path(dv, &fsck->scratch, &plain, &is_absolute, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "G2", dv->path_or_inline_dv, &cause, err);
    }
    dw_map_value *found = dw__map_get(&fsck->state.paths, plain);
    dw_fsck_path *path = found == NULL ? make_path(&fsck->state, plain) : found->ptr;
    if (path == NULL) {
        return dw__error_oom(err);
    }
    path->is_deletion_vector = path->is_deletion_vector || is_live;
    path->holds_vectors = true;
    return DW_OK;
}

dw_status
dw__fsck_visit_live(dw_fsck *fsck, dw_fsck_visitor visit, void *ctx, dw_error *err)
{
    const dw_map *paths = &fsck->state.paths;
    for (size_t i = 0; i < paths->slot_count; i++) {
        if (paths->slots[i].key.ptr == NULL) {
            continue;
        }
        dw_fsck_path *path = paths->slots[i].value.ptr;
        for (dw_fsck_file *file = path->live; file != NULL; file = file->next) {
            DW_TRY(visit(fsck, path, file, ctx, err));
        }
    }
    return DW_OK;
}

/* ---- Definition, txns, domains --------------------------------------------------------------- */

/* The metadata and the protocol of the state move to a new arena, so that old ones are let go. */
dw_status
dw__fsck_set_definition(dw_fsck *fsck, const dw_protocol *protocol, const dw_metadata *metadata,
                        dw_error *err)
{
    dw_fsck_state *state = &fsck->state;
    dw_arena arena;
    dw__arena_init(&arena, state->definition_arena.allocator);
    dw_protocol *own_protocol = DW_ARENA_NEW(&arena, dw_protocol);
    dw_metadata *own_metadata = DW_ARENA_NEW(&arena, dw_metadata);
    bool ok = own_protocol != NULL && own_metadata != NULL &&
              (protocol == NULL || dw__protocol_dup(&arena, protocol, own_protocol)) &&
              (metadata == NULL || dw__metadata_dup(&arena, metadata, own_metadata));
    const dw_type *schema = NULL;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = ok ? DW_OK : DW_OUT_OF_MEMORY;
    if (ok && metadata != NULL) {
        status =
            dw__schema_parse("the schema", own_metadata->schema_string, &arena, &schema, &cause);
    }
    if (status == DW_OUT_OF_MEMORY) {
        dw__arena_deinit(&arena);
        return dw__error_oom(err);
    }
    if (status == DW_UNSUPPORTED) {
        dw__arena_deinit(&arena);
        dw__error_copy(err, &cause);
        return status;
    }
    if (status != DW_OK) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "K1", DW_STR_NULL, "the schema: %s", cause.message);
    }
    dw__arena_deinit(&state->definition_arena);
    state->definition_arena = arena;
    state->protocol = protocol == NULL ? NULL : own_protocol;
    state->metadata = metadata == NULL ? NULL : own_metadata;
    state->schema = schema;
    if (metadata != NULL) {
        dw__properties_read(&own_metadata->configuration, &state->properties, NULL);
        if (schema != NULL && state->properties.mapping_mode == DW_MAPPING_NONE) {
            const dw_type *plain = dw__schema_without_mapping(schema, &state->definition_arena);
            state->schema = plain == NULL ? schema : plain;
        }
    }
    return DW_OK;
}

dw_status
dw__fsck_set_txn(dw_fsck_state *state, const dw_txn_id *txn, int64_t version, dw_error *err)
{
    dw_map_value *found = dw__map_get(&state->txns, txn->app_id);
    dw_fsck_txn *item = found == NULL ? NULL : found->ptr;
    if (item == NULL) {
        item = DW_ARENA_NEW(&state->item_arena, dw_fsck_txn);
        if (item == NULL || !dw__arena_dup(&state->item_arena, txn->app_id, &item->id.app_id)) {
            return dw__error_oom(err);
        }
        found = dw__map_put(&state->txns, item->id.app_id, NULL);
        if (found == NULL) {
            return dw__error_oom(err);
        }
        found->ptr = item;
    }
    dw_str app_id = item->id.app_id;
    item->id = *txn;
    item->id.app_id = app_id;
    item->version = version;
    return DW_OK;
}

dw_status
dw__fsck_set_domain(dw_fsck_state *state, const dw_domain *domain, int64_t version, dw_error *err)
{
    dw_map_value *found = dw__map_get(&state->domains, domain->domain);
    dw_fsck_domain *item = found == NULL ? NULL : found->ptr;
    if (item == NULL) {
        item = DW_ARENA_NEW(&state->item_arena, dw_fsck_domain);
        if (item == NULL ||
            !dw__arena_dup(&state->item_arena, domain->domain, &item->domain.domain)) {
            return dw__error_oom(err);
        }
        found = dw__map_put(&state->domains, item->domain.domain, NULL);
        if (found == NULL) {
            return dw__error_oom(err);
        }
        found->ptr = item;
    }
    item->domain.removed = domain->removed;
    item->version = version;
    /* A mark that moves with every commit costs a few bytes each: that is bounded by the log. */
    return dw__arena_dup(&state->item_arena, domain->configuration, &item->domain.configuration)
               ? DW_OK
               : dw__error_oom(err);
}

const dw_fsck_domain *
dw__fsck_domain(const dw_fsck_state *state, dw_str name)
{
    const dw_map_value *found = dw__map_get(&state->domains, name);
    const dw_fsck_domain *item = found == NULL ? NULL : found->ptr;
    return item == NULL || item->domain.removed ? NULL : item;
}
