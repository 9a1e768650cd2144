/*
 * Which files a conversion takes, and their partition values. Hidden are names that begin with "_"
 * or ".", but for directories of the partition columns that were given.
 */
#include "codec/uri.h"
#include "protocol/value.h"
#include "upkeep/convert_core.h"

#define NULL_PARTITION DW_STR("__HIVE_DEFAULT_PARTITION__")

/* ---- Partition values ------------------------------------------------------------------------ */

/* The next part of a key; false behind the last directory. */
static bool
next_directory(dw_str *rest, dw_str *part_out)
{
    size_t slash = dw__str_find(*rest, '/');
    if (slash == SIZE_MAX) {
        return false;
    }
    *part_out = dw__str_slice(*rest, 0, slash);
    *rest = dw__str_slice(*rest, slash + 1, rest->len);
    return true;
}

static dw_str
directory_of(dw_str key)
{
    size_t slash = dw__str_find_last(key, '/');
    return dw__str_slice(key, 0, slash == SIZE_MAX ? 0 : slash);
}

static dw_status
unescape(dw_converting *c, dw_str text, dw_str *out, dw_error *err)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = dw__uri_decode(&c->arena, text, out, &ignored);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status != DW_OK) {
        *out = text; /* not every writer escapes */
    }
    return DW_OK;
}

static dw_status
mismatch(const dw_converting *c, dw_str key, dw_error *err)
{
    DW_AUTO(dw_strbuf) names = dw__strbuf_make(c->arena.allocator, DW_CONVERT_TEXT_BYTES_MAX);
    for (size_t i = 0; i < c->spec->partition_count; i++) {
        dw__strbuf_printf(&names, "%s%.*s=", i == 0 ? "" : "/",
                          DW_STR_ARG(c->spec->partition_fields[i].name));
    }
    dw_str directory = directory_of(key);
    bool is_given = c->spec->partition_count > 0;
    dw_str expected = is_given ? dw__strbuf_str(&names) : DW_STR("no partition columns");
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_COLUMNS_MISMATCH",
                         "expected %.*s in the names of directories, found \"%.*s\": name the "
                         "partition columns of the files with their types, in that order, in "
                         "PARTITIONED BY",
                         DW_STR_ARG(expected), DW_STR_ARG(directory));
}

static dw_status
read_value(dw_converting *c, dw_str key, size_t idx, dw_str text, dw_str *out, dw_error *err)
{
    const dw_field *field = &c->spec->partition_fields[idx];
    dw_value value;
    dw_str plain;
    *out = DW_STR_NULL;
    if (dw__str_equal(text, NULL_PARTITION)) {
        return DW_OK;
    }
    DW_TRY(unescape(c, text, &plain, err));
    dw_status status = dw__partition_value_parse(field, plain, &c->arena, &value, err);
    if (status == DW_CORRUPT) { /* it is not the log's */
        char type[DW_TYPE_TEXT_SIZE];
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_VALUE_INVALID",
                             "expected a value of partition column \"%.*s\" of type %s, found "
                             "\"%.*s\" in the directory \"%.*s\": give the column another type",
                             DW_STR_ARG(field->name), dw__type_text(field->type, type),
                             DW_STR_ARG(plain), DW_STR_ARG(directory_of(key)));
    }
    DW_TRY(status);
    return dw__partition_value_print(field, &value, &c->arena, out, err);
}

static dw_status
read_values(dw_converting *c, dw_convert_file *file, dw_error *err)
{
    size_t count = c->spec->partition_count;
    size_t found = 0;
    dw_str rest = file->key;
    dw_str part, name;
    file->values = DW_ARENA_ARRAY(&c->arena, dw_str, count + 1);
    if (file->values == NULL) {
        return dw__error_oom(err);
    }
    while (next_directory(&rest, &part)) {
        size_t equals = dw__str_find(part, '=');
        if (equals == SIZE_MAX) {
            continue;
        }
        DW_TRY(unescape(c, dw__str_slice(part, 0, equals), &name, err));
        if (found == count || !dw__str_equal_nocase(name, c->spec->partition_fields[found].name)) {
            return mismatch(c, file->key, err);
        }
        DW_TRY(read_value(c, file->key, found, dw__str_slice(part, equals + 1, part.len),
                          &file->values[found], err));
        found++;
    }
    return found == count ? DW_OK : mismatch(c, file->key, err);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static bool
is_hidden_name(dw_str name)
{
    return name.len > 0 && (name.ptr[0] == '_' || name.ptr[0] == '.');
}

static bool
is_partition(const dw_converting *c, dw_str part)
{
    size_t equals = dw__str_find(part, '=');
    for (size_t i = 0; equals != SIZE_MAX && i < c->spec->partition_count; i++) {
        if (dw__str_equal_nocase(dw__str_slice(part, 0, equals),
                                 c->spec->partition_fields[i].name)) {
            return true;
        }
    }
    return false;
}

static bool
is_hidden(const dw_converting *c, dw_str key)
{
    dw_str part;
    while (next_directory(&key, &part)) {
        if (is_hidden_name(part) && !is_partition(c, part)) {
            return true;
        }
    }
    return is_hidden_name(key);
}

static dw_status
take(dw_converting *c, const dw_object_meta *object, dw_error *err)
{
    if (is_hidden(c, object->key)) {
        return DW_OK;
    }
    if (c->files.count == DW_CONVERT_FILES_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                             "more than %zu files in one conversion: load them with COPY INTO",
                             DW_CONVERT_FILES_MAX);
    }
    dw_convert_file *file = DW_VEC_PUSH(c->arena.allocator, &c->files);
    if (file == NULL || !dw__arena_dup(&c->arena, object->key, &file->key)) {
        return dw__error_oom(err);
    }
    file->size_bytes = object->size_bytes;
    file->modified_ms = object->modified_ms;
    file->stats = DW_STR_NULL;
    return read_values(c, file, err);
}

dw_status
dw__convert_find_files(dw_converting *c, dw_error *err)
{
    dw_str last = DW_STR_NULL;
    dw_list_page page = {.has_more = true};
    while (page.has_more) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, c->arena.allocator);
        dw_list_request request = {.prefix = DW_STR(""), .start_after = last, .recursive = true};
        DW_TRY(dw__upkeep_check(c->upkeep, err));
        DW_TRY(dw__storage_list(dw__table_storage(c->table), &request, &arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            DW_TRY(take(c, &page.objects[i], err));
        }
        if (page.count == 0) {
            break;
        }
        if (!dw__arena_dup(&c->arena, page.objects[page.count - 1].key, &last)) {
            return dw__error_oom(err);
        }
    }
    return c->files.count > 0 ? DW_OK
                              : dw__error_set(err, DW_NOT_FOUND, "FILE_NOT_FOUND",
                                              "expected Parquet files in %.*s, found none",
                                              DW_STR_ARG(dw__table_root(c->table)));
}
