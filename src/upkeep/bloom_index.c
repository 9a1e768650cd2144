/*
 * The definition of an index is a change of the metadata of columns; its filters are files beside
 * the log, of which no version knows.
 */
#include "upkeep/bloom_index.h"

#include "bloom/item.h"
#include "codec/rows.h"
#include "table/alter_core.h"
#include "table/change.h"
#include "table/filters.h"

#define PARAMETERS_BYTES_MAX ((size_t) 1 << 20)

/* ---- The definition -------------------------------------------------------------------------- */

static dw_status
refuse_type(const dw_field *field, const char *why, dw_error *err)
{
    char text[DW_TYPE_TEXT_SIZE];
    return dw__error_set(err, DW_INVALID_ARGUMENT, "UNSUPPORTED_COLUMN_TYPE_IN_BLOOM_FILTER",
                         "expected a column that can have a bloom-filter index, found %.*s of the "
                         "type %s: %s",
                         DW_STR_ARG(field->name), dw__type_text(field->type, text), why);
}

static dw_status
check_column(const dw_log_snapshot *snapshot, const dw_field *field, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    if (dw__str_among(metadata->partition_columns, metadata->partition_column_count, field->name)) {
        return refuse_type(field, "it is a partition column, by which files are found already",
                           err);
    }
    if (!dw__item_is_of(field->type)) {
        return refuse_type(field,
                           "only numbers, strings, binaries, dates and timestamps at the "
                           "top level can be looked up",
                           err);
    }
    return dw__bloom_has_collation(field)
               ? refuse_type(field, "its collation makes different texts equal", err)
               : DW_OK;
}

static dw_status
no_such_column(const dw_type *schema, dw_str column, const char *code, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, code,
                         "expected a column of the table at its top level, found %.*s, which is "
                         "none of its %zu columns",
                         DW_STR_ARG(column), schema->field_count);
}

/* A copy of the schema whose fields can be changed. */
static dw_status
copy_schema(dw_alter *alter, dw_field **fields_out, dw_error *err)
{
    const dw_type *schema = alter->schema;
    dw_field *fields = DW_ARENA_ARRAY(&alter->arena, dw_field, schema->field_count + 1);
    dw_type *copy = DW_ARENA_NEW(&alter->arena, dw_type);
    if (fields == NULL || copy == NULL) {
        return dw__error_oom(err);
    }
    memcpy(fields, schema->fields, schema->field_count * sizeof *fields);
    *copy = *schema;
    copy->fields = fields;
    alter->schema = copy;
    *fields_out = fields;
    return DW_OK;
}

/* Gives the field other options (NULL: none); whether that changes anything. */
static dw_status
define(dw_alter *alter, dw_field *field, const dw_bloom_options *options, bool *changed,
       dw_error *err)
{
    dw_str metadata;
    DW_TRY(dw__bloom_define(field, options, &alter->arena, &metadata, err));
    *changed = *changed || !dw__str_equal(metadata, field->metadata_json);
    field->metadata_json = metadata;
    return DW_OK;
}

static dw_status
check_count(const dw_type *schema, dw_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        count += dw__bloom_is_indexed(&schema->fields[i]) ? 1 : 0;
    }
    return count <= DW_BLOOM_COLUMNS_MAX
               ? DW_OK
               : dw__error_set(err, DW_INVALID_ARGUMENT, "TOO_MANY_BLOOM_FILTERS",
                               "expected at most %zu columns with a bloom-filter index, found %zu",
                               DW_BLOOM_COLUMNS_MAX, count);
}

static dw_status
add_columns(dw_alter *alter, const dw_bloom_request *requests, size_t count, bool *changed,
            dw_error *err)
{
    dw_field *fields;
    DW_TRY(copy_schema(alter, &fields, err));
    for (size_t i = 0; i < count; i++) {
        size_t idx = dw__schema_find_idx(alter->schema, requests[i].column);
        if (idx == SIZE_MAX) {
            return no_such_column(alter->schema, requests[i].column,
                                  "CANNOT_CREATE_BLOOM_FILTER_NON_EXISTING_COL", err);
        }
        DW_TRY(check_column(alter->snapshot, &fields[idx], err));
        DW_TRY(define(alter, &fields[idx], &requests[i].options, changed, err));
    }
    return check_count(alter->schema, err);
}

static dw_status
drop_columns(dw_alter *alter, const dw_str *columns, size_t count, bool *changed, dw_error *err)
{
    dw_field *fields;
    DW_TRY(copy_schema(alter, &fields, err));
    for (size_t i = 0; i < count; i++) {
        size_t idx = dw__schema_find_idx(alter->schema, columns[i]);
        if (idx == SIZE_MAX) {
            return no_such_column(alter->schema, columns[i],
                                  "CANNOT_DROP_BLOOM_FILTER_ON_NON_EXISTING_COL", err);
        }
        if (!dw__bloom_is_indexed(&fields[idx])) {
            return dw__error_set(err, DW_INVALID_ARGUMENT,
                                 "CANNOT_DROP_BLOOM_FILTER_ON_NON_INDEXED_COLUMN",
                                 "expected a column with a bloom-filter index, found %.*s, which "
                                 "has none",
                                 DW_STR_ARG(fields[idx].name));
        }
        DW_TRY(define(alter, &fields[idx], NULL, changed, err));
    }
    for (size_t i = 0; count == 0 && i < alter->schema->field_count; i++) {
        if (dw__bloom_is_indexed(&fields[i])) {
            DW_TRY(define(alter, &fields[i], NULL, changed, err));
        }
    }
    return DW_OK;
}

/* Names of columns as a parameter of the operation. */
static dw_status
commit_definition(dw_alter *alter, const dw_upkeep *upkeep, const char *operation,
                  const dw_str *columns, size_t count, int64_t *version_out, dw_error *err)
{
    DW_AUTO(dw_strbuf) parameters = dw__strbuf_make(alter->arena.allocator, PARAMETERS_BYTES_MAX);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(alter->arena.allocator, PARAMETERS_BYTES_MAX);
    dw__change_print_list(&list, columns, count);
    dw__change_put_parameter(&parameters, "columns", dw__strbuf_str(&list));
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", err));
    DW_TRY(dw__alter_print_schema(alter, err));
    dw_alter_report report = {.arena = &alter->arena, .limits = upkeep->limits, .version = -1};
    dw_status status = dw__alter_commit(alter, operation, &parameters, &report, err);
    *version_out = report.version;
    return status;
}

/* ---- The filters ----------------------------------------------------------------------------- */

typedef struct making {
    dw_table *table;
    const dw_upkeep *upkeep;
    dw_log_snapshot *snapshot;
    dw_bloom_columns columns;
    dw_file_ref *refs; /* files without filters */
    size_t count;
    dw_arena arena;
    dw_bloom_index_result *result;
} making;

static dw_status
find_missing(making *m, dw_error *err)
{
    m->result->file_count = (int64_t) dw__file_set_count(dw__log_snapshot_files(m->snapshot));
    return dw__filters_find_missing(m->snapshot, &m->columns, &m->arena, &m->refs, &m->count, err);
}

static dw_status
make_missing(making *m, dw_error *err)
{
    size_t done = 0;
    m->result->left_count = (int64_t) m->count;
    while (done < m->count && !dw__upkeep_is_over(m->upkeep)) {
        size_t made;
        int64_t size;
        DW_TRY(dw__upkeep_go_on(m->upkeep, (int64_t) done, (int64_t) m->count, err));
        DW_TRY(dw__filters_make(m->table, m->upkeep->connection, m->snapshot, &m->columns,
                                &m->refs[done], m->count - done, &made, &size, err));
        done += made;
        m->result->made_count += (int64_t) made;
        m->result->left_count -= (int64_t) made;
        m->result->size_bytes += size;
    }
    return DW_OK;
}

/* What nobody can read has been made again by now. */
static dw_status
remove_damaged(const making *m, dw_error *err)
{
    DW_AUTO(dw_bloom_view_ptr) view = NULL;
    DW_TRY(dw__bloom_store_look(dw__log_filters(dw__table_log(m->table)),
                                dw__log_snapshot_version(m->snapshot), &view, err));
    for (size_t i = 0; i < dw__bloom_view_file_count(view); i++) {
        if (dw__bloom_view_index(view, i) == NULL) {
            DW_TRY(
                dw__storage_remove(dw__table_storage(m->table), dw__bloom_view_key(view, i), err));
            dw__bloom_store_note_change(dw__log_filters(dw__table_log(m->table)));
        }
    }
    return DW_OK;
}

static dw_status
make_all(making *m, dw_error *err)
{
    DW_TRY(dw__log_snapshot(dw__table_log(m->table), &m->snapshot, err));
    DW_TRY(dw__filters_columns(m->snapshot, &m->arena, &m->columns, err));
    if (m->columns.count == 0) {
        return DW_OK;
    }
    DW_TRY(find_missing(m, err));
    DW_TRY(make_missing(m, err));
    if (m->result->left_count == 0) {
        DW_TRY(remove_damaged(m, err));
    }
    if (m->result->made_count > 0) {
        dw__filters_tidy(m->table, m->snapshot);
    }
    return DW_OK;
}

static void
making_deinit(making *m)
{
    dw__log_snapshot_unref(m->snapshot);
    dw__arena_deinit(&m->arena);
}

/* What a run would do with the files that there are. */
static dw_status
tell(making *m, const dw_alter *alter, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(alter->snapshot);
    m->snapshot = dw__log_snapshot_ref(alter->snapshot);
    DW_TRY(dw__bloom_columns_of(alter->schema, metadata->partition_columns,
                                metadata->partition_column_count, &m->arena, &m->columns, err));
    DW_TRY(find_missing(m, err));
    for (size_t i = 0; i < m->count; i++) {
        m->result->size_bytes +=
            dw__file_set_file_size(dw__log_snapshot_files(m->snapshot), m->refs[i]);
    }
    m->result->made_count = (int64_t) m->count;
    return DW_OK;
}

/* ---- The commands ---------------------------------------------------------------------------- */

static dw_status
define_index(making *m, dw_alter *alter, const dw_bloom_request *requests, size_t count,
             dw_error *err)
{
    bool changed = false;
    dw_str *names = DW_ARENA_ARRAY(&alter->arena, dw_str, count + 1);
    if (names == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = requests[i].column;
    }
    DW_TRY(add_columns(alter, requests, count, &changed, err));
    if (m->upkeep->dry_run) {
        return tell(m, alter, err);
    }
    return changed ? commit_definition(alter, m->upkeep, "CREATE BLOOMFILTER INDEX", names, count,
                                       &m->result->version, err)
                   : DW_OK;
}

dw_status
dw__table_create_bloom_index(dw_table *table, const dw_upkeep *upkeep,
                             const dw_bloom_request *requests, size_t count,
                             dw_bloom_index_result *result_out, dw_error *err)
{
    dw_alter alter;
    making m = {.table = table, .upkeep = upkeep, .result = result_out};
    *result_out = (dw_bloom_index_result){.version = -1};
    dw__arena_init(&m.arena, dw__table_env(table)->allocator);
    dw_status status = dw__alter_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = define_index(&m, &alter, requests, count, err);
    }
    dw__alter_close(&alter);
    if (status == DW_OK && !upkeep->dry_run) {
        status = make_all(&m, err);
    }
    making_deinit(&m);
    return status;
}

dw_status
dw__table_drop_bloom_index(dw_table *table, const dw_upkeep *upkeep, const dw_str *columns,
                           size_t count, int64_t *version_out, dw_error *err)
{
    dw_alter alter;
    bool changed = false;
    *version_out = -1;
    dw_status status = dw__alter_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = drop_columns(&alter, columns, count, &changed, err);
    }
    if (status == DW_OK && changed && !upkeep->dry_run) {
        status = commit_definition(&alter, upkeep, "DROP BLOOMFILTER INDEX", columns, count,
                                   version_out, err);
    }
    dw__alter_close(&alter);
    return status;
}

void
dw__bloom_index_keep_up(const dw_upkeep *upkeep, dw_table *table)
{
    dw_error err = DW_ERROR_INIT;
    dw_bloom_index_result result = {.version = -1};
    making m = {.table = table, .upkeep = upkeep, .result = &result};
    if (upkeep->dry_run) {
        return;
    }
    dw__arena_init(&m.arena, dw__table_env(table)->allocator);
    dw_status status = make_all(&m, &err);
    making_deinit(&m);
    if (status != DW_OK) {
        dw__env_warn(dw__table_env(table), "not all files got their bloom filters: %s",
                     err.message);
    }
}

/* ---- SHOW ------------------------------------------------------------------------------------ */

static void
put_column(dw_rows *rows, const dw_bloom_column *column, int64_t file_count, int64_t missing)
{
    dw__rows_put_str(rows, column->field->name);
    dw__rows_put_double(rows, column->options.fpp);
    if (column->options.item_count > 0) {
        dw__rows_put_i64(rows, column->options.item_count);
    } else {
        dw__rows_put_null(rows);
    }
    dw__rows_put_double(rows, column->options.expected_fpp_max);
    dw__rows_put_i64(rows, file_count);
    dw__rows_put_i64(rows, file_count - missing);
}

static dw_status
put_columns(dw_log_snapshot *snapshot, dw_arena *arena, dw_rows *rows, dw_error *err)
{
    dw_bloom_columns columns;
    int64_t file_count = (int64_t) dw__file_set_count(dw__log_snapshot_files(snapshot));
    DW_TRY(dw__filters_columns(snapshot, arena, &columns, err));
    for (size_t i = 0; i < columns.count; i++) {
        size_t missing;
        dw_file_ref *refs;
        dw_bloom_columns one = {.items = &columns.items[i], .count = 1};
        DW_TRY(dw__filters_find_missing(snapshot, &one, arena, &refs, &missing, err));
        put_column(rows, &columns.items[i], file_count, (int64_t) missing);
    }
    return DW_OK;
}

dw_status
dw__table_show_bloom_indexes(dw_log_snapshot *snapshot, const dw_env *env,
                             struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"column", DW_ROWS_STR, 0, 0},   {"fpp", DW_ROWS_DOUBLE, 0, 0},
        {"numItems", DW_ROWS_I64, 0, 0}, {"maxExpectedFpp", DW_ROWS_DOUBLE, 0, 0},
        {"numFiles", DW_ROWS_I64, 0, 0}, {"numIndexedFiles", DW_ROWS_I64, 0, 0},
    };
    dw_rows *rows;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    DW_TRY(dw__rows_new(env->allocator, columns, sizeof columns / sizeof *columns, &rows, err));
    dw_status status = put_columns(snapshot, &arena, rows, err);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, err);
}
