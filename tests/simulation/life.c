/*
 * What every writer does.
 */
#include "life.h"

#include "base/assert.h"
#include "base/vec.h"
#include "support/fake_engine.h"
#include "table_model.h"

#include <stdio.h>

enum { READ_TRIES_MAX = 60 };

void
life_report(life *self, const char *doing, dw_status status, const dw_error *err)
{
    if (sim_has_crashed(self->actor) || status == DW_UNAVAILABLE || status == DW_AMBIGUOUS) {
        return;
    }
    snprintf(self->all->fault, sizeof(self->all->fault), "%s: %s: %s: %s (%s)", doing,
             dw_status_name(status), err->code, err->message, err->context);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
observe(life *self, const dw_log_snapshot *snapshot)
{
    dw_str digest = table_digest(snapshot, &self->arena);
    observation *slot = DW_VEC_PUSH(dw__allocator_libc(), &self->all->observations);
    dw_assert(slot != NULL);
    *slot = (observation){dw__log_snapshot_version(snapshot), dw__str_hash(digest)};
}

/* The newest snapshot, however often storage is away; NULL when it stays away. */
dw_log_snapshot *
life_read_snapshot(life *self)
{
    dw_error err = DW_ERROR_INIT;
    for (int i = 0; i < READ_TRIES_MAX && !sim_has_crashed(self->actor); i++) {
        dw_log_snapshot *snapshot;
        dw__error_clear(&err);
        dw_status status = dw__log_snapshot(self->log, &snapshot, &err);
        if (status == DW_OK) {
            observe(self, snapshot);
            return snapshot;
        }
        if (status != DW_UNAVAILABLE) {
            life_report(self, "reading a snapshot", status, &err);
            return NULL;
        }
    }
    return NULL;
}

/* ---- committing ------------------------------------------------------------------------------ */

ledger_end
life_end_of(life *self, dw_status status, const dw_error *err)
{
    switch (status) {
    case DW_OK:
        return LEDGER_ACKNOWLEDGED;
    case DW_AMBIGUOUS:
        return LEDGER_UNKNOWN;
    case DW_CONFLICT:
        self->all->conflict_count++;
        return LEDGER_REFUSED;
    case DW_ALREADY_EXISTS:
    case DW_UNAVAILABLE:
        return LEDGER_REFUSED;
    case DW_INVALID_ARGUMENT:
    case DW_NOT_FOUND:
    case DW_UNSUPPORTED:
    case DW_CORRUPT:
    case DW_IO:
    case DW_OUT_OF_MEMORY:
    case DW_CANCELLED:
    case DW_INTERNAL:
        life_report(self, "committing", status, err);
        return LEDGER_REFUSED;
    }
    dw_unreachable("a status is one of those above");
}

dw_str
life_new_path(life *self)
{
    dw_str path = dw__arena_printf(&self->arena, "part-%zu-%" PRId64 "-%" PRId64 ".parquet",
                                   self->actor->number, self->actor->life, self->file_number++);
    dw_assert(!dw__str_is_null(path));
    return path;
}

void
life_checkpoint(life *self, dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__checkpoint_write(snapshot, &err);
    if (status == DW_OK) {
        self->all->checkpoint_count++;
    } else {
        life_report(self, "writing a checkpoint", status, &err);
    }
}

/* What the change is made on: the newest snapshot, or the one before it. Owned by the caller. */
dw_log_snapshot *
life_choose_snapshot(life *self)
{
    dw_log_snapshot *newest = life_read_snapshot(self);
    if (newest == NULL) {
        return NULL;
    }
    dw_log_snapshot *older = self->held;
    self->held = dw__log_snapshot_ref(newest);
    if (older != NULL && sim_choose(self->actor, 3) == 0) {
        dw__log_snapshot_unref(newest);
        return older;
    }
    dw__log_snapshot_unref(older);
    return newest;
}

void
life_begin(life *self, sim_actor *actor, writers *all)
{
    *self = (life){.actor = actor, .all = all};
    dw__arena_init(&self->arena, actor->env.allocator);
    self->engine = dwt_fake_engine_open(&actor->env);
    dw_error err = DW_ERROR_INIT;
    dw_status status = dw__log_open(&actor->env, actor->storage, self->engine, &self->log, &err);
    dw_assert(self->engine != NULL && status == DW_OK);
}

void
life_end(life *self)
{
    dw__log_snapshot_unref(self->held);
    dw__log_close(self->log);
    dw__engine_close(self->engine);
    dw__arena_deinit(&self->arena);
}

void
writers_deinit(writers *all)
{
    ledger_deinit(&all->book);
    DW_VEC_DEINIT(dw__allocator_libc(), &all->observations);
}
