/*
 * The conflict rules. Checks run in the reference's order (protocol, metadata, transaction ids and
 * domains, appends, deletes against reads, deletes against deletes), so that of several reasons the
 * same one is reported.
 *
 *  [CONFLICT-1] No input or output but the arguments: the same question has the same answer.
 *  [CONFLICT-2] Where something is not understood the verdict is a conflict.
 */
#include "txn/conflict.h"

#include "base/assert.h"

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

static bool
contains(const dw_str *sorted, size_t count, dw_str key)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = dw__str_compare(sorted[middle], key);
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

static dw_verdict
check_identities(const dw_conflict_self *self, const dw_conflict_winner *winner, size_t idx)
{
    const dw_action *theirs = &winner->actions[idx];
    if (theirs->kind == DW_ACTION_TXN) {
        if (find_txn(self->actions, self->action_count, theirs->as.txn.app_id) == NULL) {
            return DW_VERDICT_NONE;
        }
        return recorded_all_txns(self, winner) ? DW_VERDICT_DUPLICATE
                                               : DW_VERDICT_CONCURRENT_TRANSACTION;
    }
    if (theirs->kind == DW_ACTION_DOMAIN &&
        writes_domain(self->actions, self->action_count, theirs->as.domain.domain)) {
        return DW_VERDICT_CONCURRENT_TRANSACTION;
    }
    return DW_VERDICT_NONE;
}

/* Are the rows that this winner added among those that `self` would have had to read? */
static bool
appends_matter(const dw_conflict_self *self, const dw_conflict_winner *winner,
               dw_txn_isolation isolation)
{
    if (self->is_blind_append || (!self->reads_whole_table && !self->looks_for_rows)) {
        return false;
    }
    bool changes_metadata = has_kind(self->actions, self->action_count, DW_ACTION_METADATA);
    switch (isolation) {
    case DW_TXN_SERIALIZABLE:
        return true;
    case DW_TXN_WRITE_SERIALIZABLE:
        return changes_metadata || !winner->is_blind_append;
    case DW_TXN_SNAPSHOT_ISOLATION:
        return false;
    }
    dw_unreachable("isolation level");
}

static dw_verdict
check_remove(const dw_conflict_self *self, dw_str key)
{
    if (self->reads_whole_table || contains(self->read_keys, self->read_key_count, key)) {
        return DW_VERDICT_CONCURRENT_DELETE_READ;
    }
    if (contains(self->removed_keys, self->removed_key_count, key)) {
        return DW_VERDICT_CONCURRENT_DELETE_DELETE;
    }
    return DW_VERDICT_NONE;
}

/* The verdict of one step over all actions of the winner. */
typedef dw_verdict (*check_step)(const dw_conflict_self *self, const dw_conflict_winner *winner,
                                 dw_txn_isolation isolation, size_t idx);

static dw_verdict
step_protocol(const dw_conflict_self *self, const dw_conflict_winner *winner,
              dw_txn_isolation isolation, size_t idx)
{
    (void) self;
    (void) isolation;
    return winner->actions[idx].kind == DW_ACTION_PROTOCOL ? DW_VERDICT_PROTOCOL_CHANGED
                                                           : DW_VERDICT_NONE;
}

static dw_verdict
step_metadata(const dw_conflict_self *self, const dw_conflict_winner *winner,
              dw_txn_isolation isolation, size_t idx)
{
    (void) isolation;
    bool is_minor = winner->moves_identity_marks &&
                    !has_kind(self->actions, self->action_count, DW_ACTION_METADATA);
    return winner->actions[idx].kind == DW_ACTION_METADATA && !is_minor
               ? DW_VERDICT_METADATA_CHANGED
               : DW_VERDICT_NONE;
}

static dw_verdict
step_identities(const dw_conflict_self *self, const dw_conflict_winner *winner,
                dw_txn_isolation isolation, size_t idx)
{
    (void) isolation;
    return check_identities(self, winner, idx);
}

static dw_verdict
step_appends(const dw_conflict_self *self, const dw_conflict_winner *winner,
             dw_txn_isolation isolation, size_t idx)
{
    bool is_add = winner->actions[idx].kind == DW_ACTION_ADD;
    return is_add && appends_matter(self, winner, isolation) ? DW_VERDICT_CONCURRENT_APPEND
                                                             : DW_VERDICT_NONE;
}

/* A file that both commit again would lose what the winner says of it. */
static bool
commits_same_file(const dw_conflict_self *self, const dw_conflict_winner *winner, size_t idx)
{
    return self->recommits_files && winner->actions[idx].kind == DW_ACTION_ADD &&
           contains(self->read_keys, self->read_key_count, winner->canonical[idx]);
}

static dw_verdict
step_removes(const dw_conflict_self *self, const dw_conflict_winner *winner,
             dw_txn_isolation isolation, size_t idx)
{
    (void) isolation;
    if (commits_same_file(self, winner, idx)) {
        return DW_VERDICT_CONCURRENT_DELETE_READ;
    }
    return winner->actions[idx].kind == DW_ACTION_REMOVE
               ? check_remove(self, winner->canonical[idx])
               : DW_VERDICT_NONE;
}

dw_verdict
dw__conflict_check(const dw_conflict_self *self, const dw_conflict_winner *winner,
                   dw_txn_isolation isolation, size_t *culprit_out)
{
    static const check_step steps[] = {step_protocol, step_metadata, step_identities, step_appends,
                                       step_removes};
    *culprit_out = SIZE_MAX;
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (size_t i = 0; i < winner->action_count; i++) {
            dw_verdict verdict = steps[s](self, winner, isolation, i);
            if (verdict != DW_VERDICT_NONE) {
                *culprit_out = i;
                return verdict;
            }
        }
    }
    return DW_VERDICT_NONE;
}

dw_txn_isolation
dw__conflict_isolation(dw_isolation property, const dw_action *actions, size_t action_count,
                       bool data_change)
{
    bool only_rearranges = true;
    for (size_t i = 0; i < action_count && only_rearranges; i++) {
        const dw_action *action = &actions[i];
        bool is_file = action->kind == DW_ACTION_ADD || action->kind == DW_ACTION_REMOVE;
        only_rearranges = is_file && !action->as.file.data_change;
    }
    if (property == DW_SERIALIZABLE) {
        return only_rearranges ? DW_TXN_SNAPSHOT_ISOLATION : DW_TXN_SERIALIZABLE;
    }
    return only_rearranges && !data_change ? DW_TXN_SNAPSHOT_ISOLATION : DW_TXN_WRITE_SERIALIZABLE;
}

bool
dw__conflict_is_blind_append(const dw_txn *txn)
{
    if (txn->reads_whole_table || txn->looks_for_rows || txn->read_path_count > 0) {
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
    case DW_VERDICT_DUPLICATE:
        return "DUPLICATE";
    }
    dw_unreachable("verdict");
}
