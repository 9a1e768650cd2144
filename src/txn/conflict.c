/*
 * The conflict rules. Checks run in the reference's order (protocol, metadata, domains, transaction
 * ids, appends, deletes against reads, deletes against deletes), so that of several reasons the
 * same one is reported.
 *
 *  [CONFLICT-1] No input or output but the arguments: the same question has the same answer.
 *  [CONFLICT-2] Where something is not understood the verdict is a conflict.
 */
#include "txn/conflict.h"

#include "base/assert.h"
#include "txn/definition.h"

static bool
has_kind(const dw_action *actions, size_t count, dw_action_kind kind)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind == kind) {
            return true;
        }
    }
    return false;
}

bool
dw__key_list_has(dw_key_list keys, dw_str key)
{
    size_t low = 0;
    size_t high = keys.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = dw__str_compare(keys.items[middle], key);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static const dw_action *
find_txn(const dw_action *actions, size_t count, dw_str app_id)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind == DW_ACTION_TXN && dw__str_equal(actions[i].as.txn.app_id, app_id)) {
            return &actions[i];
        }
    }
    return NULL;
}

/* True when the winner recorded every txn id of ours, at our version or a later one. */
static bool
recorded_all_txns(const dw_conflict_self *self, const dw_conflict_winner *winner)
{
    for (size_t i = 0; i < self->action_count; i++) {
        if (self->actions[i].kind != DW_ACTION_TXN) {
            continue;
        }
        const dw_txn_id *mine = &self->actions[i].as.txn;
        const dw_action *theirs = find_txn(winner->actions, winner->action_count, mine->app_id);
        if (theirs == NULL || theirs->as.txn.version < mine->version) {
            return false;
        }
    }
    return true;
}

static bool
writes_domain(const dw_action *actions, size_t count, dw_str domain)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind == DW_ACTION_DOMAIN &&
            dw__str_equal(actions[i].as.domain.domain, domain)) {
            return true;
        }
    }
    return false;
}

static bool
is_file(const dw_action *action)
{
    return action->kind == DW_ACTION_ADD || action->kind == DW_ACTION_REMOVE;
}

bool
dw__conflict_rearranges(const dw_action *actions, size_t count)
{
    bool has_files = false;
    for (size_t i = 0; i < count; i++) {
        if (is_file(&actions[i])) {
            if (actions[i].as.file.data_change) {
                return false;
            }
            has_files = true;
        }
    }
    return has_files;
}

/* ---- Steps: what each finds in one action of the winner -------------------------------------- */

typedef struct conflict_case {
    const dw_conflict_self *self;
    const dw_conflict_winner *winner;
    dw_txn_isolation isolation;
    bool winner_rearranges;
    const dw_protocol *new_protocol; /* of `self`; NULL: it leaves the protocol alone */
} conflict_case;

typedef dw_verdict (*check_step)(const conflict_case *c, size_t idx);

static dw_verdict
step_protocol(const conflict_case *c, size_t idx)
{
    const dw_action *theirs = &c->winner->actions[idx];
    const dw_protocol *before = c->self->protocol;
    bool conflicts;
    if (theirs->kind == DW_ACTION_PROTOCOL) {
        conflicts = c->new_protocol != NULL || before == NULL ||
                    !dw__protocol_change_is_harmless(before, &theirs->as.protocol);
    } else {
        conflicts = c->new_protocol != NULL && before != NULL &&
                    dw__protocol_drop_forbids(before, c->new_protocol, theirs);
    }
    return conflicts ? DW_VERDICT_PROTOCOL_CHANGED : DW_VERDICT_NONE;
}

static dw_verdict
step_metadata(const conflict_case *c, size_t idx)
{
    bool is_minor = (c->winner->moves_identity_marks || c->winner->is_metadata_harmless) &&
                    !has_kind(c->self->actions, c->self->action_count, DW_ACTION_METADATA);
    return c->winner->actions[idx].kind == DW_ACTION_METADATA && !is_minor
               ? DW_VERDICT_METADATA_CHANGED
               : DW_VERDICT_NONE;
}

static dw_verdict
step_domains(const conflict_case *c, size_t idx)
{
    const dw_action *theirs = &c->winner->actions[idx];
    return theirs->kind == DW_ACTION_DOMAIN &&
                   writes_domain(c->self->actions, c->self->action_count, theirs->as.domain.domain)
               ? DW_VERDICT_CONCURRENT_TRANSACTION
               : DW_VERDICT_NONE;
}

static dw_verdict
step_txns(const conflict_case *c, size_t idx)
{
    const dw_action *theirs = &c->winner->actions[idx];
    if (theirs->kind != DW_ACTION_TXN ||
        find_txn(c->self->actions, c->self->action_count, theirs->as.txn.app_id) == NULL) {
        return DW_VERDICT_NONE;
    }
    return recorded_all_txns(c->self, c->winner) ? DW_VERDICT_DUPLICATE
                                                 : DW_VERDICT_CONCURRENT_TRANSACTION;
}

/* Does what this winner added count for `self` at all? */
static bool
appends_matter(const conflict_case *c)
{
    const dw_conflict_self *self = c->self;
    if (self->is_blind_append || (!self->reads_whole_table && !self->looks_for_rows)) {
        return false;
    }
    switch (c->isolation) {
    case DW_TXN_SERIALIZABLE:
        return true;
    case DW_TXN_WRITE_SERIALIZABLE:
        return !c->winner->is_blind_append ||
               has_kind(self->actions, self->action_count, DW_ACTION_METADATA);
    case DW_TXN_SNAPSHOT_ISOLATION:
        return false;
    }
    dw_unreachable("isolation level");
}

/* Rows that were only moved were read where they were before. A file that lost rows brings none. */
static dw_verdict
step_appends(const conflict_case *c, size_t idx)
{
    const dw_winner_fact *fact = &c->winner->facts[idx];
    bool brings_rows = c->winner->actions[idx].kind == DW_ACTION_ADD && !c->winner_rearranges &&
                       (fact->overlap == DW_ROWS_UNKNOWN || c->self->reads_whole_table);
    bool is_seen = c->self->reads_whole_table || !fact->is_out_of_sight;
    return brings_rows && is_seen && appends_matter(c) ? DW_VERDICT_CONCURRENT_APPEND
                                                       : DW_VERDICT_NONE;
}

/* A file that both commit again would lose what the winner says of it. */
static bool
commits_same_file(const conflict_case *c, size_t idx)
{
    return c->self->recommits_files && c->winner->actions[idx].kind == DW_ACTION_ADD &&
           dw__key_list_has(c->self->read, c->winner->facts[idx].key);
}

static bool
removes_what_was_read(const conflict_case *c, size_t idx)
{
    const dw_winner_fact *fact = &c->winner->facts[idx];
    bool was_read = c->self->reads_whole_table || dw__key_list_has(c->self->read, fact->key);
    bool was_searched = dw__key_list_has(c->self->searched, fact->key);
    if (c->winner_rearranges) {
        /* Rows that were moved were read all the same; only the file itself must not come back. */
        return (was_read || was_searched) &&
               (c->self->recommits_files || dw__key_list_has(c->self->removed, fact->key));
    }
    return was_read || (was_searched && fact->overlap != DW_ROWS_APART);
}

static dw_verdict
step_reads(const conflict_case *c, size_t idx)
{
    bool is_remove = c->winner->actions[idx].kind == DW_ACTION_REMOVE;
    return commits_same_file(c, idx) || (is_remove && removes_what_was_read(c, idx))
               ? DW_VERDICT_CONCURRENT_DELETE_READ
               : DW_VERDICT_NONE;
}

static dw_verdict
step_removes(const conflict_case *c, size_t idx)
{
    const dw_winner_fact *fact = &c->winner->facts[idx];
    return c->winner->actions[idx].kind == DW_ACTION_REMOVE && fact->overlap != DW_ROWS_APART &&
                   dw__key_list_has(c->self->removed, fact->key)
               ? DW_VERDICT_CONCURRENT_DELETE_DELETE
               : DW_VERDICT_NONE;
}

dw_verdict
dw__conflict_check(const dw_conflict_self *self, const dw_conflict_winner *winner,
                   dw_txn_isolation isolation, size_t *culprit_out)
{
    static const check_step steps[] = {step_protocol, step_metadata, step_domains, step_txns,
                                       step_appends,  step_reads,    step_removes};
    conflict_case c = {.self = self,
                       .winner = winner,
                       .isolation = isolation,
                       .winner_rearranges =
                           dw__conflict_rearranges(winner->actions, winner->action_count)};
    for (size_t i = 0; i < self->action_count; i++) {
        if (self->actions[i].kind == DW_ACTION_PROTOCOL) {
            c.new_protocol = &self->actions[i].as.protocol;
        }
    }
    *culprit_out = SIZE_MAX;
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (size_t i = 0; i < winner->action_count; i++) {
            dw_verdict verdict = steps[s](&c, i);
            if (verdict != DW_VERDICT_NONE) {
                *culprit_out = i;
                return verdict;
            }
        }
    }
    return self->brings_files_back && winner->begins_vacuum ? DW_VERDICT_CONCURRENT_VACUUM
                                                            : DW_VERDICT_NONE;
}

/* ---- Levels ---------------------------------------------------------------------------------- */

dw_txn_isolation
dw__conflict_isolation(dw_isolation property, const dw_action *actions, size_t action_count,
                       bool data_change)
{
    bool only_rearranges = true;
    for (size_t i = 0; i < action_count && only_rearranges; i++) {
        only_rearranges = is_file(&actions[i]) && !actions[i].as.file.data_change;
    }
    if (property == DW_SERIALIZABLE) {
        return only_rearranges ? DW_TXN_SNAPSHOT_ISOLATION : DW_TXN_SERIALIZABLE;
    }
    return only_rearranges && !data_change ? DW_TXN_SNAPSHOT_ISOLATION : DW_TXN_WRITE_SERIALIZABLE;
}

bool
dw__conflict_is_blind_append(const dw_txn *txn)
{
    if (txn->reads_whole_table || txn->looks_for_rows || txn->read_path_count > 0 ||
        txn->searched_path_count > 0) {
        return false;
    }
    for (size_t i = 0; i < txn->action_count; i++) {
        dw_action_kind kind = txn->actions[i].kind;
        if (kind != DW_ACTION_ADD && kind != DW_ACTION_TXN) {
            return false;
        }
    }
    return true;
}

const char *
dw__verdict_code(dw_verdict verdict)
{
    switch (verdict) {
    case DW_VERDICT_NONE:
        return "NONE";
    case DW_VERDICT_PROTOCOL_CHANGED:
        return "PROTOCOL_CHANGED";
    case DW_VERDICT_METADATA_CHANGED:
        return "METADATA_CHANGED";
    case DW_VERDICT_CONCURRENT_TRANSACTION:
        return "CONCURRENT_TRANSACTION";
    case DW_VERDICT_CONCURRENT_APPEND:
        return "CONCURRENT_APPEND";
    case DW_VERDICT_CONCURRENT_DELETE_READ:
        return "CONCURRENT_DELETE_READ";
    case DW_VERDICT_CONCURRENT_DELETE_DELETE:
        return "CONCURRENT_DELETE_DELETE";
    case DW_VERDICT_CONCURRENT_VACUUM:
        return "CONCURRENT_VACUUM";
    case DW_VERDICT_DUPLICATE:
        return "DUPLICATE";
    }
    dw_unreachable("verdict");
}
