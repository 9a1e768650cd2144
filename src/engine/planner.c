/*
 * Stubs and plans [DATABASE-1].
 *
 * Only optimizers that move predicates run: others would fold an empty table to nothing
 * (statistics_propagation) or make plans that cannot be written out (join order). A plan that
 * cannot be had costs pruning, never an answer.
 */
#include "base/assert.h"
#include "engine/internal.h"

#define KEPT_OPTIMIZERS                                                                            \
    "'expression_rewriter', 'filter_pullup', 'filter_pushdown', 'regex_range', 'in_clause', "      \
    "'cte_filter_pusher'"

/* The list of disabled optimizers is a text that only the engine can make: it knows its own. */
static const char list_optimizers[] =
    "SET VARIABLE disabled = (SELECT string_agg(name, ',') FROM duckdb_optimizers() "
    "WHERE name NOT IN (" KEPT_OPTIMIZERS "))";

static const char *const planner_settings[] = {
    list_optimizers,
    "SET disabled_optimizers = getvariable('disabled')",
    "SET GLOBAL TimeZone = 'UTC'",
};

/* ---- The instance ---------------------------------------------------------------------------- */

static dw_status
set_up(const dw_duck *duck, duckdb_connection handle, dw_error *err)
{
    for (size_t i = 0; i < sizeof(planner_settings) / sizeof(planner_settings[0]); i++) {
        DW_TRY(dw__statement_execute(duck, handle, planner_settings[i], err));
    }
    return DW_OK;
}

static dw_status
open_planner(dw_database *database, dw_error *err)
{
    dw_planner *planner = &database->planner;
    if (planner->handle != NULL) {
        return DW_OK;
    }
    const dw_duck *duck = database->duck;
    duckdb_database instance = NULL;
    duckdb_connection handle = NULL;
    DW_TRY(dw__instance_open(database, DW_INSTANCE_PLANNER, &instance, err));
    dw_status status = dw__instance_connect(duck, instance, &handle, err);
    if (status == DW_OK) {
        status = set_up(duck, handle, err);
    }
    if (status != DW_OK) {
        duck->disconnect(&handle);
        duck->close(&instance);
        return status;
    }
    planner->instance = instance;
    planner->handle = handle;
    return DW_OK;
}

void
dw__planner_init(dw_database *database)
{
    int failed = pthread_mutex_init(&database->planner.mutex, NULL);
    dw_assert(failed == 0);
}

static void *
run_opener(void *argument)
{
    dw_database *database = argument;
    dw_error ignored = DW_ERROR_INIT;
    pthread_mutex_lock(&database->planner.mutex);
    /* Whoever needs the planner tries again and gets the error. */
    dw_status status = open_planner(database, &ignored);
    (void) status;
    pthread_mutex_unlock(&database->planner.mutex);
    return NULL;
}

/* The second instance takes ten milliseconds to open, as long as many a statement. */
void
dw__planner_open_early(dw_database *database)
{
    dw_planner *planner = &database->planner;
    planner->has_opener =
        planner->has_opener || pthread_create(&planner->opener, NULL, run_opener, database) == 0;
}

static void
forget(dw_database *database, dw_stub *stub)
{
    dw_planner *planner = &database->planner;
    dw__dealloc(database->env->allocator, stub->name, stub->name_size);
    dw__dealloc(database->env->allocator, stub->definition, stub->definition_size);
    *stub = planner->stubs[--planner->stub_count];
}

static void
forget_settings(dw_database *database)
{
    dw_planner *planner = &database->planner;
    dw__dealloc(database->env->allocator, planner->settings, planner->settings_size);
    planner->settings = NULL;
}

void
dw__planner_deinit(dw_database *database)
{
    dw_planner *planner = &database->planner;
    if (planner->has_opener) {
        pthread_join(planner->opener, NULL);
    }
    while (planner->stub_count > 0) {
        forget(database, &planner->stubs[0]);
    }
    forget_settings(database);
    if (planner->handle != NULL) {
        database->duck->disconnect(&planner->handle);
        database->duck->close(&planner->instance);
    }
    pthread_mutex_destroy(&planner->mutex);
}

/* ---- Stubs ----------------------------------------------------------------------------------- */

static dw_stub *
find_stub(dw_planner *planner, dw_str name)
{
    for (size_t i = 0; i < planner->stub_count; i++) {
        dw_stub *stub = &planner->stubs[i];
        if (dw__str_equal_nocase(dw__str_from(stub->name), name)) {
            return stub;
        }
    }
    return NULL;
}

static dw_status
drop_stub(dw_database *database, dw_stub *stub, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(database->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "DROP TABLE IF EXISTS ");
    dw__sql_put_identifier(&sql, dw__str_from(stub->name));
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__statement_execute(database->duck, database->planner.handle, dw__strbuf_cstr(&sql),
                                 err));
    forget(database, stub);
    return DW_OK;
}

static dw_status
make_room(dw_database *database, dw_error *err)
{
    dw_planner *planner = &database->planner;
    if (planner->stub_count < DW_PLAN_STUBS_MAX) {
        return DW_OK;
    }
    dw_stub *oldest = &planner->stubs[0];
    for (size_t i = 1; i < planner->stub_count; i++) {
        if (planner->stubs[i].used_at < oldest->used_at) {
            oldest = &planner->stubs[i];
        }
    }
    return drop_stub(database, oldest, err);
}

static void
put_definition(dw_strbuf *out, const dw_plan_stub *stub)
{
    dw__strbuf_append_literal(out, "CREATE OR REPLACE TABLE ");
    dw__sql_put_identifier(out, stub->name);
    for (size_t i = 0; i < stub->count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR(" (") : DW_STR(", "));
        dw__sql_put_identifier(out, stub->columns[i].name);
        dw__strbuf_append_char(out, ' ');
        dw__strbuf_append(out, stub->columns[i].type);
    }
    dw__strbuf_append_char(out, ')');
}

static char *
copy_text(const dw_allocator *allocator, dw_str text, size_t *size_out)
{
    *size_out = text.len + 1;
    char *copy = dw__alloc(allocator, *size_out);
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

/* Runs the definition and remembers it. */
static dw_status
create_stub(dw_database *database, dw_str name, dw_str definition, dw_error *err)
{
    dw_planner *planner = &database->planner;
    DW_TRY(make_room(database, err));
    dw_stub stub = {.used_at = ++planner->use_count};
    const dw_allocator *allocator = database->env->allocator;
    stub.name = copy_text(allocator, name, &stub.name_size);
    stub.definition = copy_text(allocator, definition, &stub.definition_size);
    dw_stub *slot = &planner->stubs[planner->stub_count++];
    *slot = stub;
    dw_status status =
        stub.name == NULL || stub.definition == NULL
            ? dw__error_oom(err)
            : dw__statement_execute(database->duck, planner->handle, stub.definition, err);
    if (status != DW_OK) {
        forget(database, slot);
    }
    return status;
}

static dw_status
ensure_stub(dw_database *database, const dw_plan_stub *wanted, dw_error *err)
{
    dw_planner *planner = &database->planner;
    dw_assert(wanted->count > 0);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(database->env->allocator, DW_SQL_BYTES_MAX);
    put_definition(&sql, wanted);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    dw_stub *stub = find_stub(planner, wanted->name);
    if (stub != NULL) {
        if (dw__str_equal(dw__str_from(stub->definition), dw__strbuf_str(&sql))) {
            stub->used_at = ++planner->use_count;
            return DW_OK;
        }
        forget(database, stub);
    }
    return create_stub(database, wanted->name, dw__strbuf_str(&sql), err);
}

/* ---- Settings -------------------------------------------------------------------------------- */

static dw_status
apply_settings(dw_database *database, const char *wanted, dw_error *err)
{
    dw_planner *planner = &database->planner;
    if (wanted == NULL || (planner->settings != NULL && strcmp(planner->settings, wanted) == 0)) {
        return DW_OK;
    }
    forget_settings(database);
    DW_TRY(dw__statement_execute(database->duck, planner->handle, wanted, err));
    planner->settings =
        copy_text(database->env->allocator, dw__str_from(wanted), &planner->settings_size);
    return planner->settings != NULL ? DW_OK : dw__error_oom(err);
}

/* ---- Plans ----------------------------------------------------------------------------------- */

static dw_status
take_text(const dw_duck *duck, duckdb_data_chunk chunk, dw_arena *arena, dw_str *out, dw_error *err)
{
    duckdb_vector vector = duck->data_chunk_get_vector(chunk, 0);
    duckdb_string_t *strings = duck->vector_get_data(vector);
    dw_str text = dw__str_make(duck->string_t_data(strings), duck->string_t_length(strings[0]));
    /* The function answers with a plan or with `"error":true` and the reason. */
    if (dw__str_starts_with(text, DW_STR("{\"error\":true"))) {
        return DW_OK;
    }
    return dw__arena_dup(arena, text, out) ? DW_OK : dw__error_oom(err);
}

static dw_status
run_plan(dw_database *database, dw_str sql, dw_arena *arena, dw_str *json_out, dw_error *err)
{
    const dw_duck *duck = database->duck;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(database->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&text, "SELECT json_serialize_plan(");
    dw__sql_put_literal(&text, sql);
    dw__strbuf_append_literal(&text, ", optimize := true)::VARCHAR");
    DW_TRY(dw__strbuf_ok(&text, "the statement", err));
    duckdb_result result = {0};
    DW_TRY(
        dw__statement_query(duck, database->planner.handle, dw__strbuf_cstr(&text), &result, err));
    duckdb_data_chunk chunk = NULL;
    dw_status status = dw__statement_fetch(duck, &result, &chunk, err);
    if (status == DW_OK && chunk != NULL) {
        status = take_text(duck, chunk, arena, json_out, err);
    }
    duck->destroy_data_chunk(&chunk);
    duck->destroy_result(&result);
    return status;
}

/*
 * Neither a statement that cannot be planned nor an engine without a way to say its plan is a
 * failure.
 */
static dw_status
forgive(const dw_database *database, dw_status status, const dw_error *reason, dw_error *err)
{
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, reason);
        return status;
    }
    if (status != DW_OK) {
        dw__env_debug(database->env, "a statement is not planned: %s", reason->message);
    }
    return DW_OK;
}

static dw_status
ensure_stubs(dw_database *database, const dw_plan_stub *stubs, size_t count, dw_error *err)
{
    DW_TRY(open_planner(database, err));
    for (size_t i = 0; i < count; i++) {
        DW_TRY(ensure_stub(database, &stubs[i], err));
    }
    return DW_OK;
}

dw_status
dw__planner_plan(dw_database *database, const char *settings, dw_str sql, const dw_plan_stub *stubs,
                 size_t count, dw_arena *arena, dw_str *json_out, dw_error *err)
{
    *json_out = DW_STR_NULL;
    if (dw__str_find(sql, '\0') != SIZE_MAX) {
        return DW_OK;
    }
    DW_TRY(dw__database_load(database, err));
    dw_error reason = DW_ERROR_INIT;
    pthread_mutex_lock(&database->planner.mutex);
    dw_status status = ensure_stubs(database, stubs, count, &reason);
    if (status == DW_OK) {
        status = apply_settings(database, settings, &reason);
    }
    if (status == DW_OK) {
        status = run_plan(database, sql, arena, json_out, &reason);
    }
    pthread_mutex_unlock(&database->planner.mutex);
    return forgive(database, status, &reason, err);
}

dw_status
dw__database_plan_with(dw_database *database, dw_str sql, const dw_plan_stub *stubs, size_t count,
                       dw_arena *arena, dw_str *json_out, dw_error *err)
{
    return dw__planner_plan(database, NULL, sql, stubs, count, arena, json_out, err);
}

dw_status
dw__database_plan(dw_database *database, dw_str sql, dw_arena *arena, dw_str *json_out,
                  dw_error *err)
{
    return dw__database_plan_with(database, sql, NULL, 0, arena, json_out, err);
}

dw_status
dw__database_plan_stub(dw_database *database, dw_str name, const dw_query_column *columns,
                       size_t count, dw_error *err)
{
    dw_plan_stub stub = {name, columns, count};
    DW_TRY(dw__database_load(database, err));
    pthread_mutex_lock(&database->planner.mutex);
    dw_status status = ensure_stubs(database, &stub, 1, err);
    pthread_mutex_unlock(&database->planner.mutex);
    return status;
}

void
dw__database_plan_drop(dw_database *database, dw_str name)
{
    pthread_mutex_lock(&database->planner.mutex);
    dw_stub *stub = find_stub(&database->planner, name);
    if (stub != NULL) {
        /* It stays for the next statement over the same table, but is the first to make room. */
        stub->used_at = 0;
    }
    pthread_mutex_unlock(&database->planner.mutex);
}
