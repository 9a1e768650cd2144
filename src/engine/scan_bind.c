/*
 * Scans: a list of files with their partition values and deleted rows, as a view. In its SQL our
 * functions get the scan's number as their first argument. [DATABASE-2]
 */
#include "base/assert.h"
#include "engine/bindings.h"
#include "engine/scan_functions.h"

/* ---- The view's text ------------------------------------------------------------------------- */

typedef struct function_name {
    const char *written;   /* in view_sql, with its parenthesis */
    const char *internal;  /* what stands instead, up to the number */
    const char *separator; /* behind the number */
} function_name;

static const function_name function_names[] = {
    {"dw_files(", "dw__files(", ""},
    {"dw_partition(", "dw__partition(", ", "},
    {"dw_keep(", "dw__keep(", ", "},
    {"dw_old_date(", "dw__old_date(", ", "},
    {"dw_old_instant(", "dw__old_instant(", ", "},
};

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char) c >= 0x80;
}

/* The length of the quoted name or text that starts at `at`. */
static size_t
quoted_len(dw_str sql, size_t at)
{
    char quote = sql.ptr[at];
    size_t end = at + 1;
    while (end < sql.len && sql.ptr[end] != quote) {
        end++;
    }
    return (end < sql.len ? end + 1 : end) - at;
}

static size_t
word_len(dw_str sql, size_t at)
{
    size_t end = at;
    while (end < sql.len && is_word(sql.ptr[end])) {
        end++;
    }
    return end - at;
}

static const function_name *
find_function(dw_str sql, size_t at)
{
    dw_str rest = dw__str_slice(sql, at, sql.len - at);
    for (size_t i = 0; i < sizeof(function_names) / sizeof(function_names[0]); i++) {
        if (dw__str_starts_with(rest, dw__str_from(function_names[i].written))) {
            return &function_names[i];
        }
    }
    return NULL;
}

static dw_status
put_view_sql(const dw_entry *entry, void *ctx, dw_strbuf *out, dw_error *err)
{
    (void) err;
    dw_str sql = *(const dw_str *) ctx;
    for (size_t at = 0; at < sql.len;) {
        char c = sql.ptr[at];
        const function_name *function = find_function(sql, at);
        size_t len = c == '\'' || c == '"' ? quoted_len(sql, at) : word_len(sql, at);
        if (function != NULL) {
            dw__strbuf_printf(out, "%s%lld%s", function->internal, (long long) entry->id,
                              function->separator);
            len = strlen(function->written);
        } else {
            len = len == 0 ? 1 : len;
            dw__strbuf_append(out, dw__str_slice(sql, at, len));
        }
        at += len;
    }
    return DW_OK;
}

/* ---- Binding --------------------------------------------------------------------------------- */

static void
destroy_scan(dw_entry *entry)
{
    dw_scan_entry *scan = (dw_scan_entry *) entry;
    DW_DELETE(scan->env->allocator, scan);
}

static dw_status
make_entry(dw_connection *connection, const dw_scan_files *files, dw_scan_entry **out,
           dw_error *err)
{
    *out = NULL;
    DW_TRY(dw__database_load(connection->database, err));
    dw_scan_entry *scan = DW_NEW(connection->env->allocator, dw_scan_entry);
    if (scan == NULL) {
        return dw__error_oom(err);
    }
    scan->entry = (dw_entry){.kind = DW_ENTRY_SCAN, .destroy = destroy_scan};
    scan->env = connection->env;
    scan->files = *files;
    *out = scan;
    return DW_OK;
}

dw_status
dw__connection_bind_scan(dw_connection *connection, dw_str name, dw_str view_sql,
                         const dw_scan_files *files, dw_error *err)
{
    dw_scan_entry *scan;
    DW_TRY(make_entry(connection, files, &scan, err));
    return dw__binding_add(connection, name, &scan->entry, put_view_sql, &view_sql, err);
}

dw_status
dw__connection_inline_scan(dw_connection *connection, dw_str name, dw_str view_sql,
                           const dw_scan_files *files, dw_strbuf *sql_out, dw_error *err)
{
    dw_scan_entry *scan;
    DW_TRY(make_entry(connection, files, &scan, err));
    dw_registry *registry = &connection->database->registry;
    dw_status status = dw__registry_add(registry, &scan->entry, err);
    if (status != DW_OK) {
        destroy_scan(&scan->entry);
        return status;
    }
    dw__strbuf_append_char(sql_out, '(');
    status = put_view_sql(&scan->entry, &view_sql, sql_out, err);
    dw__strbuf_append_char(sql_out, ')');
    if (status == DW_OK) {
        status = dw__strbuf_ok(sql_out, "the scan of a table", err);
    }
    if (status == DW_OK) {
        status = dw__binding_remember(connection, name, &scan->entry, err);
    }
    if (status != DW_OK) {
        dw__registry_remove(registry, &scan->entry);
    }
    return status;
}

void
dw__connection_unbind_scan(dw_connection *connection, dw_str name)
{
    dw__binding_remove(connection, name, DW_ENTRY_SCAN);
    dw__binding_remove(connection, name, DW_ENTRY_FOUND);
}
