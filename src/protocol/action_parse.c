/*
 * Parsing commits: lines of JSON, one action each. PROTOCOL.md "Actions".
 *
 *  [ACTION-1] A line is parsed with one reused parser; what an action keeps is copied into the
 *             arena.
 *  [ACTION-2] Unknown actions and members are kept, never an error; a member that is understood and
 *             has the wrong type is one.
 */
#include "base/assert.h"
#include "protocol/action.h"
#include "protocol/file_parse.h"
#include "protocol/json_arena.h"
#include "protocol/member.h"

static const struct {
    dw_str name;
    dw_action_kind kind;
} action_names[] = {
    {{"add", 3}, DW_ACTION_ADD},
    {{"remove", 6}, DW_ACTION_REMOVE},
    {{"metaData", 8}, DW_ACTION_METADATA},
    {{"protocol", 8}, DW_ACTION_PROTOCOL},
    {{"txn", 3}, DW_ACTION_TXN},
    {{"domainMetadata", 14}, DW_ACTION_DOMAIN},
    {{"cdc", 3}, DW_ACTION_CDC},
    {{"commitInfo", 10}, DW_ACTION_COMMIT_INFO},
    {{"sidecar", 7}, DW_ACTION_SIDECAR},
    {{"checkpointMetadata", 18}, DW_ACTION_CHECKPOINT_METADATA},
};

const dw_str *
dw__pairs_get(const dw_pairs *pairs, dw_str key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_equal(pairs->items[i].key, key)) {
            return &pairs->items[i].value;
        }
    }
    return NULL;
}

/* ---- metaData -------------------------------------------------------------------------------- */

static dw_status
read_format(const dw_member_reader *reader, dw_json value, dw_metadata *metadata)
{
    if (dw__json_kind(value) != DW_JSON_OBJECT) {
        return dw__member_invalid(reader, DW_STR("format"), "an object", value);
    }
    dw_json provider = dw__json_get(value, DW_STR("provider"));
    DW_TRY(dw__member_str(reader, DW_STR("format.provider"), provider, &metadata->format_provider));
    dw_json options = dw__json_get(value, DW_STR("options"));
    dw_json_kind kind = dw__json_kind(options);
    if (kind == DW_JSON_MISSING || kind == DW_JSON_NULL) {
        return DW_OK;
    }
    return dw__member_pairs(reader, DW_STR("format.options"), options, &metadata->format_options);
}

static dw_status
read_metadata_member(const dw_member_reader *reader, dw_str key, dw_json value,
                     dw_metadata *metadata, dw_strbuf *extra)
{
    if (dw__str_equal(key, DW_STR("id"))) {
        return dw__member_str(reader, key, value, &metadata->id);
    }
    if (dw__str_equal(key, DW_STR("name"))) {
        return dw__member_str(reader, key, value, &metadata->name);
    }
    if (dw__str_equal(key, DW_STR("description"))) {
        return dw__member_str(reader, key, value, &metadata->description);
    }
    if (dw__str_equal(key, DW_STR("format"))) {
        return read_format(reader, value, metadata);
    }
    if (dw__str_equal(key, DW_STR("schemaString"))) {
        return dw__member_str(reader, key, value, &metadata->schema_string);
    }
    if (dw__str_equal(key, DW_STR("partitionColumns"))) {
        return dw__member_strs(reader, key, value, &metadata->partition_columns,
                               &metadata->partition_column_count);
    }
    if (dw__str_equal(key, DW_STR("createdTime"))) {
        metadata->has_created_time = true;
        return dw__member_i64(reader, key, value, &metadata->created_time_ms);
    }
    if (dw__str_equal(key, DW_STR("configuration"))) {
        return dw__member_pairs(reader, key, value, &metadata->configuration);
    }
    dw__json_put_extra(extra, key, value);
    return DW_OK;
}

static dw_status
parse_metadata(const dw_member_reader *reader, dw_json object, dw_metadata *out)
{
    *out = (dw_metadata){0};
    bool has_partition_columns = false;
    DW_AUTO(dw_strbuf) extra = dw__strbuf_make(reader->arena->allocator, DW_JSON_TEXT_SIZE_MAX);
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        if (dw__json_kind(it.value) != DW_JSON_NULL) {
            DW_TRY(read_metadata_member(reader, it.key, it.value, out, &extra));
            has_partition_columns |= dw__str_equal(it.key, DW_STR("partitionColumns"));
        }
    }
    DW_TRY(dw__strbuf_to_arena(&extra, reader->arena, &out->extra_json, reader->err));
    if (dw__str_is_null(out->id)) {
        return dw__member_missing(reader, "id");
    }
    if (dw__str_is_null(out->format_provider)) {
        return dw__member_missing(reader, "format");
    }
    if (dw__str_is_null(out->schema_string)) {
        /* Early tables without columns leave it out, and the reference reads them. */
        out->schema_string = DW_STR("{\"type\":\"struct\",\"fields\":[]}");
    }
    return has_partition_columns ? DW_OK : dw__member_missing(reader, "partitionColumns");
}

/* ---- protocol, txn, domainMetadata, sidecar -------------------------------------------------- */

static dw_status
read_protocol_member(const dw_member_reader *reader, dw_str key, dw_json value,
                     dw_protocol *protocol)
{
    if (dw__str_equal(key, DW_STR("minReaderVersion"))) {
        return dw__member_i32(reader, key, value, 0, &protocol->min_reader_version);
    }
    if (dw__str_equal(key, DW_STR("minWriterVersion"))) {
        return dw__member_i32(reader, key, value, 0, &protocol->min_writer_version);
    }
    if (dw__str_equal(key, DW_STR("readerFeatures"))) {
        protocol->has_reader_features = true;
        return dw__member_strs(reader, key, value, &protocol->reader_features,
                               &protocol->reader_feature_count);
    }
    if (dw__str_equal(key, DW_STR("writerFeatures"))) {
        protocol->has_writer_features = true;
        return dw__member_strs(reader, key, value, &protocol->writer_features,
                               &protocol->writer_feature_count);
    }
    return DW_OK;
}

static dw_status
parse_protocol(const dw_member_reader *reader, dw_json object, dw_protocol *out)
{
    *out = (dw_protocol){.min_reader_version = -1, .min_writer_version = -1};
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        if (dw__json_kind(it.value) != DW_JSON_NULL) {
            DW_TRY(read_protocol_member(reader, it.key, it.value, out));
        }
    }
    if (out->min_reader_version < 0) {
        return dw__member_missing(reader, "minReaderVersion");
    }
    return out->min_writer_version < 0 ? dw__member_missing(reader, "minWriterVersion") : DW_OK;
}

static bool
is_there(dw_json value)
{
    dw_json_kind kind = dw__json_kind(value);
    return kind != DW_JSON_MISSING && kind != DW_JSON_NULL;
}

static dw_status
parse_txn(const dw_member_reader *reader, dw_json object, dw_txn_id *out)
{
    *out = (dw_txn_id){0};
    dw_json app_id = dw__json_get(object, DW_STR("appId"));
    dw_json version = dw__json_get(object, DW_STR("version"));
    dw_json last_updated = dw__json_get(object, DW_STR("lastUpdated"));
    DW_TRY(dw__member_str(reader, DW_STR("appId"), app_id, &out->app_id));
    DW_TRY(dw__member_i64(reader, DW_STR("version"), version, &out->version));
    out->has_last_updated = is_there(last_updated);
    return out->has_last_updated
               ? dw__member_i64(reader, DW_STR("lastUpdated"), last_updated, &out->last_updated_ms)
               : DW_OK;
}

static dw_status
parse_domain(const dw_member_reader *reader, dw_json object, dw_domain *out)
{
    *out = (dw_domain){.configuration = DW_STR("")};
    dw_json domain = dw__json_get(object, DW_STR("domain"));
    dw_json configuration = dw__json_get(object, DW_STR("configuration"));
    dw_json removed = dw__json_get(object, DW_STR("removed"));
    DW_TRY(dw__member_str(reader, DW_STR("domain"), domain, &out->domain));
    DW_TRY(dw__member_bool(reader, DW_STR("removed"), removed, &out->removed));
    if (out->removed && !is_there(configuration)) {
        return DW_OK;
    }
    return dw__member_str(reader, DW_STR("configuration"), configuration, &out->configuration);
}

static dw_status
parse_sidecar(const dw_member_reader *reader, dw_json object, dw_sidecar *out)
{
    *out = (dw_sidecar){0};
    dw_json path = dw__json_get(object, DW_STR("path"));
    dw_json size = dw__json_get(object, DW_STR("sizeInBytes"));
    dw_json time = dw__json_get(object, DW_STR("modificationTime"));
    DW_TRY(dw__member_str(reader, DW_STR("path"), path, &out->path));
    DW_TRY(dw__member_i64(reader, DW_STR("sizeInBytes"), size, &out->size_bytes));
    return dw__member_i64(reader, DW_STR("modificationTime"), time, &out->modification_time_ms);
}

/* ---- One line -------------------------------------------------------------------------------- */

static dw_action_kind
find_action(dw_json line, dw_json *object_out, const char **name_out)
{
    dw_json_iter it = dw__json_iter(line);
    while (dw__json_next(&it)) {
        if (dw__json_kind(it.value) == DW_JSON_NULL) {
            continue;
        }
        for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
            if (dw__str_equal(it.key, action_names[i].name)) {
                *object_out = it.value;
                *name_out = action_names[i].name.ptr;
                return action_names[i].kind;
            }
        }
    }
    return DW_ACTION_UNKNOWN;
}

/* The members of an action of kind out->kind. */
static dw_status
parse_members(const dw_member_reader *reader, dw_json object, dw_action *out)
{
    if (out->kind != DW_ACTION_UNKNOWN && dw__json_kind(object) != DW_JSON_OBJECT) {
        return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID",
                             "%s: expected an object, found %s", reader->action,
                             dw__json_kind_name(dw__json_kind(object)));
    }
    switch (out->kind) {
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
    case DW_ACTION_CDC:
        return dw__file_parse(reader, out->kind, object, &out->as.file);
    case DW_ACTION_METADATA:
        return parse_metadata(reader, object, &out->as.metadata);
    case DW_ACTION_PROTOCOL:
        return parse_protocol(reader, object, &out->as.protocol);
    case DW_ACTION_TXN:
        return parse_txn(reader, object, &out->as.txn);
    case DW_ACTION_DOMAIN:
        return parse_domain(reader, object, &out->as.domain);
    case DW_ACTION_SIDECAR:
        return parse_sidecar(reader, object, &out->as.sidecar);
    case DW_ACTION_COMMIT_INFO:
    case DW_ACTION_CHECKPOINT_METADATA:
    case DW_ACTION_UNKNOWN:
        return dw__json_to_arena(object, reader->arena, &out->as.json, reader->err);
    }
    dw_unreachable("every kind is listed");
}

static dw_status
parse_action(dw_member_reader *reader, dw_json line, dw_action *out)
{
    if (dw__json_kind(line) != DW_JSON_OBJECT) {
        return dw__error_set(reader->err, DW_CORRUPT, "COMMIT_INVALID",
                             "expected an action as an object, found %s",
                             dw__json_kind_name(dw__json_kind(line)));
    }
    dw_json object = line;
    out->kind = find_action(line, &object, &reader->action);
    return parse_members(reader, object, out);
}

dw_status
dw__action_parse_members(dw_action_kind kind, dw_json object, dw_arena *arena, dw_action *out,
                         dw_error *err)
{
    dw_member_reader reader = {.arena = arena, .action = "the action", .err = err};
    for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
        if (action_names[i].kind == kind) {
            reader.action = action_names[i].name.ptr;
        }
    }
    out->kind = kind;
    return parse_members(&reader, object, out);
}

dw_status
dw__action_parse(dw_json line, dw_arena *arena, dw_action *out, dw_error *err)
{
    dw_member_reader reader = {.arena = arena, .err = err};
    return parse_action(&reader, line, out);
}

/* ---- A commit -------------------------------------------------------------------------------- */

typedef struct commit_parser {
    dw_json_parser json;
    dw_arena *arena;
    dw_action_visitor visit;
    void *ctx;
    dw_pairs pairs_before; /* the partition values of the last file action */
    size_t action_count;
} commit_parser;

static void
dw__commit_parser_cleanup(commit_parser *parser)
{
    dw__json_parser_deinit(&parser->json);
}

/* Gives the JSON codec's failure the code of a commit's. */
static dw_status
line_not_json(const dw_error *cause, dw_error *err)
{
    if (cause->status != DW_CORRUPT) {
        dw__error_copy(err, cause);
        return cause->status;
    }
    return dw__error_set(err, DW_CORRUPT, "COMMIT_INVALID", "%s", cause->message);
}

static dw_status
parse_line(commit_parser *parser, dw_str line, dw_error *err)
{
    if (++parser->action_count > DW_COMMIT_ACTIONS_MAX) {
        return dw__error_set(err, DW_CORRUPT, "COMMIT_INVALID",
                             "the commit has more than the limit of %zu actions",
                             DW_COMMIT_ACTIONS_MAX);
    }
    dw_json root;
    dw_error cause = DW_ERROR_INIT;
    if (dw__json_parser_parse(&parser->json, line, "the action", &root, &cause) != DW_OK) {
        return line_not_json(&cause, err);
    }
    dw_member_reader reader = {parser->arena, "", &parser->pairs_before, err};
    dw_action action;
    DW_TRY(parse_action(&reader, root, &action));
    if (action.kind == DW_ACTION_ADD || action.kind == DW_ACTION_REMOVE) {
        parser->pairs_before = action.as.file.partition_values;
    }
    return parser->visit(parser->ctx, &action, err);
}

dw_status
dw__actions_parse(dw_str ndjson, dw_arena *arena, dw_action_visitor visit, void *ctx, dw_error *err)
{
    dw_assert(visit != NULL);
    DW_CLEANUP(dw__commit_parser_cleanup)
    commit_parser parser = {
        .json = dw__json_parser_make(arena->allocator), .arena = arena, .visit = visit, .ctx = ctx};
    size_t line_count = 0;
    size_t at = 0;
    while (at < ndjson.len) {
        dw_str rest = dw__str_slice(ndjson, at, ndjson.len);
        size_t len = dw__str_find(rest, '\n');
        len = len == SIZE_MAX ? rest.len : len;
        dw_str line = dw__str_trim(dw__str_slice(rest, 0, len));
        line_count++;
        dw_status status = line.len == 0 ? DW_OK : parse_line(&parser, line, err);
        if (status != DW_OK) {
            dw__error_context(err, "line %zu", line_count);
            return status;
        }
        at += len + 1;
    }
    return DW_OK;
}
