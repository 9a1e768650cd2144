/*
 * The conflict rules against a table of verdicts that was written down by hand, from the
 * reference's documentation: every pair of abstract transactions at every isolation level.
 */
#include "support/test.h"
#include "txn/conflict.h"

/* What a transaction does to a table of the files "f1" and "f2". */
typedef enum abstract {
    BLIND_INSERT,   /* adds "new" */
    DELETE_F1,      /* reads and removes f1 */
    DELETE_F2,      /* reads and removes f2 */
    UPDATE_ALL,     /* reads everything, removes f1, adds "new" */
    COMPACT_F1,     /* reads and removes f1, adds "new", no rows change */
    SET_PROPERTIES, /* new metadata */
    UPGRADE,        /* new protocol */
    LOAD_ONCE,      /* adds "new" under a txn id */
    SET_DOMAIN,
    DELETE_WHERE, /* looks for rows everywhere, finds them in f1, adds and removes it */
    ABSTRACT_COUNT
} abstract;

typedef struct abstract_txn {
    dw_action actions[4];
    dw_winner_fact facts[4];
    size_t count;
    bool is_blind;
    bool reads_all;
    bool looks_for_rows;
    dw_str read[1];
    size_t read_count;
    dw_str removed[1];
    size_t removed_count;
    bool data_change;
} abstract_txn;

static void
put_file(abstract_txn *txn, dw_action_kind kind, dw_str path)
{
    dw_action *action = &txn->actions[txn->count];
    *action = (dw_action){.kind = kind};
    action->as.file = (dw_file){.path = path, .data_change = txn->data_change};
    txn->facts[txn->count++].key = path;
    if (kind == DW_ACTION_REMOVE) {
        txn->removed[txn->removed_count++] = path;
    }
}

static abstract_txn
make(abstract what)
{
    abstract_txn txn = {.data_change = what != COMPACT_F1};
    switch (what) {
    case BLIND_INSERT:
        txn.is_blind = true;
        put_file(&txn, DW_ACTION_ADD, DW_STR("new"));
        break;
    case DELETE_F1:
    case DELETE_F2:
        txn.read[txn.read_count++] = what == DELETE_F1 ? DW_STR("f1") : DW_STR("f2");
        put_file(&txn, DW_ACTION_REMOVE, txn.read[0]);
        break;
    case UPDATE_ALL:
        txn.reads_all = true;
        put_file(&txn, DW_ACTION_REMOVE, DW_STR("f1"));
        put_file(&txn, DW_ACTION_ADD, DW_STR("new"));
        break;
    case COMPACT_F1:
        txn.read[txn.read_count++] = DW_STR("f1");
        put_file(&txn, DW_ACTION_REMOVE, DW_STR("f1"));
        put_file(&txn, DW_ACTION_ADD, DW_STR("new"));
        break;
    case SET_PROPERTIES:
        txn.actions[txn.count++].kind = DW_ACTION_METADATA;
        break;
    case UPGRADE:
        txn.actions[txn.count++] =
            (dw_action){.kind = DW_ACTION_PROTOCOL,
                        .as.protocol = {.min_reader_version = 1, .min_writer_version = 3}};
        break;
    case LOAD_ONCE:
        txn.is_blind = true;
        txn.actions[txn.count++] =
            (dw_action){.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("app"), .version = 3}};
        put_file(&txn, DW_ACTION_ADD, DW_STR("new"));
        break;
    case SET_DOMAIN:
        txn.actions[txn.count++] =
            (dw_action){.kind = DW_ACTION_DOMAIN, .as.domain = {.domain = DW_STR("d")}};
        break;
    case DELETE_WHERE:
        txn.looks_for_rows = true;
        txn.read[txn.read_count++] = DW_STR("f1");
        put_file(&txn, DW_ACTION_REMOVE, DW_STR("f1"));
        put_file(&txn, DW_ACTION_ADD, DW_STR("f1"));
        break;
    case ABSTRACT_COUNT:
        fail();
    }
    return txn;
}

static const dw_protocol protocol = {.min_reader_version = 1, .min_writer_version = 2};

static dw_verdict
ask(abstract self_kind, abstract winner_kind, dw_txn_isolation isolation)
{
    abstract_txn self = make(self_kind);
    abstract_txn winner = make(winner_kind);
    dw_conflict_self asked = {.actions = self.actions,
                              .action_count = self.count,
                              .is_blind_append = self.is_blind,
                              .reads_whole_table = self.reads_all,
                              .looks_for_rows = self.looks_for_rows,
                              .read = {self.read, self.read_count},
                              .removed = {self.removed, self.removed_count},
                              .protocol = &protocol};
    dw_conflict_winner other = {.actions = winner.actions,
                                .facts = winner.facts,
                                .action_count = winner.count,
                                .is_blind_append = winner.is_blind};
    size_t culprit;
    dw_verdict verdict = dw__conflict_check(&asked, &other, isolation, &culprit);
    assert_int_equal(culprit == SIZE_MAX, verdict == DW_VERDICT_NONE);
    return verdict;
}

/*
 * Rows: the transaction that asks. Columns: the winner, in the order of the enum. A letter a
 * verdict:
 *   . none   P protocol   M metadata   T transaction   A append   R delete-read   D duplicate
 */
static const char *const write_serializable[ABSTRACT_COUNT] = {
    [BLIND_INSERT] = ". . . . . M P . . .", [DELETE_F1] = ". R . R R M P . . R",
    [DELETE_F2] = ". . R . . M P . . .",    [UPDATE_ALL] = ". R R A R M P . . A",
    [COMPACT_F1] = ". R . R R M P . . R",   [SET_PROPERTIES] = ". . . . . M P . . .",
    [UPGRADE] = ". . . . . M P . . .",      [LOAD_ONCE] = ". . . . . M P D . .",
    [SET_DOMAIN] = ". . . . . M P . T .",   [DELETE_WHERE] = ". R . A R M P . . A",
};
static const char *const serializable[ABSTRACT_COUNT] = {
    [BLIND_INSERT] = ". . . . . M P . . .", [DELETE_F1] = ". R . R R M P . . R",
    [DELETE_F2] = ". . R . . M P . . .",    [UPDATE_ALL] = "A R R A R M P A . A",
    [COMPACT_F1] = ". R . R R M P . . R",   [SET_PROPERTIES] = ". . . . . M P . . .",
    [UPGRADE] = ". . . . . M P . . .",      [LOAD_ONCE] = ". . . . . M P D . .",
    [SET_DOMAIN] = ". . . . . M P . T .",   [DELETE_WHERE] = "A R . A R M P A . A",
};

static char
letter(dw_verdict verdict)
{
    switch (verdict) {
    case DW_VERDICT_NONE:
        return '.';
    case DW_VERDICT_PROTOCOL_CHANGED:
        return 'P';
    case DW_VERDICT_METADATA_CHANGED:
        return 'M';
    case DW_VERDICT_CONCURRENT_TRANSACTION:
        return 'T';
    case DW_VERDICT_CONCURRENT_APPEND:
        return 'A';
    case DW_VERDICT_CONCURRENT_DELETE_READ:
        return 'R';
    case DW_VERDICT_CONCURRENT_DELETE_DELETE:
        return 'X';
    case DW_VERDICT_CONCURRENT_VACUUM:
        return 'V';
    case DW_VERDICT_DUPLICATE:
        return 'D';
    }
    return '?';
}

static void
check_table(const char *const *table, dw_txn_isolation isolation)
{
    for (int self = 0; self < ABSTRACT_COUNT; self++) {
        for (int winner = 0; winner < ABSTRACT_COUNT; winner++) {
            char expected = table[self][2 * winner];
            char found = letter(ask((abstract) self, (abstract) winner, isolation));
            if (found != expected) {
                fail_msg("transaction %d behind winner %d: expected %c, found %c", self, winner,
                         expected, found);
            }
        }
    }
}

static void
test_conflict__verdicts_at_write_serializable_are_the_references(void **state)
{
    (void) state;
    check_table(write_serializable, DW_TXN_WRITE_SERIALIZABLE);
}

static void
test_conflict__verdicts_at_serializable_also_count_blind_appends(void **state)
{
    (void) state;
    check_table(serializable, DW_TXN_SERIALIZABLE);
}

static void
test_conflict__two_removes_of_a_file_that_neither_read_conflict(void **state)
{
    (void) state;
    abstract_txn txn = make(DELETE_F1);
    dw_conflict_self self = {
        .actions = txn.actions, .action_count = txn.count, .removed = {txn.removed, 1}};
    dw_conflict_winner winner = {
        .actions = txn.actions, .facts = txn.facts, .action_count = txn.count};
    size_t culprit;
    assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_SNAPSHOT_ISOLATION, &culprit),
                     DW_VERDICT_CONCURRENT_DELETE_DELETE);
}

static void
test_conflict__files_are_not_brought_back_behind_the_start_of_a_vacuum(void **state)
{
    (void) state;
    dw_action info = {.kind = DW_ACTION_COMMIT_INFO};
    dw_winner_fact fact = {.key = DW_STR_NULL};
    dw_conflict_winner winner = {
        .actions = &info, .facts = &fact, .action_count = 1, .begins_vacuum = true};
    size_t culprit;
    for (int brings = 0; brings < 2; brings++) {
        dw_conflict_self self = {.brings_files_back = brings == 1, .reads_whole_table = true};
        assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_SERIALIZABLE, &culprit),
                         brings == 1 ? DW_VERDICT_CONCURRENT_VACUUM : DW_VERDICT_NONE);
    }
}

static void
test_conflict__a_load_of_two_files_is_no_duplicate_of_a_load_of_one(void **state)
{
    (void) state;
    abstract_txn one = make(LOAD_ONCE);
    abstract_txn two = make(LOAD_ONCE);
    two.actions[two.count++] =
        (dw_action){.kind = DW_ACTION_TXN, .as.txn = {.app_id = DW_STR("other"), .version = 0}};
    dw_conflict_self self = {
        .actions = two.actions, .action_count = two.count, .is_blind_append = true};
    dw_conflict_winner winner = {.actions = one.actions,
                                 .facts = one.facts,
                                 .action_count = one.count,
                                 .is_blind_append = true};
    size_t culprit;
    assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_WRITE_SERIALIZABLE, &culprit),
                     DW_VERDICT_CONCURRENT_TRANSACTION);
}

static void
test_conflict__a_change_that_only_rearranges_is_checked_at_snapshot_isolation(void **state)
{
    (void) state;
    abstract_txn compact = make(COMPACT_F1);
    abstract_txn delete = make(DELETE_F1);
    assert_int_equal(
        dw__conflict_isolation(DW_WRITE_SERIALIZABLE, compact.actions, compact.count, false),
        DW_TXN_SNAPSHOT_ISOLATION);
    assert_int_equal(dw__conflict_isolation(DW_SERIALIZABLE, compact.actions, compact.count, true),
                     DW_TXN_SNAPSHOT_ISOLATION);
    assert_int_equal(
        dw__conflict_isolation(DW_WRITE_SERIALIZABLE, compact.actions, compact.count, true),
        DW_TXN_WRITE_SERIALIZABLE);
    assert_int_equal(
        dw__conflict_isolation(DW_WRITE_SERIALIZABLE, delete.actions, delete.count, false),
        DW_TXN_WRITE_SERIALIZABLE);
    assert_int_equal(dw__conflict_isolation(DW_SERIALIZABLE, delete.actions, delete.count, true),
                     DW_TXN_SERIALIZABLE);
}

static void
test_conflict__marks_of_identity_columns_stop_only_changes_of_metadata(void **state)
{
    (void) state;
    dw_action append = {.kind = DW_ACTION_ADD};
    dw_action metadata = {.kind = DW_ACTION_METADATA};
    dw_winner_fact none = {.overlap = DW_ROWS_UNKNOWN};
    size_t culprit;
    dw_conflict_winner winner = {
        .actions = &metadata, .facts = &none, .action_count = 1, .moves_identity_marks = true};
    dw_conflict_self self = {.actions = &append, .action_count = 1, .is_blind_append = true};
    assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_WRITE_SERIALIZABLE, &culprit),
                     DW_VERDICT_NONE);
    self.actions = &metadata;
    assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_WRITE_SERIALIZABLE, &culprit),
                     DW_VERDICT_METADATA_CHANGED);
    self.actions = &append;
    winner.moves_identity_marks = false;
    assert_int_equal(dw__conflict_check(&self, &winner, DW_TXN_WRITE_SERIALIZABLE, &culprit),
                     DW_VERDICT_METADATA_CHANGED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conflict__marks_of_identity_columns_stop_only_changes_of_metadata),
        cmocka_unit_test(test_conflict__verdicts_at_write_serializable_are_the_references),
        cmocka_unit_test(test_conflict__verdicts_at_serializable_also_count_blind_appends),
        cmocka_unit_test(test_conflict__files_are_not_brought_back_behind_the_start_of_a_vacuum),
        cmocka_unit_test(test_conflict__two_removes_of_a_file_that_neither_read_conflict),
        cmocka_unit_test(test_conflict__a_load_of_two_files_is_no_duplicate_of_a_load_of_one),
        cmocka_unit_test(
            test_conflict__a_change_that_only_rearranges_is_checked_at_snapshot_isolation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
