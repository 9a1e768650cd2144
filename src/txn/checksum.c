/*
 * What a commit makes of the totals of the version before it. The totals of a snapshot are at hand
 * and the change is known: so the cost is that of the commit, whatever the size of the table.
 *
 *  [CHECKSUM-5] Adding up is exact when every add is a new file and every remove takes away one
 *               that was read. Where others committed meanwhile, or a remove does not say what
 *               goes, the commits are replayed instead.
 */
#include "txn/checksum.h"

#include "base/assert.h"
#include "log/checksum_file.h"

#include <inttypes.h>

/* The lists of a checksum while they change. */
typedef struct state_lists {
    dw_txn_id *txns;
    size_t txn_count;
    dw_domain *domains;
    size_t domain_count;
} state_lists;

static void
put_txn(state_lists *lists, const dw_txn_id *txn)
{
    size_t at = 0;
    while (at < lists->txn_count && !dw__str_equal(lists->txns[at].app_id, txn->app_id)) {
        at++;
    }
    lists->txn_count += at == lists->txn_count;
    lists->txns[at] = *txn;
}

static void
put_domain(state_lists *lists, const dw_domain *domain)
{
    size_t at = 0;
    while (at < lists->domain_count && !dw__str_equal(lists->domains[at].domain, domain->domain)) {
        at++;
    }
    if (!domain->removed) {
        lists->domain_count += at == lists->domain_count;
        lists->domains[at] = *domain;
    } else if (at < lists->domain_count) {
        lists->domains[at] = lists->domains[--lists->domain_count];
    }
}

static size_t
count_kind(const dw_txn *txn, dw_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < txn->action_count; i++) {
        count += txn->actions[i].kind == kind;
    }
    return count;
}

/* The lists of `before` with what the commit says of them. */
static dw_status
derive_lists(const dw_txn *txn, dw_arena *arena, dw_version_checksum *checksum, dw_error *err)
{
    size_t new_txns = count_kind(txn, DW_ACTION_TXN);
    size_t new_domains = count_kind(txn, DW_ACTION_DOMAIN);
    checksum->has_txns = checksum->has_txns && new_txns <= DW_CHECKSUM_TXNS_MAX;
    checksum->has_domains = checksum->has_domains && new_domains <= DW_CHECKSUM_DOMAINS_MAX;
    state_lists lists = {
        .txns = DW_ARENA_ARRAY(arena, dw_txn_id, checksum->txn_count + new_txns + 1),
        .domains = DW_ARENA_ARRAY(arena, dw_domain, checksum->domain_count + new_domains + 1)};
    if (lists.txns == NULL || lists.domains == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; checksum->has_txns && i < checksum->txn_count; i++) {
        lists.txns[lists.txn_count++] = checksum->txns[i];
    }
    for (size_t i = 0; checksum->has_domains && i < checksum->domain_count; i++) {
        lists.domains[lists.domain_count++] = checksum->domains[i];
    }
    for (size_t i = 0; i < txn->action_count; i++) {
        const dw_action *action = &txn->actions[i];
        if (action->kind == DW_ACTION_TXN && checksum->has_txns) {
            put_txn(&lists, &action->as.txn);
        } else if (action->kind == DW_ACTION_DOMAIN && checksum->has_domains) {
            put_domain(&lists, &action->as.domain);
        }
    }
    checksum->txns = lists.txns;
    checksum->txn_count = lists.txn_count;
    checksum->has_txns = checksum->has_txns && lists.txn_count <= DW_CHECKSUM_TXNS_MAX;
    checksum->domains = lists.domains;
    checksum->domain_count = lists.domain_count;
    checksum->has_domains = checksum->has_domains && lists.domain_count <= DW_CHECKSUM_DOMAINS_MAX;
    return DW_OK;
}

/* Adds or takes away (`sign` -1) a file. False where a number leaves its range. */
static bool
count_file(const dw_file *file, int64_t sign, dw_version_checksum *checksum,
           dw_file_histogram *histogram)
{
    int64_t deleted = file->dv == NULL ? 0 : file->dv->cardinality;
    if (sign > 0) {
        dw__file_histogram_add(histogram, file->size_bytes, deleted);
    } else {
        dw__file_histogram_remove(histogram, file->size_bytes, deleted);
    }
    checksum->file_count += sign;
    checksum->dv_count += file->dv == NULL ? 0 : sign;
    return file->size_bytes >= 0 && deleted >= 0 &&
           !__builtin_add_overflow(checksum->size_bytes, sign * file->size_bytes,
                                   &checksum->size_bytes) &&
           !__builtin_add_overflow(checksum->deleted_rows, sign * deleted, &checksum->deleted_rows);
}

/* Adds the files of the commit up. False where that is not exact. [CHECKSUM-5] */
static bool
derive_totals(const dw_txn *txn, dw_version_checksum *checksum, dw_file_histogram *histogram)
{
    bool exact = true;
    for (size_t i = 0; exact && i < txn->action_count; i++) {
        const dw_action *action = &txn->actions[i];
        if (action->kind == DW_ACTION_ADD) {
            exact = count_file(&action->as.file, 1, checksum, histogram);
        } else if (action->kind == DW_ACTION_REMOVE) {
            exact =
                action->as.file.has_size && count_file(&action->as.file, -1, checksum, histogram);
        } else if (action->kind == DW_ACTION_METADATA) {
            checksum->metadata = &action->as.metadata;
        } else if (action->kind == DW_ACTION_PROTOCOL) {
            checksum->protocol = &action->as.protocol;
        }
    }
    return exact && checksum->file_count >= 0 && checksum->size_bytes >= 0 &&
           checksum->dv_count >= 0 && checksum->deleted_rows >= 0;
}

/* That of what was read, to be changed. */
static dw_status
copy_histogram(const dw_txn *txn, dw_arena *arena, dw_file_histogram **out, dw_error *err)
{
    const dw_file_histogram *before = NULL;
    if (txn->read_snapshot != NULL) {
        dw_file_set *files = dw__log_snapshot_files(txn->read_snapshot);
        DW_TRY(dw__file_set_histogram(files, &before, err));
    }
    *out = DW_ARENA_ARRAY(arena, dw_file_histogram, 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (before != NULL) {
        **out = *before;
    }
    return DW_OK;
}

/* From what was read; *exact_out false: it must be replayed. */
static dw_status
derive(const dw_txn *txn, dw_arena *arena, dw_version_checksum *out, bool *exact_out, dw_error *err)
{
    *out = (dw_version_checksum){.has_txns = true, .has_domains = true};
    if (txn->read_snapshot != NULL) {
        DW_TRY(dw__checksum_of_snapshot(txn->read_snapshot, arena, out, err));
    }
    dw_file_histogram *histogram;
    DW_TRY(copy_histogram(txn, arena, &histogram, err));
    *exact_out = derive_totals(txn, out, histogram);
    if (!*exact_out) {
        return DW_OK;
    }
    dw_assert(out->metadata != NULL && out->protocol != NULL);
    dw_properties properties;
    dw__properties_read(&out->metadata->configuration, &properties, NULL);
    out->has_txns = out->has_txns && properties.set_transaction_retention_ms < 0;
    bool has_dvs = dw__protocol_supports(out->protocol, DW_FEATURE_DELETION_VECTORS);
    out->has_dv_count = has_dvs;
    out->has_deleted_rows = has_dvs;
    dw__version_checksum_set_histogram(out, histogram, has_dvs);
    return derive_lists(txn, arena, out, err);
}

static dw_status
write_replayed(const dw_txn *txn, dw_str txn_id, int64_t version, dw_arena *arena, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot_advance(txn->read_snapshot, version, &snapshot, err));
    dw_version_checksum checksum;
    DW_TRY(dw__checksum_of_snapshot(snapshot, arena, &checksum, err));
    checksum.txn_id = txn_id;
    return dw__checksum_write(txn->log, version, &checksum, err);
}

static dw_status
write_checksum(const dw_txn *txn, const dw_commit_header *header, int64_t version, dw_arena *arena,
               dw_error *err)
{
    dw_str txn_id = dw__str_from(header->txn_id);
    bool is_next =
        txn->read_snapshot == NULL || dw__log_snapshot_version(txn->read_snapshot) + 1 == version;
    dw_version_checksum checksum;
    bool exact = false;
    if (is_next && !txn->recommits_files) {
        DW_TRY(derive(txn, arena, &checksum, &exact, err));
    }
    if (!exact) {
        return txn->read_snapshot == NULL ? DW_OK
                                          : write_replayed(txn, txn_id, version, arena, err);
    }
    checksum.txn_id = txn_id;
    checksum.has_in_commit_timestamp = header->has_in_commit_timestamp;
    checksum.in_commit_timestamp_ms = header->timestamp_ms;
    return dw__checksum_write(txn->log, version, &checksum, err);
}

void
dw__txn_write_checksum(const dw_txn *txn, const dw_commit_header *header, int64_t version)
{
    const dw_env *env = dw__log_env(txn->log);
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_error cause = DW_ERROR_INIT;
    if (write_checksum(txn, header, version, &arena, &cause) != DW_OK) {
        dw__env_warn(env, "version %" PRId64 " is committed, but its checksum was not written: %s",
                     version, cause.message);
    }
}
