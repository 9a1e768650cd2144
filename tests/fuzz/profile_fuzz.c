/*
 * A profile that is kept beside a table, as anybody may have edited it. What is read prints, reads
 * back and prints the same; it is compared with another one and held against thresholds.
 */
#include "fuzz.h"

#include "upkeep/profile_json.h"

static const char other_text[] =
    "{\"format\":1,\"tableId\":\"\",\"version\":1,\"commitTime\":0,\"time\":0,\"rows\":9,"
    "\"sampledRows\":9,\"files\":1,\"bytes\":1,\"columns\":[{\"name\":\"a\",\"type\":\"long\","
    "\"count\":9,\"distinct\":3,\"min\":\"1\",\"max\":\"9\",\"mean\":4.5,\"deviation\":1,"
    "\"quantiles\":[\"1\",\"2\",\"3\",\"4\",\"9\"],\"top\":[{\"value\":\"1\",\"count\":5}]}]}";

static dw_pair limits[] = {
    {{"deltaworks.profile.minRows", 26}, {"5", 1}},
    {{"deltaworks.profile.maxAge", 25}, {"interval 1 day", 14}},
    {{"deltaworks.profile.a.maxNullFraction", 36}, {"0.5", 3}},
    {{"deltaworks.profile.a.minDistinct", 32}, {"2", 1}},
    {{"deltaworks.profile.a.max", 24}, {"7", 1}},
    {{"deltaworks.profile.a.maxAge", 27}, {"interval 1 day", 14}},
};

static void
print(const dw_profile *profile, dw_strbuf *out)
{
    dw__profile_print(profile, out);
    dw_assert(!out->failed);
}

static void
use(const dw_profile *profile, dw_arena *arena)
{
    dw_profile other;
    dw_profile_drift *drifts;
    dw_profile_violation *violations;
    size_t count;
    dw_pairs properties = {limits, sizeof(limits) / sizeof(limits[0])};
    dw_status status =
        dw__profile_parse(dw__str_from(other_text), "the other", arena, &other, NULL);
    dw_assert(status == DW_OK);
    status = dw__profile_compare(profile, &other, arena, &drifts, &count, NULL);
    dw_assert(status == DW_OK);
    status = dw__profile_compare(&other, profile, arena, &drifts, &count, NULL);
    dw_assert(status == DW_OK);
    status = dw__profile_judge(profile, &properties, INT64_C(1700000000000), arena, &violations,
                               &count, NULL);
    dw_assert(status == DW_OK);
    for (size_t i = 0; i < profile->column_count; i++) {
        dw_assert(profile->columns[i].count <= profile->row_count);
        dw_assert(profile->columns[i].top_count <= DW_PROFILE_TOP_VALUES);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_profile profile, again;
    dw_error err = DW_ERROR_INIT;
    if (dw__profile_parse(fuzz_text(data, size), "p.json", &arena, &profile, &err) != DW_OK) {
        dw_assert(err.status == DW_CORRUPT && strstr(err.message, "p.json") != NULL);
        dw_assert(strchr(err.message, '\n') == NULL);
        return 0;
    }
    DW_AUTO(dw_strbuf) once = fuzz_strbuf();
    DW_AUTO(dw_strbuf) twice = fuzz_strbuf();
    print(&profile, &once);
    dw_status status = dw__profile_parse(dw__strbuf_str(&once), "the print", &arena, &again, &err);
    dw_assert(status == DW_OK);
    print(&again, &twice);
    dw_assert(dw__str_equal(dw__strbuf_str(&once), dw__strbuf_str(&twice)));
    use(&profile, &arena);
    return 0;
}
