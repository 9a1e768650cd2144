/*
 * Many processes append to one table at once, each through the public interface: every append must
 * succeed, and in the end every row is there once and every commit in the history.
 *
 *   many_writers [PROCESSES APPENDS]     8 and 50 unless given
 */
#include <deltaworks.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_DEFAULT = 8, APPENDS_DEFAULT = 50, ROWS_PER_APPEND = 10, PATH_SIZE = 300 };

static void
check(dw_status status, const dw_error *err, const char *doing)
{
    if (status != DW_OK) {
        fprintf(stderr, "%s: %s %s: %s (%s)\n", doing, dw_status_name(status), err->code,
                err->message, err->context);
        exit(1);
    }
}

/* ---- rows with one column of numbers --------------------------------------------------------- */

typedef struct batch {
    int64_t values[ROWS_PER_APPEND];
    const void *column_buffers[2];
    const void *row_buffers[1];
    struct ArrowArray column;
    struct ArrowArray *columns[1];
    bool is_given;
} batch;

static void
release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void
release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

static void
release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static int
get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    static struct ArrowSchema column;
    static struct ArrowSchema *columns[] = {&column};
    (void) stream;
    column = (struct ArrowSchema){
        .format = "l", .name = "id", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 1,
                                .children = columns,
                                .release = release_schema};
    return 0;
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    batch *rows = stream->private_data;
    memset(out, 0, sizeof(*out));
    if (rows->is_given) {
        return 0;
    }
    rows->is_given = true;
    rows->column_buffers[1] = rows->values;
    rows->column = (struct ArrowArray){.length = ROWS_PER_APPEND,
                                       .n_buffers = 2,
                                       .buffers = rows->column_buffers,
                                       .release = release_array};
    rows->columns[0] = &rows->column;
    *out = (struct ArrowArray){.length = ROWS_PER_APPEND,
                               .n_buffers = 1,
                               .buffers = rows->row_buffers,
                               .n_children = 1,
                               .children = rows->columns,
                               .release = release_array};
    return 0;
}

static const char *
get_last_error(struct ArrowArrayStream *stream)
{
    (void) stream;
    return NULL;
}

static struct ArrowArrayStream
stream_of(batch *rows)
{
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = rows};
}

/* ---- writing --------------------------------------------------------------------------------- */

static dw_runtime *
open_runtime(void)
{
    dw_error err = DW_ERROR_INIT;
    dw_runtime_options options = DW_RUNTIME_OPTIONS_INIT;
    options.thread_count = 1;
    dw_runtime *runtime;
    check(dw_runtime_open(&options, &runtime, &err), &err, "opening a runtime");
    return runtime;
}

static void
create_table(const char *path)
{
    dw_runtime *runtime = open_runtime();
    dw_error err = DW_ERROR_INIT;
    struct ArrowArrayStream nothing = stream_of(NULL);
    struct ArrowSchema schema;
    get_schema(&nothing, &schema);
    dw_table *table;
    check(dw_table_create(runtime, path, &schema, NULL, &table, &err), &err, "creating the table");
    dw_table_close(table);
    dw_runtime_close(runtime);
}

/* Row r of append a by writer w has the number (w * appends + a) * ROWS_PER_APPEND + r. */
static void
append_all(const char *path, int64_t writer, int64_t append_count)
{
    dw_runtime *runtime = open_runtime();
    dw_error err = DW_ERROR_INIT;
    dw_table *table;
    check(dw_table_open(runtime, path, &table, &err), &err, "opening the table");
    for (int64_t i = 0; i < append_count; i++) {
        batch rows = {.is_given = false};
        for (int64_t r = 0; r < ROWS_PER_APPEND; r++) {
            rows.values[r] = (writer * append_count + i) * ROWS_PER_APPEND + r;
        }
        struct ArrowArrayStream stream = stream_of(&rows);
        dw_commit commit;
        check(dw_table_append(table, &stream, NULL, &commit, &err), &err, "appending");
    }
    dw_table_close(table);
    dw_runtime_close(runtime);
}

/* ---- looking at what came of it -------------------------------------------------------------- */

static void
fail(const char *what, int64_t expected, int64_t found)
{
    fprintf(stderr, "%s: expected %" PRId64 ", found %" PRId64 "\n", what, expected, found);
    exit(1);
}

static void
count_rows(dw_snapshot *snapshot, unsigned char *seen, int64_t row_count)
{
    dw_error err = DW_ERROR_INIT;
    struct ArrowArrayStream stream;
    check(dw_snapshot_scan(snapshot, NULL, &stream, &err), &err, "scanning");
    for (;;) {
        struct ArrowArray rows;
        if (stream.get_next(&stream, &rows) != 0) {
            fprintf(stderr, "scanning: %s\n", stream.get_last_error(&stream));
            exit(1);
        }
        if (rows.release == NULL) {
            break;
        }
        const struct ArrowArray *column = rows.children[0];
        const int64_t *values = column->buffers[1];
        for (int64_t i = 0; i < column->length; i++) {
            int64_t id = values[column->offset + i];
            if (id < 0 || id >= row_count || seen[id] != 0) {
                fail("a row that nobody wrote, or that is there twice", -1, id);
            }
            seen[id] = 1;
        }
        rows.release(&rows);
    }
    stream.release(&stream);
}

static void
check_table(const char *path, int64_t commit_count)
{
    dw_runtime *runtime = open_runtime();
    dw_error err = DW_ERROR_INIT;
    dw_table *table;
    dw_snapshot *snapshot;
    check(dw_table_open(runtime, path, &table, &err), &err, "opening the table");
    check(dw_table_snapshot(table, NULL, &snapshot, &err), &err, "reading the table");
    if (dw_snapshot_version(snapshot) != commit_count) {
        fail("the newest version", commit_count, dw_snapshot_version(snapshot));
    }
    if (dw_snapshot_file_count(snapshot) != commit_count) {
        fail("files", commit_count, dw_snapshot_file_count(snapshot));
    }
    int64_t row_count = commit_count * ROWS_PER_APPEND;
    unsigned char *seen = calloc(1, (size_t) row_count);
    if (seen == NULL) {
        exit(1);
    }
    count_rows(snapshot, seen, row_count);
    for (int64_t i = 0; i < row_count; i++) {
        if (seen[i] == 0) {
            fail("a row is lost", i, -1);
        }
    }
    free(seen);
    dw_snapshot_unref(snapshot);
    dw_table_close(table);
    dw_runtime_close(runtime);
}

/* Each writer is a program of its own: the engine must not be shared by fork. */
static void
run_writers(const char *program, const char *path, int64_t process_count, const char *appends)
{
    for (int64_t i = 0; i < process_count; i++) {
        pid_t child = fork();
        if (child == 0) {
            char number[32];
            snprintf(number, sizeof(number), "%" PRId64, i);
            execl(program, program, "--writer", path, number, appends, (char *) NULL);
            _exit(127);
        }
        if (child < 0) {
            perror("fork");
            exit(1);
        }
    }
    int failed = 0;
    int status;
    while (wait(&status) > 0) {
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    if (failed > 0) {
        fail("writers that failed", 0, failed);
    }
}

static void
remove_tree(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", path, (char *) NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--writer") == 0) {
        append_all(argv[2], strtoll(argv[3], NULL, 10), strtoll(argv[4], NULL, 10));
        return 0;
    }
    int64_t process_count = argc == 3 ? strtoll(argv[1], NULL, 10) : PROCESSES_DEFAULT;
    char appends[32];
    snprintf(appends, sizeof(appends), "%" PRId64,
             argc == 3 ? (int64_t) strtoll(argv[2], NULL, 10) : (int64_t) APPENDS_DEFAULT);
    char dir[PATH_SIZE];
    const char *base = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/deltaworks-writers-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return 1;
    }
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof(path), "%s/table", dir);
    create_table(path);
    run_writers("/proc/self/exe", path, process_count, appends);
    int64_t commit_count = process_count * strtoll(appends, NULL, 10);
    check_table(path, commit_count);
    remove_tree(dir);
    printf("%" PRId64 " commits of %" PRId64 " processes, none lost, none failed\n", commit_count,
           process_count);
    printf("1 passed, 0 failed\n");
    return 0;
}
