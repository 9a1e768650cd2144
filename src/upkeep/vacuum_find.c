/*
 * Which files may go: those that are nobody's and have been there since before the retention began.
 * [VACUUM-1,3]
 */
#include "base/assert.h"
#include "upkeep/vacuum_core.h"

/* So often the user is asked whether to go on. */
#define CHECK_EVERY 1024

/* ---- What is hidden -------------------------------------------------------------------------- */

static dw_str
last_part(dw_str key)
{
    size_t slash = dw__str_find_last(key, '/');
    return slash == SIZE_MAX ? key : dw__str_slice(key, slash + 1, key.len);
}

/* "name=", the beginning of a partition's directory. */
static bool
begins_partition(dw_str part, dw_str name)
{
    return part.len > name.len && part.ptr[name.len] == '=' && dw__str_starts_with(part, name);
}

/* Partition columns may have names that begin like hidden ones; directories bear those of the
 * schema or the physical ones. */
static bool
is_partition(const dw_vacuum *v, dw_str part)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(v->snapshot);
    const dw_type *schema = dw__log_snapshot_schema(v->snapshot);
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw_str name = metadata->partition_columns[i];
        bool found = begins_partition(part, name);
        for (size_t k = 0; !found && k < schema->field_count; k++) {
            const dw_field *field = &schema->fields[k];
            found =
                dw__str_equal(field->name, name) && begins_partition(part, field->physical_name);
        }
        if (found) {
            return true;
        }
    }
    return false;
}

/* The rule of the reference: what begins with "." or "_" is hidden, but for partitions, change data
 * and the indexes that stand beside data files; Iceberg's metadata is hidden, too. */
static bool
is_part_hidden(const dw_vacuum *v, dw_str part)
{
    if (v->hides_metadata && dw__str_equal(part, DW_STR("metadata"))) {
        return true;
    }
    return part.len > 0 && (part.ptr[0] == '.' || part.ptr[0] == '_') &&
           !dw__str_starts_with(part, DW_STR("_delta_index")) &&
           !dw__str_starts_with(part, DW_STR("_change_data")) && !is_partition(v, part);
}

static bool
is_hidden(const dw_vacuum *v, dw_str key)
{
    for (dw_str rest = key; rest.len > 0;) {
        size_t slash = dw__str_find(rest, '/');
        if (is_part_hidden(v, dw__str_slice(rest, 0, slash == SIZE_MAX ? rest.len : slash))) {
            return true;
        }
        rest = slash == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, slash + 1, rest.len);
    }
    return false;
}

/* ---- Everything below the root --------------------------------------------------------------- */

static bool
enters(void *ctx, dw_str key, bool is_marked)
{
    dw_vacuum *v = ctx;
    if (is_part_hidden(v, last_part(key))) {
        atomic_fetch_add(&v->hidden_count, 1);
        return false;
    }
    atomic_fetch_add(&v->other_table_count, is_marked ? 1 : 0);
    return !is_marked;
}

static bool
wants(void *ctx, dw_str key)
{
    dw_vacuum *v = ctx;
    if (dw__vacuum_is_kept(v, key)) {
        return false;
    }
    bool hides = is_part_hidden(v, last_part(key)) && !dw__storage_is_leftover(key);
    atomic_fetch_add(&v->hidden_count, hides ? 1 : 0);
    return !hides;
}

/* Puts a file that nobody needs on the list, unless it is young. */
dw_status
dw__vacuum_take(dw_vacuum *v, const dw_object_meta *meta, dw_error *err)
{
    dw_status status = DW_OK;
    pthread_mutex_lock(&v->mutex);
    if (meta->modified_ms >= v->young_ms) {
        v->young.count++;
        v->young.bytes += meta->size_bytes;
    } else if (v->upkeep->dry_run && v->files.count >= (int64_t) DW_VACUUM_LISTED_MAX) {
        dw__key_list_count(&v->files, meta->size_bytes); /* nobody will ask for its name */
    } else {
        status = dw__key_list_push(&v->files, meta->key, meta->size_bytes, err);
    }
    pthread_mutex_unlock(&v->mutex);
    return status;
}

static dw_status
take_file(void *ctx, const dw_object_meta *meta, dw_error *err)
{
    dw_vacuum *v = ctx;
    if (atomic_fetch_add(&v->looked_at, 1) % CHECK_EVERY == 0) {
        DW_TRY(dw__upkeep_check(v->upkeep, err));
    }
    return dw__vacuum_take(v, meta, err);
}

static dw_status
take_directory(void *ctx, const dw_object_meta *meta, dw_error *err)
{
    dw_vacuum *v = ctx;
    DW_TRY(dw__upkeep_check(v->upkeep, err));
    pthread_mutex_lock(&v->mutex);
    v->directory_count++;
    dw_status status = DW_OK;
    if (meta->modified_ms < v->young_ms) {
        status = dw__key_list_push(&v->directories, meta->key, 0, err);
    }
    pthread_mutex_unlock(&v->mutex);
    return status;
}

dw_status
dw__vacuum_walk(dw_vacuum *v, dw_error *err)
{
    dw_walk walk = {.marker = DW_STR("_delta_log"),
                    .enters = enters,
                    .wants = wants,
                    .file = take_file,
                    .directory = take_directory,
                    .ctx = v};
    return dw__storage_walk(v->storage, &walk, err);
}

/* ---- One file -------------------------------------------------------------------------------- */

dw_status
dw__vacuum_consider(dw_vacuum *v, dw_str key, int64_t modified_ms, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_object_meta meta;
    bool is_new;
    if (atomic_fetch_add(&v->looked_at, 1) % CHECK_EVERY == 0) {
        DW_TRY(dw__upkeep_check(v->upkeep, err));
    }
    if (dw__storage_key_check(key, &cause) != DW_OK || is_hidden(v, key) ||
        dw__vacuum_is_kept(v, key)) {
        return DW_OK;
    }
    if (!dw__key_set_put(&v->seen, key, 1, &is_new)) {
        return dw__error_oom(err);
    }
    dw_status status = is_new ? dw__storage_head(v->storage, key, &meta, &cause) : DW_NOT_FOUND;
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    meta.modified_ms = modified_ms > meta.modified_ms ? modified_ms : meta.modified_ms;
    return dw__vacuum_take(v, &meta, err);
}
