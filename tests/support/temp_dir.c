/*
 * Directories and files for tests, by the C library alone: what is tested is not used here.
 */
#include "support/temp_dir.h"

#include "base/assert.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
default_base(void)
{
    const char *chosen = getenv("TMPDIR");
    if (chosen != NULL && chosen[0] != '\0') {
        return chosen;
    }
    return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

void
dwt_temp_dir_make(dwt_temp_dir *dir)
{
    dwt_temp_dir_make_below(dir, default_base());
}

void
dwt_temp_dir_make_below(dwt_temp_dir *dir, const char *base)
{
    char pattern[DWT_PATH_SIZE];
    int len = snprintf(pattern, sizeof(pattern), "%s/deltaworks-test-XXXXXX", base);
    dw_assert(len > 0 && (size_t) len < sizeof(pattern));
    char *made = mkdtemp(pattern);
    dw_assert(made != NULL);
    char *resolved = realpath(pattern, NULL);
    dw_assert(resolved != NULL);
    snprintf(dir->path, sizeof(dir->path), "%s", resolved);
    free(resolved);
}

static int
remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void) info;
    (void) type;
    (void) walk;
    return remove(path);
}

void
dwt_remove_tree(const char *path)
{
    if (nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) != 0) {
        dw_assert(errno == ENOENT);
    }
}

void
dwt_temp_dir_remove(dwt_temp_dir *dir)
{
    dwt_remove_tree(dir->path);
}

static void
make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0777);
        dw_assert(failed == 0 || errno == EEXIST);
        *slash = '/';
    }
}

void
dwt_write_file(const char *dir, const char *name, dw_str bytes)
{
    char path[2 * DWT_PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
    dw_assert(len > 0 && (size_t) len < sizeof(path));
    make_parents(path);
    FILE *file = fopen(path, "wb");
    dw_assert(file != NULL);
    size_t written = bytes.len == 0 ? 0 : fwrite(bytes.ptr, 1, bytes.len, file);
    dw_assert(written == bytes.len);
    int failed = fclose(file);
    dw_assert(failed == 0);
}

char *
dwt_read_file(const char *dir, const char *name, size_t *size_out)
{
    char path[2 * DWT_PATH_SIZE];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
    dw_assert(len > 0 && (size_t) len < sizeof(path));
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    int failed = fseek(file, 0, SEEK_END);
    long size = ftell(file);
    dw_assert(failed == 0 && size >= 0);
    rewind(file);
    char *bytes = malloc((size_t) size + 1);
    dw_assert(bytes != NULL);
    size_t got = fread(bytes, 1, (size_t) size, file);
    dw_assert(got == (size_t) size);
    bytes[got] = '\0';
    fclose(file);
    if (size_out != NULL) {
        *size_out = got;
    }
    return bytes;
}
