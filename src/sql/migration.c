/*
 * Reading migrations, and comparing them with what a table has recorded.
 */
#include "sql/migration.h"

#include "base/vec.h"
#include "codec/bloom.h"
#include "sql/parse.h"

#include <inttypes.h>

#define STEPS_MAX ((size_t) 100000)
#define TEXT_BYTES_MAX DW_SQL_STATEMENT_BYTES_MAX

/* ---- Statements ------------------------------------------------------------------------------ */

/* The name of the table that a statement changes; NULL for one that is no part of migrations. */
static const dw_sql_name *
target_of(const dw_statement *statement)
{
    switch ((unsigned) statement->kind) {
    case DW_STATEMENT_CREATE_TABLE:
        return statement->as.create.clone.is_set ? NULL : &statement->as.create.name;
    case DW_STATEMENT_INSERT:
        return &statement->as.insert.name;
    case DW_STATEMENT_COPY_INTO:
        return &statement->as.copy.name;
    case DW_STATEMENT_ALTER:
        return statement->as.alter.is_dry_run ? NULL : &statement->as.alter.name;
    case DW_STATEMENT_MODIFY:
        return statement->as.modify.has_name ? &statement->as.modify.name : NULL;
    case DW_STATEMENT_OPTIMIZE:
        return &statement->as.optimize.name;
    case DW_STATEMENT_ANALYZE:
        return &statement->as.analyze.name;
    default:
        return NULL;
    }
}

static dw_status
read_target(dw_execution *x, const dw_statement *statement, dw_migration_step *step)
{
    const dw_sql_name *target = target_of(statement);
    step->kind = statement->kind;
    if (statement->kind == DW_STATEMENT_SETTING) {
        return DW_OK;
    }
    if (target == NULL || target->part_count == 0) {
        return dw__error_set(x->err, DW_UNSUPPORTED, "MIGRATION_STATEMENT",
                             "expected a statement that changes the table (CREATE TABLE, ALTER "
                             "TABLE, INSERT, COPY INTO, UPDATE, DELETE, MERGE, OPTIMIZE, ANALYZE) "
                             "or SET, found %s",
                             statement->verb);
    }
    step->target = *target;
    for (size_t i = 0; i < target->part_count; i++) {
        if (!dw__arena_dup(&x->arena, target->parts[i], &step->target.parts[i])) {
            return dw__error_oom(x->err);
        }
    }
    return DW_OK;
}

static dw_status
take_checksum(dw_execution *x, const dw_sql_text *sql, dw_migration_step *step)
{
    DW_AUTO(dw_strbuf) tokens = dw__strbuf_make(x->arena.allocator, 2 * TEXT_BYTES_MAX);
    for (size_t i = 0; i + 1 < sql->count; i++) {
        dw__strbuf_append(&tokens, dw__token_text(sql, i));
        dw__strbuf_append_char(&tokens, '\n');
    }
    DW_TRY(dw__strbuf_ok(&tokens, "a statement", x->err));
    step->checksum =
        dw__arena_printf(&x->arena, "%016" PRIx64, dw__xxhash64(dw__strbuf_str(&tokens), 0));
    return dw__str_is_null(step->checksum) ? dw__error_oom(x->err) : DW_OK;
}

/* A statement without its semicolon; a text of comments alone gives no step. */
static dw_status
read_step(dw_execution *x, dw_str file, dw_str text, dw_migration_step *out, bool *found_out)
{
    dw_statement statement;
    DW_AUTO(dw_sql_text) sql = {0};
    DW_TRY(dw__sql_text_init(&sql, x->arena.allocator, text, x->err));
    *found_out = sql.count > 1;
    if (!*found_out) {
        return DW_OK;
    }
    size_t begin = (size_t) (text.ptr - file.ptr) + sql.items[0].offset;
    *out = (dw_migration_step){.text = text, .line = dw__sql_place(file, begin).line};
    dw_status status = dw__parse_statement(&sql, &x->arena, &statement, x->err);
    if (status == DW_OK) {
        status = read_target(x, &statement, out);
    }
    if (status == DW_OK) {
        status = take_checksum(x, &sql, out);
    }
    if (status != DW_OK) {
        dw__error_context(x->err, "line %zu", out->line);
    }
    return status;
}

/* ---- Files ----------------------------------------------------------------------------------- */

typedef struct step_vec {
    dw_migration_step *items;
    size_t count;
    size_t capacity;
    const dw_allocator *allocator;
} step_vec;

static void
dw__step_vec_cleanup(step_vec *vec)
{
    DW_VEC_DEINIT(vec->allocator, vec);
}

static dw_status
name_records(dw_execution *x, dw_migration *migration)
{
    size_t place = 0;
    for (size_t i = 0; i < migration->step_count; i++) {
        dw_migration_step *step = &migration->steps[i];
        if (step->target.part_count > 0) {
            step->app_id = dw__arena_printf(&x->arena, DW_MIGRATION_MARK "%.*s:%zu/%zu:%.*s",
                                            DW_STR_ARG(migration->name), ++place,
                                            migration->record_count, DW_STR_ARG(step->checksum));
            if (dw__str_is_null(step->app_id)) {
                return dw__error_oom(x->err);
            }
        }
    }
    return DW_OK;
}

static dw_status
read_steps(dw_execution *x, dw_str text, dw_migration *out)
{
    DW_AUTO(step_vec) steps = {.allocator = x->arena.allocator};
    for (size_t pos = 0; pos < text.len;) {
        bool found;
        dw_migration_step step;
        dw_str rest = dw__str_slice(text, pos, text.len);
        size_t len = dw__sql_statement_length(rest);
        dw_str one = dw__str_slice(rest, 0, len > 0 ? len - 1 : rest.len);
        pos += len > 0 ? len : rest.len;
        DW_TRY(read_step(x, text, one, &step, &found));
        if (!found) {
            continue;
        }
        dw_migration_step *slot =
            steps.count < STEPS_MAX ? DW_VEC_PUSH(x->arena.allocator, &steps) : NULL;
        if (slot == NULL) {
            return dw__error_oom(x->err);
        }
        *slot = step;
        out->record_count += step.target.part_count > 0 ? 1 : 0;
    }
    out->steps = DW_ARENA_ARRAY(&x->arena, dw_migration_step, steps.count + 1);
    if (out->steps == NULL) {
        return dw__error_oom(x->err);
    }
    if (steps.count > 0) {
        memcpy(out->steps, steps.items, steps.count * sizeof(*steps.items));
    }
    out->step_count = steps.count;
    return name_records(x, out);
}

/* The engine reads them: names and texts, in order. */
static dw_status
read_files(dw_execution *x, dw_str directory, dw_text_rows *out)
{
    DW_AUTO(dw_strbuf) pattern = dw__strbuf_make(x->arena.allocator, TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, TEXT_BYTES_MAX);
    bool has_slash = dw__str_ends_with(directory, DW_STR("/"));
    dw__strbuf_printf(&pattern, "%.*s%s*.sql", DW_STR_ARG(directory), has_slash ? "" : "/");
    dw__strbuf_append_literal(&sql, "SELECT parse_filename(filename), content FROM read_text(");
    dw__sql_put_literal(&sql, dw__strbuf_str(&pattern));
    dw__strbuf_append_literal(&sql, ") ORDER BY 1");
    DW_TRY(dw__strbuf_ok(&pattern, "the directory", x->err));
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    DW_TRY(dw__connection_query_text(x->session->connection, dw__strbuf_str(&sql), &x->arena, out,
                                     x->err));
    return out->row_count <= DW_MIGRATION_FILES_MAX
               ? DW_OK
               : dw__error_set(x->err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                               "expected at most %zu migrations, found %zu", DW_MIGRATION_FILES_MAX,
                               out->row_count);
}

dw_status
dw__migrations_read(dw_execution *x, dw_str directory, dw_migrations *out)
{
    dw_text_rows files;
    DW_TRY(read_files(x, directory, &files));
    out->count = files.row_count;
    out->items = DW_ARENA_ARRAY(&x->arena, dw_migration, files.row_count + 1);
    if (out->items == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < files.row_count; i++) {
        out->items[i] = (dw_migration){.name = files.cells[2 * i], .version_before = -1};
        dw_status status = read_steps(x, files.cells[2 * i + 1], &out->items[i]);
        if (status != DW_OK) {
            dw__error_context(x->err, "reading %.*s", DW_STR_ARG(out->items[i].name));
            return status;
        }
    }
    return DW_OK;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* What the application id of a record says. */
typedef struct record {
    dw_str file, checksum;
    int64_t place, count; /* "2/3" */
    int64_t version_before;
} record;

static bool
read_record(const dw_txn_id *txn, record *out)
{
    dw_str id = txn->app_id;
    if (!dw__str_starts_with(id, DW_STR(DW_MIGRATION_MARK)) || txn->version <= 0) {
        return false;
    }
    const size_t begin = sizeof(DW_MIGRATION_MARK) - 1;
    size_t last = dw__str_find_last(id, ':');
    dw_str head = dw__str_slice(id, begin, last < begin ? 0 : last - begin);
    size_t middle = dw__str_find_last(head, ':');
    if (middle == SIZE_MAX) {
        return false;
    }
    dw_str places = dw__str_slice(head, middle + 1, head.len);
    size_t slash = dw__str_find(places, '/');
    out->file = dw__str_slice(head, 0, middle);
    out->checksum = dw__str_slice(id, last + 1, id.len);
    out->version_before = txn->version - DW_MIGRATION_VERSION_BASE;
    return slash != SIZE_MAX && dw__str_to_i64(dw__str_slice(places, 0, slash), &out->place) &&
           dw__str_to_i64(dw__str_slice(places, slash + 1, places.len), &out->count) &&
           out->place > 0;
}

typedef struct comparison {
    dw_migrations *migrations;
    dw_status status;
    dw_error *err;
} comparison;

static dw_migration *
find_file(dw_migrations *migrations, dw_str name)
{
    for (size_t i = 0; i < migrations->count; i++) {
        if (dw__str_equal(migrations->items[i].name, name)) {
            return &migrations->items[i];
        }
    }
    return NULL;
}

/* The step of a place, from 1 on; NULL when there are not as many. */
static dw_migration_step *
step_at(dw_migration *migration, int64_t place)
{
    for (size_t i = 0; i < migration->step_count; i++) {
        if (migration->steps[i].target.part_count > 0 && --place == 0) {
            return &migration->steps[i];
        }
    }
    return NULL;
}

static dw_status
refuse_edited(const dw_migration *migration, size_t line, const char *found, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "MIGRATION_EDITED",
                         "%.*s, line %zu: expected the file as it was applied, found %s: put it "
                         "back, and write what is to change into a new file",
                         DW_STR_ARG(migration->name), line, found);
}

/* Of a file that was applied to its end the number of statements stays, too. */
static dw_status
check_count(dw_migration *migration, const record *found, dw_error *err)
{
    if (found->place != found->count || migration->record_count == (size_t) found->count) {
        return DW_OK;
    }
    const dw_migration_step *more = step_at(migration, found->count + 1);
    return refuse_edited(migration, more == NULL ? 1 : more->line, "one more statement", err);
}

static dw_status
apply_record(comparison *c, const record *found)
{
    dw_migration *migration = find_file(c->migrations, found->file);
    if (migration == NULL) {
        return dw__error_set(c->err, DW_INVALID_ARGUMENT, "MIGRATION_MISSING",
                             "expected %.*s, which was applied to the table, among the migrations, "
                             "found no file of that name: put it back",
                             DW_STR_ARG(found->file));
    }
    dw_migration_step *step = step_at(migration, found->place);
    if (step == NULL) {
        size_t count = migration->step_count;
        size_t line = count == 0 ? 1 : migration->steps[count - 1].line;
        return refuse_edited(migration, line, "fewer statements", c->err);
    }
    if (!dw__str_equal(step->checksum, found->checksum)) {
        return refuse_edited(migration, step->line, "another statement", c->err);
    }
    DW_TRY(check_count(migration, found, c->err));
    step->is_applied = true;
    migration->applied_count++;
    migration->version_before = found->version_before;
    return DW_OK;
}

static void
visit(void *ctx, const dw_txn_id *txn)
{
    record found;
    comparison *c = ctx;
    if (c->status == DW_OK && read_record(txn, &found)) {
        c->status = apply_record(c, &found);
    }
}

/* The applied ones come first. */
static dw_status
check_order(const dw_migrations *migrations, dw_error *err)
{
    const dw_migration *open = NULL;
    for (size_t i = 0; i < migrations->count; i++) {
        const dw_migration *migration = &migrations->items[i];
        if (open != NULL && migration->applied_count > 0) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "MIGRATION_OUT_OF_ORDER",
                                 "expected every migration before %.*s to be applied, as that one "
                                 "is, found %.*s, which is not: give it a later name",
                                 DW_STR_ARG(migration->name), DW_STR_ARG(open->name));
        }
        if (open == NULL && migration->applied_count < migration->record_count) {
            open = migration;
        }
    }
    return DW_OK;
}

dw_status
dw__migrations_compare(dw_migrations *migrations, const dw_log_snapshot *snapshot, dw_error *err)
{
    comparison c = {.migrations = migrations, .err = err};
    if (snapshot != NULL) {
        dw__log_snapshot_each_txn(snapshot, visit, &c);
        DW_TRY(c.status);
    }
    return check_order(migrations, err);
}

bool
dw__migration_made(const dw_commit_info *info)
{
    return !dw__str_is_null(info->user_metadata) &&
           dw__str_starts_with(info->user_metadata, DW_STR(DW_MIGRATION_MARK));
}
