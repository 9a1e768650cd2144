/*
 * What a session makes of constants: in another time zone TIMESTAMPTZ '2024-01-01' is another
 * instant, and 11 / 2 may be 5 or 5.5. A statement is planned with the settings that it runs with.
 */
#include "base/assert.h"
#include "engine/internal.h"

/* The settings as SET statements, and what cannot be set for a plan: how many functions of the
 * engine have a macro before them, and integer_division, which json_serialize_plan does not
 * heed. */
static const char question[] =
    "SELECT (SELECT string_agg(format('SET {} = ''{}''', name, replace(value, '''', '''''')), '; ' "
    "ORDER BY name) FROM duckdb_settings() WHERE name IN ('TimeZone', 'Calendar', "
    "'default_collation', 'ieee_floating_point_ops', 'old_implicit_casting', "
    "'disable_timestamptz_casts')), (SELECT count(*) + "
    "current_setting('integer_division')::INTEGER FROM (SELECT 1 FROM duckdb_functions() "
    "GROUP BY function_name HAVING bool_or(internal) AND NOT bool_and(internal)))";

void
dw__database_note_settings(dw_database *database)
{
    atomic_fetch_add(&database->settings_epoch, 1);
}

void
dw__meaning_clear(dw_connection *connection)
{
    dw_meaning *meaning = &connection->meaning;
    dw__dealloc(connection->env->allocator, meaning->settings, meaning->settings_size);
    *meaning = (dw_meaning){0};
}

static dw_status
ask_meaning(dw_connection *connection, uint_fast64_t epoch, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, connection->env->allocator);
    dw_text_rows rows;
    DW_TRY(dw__connection_query_text(connection, dw__str_from(question), &scratch, &rows, err));
    dw_assert(rows.row_count == 1 && rows.column_count == 2);
    dw_str settings = rows.cells[0];
    char *copy = dw__alloc(connection->env->allocator, settings.len + 1);
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    memcpy(copy, settings.ptr, settings.len);
    copy[settings.len] = '\0';
    dw__meaning_clear(connection);
    connection->meaning = (dw_meaning){.epoch = epoch,
                                       .is_unknown = !dw__str_equal(rows.cells[1], DW_STR("0")),
                                       .settings = copy,
                                       .settings_size = settings.len + 1};
    return DW_OK;
}

dw_status
dw__connection_plan_with(dw_connection *connection, dw_str sql, const dw_plan_stub *stubs,
                         size_t count, dw_arena *arena, dw_str *json_out, dw_error *err)
{
    *json_out = DW_STR_NULL;
    dw_database *database = connection->database;
    uint_fast64_t epoch = atomic_load(&database->settings_epoch);
    if (epoch != connection->meaning.epoch) {
        DW_TRY(ask_meaning(connection, epoch, err));
    }
    if (connection->meaning.is_unknown) {
        return DW_OK;
    }
    return dw__planner_plan(database, connection->meaning.settings, sql, stubs, count, arena,
                            json_out, err);
}
