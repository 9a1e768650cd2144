/*
 * The binder: finds the tables in a query and replaces the Delta ones by names that the engine will
 * know. It works on tokens alone and asks a lookup what names stand for; snapshots and scans are
 * the executor's.
 *
 *  [BIND-1] Only what stands in the place of a table is touched, and backquoted names, which become
 *           quoted ones; all other text reaches the engine as it is.
 *  [BIND-2] Every occurrence gets a name of its own, and an alias where it had none, so that
 *           columns qualified by the table's name still resolve.
 *  [BIND-3] A common table expression shadows a table of its name where it is in scope: not in its
 *           own body, unless it is recursive.
 *  [BIND-4] Depth is bounded and costs no stack: the parentheses that are open are a vector.
 */
#ifndef DW_SQL_BIND_H
#define DW_SQL_BIND_H

#include "sql/parse.h"

/* How deep parentheses may nest, and views in views. */
#define DW_SQL_DEPTH_MAX ((size_t) 1000)
#define DW_SQL_VIEW_DEPTH_MAX ((size_t) 16)

/* ---- What names stand for -------------------------------------------------------------------- */

typedef enum dw_sql_object_kind {
    DW_OBJECT_OTHER, /* the engine may know */
    DW_OBJECT_DELTA,
    DW_OBJECT_VIEW
} dw_sql_object_kind;

/* A view of the session: its query as it was written. */
typedef struct dw_sql_view {
    dw_str name;
    dw_str text;
    const dw_str *columns;
    size_t column_count; /* 0: those of the query */
} dw_sql_view;

typedef struct dw_sql_object {
    dw_sql_object_kind kind;
    const dw_sql_view *view; /* VIEW */
} dw_sql_object;

typedef struct dw_sql_lookup {
    dw_status (*find)(void *ctx, const dw_sql_name *name, dw_sql_object *out, dw_error *err);
    void *ctx;
} dw_sql_lookup;

/* ---- Binding --------------------------------------------------------------------------------- */

/* One occurrence of a Delta table. */
typedef struct dw_sql_reference {
    dw_sql_name name;
    dw_sql_travel travel;
    dw_sql_changes changes;
    dw_str scan_name;   /* what stands in the engine's SQL instead */
    bool has_alias;     /* the statement gives it one */
    bool with_metadata; /* the statement may name its column _metadata */
} dw_sql_reference;

typedef struct dw_sql_reference_vec {
    dw_sql_reference *items;
    size_t count;
    size_t capacity;
} dw_sql_reference_vec;

/* Tokens that are replaced: by the name of a reference, or by `text`. */
typedef struct dw_sql_edit {
    size_t first, last;
    size_t reference; /* index, or SIZE_MAX: `text` */
    dw_str text;
    bool is_whole_query; /* stands where a query is expected, not a table */
    bool has_alias;
    dw_str alias; /* of `text` when it has none */
    bool is_star; /* hides _metadata from SELECT *, where the frame has a table with it */
    size_t frame; /* where it stands */
} dw_sql_edit;

typedef struct dw_sql_edit_vec {
    dw_sql_edit *items;
    size_t count;
    size_t capacity;
} dw_sql_edit_vec;

typedef struct dw_bind_options {
    dw_sql_lookup lookup;
    const char *scan_prefix; /* scans are named <prefix>_1, <prefix>_2 ... */
    bool from_is_clause;     /* UPDATE ... FROM */
    bool using_is_clause;    /* DELETE ... USING, MERGE ... USING */
} dw_bind_options;

/* The result, in an arena of the caller's. Lives as long as the text that was bound. */
typedef struct dw_binding {
    const dw_sql_text *sql;
    dw_arena *arena;
    dw_bind_options options;
    dw_sql_reference_vec references; /* those of inlined views, too */
    dw_sql_edit_vec edits;           /* in the order of the text */
    bool shows_stars;                /* SELECT * is left as it stands */
} dw_binding;

/* Binds the tables in a range of tokens. Release with dw__binding_deinit, also after a failure.
 * DW_INVALID_ARGUMENT (PARSE_ERROR), DW_NOT_FOUND (TABLE_NOT_FOUND) for time travel to what is no
 * Delta table, and what the lookup returns. */
DW_WARN_UNUSED dw_status dw__bind(dw_binding *binding, const dw_sql_text *sql, dw_sql_range range,
                                  dw_arena *arena, const dw_bind_options *options, dw_error *err);
void dw__binding_deinit(dw_binding *binding);
/* True when some token of the range is the name _metadata. */
bool dw__names_metadata(const dw_sql_text *sql, size_t first, size_t last);

/* The engine's SQL for a range that lies in the one that was bound. In the binding's arena. */
DW_WARN_UNUSED dw_status dw__binding_print(const dw_binding *binding, dw_sql_range range,
                                           dw_str *out, dw_error *err);

static inline void
dw__dw_binding_cleanup(dw_binding *binding)
{
    dw__binding_deinit(binding);
}

#endif
