/*
 * From the source's files and definition to the commit in the target. Modelled on the reference's
 * CloneTableBase; that a target with rows may be replaced, and gets the difference, is ours.
 */
#include "upkeep/clone.h"

#include "codec/codec.h"
#include "codec/uri.h"
#include "lineage/lineage.h"
#include "table/change.h"
#include "upkeep/clone_files.h"
#include "upkeep/definition_copy.h"

#include <inttypes.h>

#define PARAMETERS_BYTES_MAX ((size_t) 1 << 20)
/* How many files pass between two looks at whether the user wants to stop. */
#define FILES_A_LOOK 1024

typedef struct cloning {
    dw_table *target;
    const dw_upkeep *upkeep;
    const dw_clone_spec *spec;
    dw_log_snapshot *existing; /* NULL: there is no table. Owned */
    dw_arena arena;
    dw_clone_files files;
    dw_map wanted; /* with `existing`: keys of all files that the target is to have */
    dw_change change;
    dw_file_reader reader;
    dw_definition_copy definition;
    dw_clone_result *result;
    bool is_same; /* the definition is what it was */
} cloning;

/* ---- The target ------------------------------------------------------------------------------ */

static dw_status
find_existing(cloning *c, bool *nothing_to_do_out, dw_error *err)
{
    bool exists;
    dw_log *log = dw__table_log(c->target);
    *nothing_to_do_out = false;
    if (dw__str_equal(dw__table_root(c->target), dw__table_root(c->spec->source))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "CLONE_INTO_ITSELF",
                             "the table at %.*s cannot be cloned into itself: use RESTORE to go "
                             "back to a version",
                             DW_STR_ARG(dw__table_root(c->target)));
    }
    DW_TRY(dw__log_exists(log, &exists, err));
    DW_TRY(dw__create_check_mode(c->target, c->spec->mode, exists, nothing_to_do_out, err));
    return exists && !*nothing_to_do_out ? dw__log_snapshot(log, &c->existing, err) : DW_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* What [FILES-2] tells files apart by. */
static dw_status
key_of(cloning *c, const dw_file *file, dw_str *out, dw_error *err)
{
    dw_str path, vector;
    DW_TRY(dw__uri_canonical(&c->arena, file->path, &path, err));
    DW_TRY(dw__dv_unique_id(file->dv, &c->arena, &vector, err));
    *out = dw__arena_printf(&c->arena, "%.*s\n%.*s", DW_STR_ARG(path), DW_STR_ARG(vector));
    return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
}

static dw_status
note_live_files(cloning *c, dw_error *err)
{
    dw_file_ref ref;
    dw_file_set *set = c->existing == NULL ? NULL : dw__log_snapshot_files(c->existing);
    bool ok = set != NULL && dw__file_set_first(set, &ref);
    for (; ok; ok = dw__file_set_next(set, &ref)) {
        DW_TRY(dw__clone_files_note_live(&c->files, set, ref, err));
    }
    return DW_OK;
}

/* The clone gives ids of its own, and keeps those that it gave to the file. */
static dw_status
choose_row_ids(cloning *c, dw_file *file, dw_error *err)
{
    const dw_clone_live *live;
    DW_TRY(dw__clone_files_find_live(&c->files, file->path, &live, err));
    file->has_base_row_id = live != NULL && live->has_base_row_id;
    file->has_default_row_commit_version = live != NULL && live->has_commit_version;
    file->base_row_id = file->has_base_row_id ? live->base_row_id : 0;
    file->default_row_commit_version =
        file->has_default_row_commit_version ? live->commit_version : 0;
    return DW_OK;
}

/* True when the target has the file, and it is still the same one. */
static dw_status
is_there(cloning *c, const dw_file *file, bool *out, dw_error *err)
{
    const dw_clone_live *live;
    DW_TRY(dw__log_snapshot_has_file(c->existing, file, out, err));
    DW_TRY(dw__clone_files_find_live(&c->files, file->path, &live, err));
    if (*out && (live == NULL || !dw__clone_files_is_same(&c->files, live, file))) {
        c->change.recommits_files = true;
        *out = false;
    }
    return DW_OK;
}

/* The file as the target has it; added unless it is there as such. */
static dw_status
put_file(cloning *c, dw_file *file, dw_error *err)
{
    int64_t copied;
    bool is_live = false;
    DW_TRY(dw__clone_files_map(&c->files, file, &copied, err));
    c->result->files_copied += copied;
    c->result->bytes_copied += copied * file->size_bytes;
    if (c->existing != NULL) {
        dw_str key;
        DW_TRY(key_of(c, file, &key, err));
        if (dw__map_put(&c->wanted, key, NULL) == NULL) {
            return dw__error_oom(err);
        }
        DW_TRY(is_there(c, file, &is_live, err));
    }
    if (is_live) {
        return DW_OK;
    }
    file->data_change = true;
    DW_TRY(choose_row_ids(c, file, err));
    dw_action action = {.kind = DW_ACTION_ADD, .as.file = *file};
    DW_TRY(dw__change_reserve(&c->change, 1, err));
    dw__change_put(&c->change, &action);
    return DW_OK;
}

static dw_status
put_files(cloning *c, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(c->spec->snapshot);
    dw_file_ref ref;
    int64_t seen = 0;
    DW_TRY(note_live_files(c, err));
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_file file;
        if (seen++ % FILES_A_LOOK == 0) {
            DW_TRY(dw__upkeep_check(c->upkeep, err));
        }
        DW_TRY(dw__file_reader_get(&c->reader, set, ref, &c->arena, &file, err));
        DW_TRY(put_file(c, &file, err));
    }
    return DW_OK;
}

static dw_status
take_out(cloning *c, dw_error *err)
{
    dw_file_set *set = c->existing == NULL ? NULL : dw__log_snapshot_files(c->existing);
    dw_file_ref ref;
    bool ok = set != NULL && dw__file_set_first(set, &ref);
    for (; ok; ok = dw__file_set_next(set, &ref)) {
        dw_str key;
        dw_file file = dw__file_set_key(set, ref);
        DW_TRY(key_of(c, &file, &key, err));
        if (dw__map_get(&c->wanted, key) == NULL) {
            DW_TRY(dw__file_reader_get(&c->reader, set, ref, &c->arena, &file, err));
            DW_TRY(dw__change_reserve(&c->change, 1, err));
            dw__change_put_remove_of(&c->change, &file);
        }
    }
    c->result->files_removed = c->change.removed_file_count;
    c->result->bytes_removed = c->change.removed_bytes;
    if (c->result->files_removed > 0 && dw__log_snapshot_properties(c->existing)->append_only) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                             "the table only takes appends (delta.appendOnly = true), and %" PRId64
                             " files would have to go: clone to another place",
                             c->result->files_removed);
    }
    return DW_OK;
}

/* ---- The commit ------------------------------------------------------------------------------ */

static dw_status
name_table(cloning *c, dw_error *err)
{
    dw_metadata *metadata = &c->definition.metadata;
    if (c->existing != NULL) {
        const dw_metadata *now = dw__log_snapshot_metadata(c->existing);
        metadata->id = now->id;
        metadata->name = now->name;
        metadata->description = now->description;
        return DW_OK;
    }
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(dw__table_env(c->target), uuid);
    metadata->name = DW_STR_NULL;
    metadata->description = DW_STR_NULL;
    return dw__arena_dup(&c->arena, dw__str_from(uuid), &metadata->id) ? DW_OK : dw__error_oom(err);
}

static dw_status
put_definition(cloning *c, dw_error *err)
{
    dw_action clustering;
    c->definition = (dw_definition_copy){
        .wanted = c->spec->snapshot, .current = c->existing, .overrides = c->spec->properties};
    DW_TRY(dw__definition_copy(&c->definition, &c->arena, err));
    DW_TRY(name_table(c, err));
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL, .as.protocol = c->definition.protocol};
    dw_action metadata = {.kind = DW_ACTION_METADATA, .as.metadata = c->definition.metadata};
    bool is_clustered_anew = dw__definition_copy_clustering(&c->definition, &clustering);
    c->is_same = c->existing != NULL && !is_clustered_anew &&
                 dw__definition_copy_equals(&c->definition, c->existing);
    if (c->existing == NULL ||
        !dw__protocol_equal(&c->definition.protocol, dw__log_snapshot_protocol(c->existing))) {
        dw__change_put(&c->change, &protocol);
    }
    dw__change_put(&c->change, &metadata);
    if (is_clustered_anew) {
        dw__change_put(&c->change, &clustering);
    }
    return DW_OK;
}

static dw_status
describe(cloning *c, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(c->arena.allocator, PARAMETERS_BYTES_MAX);
    dw__change_put_parameter(&json, "source", c->spec->source_name);
    dw__strbuf_printf(&json, ",\"sourceVersion\":%" PRId64 ",\"isShallow\":%s}",
                      dw__log_snapshot_version(c->spec->snapshot),
                      c->spec->deep ? "false" : "true");
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(c->arena.allocator, PARAMETERS_BYTES_MAX);
    dw__change_put_metric(&metrics, "sourceTableSize", c->result->source_bytes);
    dw__change_put_metric(&metrics, "sourceNumOfFiles", c->result->source_files);
    dw__change_put_metric(&metrics, "numRemovedFiles", c->result->files_removed);
    dw__change_put_metric(&metrics, "numCopiedFiles", c->result->files_copied);
    dw__change_put_metric(&metrics, "removedFilesSize", c->result->bytes_removed);
    dw__change_put_metric(&metrics, "copiedFilesSize", c->result->bytes_copied);
    dw__strbuf_append_char(&metrics, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    bool ok = dw__arena_dup(&c->arena, dw__strbuf_str(&json), &c->change.parameters_json) &&
              dw__arena_dup(&c->arena, dw__strbuf_str(&metrics), &c->change.metrics_json);
    return ok ? DW_OK : dw__error_oom(err);
}

/* The files of a directory are noted when they are found. */
static dw_status
note_lineage(const cloning *c, dw_error *err)
{
    dw_lineage *lineage = c->upkeep->limits.lineage;
    if (lineage != NULL) {
        lineage->statement.replaces = c->existing != NULL;
    }
    return c->spec->is_directory || dw__lineage_set_version(lineage, c->spec->snapshot)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
commit(cloning *c, size_t definition_count, dw_error *err)
{
    if (c->is_same && c->change.count == definition_count) {
        return DW_OK; /* [CLONE-2] */
    }
    if (c->upkeep->dry_run) {
        return DW_OK;
    }
    DW_TRY(dw__storage_prepare(dw__table_storage(c->target), DW_STR(""), err));
    DW_TRY(dw__clone_files_copy(&c->files, c->upkeep, err));
    dw_txn_result done;
    DW_TRY(note_lineage(c, err));
    DW_TRY(dw__change_commit(&c->change, &done, err));
    c->result->version = done.version;
    return DW_OK;
}

static dw_status
run(cloning *c, dw_error *err)
{
    bool nothing_to_do;
    const dw_file_set *source = dw__log_snapshot_files(c->spec->snapshot);
    c->result->source_files = (int64_t) dw__file_set_count(source);
    c->result->source_bytes = dw__file_set_size_bytes(source);
    DW_TRY(find_existing(c, &nothing_to_do, err));
    if (nothing_to_do) {
        return DW_OK;
    }
    DW_TRY(dw__change_init(&c->change, c->target, c->existing, &c->arena,
                           (size_t) c->result->source_files + 3, err));
    c->change.operation = "CLONE";
    c->change.limits = c->upkeep->limits;
    c->change.reads_whole_table = c->existing != NULL;
    c->change.replaces_table = c->existing != NULL;
    DW_TRY(put_definition(c, err));
    size_t definition_count = c->change.count;
    DW_TRY(put_files(c, err));
    DW_TRY(take_out(c, err));
    DW_TRY(describe(c, err));
    return commit(c, definition_count, err);
}

dw_status
dw__table_clone(dw_table *target, const dw_upkeep *upkeep, const dw_clone_spec *spec,
                dw_clone_result *out, dw_error *err)
{
    *out = (dw_clone_result){.version = -1};
    cloning c = {.target = target, .upkeep = upkeep, .spec = spec, .result = out};
    dw__arena_init(&c.arena, dw__table_env(target)->allocator);
    dw__map_init(&c.wanted, c.arena.allocator);
    dw__clone_files_init(&c.files, spec->source, target, spec->deep, &c.arena);
    c.files.may_change = spec->is_directory;
    dw_status status = run(&c, err);
    dw__file_reader_deinit(&c.reader);
    dw__clone_files_deinit(&c.files);
    dw__map_deinit(&c.wanted);
    dw__log_snapshot_unref(c.existing);
    dw__arena_deinit(&c.arena);
    return status;
}
