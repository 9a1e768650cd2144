/*
 * Printing the SELECT over files.
 */
#include "table/file_query.h"

#include "base/assert.h"
#include "engine/database.h"

/* What kind of value an option takes. */
typedef enum option_kind { OPTION_BOOL, OPTION_TEXT } option_kind;

/* An option by the names that people know, and by the engine's. `inverted`: true means the engine's
 * false. */
typedef struct option_name {
    dw_str name;
    dw_str engine_name;
    option_kind kind;
    bool inverted;
} option_name;

static const option_name csv_options[] = {
    {{"header", 6}, {"header", 6}, OPTION_BOOL, false},
    {{"sep", 3}, {"delim", 5}, OPTION_TEXT, false},
    {{"delimiter", 9}, {"delim", 5}, OPTION_TEXT, false},
    {{"delim", 5}, {"delim", 5}, OPTION_TEXT, false},
    {{"quote", 5}, {"quote", 5}, OPTION_TEXT, false},
    {{"escape", 6}, {"escape", 6}, OPTION_TEXT, false},
    {{"nullValue", 9}, {"nullstr", 7}, OPTION_TEXT, false},
    {{"nullstr", 7}, {"nullstr", 7}, OPTION_TEXT, false},
    {{"inferSchema", 11}, {"all_varchar", 11}, OPTION_BOOL, true},
    {{"dateFormat", 10}, {"dateformat", 10}, OPTION_TEXT, false},
    {{"timestampFormat", 15}, {"timestampformat", 15}, OPTION_TEXT, false},
    {{"encoding", 8}, {"encoding", 8}, OPTION_TEXT, false},
    {{"compression", 11}, {"compression", 11}, OPTION_TEXT, false},
    {{"mergeSchema", 11}, {"union_by_name", 13}, OPTION_BOOL, false},
    {{NULL, 0}, {NULL, 0}, OPTION_BOOL, false},
};

static const option_name json_options[] = {
    {{"dateFormat", 10}, {"dateformat", 10}, OPTION_TEXT, false},
    {{"timestampFormat", 15}, {"timestampformat", 15}, OPTION_TEXT, false},
    {{"compression", 11}, {"compression", 11}, OPTION_TEXT, false},
    {{"mergeSchema", 11}, {"union_by_name", 13}, OPTION_BOOL, false},
    {{NULL, 0}, {NULL, 0}, OPTION_BOOL, false},
};

static const option_name parquet_options[] = {
    {{"mergeSchema", 11}, {"union_by_name", 13}, OPTION_BOOL, false},
    {{NULL, 0}, {NULL, 0}, OPTION_BOOL, false},
};

typedef struct format_spec {
    const char *name;
    const char *reader;
    const option_name *options;
} format_spec;

static const format_spec *
spec_of(dw_load_format format)
{
    static const format_spec parquet = {"Parquet", "read_parquet", parquet_options};
    static const format_spec csv = {"CSV", "read_csv", csv_options};
    static const format_spec json = {"JSON", "read_json", json_options};
    switch (format) {
    case DW_LOAD_PARQUET:
        return &parquet;
    case DW_LOAD_CSV:
        return &csv;
    case DW_LOAD_JSON:
        return &json;
    case DW_LOAD_AUTO:
        break;
    }
    dw_unreachable("a format is chosen by now");
}

static bool
ends_with_nocase(dw_str path, dw_str suffix)
{
    return path.len >= suffix.len &&
           dw__str_equal_nocase(dw__str_slice(path, path.len - suffix.len, suffix.len), suffix);
}

dw_load_format
dw__file_format(dw_str path)
{
    static const dw_str packed[] = {{".gz", 3}, {".zst", 4}};
    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        if (ends_with_nocase(path, packed[i])) {
            path.len -= packed[i].len;
        }
    }
    if (ends_with_nocase(path, DW_STR(".parquet")) || ends_with_nocase(path, DW_STR(".pq"))) {
        return DW_LOAD_PARQUET;
    }
    if (ends_with_nocase(path, DW_STR(".csv")) || ends_with_nocase(path, DW_STR(".tsv")) ||
        ends_with_nocase(path, DW_STR(".txt"))) {
        return DW_LOAD_CSV;
    }
    if (ends_with_nocase(path, DW_STR(".json")) || ends_with_nocase(path, DW_STR(".ndjson")) ||
        ends_with_nocase(path, DW_STR(".jsonl"))) {
        return DW_LOAD_JSON;
    }
    return DW_LOAD_AUTO;
}

static dw_status
option_unknown(const format_spec *spec, dw_str key, dw_error *err)
{
    DW_AUTO(dw_strbuf) names = dw__strbuf_make(dw__allocator_libc(), DW_ERROR_MESSAGE_SIZE);
    for (const option_name *option = spec->options; option->name.ptr != NULL; option++) {
        dw__strbuf_printf(&names, "%s%.*s", names.len == 0 ? "" : ", ", DW_STR_ARG(option->name));
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_UNKNOWN",
                         "\"%.*s\" is no option for %s files, which take %s", DW_STR_ARG(key),
                         spec->name, dw__strbuf_cstr(&names));
}

static dw_status
print_bool(dw_strbuf *out, const option_name *option, dw_str value, dw_error *err)
{
    bool is_true = dw__str_equal_nocase(value, DW_STR("true"));
    if (!is_true && !dw__str_equal_nocase(value, DW_STR("false"))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "OPTION_INVALID",
                             "option \"%.*s\" is true or false, not \"%.*s\"",
                             DW_STR_ARG(option->name), DW_STR_ARG(value));
    }
    dw__strbuf_append(out, is_true != option->inverted ? DW_STR("true") : DW_STR("false"));
    return DW_OK;
}

static dw_status
print_option(dw_strbuf *out, const format_spec *spec, const dw_pair *pair, dw_error *err)
{
    for (const option_name *option = spec->options; option->name.ptr != NULL; option++) {
        if (!dw__str_equal_nocase(option->name, pair->key)) {
            continue;
        }
        dw__strbuf_printf(out, ", %.*s = ", DW_STR_ARG(option->engine_name));
        if (option->kind == OPTION_BOOL) {
            return print_bool(out, option, pair->value, err);
        }
        dw__sql_put_literal(out, pair->value);
        return DW_OK;
    }
    return option_unknown(spec, pair->key, err);
}

/*
 * Several files need not have the same columns in the same order, unless the options say otherwise.
 */
static bool
unites_by_name(const dw_pairs *options, size_t file_count)
{
    for (size_t i = 0; i < options->count; i++) {
        if (dw__str_equal_nocase(options->items[i].key, DW_STR("mergeSchema"))) {
            return false;
        }
    }
    return file_count > 1;
}

dw_status
dw__file_query_print(dw_strbuf *out, dw_load_format format, const dw_str *paths, size_t count,
                     const dw_pairs *options, dw_str select_list, dw_error *err)
{
    const format_spec *spec = spec_of(format);
    dw__strbuf_append_literal(out, "SELECT ");
    dw__strbuf_append(out, dw__str_is_null(select_list) ? DW_STR("*") : select_list);
    dw__strbuf_printf(out, " FROM %s([", spec->reader);
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_literal(out, paths[i]);
    }
    dw__strbuf_append_char(out, ']');
    if (unites_by_name(options, count)) {
        dw__strbuf_append_literal(out, ", union_by_name = true");
    }
    for (size_t i = 0; i < options->count; i++) {
        DW_TRY(print_option(out, spec, &options->items[i], err));
    }
    dw__strbuf_append_char(out, ')');
    return dw__strbuf_ok(out, "the statement", err);
}
