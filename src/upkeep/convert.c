/*
 * From the files of a directory to the first commit of a table. Modelled on the reference's
 * ConvertToDeltaCommand.
 */
#include "upkeep/convert.h"

#include "codec/codec.h"
#include "codec/uri.h"
#include "lineage/lineage.h"
#include "protocol/feature.h"
#include "table/change.h"
#include "upkeep/convert_core.h"

#include <inttypes.h>

/* ---- Files ----------------------------------------------------------------------------------- */

static dw_status
put_file(dw_converting *c, const dw_convert_file *from, dw_change *change, dw_error *err)
{
    size_t count = c->spec->partition_count;
    dw_action action = {.kind = DW_ACTION_ADD};
    dw_file *file = &action.as.file;
    *file = (dw_file){.has_partition_values = true,
                      .has_size = true,
                      .size_bytes = from->size_bytes,
                      .modification_time_ms = from->modified_ms,
                      .data_change = true,
                      .stats = from->stats};
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    dw__uri_encode_path(&path, from->key);
    DW_TRY(dw__strbuf_ok(&path, "a file's path", err));
    file->partition_values.items = DW_ARENA_ARRAY(&c->arena, dw_pair, count + 1);
    if (file->partition_values.items == NULL ||
        !dw__arena_dup(&c->arena, dw__strbuf_str(&path), &file->path)) {
        return dw__error_oom(err);
    }
    file->partition_values.count = count;
    for (size_t i = 0; i < count; i++) {
        file->partition_values.items[i] =
            (dw_pair){.key = c->partition_columns[i], .value = from->values[i]};
    }
    dw__change_put(change, &action);
    return DW_OK;
}

/* ---- The definition -------------------------------------------------------------------------- */

static dw_status
put_definition(dw_converting *c, dw_change *change, dw_error *err)
{
    char uuid[DW_UUID_TEXT_SIZE];
    dw_pairs none = {0};
    dw_action protocol = {.kind = DW_ACTION_PROTOCOL};
    dw_action action = {.kind = DW_ACTION_METADATA};
    dw_metadata *metadata = &action.as.metadata;
    DW_TRY(dw__protocol_for_new_table(c->schema, &none, &c->arena, &protocol.as.protocol, err));
    DW_TRY(dw__protocol_check_write(&protocol.as.protocol, c->schema, err));
    dw__uuid_make(dw__table_env(c->table), uuid);
    *metadata = (dw_metadata){.name = DW_STR_NULL,
                              .description = DW_STR_NULL,
                              .format_provider = DW_STR("parquet"),
                              .partition_columns = c->partition_columns,
                              .partition_column_count = c->spec->partition_count,
                              .has_created_time = true,
                              .created_time_ms = dw__env_now_ms(dw__table_env(c->table))};
    DW_AUTO(dw_strbuf) schema = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    dw__schema_print(&schema, c->schema);
    DW_TRY(dw__strbuf_ok(&schema, "the schema", err));
    if (!dw__arena_dup(&c->arena, dw__str_from(uuid), &metadata->id) ||
        !dw__arena_dup(&c->arena, dw__strbuf_str(&schema), &metadata->schema_string)) {
        return dw__error_oom(err);
    }
    dw__change_put(change, &protocol);
    dw__change_put(change, &action);
    return DW_OK;
}

/* ---- The commit ------------------------------------------------------------------------------ */

static dw_status
describe(dw_converting *c, dw_change *change, dw_error *err)
{
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    dw__change_print_list(&list, c->partition_columns, c->spec->partition_count);
    DW_TRY(dw__strbuf_ok(&list, "the partition columns", err));
    dw__strbuf_printf(&json, "{\"numFiles\":%zu,\"collectStats\":%s", c->files.count,
                      c->spec->without_statistics ? "false" : "true");
    dw__change_put_parameter(&json, "partitionedBy", dw__strbuf_str(&list));
    dw__change_put_parameter(&json, "sourceFormat", DW_STR("parquet"));
    dw__strbuf_append_char(&json, '}');
    dw__change_put_metric(&metrics, "numConvertedFiles", (int64_t) c->files.count);
    dw__strbuf_append_char(&metrics, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    bool ok = dw__arena_dup(&c->arena, dw__strbuf_str(&json), &change->parameters_json) &&
              dw__arena_dup(&c->arena, dw__strbuf_str(&metrics), &change->metrics_json);
    return ok ? DW_OK : dw__error_oom(err);
}

/* The first of the files, by their paths, and how many they are. */
static dw_status
note_lineage(dw_converting *c, dw_error *err)
{
    size_t idx;
    dw_lineage *lineage = c->upkeep->limits.lineage;
    dw_str root = dw__table_root(c->table);
    dw_lineage_input input = {.table = DW_STR_NULL,
                              .table_id = DW_STR_NULL,
                              .version = -1,
                              .format = DW_STR("parquet"),
                              .file_total = (int64_t) c->files.count};
    if (lineage == NULL) {
        return DW_OK;
    }
    input.files = DW_ARENA_ARRAY(&c->arena, dw_str, DW_LINEAGE_FILES_MAX);
    bool ok = input.files != NULL;
    for (size_t i = 0; ok && i < c->files.count && i < DW_LINEAGE_FILES_MAX; i++) {
        input.files[i] = dw__arena_printf(&c->arena, "%.*s/%.*s", DW_STR_ARG(root),
                                          DW_STR_ARG(c->files.items[i].key));
        ok = !dw__str_is_null(input.files[i]);
        input.file_count++;
    }
    ok = ok && dw__lineage_add_input(lineage, &input, &idx) &&
         dw__lineage_set_copied(lineage, c->schema, idx, c->partition_columns,
                                c->spec->partition_count);
    return ok ? DW_OK : dw__error_oom(err);
}

static dw_status
make_change(dw_converting *c, dw_change *change, dw_error *err)
{
    DW_TRY(dw__change_init(change, c->table, NULL, &c->arena, c->files.count + 2, err));
    change->operation = "CONVERT"; /* `files` stays unset: nothing here is ours to remove */
    change->limits = c->upkeep->limits;
    DW_TRY(note_lineage(c, err));
    DW_TRY(put_definition(c, change, err));
    for (size_t i = 0; i < c->files.count; i++) {
        DW_TRY(put_file(c, &c->files.items[i], change, err));
    }
    return describe(c, change, err);
}

static dw_status
commit(dw_converting *c, dw_convert_result *out, dw_error *err)
{
    dw_change change;
    dw_txn_result done;
    DW_TRY(make_change(c, &change, err));
    if (c->upkeep->dry_run) {
        return DW_OK;
    }
    DW_TRY(dw__storage_prepare(dw__table_storage(c->table), DW_STR(""), err));
    DW_TRY(dw__change_commit(&change, &done, err));
    out->version = done.version;
    return DW_OK;
}

/* What becomes of the directory, up to the actions. */
static dw_status
look_at_files(dw_converting *c, dw_error *err)
{
    DW_TRY(dw__convert_find_files(c, err));
    DW_TRY(dw__convert_find_schema(c, err));
    bool measures = !c->spec->without_statistics && !c->upkeep->dry_run;
    return measures ? dw__convert_measure(c, err) : DW_OK;
}

static dw_status
run(dw_converting *c, dw_convert_result *out, dw_error *err)
{
    DW_TRY(dw__log_exists(dw__table_log(c->table), &out->was_table, err));
    if (out->was_table) {
        return DW_OK;
    }
    DW_TRY(look_at_files(c, err));
    out->file_count = (int64_t) c->files.count;
    for (size_t i = 0; i < c->files.count; i++) {
        out->size_bytes += c->files.items[i].size_bytes;
    }
    return commit(c, out, err);
}

static dw_converting
begin(dw_table *table, const dw_upkeep *upkeep, const dw_convert_spec *spec)
{
    dw_converting c = {.table = table, .upkeep = upkeep, .spec = spec};
    dw__arena_init(&c.arena, dw__table_env(table)->allocator);
    dw__map_init(&c.shapes, c.arena.allocator);
    return c;
}

static void
end(dw_converting *c)
{
    DW_VEC_DEINIT(c->arena.allocator, &c->files);
    dw__map_deinit(&c->shapes);
    dw__arena_deinit(&c->arena);
}

dw_status
dw__table_convert(dw_table *table, const dw_upkeep *upkeep, const dw_convert_spec *spec,
                  dw_convert_result *out, dw_error *err)
{
    *out = (dw_convert_result){.version = -1};
    dw_converting c = begin(table, upkeep, spec);
    dw_status status = run(&c, out, err);
    end(&c);
    return status;
}

/* ---- Without a commit ------------------------------------------------------------------------ */

static dw_status
imagine(dw_converting *c, dw_log_snapshot **out, dw_error *err)
{
    bool exists;
    dw_change change;
    DW_TRY(dw__log_exists(dw__table_log(c->table), &exists, err));
    if (exists) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "IS_DELTA_TABLE",
                             "expected a directory of Parquet files, found a Delta table: write "
                             "delta.`%.*s`",
                             DW_STR_ARG(dw__table_root(c->table)));
    }
    DW_TRY(look_at_files(c, err));
    DW_TRY(make_change(c, &change, err));
    return dw__log_snapshot_imagine(dw__table_log(c->table), change.actions, change.count, out,
                                    err);
}

dw_status
dw__table_convert_imagine(dw_table *directory, const dw_upkeep *upkeep, const dw_convert_spec *spec,
                          dw_log_snapshot **out, dw_error *err)
{
    *out = NULL;
    dw_converting c = begin(directory, upkeep, spec);
    dw_status status = imagine(&c, out, err);
    end(&c);
    return status;
}
