/*
 * Data files that the engine cannot read as they are, because of their codec, or without a loss,
 * because of their variants: it reads copies in their places.
 *
 *  [PLAIN-1] Copies have no name, and are gone when the scan is closed.
 *  [PLAIN-2] Only files whose names leave their codec open are looked into, or all for their
 *            variants; for the names of their fields only files that no writer of Delta named.
 */
#ifndef DW_SCAN_PLAIN_FILES_H
#define DW_SCAN_PLAIN_FILES_H

#include "base/error.h"
#include "env/env.h"
#include "parquet/names.h"
#include "protocol/property.h"
#include "protocol/schema.h"
#include "storage/scratch.h"

typedef struct dw_plain_files {
    dw_scratch **items;
    size_t count;
    size_t capacity;
    bool have_twins;          /* of shredded variants, in some copy (parquet/twin.h) */
    const dw_pq_names *names; /* that fields are to have by their ids; NULL: those in the files */
} dw_plain_files;

/* The names that all fields are to have in files, by their ids, in `arena`; NULL where columns are
 * all that must be found, and are by id. `by_name`: columns are found by name. */
DW_WARN_UNUSED dw_status dw__scan_field_names(const dw_type *schema, dw_mapping_mode mode,
                                              bool by_name, dw_arena *arena,
                                              const dw_pq_names **out, dw_error *err);
/* Puts the path of a copy in the place of each path that needs one. `directory` is where copies
 * are made; the null string: where the system keeps temporary files. `keeps_variants`: those that
 * are JSON's null must not become NULL. */
DW_WARN_UNUSED dw_status dw__plain_files_make(dw_plain_files *files, const dw_env *env,
                                              dw_str directory, bool keeps_variants, dw_str *paths,
                                              size_t count, dw_error *err);
void dw__plain_files_deinit(dw_plain_files *files, const dw_env *env);

#endif
