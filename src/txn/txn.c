/*
 * The commit loop.
 *
 *            +--------- rebased, next version ---------+
 *            v                                         |
 *   TRY: put_if_absent --already exists--> CATCH UP: read the winners, check each --conflict-->
 *   error
 *     |  ^        |                            |
 *     ok |        outcome unknown              one of them is ours
 *     |  |        v                            |
 *     |  +-- absent -- LOOK: read that version back --ours--+
 *     v                                                     v
 *   DONE <-------------------------------------------------+
 */
#include "txn/txn.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "txn/assign.h"
#include "txn/checksum.h"
#include "txn/commit_bytes.h"
#include "txn/rebase.h"

#include <inttypes.h>

/* How often a put whose outcome is unknown is looked up and repeated before giving up. */
#define UNKNOWN_OUTCOMES_MAX 12
#define BACKOFF_START_US 2000
#define BACKOFF_MAX_US 500000
/* Losing a race costs no more than the next try; waiting starts when it happens again and again. */
#define LOSSES_BEFORE_WAITING 8
/* A try says the time of the one before unless that is longer ago: what was made ready for that one
 * can then be put again. */
#define TIMESTAMP_KEPT_MS 1000
/* Of a winner's predicate, in messages. */
#define PREDICATE_TEXT_MAX ((size_t) 120)

typedef struct commit_loop {
    const dw_txn *txn;
    const dw_env *env;
    dw_storage *storage;
    dw_rebase rebase;
    dw_arena winner_arena; /* of the text below */
    dw_str winner;         /* the last one, for messages; null string: none */
    dw_txn_isolation isolation;
    dw_assignment assignment;
    dw_txn assigned;          /* the change as it was tried last */
    int64_t timestamp_min_ms; /* an in-commit timestamp must not be below */
    char txn_id[DW_UUID_TEXT_SIZE];
    dw_commit_header header; /* of the last try */
    dw_draft *draft;         /* of the same bytes, when the last try lost */
    int64_t version;         /* the one to try next */
    int64_t lost_version;    /* the newest that is known to be another's; -1: none */
    int64_t attempt_count;
    int64_t attempts_max;
    int64_t started_us, time_max_us;
    int64_t loss_count;
    bool is_done;
    bool was_duplicate;
    bool was_left_out;
} commit_loop;

/* ---- Setting up ------------------------------------------------------------------------------ */

/* The table's properties as they will be after this commit. */
static void
effective_properties(const dw_txn *txn, dw_properties *out)
{
    const dw_metadata *metadata = NULL;
    for (size_t i = 0; i < txn->action_count; i++) {
        if (txn->actions[i].kind == DW_ACTION_METADATA) {
            metadata = &txn->actions[i].as.metadata;
        }
    }
    if (metadata != NULL) {
        dw__properties_read(&metadata->configuration, out, NULL);
    } else {
        dw_assert(txn->read_snapshot != NULL);
        *out = *dw__log_snapshot_properties(txn->read_snapshot);
    }
}

/* Release with _deinit, also after a failure. */
static dw_status
loop_init(commit_loop *loop, const dw_txn *txn, dw_error *err)
{
    const dw_env *env = dw__log_env(txn->log);
    *loop = (commit_loop){.txn = txn,
                          .env = env,
                          .storage = dw__log_storage(txn->log),
                          .timestamp_min_ms = INT64_MIN,
                          .lost_version = -1,
                          .attempts_max = txn->limits.attempts_max > 0 ? txn->limits.attempts_max
                                                                       : DW_TXN_ATTEMPTS_MAX,
                          .started_us = env->ops->monotonic_us(env->ctx)};
    int64_t time_max_ms =
        txn->limits.time_max_ms > 0 ? txn->limits.time_max_ms : DW_TXN_TIME_MAX_MS;
    loop->time_max_us = 1000 * time_max_ms;
    dw__arena_init(&loop->winner_arena, env->allocator);
    dw_properties properties;
    effective_properties(txn, &properties);
    loop->isolation = txn->has_isolation
                          ? txn->isolation
                          : dw__conflict_isolation(properties.isolation, txn->actions,
                                                   txn->action_count, txn->data_change);
    if (txn->read_snapshot != NULL) {
        loop->version = dw__log_snapshot_version(txn->read_snapshot) + 1;
        loop->timestamp_min_ms = dw__log_snapshot_timestamp_ms(txn->read_snapshot) + 1;
    }
    dw__uuid_make(loop->env, loop->txn_id);
    DW_TRY(dw__rebase_init(&loop->rebase, txn, err));
    return dw__assignment_init(&loop->assignment, &loop->rebase.change, loop->rebase.newest,
                               &loop->rebase.arena, err);
}

static void
loop_deinit(commit_loop *loop)
{
    dw__storage_draft_free(loop->storage, loop->draft);
    dw__rebase_deinit(&loop->rebase);
    dw__arena_deinit(&loop->winner_arena);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Waits longer each time, by a random share so that writers do not march in step. */
static void
back_off(const commit_loop *loop, int64_t round)
{
    int64_t limit = BACKOFF_START_US;
    for (int64_t i = 0; i < round && limit < BACKOFF_MAX_US; i++) {
        limit *= 2;
    }
    if (limit > BACKOFF_MAX_US) {
        limit = BACKOFF_MAX_US;
    }
    int64_t wait = limit / 2 + (int64_t) (dw__env_random_u64(loop->env) % (uint64_t) (limit / 2));
    loop->env->ops->sleep_us(loop->env->ctx, wait);
}

/* A race was lost. Whoever waits does so before he looks who won: what is known of the versions
 * when he tries again is then as new as can be. */
static void
wait_for_turn(commit_loop *loop)
{
    if (++loop->loss_count > LOSSES_BEFORE_WAITING) {
        back_off(loop, loop->loss_count - LOSSES_BEFORE_WAITING);
    }
}

/* ---- Reading what others committed ----------------------------------------------------------- */

static dw_status
find_commit_info(const dw_commit_actions *commit, dw_arena *arena, dw_commit_info *out,
                 dw_error *err)
{
    *out = (dw_commit_info){0};
    for (size_t i = 0; i < commit->count; i++) {
        if (commit->items[i].kind == DW_ACTION_COMMIT_INFO) {
            return dw__commit_info_parse(commit->items[i].as.json, arena, out, err);
        }
    }
    return DW_OK;
}

static bool
is_ours(const commit_loop *loop, const dw_commit_info *info)
{
    return dw__str_equal(info->txn_id, dw__str_from(loop->txn_id));
}

/* ---- Losing to them -------------------------------------------------------------------------- */

/* What the winner says of the rows it looked for, for people. */
static dw_str
winners_predicate(const dw_commit_info *info, dw_arena *arena)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    if (dw__str_is_null(info->operation_parameters_json) ||
        dw__json_parse(arena->allocator, info->operation_parameters_json, "parameters", &doc,
                       NULL) != DW_OK) {
        return DW_STR("");
    }
    dw_str text = dw__json_str(dw__json_get(dw__json_root(doc), DW_STR("predicate")));
    size_t len = text.len < PREDICATE_TEXT_MAX ? text.len : PREDICATE_TEXT_MAX;
    while (len > 0 && len < text.len && ((unsigned char) text.ptr[len] & 0xc0) == 0x80) {
        len--; /* not inside of a character */
    }
    bool is_any = len > 0 && !dw__str_equal(text, DW_STR("[]"));
    return is_any ? dw__arena_printf(arena, " WHERE %.*s", (int) len, text.ptr) : DW_STR("");
}

static dw_status
describe_winner(commit_loop *loop, const dw_commit_info *info, dw_error *err)
{
    dw_str operation = info->operation.len > 0 ? info->operation : DW_STR("a commit");
    dw_str engine = info->engine_info.len > 0 ? info->engine_info : DW_STR("another writer");
    dw__arena_reset(&loop->winner_arena);
    dw_str predicate = winners_predicate(info, &loop->winner_arena);
    loop->winner = dw__arena_printf(&loop->winner_arena, "version %" PRId64 " (%.*s%.*s by %.*s)",
                                    loop->version, DW_STR_ARG(operation), DW_STR_ARG(predicate),
                                    DW_STR_ARG(engine));
    return dw__str_is_null(loop->winner) ? dw__error_oom(err) : DW_OK;
}

static const char *
what_happened(const dw_judgement *judgement)
{
    switch (judgement->verdict) {
    case DW_VERDICT_PROTOCOL_CHANGED:
        return "changed the table's protocol";
    case DW_VERDICT_METADATA_CHANGED:
        return "changed the table's schema or properties";
    case DW_VERDICT_CONCURRENT_TRANSACTION:
        return "committed under the same transaction id or domain";
    case DW_VERDICT_CONCURRENT_APPEND:
        return "added rows that this statement would have read";
    case DW_VERDICT_CONCURRENT_DELETE_READ:
        return judgement->overlap == DW_ROWS_SHARED
                   ? "deleted or changed rows that this statement takes out, too"
                   : "removed a file that this statement read";
    case DW_VERDICT_CONCURRENT_DELETE_DELETE:
        return "removed a file that this statement removes";
    case DW_VERDICT_CONCURRENT_VACUUM:
        return "began to remove files that this statement may bring back";
    case DW_VERDICT_NONE:
    case DW_VERDICT_DUPLICATE:
        break;
    }
    dw_unreachable("no conflict");
}

static dw_status
report_conflict(const commit_loop *loop, const dw_judgement *judgement, dw_error *err)
{
    const dw_action *culprit = judgement->culprit;
    bool names_file =
        culprit != NULL && (culprit->kind == DW_ACTION_ADD || culprit->kind == DW_ACTION_REMOVE);
    dw_str path = names_file ? culprit->as.file.path : DW_STR("");
    return dw__error_set(err, DW_CONFLICT, dw__verdict_code(judgement->verdict),
                         "%.*s %s%s%.*s%s since version %" PRId64
                         " was read; nothing was changed: run the statement again",
                         DW_STR_ARG(loop->winner), what_happened(judgement), names_file ? " (" : "",
                         DW_STR_ARG(path), names_file ? ")" : "",
                         dw__log_snapshot_version(loop->txn->read_snapshot));
}

static dw_status
report_exhaustion(const commit_loop *loop, int64_t waited_us, dw_error *err)
{
    dw_str winner = dw__str_is_null(loop->winner) ? DW_STR("none") : loop->winner;
    return dw__error_set(err, DW_CONFLICT, "TOO_MANY_ATTEMPTS",
                         "other writers were faster %" PRId64 " times in %" PRId64
                         " ms, the last of them %.*s; nothing was changed: run the statement again "
                         "when fewer write, or allow more attempts",
                         loop->attempt_count, waited_us / 1000, DW_STR_ARG(winner));
}

/* Compares this change with the winner that stands at loop->version. */
static dw_status
check_winner(commit_loop *loop, const dw_commit_actions *commit, dw_arena *scratch, dw_error *err)
{
    dw_commit_info info;
    dw_judgement judgement;
    DW_TRY(find_commit_info(commit, scratch, &info, err));
    if (is_ours(loop, &info)) {
        loop->is_done = true;
        return DW_OK;
    }
    loop->lost_version = loop->version;
    if (loop->txn->read_snapshot == NULL) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                             "another writer created the table first");
    }
    DW_TRY(describe_winner(loop, &info, err));
    dw_status status =
        dw__rebase_over(&loop->rebase, commit, &info, loop->isolation, &judgement, err);
    if (status != DW_OK) {
        dw__error_context(err, "rebasing over %.*s", DW_STR_ARG(loop->winner));
        return status;
    }
    if (judgement.verdict == DW_VERDICT_DUPLICATE) {
        loop->was_duplicate = true;
        loop->is_done = true;
        return DW_OK;
    }
    if (judgement.verdict != DW_VERDICT_NONE) {
        return report_conflict(loop, &judgement, err);
    }
    int64_t time = info.has_in_commit_timestamp ? info.in_commit_timestamp_ms : commit->modified_ms;
    if (time >= loop->timestamp_min_ms) {
        loop->timestamp_min_ms = time + 1;
    }
    return dw__assignment_note(&loop->assignment, commit->items, commit->count, err);
}

/* Reads the commit at loop->version. `found_out` false: there is none. */
static dw_status
read_winner(commit_loop *loop, dw_arena *scratch, dw_commit_actions *out, bool *found_out,
            dw_error *err)
{
    *found_out = false;
    dw_error detail = DW_ERROR_INIT;
    dw_status status = dw__commit_read(loop->txn->log, loop->version, scratch, out, &detail);
    if (status == DW_NOT_FOUND) {
        return DW_OK;
    }
    if (status != DW_OK) {
        dw__error_copy(err, &detail);
        return status;
    }
    *found_out = true;
    return DW_OK;
}

/* What the winners made of this change is made ready for the next try. */
static dw_status
settle(commit_loop *loop, dw_error *err)
{
    bool is_altered;
    DW_TRY(dw__rebase_settle(&loop->rebase, &is_altered, err));
    if (loop->txn->action_count > 0 && loop->rebase.change.action_count == 0) {
        loop->was_left_out = true;
        loop->is_done = true;
        return DW_OK;
    }
    if (is_altered && loop->txn->count_left != NULL) {
        DW_TRY(loop->txn->count_left(loop->txn->count_ctx,
                                     &loop->rebase.change.operation_metrics_json, err));
    }
    return is_altered ? dw__assignment_renew(&loop->assignment, &loop->rebase.change,
                                             loop->rebase.newest, &loop->rebase.turn, err)
                      : DW_OK;
}

/* Goes on to the first version that nobody has taken, checking those on the way. */
static dw_status
catch_up(commit_loop *loop, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, loop->env->allocator);
    for (;;) {
        dw_commit_actions winner = {0};
        bool found;
        DW_TRY(read_winner(loop, &scratch, &winner, &found, err));
        if (!found) {
            return settle(loop, err);
        }
        DW_TRY(check_winner(loop, &winner, &scratch, err));
        if (loop->is_done) {
            return DW_OK;
        }
        loop->version++;
        dw__arena_reset(&scratch);
    }
}

/* ---- Trying ---------------------------------------------------------------------------------- */

static dw_status
outcome_unknown(const commit_loop *loop, const dw_error *cause, dw_error *err)
{
    return dw__error_set(err, DW_AMBIGUOUS, "COMMIT_OUTCOME_UNKNOWN",
                         "storage did not say whether version %" PRId64
                         " was written, and it could not be read back (%s): look for txnId %s in "
                         "that version before you run the statement again",
                         loop->version, cause->message, loop->txn_id);
}

/* Whether the next try is likely to put the same bytes. */
static bool
is_same_again(const commit_loop *loop)
{
    return !loop->assignment.with_in_commit_timestamps && !loop->assignment.tracks_rows;
}

/* One put at loop->version, repeated while its outcome stays unknown and the version absent. Ends
 * with DW_OK and loop->is_done, DW_ALREADY_EXISTS (someone, perhaps this commit, took the version),
 * or an error. */
static dw_status
put_and_settle(commit_loop *loop, dw_str bytes, dw_error *err)
{
    char key_text[DW_COMMIT_KEY_SIZE];
    dw_str key = dw__commit_key(loop->version, key_text);
    bool may_have_happened = false;
    dw_error detail = DW_ERROR_INIT;
    for (int64_t round = 0; round < UNKNOWN_OUTCOMES_MAX; round++) {
        dw__error_clear(&detail);
        dw_status status =
            is_same_again(loop)
                ? dw__storage_put_draft_if_absent(loop->storage, key, bytes, &loop->draft, &detail)
                : dw__storage_put_if_absent(loop->storage, key, bytes, &detail);
        if (status == DW_OK) {
            loop->is_done = true;
            return DW_OK;
        }
        if (status == DW_ALREADY_EXISTS) {
            return DW_ALREADY_EXISTS;
        }
        bool is_unknown = status == DW_AMBIGUOUS;
        if (!is_unknown && status != DW_UNAVAILABLE && !may_have_happened) {
            dw__error_copy(err, &detail);
            return status;
        }
        may_have_happened = may_have_happened || is_unknown;
        back_off(loop, round);
        dw_object_meta meta;
        if (may_have_happened && dw__storage_head(loop->storage, key, &meta, &detail) == DW_OK) {
            return DW_ALREADY_EXISTS;
        }
    }
    if (may_have_happened) {
        return outcome_unknown(loop, &detail, err);
    }
    dw__error_copy(err, &detail);
    return detail.status;
}

static int64_t
commit_timestamp_ms(const commit_loop *loop)
{
    int64_t now_ms = dw__env_now_ms(loop->env);
    if (is_same_again(loop) && loop->attempt_count > 0 &&
        now_ms - loop->header.timestamp_ms < TIMESTAMP_KEPT_MS &&
        now_ms >= loop->header.timestamp_ms) {
        return loop->header.timestamp_ms;
    }
    bool is_behind = loop->assignment.with_in_commit_timestamps && now_ms < loop->timestamp_min_ms;
    return is_behind ? loop->timestamp_min_ms : now_ms;
}

/* Reading the winners failed at loop->version, after a put at `tried`. If nobody could look at that
 * version, this commit may be what stands there. */
static dw_status
catch_up_failed(const commit_loop *loop, int64_t tried, const dw_error *detail, dw_error *err)
{
    bool could_look = detail->status == DW_CONFLICT || detail->status == DW_ALREADY_EXISTS ||
                      detail->status == DW_CORRUPT || detail->status == DW_UNSUPPORTED;
    if (loop->version == tried && loop->lost_version < tried && !could_look) {
        return outcome_unknown(loop, detail, err);
    }
    dw__error_copy(err, detail);
    return detail->status;
}

/* What is put, and what was put before. */
typedef struct commit_text {
    dw_strbuf now, before;
} commit_text;

/* What was made ready of other bytes than these is of no use. */
static dw_status
make_text(commit_loop *loop, commit_text *text, dw_error *err)
{
    dw_strbuf before = text->now;
    text->now = text->before;
    text->before = before;
    DW_TRY(dw__commit_bytes(&loop->assigned, &loop->header, &text->now, err));
    if (!dw__str_equal(dw__strbuf_str(&text->now), dw__strbuf_str(&text->before))) {
        dw__storage_draft_free(loop->storage, loop->draft);
        loop->draft = NULL;
    }
    return DW_OK;
}

/* What is put is kept in loop->header, so that the checksum says the same. */
static dw_status
try_once(commit_loop *loop, commit_text *text, dw_error *err)
{
    dw_commit_header *header = &loop->header;
    *header =
        (dw_commit_header){.timestamp_ms = commit_timestamp_ms(loop),
                           .has_in_commit_timestamp = loop->assignment.with_in_commit_timestamps,
                           .tracks_rows = loop->assignment.is_tracking_enabled,
                           .read_version = loop->txn->read_snapshot == NULL
                                               ? -1
                                               : dw__log_snapshot_version(loop->txn->read_snapshot),
                           .isolation = loop->isolation,
                           .is_blind_append = loop->rebase.self.is_blind_append,
                           .txn_id = loop->txn_id};
    DW_TRY(dw__assignment_make(&loop->assignment, loop->version, header->timestamp_ms,
                               &loop->assigned, err));
    DW_TRY(make_text(loop, text, err));
    loop->attempt_count++;
    dw_status status = put_and_settle(loop, dw__strbuf_str(&text->now), err);
    if (status != DW_ALREADY_EXISTS) {
        return status;
    }
    /* Even a plain "already exists" may be the echo of this very commit: a storage client below may
     * have repeated a request whose answer was lost. */
    dw_error detail = DW_ERROR_INIT;
    int64_t tried = loop->version;
    wait_for_turn(loop);
    return catch_up(loop, &detail) == DW_OK ? DW_OK : catch_up_failed(loop, tried, &detail, err);
}

/* Before each try. */
static dw_status
may_go_on(const commit_loop *loop, dw_error *err)
{
    const dw_env *env = loop->env;
    int64_t waited_us = env->ops->monotonic_us(env->ctx) - loop->started_us;
    bool is_too_late = loop->attempt_count > 0 && waited_us > loop->time_max_us;
    if (is_too_late || loop->attempt_count >= loop->attempts_max) {
        return report_exhaustion(loop, waited_us, err);
    }
    return dw__env_is_cancelled(env)
               ? dw__error_set(err, DW_CANCELLED, "CANCELLED",
                               "cancelled before the commit; nothing was changed")
               : DW_OK;
}

static dw_status
run_loop(commit_loop *loop, dw_txn_result *out, dw_error *err)
{
    commit_text text = {dw__strbuf_make(loop->env->allocator, DW_COMMIT_BYTES_MAX),
                        dw__strbuf_make(loop->env->allocator, DW_COMMIT_BYTES_MAX)};
    dw_status status = DW_OK;
    while (status == DW_OK && !loop->is_done) {
        status = may_go_on(loop, err);
        if (status == DW_OK) {
            status = try_once(loop, &text, err);
        }
    }
    dw__strbuf_deinit(&text.now);
    dw__strbuf_deinit(&text.before);
    if (status != DW_OK) {
        return status;
    }
    if (!loop->was_duplicate && !loop->was_left_out) {
        dw__txn_write_checksum(&loop->assigned, &loop->header, loop->version);
    }
    out->version = loop->was_left_out ? -1 : loop->version;
    out->was_left_out = loop->was_left_out;
    out->attempt_count = loop->attempt_count;
    out->was_duplicate = loop->was_duplicate;
    return DW_OK;
}

dw_status
dw__txn_commit(const dw_txn *txn, dw_txn_result *out, dw_error *err)
{
    dw_assert(txn->log != NULL);
    dw_assert(txn->action_count == 0 || txn->actions != NULL);
    *out = (dw_txn_result){.version = -1};
    commit_loop loop;
    dw_status status = loop_init(&loop, txn, err);
    if (status == DW_OK) {
        status = run_loop(&loop, out, err);
    }
    loop_deinit(&loop);
    return status;
}
