/*
 * Writing small Delta logs. JSON is built by hand: the library's own writer is what is tested.
 */
#include "support/delta_log.h"

#include "support/test.h"

#include <inttypes.h>
#include <stdlib.h>

#define COMMIT_BYTES_MAX ((size_t) 1 << 30)
#define TIME_DEFAULT_MS INT64_C(1704067200000)

static void
append_escaped(dw_strbuf *text, const char *value)
{
    dw__strbuf_append_char(text, '"');
    for (const char *c = value; *c != '\0'; c++) {
        unsigned char byte = (unsigned char) *c;
        if (byte == '"' || byte == '\\') {
            dw__strbuf_append_char(text, '\\');
            dw__strbuf_append_char(text, *c);
        } else if (byte < 0x20) {
            dw__strbuf_printf(text, "\\u%04x", byte);
        } else {
            dw__strbuf_append_char(text, *c);
        }
    }
    dw__strbuf_append_char(text, '"');
}

void
dwt_commit_begin(dwt_commit *commit)
{
    commit->text = dw__strbuf_make(dw__allocator_libc(), COMMIT_BYTES_MAX);
}

void
dwt_commit_raw(dwt_commit *commit, const char *line)
{
    dw__strbuf_append(&commit->text, dw__str_from(line));
    dw__strbuf_append_char(&commit->text, '\n');
}

void
dwt_commit_protocol(dwt_commit *commit, int reader_version, int writer_version)
{
    dw__strbuf_printf(&commit->text,
                      "{\"protocol\":{\"minReaderVersion\":%d,\"minWriterVersion\":%d}}\n",
                      reader_version, writer_version);
}

void
dwt_commit_protocol_features(dwt_commit *commit, const char *reader_features,
                             const char *writer_features)
{
    dw__strbuf_printf(&commit->text,
                      "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,"
                      "\"readerFeatures\":%s,\"writerFeatures\":%s}}\n",
                      reader_features, writer_features);
}

void
dwt_commit_metadata(dwt_commit *commit, const char *schema, const char *partition_columns,
                    const char *configuration)
{
    dw_strbuf *text = &commit->text;
    dw__strbuf_append_literal(
        text, "{\"metaData\":{\"id\":\"5fba94ed-9794-4965-ba6e-6ee3c0d22af9\","
              "\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":");
    append_escaped(text, schema);
    dw__strbuf_printf(
        text, ",\"partitionColumns\":%s,\"configuration\":%s,\"createdTime\":%" PRId64 "}}\n",
        partition_columns == NULL ? "[]" : partition_columns,
        configuration == NULL ? "{}" : configuration, TIME_DEFAULT_MS);
}

void
dwt_commit_add(dwt_commit *commit, const dwt_add *add)
{
    dw_strbuf *text = &commit->text;
    dw__strbuf_append_literal(text, "{\"add\":{\"path\":");
    append_escaped(text, add->path);
    dw__strbuf_printf(text,
                      ",\"partitionValues\":%s,\"size\":%" PRId64 ",\"modificationTime\":%" PRId64
                      ",\"dataChange\":%s",
                      add->partition_values == NULL ? "{}" : add->partition_values,
                      add->size == 0 ? INT64_C(1000) : add->size,
                      add->modification_time_ms == 0 ? TIME_DEFAULT_MS : add->modification_time_ms,
                      add->no_data_change ? "false" : "true");
    if (add->stats != NULL) {
        dw__strbuf_append_literal(text, ",\"stats\":");
        append_escaped(text, add->stats);
    }
    if (add->more != NULL) {
        dw__strbuf_printf(text, ",%s", add->more);
    }
    dw__strbuf_append_literal(text, "}}\n");
}

void
dwt_commit_remove(dwt_commit *commit, const dwt_add *add)
{
    dw_strbuf *text = &commit->text;
    dw__strbuf_append_literal(text, "{\"remove\":{\"path\":");
    append_escaped(text, add->path);
    dw__strbuf_printf(text, ",\"deletionTimestamp\":%" PRId64 ",\"dataChange\":%s", TIME_DEFAULT_MS,
                      add->no_data_change ? "false" : "true");
    if (add->more != NULL) {
        dw__strbuf_printf(text, ",%s", add->more);
    }
    dw__strbuf_append_literal(text, "}}\n");
}

void
dwt_commit_txn(dwt_commit *commit, const char *app_id, int64_t version)
{
    dw__strbuf_append_literal(&commit->text, "{\"txn\":{\"appId\":");
    append_escaped(&commit->text, app_id);
    dw__strbuf_printf(&commit->text, ",\"version\":%" PRId64 "}}\n", version);
}

void
dwt_commit_info(dwt_commit *commit, int64_t timestamp_ms, const char *operation)
{
    dw__strbuf_printf(&commit->text,
                      "{\"commitInfo\":{\"timestamp\":%" PRId64 ",\"operation\":", timestamp_ms);
    append_escaped(&commit->text, operation);
    dw__strbuf_append_literal(&commit->text, ",\"operationParameters\":{}}}\n");
}

void
dwt_commit_write(dwt_commit *commit, dw_storage *storage, int64_t version)
{
    char key[64];
    snprintf(key, sizeof(key), "_delta_log/%020" PRId64 ".json", version);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__strbuf_ok(&commit->text, "a commit", &err);
    assert_ok(status, &err);
    status =
        dw__storage_put_if_absent(storage, dw__str_from(key), dw__strbuf_str(&commit->text), &err);
    assert_ok(status, &err);
    dw__strbuf_deinit(&commit->text);
}

void
dwt_log_create(dw_storage *storage, const char *schema)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_info(&commit, TIME_DEFAULT_MS, "CREATE TABLE");
    dwt_commit_protocol(&commit, 1, 2);
    dwt_commit_metadata(&commit, schema == NULL ? DWT_SCHEMA_ID : schema, NULL, NULL);
    dwt_commit_write(&commit, storage, 0);
}

void
dwt_log_append(dw_storage *storage, int64_t version)
{
    char path[64];
    snprintf(path, sizeof(path), "part-%" PRId64 ".parquet", version);
    dwt_commit commit;
    dwt_commit_begin(&commit);
    dwt_commit_info(&commit, TIME_DEFAULT_MS + version * 1000, "WRITE");
    dwt_commit_add(&commit, &(dwt_add){.path = path});
    dwt_commit_write(&commit, storage, version);
}

void
dwt_put(dw_storage *storage, const char *key, dw_str bytes)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__storage_put(storage, dw__str_from(key), bytes, &err);
    assert_ok(status, &err);
}

char *
dwt_get(dw_storage *storage, const char *key)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) buf = dw__strbuf_make(dw__allocator_libc(), COMMIT_BYTES_MAX);
    dw_status status = dw__storage_get(storage, dw__str_from(key), &buf, NULL, &err);
    if (status == DW_NOT_FOUND) {
        return NULL;
    }
    assert_ok(status, &err);
    char *copy = malloc(buf.len + 1);
    assert_non_null(copy);
    memcpy(copy, dw__strbuf_cstr(&buf), buf.len + 1);
    return copy;
}

bool
dwt_exists(dw_storage *storage, const char *key)
{
    dw_error err = DW_ERROR_INIT;
    dw_object_meta meta;
    dw_status status = dw__storage_head(storage, dw__str_from(key), &meta, &err);
    if (status != DW_NOT_FOUND) {
        assert_ok(status, &err);
    }
    return status == DW_OK;
}

size_t
dwt_count(dw_storage *storage, const char *prefix)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_list_request request = {.prefix = dw__str_from(prefix), .recursive = true};
    dw_list_page page;
    size_t count = 0;
    do {
        dw_status status = dw__storage_list(storage, &request, &arena, &page, &err);
        assert_ok(status, &err);
        count += page.count;
        if (page.has_more) {
            request.start_after = page.objects[page.count - 1].key;
        }
    } while (page.has_more);
    return count;
}
