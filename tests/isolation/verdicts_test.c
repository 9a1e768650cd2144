/*
 * All pairs and triples of the transactions of verdicts.txt at every level, through the real commit
 * loop on a table in memory, against the verdicts written there.
 *
 *   verdicts_test             pairs, and every triple
 *   verdicts_test --pairs     pairs only
 */
#include "script.h"

#include "base/assert.h"
#include "support/fake_engine.h"
#include "support/test_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 32, LEVELS = 3, NAME_SIZE = 24 };

typedef struct kind {
    char tag[3];
    char text[200];
} kind;

typedef struct verdicts {
    char table[200];
    kind kinds[KINDS_MAX];
    size_t kind_count;
    char expected[LEVELS][KINDS_MAX][KINDS_MAX];
} verdicts;

static const struct {
    const char *name;
    const char *property;
    bool is_forced; /* no property asks for it */
} levels[LEVELS] = {{"WriteSerializable", "", false},
                    {"Serializable", "delta.isolationLevel=Serializable", false},
                    {"SnapshotIsolation", "", true}};

static int64_t passed, failed;

/* ---- Reading the file ------------------------------------------------------------------------ */

static void
give_up(const char *what, const char *line)
{
    fprintf(stderr, "verdicts.txt: %s: %s\n", what, line);
    exit(1);
}

static size_t
find_kind(const verdicts *v, const char *tag)
{
    for (size_t i = 0; i < v->kind_count; i++) {
        if (strncmp(v->kinds[i].tag, tag, 2) == 0) {
            return i;
        }
    }
    give_up("no such transaction", tag);
    return 0;
}

static void
read_row(verdicts *v, size_t level, const char *line)
{
    size_t row = find_kind(v, line);
    if (strlen(line) != 1 + 3 * v->kind_count + 1) {
        give_up("expected a verdict for each transaction", line);
    }
    for (size_t i = 0; i < v->kind_count; i++) {
        v->expected[level][row][i] = line[4 + 3 * i];
    }
}

static void
read_header(const verdicts *v, const char *line)
{
    for (size_t i = 0; i < v->kind_count; i++) {
        if (strncmp(line + 3 + 3 * i, v->kinds[i].tag, 2) != 0) {
            give_up("expected the transactions in their order", line);
        }
    }
}

static size_t
find_level(const char *name)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcmp(levels[i].name, name) == 0) {
            return i;
        }
    }
    give_up("no such level", name);
    return 0;
}

static void
read_line(verdicts *v, const char *line, char *section, size_t *level)
{
    if (strcmp(line, "table") == 0 || strcmp(line, "transactions") == 0) {
        *section = line[1]; /* 'a', 'r' */
    } else if (strncmp(line, "level ", 6) == 0) {
        *section = 'l';
        *level = find_level(line + 6);
    } else if (*section == 'a') {
        snprintf(v->table, sizeof(v->table), "%s", line);
    } else if (*section == 'r') {
        kind *k = &v->kinds[v->kind_count++];
        dw_assert(v->kind_count <= KINDS_MAX);
        snprintf(k->tag, sizeof(k->tag), "%.2s", line);
        snprintf(k->text, sizeof(k->text), "%s", line + 4);
    } else if (line[0] == ' ') {
        read_header(v, line);
    } else {
        read_row(v, *level, line);
    }
}

static void
read_verdicts(verdicts *v)
{
    char *text = script_load("verdicts.txt");
    char *rest = text;
    char section = '?';
    size_t level = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] != '#') {
            read_line(v, line, &section, &level);
        }
    }
    free(text);
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef struct world {
    dwt_env env;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
} world;

/* A fresh table, with the files of the first section as version 1. */
static void
world_init(world *w, const verdicts *v, size_t level)
{
    dw_error err = DW_ERROR_INIT;
    dwt_env_init(&w->env, 1);
    dw_status status = dw__storage_memory_open(&w->env.env, &w->storage, &err);
    dw_assert(status == DW_OK);
    w->engine = dwt_fake_engine_open(&w->env.env);
    script_create_table(w->storage, levels[level].property);
    status = dw__log_open(&w->env.env, w->storage, w->engine, &w->log, &err);
    dw_assert(status == DW_OK && v->table[0] != '\0');
}

static void
world_deinit(world *w)
{
    dw__log_close(w->log);
    dw__engine_close(w->engine);
    dw__storage_close(w->storage);
    dwt_env_deinit(&w->env);
}

static dw_log_snapshot *
newest(const world *w)
{
    dw_error err = DW_ERROR_INIT;
    dw_log_snapshot *snapshot;
    dw_status status = dw__log_snapshot(w->log, &snapshot, &err);
    dw_assert(status == DW_OK);
    return snapshot;
}

/* A letter of the table; '?' for what is none, '-' when it cannot be made on that snapshot. */
static char
run(const world *w, const char *text, dw_log_snapshot *snapshot, size_t level)
{
    static const char codes[][NAME_SIZE + 8] = {".OK",
                                                "DDUPLICATE",
                                                "PPROTOCOL_CHANGED",
                                                "MMETADATA_CHANGED",
                                                "TCONCURRENT_TRANSACTION",
                                                "ACONCURRENT_APPEND",
                                                "RCONCURRENT_DELETE_READ",
                                                "XCONCURRENT_DELETE_DELETE"};
    dwt_change change;
    dw_txn_result result;
    dw_error err = DW_ERROR_INIT;
    char letter = '-';
    dwt_change_init(&change, w->log, snapshot, "TEST");
    if (script_run(text, &change)) {
        change.txn.has_isolation = levels[level].is_forced;
        change.txn.isolation = DW_TXN_SNAPSHOT_ISOLATION;
        dw_status status = dwt_change_commit(&change, &result, &err);
        const char *outcome = script_outcome(status, &result, &err);
        letter = '?';
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            letter = strcmp(codes[i] + 1, outcome) == 0 ? codes[i][0] : letter;
        }
    }
    dwt_change_deinit(&change);
    return letter;
}

static void
judge(const verdicts *v, size_t level, const size_t *winners, size_t winner_count, size_t self,
      char expected, char found)
{
    if (expected == found) {
        passed++;
        return;
    }
    failed++;
    printf("%s: %s behind %s", levels[level].name, v->kinds[self].tag, v->kinds[winners[0]].tag);
    if (winner_count > 1) {
        printf(" and %s", v->kinds[winners[1]].tag);
    }
    printf(": expected %c, found %c\n", expected, found);
}

/* Every transaction behind the winners, each on a table of its own. */
static void
run_case(const verdicts *v, size_t level, const size_t *winners, size_t winner_count, size_t self)
{
    world w;
    world_init(&w, v, level);
    dw_log_snapshot *empty = newest(&w);
    char made = run(&w, v->table, empty, level);
    dw_assert(made == '.');
    dw__log_snapshot_unref(empty);
    dw_log_snapshot *seen = newest(&w);
    char expected = '.';
    bool is_possible = true;
    for (size_t i = 0; i < winner_count && is_possible; i++) {
        dw_log_snapshot *before = newest(&w);
        is_possible = run(&w, v->kinds[winners[i]].text, before, level) == '.';
        dw__log_snapshot_unref(before);
        if (expected == '.') {
            expected = v->expected[level][self][winners[i]];
        }
    }
    if (is_possible) {
        char found = run(&w, v->kinds[self].text, seen, level);
        judge(v, level, winners, winner_count, self, expected, found);
    }
    dw__log_snapshot_unref(seen);
    world_deinit(&w);
}

static void
run_pairs(const verdicts *v, size_t level)
{
    for (size_t winner = 0; winner < v->kind_count; winner++) {
        for (size_t self = 0; self < v->kind_count; self++) {
            run_case(v, level, &winner, 1, self);
        }
    }
}

static void
run_triples(const verdicts *v, size_t level)
{
    for (size_t first = 0; first < v->kind_count; first++) {
        for (size_t second = 0; second < v->kind_count; second++) {
            size_t winners[2] = {first, second};
            for (size_t self = 0; self < v->kind_count; self++) {
                run_case(v, level, winners, 2, self);
            }
        }
    }
}

int
main(int argc, char **argv)
{
    static verdicts v;
    bool with_triples = argc < 2 || strcmp(argv[1], "--pairs") != 0;
    read_verdicts(&v);
    for (size_t level = 0; level < LEVELS; level++) {
        run_pairs(&v, level);
        if (with_triples) {
            run_triples(&v, level);
        }
    }
    printf("%lld passed, %lld failed\n", (long long) passed, (long long) failed);
    return failed == 0 ? 0 : 1;
}
