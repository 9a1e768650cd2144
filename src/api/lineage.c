/*
 * What the environment says of lineage: the variables of OpenLineage's own clients.
 */
#include "api/lineage.h"

#include "env/identity.h"
#include "lineage/emitter.h"

#include <stdlib.h>

#define URL_BYTES_MAX ((size_t) 4096)
#define TIMEOUT_SECONDS_MAX 600
#define MS_PER_SECOND 1000

static dw_str
variable(const char *name)
{
    return dw__str_from(getenv(name));
}

static dw_str
first_of(const char *a, const char *b)
{
    dw_str found = variable(a);
    return found.len > 0 ? found : variable(b);
}

static bool
is(const char *name, const char *value)
{
    return dw__str_equal_nocase(variable(name), dw__str_from(value));
}

/* <url>/<endpoint>; empty where events go to no server. */
static void
put_url(dw_strbuf *out)
{
    dw_str url = first_of("OPENLINEAGE__TRANSPORT__URL", "OPENLINEAGE_URL");
    dw_str endpoint = first_of("OPENLINEAGE__TRANSPORT__ENDPOINT", "OPENLINEAGE_ENDPOINT");
    bool is_other = variable("OPENLINEAGE__TRANSPORT__TYPE").len > 0 &&
                    !is("OPENLINEAGE__TRANSPORT__TYPE", "http");
    if (url.len == 0 || is_other) {
        return;
    }
    endpoint = endpoint.len > 0 ? endpoint : DW_STR("api/v1/lineage");
    bool has_slash = dw__str_ends_with(url, DW_STR("/"));
    dw__strbuf_append(out, dw__str_slice(url, 0, url.len - (has_slash ? 1 : 0)));
    dw__strbuf_append(out, dw__str_starts_with(endpoint, DW_STR("/")) ? DW_STR("") : DW_STR("/"));
    dw__strbuf_append(out, endpoint);
}

static long
time_max_ms(void)
{
    double seconds;
    dw_str text = variable("OPENLINEAGE__TRANSPORT__TIMEOUT");
    bool is_right = text.len > 0 && dw__str_to_double(text, &seconds) && seconds > 0 &&
                    seconds <= TIMEOUT_SECONDS_MAX;
    return is_right ? (long) (seconds * MS_PER_SECOND) + 1 : DW_EMITTER_TIME_MAX_MS;
}

static dw_status
open_emitter(const dw_env *env, dw_emitter **out, dw_error *err)
{
    DW_AUTO(dw_strbuf) url = dw__strbuf_make(env->allocator, URL_BYTES_MAX);
    *out = NULL;
    if (is("OPENLINEAGE_DISABLED", "true")) {
        return DW_OK;
    }
    put_url(&url);
    DW_TRY(dw__strbuf_ok(&url, "OPENLINEAGE_URL", err));
    dw_emitter_options options = {.url = url.len > 0 ? dw__strbuf_cstr(&url) : NULL,
                                  .api_key = getenv("OPENLINEAGE_API_KEY"),
                                  .time_max_ms = time_max_ms()};
    if (is("OPENLINEAGE__TRANSPORT__TYPE", "file")) {
        options.file = getenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH");
    }
    return options.url == NULL && options.file == NULL ? DW_OK
                                                       : dw__emitter_open(env, &options, out, err);
}

dw_status
dw__runtime_set_lineage(dw_runtime *runtime, dw_error *err)
{
    dw_identity identity;
    DW_TRY(open_emitter(&runtime->env, &runtime->emitter, err));
    dw__identity_system(&identity); /* as the audit log has it: not from the environment */
    dw_lineage_defaults defaults = {.namespace_name = variable("OPENLINEAGE_NAMESPACE"),
                                    .user = dw__str_from(identity.user),
                                    .parent = variable("OPENLINEAGE_PARENT_ID"),
                                    .emitter = runtime->emitter};
    return dw__catalog_set_lineage(runtime->catalog, &defaults, err);
}
