/*
 * CONVERT TO DELTA parquet.`path` [NO STATISTICS] [PARTITIONED BY (a INT, ...)] [DRY RUN].
 */
#include "sql/execution.h"
#include "sql/parse.h"
#include "sql/parse_column.h"
#include "upkeep/convert.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- Parsing --------------------------------------------------------------------------------- */

static dw_status
take_partition_columns(dw_parser *parser, const dw_column_list *list, const dw_str_vec *names,
                       dw_field **out, size_t *count_out)
{
    size_t count = list->columns.count;
    if (count != names->count) {
        return dw__parser_fail(parser, "a type with each partition column, as in (day DATE)");
    }
    *out = DW_ARENA_ARRAY(parser->arena, dw_field, count + 1);
    if (*out == NULL) {
        return dw__error_oom(parser->err);
    }
    memcpy(*out, list->columns.items, count * sizeof(*list->columns.items));
    *count_out = count;
    return DW_OK;
}

/* [PARTITIONED BY (a INT, ...)] */
static dw_status
parse_partition_columns(dw_parser *parser, dw_field **out, size_t *count_out)
{
    dw_column_list list = {0};
    dw_str_vec names = {0};
    if (!dw__parser_accept(parser, DW_KEYWORD_PARTITIONED)) {
        return DW_OK;
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
    dw_status status = dw__parse_partition_columns(parser, &list, &names);
    if (status == DW_OK) {
        status = take_partition_columns(parser, &list, &names, out, count_out);
    }
    DW_VEC_DEINIT(parser->arena->allocator, &list.columns);
    DW_VEC_DEINIT(parser->arena->allocator, &list.constraints);
    DW_VEC_DEINIT(parser->arena->allocator, &names);
    return status;
}

/* parquet.`path` */
static dw_status
parse_directory(dw_parser *parser, dw_sql_name *out)
{
    *out = (dw_sql_name){.is_path = true, .part_count = 1};
    if (!dw__parser_is_word_at(parser, 0, "parquet") || !dw__parser_is_symbol_at(parser, 1, ".")) {
        return dw__parser_fail(parser, "parquet.`path`");
    }
    parser->pos += 2;
    return dw__parser_name(parser, "a path in backquotes", &out->parts[0]);
}

dw_status
dw__parse_parquet_source(dw_parser *parser, dw_sql_name *out, dw_field **fields_out,
                         size_t *count_out)
{
    DW_TRY(parse_directory(parser, out));
    return parse_partition_columns(parser, fields_out, count_out);
}

dw_status
dw__parse_convert(dw_parser *parser, dw_convert_statement *out)
{
    *out = (dw_convert_statement){0};
    if (!dw__parser_accept_word(parser, "delta")) {
        return dw__parser_fail(parser, "DELTA");
    }
    DW_TRY(parse_directory(parser, &out->name));
    if (dw__parser_accept_word(parser, "no")) {
        out->without_statistics = dw__parser_accept_word(parser, "statistics");
        if (!out->without_statistics) {
            return dw__parser_fail(parser, "STATISTICS");
        }
    }
    DW_TRY(parse_partition_columns(parser, &out->partition_fields, &out->partition_count));
    return dw__parse_dry_run(parser, &out->options);
}

/* ---- Running --------------------------------------------------------------------------------- */

static dw_status
set_message(dw_execution *x, const dw_table *table, const dw_convert_result *done)
{
    dw_str root = dw__table_root(table);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (done->was_table) {
        dw__strbuf_printf(&text, "%.*s is a Delta table already", DW_STR_ARG(root));
    } else {
        bool is_rehearsal = x->statement.as.convert.options.dry_run;
        dw__strbuf_printf(&text, "%s ", is_rehearsal ? "would convert" : "converted");
        dw__put_counted(&text, done->file_count, "file");
        dw__strbuf_printf(&text, " of %" PRId64 " bytes in %.*s", done->size_bytes,
                          DW_STR_ARG(root));
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_convert(dw_execution *x)
{
    const dw_convert_statement *convert = &x->statement.as.convert;
    dw_convert_result done;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, &convert->name, &kind, &table));
    dw_convert_spec spec = {.partition_fields = convert->partition_fields,
                            .partition_count = convert->partition_count,
                            .without_statistics = convert->without_statistics};
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &convert->options, &upkeep));
    dw_status status = dw__table_convert(table, &upkeep, &spec, &done, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "CONVERT TO DELTA parquet.`%.*s`",
                          DW_STR_ARG(dw__table_root(table)));
        return status;
    }
    dw__execution_note_commit(x, done.version);
    return set_message(x, table, &done);
}
