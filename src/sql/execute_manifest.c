/*
 * GENERATE symlink_format_manifest FOR TABLE name [DRY RUN].
 */
#include "sql/execution.h"
#include "sql/parse.h"
#include "upkeep/manifest.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 65536)

dw_status
dw__parse_generate(dw_parser *parser, dw_manifest_statement *out)
{
    dw_str mode;
    size_t idx = parser->pos;
    *out = (dw_manifest_statement){0};
    DW_TRY(dw__parser_name(parser, "symlink_format_manifest", &mode));
    if (!dw__str_equal_nocase(mode, DW_STR("symlink_format_manifest"))) {
        parser->pos = idx;
        return dw__parser_fail(parser, "symlink_format_manifest");
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_FOR));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_TABLE));
    DW_TRY(dw__parser_table(parser, &out->name));
    return dw__parse_dry_run(parser, &out->options);
}

static dw_status
set_message(dw_execution *x, const dw_manifest_result *done)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    bool is_rehearsal = x->statement.as.manifest.options.dry_run;
    dw__strbuf_printf(&text, "%s ", is_rehearsal ? "would list" : "listed");
    dw__put_counted(&text, done->file_count, "file");
    dw__strbuf_printf(&text, " of version %" PRId64 " in ", done->version);
    dw__put_counted(&text, done->list_count, "manifest");
    if (done->removed_count > 0) {
        dw__strbuf_printf(&text, "%s ", is_rehearsal ? " and remove" : ", removed");
        dw__put_counted(&text, done->removed_count, "manifest");
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_generate(dw_execution *x)
{
    dw_manifest_result done;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.manifest.name, &table));
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, NULL, &x->statement.as.manifest.options, &upkeep));
    dw_status status = dw__table_generate_manifest(table, &upkeep, &done, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "GENERATE for %.*s", DW_STR_ARG(dw__table_root(table)));
        return status;
    }
    return set_message(x, &done);
}
