/*
 * The binder's state while it walks over the tokens. For bind.c and bind_table.c.
 */
#ifndef DW_SQL_BIND_WALK_H
#define DW_SQL_BIND_WALK_H

#include "sql/bind.h"

typedef enum dw_frame_state {
    DW_FRAME_START,      /* a query may begin here */
    DW_FRAME_EXPRESSION, /* nothing that concerns us, until a keyword says otherwise */
    DW_FRAME_TABLE,      /* a table comes next */
    DW_FRAME_CTE         /* the body of a common table expression comes next, in parentheses */
} dw_frame_state;

/* What is known about the innermost open parenthesis, or about the statement. */
typedef struct dw_frame {
    dw_frame_state state;
    bool is_query;       /* FROM begins a clause here, unlike in extract(year FROM d) */
    bool is_from_open;   /* a comma begins the next table */
    bool is_values;      /* ... unless it stands between rows of VALUES */
    bool is_trim;        /* trim(FROM x): no clause either */
    bool is_whole_query; /* the table that comes next is a query: DESCRIBE t, TABLE t */
    bool is_recursive;   /* WITH RECURSIVE */
    size_t id;           /* the token that began it; tables in parentheses belong outside */
    dw_str cte;          /* whose body comes next */
    size_t cte_count;    /* the common table expressions that were in scope outside */
} dw_frame;

typedef struct dw_frame_vec {
    dw_frame *items;
    size_t count;
    size_t capacity;
} dw_frame_vec;

typedef struct dw_cte_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} dw_cte_vec;

typedef struct dw_bind_walk {
    dw_binding *binding;
    dw_parser parser; /* at the token that comes next */
    size_t first, last;
    dw_frame_vec frames;
    dw_cte_vec ctes; /* in scope, innermost last */
    size_t view_depth;
    bool names_metadata; /* the text has the word _metadata */
} dw_bind_walk;

/* SELECT * here: reads what belongs to the star, and keeps _metadata out of it. */
DW_WARN_UNUSED dw_status dw__bind_star(dw_bind_walk *walk, const dw_frame *frame, bool *found_out);
/* Forgets the stars of frames that have no Delta table. */
void dw__bind_drop_stars(dw_binding *binding);
/* Reads the table reference here: a name with time travel and alias. */
DW_WARN_UNUSED dw_status dw__bind_table(dw_bind_walk *walk, dw_frame *frame);
/* True for table_changes and its kin. */
bool dw__is_changes_function(const dw_sql_name *name);
/* Reads the arguments behind the function's name, which becomes that of the table. */
DW_WARN_UNUSED dw_status dw__bind_changes_arguments(dw_bind_walk *walk, dw_sql_name *name,
                                                    dw_sql_changes *out);
/* The text of a view, bound, as a table. In `arena`. */
DW_WARN_UNUSED dw_status dw__view_print(const dw_sql_view *view, dw_str text, dw_arena *arena,
                                        dw_str *out, dw_error *err);
/* Binds a query of its own, as a view's: its references join those of `outer`. In the arena. */
DW_WARN_UNUSED dw_status dw__bind_view(const dw_bind_walk *outer, const dw_sql_view *view,
                                       dw_str *text_out);

#endif
