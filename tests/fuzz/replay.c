/*
 * Runs a target over files, for compilers without libFuzzer and for the normal tests.
 *
 *     <target>_replay FILE_OR_DIRECTORY...
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_SIZE 4096

static size_t
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    DW_AUTO(dw_strbuf) bytes = fuzz_strbuf();
    char chunk[4096];
    size_t count;
    while ((count = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        dw__strbuf_append(&bytes, dw__str_make(chunk, count));
    }
    fclose(file);
    /* A copy of its own size, so that reading beyond it is noticed. */
    uint8_t *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    dw_assert(copy != NULL);
    memcpy(copy, dw__strbuf_cstr(&bytes), bytes.len);
    fprintf(stderr, "%s\n", path);
    (void) LLVMFuzzerTestOneInput(copy, bytes.len);
    free(copy);
    return 1;
}

static size_t
replay_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t replayed = 0;
    for (int i = 0; i < count; i++) {
        char file[PATH_SIZE];
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replayed += replay_file(file);
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int
main(int argc, char **argv)
{
    size_t replayed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        bool is_directory = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode);
        replayed += is_directory ? replay_directory(argv[i]) : replay_file(argv[i]);
    }
    printf("%zu inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
