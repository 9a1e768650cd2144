/*
 * Expectations as properties: {"expression":"id > 0","onViolation":"DROP","quarantine":"/data/q"}.
 */
#include "table/expectation.h"

#include "codec/codec.h"
#include "table/constraint.h"

#include <stdio.h>

#define VALUE_BYTES_MAX ((size_t) 1 << 20)

const char *
dw__violation_name(dw_violation action)
{
    static const char *const names[] = {
        [DW_VIOLATION_WARN] = "WARN", [DW_VIOLATION_DROP] = "DROP", [DW_VIOLATION_FAIL] = "FAIL"};
    return names[action];
}

static bool
find_violation(dw_str name, dw_violation *out)
{
    for (int i = DW_VIOLATION_WARN; i <= DW_VIOLATION_FAIL; i++) {
        if (dw__str_equal_nocase(name, dw__str_from(dw__violation_name((dw_violation) i)))) {
            *out = (dw_violation) i;
            return true;
        }
    }
    return false;
}

dw_status
dw__expectation_key(dw_str name, dw_arena *arena, dw_str *out, dw_error *err)
{
    return dw__property_key_small(DW_EXPECTATION_PREFIX, name, arena, out, err);
}

bool
dw__is_expectation_key(dw_str key)
{
    return key.len > DW_EXPECTATION_PREFIX.len &&
           dw__str_equal_nocase(dw__str_slice(key, 0, DW_EXPECTATION_PREFIX.len),
                                DW_EXPECTATION_PREFIX);
}

/* ---- The property ---------------------------------------------------------------------------- */

static dw_status
refuse(const dw_pair *property, dw_str name, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPECTATION_INVALID",
                         "expected '%.*s' to be {\"expression\": ..., \"onViolation\": \"WARN\", "
                         "\"DROP\" or \"FAIL\"}, found %.*s: ALTER TABLE ... DROP EXPECTATION "
                         "`%.*s` removes it",
                         DW_STR_ARG(property->key), DW_STR_ARG(property->value), DW_STR_ARG(name));
}

static dw_status
read_members(const dw_pair *property, dw_json root, dw_arena *arena, dw_expectation_spec *out,
             dw_error *err)
{
    dw_str text = dw__json_str(dw__json_get(root, DW_STR("expression")));
    dw_str action = dw__json_str(dw__json_get(root, DW_STR("onViolation")));
    dw_json quarantine = dw__json_get(root, DW_STR("quarantine"));
    bool has_quarantine = dw__json_kind(quarantine) != DW_JSON_MISSING;
    if (dw__str_is_null(text) || dw__str_is_null(action) || !find_violation(action, &out->action) ||
        (has_quarantine &&
         (dw__str_is_null(dw__json_str(quarantine)) || out->action != DW_VIOLATION_DROP))) {
        return refuse(property, out->name, err);
    }
    out->quarantine = DW_STR_NULL;
    if (!dw__arena_dup(arena, text, &out->text) ||
        (has_quarantine && !dw__arena_dup(arena, dw__json_str(quarantine), &out->quarantine))) {
        return dw__error_oom(err);
    }
    return DW_OK;
}

dw_status
dw__expectation_parse(const dw_pair *property, dw_arena *arena, dw_expectation_spec *out,
                      dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_str name = dw__str_slice(property->key, DW_EXPECTATION_PREFIX.len, property->key.len);
    *out = (dw_expectation_spec){.quarantine = DW_STR_NULL};
    if (!dw__arena_dup(arena, name, &out->name)) {
        return dw__error_oom(err);
    }
    dw_status status =
        dw__json_parse(arena->allocator, property->value, "an expectation", &doc, NULL);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    return status != DW_OK ? refuse(property, name, err)
                           : read_members(property, dw__json_root(doc), arena, out, err);
}

dw_status
dw__expectation_value(const dw_expectation_spec *spec, dw_arena *arena, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(arena->allocator, VALUE_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    dw__json_put_key(&json, DW_STR("expression"));
    dw__json_put_string(&json, spec->text);
    dw__json_put_key(&json, DW_STR("onViolation"));
    dw__json_put_string(&json, dw__str_from(dw__violation_name(spec->action)));
    if (!dw__str_is_null(spec->quarantine)) {
        dw__json_put_key(&json, DW_STR("quarantine"));
        dw__json_put_string(&json, spec->quarantine);
    }
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "an expectation", err));
    return dw__arena_dup(arena, dw__strbuf_str(&json), out) ? DW_OK : dw__error_oom(err);
}

/* ---- All of a table -------------------------------------------------------------------------- */

dw_status
dw__expectation_make(const dw_expectation_spec *spec, const dw_type *schema, dw_arena *arena,
                     dw_expectation *out, dw_error *err)
{
    dw_row_check check;
    *out = (dw_expectation){.spec = *spec};
    DW_TRY(dw__row_check_of("expectation", spec->name, spec->text, schema, arena, &check, err));
    out->label = check.label;
    out->expression = check.expression;
    return DW_OK;
}

/* [EXPECTATION-2] */
static void
tell_remedy(dw_str name, dw_error *err)
{
    size_t used = err == NULL ? 0 : strlen(err->message);
    if (err != NULL) {
        snprintf(err->message + used, sizeof(err->message) - used,
                 "; ALTER TABLE ... DROP EXPECTATION `%.*s` removes it", DW_STR_ARG(name));
    }
}

static dw_status
read_one(const dw_pair *property, const dw_type *schema, dw_arena *arena, dw_expectation *out,
         dw_error *err)
{
    dw_expectation_spec spec;
    DW_TRY(dw__expectation_parse(property, arena, &spec, err));
    dw_status status = dw__expectation_make(&spec, schema, arena, out, err);
    if (status == DW_INVALID_ARGUMENT || status == DW_UNSUPPORTED) {
        tell_remedy(spec.name, err);
    }
    return status;
}

dw_status
dw__expectations_read(const dw_metadata *metadata, const dw_type *schema, dw_arena *arena,
                      dw_expectations *out, dw_error *err)
{
    const dw_pairs *pairs = &metadata->configuration;
    size_t count = 0;
    *out = (dw_expectations){0};
    for (size_t i = 0; i < pairs->count; i++) {
        count += dw__is_expectation_key(pairs->items[i].key) ? 1 : 0;
    }
    if (count == 0) {
        return DW_OK;
    }
    if (count > DW_EXPECTATIONS_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPECTATIONS_TOO_MANY",
                             "expected at most %zu expectations, found %zu: drop some",
                             DW_EXPECTATIONS_MAX, count);
    }
    out->items = DW_ARENA_ARRAY(arena, dw_expectation, count);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__is_expectation_key(pairs->items[i].key)) {
            DW_TRY(read_one(&pairs->items[i], schema, arena, &out->items[out->count], err));
            out->count++;
        }
    }
    return DW_OK;
}
