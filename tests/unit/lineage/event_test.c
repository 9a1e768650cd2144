/*
 * Events as JSON, and their way to a file. What the published schemas say of them: tests/e2e.
 */
#include "support/test.h"

#include "lineage/emitter.h"
#include "lineage/openlineage.h"
#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

static dw_lineage_ref refs[] = {{0, {"amount", 6}}, {1, {"rate", 4}}};
static dw_lineage_column columns[] = {
    {.name = {"total", 5}, .how = DW_LINEAGE_DERIVED, .from = refs, .from_count = 2},
    {.name = {"note", 4}, .how = DW_LINEAGE_ANY}};
static dw_str rate_files[] = {{"/data/rates.csv", 15}};
static dw_lineage_input inputs[] = {
    {.table = {"s3://bucket/orders", 18}, .version = 3},
    {.version = -1, .files = rate_files, .file_count = 1, .file_total = 1}};
static dw_lineage_statement statement = {.sql = {"INSERT \"x\"", 10},
                                         .inputs = inputs,
                                         .input_count = 2,
                                         .columns = columns,
                                         .column_count = 2,
                                         .has_columns = true};
static const dw_lineage_record record = {.namespace_name = {"shop", 4},
                                         .job = {"j", 1},
                                         .run = {"5f96a5a6-1b04-4822-a31f-4f063b1886b5", 36},
                                         .statements = &statement,
                                         .statement_count = 1};

static void
print(dw_strbuf *out)
{
    dw_openlineage_event event = {.type = DW_OPENLINEAGE_COMPLETE,
                                  .time_us = DWT_EPOCH_US,
                                  .record = &record,
                                  .table = DW_STR("/data/sums"),
                                  .version = 7,
                                  .change = DW_STR_NULL,
                                  .row_count = -1,
                                  .file_count = 1,
                                  .size_bytes = 10};
    dw__openlineage_print(out, &event);
}

static dw_json
at(dw_json value, const char *key)
{
    return dw__json_get(value, dw__str_from(key));
}

static dw_json
first(dw_json list)
{
    dw_json_iter it = dw__json_iter(list);
    assert_true(dw__json_next(&it));
    return it.value;
}

static void
assert_text(dw_json value, const char *text)
{
    assert_true(dw__str_equal(dw__json_str(value), dw__str_from(text)));
}

static void
test_event__names_datasets_by_their_places(void **state)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(dw__allocator_libc(), DW_OPENLINEAGE_EVENT_BYTES_MAX);
    (void) state;
    print(&out);
    assert_int_equal(
        dw__json_parse(dw__allocator_libc(), dw__strbuf_str(&out), "the event", &doc, &err), DW_OK);
    dw_json event = dw__json_root(doc);
    assert_text(at(event, "eventTime"), "2024-01-01T00:00:00.000000Z");
    assert_int_equal(dw__json_count(at(event, "inputs")), 2);
    assert_text(at(first(at(event, "inputs")), "namespace"), "s3://bucket");
    assert_text(at(first(at(event, "inputs")), "name"), "orders");
    dw_json output = first(at(event, "outputs"));
    assert_text(at(output, "namespace"), "file");
    assert_text(at(output, "name"), "/data/sums");
    dw_json fields = at(at(at(output, "facets"), "columnLineage"), "fields");
    assert_int_equal(dw__json_count(fields), 1); /* of the other nobody knows */
    assert_int_equal(dw__json_count(at(at(fields, "total"), "inputFields")), 2);
}

static dw_status
print_and_send(dwt_world *world, void *ctx, dw_error *err)
{
    dw_emitter *emitter;
    dw_emitter_options options = {.file = ctx, .time_max_ms = 1};
    DW_TRY(dw__emitter_open(world->env, &options, &emitter, err));
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(world->env->allocator, DW_OPENLINEAGE_EVENT_BYTES_MAX);
    print(&out);
    dw_status status = dw__strbuf_ok(&out, "the event", err);
    if (status == DW_OK) {
        dw__emitter_send(emitter, dw__strbuf_str(&out));
    }
    dw__emitter_close(emitter);
    return status;
}

static void
test_event__memory_that_runs_out_is_an_error_or_a_warning(void **state)
{
    dwt_temp_dir dir;
    char path[sizeof dir.path + sizeof "/events"];
    (void) state;
    dwt_temp_dir_make(&dir);
    snprintf(path, sizeof path, "%s/events", dir.path);
    dwt_fault_loop(
        &(dwt_fault_case){.operation = print_and_send, .ctx = path, .faults = DWT_FAULTS_ALLOC});
    dwt_temp_dir_remove(&dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event__names_datasets_by_their_places),
        cmocka_unit_test(test_event__memory_that_runs_out_is_an_error_or_a_warning),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
