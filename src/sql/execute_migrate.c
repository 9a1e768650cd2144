/*
 * MIGRATE [TABLE name] FROM 'directory' [TO file | UNDO [n]] [FORCE] [DRY RUN].
 */
#include "codec/rows.h"
#include "log/commit.h"
#include "sql/lineage.h"
#include "sql/migration.h"
#include "sql/parse.h"
#include "upkeep/restore.h"

#include <inttypes.h>

#define MESSAGE_BYTES_MAX ((size_t) 4096)
#define PLAN_BYTES_MAX ((size_t) 1 << 20)

typedef struct migrate_run {
    dw_execution *x;
    const dw_migrate_statement *statement;
    dw_table *table; /* a handle that nobody else has */
    dw_migrations all;
    dw_rows *rows;
    int64_t version; /* that was committed last; -1: none */
    size_t applied_count, known_count, undone_count;
    const dw_migration_step *unplanned; /* the first that changes rows, in a plan; NULL: none yet */
    dw_str unplanned_file;
} migrate_run;

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
parse_goal(dw_parser *parser, dw_migrate_statement *out)
{
    bool is_number = dw__parser_peek(parser, 1)->kind == DW_TOKEN_NUMBER;
    if (dw__parser_accept(parser, DW_KEYWORD_TO)) {
        out->goal = DW_MIGRATE_TO;
        if (is_number) {
            out->to = dw__token_text(parser->sql, parser->pos++);
            return DW_OK;
        }
        return dw__parser_string(parser, "the name of a migration, or its number", &out->to);
    }
    if (dw__parser_accept_word(parser, "undo")) {
        out->goal = DW_MIGRATE_UNDO;
        out->undo_count = 1;
        return is_number ? dw__parser_integer(parser, "a number", &out->undo_count) : DW_OK;
    }
    return DW_OK;
}

dw_status
dw__parse_migrate(dw_parser *parser, dw_migrate_statement *out)
{
    dw_upkeep_options options = {0};
    *out = (dw_migrate_statement){.goal = DW_MIGRATE_ALL};
    out->has_name = dw__parser_accept(parser, DW_KEYWORD_TABLE);
    if (out->has_name) {
        DW_TRY(dw__parser_table(parser, &out->name));
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_FROM));
    DW_TRY(dw__parser_string(parser, "a directory in quotes", &out->directory));
    DW_TRY(parse_goal(parser, out));
    out->force = dw__parser_accept_word(parser, "force");
    DW_TRY(dw__parse_dry_run(parser, &options));
    out->is_dry_run = options.dry_run;
    return DW_OK;
}

/* ---- Which table ----------------------------------------------------------------------------- */

/* The name in the statement, or of what the first step changes. */
static dw_status
choose_name(const migrate_run *run, dw_sql_name *out)
{
    if (run->statement->has_name) {
        *out = run->statement->name;
        return DW_OK;
    }
    for (size_t i = 0; i < run->all.count; i++) {
        for (size_t k = 0; k < run->all.items[i].step_count; k++) {
            if (run->all.items[i].steps[k].target.part_count > 0) {
                *out = run->all.items[i].steps[k].target;
                return DW_OK;
            }
        }
    }
    return dw__error_set(run->x->err, DW_INVALID_ARGUMENT, "MIGRATION_EMPTY",
                         "expected migrations that change a table, found no statement in %.*s",
                         DW_STR_ARG(run->statement->directory));
}

static dw_status
root_of(migrate_run *run, const dw_sql_name *name, dw_str *out)
{
    dw_str path;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_root(run->x, name, &path));
    DW_TRY(dw__catalog_table_at(run->x->session->catalog, path, &table, run->x->err));
    return dw__arena_dup(&run->x->arena, dw__table_root(table), out) ? DW_OK
                                                                     : dw__error_oom(run->x->err);
}

/* All steps are about this table: only it can record them. */
static dw_status
check_targets(migrate_run *run)
{
    dw_execution *x = run->x;
    for (size_t i = 0; i < run->all.count; i++) {
        const dw_migration *migration = &run->all.items[i];
        for (size_t k = 0; k < migration->step_count; k++) {
            dw_str root;
            const dw_migration_step *step = &migration->steps[k];
            if (step->target.part_count == 0) {
                continue;
            }
            DW_TRY(root_of(run, &step->target, &root));
            if (!dw__str_equal(root, dw__table_root(run->table))) {
                return dw__error_set(x->err, DW_INVALID_ARGUMENT, "MIGRATION_TABLE",
                                     "%.*s, line %zu: expected a change of the table at %.*s, "
                                     "found one of %.*s: each table has a directory of its own",
                                     DW_STR_ARG(migration->name), step->line,
                                     DW_STR_ARG(dw__table_root(run->table)), DW_STR_ARG(root));
            }
        }
    }
    return DW_OK;
}

static dw_status
open_table(migrate_run *run)
{
    dw_execution *x = run->x;
    dw_sql_name name;
    dw_str root;
    DW_TRY(choose_name(run, &name));
    DW_TRY(root_of(run, &name, &root));
    DW_TRY(dw__table_open(x->session->env, x->session->database, root, &run->table, x->err));
    x->session->migrated = run->table;
    return check_targets(run);
}

/* The newest state; NULL: there is no table yet. */
static dw_status
open_snapshot(migrate_run *run, dw_log_snapshot **out)
{
    bool exists;
    dw_log *log = dw__table_log(run->table);
    DW_TRY(dw__log_exists(log, &exists, run->x->err));
    return exists ? dw__log_snapshot(log, out, run->x->err) : DW_OK;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void
put_row(migrate_run *run, const dw_migration *migration, size_t line, const char *what,
        dw_str detail)
{
    dw__rows_put_str(run->rows, migration->name);
    if (line == 0) {
        dw__rows_put_null(run->rows);
    } else {
        dw__rows_put_i64(run->rows, (int64_t) line);
    }
    dw__rows_put_str(run->rows, dw__str_from(what));
    dw__rows_put_str(run->rows, detail);
}

static dw_status
blame(const migrate_run *run, const dw_migration *migration, const dw_migration_step *step,
      dw_status status)
{
    if (status != DW_OK) {
        dw__error_context(run->x->err, "%.*s, line %zu", DW_STR_ARG(migration->name), step->line);
    }
    return status;
}

/* ---- Recording [MIGRATION-1] ----------------------------------------------------------------- */

static void
ride(migrate_run *run, const dw_txn_id *txns, size_t count)
{
    dw_riders riders = {.txns = txns,
                        .txn_count = count,
                        .happens_once = count > 0 && txns[0].version > 0,
                        .user_metadata = count == 0 ? DW_STR_NULL : txns[0].app_id};
    dw__table_set_riders(run->table, &riders);
}

/* A commit of nothing but the record: of a step that had nothing to change. */
static dw_status
record_alone(migrate_run *run)
{
    dw_change change;
    dw_txn_result done;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, run->x->arena.allocator);
    DW_TRY(dw__log_snapshot(dw__table_log(run->table), &snapshot, run->x->err));
    DW_TRY(dw__change_init(&change, run->table, snapshot, &arena, 1, run->x->err));
    change.operation = "MIGRATE";
    change.commits_nothing = true;
    DW_TRY(dw__execution_upkeep_limits(run->x, run->table, &change.limits));
    return dw__change_commit(&change, &done, run->x->err);
}

/* Whether the step is recorded, and in what version at the latest. */
static dw_status
find_record(migrate_run *run, dw_str app_id, bool *found_out, int64_t *version_out)
{
    dw_txn_id txn;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(open_snapshot(run, &snapshot));
    *found_out =
        snapshot != NULL && dw__log_snapshot_txn(snapshot, app_id, &txn) && txn.version > 0;
    *version_out = snapshot == NULL ? -1 : dw__log_snapshot_version(snapshot);
    return DW_OK;
}

/* ---- Forward --------------------------------------------------------------------------------- */

static dw_status
run_text(migrate_run *run, dw_str text, dw_str *message_out)
{
    dw_result *result;
    DW_TRY(dw__session_run_part(run->x->session, text, &result, run->x->err));
    dw_str message = result == NULL ? DW_STR("") : dw__str_from(dw__result_message(result));
    bool ok = dw__arena_dup(&run->x->arena, message, message_out);
    dw__result_free(result);
    return ok ? DW_OK : dw__error_oom(run->x->err);
}

static dw_status
apply_step(migrate_run *run, dw_migration *migration, dw_migration_step *step)
{
    bool is_recorded;
    int64_t version;
    dw_str message;
    dw_txn_id txn = {.app_id = step->app_id,
                     .version = migration->version_before + DW_MIGRATION_VERSION_BASE};
    DW_TRY(find_record(run, step->app_id, &is_recorded, &version));
    if (is_recorded) { /* by another, just now */
        run->known_count++;
        put_row(run, migration, step->line, "applied before", DW_STR_NULL);
        return DW_OK;
    }
    ride(run, &txn, 1);
    DW_TRY(run_text(run, step->text, &message));
    DW_TRY(find_record(run, step->app_id, &is_recorded, &run->version));
    if (!is_recorded) {
        DW_TRY(record_alone(run));
        DW_TRY(find_record(run, step->app_id, &is_recorded, &run->version));
    }
    ride(run, NULL, 0);
    step->is_applied = true;
    migration->applied_count++;
    run->applied_count++;
    put_row(run, migration, step->line, "applied", message);
    return DW_OK;
}

/* The version that the file begins behind is that of all its records. */
static dw_status
begin_file(migrate_run *run, dw_migration *migration)
{
    if (migration->applied_count > 0) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(open_snapshot(run, &snapshot));
    migration->version_before = snapshot == NULL ? -1 : dw__log_snapshot_version(snapshot);
    return DW_OK;
}

static dw_status
apply_file(migrate_run *run, dw_migration *migration)
{
    bool is_open = migration->applied_count < migration->record_count;
    DW_TRY(begin_file(run, migration));
    for (size_t i = 0; i < migration->step_count; i++) {
        dw_str message;
        dw_migration_step *step = &migration->steps[i];
        if (step->target.part_count == 0) {
            dw_status status = is_open ? run_text(run, step->text, &message) : DW_OK;
            DW_TRY(blame(run, migration, step, status));
        } else if (step->is_applied) {
            run->known_count++;
            put_row(run, migration, step->line, "applied before", DW_STR_NULL);
        } else {
            dw_status status = apply_step(run, migration, step);
            ride(run, NULL, 0);
            DW_TRY(blame(run, migration, step, status));
        }
    }
    return DW_OK;
}

/* ---- What would be done ---------------------------------------------------------------------- */

/* A text of a column of a batch of ours; the null string for NULL. */
static dw_str
cell(const struct ArrowArray *batch, int64_t column, int64_t row)
{
    const struct ArrowArray *array = batch->children[column];
    const uint8_t *valid = array->buffers[0];
    const int32_t *offsets = array->buffers[1];
    const char *bytes = array->buffers[2];
    if (valid != NULL && (valid[row / 8] & (1 << (row % 8))) == 0) {
        return DW_STR_NULL;
    }
    return (dw_str){bytes + offsets[row], (size_t) (offsets[row + 1] - offsets[row])};
}

/* "column added: price, double": what a row of ALTER's plan says. */
static dw_status
put_effect(migrate_run *run, const dw_migration *migration, const dw_migration_step *step,
           const struct ArrowArray *batch, int64_t row)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(run->x->arena.allocator, PLAN_BYTES_MAX);
    dw_str before = cell(batch, 2, row);
    dw_str after = cell(batch, 3, row);
    dw__strbuf_printf(&text, "%.*s", DW_STR_ARG(cell(batch, 0, row)));
    if (!dw__str_is_null(cell(batch, 1, row))) {
        dw__strbuf_printf(&text, ": %.*s", DW_STR_ARG(cell(batch, 1, row)));
    }
    if (!dw__str_is_null(before)) {
        dw__strbuf_printf(&text, ", from %.*s", DW_STR_ARG(before));
    }
    if (!dw__str_is_null(after)) {
        dw__strbuf_printf(&text, ", to %.*s", DW_STR_ARG(after));
    }
    put_row(run, migration, step->line, "plan", dw__strbuf_str(&text));
    return dw__strbuf_ok(&text, "the plan", run->x->err);
}

static dw_status
put_plan(migrate_run *run, const dw_migration *migration, const dw_migration_step *step,
         struct ArrowArrayStream *stream)
{
    dw_status status = DW_OK;
    struct ArrowArray batch = {0};
    while (status == DW_OK && stream->get_next(stream, &batch) == 0 && batch.release != NULL) {
        for (int64_t row = 0; status == DW_OK && row < batch.length; row++) {
            status = put_effect(run, migration, step, &batch, row);
        }
        batch.release(&batch);
    }
    return status;
}

/* What an ALTER TABLE would do to what those before it would leave. */
static dw_status
plan_alter(migrate_run *run, const dw_migration *migration, const dw_migration_step *step)
{
    dw_result *result;
    struct ArrowArrayStream stream;
    dw_str text = dw__arena_printf(&run->x->arena, "%.*s\nDRY RUN", DW_STR_ARG(step->text));
    if (dw__str_is_null(text)) {
        return dw__error_oom(run->x->err);
    }
    DW_TRY(dw__session_run_part(run->x->session, text, &result, run->x->err));
    dw_status status = dw__result_stream(result, &stream, run->x->err);
    if (status == DW_OK) {
        status = put_plan(run, migration, step, &stream);
        stream.release(&stream);
    }
    dw__result_free(result);
    return status;
}

/* What a statement does that has no plan; NULL for an ALTER TABLE, which has one. */
static const char *
effect_of(dw_statement_kind kind)
{
    switch ((unsigned) kind) {
    case DW_STATEMENT_ALTER:
        return NULL;
    case DW_STATEMENT_CREATE_TABLE:
        return "makes the table";
    case DW_STATEMENT_INSERT:
    case DW_STATEMENT_COPY_INTO:
        return "adds rows: how many is known when it runs";
    case DW_STATEMENT_OPTIMIZE:
        return "writes files again, with the same rows";
    case DW_STATEMENT_ANALYZE:
        return "reads rows and records statistics";
    default:
        return "changes rows: how many is known when it runs";
    }
}

/* What cannot be planned may be possible once the statement before it has run, which is not done
 * here. */
static dw_status
excuse(migrate_run *run, const dw_migration *migration, const dw_migration_step *step,
       dw_status status)
{
    if (status != DW_INVALID_ARGUMENT && status != DW_NOT_FOUND && status != DW_ALREADY_EXISTS) {
        return status;
    }
    bool has_table = dw__table_planned(run->table) != NULL;
    dw_str text =
        dw__arena_printf(&run->x->arena, "not known before %.*s, line %zu has run%s%s",
                         DW_STR_ARG(run->unplanned_file), run->unplanned->line,
                         has_table ? "; until then: " : "", has_table ? run->x->err->message : "");
    if (dw__str_is_null(text)) {
        return dw__error_oom(run->x->err);
    }
    dw__error_clear(run->x->err);
    put_row(run, migration, step->line, "plan", text);
    return DW_OK;
}

static dw_status
plan_step(migrate_run *run, const dw_migration *migration, const dw_migration_step *step)
{
    const char *effect = effect_of(step->kind);
    put_row(run, migration, step->line, "to be applied", DW_STR_NULL);
    if (effect == NULL) {
        dw_status status = plan_alter(run, migration, step);
        if (status != DW_OK && run->unplanned != NULL) {
            status = excuse(run, migration, step, status);
        }
        return status;
    }
    put_row(run, migration, step->line, "plan", dw__str_from(effect));
    if (run->unplanned == NULL && step->kind != DW_STATEMENT_OPTIMIZE &&
        step->kind != DW_STATEMENT_ANALYZE) {
        run->unplanned = step;
        run->unplanned_file = migration->name;
    }
    return DW_OK;
}

static dw_status
plan_file(migrate_run *run, const dw_migration *migration)
{
    for (size_t i = 0; i < migration->step_count; i++) {
        const dw_migration_step *step = &migration->steps[i];
        if (step->target.part_count == 0) {
            continue;
        }
        if (step->is_applied) {
            put_row(run, migration, step->line, "applied before", DW_STR_NULL);
        } else {
            DW_TRY(blame(run, migration, step, plan_step(run, migration, step)));
        }
    }
    return DW_OK;
}

/* ---- Back [MIGRATION-3] ---------------------------------------------------------------------- */

/* True for commits that change no row and no definition. */
static bool
rearranges(dw_str operation)
{
    static const char *const names[] = {"OPTIMIZE", "VACUUM START", "VACUUM END", "REORG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (dw__str_equal(operation, dw__str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

/* What others have committed since would be gone, too. */
static dw_status
check_alone(migrate_run *run, int64_t version_before)
{
    dw_error *err = run->x->err;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(open_snapshot(run, &snapshot));
    int64_t last = dw__log_snapshot_version(snapshot);
    for (int64_t version = version_before + 1; version <= last; version++) {
        dw_commit_info info;
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, run->x->arena.allocator);
        DW_TRY(dw__commit_info_read(dw__table_log(run->table), version, &arena, &info, err));
        if (!dw__migration_made(&info) && !rearranges(info.operation)) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "MIGRATION_FOREIGN_COMMITS",
                                 "expected nothing but migrations since version %" PRId64
                                 ", found version %" PRId64 " (%.*s), which would be undone, too: "
                                 "write a migration that leads back, or say FORCE",
                                 version_before, version, DW_STR_ARG(info.operation));
        }
    }
    return DW_OK;
}

static dw_status
take_back(migrate_run *run, const dw_txn_id *txns, size_t count, int64_t version)
{
    dw_upkeep_options options = {0};
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(run->x, run->table, &options, &upkeep));
    dw_restore_spec spec = {.version = version};
    dw_restore_result done;
    ride(run, txns, count);
    DW_TRY(dw__table_restore(run->table, &upkeep, &spec, &done, run->x->err));
    if (done.version >= 0) {
        run->version = done.version;
        return DW_OK;
    }
    return record_alone(run);
}

/* The records of all steps that go, as undone. */
static dw_status
undone_records(migrate_run *run, size_t first, dw_txn_id **out, size_t *count_out)
{
    size_t count = 0;
    for (size_t i = first; i < run->all.count; i++) {
        count += run->all.items[i].applied_count;
    }
    *out = DW_ARENA_ARRAY(&run->x->arena, dw_txn_id, count + 1);
    if (*out == NULL) {
        return dw__error_oom(run->x->err);
    }
    *count_out = 0;
    for (size_t i = first; i < run->all.count; i++) {
        const dw_migration *migration = &run->all.items[i];
        for (size_t k = 0; k < migration->step_count; k++) {
            if (migration->steps[k].is_applied) {
                (*out)[(*count_out)++] = (dw_txn_id){.app_id = migration->steps[k].app_id};
            }
        }
    }
    return DW_OK;
}

/* Back to where the file `first` had not begun. */
static dw_status
go_back(migrate_run *run, size_t first, size_t applied)
{
    size_t count = 0;
    dw_txn_id *txns = NULL;
    bool is_dry_run = run->statement->is_dry_run;
    const dw_migration *migration = &run->all.items[first];
    if (migration->version_before < 0) {
        return dw__error_set(run->x->err, DW_INVALID_ARGUMENT, "MIGRATION_CREATES",
                             "%.*s made the table, so there is nothing to go back to: remove the "
                             "table's directory instead",
                             DW_STR_ARG(migration->name));
    }
    if (!run->statement->force) {
        DW_TRY(check_alone(run, migration->version_before));
    }
    DW_TRY(undone_records(run, first, &txns, &count));
    dw_status status = is_dry_run ? DW_OK : take_back(run, txns, count, migration->version_before);
    ride(run, NULL, 0);
    DW_TRY(status);
    for (size_t i = applied; i-- > first;) {
        run->undone_count++;
        put_row(run, &run->all.items[i], 0, is_dry_run ? "to be undone" : "undone", DW_STR_NULL);
    }
    return DW_OK;
}

/* ---- Where to -------------------------------------------------------------------------------- */

/* The number that a name begins with; -1: none. */
static int64_t
number_of(dw_str name)
{
    size_t len = 0;
    int64_t number;
    while (len < name.len && name.ptr[len] >= '0' && name.ptr[len] <= '9') {
        len++;
    }
    return len > 0 && dw__str_to_i64(dw__str_slice(name, 0, len), &number) ? number : -1;
}

/* How many files are to be applied at the end. */
static dw_status
choose_goal(const migrate_run *run, size_t applied, size_t *out)
{
    const dw_migrate_statement *statement = run->statement;
    int64_t number;
    *out = run->all.count;
    if (statement->goal == DW_MIGRATE_ALL) {
        return DW_OK;
    }
    if (statement->goal == DW_MIGRATE_UNDO) {
        if (statement->undo_count < 1 || (size_t) statement->undo_count > applied) {
            return dw__error_set(run->x->err, DW_INVALID_ARGUMENT, "MIGRATION_NOT_FOUND",
                                 "expected from 1 to %zu migrations to undo, as many as are "
                                 "applied, found %" PRId64,
                                 applied, statement->undo_count);
        }
        *out = applied - (size_t) statement->undo_count;
        return DW_OK;
    }
    bool is_number = dw__str_to_i64(statement->to, &number);
    for (size_t i = run->all.count; i-- > 0;) {
        dw_str name = run->all.items[i].name;
        if (is_number ? number_of(name) == number : dw__str_equal(name, statement->to)) {
            *out = i + 1;
            return DW_OK;
        }
    }
    *out = 0;
    return is_number && number == 0
               ? DW_OK
               : dw__error_set(run->x->err, DW_INVALID_ARGUMENT, "MIGRATION_NOT_FOUND",
                               "expected a migration named or numbered %.*s in %.*s, found none",
                               DW_STR_ARG(statement->to), DW_STR_ARG(statement->directory));
}

static size_t
count_applied(const dw_migrations *all)
{
    size_t applied = 0;
    for (size_t i = 0; i < all->count; i++) {
        applied = all->items[i].applied_count > 0 ? i + 1 : applied;
    }
    return applied;
}

static dw_status
go(migrate_run *run)
{
    size_t goal;
    size_t applied = count_applied(&run->all);
    DW_TRY(choose_goal(run, applied, &goal));
    if (goal < applied) {
        return go_back(run, goal, applied);
    }
    for (size_t i = 0; i < goal; i++) {
        DW_TRY(run->statement->is_dry_run ? plan_file(run, &run->all.items[i])
                                          : apply_file(run, &run->all.items[i]));
    }
    return DW_OK;
}

/* ---- The statement --------------------------------------------------------------------------- */

static dw_status
set_outcome(migrate_run *run)
{
    dw_execution *x = run->x;
    struct ArrowArrayStream stream;
    dw_rows *rows = run->rows;
    run->rows = NULL;
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    if (run->statement->is_dry_run) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, MESSAGE_BYTES_MAX);
    if (run->undone_count > 0) {
        dw__strbuf_append_literal(&text, "undid ");
        dw__put_counted(&text, (int64_t) run->undone_count, "migration");
    } else {
        dw__strbuf_append_literal(&text, "applied ");
        dw__put_counted(&text, (int64_t) run->applied_count, "statement");
        if (run->known_count > 0) {
            dw__strbuf_printf(&text, ", %zu %s applied before", run->known_count,
                              run->known_count == 1 ? "was" : "were");
        }
    }
    if (run->version >= 0) {
        dw__strbuf_printf(&text, "; the table is at version %" PRId64, run->version);
    }
    dw__execution_set_message(x, &text, -1);
    return DW_OK; /* what was done is done, whether or not there is memory to say so */
}

static dw_status
migrate(migrate_run *run)
{
    static const dw_rows_column columns[] = {{"file", DW_ROWS_STR, 0, 0},
                                             {"line", DW_ROWS_I64, 0, 0},
                                             {"status", DW_ROWS_STR, 0, 0},
                                             {"detail", DW_ROWS_STR, 0, 0}};
    dw_execution *x = run->x;
    DW_TRY(dw__migrations_read(x, run->statement->directory, &run->all));
    DW_TRY(open_table(run));
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(open_snapshot(run, &snapshot));
    DW_TRY(dw__migrations_compare(&run->all, snapshot, x->err));
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &run->rows, x->err));
    if (run->statement->is_dry_run && snapshot != NULL) {
        dw__table_set_planned(run->table, snapshot);
    }
    return go(run);
}

dw_status
dw__execute_migrate(dw_execution *x)
{
    migrate_run run = {.x = x, .statement = &x->statement.as.migrate, .version = -1};
    dw_status status = migrate(&run);
    if (status == DW_OK) {
        dw__execution_note_commit(x, run.version);
        status = set_outcome(&run);
    } else {
        dw__error_context(x->err, "MIGRATE");
        dw__execution_tell_partial(x, run.version);
    }
    dw__rows_free(run.rows);
    x->session->migrated = NULL;
    dw__table_unref(run.table);
    return status;
}
