/*
 * What the changes of columns share: opening, names, types, what commits say. [COLUMN-1..3]
 */
#include "table/alter_columns_core.h"

#include "codec/json.h"
#include "protocol/column_mapping.h"
#include "protocol/type_widening.h"
#include "table/change.h"
#include "table/column_dependants.h"

#define TEXT_BYTES_MAX ((size_t) 1 << 20)
/* delta.columnMapping.mode */
#define OWN_PROPERTIES 1

dw_status
dw__columns_open(dw_alter *alter, dw_table *table, size_t more, dw_error *err)
{
    DW_TRY(dw__alter_open(alter, table, more + OWN_PROPERTIES, err));
    return dw__schema_parse("the table's schema", alter->metadata.schema_string, &alter->arena,
                            &alter->schema, err);
}

static dw_mapping_mode
mapping_mode(const dw_alter *alter)
{
    dw_properties properties;
    dw__properties_read(&alter->metadata.configuration, &properties, NULL);
    return properties.mapping_mode;
}

dw_status
dw__columns_commit(dw_alter *alter, const char *operation, dw_strbuf *parameters,
                   dw_alter_report *report, dw_error *err)
{
    const dw_metadata *metadata = &alter->metadata;
    DW_TRY(dw__schema_check(alter->schema, metadata->partition_columns,
                            metadata->partition_column_count,
                            mapping_mode(alter) != DW_MAPPING_NONE, err));
    DW_TRY(dw__alter_print_schema(alter, err));
    return dw__alter_commit(alter, operation, parameters, report, err);
}

/* ---- Column mapping -------------------------------------------------------------------------- */

dw_status
dw__columns_need_mapping(dw_alter *alter, const char *what, const char *code,
                         dw_alter_report *report, dw_error *err)
{
    if (mapping_mode(alter) != DW_MAPPING_NONE) {
        return DW_OK;
    }
    if (report->forbids_mapping) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, code,
                             "%s needs column mapping, which deltaworks.autoColumnMapping = false "
                             "forbids to switch on: set the table's property "
                             "'delta.columnMapping.mode' = 'name'",
                             what);
    }
    dw__alter_set(alter, DW_MAPPING_MODE_KEY, DW_STR("name"));
    dw_pairs unused;
    dw_mapping_change change = {.env = dw__table_env(alter->table),
                                .schema = alter->schema,
                                .configuration = &alter->metadata.configuration,
                                .schema_before = dw__log_snapshot_schema(alter->snapshot),
                                .configuration_before =
                                    &dw__log_snapshot_metadata(alter->snapshot)->configuration,
                                .mode_before = DW_MAPPING_NONE};
    DW_TRY(dw__mapping_apply(&change, &alter->arena, &alter->schema, &unused, err));
    return dw__alter_notice(
        report,
        dw__arena_printf(report->arena,
                         "column mapping by name was switched on, which %s needs: readers must "
                         "know the feature columnMapping",
                         what),
        err);
}

/* ---- What commits say ------------------------------------------------------------------------ */

/* The type by the name that Spark has for it: "long", "struct". */
static void
put_type_name(dw_strbuf *out, const dw_type *type)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, TEXT_BYTES_MAX);
    char text[DW_TYPE_TEXT_SIZE];
    if (dw__type_is_nested(type)) {
        dw__strbuf_append(&name, dw__str_from(dw__type_text(type, text)));
    } else {
        dw__type_print(&name, type);
    }
    dw__json_put_string(out, dw__strbuf_str(&name));
    out->failed = out->failed || name.failed;
}

void
dw__columns_put_field(dw_strbuf *out, const dw_str *parts, size_t count, const dw_field *field)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, TEXT_BYTES_MAX);
    dw__column_parts_print(&name, parts, count);
    dw__strbuf_append_char(out, '{');
    dw__json_put_key(out, DW_STR("name"));
    dw__json_put_string(out, dw__strbuf_str(&name));
    dw__json_put_key(out, DW_STR("type"));
    put_type_name(out, field->type);
    dw__json_put_key(out, DW_STR("nullable"));
    dw__strbuf_append(out, field->nullable ? DW_STR("true") : DW_STR("false"));
    dw__json_put_key(out, DW_STR("metadata"));
    dw__strbuf_append(out, field->metadata_json);
    out->failed = out->failed || name.failed;
}

void
dw__columns_put_place(dw_strbuf *out, dw_column_place place, dw_str after)
{
    if (place != DW_PLACE_SAME) {
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(out->allocator, TEXT_BYTES_MAX);
        dw__strbuf_append(&text, place == DW_PLACE_FIRST ? DW_STR("FIRST") : DW_STR("AFTER "));
        dw__column_parts_print(&text, &after, place == DW_PLACE_FIRST ? 0 : 1);
        dw__json_put_key(out, DW_STR("position"));
        dw__json_put_string(out, dw__strbuf_str(&text));
        out->failed = out->failed || text.failed;
    }
    dw__strbuf_append_char(out, '}');
}

dw_status
dw__columns_put_parameter(dw_strbuf *parameters, const char *key, const dw_strbuf *json,
                          dw_error *err)
{
    DW_TRY(dw__strbuf_ok(json, "the operation's parameters", err));
    dw__change_put_parameter(parameters, key, dw__strbuf_str(json));
    return DW_OK;
}

/* ---- Names ----------------------------------------------------------------------------------- */

dw_status
dw__columns_find_after(const dw_type *type, dw_str after, size_t *out, dw_error *err)
{
    size_t idx = dw__schema_find_idx(type, after);
    if (idx == SIZE_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                             "there is no column \"%.*s\" to stand AFTER", DW_STR_ARG(after));
    }
    *out = idx + 1;
    return DW_OK;
}

static bool
is_value_of(const dw_pairs *configuration, dw_str key, dw_str name)
{
    const dw_str *value = dw__pairs_get(configuration, key);
    return value != NULL && dw__str_equal_nocase(*value, name);
}

dw_status
dw__columns_check_name(const dw_alter *alter, const dw_type *parent, dw_str name, bool is_top_level,
                       dw_error *err)
{
    static const dw_str feed_columns[] = {
        {"_change_type", 12}, {"_commit_version", 15}, {"_commit_timestamp", 17}};
    const dw_pairs *configuration = &alter->metadata.configuration;
    if (dw__schema_find(parent, name) != NULL) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "COLUMN_EXISTS",
                             "there is a column \"%.*s\" already (upper and lower case do not make "
                             "a difference)",
                             DW_STR_ARG(name));
    }
    if (is_top_level &&
        (is_value_of(configuration, DW_STR("delta.rowTracking.materializedRowIdColumnName"),
                     name) ||
         is_value_of(configuration,
                     DW_STR("delta.rowTracking.materializedRowCommitVersionColumnName"), name))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED",
                             "the name \"%.*s\" is that of a column that keeps ids of rows",
                             DW_STR_ARG(name));
    }
    bool has_feed = dw__log_snapshot_properties(alter->snapshot)->enable_change_data_feed;
    for (size_t i = 0; i < sizeof(feed_columns) / sizeof(feed_columns[0]); i++) {
        if (is_top_level && has_feed && dw__str_equal_nocase(name, feed_columns[i])) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "RESERVED_CDC_COLUMNS_ON_WRITE",
                                 "the name \"%.*s\" is one of the change data feed, which the "
                                 "table has",
                                 DW_STR_ARG(name));
        }
    }
    return DW_OK;
}

/* ---- Types ----------------------------------------------------------------------------------- */

static dw_status
refuse_type(const dw_alter *alter, const dw_schema_spot *spot, const dw_type *to, bool is_wider,
            const char *code, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(alter->arena.allocator, TEXT_BYTES_MAX);
    char from_text[DW_TYPE_TEXT_SIZE], to_text[DW_TYPE_TEXT_SIZE];
    const char *from = dw__type_text(spot->type, from_text);
    dw__strbuf_append_literal(&text, "column ");
    dw__column_parts_print(&text, spot->names, spot->name_count);
    dw__strbuf_printf(&text, " cannot be changed from %s to %s: ", from,
                      dw__type_text(to, to_text));
    if (is_wider) {
        dw__strbuf_append_literal(&text, "the table must allow it with the property "
                                         "'delta.enableTypeWidening' = 'true'");
    } else {
        size_t begun_at = dw__strbuf_str(&text).len;
        dw__strbuf_printf(&text, "what a %s may become is ", from);
        size_t named_at = dw__strbuf_str(&text).len;
        dw__type_print_wider(&text, spot->type);
        bool has_any = dw__strbuf_str(&text).len > named_at;
        if (!has_any) {
            dw__strbuf_truncate(&text, begun_at);
            dw__strbuf_printf(&text, "a %s cannot become anything else", from);
        }
        dw__strbuf_append_literal(&text, "; otherwise add a column and fill it with UPDATE, or use "
                                         "CREATE OR REPLACE TABLE ... AS SELECT");
    }
    DW_TRY(dw__strbuf_ok(&text, "a message", err));
    return dw__error_set(err, DW_INVALID_ARGUMENT, code, "%s", dw__strbuf_cstr(&text));
}

/* The feature's preview wants to know the version of a change. */
static int64_t
version_to_record(dw_alter *alter)
{
    if (!dw__protocol_supports(dw__log_snapshot_protocol(alter->snapshot),
                               DW_FEATURE_TYPE_WIDENING_PREVIEW)) {
        return -1;
    }
    alter->reads_all_files = true; /* so that nobody else gets that version */
    return dw__log_snapshot_version(alter->snapshot) + 1;
}

dw_status
dw__columns_widen(dw_alter *alter, dw_schema_spot *spot, const dw_type *to, const char *code,
                  dw_error *err)
{
    bool is_void = spot->type->kind == DW_TYPE_VOID;
    bool is_wider = !dw__type_is_nested(to) && dw__type_change_is_widening(spot->type, to);
    bool allows = dw__log_snapshot_properties(alter->snapshot)->enable_type_widening;
    if (!is_void && (!is_wider || !allows)) {
        return refuse_type(alter, spot, to, is_wider, code, err);
    }
    DW_TRY(dw__dependants_check_expressions(alter, (dw_name_path){spot->names, spot->name_count},
                                            err));
    if (spot->field != NULL && (spot->field->traits & DW_FIELD_GENERATED) != 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "GENERATED_COLUMNS_DATA_TYPE_MISMATCH",
                             "the type of the generated column \"%.*s\" is that of its expression",
                             DW_STR_ARG(spot->field->name));
    }
    if (!is_void) {
        DW_TRY(dw__type_change_record(spot->holder, spot->below_holder, spot->type, to,
                                      version_to_record(alter), &alter->arena, err));
    }
    dw__schema_spot_set_type(spot, to);
    return DW_OK;
}
