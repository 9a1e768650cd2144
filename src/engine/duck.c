/*
 * Finding and opening libduckdb [DUCK-1] [DUCK-2].
 */
#include "engine/duck.h"

#include "base/assert.h"
#include "engine/installed_at.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LIBRARY_NAME "libduckdb.so"

enum { PATH_BYTES_MAX = PATH_MAX + 64, PLACES_BYTES_MAX = 800 };

/* Where the library was looked for, and what the last try said: for the message. */
typedef struct search {
    char places[PLACES_BYTES_MAX];
    char reason[PLACES_BYTES_MAX];
} search;

static void *
try_place(const char *path, search *tried)
{
    /* Lazy: of the 24,000 functions that the library binds to itself a query needs a few hundred;
     * binding all of them costs 6 ms. */
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        size_t used = strlen(tried->places);
        snprintf(tried->places + used, sizeof(tried->places) - used, "%s%s", used == 0 ? "" : ", ",
                 path);
        const char *reason = dlerror();
        if (reason != NULL && strstr(reason, "No such file") == NULL) {
            snprintf(tried->reason, sizeof(tried->reason), " (%s)", reason);
        }
    }
    return library;
}

/* The directory of the shared library or program that holds this code; false when not known. */
static bool
own_directory(char out[PATH_BYTES_MAX])
{
    static const char anchor = 0;
    Dl_info info;
    if (dladdr(&anchor, &info) == 0 || info.dli_fname == NULL) {
        return false;
    }
    /* A program is known by the words that it was started with, which need not be a path. */
    bool is_program = strcmp(info.dli_fname, program_invocation_name) == 0;
    char resolved[PATH_MAX];
    if (realpath(is_program ? "/proc/self/exe" : info.dli_fname, resolved) == NULL) {
        return false;
    }
    char *slash = strrchr(resolved, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    snprintf(out, PATH_BYTES_MAX, "%s", resolved);
    return true;
}

static void *
open_library(search *tried)
{
    const char *wanted = getenv("DELTAWORKS_DUCKDB");
    if (wanted != NULL && wanted[0] != '\0') {
        return try_place(wanted, tried);
    }
    static const char *const beside[] = {"", "/../lib/deltaworks", "/deltaworks"};
    char directory[PATH_BYTES_MAX];
    if (own_directory(directory)) {
        for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
            char path[PATH_BYTES_MAX + 64];
            snprintf(path, sizeof(path), "%s%s/" LIBRARY_NAME, directory, beside[i]);
            void *library = try_place(path, tried);
            if (library != NULL) {
                return library;
            }
        }
    }
    /* A user's program that has linked the static library lies anywhere. */
    void *installed = try_place(DW_INSTALLED_ENGINE, tried);
    return installed != NULL ? installed : try_place(LIBRARY_NAME, tried);
}

static dw_status
missing_function(void *library, const char *name, dw_error *err)
{
    Dl_info info;
    const void *known = dlsym(library, "duckdb_library_version");
    bool is_found = known != NULL && dladdr(known, &info) != 0 && info.dli_fname != NULL;
    return dw__error_set(err, DW_UNSUPPORTED, "ENGINE_TOO_OLD",
                         "expected DuckDB 1.5 or newer, found %s without %s; set "
                         "DELTAWORKS_DUCKDB to a newer libduckdb.so",
                         is_found ? info.dli_fname : LIBRARY_NAME, name);
}

/* ISO C has no cast from an object pointer to a function pointer; POSIX says that copying works. */
static bool
resolve(void *library, const char *name, void *function_out, size_t size)
{
    void *symbol = dlsym(library, name);
    memcpy(function_out, &symbol, size);
    return symbol != NULL;
}

static dw_status
fill_table(void *library, dw_duck *out, dw_error *err)
{
#define RESOLVE(name)                                                                              \
    if (!resolve(library, "duckdb_" #name, &out->name, sizeof(out->name))) {                       \
        return missing_function(library, "duckdb_" #name, err);                                    \
    }
    DW_DUCK_FUNCTIONS(RESOLVE)
#undef RESOLVE
    if (!resolve(library, "duckdb_free", &out->release, sizeof(out->release))) {
        return missing_function(library, "duckdb_free", err);
    }
    return DW_OK;
}

static dw_status
load(dw_duck *out, dw_error *err)
{
    search tried = {{0}, {0}};
    void *library = open_library(&tried);
    if (library == NULL) {
        return dw__error_set(err, DW_UNSUPPORTED, "ENGINE_NOT_FOUND",
                             "expected the query engine as one of %s, found none that opens%s; "
                             "set DELTAWORKS_DUCKDB to the path of libduckdb.so",
                             tried.places, tried.reason);
    }
    return fill_table(library, out, err);
}

typedef struct process_table {
    pthread_mutex_t mutex; /* guards the loading */
    atomic_bool is_loaded;
    dw_duck duck;
} process_table;

static process_table *
the_table(void)
{
    static process_table table = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    return &table;
}

dw_status
dw__duck_load(const dw_duck **out, dw_error *err)
{
    process_table *table = the_table();
    dw_status status = DW_OK;
    *out = NULL;
    pthread_mutex_lock(&table->mutex);
    if (!atomic_load(&table->is_loaded)) {
        status = load(&table->duck, err);
        atomic_store(&table->is_loaded, status == DW_OK);
    }
    pthread_mutex_unlock(&table->mutex);
    if (status == DW_OK) {
        *out = &table->duck;
    }
    return status;
}

const dw_duck *
dw__duck_loaded(void)
{
    process_table *table = the_table();
    dw_assert(atomic_load(&table->is_loaded));
    return &table->duck;
}
