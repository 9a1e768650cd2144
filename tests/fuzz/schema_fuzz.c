/*
 * Schema strings. Whatever parses prints, and the print parses to an equal schema and the same
 * print.
 */
#include "fuzz.h"

#include "protocol/stats.h"

static void
walk_schema(const dw_type *schema, dw_arena *arena)
{
    dw_str first = schema->field_count == 0 ? DW_STR("x") : schema->fields[0].name;
    fuzz_run(dw__schema_check(schema, &first, 1, true, NULL));
    fuzz_run(dw__schema_check(schema, NULL, 0, false, NULL));
    (void) dw__schema_find(schema, first);
    (void) dw__schema_find_trait(schema, DW_FIELD_IDENTITY);
    dw_assert(dw__schema_without_mapping(schema, arena) != NULL);
    dw_pairs none = {NULL, 0};
    dw_properties properties;
    dw_column_path *paths;
    size_t count;
    dw__properties_read(&none, &properties, NULL);
    properties.data_skipping_stats_columns = first;
    dw_assert(dw__stats_columns(schema, &first, 1, &properties, arena, &paths, &count, NULL) ==
              DW_OK);
    DW_AUTO(dw_strbuf) sql = fuzz_strbuf();
    dw__type_print_sql(&sql, schema);
    dw_assert(!sql.failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    const dw_type *schema;
    const dw_type *again;
    dw_error err = DW_ERROR_INIT;
    dw_str json = fuzz_text(data, size);
    if (dw__schema_parse("the schema", json, &arena, &schema, &err) != DW_OK) {
        dw_assert(err.status != DW_OK && err.message[0] != '\0');
        return 0;
    }
    walk_schema(schema, &arena);
    DW_AUTO(dw_strbuf) once = fuzz_strbuf();
    DW_AUTO(dw_strbuf) twice = fuzz_strbuf();
    dw__schema_print(&once, schema);
    dw_status status = dw__schema_parse("the print", dw__strbuf_str(&once), &arena, &again, &err);
    dw_assert(status == DW_OK);
    dw_assert(dw__type_equal(schema, again, false));
    dw__schema_print(&twice, again);
    dw_assert(dw__str_equal(dw__strbuf_str(&once), dw__strbuf_str(&twice)));
    return 0;
}
