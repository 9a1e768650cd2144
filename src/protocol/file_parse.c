/*
 * Reading the file actions: add, remove and cdc. PROTOCOL.md "Add File and Remove File", "Add CDC
 * File", "Deletion Vector Descriptor Schema".
 */
#include "protocol/file_parse.h"

#include "base/assert.h"
#include "protocol/json_arena.h"

typedef enum file_member {
    MEMBER_PATH,
    MEMBER_PARTITION_VALUES,
    MEMBER_SIZE,
    MEMBER_MODIFICATION_TIME,
    MEMBER_DATA_CHANGE,
    MEMBER_STATS,
    MEMBER_TAGS,
    MEMBER_DELETION_VECTOR,
    MEMBER_DELETION_TIMESTAMP,
    MEMBER_EXTENDED_FILE_METADATA,
    MEMBER_BASE_ROW_ID,
    MEMBER_DEFAULT_ROW_COMMIT_VERSION,
    MEMBER_CLUSTERING_PROVIDER,
    MEMBER_UNKNOWN
} file_member;

static const dw_str member_names[MEMBER_UNKNOWN] = {
    [MEMBER_PATH] = {"path", 4},
    [MEMBER_PARTITION_VALUES] = {"partitionValues", 15},
    [MEMBER_SIZE] = {"size", 4},
    [MEMBER_MODIFICATION_TIME] = {"modificationTime", 16},
    [MEMBER_DATA_CHANGE] = {"dataChange", 10},
    [MEMBER_STATS] = {"stats", 5},
    [MEMBER_TAGS] = {"tags", 4},
    [MEMBER_DELETION_VECTOR] = {"deletionVector", 14},
    [MEMBER_DELETION_TIMESTAMP] = {"deletionTimestamp", 17},
    [MEMBER_EXTENDED_FILE_METADATA] = {"extendedFileMetadata", 20},
    [MEMBER_BASE_ROW_ID] = {"baseRowId", 9},
    [MEMBER_DEFAULT_ROW_COMMIT_VERSION] = {"defaultRowCommitVersion", 23},
    [MEMBER_CLUSTERING_PROVIDER] = {"clusteringProvider", 18},
};

#define BIT(member) (1u << (member))

static unsigned
required_members(dw_action_kind kind)
{
    switch (kind) {
    case DW_ACTION_ADD:
        return BIT(MEMBER_PATH) | BIT(MEMBER_PARTITION_VALUES) | BIT(MEMBER_SIZE) |
               BIT(MEMBER_MODIFICATION_TIME) | BIT(MEMBER_DATA_CHANGE);
    case DW_ACTION_REMOVE:
        return BIT(MEMBER_PATH) | BIT(MEMBER_DATA_CHANGE);
    case DW_ACTION_CDC:
        return BIT(MEMBER_PATH) | BIT(MEMBER_PARTITION_VALUES) | BIT(MEMBER_SIZE);
    case DW_ACTION_METADATA:
    case DW_ACTION_PROTOCOL:
    case DW_ACTION_TXN:
    case DW_ACTION_DOMAIN:
    case DW_ACTION_COMMIT_INFO:
    case DW_ACTION_SIDECAR:
    case DW_ACTION_CHECKPOINT_METADATA:
    case DW_ACTION_UNKNOWN:
        break;
    }
    dw_unreachable("no file action");
}

static file_member
find_member(dw_str key)
{
    for (unsigned i = 0; i < MEMBER_UNKNOWN; i++) {
        if (dw__str_equal(key, member_names[i])) {
            return (file_member) i;
        }
    }
    return MEMBER_UNKNOWN;
}

/* ---- Deletion vectors ------------------------------------------------------------------------ */

static dw_status
read_dv_member(const dw_member_reader *reader, dw_str key, dw_json value, dw_dv_descriptor *dv,
               dw_str *type_out)
{
    if (dw__str_equal(key, DW_STR("storageType"))) {
        return dw__member_str(reader, key, value, type_out);
    }
    if (dw__str_equal(key, DW_STR("pathOrInlineDv"))) {
        return dw__member_str(reader, key, value, &dv->path_or_inline_dv);
    }
    if (dw__str_equal(key, DW_STR("offset"))) {
        dv->has_offset = true;
        return dw__member_i32(reader, key, value, 0, &dv->offset);
    }
    if (dw__str_equal(key, DW_STR("sizeInBytes"))) {
        return dw__member_i32(reader, key, value, 0, &dv->size_bytes);
    }
    if (dw__str_equal(key, DW_STR("cardinality"))) {
        return dw__member_i64(reader, key, value, &dv->cardinality);
    }
    return DW_OK;
}

static dw_status
read_dv(const dw_member_reader *outer, dw_json value, dw_dv_descriptor **out)
{
    dw_member_reader reader = *outer;
    reader.action = "deletionVector";
    if (dw__json_kind(value) != DW_JSON_OBJECT) {
        return dw__member_invalid(outer, DW_STR("deletionVector"), "an object", value);
    }
    dw_dv_descriptor *dv = DW_ARENA_NEW(reader.arena, dw_dv_descriptor);
    if (dv == NULL) {
        return dw__error_oom(reader.err);
    }
    dv->size_bytes = -1;
    dv->cardinality = -1;
    dw_str type = DW_STR_NULL;
    dw_json_iter it = dw__json_iter(value);
    while (dw__json_next(&it)) {
        if (dw__json_kind(it.value) != DW_JSON_NULL) {
            DW_TRY(read_dv_member(&reader, it.key, it.value, dv, &type));
        }
    }
    if (type.len != 1 || memchr("uip", type.ptr[0], 3) == NULL) {
        return dw__error_set(reader.err, DW_CORRUPT, "COMMIT_INVALID",
                             "deletionVector.storageType: expected \"u\", \"i\" or \"p\", found "
                             "\"%.*s\"",
                             DW_STR_ARG(type));
    }
    dv->storage_type = type.ptr[0];
    if (dw__str_is_null(dv->path_or_inline_dv)) {
        return dw__member_missing(&reader, "pathOrInlineDv");
    }
    if (dv->size_bytes < 0 || dv->cardinality < 0) {
        return dw__member_missing(&reader, dv->size_bytes < 0 ? "sizeInBytes" : "cardinality");
    }
    *out = dv;
    return DW_OK;
}

/* ---- Members --------------------------------------------------------------------------------- */

static dw_status
read_stats(const dw_member_reader *reader, dw_json value, dw_str *out)
{
    /* The protocol has them as a string; an object says the same. */
    if (dw__json_kind(value) == DW_JSON_OBJECT) {
        return dw__json_to_arena(value, reader->arena, out, reader->err);
    }
    return dw__member_str(reader, DW_STR("stats"), value, out);
}

static dw_status
read_size(const dw_member_reader *reader, dw_json value, dw_file *file)
{
    DW_TRY(dw__member_i64(reader, DW_STR("size"), value, &file->size_bytes));
    if (file->size_bytes < 0) {
        return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID",
                             "%s.size: expected a size in bytes, found a negative number",
                             reader->action);
    }
    file->has_size = true;
    return DW_OK;
}

static dw_status
read_member(const dw_member_reader *reader, file_member member, dw_json value, dw_file *file)
{
    dw_str name = member_names[member];
    switch (member) {
    case MEMBER_PATH:
        return dw__member_str(reader, name, value, &file->path);
    case MEMBER_PARTITION_VALUES:
        file->has_partition_values = true;
        return dw__member_pairs(reader, name, value, &file->partition_values);
    case MEMBER_SIZE:
        return read_size(reader, value, file);
    case MEMBER_MODIFICATION_TIME:
        return dw__member_i64(reader, name, value, &file->modification_time_ms);
    case MEMBER_DATA_CHANGE:
        return dw__member_bool(reader, name, value, &file->data_change);
    case MEMBER_STATS:
        return read_stats(reader, value, &file->stats);
    case MEMBER_TAGS:
        return dw__member_object(reader, name, value, &file->tags_json);
    case MEMBER_DELETION_VECTOR:
        return read_dv(reader, value, &file->dv);
    case MEMBER_DELETION_TIMESTAMP:
        file->has_deletion_timestamp = true;
        return dw__member_i64(reader, name, value, &file->deletion_timestamp_ms);
    case MEMBER_EXTENDED_FILE_METADATA:
        file->has_extended_file_metadata = true;
        return dw__member_bool(reader, name, value, &file->extended_file_metadata);
    case MEMBER_BASE_ROW_ID:
        file->has_base_row_id = true;
        return dw__member_i64(reader, name, value, &file->base_row_id);
    case MEMBER_DEFAULT_ROW_COMMIT_VERSION:
        file->has_default_row_commit_version = true;
        return dw__member_i64(reader, name, value, &file->default_row_commit_version);
    case MEMBER_CLUSTERING_PROVIDER:
        return dw__member_str(reader, name, value, &file->clustering_provider);
    case MEMBER_UNKNOWN:
        break;
    }
    dw_unreachable("unknown members are kept as text");
}

static dw_status
check_required(const dw_member_reader *reader, unsigned missing, const dw_file *file)
{
    for (unsigned i = 0; i < MEMBER_UNKNOWN; i++) {
        if ((missing & BIT(i)) != 0) {
            return dw__member_missing(reader, member_names[i].ptr);
        }
    }
    if (file->path.len == 0) {
        return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID", "%s.path is empty",
                             reader->action);
    }
    return DW_OK;
}

dw_status
dw__file_parse(const dw_member_reader *reader, dw_action_kind kind, dw_json object, dw_file *out)
{
    *out = (dw_file){.extra_json = DW_STR("")};
    unsigned missing = required_members(kind);
    DW_AUTO(dw_strbuf) extra = dw__strbuf_make(reader->arena->allocator, DW_JSON_TEXT_SIZE_MAX);
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        if (dw__json_kind(it.value) == DW_JSON_NULL) {
            continue;
        }
        file_member member = find_member(it.key);
        if (member == MEMBER_UNKNOWN) {
            dw__json_put_extra(&extra, it.key, it.value);
            continue;
        }
        missing &= ~BIT(member);
        DW_TRY(read_member(reader, member, it.value, out));
    }
    DW_TRY(dw__strbuf_to_arena(&extra, reader->arena, &out->extra_json, reader->err));
    return check_required(reader, missing, out);
}
