/*
 * ADD EXPECTATION and DROP EXPECTATION.
 */
#include "table/alter_core.h"
#include "table/change.h"
#include "table/quarantine.h"

typedef struct addition {
    dw_connection *connection;
    const dw_expectation_spec *spec;
    dw_table *quarantine; /* NULL: none */
    bool is_dry_run;
} addition;

typedef struct removal {
    dw_str name;
    bool if_exists;
} removal;

static dw_status
check_new(const dw_alter *alter, const dw_expectation_spec *spec, const dw_pair *old, dw_error *err)
{
    size_t count = 0;
    if (old != NULL) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "EXPECTATION_EXISTS",
                             "the table has an expectation '%.*s' already: %.*s; drop it first",
                             DW_STR_ARG(spec->name), DW_STR_ARG(old->value));
    }
    for (size_t i = 0; i < alter->metadata.configuration.count; i++) {
        count += dw__is_expectation_key(alter->metadata.configuration.items[i].key) ? 1 : 0;
    }
    if (count >= DW_EXPECTATIONS_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPECTATIONS_TOO_MANY",
                             "the table has %zu expectations, and there may be no more: drop one, "
                             "or join conditions by AND",
                             count);
    }
    return DW_OK;
}

static dw_status
set_quarantine(const dw_alter *alter, const addition *a, dw_str *out, dw_error *err)
{
    dw_str root = dw__table_root(a->quarantine);
    if (dw__str_equal(root, dw__table_root(alter->table))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "QUARANTINE_INVALID",
                             "the table cannot be its own quarantine: name another one");
    }
    *out = root;
    return a->is_dry_run ? DW_OK : dw__quarantine_prepare(a->quarantine, a->connection, err);
}

static dw_status
add(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const addition *a = ctx;
    dw_expectation_spec spec = *a->spec;
    dw_str key, value;
    DW_TRY(dw__expectation_key(spec.name, &alter->arena, &key, err));
    DW_TRY(check_new(alter, &spec, dw__alter_find(alter, key), err));
    dw_expectation made;
    DW_TRY(dw__expectation_make(&spec, alter->schema, &alter->arena, &made, err));
    spec.quarantine = DW_STR_NULL;
    if (a->quarantine != NULL) {
        DW_TRY(set_quarantine(alter, a, &spec.quarantine, err));
    }
    DW_TRY(dw__expectation_value(&spec, &alter->arena, &value, err));
    dw__alter_set(alter, key, value);
    dw__change_put_parameter(parameters, "name", spec.name);
    dw__change_put_parameter(parameters, "expr", spec.text);
    dw__change_put_parameter(parameters, "onViolation",
                             dw__str_from(dw__violation_name(spec.action)));
    if (a->quarantine != NULL) {
        dw__change_put_parameter(parameters, "quarantine", spec.quarantine);
    }
    return DW_OK;
}

dw_status
dw__table_add_expectation(dw_table *table, dw_connection *connection,
                          const dw_expectation_spec *spec, dw_table *quarantine,
                          dw_alter_report *report, dw_error *err)
{
    addition a = {connection, spec, quarantine, report->is_dry_run};
    return dw__alter_run(table, 1, "ADD EXPECTATION", add, &a, report, err);
}

static dw_status
drop(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const removal *r = ctx;
    dw_str key, name = r->name;
    DW_TRY(dw__expectation_key(name, &alter->arena, &key, err));
    const dw_pair *old = dw__alter_find(alter, key);
    if (old == NULL && !r->if_exists) {
        return dw__error_set(err, DW_NOT_FOUND, "EXPECTATION_NOT_FOUND",
                             "the table has no expectation '%.*s'; IF EXISTS lets that pass",
                             DW_STR_ARG(name));
    }
    dw__change_put_parameter(parameters, "name", name);
    if (old != NULL) {
        dw__change_put_parameter(parameters, "expectation", old->value);
        (void) dw__alter_unset(alter, old->key);
    }
    return DW_OK;
}

dw_status
dw__table_drop_expectation(dw_table *table, dw_str name, bool if_exists, dw_alter_report *report,
                           dw_error *err)
{
    removal r = {name, if_exists};
    return dw__alter_run(table, 0, "DROP EXPECTATION", drop, &r, report, err);
}
