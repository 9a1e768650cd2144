/*
 * Columns: ids and physical names of column mapping, and changes of types. Rules E, J.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "protocol/type_widening.h"

#include <inttypes.h>
#include <stdio.h>

#define PHYSICAL_NAME DW_STR("delta.columnMapping.physicalName")

/* ---- Column mapping -------------------------------------------------------------------------- */

typedef struct mapping_check {
    dw_fsck *fsck;
    dw_map ids; /* as text, to the field */
    bool is_out_of_memory;
} mapping_check;

static void
check_id(mapping_check *check, const dw_field *field)
{
    dw_fsck *fsck = check->fsck;
    int64_t id_max = fsck->state.properties.mapping_max_column_id;
    if (field->mapping_id < 0) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                      "expected delta.columnMapping.id of column '%.*s', found none",
                      DW_STR_ARG(field->name));
        return;
    }
    if (field->mapping_id > id_max) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                      "column '%.*s' has the id %" PRId64
                      ", but delta.columnMapping.maxColumnId is %" PRId64,
                      DW_STR_ARG(field->name), field->mapping_id, id_max);
    }
    dw_str text = dw__arena_printf(&fsck->scratch, "%" PRId64, field->mapping_id);
    bool is_new;
    if (dw__str_is_null(text) || dw__map_put(&check->ids, text, &is_new) == NULL) {
        check->is_out_of_memory = true;
    } else if (!is_new) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                      "column '%.*s' has the id %" PRId64 ", which another one has, too",
                      DW_STR_ARG(field->name), field->mapping_id);
    }
}

static void
check_physical_name(mapping_check *check, const dw_type *type, size_t idx)
{
    dw_fsck *fsck = check->fsck;
    const dw_field *field = &type->fields[idx];
    dw_str name;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__field_metadata_get(field, PHYSICAL_NAME, &fsck->scratch, &name, &cause);
    check->is_out_of_memory = check->is_out_of_memory || status == DW_OUT_OF_MEMORY;
    if (status == DW_OK && dw__str_is_null(name)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                      "expected delta.columnMapping.physicalName of column '%.*s', found none",
                      DW_STR_ARG(field->name));
    }
    for (size_t i = 0; i < idx; i++) {
        if (dw__str_equal(type->fields[i].physical_name, field->physical_name)) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                          "the columns '%.*s' and '%.*s' have the same physical name '%.*s'",
                          DW_STR_ARG(type->fields[i].name), DW_STR_ARG(field->name),
                          DW_STR_ARG(field->physical_name));
        }
    }
}

static void
check_mapped_fields(mapping_check *check, const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        check_id(check, &type->fields[i]);
        check_physical_name(check, type, i);
        check_mapped_fields(check, type->fields[i].type);
    }
    if (type->element != NULL) {
        check_mapped_fields(check, type->element);
    }
    if (type->key != NULL) {
        check_mapped_fields(check, type->key);
    }
}

static void
check_mapping_change(dw_fsck *fsck, const dw_metadata *before)
{
    dw_properties old;
    dw__properties_read(&before->configuration, &old, NULL);
    const dw_properties *now = &fsck->state.properties;
    if (old.mapping_mode != DW_MAPPING_NONE && now->mapping_mode != DW_MAPPING_NONE &&
        now->mapping_max_column_id < old.mapping_max_column_id) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "E4", DW_STR_NULL,
                      "delta.columnMapping.maxColumnId goes back from %" PRId64 " to %" PRId64,
                      old.mapping_max_column_id, now->mapping_max_column_id);
    }
}

/* ---- Type changes ---------------------------------------------------------------------------- */

/* The ranks of the integers; 0: none. */
static int
integer_rank(dw_str type)
{
    static const char *const names[] = {"byte", "short", "integer", "long"};
    for (int i = 0; i < 4; i++) {
        if (dw__str_equal(type, dw__str_from(names[i]))) {
            return i + 1;
        }
    }
    return 0;
}

static bool
parse_decimal(dw_str type, int64_t *precision, int64_t *scale)
{
    size_t comma = dw__str_find(type, ',');
    if (!dw__str_starts_with(type, DW_STR("decimal(")) || comma == SIZE_MAX ||
        !dw__str_ends_with(type, DW_STR(")"))) {
        return false;
    }
    size_t start = sizeof("decimal(") - 1;
    return dw__str_to_i64(dw__str_trim(dw__str_slice(type, start, comma - start)), precision) &&
           dw__str_to_i64(dw__str_trim(dw__str_slice(type, comma + 1, type.len - comma - 2)),
                          scale);
}

/* PROTOCOL.md "Type Widening": the changes that readers must be able to follow. */
static bool
is_widening(dw_str from, dw_str to)
{
    int from_rank = integer_rank(from), to_rank = integer_rank(to);
    int64_t p0, s0, p1, s1;
    if (from_rank > 0 && to_rank > 0) {
        return from_rank <= to_rank;
    }
    if (dw__str_equal(to, DW_STR("double"))) {
        return dw__str_equal(from, DW_STR("float")) || (from_rank > 0 && from_rank < 4);
    }
    if (dw__str_equal(to, DW_STR("timestamp_ntz"))) {
        return dw__str_equal(from, DW_STR("date"));
    }
    if (!parse_decimal(to, &p1, &s1)) {
        return false;
    }
    if (parse_decimal(from, &p0, &s0)) {
        return s1 >= s0 && p1 - p0 >= s1 - s0;
    }
    return from_rank > 0 && p1 - (from_rank == 4 ? 20 : 10) >= s1;
}

static void
check_recorded_change(dw_fsck *fsck, const dw_field *field, dw_json change)
{
    dw_str from = dw__json_str(dw__json_get(change, DW_STR("fromType")));
    dw_str to = dw__json_str(dw__json_get(change, DW_STR("toType")));
    if (dw__str_is_null(from) || dw__str_is_null(to)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "J2", DW_STR_NULL,
                      "expected fromType and toType in delta.typeChanges of column '%.*s'",
                      DW_STR_ARG(field->name));
    } else if (!is_widening(from, to)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "J1", DW_STR_NULL,
                      "the type of column '%.*s' was changed from %.*s to %.*s, which is no "
                      "widening",
                      DW_STR_ARG(field->name), DW_STR_ARG(from), DW_STR_ARG(to));
    }
}

static void
check_recorded_changes(dw_fsck *fsck, const dw_field *field)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (memmem(field->metadata_json.ptr, field->metadata_json.len, DW_TYPE_CHANGES_KEY.ptr,
               DW_TYPE_CHANGES_KEY.len) == NULL ||
        dw__fsck_parse(fsck, field->metadata_json, "the metadata", &doc, &ignored) != DW_OK) {
        return;
    }
    dw_json changes = dw__json_get(dw__json_root(doc), DW_TYPE_CHANGES_KEY);
    if (dw__json_kind(changes) != DW_JSON_ARRAY) {
        return;
    }
    if (!dw__protocol_supports(fsck->state.protocol, DW_FEATURE_TYPE_WIDENING) &&
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_TYPE_WIDENING_PREVIEW)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D21", DW_STR_NULL,
                      "column '%.*s' has delta.typeChanges, which needs the feature typeWidening",
                      DW_STR_ARG(field->name));
    }
    dw_json_iter it = dw__json_iter(changes);
    while (dw__json_next(&it)) {
        check_recorded_change(fsck, field, it.value);
    }
}

static void
check_type_changes(dw_fsck *fsck, const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        check_recorded_changes(fsck, &type->fields[i]);
        check_type_changes(fsck, type->fields[i].type);
    }
    if (type->element != NULL) {
        check_type_changes(fsck, type->element);
    }
    if (type->key != NULL) {
        check_type_changes(fsck, type->key);
    }
}

/* ---- Both ------------------------------------------------------------------------------------ */

void
dw__fsck_check_columns(dw_fsck *fsck, const dw_metadata *before)
{
    if (fsck->state.schema == NULL) {
        return;
    }
    if (before != NULL) {
        check_mapping_change(fsck, before);
    }
    check_type_changes(fsck, fsck->state.schema);
    if (fsck->state.properties.mapping_mode == DW_MAPPING_NONE ||
        !dw__protocol_supports(fsck->state.protocol, DW_FEATURE_COLUMN_MAPPING)) {
        return;
    }
    mapping_check check = {.fsck = fsck};
    dw__map_init(&check.ids, fsck->env->allocator);
    check_mapped_fields(&check, fsck->state.schema);
    fsck->is_out_of_memory = fsck->is_out_of_memory || check.is_out_of_memory;
    dw__map_deinit(&check.ids);
}
