/*
 * Opening a scan: plan, prune, load what is deleted, and put a view in the place of each occurrence
 * of a table. [SCAN-2]
 */
#include "scan/scan.h"

#include "base/assert.h"
#include "codec/roaring.h"
#include "codec/uri.h"
#include "protocol/feature_use.h"
#include "protocol/type_widening.h"
#include "scan/column_use.h"
#include "scan/lookup.h"
#include "scan/scan_core.h"
#include "scan/scan_sql.h"
#include "scan/witness.h"

#include <inttypes.h>

/* ---- What a file is to the engine ------------------------------------------------------------ */

static dw_status
resolve_paths(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_file_set *set = source->relation.files;
    dw_str root = dw__log_storage(source->relation.log)->root;
    if (dw__str_is_null(root) && source->file_count > 0) {
        return dw__error_set(err, DW_UNSUPPORTED, "STORAGE_UNREACHABLE",
                             "expected a table whose files the query engine can open, found one in "
                             "memory");
    }
    source->paths = DW_ARENA_ARRAY(&scan->arena, dw_str, source->file_count);
    if (source->paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < source->file_count; i++) {
        dw_str path = dw__file_set_path(set, source->files[i]);
        DW_TRY(dw__uri_resolve(&scan->arena, root, path, &source->paths[i], err));
    }
    return DW_OK;
}

static bool
reads_variants(const dw_bound_source *source)
{
    const dw_type *schema = source->relation.schema;
    for (size_t i = 0; i < schema->field_count; i++) {
        if (dw__plan_reads(source->plan, i) &&
            dw__schema_has_kind(schema->fields[i].type, DW_TYPE_VARIANT)) {
            return true;
        }
    }
    return false;
}

/* What the relation says of the SELECT over its files. */
static dw_scan_sql
select_of(const dw_relation *relation)
{
    return (dw_scan_sql){.schema = relation->schema,
                         .partition_columns = relation->partition_columns,
                         .partition_count = relation->partition_count,
                         .mapping_mode = relation->mapping_mode,
                         .has_changes = relation->changes != NULL,
                         .metadata = relation->metadata,
                         .has_recorded_changes = relation->changes != NULL &&
                                                 dw__log_changes_has_recorded(relation->changes)};
}

/* Of files in a codec that the engine lacks; of those with variants that may be JSON's null; and of
 * those that call fields otherwise than they are looked for. */
static dw_status
make_copies(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_scan_sql select = select_of(&source->relation);
    DW_TRY(dw__scan_field_names(select.schema, select.mapping_mode,
                                dw__scan_sql_ignores_ids(&select), &scan->arena,
                                &source->copies.names, err));
    dw_status status = dw__plain_files_make(
        &source->copies, scan->env, dw__database_spill_directory(scan->database),
        reads_variants(source), source->paths, source->file_count, err);
    return status == DW_OK || err == NULL ? status : dw__scan_explain_error(scan, err);
}

/* The values of one partition column for all files: neighbours are often equal. */
static dw_status
fill_partition_column(dw_scan *scan, dw_bound_source *source, const dw_field *field, size_t column,
                      dw_error *err)
{
    const dw_file_set *set = source->relation.files;
    dw_str last = DW_STR_NULL;
    dw_str last_value = DW_STR_NULL;
    for (size_t i = 0; i < source->file_count; i++) {
        dw_str text = dw__file_set_partition_value(set, source->files[i], field->physical_name);
        if (text.ptr != last.ptr || text.len != last.len) {
            dw_status status = dw__scan_partition_text(field, text, &scan->arena, &last_value, err);
            if (status != DW_OK) {
                dw__error_context(err, "file %.*s",
                                  DW_STR_ARG(dw__file_set_path(set, source->files[i])));
                return status;
            }
            last = text;
        }
        source->partition_values[i * source->value_count + column] = last_value;
    }
    return DW_OK;
}

/* What the log says of the values of each file. Changes have one more: their kind. */
static dw_status
fill_partition_values(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_relation *relation = &source->relation;
    size_t column_count = relation->partition_count;
    size_t metadata_count = dw__scan_metadata_value_count(relation->metadata);
    source->value_count = column_count + metadata_count + (relation->changes != NULL ? 1 : 0);
    if (source->value_count == 0) {
        return DW_OK;
    }
    source->partition_values =
        DW_ARENA_ARRAY(&scan->arena, dw_str, source->file_count * source->value_count);
    if (source->partition_values == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < column_count; i++) {
        const dw_field *field = dw__schema_find(relation->schema, relation->partition_columns[i]);
        if (field == NULL) {
            return dw__error_set(err, DW_CORRUPT, "SCHEMA_INVALID",
                                 "the partition column %.*s is not in the table's schema",
                                 DW_STR_ARG(relation->partition_columns[i]));
        }
        DW_TRY(fill_partition_column(scan, source, field, i, err));
    }
    for (size_t i = 0; relation->metadata != NULL && i < source->file_count; i++) {
        dw_str *values = &source->partition_values[i * source->value_count + column_count];
        DW_TRY(dw__scan_metadata_values(source, i, &scan->arena, values, err));
    }
    for (size_t i = 0; relation->changes != NULL && i < source->file_count; i++) {
        source->partition_values[i * source->value_count + column_count] =
            dw__scan_change_text(source, i);
    }
    return DW_OK;
}

/* ---- Binding --------------------------------------------------------------------------------- */

/* Which version of which table is wrong. */
static void
add_place(const dw_bound_source *source, dw_error *err)
{
    if (source->snapshot == NULL) {
        return;
    }
    dw_str root = dw__log_storage(dw__log_snapshot_log(source->snapshot))->root;
    dw__error_context(err, "reading version %" PRId64 " of %.*s",
                      dw__log_snapshot_version(source->snapshot), DW_STR_ARG(root));
}

static dw_status
keep_text(dw_scan *scan, dw_bound_source *source, const dw_strbuf *text, dw_error *err)
{
    source->is_bound = true;
    return dw__arena_dup(&scan->arena, dw__strbuf_str(text), &source->sql) ? DW_OK
                                                                           : dw__error_oom(err);
}

static dw_status
inline_source(dw_scan *scan, dw_bound_source *source, dw_str sql, const dw_scan_files *files,
              dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(scan->env->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__connection_inline_scan(scan->connection, source->name, sql, files, &text, err));
    return keep_text(scan, source, &text, err);
}

/* Rows that can be looked up are given to the statement instead of files. */
static dw_status
inline_rows(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    dw_column_spec *columns;
    size_t column_count;
    dw_batch rows;
    bool is_found;
    DW_TRY(dw__scan_look_up(scan, source, &columns, &column_count, &rows, &is_found, err));
    if (!is_found) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(scan->env->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__connection_inline_rows(scan->connection, source->name, columns, column_count, &rows,
                                      &text, err));
    return keep_text(scan, source, &text, err);
}

static dw_status
bind_source(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, dw_error *err)
{
    const dw_relation *relation = &source->relation;
    dw_scan_part *parts;
    size_t part_count;
    DW_TRY(dw__scan_cut(source, plan, &scan->arena, &parts, &part_count, err));
    dw_status legal = dw__type_changes_check(relation->schema, false, &scan->arena, err);
    if (legal != DW_OK) {
        add_place(source, err);
        return legal;
    }
    bool instants_as_text;
    DW_TRY(dw__scan_find_zoneless_instants(scan->connection, relation->schema, source->paths,
                                           source->file_count, &scan->arena, &instants_as_text,
                                           err));
    dw_scan_sql select = select_of(relation);
    select.parts = parts;
    select.part_count = part_count;
    select.with_positions = source->with_positions;
    select.instants_as_text = instants_as_text;
    select.has_old_dates = source->has_old_dates;
    select.has_old_instants = source->has_old_instants;
    select.has_old_widened = source->has_old_dates && source->has_widened_dates;
    select.has_twins = source->copies.have_twins;
    select.compares_nulls = source->compares_nulls;
    select.connection = scan->connection;
    DW_TRY(dw__scan_find_witnesses(scan->env, &select, source->plan, source->paths,
                                   source->file_count, &scan->arena, err));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scan->env->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__scan_sql_print(&sql, &select, &scan->arena, err));
    dw_scan_files files = {.paths = source->paths,
                           .count = source->file_count,
                           .partition_values = source->partition_values,
                           .partition_column_count = source->value_count,
                           .deleted = source->deleted.items,
                           .kept = source->kept.items,
                           .old = source->old};
    if (source->is_inlined) {
        return inline_source(scan, source, dw__strbuf_str(&sql), &files, err);
    }
    dw_status status =
        dw__connection_bind_scan(scan->connection, source->name, dw__strbuf_str(&sql), &files, err);
    source->is_bound = status == DW_OK;
    return status == DW_OK || err == NULL ? status : dw__scan_explain_error(scan, err);
}

/* ---- Chosen rows ----------------------------------------------------------------------------- */

static dw_status
take_files(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_scan_rows *rows = source->rows;
    source->files = DW_ARENA_ARRAY(&scan->arena, dw_file_ref, rows->count);
    if (source->files == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < rows->count; i++) {
        source->files[i] = rows->files[i];
        source->report.bytes_read_max +=
            dw__file_set_file_size(source->relation.files, rows->files[i]);
    }
    source->file_count = rows->count;
    return DW_OK;
}

static dw_status
take_rows(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    const dw_allocator *allocator = scan->env->allocator;
    const dw_scan_rows *rows = source->rows;
    dw_dv_list *list = rows->are_left_out ? &source->deleted : &source->kept;
    *list = (dw_dv_list){.allocator = allocator, .count = rows->count};
    list->items = dw__alloc_zero(allocator, rows->count * sizeof(*list->items));
    list->own = dw__alloc_zero(allocator, rows->count * sizeof(*list->own));
    if (list->items == NULL || list->own == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < rows->count; i++) {
        bool says_nothing = rows->are_left_out && dw__rowset_cardinality(rows->rows[i]) == 0;
        list->items[i] = says_nothing ? NULL : rows->rows[i];
        list->is_any = list->is_any || !says_nothing;
    }
    return DW_OK;
}

/* ---- One source ------------------------------------------------------------------------------ */

static dw_status
choose_files(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, dw_error *err)
{
    source->plan = plan;
    if (source->rows != NULL) {
        return take_files(scan, source, err);
    }
    dw_prune_result pruned;
    DW_TRY(dw__scan_prune(&source->relation, plan, &scan->arena, &pruned, &source->report, err));
    source->files = pruned.files;
    source->file_count = pruned.count;
    return source->sets_whole_files_aside ? dw__scan_set_whole_files_aside(scan, source, err)
                                          : DW_OK;
}

static dw_status
load_rows(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    if (source->rows != NULL) {
        return take_rows(scan, source, err);
    }
    return source->changes != NULL
               ? dw__scan_load_changes(source, err)
               : dw__dv_list_load(dw__log_storage(source->relation.log), source->relation.files,
                                  source->files, source->file_count, &source->deleted, err);
}

static dw_status
load_source_rows(dw_scan *scan, dw_bound_source *source, dw_error *err)
{
    dw_status status = load_rows(scan, source, err);
    if (status == DW_CORRUPT) {
        add_place(source, err);
    }
    return status;
}

/* Which files are read, and which of their rows. */
static dw_status
choose_rows(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, dw_error *err)
{
    DW_TRY(choose_files(scan, source, plan, err));
    DW_TRY(resolve_paths(scan, source, err));
    return load_source_rows(scan, source, err);
}

static dw_status
open_files(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, dw_error *err)
{
    DW_TRY(dw__scan_find_old_values(scan, source, err));
    DW_TRY(make_copies(scan, source, err));
    DW_TRY(fill_partition_values(scan, source, err));
    return bind_source(scan, source, plan, err);
}

static dw_status
open_source(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, dw_error *err)
{
    DW_TRY(choose_rows(scan, source, plan, err));
    return open_files(scan, source, plan, err);
}

/* Gives the statement rows instead of files. Where they cannot be looked up, it gives the files if
 * the plan is all that is demanded; else another plan may need fewer of them. */
static dw_status
look_up_source(dw_scan *scan, dw_bound_source *source, const dw_plan_source *plan, bool is_all,
               bool *open_out, dw_error *err)
{
    DW_TRY(choose_rows(scan, source, plan, err));
    DW_TRY(inline_rows(scan, source, err));
    *open_out = source->is_bound || is_all;
    if (!source->is_bound && is_all) {
        return open_files(scan, source, plan, err);
    }
    if (!source->is_bound) {
        dw__dv_list_deinit(&source->deleted);
        source->report = (dw_scan_report){.predicate = DW_STR_NULL};
    }
    return DW_OK;
}

/* ---- The scan -------------------------------------------------------------------------------- */

static dw_status
prepare_sources(dw_scan *scan, const dw_scan_source *sources, size_t count, dw_plan_source **out,
                dw_error *err)
{
    scan->sources = DW_ARENA_ARRAY(&scan->arena, dw_bound_source, count);
    *out = DW_ARENA_ARRAY(&scan->arena, dw_plan_source, count);
    if (scan->sources == NULL || *out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        dw_bound_source *source = &scan->sources[i];
        if (!dw__arena_dup(&scan->arena, sources[i].name, &source->name)) {
            return dw__error_oom(err);
        }
        source->snapshot = dw__log_snapshot_ref(sources[i].snapshot);
        source->with_positions = sources[i].with_positions;
        source->compares_nulls = sources[i].compares_nulls;
        source->rows = sources[i].rows;
        source->sets_whole_files_aside = sources[i].sets_whole_files_aside;
        source->is_inlined = sources[i].is_inlined;
        source->relation = dw__relation_of_snapshot(source->snapshot);
        scan->count++;
        if (sources[i].changes != NULL) {
            source->changes = dw__log_changes_ref(sources[i].changes);
            source->relation = dw__relation_of_changes(source->changes);
        } else {
            DW_TRY(dw__scan_add_metadata(&source->relation, &sources[i], &scan->arena, err));
        }
        (*out)[i].name = source->name;
        (*out)[i].whole = dw__predicate_unknown();
        (*out)[i].with_positions = source->with_positions;
        dw__predicate_scope_init(&(*out)[i].scope, &scan->arena, source->relation.schema,
                                 source->relation.partition_columns,
                                 source->relation.partition_count);
    }
    return DW_OK;
}

/* Rows that are asked for by their keys. `open_out` false: the statement is to be planned. */
static dw_status
open_by_keys(dw_scan *scan, const dw_scan_source *from, dw_plan_source *plan, bool *open_out,
             dw_error *err)
{
    dw_bound_source *source = &scan->sources[0];
    DW_TRY(dw__scan_read_keys(plan, from->keys, from->key_count, open_out, err));
    if (!*open_out) {
        return DW_OK;
    }
    source->keys = from->keys;
    source->key_count = from->key_count;
    source->wanted = from->wanted;
    source->wanted_count = from->wanted_count;
    return look_up_source(scan, source, plan, from->are_keys_all, open_out, err);
}

static void
count_use(const dw_scan *scan, const dw_scan_source *sources, dw_plan_source *plans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i].use != NULL) {
            dw__column_use_count(sources[i].use, &plans[i], &scan->sources[i].report);
        }
    }
}

static dw_status
open_sources(dw_scan *scan, dw_database *database, dw_str sql, const dw_scan_source *sources,
             size_t count, dw_error *err)
{
    dw_plan_source *plans;
    DW_TRY(prepare_sources(scan, sources, count, &plans, err));
    bool is_open = false;
    if (count == 1 && sources[0].keys != NULL) {
        DW_TRY(open_by_keys(scan, &sources[0], &plans[0], &is_open, err));
    }
    bool is_planned = count > 1 || sources[0].rows == NULL;
    if (!is_open && is_planned) {
        DW_TRY(dw__scan_plan_sources(scan->connection, database, scan->env, sql, plans, count,
                                     &scan->arena, &scan->plan, err));
    }
    for (size_t i = 0; !is_open && i < count; i++) {
        DW_TRY(open_source(scan, &scan->sources[i], &plans[i], err));
    }
    count_use(scan, sources, plans, count);
    return DW_OK;
}

dw_status
dw__scan_open(dw_connection *connection, dw_database *database, dw_str sql,
              const dw_scan_source *sources, size_t count, dw_scan **out, dw_error *err)
{
    dw_assert(count > 0);
    *out = NULL;
    const dw_env *env = dw__log_env(dw__log_snapshot_log(sources[0].snapshot));
    dw_scan *scan = DW_NEW(env->allocator, dw_scan);
    if (scan == NULL) {
        return dw__error_oom(err);
    }
    scan->env = env;
    scan->connection = connection;
    scan->database = database;
    dw__arena_init(&scan->arena, env->allocator);
    dw_status status = open_sources(scan, database, sql, sources, count, err);
    if (status != DW_OK) {
        dw__scan_close(scan);
        return status;
    }
    *out = scan;
    return DW_OK;
}

void
dw__scan_close(dw_scan *scan)
{
    if (scan == NULL) {
        return;
    }
    for (size_t i = 0; i < scan->count; i++) {
        dw_bound_source *source = &scan->sources[i];
        if (source->is_bound) {
            dw__connection_unbind_scan(scan->connection, source->name);
        }
        dw__plain_files_deinit(&source->copies, scan->env);
        dw__dv_list_deinit(&source->deleted);
        dw__dv_list_deinit(&source->kept);
        dw__log_changes_unref(source->changes);
        dw__log_snapshot_unref(source->snapshot);
    }
    dw__arena_deinit(&scan->arena);
    DW_DELETE(scan->env->allocator, scan);
}

const dw_file_ref *
dw__scan_whole_files(const dw_scan *scan, size_t source_idx, size_t *count_out)
{
    dw_assert(source_idx < scan->count);
    *count_out = scan->sources[source_idx].whole_file_count;
    return scan->sources[source_idx].whole_files;
}

dw_str
dw__scan_plan_text(const dw_scan *scan)
{
    return scan->plan;
}

dw_str
dw__scan_source_name(const dw_scan *scan, size_t source_idx)
{
    dw_assert(source_idx < scan->count);
    return scan->sources[source_idx].name;
}

bool
dw__scan_has_changes(const dw_scan *scan, size_t source_idx)
{
    dw_assert(source_idx < scan->count);
    return scan->sources[source_idx].changes != NULL;
}

const dw_log_snapshot *
dw__scan_snapshot(const dw_scan *scan, size_t source_idx)
{
    dw_assert(source_idx < scan->count);
    return scan->sources[source_idx].snapshot;
}

dw_str
dw__scan_path(const dw_scan *scan, size_t source_idx, dw_file_ref ref)
{
    dw_assert(source_idx < scan->count);
    return dw__file_set_path(scan->sources[source_idx].relation.files, ref);
}

dw_str
dw__scan_text(const dw_scan *scan, size_t source_idx)
{
    dw_assert(source_idx < scan->count);
    const dw_bound_source *source = &scan->sources[source_idx];
    return source->is_inlined ? source->sql : source->name;
}

size_t
dw__scan_source_count(const dw_scan *scan)
{
    return scan->count;
}

const dw_scan_report *
dw__scan_report(const dw_scan *scan, size_t source_idx)
{
    dw_assert(source_idx < scan->count);
    return &scan->sources[source_idx].report;
}

const dw_file_ref *
dw__scan_files(const dw_scan *scan, size_t source_idx, size_t *count_out)
{
    dw_assert(source_idx < scan->count);
    *count_out = scan->sources[source_idx].file_count;
    return scan->sources[source_idx].files;
}
