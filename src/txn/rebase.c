/*
 * Past the winners, one after the other.
 */
#include "txn/rebase.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "protocol/stats.h"
#include "txn/assign.h"

#include <stdlib.h>

#define STATS_BYTES_MAX ((size_t) 64 << 20)

/* ---- Setting up ------------------------------------------------------------------------------ */

static int
compare_keys(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

static int
compare_files(const void *a, const void *b)
{
    const dw_rebase_file *left = a;
    const dw_rebase_file *right = b;
    return dw__str_compare(left->key, right->key);
}

/* The canonical forms of `paths`, sorted. */
static dw_status
sorted_keys(dw_arena *arena, const dw_str *paths, size_t count, dw_key_list *out, dw_error *err)
{
    dw_str *keys = DW_ARENA_ARRAY(arena, dw_str, count + 1);
    if (keys == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__uri_canonical(arena, paths[i], &keys[i], err));
    }
    qsort(keys, count, sizeof(dw_str), compare_keys);
    *out = (dw_key_list){keys, count};
    return DW_OK;
}

static dw_rebase_file *
find_file(const dw_rebase *r, dw_str key)
{
    dw_rebase_file wanted = {.key = key};
    return r->file_count == 0
               ? NULL
               : bsearch(&wanted, r->files, r->file_count, sizeof(*r->files), compare_files);
}

static dw_status
collect_files(dw_rebase *r, dw_error *err)
{
    const dw_txn *txn = r->asked;
    r->files = DW_ARENA_ARRAY(&r->arena, dw_rebase_file, txn->action_count + 1);
    dw_str *keys = DW_ARENA_ARRAY(&r->arena, dw_str, txn->action_count + 1);
    if (r->files == NULL || keys == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < txn->action_count; i++) {
        if (txn->actions[i].kind == DW_ACTION_REMOVE) {
            dw_rebase_file *file = &r->files[r->file_count++];
            *file = (dw_rebase_file){.remove_idx = i};
            DW_TRY(dw__uri_canonical(&r->arena, txn->actions[i].as.file.path, &file->key, err));
        }
    }
    qsort(r->files, r->file_count, sizeof(*r->files), compare_files);
    for (size_t i = 0; i < r->file_count; i++) {
        keys[i] = r->files[i].key;
    }
    r->self.removed = (dw_key_list){keys, r->file_count};
    return DW_OK;
}

static dw_status
collect_marks(dw_rebase *r, dw_error *err)
{
    const dw_row_marks *marks = &r->asked->marks;
    for (size_t i = 0; i < marks->count; i++) {
        const dw_row_mark *mark = &marks->items[i];
        dw_assert(mark->remove_idx < r->asked->action_count);
        dw_assert(mark->add_idx < r->asked->action_count);
        dw_str key;
        DW_TRY(dw__uri_canonical(&r->arena, r->asked->actions[mark->remove_idx].as.file.path, &key,
                                 err));
        dw_rebase_file *file = find_file(r, key);
        dw_assert(file != NULL);
        file->mark = mark;
    }
    return DW_OK;
}

static dw_status
copy_actions(dw_rebase *r, dw_error *err)
{
    const dw_txn *txn = r->asked;
    r->work = DW_ARENA_ARRAY(&r->arena, dw_action, txn->action_count + 1);
    r->is_dropped = DW_ARENA_ARRAY(&r->arena, bool, txn->action_count + 1);
    if (r->work == NULL || r->is_dropped == NULL) {
        return dw__error_oom(err);
    }
    if (txn->action_count > 0) {
        memcpy(r->work, txn->actions, txn->action_count * sizeof(*r->work));
    }
    return DW_OK;
}

dw_status
dw__rebase_init(dw_rebase *r, const dw_txn *txn, dw_error *err)
{
    const dw_allocator *allocator = dw__log_env(txn->log)->allocator;
    *r = (dw_rebase){.asked = txn, .change = *txn};
    dw__arena_init(&r->arena, allocator);
    dw__arena_init(&r->turn, allocator);
    if (txn->read_snapshot != NULL) {
        r->newest.protocol = dw__log_snapshot_protocol(txn->read_snapshot);
        r->newest.metadata = dw__log_snapshot_metadata(txn->read_snapshot);
    }
    r->self = (dw_conflict_self){.actions = txn->actions,
                                 .action_count = txn->action_count,
                                 .is_blind_append = dw__conflict_is_blind_append(txn),
                                 .reads_whole_table = txn->reads_whole_table,
                                 .looks_for_rows = txn->looks_for_rows,
                                 .recommits_files = txn->recommits_files,
                                 .brings_files_back = txn->brings_files_back,
                                 .protocol = r->newest.protocol};
    DW_TRY(sorted_keys(&r->arena, txn->read_paths, txn->read_path_count, &r->self.read, err));
    DW_TRY(sorted_keys(&r->arena, txn->searched_paths, txn->searched_path_count, &r->self.searched,
                       err));
    DW_TRY(collect_files(r, err));
    return collect_marks(r, err);
}

void
dw__rebase_deinit(dw_rebase *r)
{
    for (size_t i = 0; i < r->file_count; i++) {
        dw__rowset_free(r->files[i].others);
    }
    dw__arena_deinit(&r->turn);
    dw__arena_deinit(&r->arena);
}

/* ---- One winner ------------------------------------------------------------------------------ */

/* An ADD of the winner. */
typedef struct winner_add {
    dw_str key;
    size_t idx;
} winner_add;

/* The winner while it is looked at. */
typedef struct winner_case {
    dw_rebase *r;
    const dw_commit_actions *commit;
    dw_arena scratch;
    dw_winner_fact *facts;
    winner_add *adds; /* by key */
    size_t add_count;
    dw_conflict_winner winner;
} winner_case;

static bool
is_file(const dw_action *action)
{
    return action->kind == DW_ACTION_ADD || action->kind == DW_ACTION_REMOVE;
}

static int
compare_adds(const void *a, const void *b)
{
    const winner_add *left = a;
    const winner_add *right = b;
    return dw__str_compare(left->key, right->key);
}

static dw_status
find_keys(winner_case *w, dw_error *err)
{
    const dw_commit_actions *commit = w->commit;
    w->facts = DW_ARENA_ARRAY(&w->scratch, dw_winner_fact, commit->count + 1);
    w->adds = DW_ARENA_ARRAY(&w->scratch, winner_add, commit->count + 1);
    if (w->facts == NULL || w->adds == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < commit->count; i++) {
        const dw_action *action = &commit->items[i];
        w->facts[i] = (dw_winner_fact){.overlap = DW_ROWS_UNKNOWN};
        if (is_file(action)) {
            DW_TRY(dw__uri_canonical(&w->scratch, action->as.file.path, &w->facts[i].key, err));
        }
        if (action->kind == DW_ACTION_ADD) {
            w->adds[w->add_count++] = (winner_add){w->facts[i].key, i};
        }
    }
    qsort(w->adds, w->add_count, sizeof(*w->adds), compare_adds);
    return DW_OK;
}

/* Where the winner adds the file; SIZE_MAX: nowhere. */
static size_t
find_add(const winner_case *w, dw_str key)
{
    winner_add wanted = {.key = key};
    const winner_add *found =
        w->add_count == 0 ? NULL
                          : bsearch(&wanted, w->adds, w->add_count, sizeof(*w->adds), compare_adds);
    return found == NULL ? SIZE_MAX : found->idx;
}

/* ---- Rows that the winner took out of files that stay ---------------------------------------- */

static bool
is_subset(const dw_rowset *part, const dw_rowset *whole)
{
    uint64_t row = 0;
    for (bool ok = dw__rowset_next(part, 0, &row); ok; ok = dw__rowset_next(part, row + 1, &row)) {
        if (!dw__rowset_contains(whole, row)) {
            return false;
        }
    }
    return true;
}

static bool
have_common_row(const dw_rowset *a, const dw_rowset *b)
{
    uint64_t row = 0;
    for (bool ok = dw__rowset_next(a, 0, &row); ok; ok = dw__rowset_next(a, row + 1, &row)) {
        if (dw__rowset_contains(b, row)) {
            return true;
        }
    }
    return false;
}

static dw_status
is_same_vector(const dw_dv_descriptor *a, const dw_dv_descriptor *b, dw_arena *scratch, bool *out,
               dw_error *err)
{
    dw_str left, right;
    DW_TRY(dw__dv_unique_id(a, scratch, &left, err));
    DW_TRY(dw__dv_unique_id(b, scratch, &right, err));
    *out = dw__str_equal(left, right);
    return DW_OK;
}

/* The vectors of a file before and after the winner. */
typedef struct vector_pair {
    const dw_file *before, *after;
    dw_rowset *old, *new; /* owned; NULL: there is no vector */
} vector_pair;

static dw_status
read_pair(const dw_row_marks *marks, vector_pair *pair, dw_error *err)
{
    if (pair->before->dv != NULL) {
        DW_TRY(marks->read(marks->ctx, pair->before->dv, &pair->old, err));
    }
    return pair->after->dv == NULL ? DW_OK
                                   : marks->read(marks->ctx, pair->after->dv, &pair->new, err);
}

/* The newest state of a file that we mark, too. Takes pair->new. */
static dw_status
keep_newest(dw_rebase *r, dw_rebase_file *file, vector_pair *pair, dw_error *err)
{
    if (!dw__file_dup(&r->arena, pair->after, &file->newest)) {
        return dw__error_oom(err);
    }
    dw__rowset_free(file->others);
    file->others = pair->new;
    pair->new = NULL;
    return DW_OK;
}

/* What the file that we remove has as its vector. */
static const dw_dv_descriptor *
known_vector(const dw_rebase *r, const dw_rebase_file *file)
{
    return file->others != NULL ? file->newest.dv : r->asked->actions[file->remove_idx].as.file.dv;
}

static dw_status
compare_rows(winner_case *w, dw_str key, vector_pair *pair, dw_row_overlap *out, dw_error *err)
{
    dw_rebase_file *file = find_file(w->r, key);
    *out = DW_ROWS_UNKNOWN;
    if (pair->after->dv == NULL) {
        return DW_OK; /* rows came back */
    }
    if (file == NULL && pair->before->dv == NULL) {
        *out = DW_ROWS_APART;
        return DW_OK;
    }
    if (file != NULL) {
        bool is_known;
        DW_TRY(is_same_vector(known_vector(w->r, file), pair->before->dv, &w->scratch, &is_known,
                              err));
        if (!is_known) {
            return DW_OK;
        }
    }
    DW_TRY(read_pair(&w->r->asked->marks, pair, err));
    if (pair->old != NULL && !is_subset(pair->old, pair->new)) {
        return DW_OK;
    }
    bool shares =
        file != NULL && (file->mark == NULL || have_common_row(file->mark->rows, pair->new));
    *out = shares ? DW_ROWS_SHARED : DW_ROWS_APART;
    return file != NULL && !shares ? keep_newest(w->r, file, pair, err) : DW_OK;
}

/* [REBASE-2] */
static dw_status
find_overlaps(winner_case *w, dw_error *err)
{
    dw_rebase *r = w->r;
    for (size_t i = 0; r->asked->marks.read != NULL && i < w->commit->count; i++) {
        const dw_action *action = &w->commit->items[i];
        size_t add_idx = find_add(w, w->facts[i].key);
        if (action->kind != DW_ACTION_REMOVE || add_idx == SIZE_MAX ||
            !dw__key_list_has(r->self.searched, w->facts[i].key)) {
            continue;
        }
        vector_pair pair = {.before = &action->as.file,
                            .after = &w->commit->items[add_idx].as.file};
        dw_row_overlap overlap;
        dw_status status = compare_rows(w, w->facts[i].key, &pair, &overlap, err);
        dw__rowset_free(pair.old);
        dw__rowset_free(pair.new);
        DW_TRY(status);
        w->facts[i].overlap = overlap;
        w->facts[add_idx].overlap = overlap;
    }
    return DW_OK;
}

/* ---- Parts that need not be ------------------------------------------------------------------ */

static void
leave_out(dw_rebase *r, size_t part)
{
    r->asked->left_out[part] = true;
    for (size_t i = 0; i < r->asked->action_count; i++) {
        r->is_dropped[i] = r->is_dropped[i] || r->asked->parts[i] == part;
    }
    r->is_altered = true;
}

/* What is left out was neither read nor removed. `kept` has room for all of the keys. */
static void
forget_files(const dw_rebase *r, dw_key_list *keys, dw_str *kept)
{
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const dw_rebase_file *file = find_file(r, keys->items[i]);
        if (file == NULL || !r->is_dropped[file->remove_idx]) {
            kept[count++] = keys->items[i];
        }
    }
    *keys = (dw_key_list){kept, count};
}

/* [REBASE-4] */
static dw_status
leave_parts_out(winner_case *w, dw_error *err)
{
    dw_rebase *r = w->r;
    bool is_any = false;
    if (r->work == NULL) {
        DW_TRY(copy_actions(r, err));
    }
    for (size_t i = 0; i < w->commit->count; i++) {
        const dw_rebase_file *file = find_file(r, w->facts[i].key);
        if (w->commit->items[i].kind == DW_ACTION_REMOVE && file != NULL &&
            !r->is_dropped[file->remove_idx]) {
            leave_out(r, r->asked->parts[file->remove_idx]);
            is_any = true;
        }
    }
    if (!is_any) {
        return DW_OK;
    }
    size_t read_count = r->self.read.count;
    dw_str *kept = DW_ARENA_ARRAY(&r->arena, dw_str, read_count + r->self.removed.count + 1);
    if (kept == NULL) {
        return dw__error_oom(err);
    }
    forget_files(r, &r->self.read, kept);
    forget_files(r, &r->self.removed, kept + read_count);
    return DW_OK;
}

/* ---- Rows that it added ---------------------------------------------------------------------- */

static dw_status
find_out_of_sight(winner_case *w, dw_error *err)
{
    const dw_rebase *r = w->r;
    const dw_row_search *search = &r->asked->search;
    if (search->find == NULL || w->add_count == 0 || r->self.reads_whole_table) {
        return DW_OK;
    }
    bool *found = DW_ARENA_ARRAY(&w->scratch, bool, w->commit->count);
    if (found == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(search->find(search->ctx, w->commit->items, w->commit->count, found, err));
    for (size_t i = 0; i < w->add_count; i++) {
        w->facts[w->adds[i].idx].is_out_of_sight = !found[w->adds[i].idx];
    }
    return DW_OK;
}

/* ---- The table's definition ------------------------------------------------------------------ */

static const dw_action *
find_kind(const dw_commit_actions *commit, dw_action_kind kind)
{
    for (size_t i = 0; i < commit->count; i++) {
        if (commit->items[i].kind == kind) {
            return &commit->items[i];
        }
    }
    return NULL;
}

/* The definition as the winner leaves it. */
static dw_status
look_at_definition(winner_case *w, dw_definition *after, dw_error *err)
{
    const dw_rebase *r = w->r;
    const dw_action *protocol = find_kind(w->commit, DW_ACTION_PROTOCOL);
    const dw_action *metadata = find_kind(w->commit, DW_ACTION_METADATA);
    *after = r->newest;
    if (protocol != NULL) {
        after->protocol = &protocol->as.protocol;
        DW_TRY(dw__protocol_check_read(after->protocol, err));
        DW_TRY(dw__protocol_check_write(after->protocol,
                                        dw__log_snapshot_schema(r->asked->read_snapshot), err));
    }
    if (metadata == NULL) {
        return DW_OK;
    }
    dw_definition before = {after->protocol, r->newest.metadata};
    after->metadata = &metadata->as.metadata;
    return dw__metadata_change_is_harmless(before, after->metadata, &w->scratch,
                                           &w->winner.is_metadata_harmless, err);
}

static dw_status
keep_definition(dw_rebase *r, const dw_definition *after, dw_error *err)
{
    if (after->protocol != r->newest.protocol) {
        dw_protocol *protocol = DW_ARENA_NEW(&r->arena, dw_protocol);
        if (protocol == NULL || !dw__protocol_dup(&r->arena, after->protocol, protocol)) {
            return dw__error_oom(err);
        }
        r->newest.protocol = protocol;
        r->is_altered = true;
    }
    if (after->metadata != r->newest.metadata) {
        dw_properties was, is;
        dw_metadata *metadata = DW_ARENA_NEW(&r->arena, dw_metadata);
        if (metadata == NULL || !dw__metadata_dup(&r->arena, after->metadata, metadata)) {
            return dw__error_oom(err);
        }
        dw__properties_read(&r->newest.metadata->configuration, &was, NULL);
        dw__properties_read(&metadata->configuration, &is, NULL);
        /* Rows were copied while nobody asked for their ids. */
        r->change.loses_row_ids =
            r->change.loses_row_ids || (is.enable_row_tracking && !was.enable_row_tracking);
        r->newest.metadata = metadata;
        r->is_altered = true;
    }
    return DW_OK;
}

/* ---- Taking over ----------------------------------------------------------------------------- */

static void
copy_row_ids(const dw_file *from, dw_file *to)
{
    to->has_base_row_id = from->has_base_row_id;
    to->base_row_id = from->base_row_id;
    to->has_default_row_commit_version = from->has_default_row_commit_version;
    to->default_row_commit_version = from->default_row_commit_version;
}

/* The winner added a file again that we remove: by that it may have got row ids. [REBASE-3] */
static dw_status
take_row_ids(dw_rebase *r, dw_rebase_file *file, const dw_file *theirs, dw_error *err)
{
    if (!theirs->has_base_row_id || r->asked->actions[file->remove_idx].as.file.has_base_row_id) {
        return DW_OK;
    }
    if (r->work == NULL) {
        DW_TRY(copy_actions(r, err));
    }
    copy_row_ids(theirs, &r->work[file->remove_idx].as.file);
    copy_row_ids(theirs, &file->newest);
    for (size_t i = 0; i < r->asked->action_count; i++) {
        dw_file *ours = &r->work[i].as.file;
        if (r->work[i].kind == DW_ACTION_ADD && !ours->has_base_row_id &&
            dw__str_equal(ours->path, r->work[file->remove_idx].as.file.path)) {
            copy_row_ids(theirs, ours);
        }
    }
    r->is_altered = true;
    return DW_OK;
}

static bool
has_domain(const dw_rebase *r, dw_str domain)
{
    for (size_t i = 0; i < r->asked->action_count; i++) {
        const dw_action *action = &r->asked->actions[i];
        if (action->kind == DW_ACTION_DOMAIN && dw__str_equal(action->as.domain.domain, domain)) {
            return true;
        }
    }
    return dw__str_among(r->new_domains, r->new_domain_count, domain) ||
           dw__str_equal(domain, DW_STR(DW_ROW_TRACKING_DOMAIN));
}

static dw_status
take_domain(dw_rebase *r, const dw_domain *domain, dw_error *err)
{
    if (!r->asked->replaces_table || domain->removed || has_domain(r, domain->domain)) {
        return DW_OK;
    }
    dw_str *more = DW_ARENA_ARRAY(&r->arena, dw_str, r->new_domain_count + 1);
    if (more == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < r->new_domain_count; i++) {
        more[i] = r->new_domains[i];
    }
    r->new_domains = more;
    r->is_altered = true;
    return dw__arena_dup(&r->arena, domain->domain, &more[r->new_domain_count++])
               ? DW_OK
               : dw__error_oom(err);
}

/* Rows that were read, or looked at, are in other files now: those count as read from here on. */
static dw_status
follow_moved(winner_case *w, dw_error *err)
{
    dw_conflict_self *self = &w->r->self;
    bool is_any = false;
    for (size_t i = 0; i < w->commit->count; i++) {
        is_any = is_any || (w->commit->items[i].kind == DW_ACTION_REMOVE &&
                            (dw__key_list_has(self->read, w->facts[i].key) ||
                             dw__key_list_has(self->searched, w->facts[i].key)));
    }
    if (!is_any || !dw__conflict_rearranges(w->commit->items, w->commit->count)) {
        return DW_OK;
    }
    dw_str *keys = DW_ARENA_ARRAY(&w->r->arena, dw_str, self->read.count + w->add_count + 1);
    if (keys == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    for (; count < self->read.count; count++) {
        keys[count] = self->read.items[count];
    }
    for (size_t i = 0; i < w->add_count; i++) {
        if (!dw__arena_dup(&w->r->arena, w->adds[i].key, &keys[count++])) {
            return dw__error_oom(err);
        }
    }
    qsort(keys, count, sizeof(dw_str), compare_keys);
    self->read = (dw_key_list){keys, count};
    return DW_OK;
}

static dw_status
take_over(winner_case *w, dw_error *err)
{
    for (size_t i = 0; i < w->commit->count; i++) {
        const dw_action *action = &w->commit->items[i];
        if (action->kind == DW_ACTION_DOMAIN) {
            DW_TRY(take_domain(w->r, &action->as.domain, err));
        } else if (action->kind == DW_ACTION_ADD) {
            dw_rebase_file *file = find_file(w->r, w->facts[i].key);
            if (file != NULL) {
                DW_TRY(take_row_ids(w->r, file, &action->as.file, err));
            }
        }
        w->r->is_altered = w->r->is_altered || w->facts[i].overlap == DW_ROWS_APART;
    }
    return DW_OK;
}

static dw_status
judge(winner_case *w, const dw_commit_info *info, dw_txn_isolation isolation, dw_judgement *out,
      dw_error *err)
{
    dw_definition after;
    size_t culprit;
    w->winner = (dw_conflict_winner){
        .actions = w->commit->items,
        .action_count = w->commit->count,
        .is_blind_append = info->has_is_blind_append && info->is_blind_append,
        .begins_vacuum = dw__str_equal(info->operation, DW_STR("VACUUM START")),
        .moves_identity_marks = info->moves_identity_marks};
    DW_TRY(look_at_definition(w, &after, err));
    DW_TRY(find_keys(w, err));
    DW_TRY(find_overlaps(w, err));
    if (w->r->asked->parts != NULL) {
        DW_TRY(leave_parts_out(w, err));
    }
    DW_TRY(find_out_of_sight(w, err));
    w->winner.facts = w->facts;
    out->verdict = dw__conflict_check(&w->r->self, &w->winner, isolation, &culprit);
    if (culprit != SIZE_MAX) {
        out->culprit = &w->commit->items[culprit];
        out->overlap = w->facts[culprit].overlap;
    }
    if (out->verdict != DW_VERDICT_NONE) {
        return DW_OK;
    }
    DW_TRY(keep_definition(w->r, &after, err));
    DW_TRY(follow_moved(w, err));
    return take_over(w, err);
}

dw_status
dw__rebase_over(dw_rebase *r, const dw_commit_actions *commit, const dw_commit_info *info,
                dw_txn_isolation isolation, dw_judgement *out, dw_error *err)
{
    dw_assert(r->newest.protocol != NULL);
    dw_assert(r->asked->parts == NULL || !r->asked->data_change);
    *out = (dw_judgement){.verdict = DW_VERDICT_NONE};
    winner_case w = {.r = r, .commit = commit};
    dw__arena_init(&w.scratch, r->arena.allocator);
    dw_status status = judge(&w, info, isolation, out, err);
    dw__arena_deinit(&w.scratch);
    return status;
}

/* ---- Making the change anew ------------------------------------------------------------------ */

/* The file as others left it, without our rows, too. */
static dw_status
renew_add(dw_rebase *r, const dw_rebase_file *file, const dw_rowset *gone, dw_file *add,
          dw_error *err)
{
    const dw_row_marks *marks = &r->asked->marks;
    DW_AUTO(dw_strbuf) stats = dw__strbuf_make(r->arena.allocator, STATS_BYTES_MAX);
    *add = file->newest;
    add->data_change = true;
    DW_TRY(marks->write(marks->ctx, gone, &add->dv, err));
    DW_TRY(dw__stats_loosen(&stats, file->newest.stats, file->mark->row_count, err));
    return dw__arena_dup(&r->arena, dw__strbuf_str(&stats), &add->stats) ? DW_OK
                                                                         : dw__error_oom(err);
}

static dw_status
renew_mark(dw_rebase *r, const dw_rebase_file *file, dw_error *err)
{
    const dw_allocator *allocator = r->arena.allocator;
    DW_AUTO(dw_rowset_ptr) gone = NULL;
    dw_file *remove = &r->work[file->remove_idx].as.file;
    DW_TRY(dw__rowset_new(allocator, &gone, err));
    DW_TRY(dw__rowset_unite(gone, file->others, file->mark->rows, err));
    remove->dv = file->newest.dv;
    copy_row_ids(&file->newest, remove);
    bool is_empty = (int64_t) dw__rowset_cardinality(gone) >= file->mark->row_count;
    r->is_dropped[file->mark->add_idx] = is_empty;
    if (file->mark->is_emptied != NULL) {
        *file->mark->is_emptied = is_empty;
    }
    return is_empty ? DW_OK : renew_add(r, file, gone, &r->work[file->mark->add_idx].as.file, err);
}

static dw_status
renew_marks(dw_rebase *r, dw_error *err)
{
    bool is_any = false;
    for (size_t i = 0; i < r->file_count; i++) {
        if (r->files[i].others != NULL && r->files[i].mark != NULL) {
            if (r->work == NULL) {
                DW_TRY(copy_actions(r, err));
            }
            DW_TRY(renew_mark(r, &r->files[i], err));
            is_any = true;
        }
    }
    const dw_row_marks *marks = &r->asked->marks;
    return is_any ? marks->finish(marks->ctx, err) : DW_OK;
}

dw_status
dw__rebase_settle(dw_rebase *r, bool *altered_out, dw_error *err)
{
    *altered_out = r->is_altered;
    if (!r->is_altered) {
        return DW_OK;
    }
    r->is_altered = false;
    dw__arena_reset(&r->turn);
    DW_TRY(renew_marks(r, err));
    const dw_txn *txn = r->asked;
    dw_action *actions =
        DW_ARENA_ARRAY(&r->turn, dw_action, txn->action_count + r->new_domain_count + 1);
    if (actions == NULL) {
        return dw__error_oom(err);
    }
    r->change.actions = actions;
    r->change.action_count = 0;
    for (size_t i = 0; i < txn->action_count; i++) {
        if (r->work == NULL || !r->is_dropped[i]) {
            actions[r->change.action_count++] = r->work == NULL ? txn->actions[i] : r->work[i];
        }
    }
    for (size_t i = 0; i < r->new_domain_count; i++) {
        actions[r->change.action_count++] = (dw_action){.kind = DW_ACTION_DOMAIN,
                                                        .as.domain = {.domain = r->new_domains[i],
                                                                      .configuration = DW_STR("{}"),
                                                                      .removed = true}};
    }
    return DW_OK;
}
