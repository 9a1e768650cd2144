/*
 * Statements on tables of abstract rows (support/row_table.h), by rival writers, and a history of
 * what they read and did that a naive checker can follow.
 *
 * A row is known by its origin, the file that it was inserted with, and its place there: a file
 * that is written again, or moved, is named "<origin>~<something>" and keeps the places. Every
 * commit says in its user metadata what its statement read and took out:
 *
 *     id=<ledger>! op=delete low=3 high=5 rows=<origin>:3,<origin>:4, left=
 *
 * and what it read and left alone. A MERGE (op=merge: what it takes out comes again with the same
 * id; op=trim: it does not) adds a row for each id of its range that no row had.
 */
#ifndef DWT_SIMULATION_DML_H
#define DWT_SIMULATION_DML_H

#include "life.h"
#include "support/row_table.h"

enum {
    DML_VERSIONS_MAX = 400,
    DML_ACTORS_MAX = 8,
    DML_ROWS_OF_FILE = 8,
    DML_IDS = 24,
    DML_IDS_MAX = 48
};

typedef struct dml dml;

/* What a simulation adds to the statements. What does not hold goes to all->all.fault. */
typedef struct dml_upkeep {
    void *(*begin)(sim *world); /* what the others are given */
    /* Looks after the table in some way; `snapshot` was read for it. */
    void (*step)(void *ctx, life *self, dml *all, dw_log_snapshot *snapshot);
    /* Says where the vectors of a statement go. */
    void (*prepare)(void *ctx, dwt_change *change);
    /* After each step of any writer. */
    void (*check)(void *ctx, life *self, dml *all);
    /* Once all writers are done, and all commits archived. */
    void (*end)(void *ctx, dml *all, sim *world);
    /* All vectors that there ever were. */
    dw_storage *(*vectors)(void *ctx);
    void (*release)(void *ctx);
    uint64_t share; /* of all steps, in 100 */
} dml_upkeep;

struct dml {
    writers all;                      /* first: what every life begins with */
    int64_t since_ms[DML_ACTORS_MAX]; /* nobody's snapshot was read before that */
    int64_t last_read_ms[DML_ACTORS_MAX];
    char *archive[DML_VERSIONS_MAX]; /* commits, before the cleanup of the log removes them */
    int64_t archive_count;
    int64_t merged_count; /* commits whose vectors were made anew */
    int64_t cleaned_count;
    int64_t vacuumed_count, restored_count; /* files; versions */
    const dml_upkeep *upkeep;               /* NULL: none, and then data files are only names */
    void *upkeep_ctx;
};

/* A sim_actor_main; ctx is a `dml`. */
void dml_writer_main(sim_actor *actor, void *ctx);
/* Copies the commits that are there and not copied yet. */
void dml_archive(dml *all, dw_storage *truth);
void dml_deinit(dml *all);
/* The oldest moment from which on a snapshot is still somebody's. */
int64_t dml_oldest_ms(const dml *all, int64_t now_ms);
/* Makes the data file, where there are any: nobody reads what is in it. */
void dml_put_file(dml *all, sim_actor *actor, dw_str path);
/* Which row that is, in an arena. */
dw_str dml_row_name(dw_arena *arena, dw_str path, uint64_t place);

#endif
