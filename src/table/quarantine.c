/*
 * Rows on their way to a quarantine. See quarantine.h.
 */
#include "table/quarantine.h"

#include "base/assert.h"
#include "protocol/feature_use.h"
#include "table/create.h"

#include <inttypes.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct quarantine_column {
    const char *name;
    dw_type_kind kind;
} quarantine_column;

static const quarantine_column columns[] = {
    {"quarantine_id", DW_TYPE_STRING}, {"quarantined_at", DW_TYPE_TIMESTAMP},
    {"table_path", DW_TYPE_STRING},    {"table_id", DW_TYPE_STRING},
    {"read_version", DW_TYPE_LONG},    {"expectations", DW_TYPE_STRING},
    {"row", DW_TYPE_STRING},
};
enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

const dw_type *
dw__quarantine_schema(dw_arena *arena)
{
    dw_type *schema = DW_ARENA_NEW(arena, dw_type);
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, COLUMN_COUNT);
    if (schema == NULL || fields == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        dw_str name = dw__str_from(columns[i].name);
        fields[i] = (dw_field){.name = name,
                               .physical_name = name,
                               .type = dw__type_make(arena, columns[i].kind),
                               .nullable = true,
                               .metadata_json = DW_STR("{}"),
                               .mapping_id = -1};
        if (fields[i].type == NULL) {
            return NULL;
        }
    }
    *schema = (dw_type){.kind = DW_TYPE_STRUCT, .fields = fields, .field_count = COLUMN_COUNT};
    return schema;
}

static dw_status
check_columns(const dw_table *quarantine, const dw_type *schema, dw_error *err)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const dw_field *field = dw__schema_find(schema, dw__str_from(columns[i].name));
        if (field == NULL || field->type->kind != columns[i].kind) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "QUARANTINE_INVALID",
                                 "expected the table at %.*s to have the columns of a quarantine, "
                                 "found %s %s: name a table that is not there yet",
                                 DW_STR_ARG(dw__table_root(quarantine)),
                                 field == NULL ? "no" : "another type of", columns[i].name);
        }
    }
    return DW_OK;
}

dw_status
dw__quarantine_prepare(dw_table *quarantine, dw_connection *connection, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(quarantine)->allocator);
    const dw_type *schema = dw__quarantine_schema(&arena);
    if (schema == NULL) {
        return dw__error_oom(err);
    }
    dw_create_spec spec = {.mode = DW_CREATE_IF_MISSING,
                           .schema = schema,
                           .comment = DW_STR("rows that expectations of other tables dropped")};
    dw_write_result done;
    DW_TRY(dw__table_create(quarantine, connection, &spec, &done, err));
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(quarantine), &snapshot, err));
    return check_columns(quarantine, dw__log_snapshot_schema(snapshot), err);
}

/* ---- Rows that wait -------------------------------------------------------------------------- */

static void
put_held_name(const dw_judgement *judgement, size_t idx, dw_strbuf *out)
{
    dw__strbuf_printf(out, "\"dw_held_%s_%zu\"", judgement->id, idx);
}

dw_status
dw__quarantine_hold(dw_judgement *judgement, dw_str judged, dw_strbuf *out, dw_error *err)
{
    if (judgement->held_count == DW_JUDGEMENT_HELD_MAX) {
        return dw__error_set(err, DW_UNSUPPORTED, "QUARANTINE_TOO_MANY_PARTS",
                             "expected a statement of at most %zu clauses with new rows where a "
                             "quarantine takes what is dropped",
                             DW_JUDGEMENT_HELD_MAX);
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "CREATE TEMP TABLE ");
    put_held_name(judgement, judgement->held_count, &sql);
    dw__strbuf_append_literal(&sql, " AS ");
    dw__strbuf_append(&sql, judged);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_execute(judgement->connection, dw__strbuf_str(&sql), err));
    put_held_name(judgement, judgement->held_count, out);
    judgement->held_count++;
    return DW_OK;
}

void
dw__quarantine_release(const dw_judgement *judgement, size_t held_idx)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "DROP TABLE IF EXISTS ");
    put_held_name(judgement, held_idx, &sql);
    if (sql.failed ||
        dw__connection_execute(judgement->connection, dw__strbuf_str(&sql), NULL) != DW_OK) {
        dw__env_warn(dw__table_env(judgement->table), "could not drop the table of a write's rows");
    }
}

/* The bits of the expectations that drop into that table; the null string: into any. */
static uint64_t
bits_into(const dw_judgement *judgement, dw_str root)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < judgement->expectations.count; i++) {
        dw_str own = judgement->expectations.items[i].spec.quarantine;
        bool is_meant =
            !dw__str_is_null(own) && (dw__str_is_null(root) || dw__str_equal(own, root));
        bits |= is_meant ? UINT64_C(1) << i : 0;
    }
    return bits;
}

static void
put_held_rows(const dw_judgement *judgement, size_t idx, uint64_t bits, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, " FROM ");
    put_held_name(judgement, idx, out);
    dw__strbuf_printf(
        out, " AS dw_row WHERE (" DW_MISSED_COLUMN " & CAST(%" PRIu64 " AS BIGINT)) <> 0", bits);
}

dw_status
dw__quarantine_count(const dw_judgement *judgement, int64_t *out, dw_error *err)
{
    *out = 0;
    for (size_t i = 0; i < judgement->held_count; i++) {
        int64_t count = 0;
        dw_text_rows rows;
        DW_AUTO(dw_strbuf) sql = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
        dw__strbuf_append_literal(&sql, "SELECT count(*)");
        put_held_rows(judgement, i, bits_into(judgement, DW_STR_NULL), &sql);
        DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
        DW_TRY(dw__connection_query_text(judgement->connection, dw__strbuf_str(&sql),
                                         judgement->arena, &rows, err));
        (void) dw__str_to_i64(rows.cells[0], &count);
        *out += count;
    }
    return DW_OK;
}

/* ---- Bringing them there --------------------------------------------------------------------- */

/* The names of what dropped the row, as one text. */
static void
put_names(const dw_judgement *judgement, uint64_t bits, dw_strbuf *out)
{
    bool is_first = true;
    dw__strbuf_append_literal(out, "concat_ws(', '");
    for (size_t i = 0; i < judgement->expectations.count; i++) {
        if ((bits >> i & 1) != 0) {
            dw__strbuf_printf(
                out, ", CASE WHEN (" DW_MISSED_COLUMN " & CAST(%" PRIu64 " AS BIGINT)) <> 0 THEN ",
                UINT64_C(1) << i);
            dw__sql_put_literal(out, judgement->expectations.items[i].spec.name);
            dw__strbuf_append_literal(out, " END");
            is_first = false;
        }
    }
    dw_assert(!is_first);
    dw__strbuf_append_char(out, ')');
}

/* A column of the row. What the engine makes of a variant in JSON is a text in a form of its own;
 * only a variant as a whole becomes JSON. Elsewhere numbers that JSON cannot carry become texts. */
static void
put_value(const dw_field *field, dw_strbuf *out)
{
    const char *before = "", *after = "";
    if (dw__schema_has_kind(field->type, DW_TYPE_VARIANT)) {
        before = "dw__json_zeros(CAST(CAST(";
        after = " AS VARIANT) AS JSON))";
    } else if (dw__schema_has_kind(field->type, DW_TYPE_DECIMAL)) {
        before = "dw__json_exact(CAST(to_json(";
        after = ") AS VARCHAR))";
    } else if (dw__schema_has_kind(field->type, DW_TYPE_DOUBLE) ||
               dw__schema_has_kind(field->type, DW_TYPE_FLOAT)) {
        before = "dw__json_finite(CAST(to_json(";
        after = ") AS VARCHAR))";
    }
    dw__strbuf_append(out, dw__str_from(before));
    dw__strbuf_append_literal(out, "dw_row.");
    dw__sql_put_identifier(out, field->name);
    dw__strbuf_append(out, dw__str_from(after));
}

/* The row as JSON, under the names of the table's columns. */
static void
put_row(const dw_judgement *judgement, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "CAST(json_object(");
    for (size_t i = 0; i < judgement->schema->field_count; i++) {
        const dw_field *field = &judgement->schema->fields[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_literal(out, field->name);
        dw__strbuf_append_literal(out, ", ");
        put_value(field, out);
    }
    dw__strbuf_append_literal(out, ") AS VARCHAR)");
}

static void
put_query(const dw_judgement *judgement, size_t held_idx, uint64_t bits, int64_t now_ms,
          dw_strbuf *out)
{
    dw__strbuf_append(out, held_idx == 0 ? DW_STR("") : DW_STR(" UNION ALL "));
    dw__strbuf_printf(
        out, "SELECT '%s' AS quarantine_id, to_timestamp(%" PRId64 " / 1000.0) AS quarantined_at, ",
        judgement->id, now_ms);
    dw__sql_put_literal(out, dw__table_root(judgement->table));
    dw__strbuf_append_literal(out, " AS table_path, ");
    dw__sql_put_literal(out, judgement->table_id);
    dw__strbuf_printf(out, " AS table_id, CAST(%" PRId64 " AS BIGINT) AS read_version, ",
                      judgement->snapshot == NULL ? -1
                                                  : dw__log_snapshot_version(judgement->snapshot));
    put_names(judgement, bits, out);
    dw__strbuf_append_literal(out, " AS expectations, ");
    put_row(judgement, out);
    dw__strbuf_append_literal(out, " AS \"row\"");
    put_held_rows(judgement, held_idx, bits, out);
}

/* The ids under which the statement happens once, as ids of its quarantine. */
static dw_status
make_txns(const dw_judgement *judgement, const dw_txn_id *txns, size_t count, dw_txn_id **out,
          dw_error *err)
{
    *out = DW_ARENA_ARRAY(judgement->arena, dw_txn_id, count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = txns[i];
        (*out)[i].app_id =
            dw__arena_printf(judgement->arena, "quarantine:%.*s:%.*s",
                             DW_STR_ARG(judgement->table_id), DW_STR_ARG(txns[i].app_id));
        if (dw__str_is_null((*out)[i].app_id)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

static dw_status
write_into(const dw_judgement *judgement, dw_str root, const dw_txn_id *txns, size_t txn_count,
           dw_error *err)
{
    DW_AUTO(dw_table_ptr) quarantine = NULL;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(judgement->arena->allocator, SQL_BYTES_MAX);
    const dw_env *env = dw__table_env(judgement->table);
    uint64_t bits = bits_into(judgement, root);
    for (size_t i = 0; i < judgement->held_count; i++) {
        put_query(judgement, i, bits, dw__env_now_ms(env), &sql);
    }
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__table_open(env, dw__table_database(judgement->table), root, &quarantine, err));
    dw_txn_id *own;
    dw_write_result done;
    DW_TRY(make_txns(judgement, txns, txn_count, &own, err));
    dw_write_spec spec = {.query = dw__strbuf_str(&sql),
                          .by_name = true,
                          .txns = own,
                          .txn_count = txn_count,
                          .is_quarantine = true};
    return dw__table_write(quarantine, judgement->connection, &spec, &done, err);
}

static bool
came_before(const dw_judgement *judgement, size_t idx)
{
    dw_str root = judgement->expectations.items[idx].spec.quarantine;
    return (bits_into(judgement, root) & ((UINT64_C(1) << idx) - 1)) != 0;
}

dw_status
dw__judgement_quarantine(dw_judgement *judgement, const dw_txn_id *txns, size_t txn_count,
                         dw_error *err)
{
    if (judgement->expectations.count == 0 || judgement->result.quarantined == 0) {
        return DW_OK;
    }
    for (size_t i = 0; i < judgement->expectations.count; i++) {
        dw_str root = judgement->expectations.items[i].spec.quarantine;
        if (dw__str_is_null(root) || came_before(judgement, i)) {
            continue;
        }
        dw_status status = write_into(judgement, root, txns, txn_count, err);
        if (status != DW_OK) {
            dw__error_context(err, "the quarantine of %.*s",
                              DW_STR_ARG(judgement->expectations.items[i].label));
            return status;
        }
        judgement->is_quarantined = true;
    }
    return DW_OK;
}
