/*
 * Printing records and telling them from other lines. [RECORD-1]
 */
#include "audit/record.h"

#include "base/assert.h"
#include "protocol/value.h"

#define PREV_KEY ",\"prev\":\""
#define MAC_KEY ",\"mac\":\""
#define HASH_KEY ",\"hash\":\""
#define HASH_END "\"}\n"
#define HEX_LEN (DW_SHA256_TEXT_SIZE - 1)
#define MAC_BYTES (sizeof(MAC_KEY) - 1 + HEX_LEN + 1)
#define SUFFIX_BYTES (sizeof(HASH_KEY) - 1 + HEX_LEN + sizeof(HASH_END) - 1)

void
dw__audit_mark_zero(dw_audit_mark *mark)
{
    memset(mark->hash, '0', HEX_LEN);
    mark->hash[HEX_LEN] = '\0';
    mark->count = 0;
    mark->has_mac = false;
}

/* ---- Printing -------------------------------------------------------------------------------- */

/* Where and when, which every record has. */
static void
put_stamp(dw_strbuf *out, const dw_audit_stamp *stamp, int64_t number)
{
    const dw_identity *who = stamp->identity;
    dw__strbuf_append_literal(out, "{\"number\":");
    dw__strbuf_append_i64(out, number);
    dw__strbuf_append_literal(out, ",\"time\":\"");
    dw__timestamp_print(out, stamp->time_us, 'T', 6, "Z");
    dw__strbuf_append_char(out, '"');
    dw__json_put_text(out, "user", dw__str_from(who->user));
    dw__json_put_i64(out, "userId", who->user_id);
    dw__json_put_text(out, "host", dw__str_from(who->host));
    dw__json_put_text(out, "program", dw__str_from(who->program));
    dw__json_put_text(out, "programVersion", DW_STR(DW_VERSION));
    dw__json_put_i64(out, "process", who->process_id);
}

static const char *
outcome_name(dw_audit_outcome outcome)
{
    switch (outcome) {
    case DW_AUDIT_STARTED:
        return "started";
    case DW_AUDIT_COMMITTED:
        return "committed";
    case DW_AUDIT_DONE:
        return "done";
    case DW_AUDIT_STAGED:
        return "staged";
    case DW_AUDIT_FAILED:
        return "failed";
    case DW_AUDIT_UNKNOWN:
        return "unknown";
    case DW_AUDIT_READ:
        return "read";
    }
    dw_unreachable("outcome");
}

/* The beginning of a long one, never half a character, and what tells which it was. */
static void
put_statement(dw_strbuf *out, dw_str statement)
{
    char digest[DW_SHA256_TEXT_SIZE];
    size_t len = statement.len;
    if (len > DW_AUDIT_STATEMENT_BYTES_MAX) {
        len = DW_AUDIT_STATEMENT_BYTES_MAX;
        while (len > 0 && ((unsigned char) statement.ptr[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    dw__json_put_text(out, "statement",
                      dw__str_is_null(statement) ? statement : dw__str_slice(statement, 0, len));
    if (len < statement.len) {
        dw__sha256_text(statement, digest);
        dw__json_put_i64(out, "statementBytes", (int64_t) statement.len);
        dw__json_put_text(out, "statementSha256", dw__str_from(digest));
    }
}

static void
put_counts(dw_strbuf *out, const dw_audit_event *event)
{
    dw__json_put_i64(out, "rowsInserted", event->rows_inserted);
    dw__json_put_i64(out, "rowsUpdated", event->rows_updated);
    if (event->rows_deleted >= 0) {
        dw__json_put_i64(out, "rowsDeleted", event->rows_deleted);
    }
    dw__json_put_i64(out, "filesAdded", event->files_added);
    dw__json_put_i64(out, "bytesAdded", event->bytes_added);
    dw__json_put_i64(out, "filesRemoved", event->files_removed);
    dw__json_put_i64(out, "filesRewritten", event->files_rewritten);
}

static void
put_tables(dw_strbuf *out, const dw_audit_table *tables, size_t count)
{
    size_t shown = count > DW_AUDIT_TABLES_MAX ? DW_AUDIT_TABLES_MAX : count;
    dw__json_put_key(out, DW_STR("tables"));
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < shown; i++) {
        dw__json_put_comma(out);
        dw__strbuf_append_char(out, '{');
        dw__json_put_text(out, "path", tables[i].path);
        dw__json_put_text(out, "id", tables[i].id);
        dw__json_put_i64(out, "version", tables[i].version);
        dw__strbuf_append_char(out, '}');
    }
    dw__strbuf_append_char(out, ']');
    if (shown < count) {
        dw__json_put_i64(out, "tablesOmitted", (int64_t) (count - shown));
    }
}

static void
put_event(dw_strbuf *out, const dw_audit_event *event)
{
    dw__json_put_text(out, "session", event->session);
    dw__json_put_text(out, "name", event->user);
    dw__json_put_text(out, "outcome", dw__str_from(outcome_name(event->outcome)));
    if (event->started > 0) {
        dw__json_put_i64(out, "started", event->started);
    }
    dw__json_put_text(out, "verb", event->verb);
    put_statement(out, event->statement);
    dw__json_put_text(out, "table", event->table_path);
    dw__json_put_text(out, "tableId", event->table_id);
    if (event->read_version >= 0) {
        dw__json_put_i64(out, "readVersion", event->read_version);
    }
    if (event->version >= 0) {
        dw__json_put_i64(out, "version", event->version);
    }
    if (event->has_counts) {
        put_counts(out, event);
    }
    if (event->table_count > 0) {
        put_tables(out, event->tables, event->table_count);
    }
    dw__json_put_text(out, "code", event->code);
}

/* Ends a line that begins at `start`. */
static void
seal(dw_strbuf *out, size_t start, dw_str key, dw_audit_mark *last)
{
    char digest[DW_SHA256_TEXT_SIZE];
    dw__strbuf_append_literal(out, PREV_KEY);
    dw__strbuf_append(out, dw__str_from(last->hash));
    dw__strbuf_append_char(out, '"');
    if (!dw__str_is_null(key)) {
        dw__hmac_sha256_text(key, dw__str_slice(dw__strbuf_str(out), start, SIZE_MAX), digest);
        dw__strbuf_append_literal(out, MAC_KEY);
        dw__strbuf_append(out, dw__str_from(digest));
        dw__strbuf_append_char(out, '"');
    }
    dw__sha256_text(dw__str_slice(dw__strbuf_str(out), start, SIZE_MAX), last->hash);
    dw__strbuf_append_literal(out, HASH_KEY);
    dw__strbuf_append(out, dw__str_from(last->hash));
    dw__strbuf_append_literal(out, HASH_END);
    last->count++;
    last->has_mac = !dw__str_is_null(key);
}

void
dw__audit_record_put(dw_strbuf *out, const dw_audit_stamp *stamp, const dw_audit_event *event,
                     dw_str key, dw_audit_mark *last)
{
    size_t start = out->len;
    put_stamp(out, stamp, last->count + 1);
    put_event(out, event);
    seal(out, start, key, last);
}

static const char *const damage_names[] = {"torn", "shorter", "headless"};

void
dw__audit_repair_put(dw_strbuf *out, const dw_audit_stamp *stamp, const dw_audit_repair *repair,
                     dw_str key, dw_audit_mark *last)
{
    size_t start = out->len;
    put_stamp(out, stamp, last->count + 1);
    dw__json_put_text(out, "outcome", DW_STR("mended"));
    dw__json_put_text(out, "damage", dw__str_from(damage_names[repair->damage]));
    dw__json_put_i64(out, "tornBytes", repair->torn_bytes);
    dw__json_put_text(out, "tornSha256", dw__str_from(repair->torn_hash));
    seal(out, start, key, last);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool
is_hex(dw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return text.len == HEX_LEN;
}

/* Takes `,"mac":"..."` off the end of what the digest is over. */
static void
split_mac(dw_audit_line *out, dw_str body)
{
    dw_str tail =
        body.len < MAC_BYTES ? DW_STR("") : dw__str_slice(body, body.len - MAC_BYTES, MAC_BYTES);
    out->has_mac = dw__str_starts_with(tail, DW_STR(MAC_KEY));
    out->signed_part = body;
    if (out->has_mac) {
        out->mac = dw__str_slice(tail, sizeof(MAC_KEY) - 1, HEX_LEN);
        out->signed_part = dw__str_slice(body, 0, body.len - MAC_BYTES);
    }
}

bool
dw__audit_line_read(dw_str bytes, dw_json_parser *parser, dw_audit_line *out, bool *oom_out)
{
    dw_error err = DW_ERROR_INIT;
    memset(out, 0, sizeof(*out));
    *oom_out = false;
    if (bytes.len <= SUFFIX_BYTES || !dw__str_ends_with(bytes, DW_STR(HASH_END))) {
        return false;
    }
    dw_str body = dw__str_slice(bytes, 0, bytes.len - SUFFIX_BYTES);
    dw_str suffix = dw__str_slice(bytes, body.len, SUFFIX_BYTES);
    dw__sha256_text(body, out->hash);
    if (!dw__str_starts_with(suffix, DW_STR(HASH_KEY)) ||
        memcmp(suffix.ptr + sizeof(HASH_KEY) - 1, out->hash, HEX_LEN) != 0) {
        return false;
    }
    dw_str text = dw__str_slice(bytes, 0, bytes.len - 1);
    dw_status status = dw__json_parser_parse(parser, text, "the record", &out->members, &err);
    *oom_out = status == DW_OUT_OF_MEMORY;
    if (status != DW_OK) {
        return false;
    }
    split_mac(out, body);
    out->prev = dw__json_str(dw__json_get(out->members, DW_STR("prev")));
    return is_hex(out->prev) && (!out->has_mac || is_hex(out->mac)) &&
           dw__json_i64(dw__json_get(out->members, DW_STR("number")), &out->number) &&
           out->number > 0;
}

void
dw__audit_mark_set(dw_audit_mark *mark, const dw_audit_line *line)
{
    mark->count = line->number;
    mark->has_mac = line->has_mac;
    memcpy(mark->hash, line->hash, sizeof(mark->hash));
}

bool
dw__audit_line_follows(const dw_audit_line *line, const dw_audit_mark *last)
{
    return line->number == last->count + 1 && dw__str_equal(line->prev, dw__str_from(last->hash));
}

bool
dw__audit_line_is_signed(const dw_audit_line *line, dw_str key)
{
    char expected[DW_SHA256_TEXT_SIZE];
    if (!line->has_mac) {
        return false;
    }
    dw__hmac_sha256_text(key, line->signed_part, expected);
    char found[DW_SHA256_TEXT_SIZE] = {0};
    memcpy(found, line->mac.ptr, HEX_LEN);
    return dw__sha256_text_equal(found, expected);
}

bool
dw__audit_line_repair(const dw_audit_line *line, dw_audit_repair *out)
{
    dw_str damage = dw__json_str(dw__json_get(line->members, DW_STR("damage")));
    dw_str digest = dw__json_str(dw__json_get(line->members, DW_STR("tornSha256")));
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(damage_names) / sizeof(damage_names[0]); i++) {
        if (dw__str_equal(damage, dw__str_from(damage_names[i])) && is_hex(digest) &&
            dw__json_i64(dw__json_get(line->members, DW_STR("tornBytes")), &out->torn_bytes)) {
            out->damage = (dw_audit_damage) i;
            memcpy(out->torn_hash, digest.ptr, HEX_LEN);
            return true;
        }
    }
    return false;
}
