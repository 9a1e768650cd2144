/*
 * Choosing records. The newest ones of many are found by counting first: memory is that of a line.
 */
#include "audit/query.h"

#include "audit/lines.h"
#include "audit/record.h"
#include "protocol/value.h"

/* Of rows in memory at once. */
#define ROWS_MAX ((int64_t) 1000000)

typedef struct chooser {
    const dw_env *env;
    const dw_audit_query *query;
    dw_json_parser parser;
    int64_t skipped; /* so many of those that match are still to be left out */
    int64_t count;
    dw_status (*take)(void *ctx, dw_str bytes, dw_json members, dw_error *err); /* NULL: count */
    void *ctx;
} chooser;

/* ---- Choosing -------------------------------------------------------------------------------- */

static dw_str
text_of(dw_json object, const char *key)
{
    return dw__json_str(dw__json_get(object, dw__str_from(key)));
}

static bool
is_path_of(dw_str path, dw_str wanted)
{
    bool ends = dw__str_ends_with(path, wanted);
    return ends && (path.len == wanted.len || wanted.ptr[0] == '/' ||
                    path.ptr[path.len - wanted.len - 1] == '/');
}

static bool
names_table(dw_json members, dw_str wanted)
{
    if (dw__str_is_null(wanted)) {
        return true;
    }
    if (is_path_of(text_of(members, "table"), wanted) ||
        dw__str_equal(text_of(members, "tableId"), wanted)) {
        return true;
    }
    dw_json_iter it = dw__json_iter(dw__json_get(members, DW_STR("tables")));
    while (dw__json_next(&it)) {
        if (is_path_of(text_of(it.value, "path"), wanted) ||
            dw__str_equal(text_of(it.value, "id"), wanted)) {
            return true;
        }
    }
    return false;
}

/* The system's user; in a container there may be no name for its number. */
static dw_str
user_of(dw_json members)
{
    dw_str name = text_of(members, "user");
    return name.len > 0 ? name : dw__json_number(dw__json_get(members, DW_STR("userId")));
}

static bool
matches(const dw_audit_query *query, dw_json members)
{
    int64_t time_us;
    bool is_of_user = dw__str_is_null(query->user) ||
                      dw__str_equal(user_of(members), query->user) ||
                      dw__str_equal(text_of(members, "name"), query->user);
    return is_of_user && names_table(members, query->table) &&
           dw__timestamp_parse(text_of(members, "time"), true, &time_us) &&
           time_us >= query->since_us && time_us < query->until_us;
}

static dw_status
choose_line(void *ctx, dw_str bytes, bool is_whole, dw_error *err)
{
    chooser *c = ctx;
    dw_audit_line line;
    bool is_oom = false;
    if (dw__env_is_cancelled(c->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "cancelled while reading the log");
    }
    if (!is_whole || !dw__audit_line_read(bytes, &c->parser, &line, &is_oom)) {
        return is_oom ? dw__error_oom(err) : DW_OK;
    }
    if (!matches(c->query, line.members)) {
        return DW_OK;
    }
    c->count++;
    if (c->take == NULL || c->count <= c->skipped) {
        return DW_OK;
    }
    return c->take(c->ctx, bytes, line.members, err);
}

static dw_status
visit_file(chooser *c, dw_str path, dw_error *err)
{
    int64_t size;
    DW_AUTO(dw_local_file) file = DW_LOCAL_FILE_NONE;
    DW_TRY(dw__local_file_open(path, DW_LOCAL_READ, &file, err));
    DW_TRY(dw__local_file_size(&file, &size, err));
    return dw__audit_visit(c->env->allocator, &file, 0, size, choose_line, c, err);
}

static dw_status
visit_files(chooser *c, dw_error *err)
{
    int64_t *numbers;
    size_t count;
    char path[DW_LOCAL_PATH_SIZE];
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, c->env->allocator);
    DW_TRY(dw__audit_list(c->env, c->query->path, &arena, &numbers, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (dw__audit_file_path(c->query->path, numbers[i], path)) {
            DW_TRY(visit_file(c, dw__str_from(path), err));
        }
    }
    dw_status status = visit_file(c, c->query->path, err);
    if (status == DW_NOT_FOUND && count > 0) {
        dw__error_clear(err);
        return DW_OK; /* a file that was full has just been set aside */
    }
    if (status == DW_NOT_FOUND) {
        return dw__error_set(err, DW_NOT_FOUND, "AUDIT_LOG_NOT_FOUND",
                             "there is no audit log %.*s: check the path",
                             DW_STR_ARG(c->query->path));
    }
    return status;
}

static dw_status
choose(chooser *c, dw_error *err)
{
    dw_status (*take)(void *ctx, dw_str bytes, dw_json members, dw_error *e) = c->take;
    if (c->query->limit > 0) {
        c->take = NULL;
        DW_TRY(visit_files(c, err));
        c->skipped = c->count > c->query->limit ? c->count - c->query->limit : 0;
        c->count = 0;
        c->take = take;
    }
    return visit_files(c, err);
}

/* ---- As they stand --------------------------------------------------------------------------- */

typedef struct handing_over {
    dw_audit_line_visitor visit;
    void *ctx;
} handing_over;

static dw_status
hand_over(void *ctx, dw_str bytes, dw_json members, dw_error *err)
{
    (void) members;
    handing_over *h = ctx;
    return h->visit(h->ctx, bytes, err);
}

dw_status
dw__audit_lines(const dw_env *env, const dw_audit_query *query, dw_audit_line_visitor visit,
                void *ctx, dw_error *err)
{
    handing_over h = {visit, ctx};
    chooser c = {.env = env,
                 .query = query,
                 .parser = dw__json_parser_make(env->allocator),
                 .take = hand_over,
                 .ctx = &h};
    dw_status status = choose(&c, err);
    dw__json_parser_deinit(&c.parser);
    return status;
}

/* ---- As rows --------------------------------------------------------------------------------- */

typedef struct row_maker {
    dw_rows *rows;
    int64_t count;
} row_maker;

static void
put_number(dw_rows *rows, dw_json members, const char *key)
{
    int64_t number;
    if (dw__json_i64(dw__json_get(members, dw__str_from(key)), &number)) {
        dw__rows_put_i64(rows, number);
    } else {
        dw__rows_put_null(rows);
    }
}

/* Rows inserted, updated and deleted, as far as they are told. */
static void
put_rows_touched(dw_rows *rows, dw_json members)
{
    static const char *const keys[] = {"rowsInserted", "rowsUpdated", "rowsDeleted"};
    int64_t sum = 0;
    bool is_told = false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        int64_t number;
        if (dw__json_i64(dw__json_get(members, dw__str_from(keys[i])), &number)) {
            is_told = true;
            sum += number;
        }
    }
    if (is_told) {
        dw__rows_put_i64(rows, sum);
    } else {
        dw__rows_put_null(rows);
    }
}

/* The table that was changed, or the first one that was read. */
static dw_json
table_of(dw_json members, const char **path_key, const char **version_key)
{
    *path_key = "table";
    *version_key = "version";
    if (dw__json_kind(dw__json_get(members, DW_STR("table"))) != DW_JSON_MISSING) {
        return members;
    }
    dw_json_iter it = dw__json_iter(dw__json_get(members, DW_STR("tables")));
    if (!dw__json_next(&it)) {
        return members;
    }
    *path_key = "path";
    return it.value;
}

static dw_status
put_row(void *ctx, dw_str bytes, dw_json members, dw_error *err)
{
    (void) bytes;
    row_maker *m = ctx;
    int64_t time_us = 0;
    const char *path_key, *version_key;
    dw_json table = table_of(members, &path_key, &version_key);
    if (++m->count > ROWS_MAX) {
        return dw__error_set(err, DW_UNSUPPORTED, "SIZE_LIMIT",
                             "more than %lld records are asked for: give a limit, or export them",
                             (long long) ROWS_MAX);
    }
    (void) dw__timestamp_parse(text_of(members, "time"), true, &time_us);
    put_number(m->rows, members, "number");
    dw__rows_put_i64(m->rows, time_us);
    dw__rows_put_str(m->rows, user_of(members));
    dw__rows_put_str(m->rows, text_of(members, "name"));
    dw__rows_put_str(m->rows, text_of(members, "outcome"));
    dw__rows_put_str(m->rows, text_of(members, "verb"));
    dw__rows_put_str(m->rows, text_of(table, path_key));
    put_number(m->rows, table, version_key);
    put_rows_touched(m->rows, members);
    dw__rows_put_str(m->rows, text_of(members, "code"));
    dw__rows_put_str(m->rows, text_of(members, "statement"));
    return DW_OK;
}

dw_status
dw__audit_rows(const dw_env *env, const dw_audit_query *query, struct ArrowArrayStream *out,
               dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"record", DW_ROWS_I64, 0, 0},   {"time", DW_ROWS_TIMESTAMP, 0, 0},
        {"user", DW_ROWS_STR, 0, 0},     {"name", DW_ROWS_STR, 0, 0},
        {"outcome", DW_ROWS_STR, 0, 0},  {"verb", DW_ROWS_STR, 0, 0},
        {"table", DW_ROWS_STR, 0, 0},    {"version", DW_ROWS_I64, 0, 0},
        {"rows", DW_ROWS_I64, 0, 0},     {"code", DW_ROWS_STR, 0, 0},
        {"statement", DW_ROWS_STR, 0, 0}};
    row_maker m = {0};
    memset(out, 0, sizeof(*out));
    DW_TRY(
        dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &m.rows, err));
    chooser c = {.env = env,
                 .query = query,
                 .parser = dw__json_parser_make(env->allocator),
                 .take = put_row,
                 .ctx = &m};
    dw_status status = choose(&c, err);
    dw__json_parser_deinit(&c.parser);
    if (status != DW_OK) {
        dw__rows_free(m.rows);
        return status;
    }
    return dw__rows_stream(m.rows, out, err);
}
