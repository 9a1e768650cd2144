/*
 * Reading and running transactions that are text.
 */
#include "script.h"

#include "base/assert.h"
#include "support/delta_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 8, WORD_SIZE = 96, TEXT_SIZE = 512, PLACES_MAX = 32, FEATURES_MAX = 16 };

typedef struct step {
    char words[WORDS_MAX][WORD_SIZE];
    size_t count;
} step;

static void
give_up(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s\n", what, text);
    abort();
}

static int64_t
number(dw_str text)
{
    int64_t value = 0;
    if (!dw__str_to_i64(text, &value)) {
        give_up("expected a number", text.ptr);
    }
    return value;
}

/* N, N.., ..N or N..M */
static dwt_span
parse_span(const char *text)
{
    dw_str all = dw__str_from(text);
    const char *dots = strstr(text, "..");
    if (dots == NULL) {
        return (dwt_span){number(all), number(all)};
    }
    dw_str low = dw__str_make(text, (size_t) (dots - text));
    dw_str high = dw__str_from(dots + 2);
    return (dwt_span){low.len == 0 ? INT64_MIN : number(low),
                      high.len == 0 ? INT64_MAX : number(high)};
}

/* The words from `first` on that are a range. */
static dwt_range
parse_range(const step *s, size_t first, dwt_range range)
{
    for (size_t i = first; i < s->count; i++) {
        const char *word = s->words[i];
        const char *value = strchr(word, '=');
        if (value == NULL || value != strchr(word, '=')) {
            continue;
        }
        if (strncmp(word, "id=", 3) == 0) {
            range.id = parse_span(value + 1);
        } else if (strncmp(word, "a=", 2) == 0) {
            range.partition[0] = parse_span(value + 1);
        } else if (strncmp(word, "b=", 2) == 0) {
            range.partition[1] = parse_span(value + 1);
        } else {
            give_up("expected id=, a= or b=", word);
        }
    }
    return range;
}

static bool
has_word(const step *s, const char *word)
{
    for (size_t i = 1; i < s->count; i++) {
        if (strcmp(s->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static dw_str
keep(dwt_change *change, const char *text)
{
    dw_str copy;
    bool is_there = dw__arena_dup(&change->arena, dw__str_from(text), &copy);
    dw_assert(is_there);
    return copy;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static bool
is_live(dwt_change *change, const char *name)
{
    dwt_file file;
    return dwt_change_find(change, name, &file);
}

static void
remove_all(dwt_change *change, bool data_change)
{
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(change->snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        char name[WORD_SIZE];
        snprintf(name, sizeof(name), "%.*s", DW_STR_ARG(dw__file_set_path(set, ref)));
        dwt_change_remove(change, name, data_change);
    }
}

static bool
remove_files(const step *s, dwt_change *change)
{
    bool data_change = !has_word(s, "moved");
    if (strcmp(s->words[1], "*") == 0) {
        remove_all(change, data_change);
        return true;
    }
    if (!is_live(change, s->words[1])) {
        return false;
    }
    dwt_change_remove(change, s->words[1], data_change);
    return true;
}

static bool
mark_rows(const step *s, dwt_change *change)
{
    dwt_file file;
    uint64_t places[PLACES_MAX];
    size_t count = 0;
    if (!dwt_change_find(change, s->words[1], &file)) {
        return false;
    }
    dw_rowset *gone = dwt_change_deleted(change, &file.add);
    bool is_free = true;
    dw_str rest = dw__str_from(s->words[2]);
    while (rest.len > 0) {
        size_t comma = dw__str_find(rest, ',');
        places[count] = (uint64_t) number(dw__str_slice(rest, 0, comma));
        is_free = is_free && (gone == NULL || !dw__rowset_contains(gone, places[count]));
        count++;
        rest = comma == SIZE_MAX ? DW_STR("") : dw__str_slice(rest, comma + 1, rest.len);
    }
    dw__rowset_free(gone);
    if (is_free) {
        dwt_change_mark(change, s->words[1], places, count);
    }
    return is_free;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static void
put_metadata(dwt_change *change, const char *key, const char *value, bool new_schema)
{
    const dw_metadata *before = dw__log_snapshot_metadata(change->snapshot);
    dw_action action = {.kind = DW_ACTION_METADATA, .as.metadata = *before};
    dw_pairs *pairs = &action.as.metadata.configuration;
    size_t count = pairs->count;
    dw_pair *items = DW_ARENA_ARRAY(&change->arena, dw_pair, count + 1);
    dw_assert(items != NULL);
    for (size_t i = 0; i < count; i++) {
        items[i] = pairs->items[i];
    }
    size_t at = 0;
    while (at < count && !dw__str_equal(items[at].key, dw__str_from(key))) {
        at++;
    }
    if (key[0] != '\0') {
        items[at] = (dw_pair){keep(change, key), keep(change, value)};
        count += at == count;
    }
    *pairs = (dw_pairs){items, count};
    if (new_schema) {
        action.as.metadata.schema_string = DW_STR(
            DWT_SCHEMA(DWT_SCHEMA_FIELD("id", "long") "," DWT_SCHEMA_FIELD("a", "long") "," //
                       DWT_SCHEMA_FIELD("b", "long") "," DWT_SCHEMA_FIELD("c", "long")));
    }
    dwt_change_put(change, &action);
}

static void
put_property(const step *s, dwt_change *change)
{
    char key[WORD_SIZE];
    snprintf(key, sizeof(key), "%s", s->words[1]);
    char *value = strchr(key, '=');
    if (value == NULL) {
        give_up("expected KEY=VALUE", key);
    }
    *value = '\0';
    put_metadata(change, key, value + 1, false);
}

static void
put_protocol(dwt_change *change, const char *more, const char *less)
{
    const dw_protocol *before = dw__log_snapshot_protocol(change->snapshot);
    dw_action action = {.kind = DW_ACTION_PROTOCOL, .as.protocol = *before};
    dw_str *features = DW_ARENA_ARRAY(&change->arena, dw_str, FEATURES_MAX);
    size_t count = 0;
    dw_assert(features != NULL && before->writer_feature_count < FEATURES_MAX);
    for (size_t i = 0; i < before->writer_feature_count; i++) {
        if (less == NULL || !dw__str_equal(before->writer_features[i], dw__str_from(less))) {
            features[count++] = before->writer_features[i];
        }
    }
    if (more != NULL) {
        features[count++] = keep(change, more);
    }
    action.as.protocol.writer_features = features;
    action.as.protocol.writer_feature_count = count;
    dwt_change_put(change, &action);
}

static void
put_txn(const step *s, dwt_change *change)
{
    dw_action action = {.kind = DW_ACTION_TXN,
                        .as.txn = {.app_id = keep(change, s->words[1]),
                                   .version = number(dw__str_from(s->words[2]))}};
    dwt_change_put(change, &action);
}

static void
put_domain(const step *s, dwt_change *change)
{
    dw_action action = {
        .kind = DW_ACTION_DOMAIN,
        .as.domain = {.domain = keep(change, s->words[1]), .configuration = DW_STR("{}")}};
    dwt_change_put(change, &action);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static bool
is_step(const step *s, const char *name, size_t words)
{
    if (strcmp(s->words[0], name) != 0) {
        return false;
    }
    if (s->count < words + 1) {
        give_up("too few words behind", name);
    }
    return true;
}

static bool
run_other(const step *s, dwt_change *change)
{
    if (is_step(s, "txn", 2)) {
        put_txn(s, change);
    } else if (is_step(s, "domain", 1)) {
        put_domain(s, change);
    } else if (is_step(s, "property", 1)) {
        put_property(s, change);
    } else if (is_step(s, "schema", 0)) {
        put_metadata(change, "", "", true);
    } else if (is_step(s, "identity", 0)) {
        put_metadata(change, "", "", false);
        change->txn.moves_identity_marks = true;
    } else if (is_step(s, "feature", 1)) {
        put_protocol(change, s->words[1], NULL);
    } else if (is_step(s, "drop", 1)) {
        put_protocol(change, NULL, s->words[1]);
    } else if (is_step(s, "replace", 0)) {
        change->txn.replaces_table = true;
    } else if (is_step(s, "part", 1)) {
        change->part = (size_t) number(dw__str_from(s->words[1]));
    } else if (is_step(s, "moves", 0)) {
        change->txn.data_change = false;
    } else {
        give_up("no such step", s->words[0]);
    }
    return true;
}

static bool
run_step(const step *s, dwt_change *change)
{
    static const dwt_range default_rows = {{0, 9}, {{0, 0}, {0, 0}}};
    if (is_step(s, "search", 0)) {
        dwt_range range = parse_range(s, 1, dwt_range_all);
        dwt_change_search(change, &range);
    } else if (is_step(s, "read", 0)) {
        dwt_range range = parse_range(s, 1, dwt_range_all);
        dwt_change_read(change, &range);
    } else if (is_step(s, "read-table", 0)) {
        change->txn.reads_whole_table = true;
    } else if (is_step(s, "add", 1)) {
        dwt_range range = parse_range(s, 2, default_rows);
        dwt_change_add(change, s->words[1], &range, !has_word(s, "moved"));
    } else if (is_step(s, "remove", 1)) {
        return remove_files(s, change);
    } else if (is_step(s, "mark", 2)) {
        return mark_rows(s, change);
    } else if (is_step(s, "recommit", 1)) {
        if (!is_live(change, s->words[1])) {
            return false;
        }
        dwt_change_recommit(change, s->words[1]);
    } else {
        return run_other(s, change);
    }
    return true;
}

static void
split_step(char *text, step *out)
{
    char *rest = text;
    *out = (step){.count = 0};
    for (char *word = strtok_r(text, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (out->count == WORDS_MAX || strlen(word) >= WORD_SIZE) {
            give_up("too many or too long words", word);
        }
        memcpy(out->words[out->count++], word, strlen(word) + 1);
    }
}

bool
script_run(const char *text, dwt_change *change)
{
    char copy[TEXT_SIZE];
    char *rest = copy;
    if (strlen(text) >= sizeof(copy)) {
        give_up("a script too long", text);
    }
    memcpy(copy, text, strlen(text) + 1);
    for (char *part = strtok_r(copy, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
        step s;
        split_step(part, &s);
        if (s.count > 0 && !run_step(&s, change)) {
            return false;
        }
    }
    return true;
}

/* ---- Around them ----------------------------------------------------------------------------- */

void
script_create_table(dw_storage *storage, const char *property)
{
    dwt_commit commit;
    char configuration[WORD_SIZE + 16] = "{}";
    char key[WORD_SIZE];
    snprintf(key, sizeof(key), "%s", property);
    char *value = strchr(key, '=');
    if (value != NULL) {
        *value = '\0';
        snprintf(configuration, sizeof(configuration), "{\"%s\":\"%s\"}", key, value + 1);
    }
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(
        &commit, "[\"deletionVectors\"]",
        "[\"deletionVectors\",\"domainMetadata\",\"appendOnly\",\"invariants\"]");
    dwt_commit_metadata(&commit, DWT_ROWS_SCHEMA, "[\"a\",\"b\"]", configuration);
    dwt_commit_write(&commit, storage, 0);
}

const char *
script_outcome(dw_status status, const dw_txn_result *result, const dw_error *err)
{
    if (status == DW_OK) {
        const char *done = result->was_left_out ? "LEFT_OUT" : "OK";
        return result->was_duplicate ? "DUPLICATE" : done;
    }
    return err->code;
}

char *
script_load(const char *name)
{
    char path[TEXT_SIZE];
    const char *root = getenv("DELTAWORKS_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/isolation/%s", root == NULL ? "." : root, name);
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    if (file == NULL || text == NULL) {
        give_up("cannot read", path);
    }
    size_t len = fread(text, 1, (1 << 20) - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}
