/*
 * Statements that change a table in a way that we do not do to Delta tables (yet). Some of them the
 * engine can do to its own tables, so the name decides.
 */
#include "base/assert.h"
#include "sql/parse.h"

/* How such a statement begins, up to the name of the table. Words in `optional` may be left out. */
typedef struct modify_shape {
    const char *verb;
    dw_keyword words[3];    /* the first ones, NONE where there are fewer */
    dw_keyword optional[2]; /* what may come between them and the name */
    bool engine_knows;      /* the engine has such a statement for its own tables */
    bool has_from, has_using;
    const char *advice;
} modify_shape;

static const modify_shape shapes[] = {
    {.verb = "DELETE",
     .words = {DW_KEYWORD_DELETE, DW_KEYWORD_FROM},
     .engine_knows = true,
     .has_using = true,
     .advice = ""},
    {.verb = "UPDATE",
     .words = {DW_KEYWORD_UPDATE},
     .engine_knows = true,
     .has_from = true,
     .advice = ""},
    {.verb = "TRUNCATE",
     .words = {DW_KEYWORD_TRUNCATE},
     .optional = {DW_KEYWORD_TABLE},
     .engine_knows = true,
     .advice = ""},
    {.verb = "ALTER TABLE",
     .words = {DW_KEYWORD_ALTER, DW_KEYWORD_TABLE},
     .engine_knows = true,
     .advice = ": use CREATE OR REPLACE TABLE ... AS SELECT"},
    {.verb = "DROP TABLE",
     .words = {DW_KEYWORD_DROP, DW_KEYWORD_TABLE},
     .optional = {DW_KEYWORD_IF, DW_KEYWORD_EXISTS},
     .engine_knows = true,
     .advice = ""},
    {.verb = "MSCK REPAIR TABLE", .words = {DW_KEYWORD_MSCK}, .advice = ": Delta tables need none"},
    {.verb = "REFRESH",
     .words = {DW_KEYWORD_REFRESH},
     .advice = ": every statement sees the newest version"},
};

static bool
begins_with(const dw_parser *parser, const modify_shape *shape, size_t *count_out)
{
    size_t count = 0;
    while (count < 3 && shape->words[count] != DW_KEYWORD_NONE) {
        if (!dw__parser_is_at(parser, count, shape->words[count])) {
            return false;
        }
        count++;
    }
    *count_out = count;
    return true;
}

static void
accept_optional(dw_parser *parser, const modify_shape *shape)
{
    for (size_t i = 0; i < 2; i++) {
        if (shape->optional[i] != DW_KEYWORD_NONE) {
            (void) dw__parser_accept(parser, shape->optional[i]);
        }
    }
}

static dw_status
parse_shape(dw_parser *parser, const modify_shape *shape, dw_statement *out)
{
    *out = (dw_statement){.kind = DW_STATEMENT_MODIFY, .verb = shape->verb};
    dw_modify_statement *modify = &out->as.modify;
    modify->verb = shape->verb;
    modify->has_from = shape->has_from;
    modify->has_using = shape->has_using;
    modify->advice = shape->advice;
    modify->has_name = shape->engine_knows && dw__parser_is_name(parser);
    modify->name_first = parser->pos;
    if (modify->has_name) {
        DW_TRY(dw__parser_table(parser, &modify->name));
        modify->name_end = parser->pos;
    } else if (shape->engine_knows) {
        out->kind = DW_STATEMENT_ENGINE; /* such as VACUUM alone */
        out->as.engine = (dw_engine_statement){0};
    }
    return DW_OK;
}

dw_status
dw__parse_modify(dw_parser *parser, dw_statement *out, bool *found_out)
{
    *found_out = dw__parser_accept(parser, DW_KEYWORD_MERGE);
    if (*found_out) {
        return dw__parse_merge_head(parser, out);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t count;
        if (begins_with(parser, &shapes[i], &count)) {
            parser->pos += count;
            accept_optional(parser, &shapes[i]);
            *found_out = true;
            return parse_shape(parser, &shapes[i], out);
        }
    }
    return DW_OK;
}
