/*
 * Beginning a lineage, and noting its inputs. [NOTE-1]
 */
#include "sql/lineage.h"

#include "codec/codec.h"
#include "lineage/lineage.h"

/* ---- The beginning --------------------------------------------------------------------------- */

static bool
take_sql(const dw_execution *x, dw_lineage_statement *statement)
{
    dw_str text = dw__str_trim(x->sql.text);
    size_t len = text.len;
    if (len > DW_LINEAGE_SQL_BYTES_MAX) {
        statement->is_cut = true;
        len = DW_LINEAGE_SQL_BYTES_MAX;
        while (len > 0 && ((unsigned char) text.ptr[len] & 0xc0) == 0x80) {
            len--; /* not inside of a character */
        }
    }
    return dw__arena_dup(x->lineage->arena, dw__str_slice(text, 0, len), &statement->sql);
}

static bool
take_record(const dw_execution *x, const dw_table *table)
{
    const dw_session_settings *settings = &x->session->settings;
    dw_lineage_start start = {.defaults = dw__catalog_lineage(x->session->catalog),
                              .namespace_name =
                                  dw__session_setting_text(&settings->lineage_namespace),
                              .job = dw__session_setting_text(&settings->lineage_job),
                              .parent = dw__session_setting_text(&settings->lineage_parent),
                              .verb = x->statement.verb,
                              .table = dw__table_root(table)};
    return dw__lineage_begin(x->lineage, x->session->env, &start);
}

static dw_status
begin(dw_execution *x, const dw_table *table)
{
    x->lineage = DW_ARENA_NEW(&x->arena, dw_lineage);
    if (x->lineage == NULL) {
        return dw__error_oom(x->err);
    }
    x->lineage->arena = &x->arena;
    if (!take_record(x, table) || !take_sql(x, &x->lineage->statement)) {
        return dw__error_oom(x->err);
    }
    dw__execution_tell_start(x);
    return DW_OK;
}

dw_status
dw__execution_limits(dw_execution *x, const dw_table *table, dw_commit_limits *out)
{
    *out = x->session->settings.limits;
    if (!x->session->settings.records_no_lineage && x->lineage == NULL) {
        DW_TRY(begin(x, table));
    }
    out->lineage = x->lineage;
    return DW_OK;
}

dw_status
dw__execution_upkeep_limits(dw_execution *x, const dw_table *table, dw_commit_limits *out)
{
    DW_TRY(dw__execution_limits(x, table, out));
    bool is_known = out->lineage == NULL || out->lineage->statement.has_columns ||
                    dw__lineage_set_columns(out->lineage, NULL, 0);
    return is_known ? DW_OK : dw__error_oom(x->err);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static dw_status
note_snapshot(dw_execution *x, const dw_log_snapshot *snapshot, bool is_changes, size_t *idx_out)
{
    return dw__lineage_add_table(x->lineage, snapshot, is_changes, idx_out) ? DW_OK
                                                                            : dw__error_oom(x->err);
}

dw_status
dw__execution_note_table(dw_execution *x, const dw_log_snapshot *snapshot, size_t *idx_out)
{
    *idx_out = SIZE_MAX;
    return x->lineage == NULL ? DW_OK : note_snapshot(x, snapshot, false, idx_out);
}

dw_status
dw__execution_note_scan(dw_execution *x, const dw_scan *scan)
{
    size_t idx;
    for (size_t i = 0; x->lineage != NULL && scan != NULL && i < dw__scan_source_count(scan); i++) {
        DW_TRY(note_snapshot(x, dw__scan_snapshot(scan, i), dw__scan_has_changes(scan, i), &idx));
    }
    return DW_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* The engine's functions that read files, and what they read. */
static const char *
format_of(dw_str function)
{
    static const char *const functions[][2] = {{"read_parquet", "parquet"},
                                               {"parquet_scan", "parquet"},
                                               {"read_csv", "csv"},
                                               {"read_csv_auto", "csv"},
                                               {"sniff_csv", "csv"},
                                               {"read_json", "json"},
                                               {"read_json_auto", "json"},
                                               {"read_json_objects", "json"},
                                               {"read_json_objects_auto", "json"},
                                               {"read_ndjson", "json"},
                                               {"read_ndjson_auto", "json"},
                                               {"read_ndjson_objects", "json"},
                                               {"read_text", "text"},
                                               {"read_blob", "blob"},
                                               {"glob", "glob"}};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (dw__str_equal_nocase(function, dw__str_from(functions[i][0]))) {
            return functions[i][1];
        }
    }
    return NULL;
}

static const char *
format_of_path(dw_str path)
{
    static const char *const formats[] = {"parquet", "csv", "json", "ndjson", "tsv"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (memmem(path.ptr, path.len, formats[i], strlen(formats[i])) != NULL) {
            return strcmp(formats[i], "ndjson") == 0 ? "json" : formats[i];
        }
    }
    return "file";
}

/* The strings of the first argument of a function, which are one path or a list. */
static dw_status
note_argument(dw_execution *x, const dw_sql_text *sql, size_t token, size_t last,
              const char *format)
{
    dw_str *paths = DW_ARENA_ARRAY(&x->arena, dw_str, DW_LINEAGE_FILES_MAX);
    size_t count = 0, idx;
    bool is_list = token < last && dw__token_is_symbol(sql, token, "[");
    if (paths == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = token + (is_list ? 1 : 0); i < last && count < DW_LINEAGE_FILES_MAX; i++) {
        if (sql->items[i].kind == DW_TOKEN_STRING) {
            DW_TRY(dw__token_string(sql, i, &x->arena, &paths[count++], x->err));
        } else if (!dw__token_is_symbol(sql, i, ",")) {
            break;
        }
        if (!is_list) {
            break;
        }
    }
    return count == 0 || dw__lineage_add_files(x->lineage, paths, count, format, &idx)
               ? DW_OK
               : dw__error_oom(x->err);
}

/* FROM 'path', JOIN 'path', and the arguments of functions, as they stand in the text. */
static dw_status
note_written_files(dw_execution *x, const dw_sql_text *sql, dw_sql_range range)
{
    for (size_t i = range.first; i + 1 < range.last; i++) {
        uint16_t word = sql->items[i].keyword;
        bool is_string = sql->items[i + 1].kind == DW_TOKEN_STRING;
        const char *format = format_of(dw__token_text(sql, i));
        if (format != NULL && dw__token_is_symbol(sql, i + 1, "(")) {
            DW_TRY(note_argument(x, sql, i + 2, range.last, format));
        } else if (is_string && (word == DW_KEYWORD_FROM || word == DW_KEYWORD_JOIN)) {
            DW_TRY(note_argument(x, sql, i + 1, range.last,
                                 format_of_path(dw__token_text(sql, i + 1))));
        }
    }
    return DW_OK;
}

static bool
may_read_files(const dw_sql_text *sql, dw_sql_range range)
{
    for (size_t i = range.first; i + 1 < range.last; i++) {
        uint16_t word = sql->items[i].keyword;
        bool is_place =
            word == DW_KEYWORD_FROM || word == DW_KEYWORD_JOIN || dw__token_is_symbol(sql, i, ",");
        if ((is_place && sql->items[i + 1].kind == DW_TOKEN_STRING) ||
            (dw__token_is_symbol(sql, i + 1, "(") && format_of(dw__token_text(sql, i)) != NULL)) {
            return true;
        }
    }
    return false;
}

static bool
may_read_table(uint16_t word)
{
    return word == DW_KEYWORD_FROM || word == DW_KEYWORD_TABLE || word == DW_KEYWORD_PIVOT ||
           word == DW_KEYWORD_UNPIVOT || word == DW_KEYWORD_DESCRIBE ||
           word == DW_KEYWORD_SUMMARIZE || word == DW_KEYWORD_SHOW;
}

bool
dw__may_begin_query(uint16_t keyword)
{
    return keyword == DW_KEYWORD_SELECT || may_read_table(keyword);
}

/* VALUES, and a SELECT without FROM. */
static bool
reads_nothing(const dw_sql_text *sql, dw_sql_range range)
{
    for (size_t i = range.first; i < range.last; i++) {
        if (may_read_table(sql->items[i].keyword)) {
            return false;
        }
    }
    return true;
}

/* ---- What the plan tells --------------------------------------------------------------------- */

/* Functions that make rows of nothing. */
static bool
is_generator(dw_str function)
{
    return dw__str_equal(function, DW_STR("range")) ||
           dw__str_equal(function, DW_STR("generate_series")) ||
           dw__str_equal(function, DW_STR("repeat")) || dw__str_equal(function, DW_STR("unnest"));
}

static dw_status
note_plan_input(dw_execution *x, const dw_scan *scan, const dw_plan_input *input, size_t *idx_out)
{
    *idx_out = is_generator(input->function) ? DW_LINEAGE_NO_INPUT : SIZE_MAX;
    for (size_t i = 0; scan != NULL && i < dw__scan_source_count(scan); i++) {
        if (dw__str_equal_nocase(dw__scan_source_name(scan, i), input->table)) {
            return note_snapshot(x, dw__scan_snapshot(scan, i), dw__scan_has_changes(scan, i),
                                 idx_out);
        }
    }
    const char *format = format_of(input->function);
    if (format == NULL || input->file_count == 0) {
        return DW_OK;
    }
    return dw__lineage_add_files(x->lineage, input->files, input->file_count, format, idx_out)
               ? DW_OK
               : dw__error_oom(x->err);
}

static dw_status
read_plan(dw_execution *x, const dw_scan *scan, dw_str plan_json, dw_plan_lineage *plan,
          size_t **inputs_out)
{
    DW_TRY(dw__plan_lineage_read(plan_json, &x->arena, plan, x->err));
    *inputs_out = DW_ARENA_ARRAY(&x->arena, size_t, plan->input_count + 1);
    if (*inputs_out == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < plan->input_count; i++) {
        DW_TRY(note_plan_input(x, scan, &plan->inputs[i], &(*inputs_out)[i]));
    }
    return DW_OK;
}

static dw_status
note_plan(dw_execution *x, const dw_scan *scan, dw_str plan_json, bool *has_files_out)
{
    dw_plan_lineage plan;
    size_t *inputs;
    *has_files_out = false;
    DW_TRY(read_plan(x, scan, plan_json, &plan, &inputs));
    for (size_t i = 0; i < plan.input_count; i++) {
        *has_files_out = *has_files_out || plan.inputs[i].file_count > 0;
    }
    return dw__lineage_take_plan(x->lineage, &plan, inputs) ? DW_OK : dw__error_oom(x->err);
}

dw_status
dw__execution_note_choice(dw_execution *x, const dw_scan *scan)
{
    dw_plan_lineage plan;
    size_t *inputs;
    if (x->lineage == NULL) {
        return DW_OK;
    }
    DW_TRY(dw__execution_note_scan(x, scan));
    DW_TRY(read_plan(x, scan, dw__scan_plan_text(scan), &plan, &inputs));
    return dw__lineage_take_conditions(x->lineage, &plan, inputs) ? DW_OK : dw__error_oom(x->err);
}

dw_status
dw__execution_note_query(dw_execution *x, const dw_open_query *query, const dw_sql_text *sql,
                         dw_sql_range range)
{
    bool has_files;
    dw_str plan = query->scan == NULL ? DW_STR_NULL : dw__scan_plan_text(query->scan);
    if (x->lineage == NULL) {
        return DW_OK;
    }
    bool reads_files = may_read_files(sql, range);
    DW_TRY(dw__execution_note_scan(x, query->scan));
    if (query->scan == NULL && reads_files) {
        DW_TRY(dw__database_plan(x->session->database, query->text, &x->arena, &plan, x->err));
    }
    x->lineage->reads_nothing = query->scan == NULL && reads_nothing(sql, range);
    DW_TRY(note_plan(x, query->scan, plan, &has_files));
    return reads_files && !has_files ? note_written_files(x, sql, range) : DW_OK;
}
