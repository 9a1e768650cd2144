/*
 * CHECK COMPATIBILITY OF SCHEMA 'file' | name [VERSION AS OF n] WITH name [VERSION AS OF n]
 * MODE BACKWARD | FORWARD | FULL.
 */
#include "sql/execution.h"
#include "sql/parse.h"
#include "table/compatibility.h"

#define MESSAGE_BYTES_MAX ((size_t) 4096)

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
parse_mode(dw_parser *parser, dw_compatibility_mode *out)
{
    static const struct {
        const char *name;
        dw_compatibility_mode mode;
    } modes[] = {{"backward", DW_COMPATIBLE_BACKWARD},
                 {"forward", DW_COMPATIBLE_FORWARD},
                 {"full", DW_COMPATIBLE_FULL}};
    if (!dw__parser_accept_word(parser, "mode")) {
        return dw__parser_fail(parser, "MODE");
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (dw__parser_accept_word(parser, modes[i].name)) {
            *out = modes[i].mode;
            return DW_OK;
        }
    }
    return dw__parser_fail(parser, "BACKWARD, FORWARD or FULL");
}

/* A table, perhaps at a version: name AS OF ..., name@v3, delta.`path@v3`. */
static dw_status
parse_table(dw_parser *parser, dw_sql_name *name, dw_sql_travel *travel)
{
    DW_TRY(dw__parser_table(parser, name));
    DW_TRY(dw__parse_travel_suffix(parser, travel));
    return travel->kind == DW_TRAVEL_NONE ? dw__parse_travel(parser, travel) : DW_OK;
}

dw_status
dw__parse_compatibility(dw_parser *parser, dw_check_statement *out)
{
    *out = (dw_check_statement){.file = DW_STR_NULL};
    if (!dw__parser_accept_word(parser, "compatibility")) {
        return dw__parser_fail(parser, "COMPATIBILITY");
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_OF));
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_SCHEMA));
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        DW_TRY(dw__parser_string(parser, "a file", &out->file));
    } else {
        DW_TRY(parse_table(parser, &out->new_name, &out->new_travel));
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_WITH));
    DW_TRY(parse_table(parser, &out->old_name, &out->old_travel));
    DW_TRY(parse_mode(parser, &out->mode));
    return dw__parser_expect_end(parser);
}

/* ---- Running --------------------------------------------------------------------------------- */

static dw_status
schema_of(dw_execution *x, const dw_sql_name *name, const dw_sql_travel *travel,
          const dw_type **out)
{
    dw_log_snapshot *snapshot;
    DW_AUTO(dw_table_ptr) table = NULL;
    dw_sql_name plain = *name;
    dw_sql_travel of_path = *travel;
    if (name->is_path && travel->kind == DW_TRAVEL_NONE) {
        DW_TRY(dw__sql_travel_split(&plain.parts[0], &x->arena, &of_path, x->err));
    }
    DW_TRY(dw__execution_table(x, &plain, &table));
    DW_TRY(dw__execution_snapshot(x, table, &of_path, &snapshot));
    *out = dw__log_snapshot_schema(snapshot);
    return DW_OK;
}

static dw_status
check(dw_execution *x)
{
    const dw_check_statement *statement = &x->statement.as.check;
    dw_compatibility_spec spec = {.mode = statement->mode};
    struct ArrowArrayStream rows;
    DW_TRY(schema_of(x, &statement->old_name, &statement->old_travel, &spec.old_schema));
    DW_TRY(dw__str_is_null(statement->file)
               ? schema_of(x, &statement->new_name, &statement->new_travel, &spec.new_schema)
               : dw__schema_of_file(x->session->connection, statement->file, &x->arena,
                                    &spec.new_schema, &spec.ignores_null, x->err));
    DW_TRY(dw__compatibility_check(&spec, x->session->env->allocator, &rows,
                                   &x->result->incompatible_count, x->err));
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

dw_status
dw__execute_check(dw_execution *x)
{
    dw_status status = check(x);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.check.old_name, &x->arena);
        dw__error_context(x->err, "CHECK COMPATIBILITY WITH %.*s", DW_STR_ARG(name));
    }
    return status;
}
