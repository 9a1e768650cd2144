/*
 * Creates a Delta table, appends rows to it, reads them back, and prints its history.
 *
 *     cc append_and_scan.c $(pkg-config --cflags --libs deltaworks) -o append_and_scan
 *     ./append_and_scan /tmp/sensors
 */
#include <deltaworks.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * ---- Three rows as an Arrow stream. Real programs get such streams from a library. ------------
 */

static int64_t sensor_ids[] = {1, 2, 3};
static double readings[] = {20.5, 21.0, 19.75};
static const void *id_buffers[] = {NULL, sensor_ids};
static const void *reading_buffers[] = {NULL, readings};
static const void *row_buffers[] = {NULL};

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
    static struct ArrowSchema columns[2];
    static struct ArrowSchema *pointers[] = {&columns[0], &columns[1]};
    (void) stream;
    columns[0] = (struct ArrowSchema){
        .format = "l", .name = "sensor", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    columns[1] = (struct ArrowSchema){
        .format = "g", .name = "celsius", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 2,
                                .children = pointers,
                                .release = release_schema};
    return 0;
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    static struct ArrowArray columns[2];
    static struct ArrowArray *pointers[] = {&columns[0], &columns[1]};
    int *batches_left = stream->private_data;
    memset(out, 0, sizeof(*out));
    if ((*batches_left)-- <= 0) {
        return 0; /* the end: an array that is released already */
    }
    columns[0] = (struct ArrowArray){
        .length = 3, .n_buffers = 2, .buffers = id_buffers, .release = release_array};
    columns[1] = (struct ArrowArray){
        .length = 3, .n_buffers = 2, .buffers = reading_buffers, .release = release_array};
    *out = (struct ArrowArray){.length = 3,
                               .n_buffers = 1,
                               .buffers = row_buffers,
                               .n_children = 2,
                               .children = pointers,
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
make_rows(int *batches_left)
{
    *batches_left = 1;
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = batches_left};
}

/*
 * ---- The job -----------------------------------------------------------------------------------
 */

static dw_status
create_and_append(dw_runtime *runtime, const char *path, dw_table **table, dw_error *err)
{
    int batches_left;
    struct ArrowArrayStream rows = make_rows(&batches_left);
    struct ArrowSchema schema;
    get_schema(&rows, &schema);
    dw_status status = dw_table_create(runtime, path, &schema, NULL, table, err);
    schema.release(&schema);
    if (status != DW_OK) {
        return status;
    }
    /* With a transaction id the append happens once, however often it is tried. */
    dw_append_options options = DW_APPEND_OPTIONS_INIT;
    options.txn_app_id = "sensor-gateway";
    options.txn_version = 1;
    dw_commit commit;
    status = dw_table_append(*table, &rows, &options, &commit, err);
    if (status == DW_OK) {
        printf("appended %" PRId64 " rows as version %" PRId64 "\n", commit.rows_added,
               commit.version);
    }
    return status;
}

/* Counts the rows for which the filter is true. Files that it excludes are not opened. */
static dw_status
count_warm(dw_table *table, int64_t *count, dw_error *err)
{
    dw_snapshot *snapshot = NULL;
    struct ArrowArrayStream rows = {0};
    dw_scan_options options = DW_SCAN_OPTIONS_INIT;
    options.filter = "celsius >= 20";
    *count = 0;
    dw_status status = dw_table_snapshot(table, NULL, &snapshot, err);
    if (status == DW_OK) {
        status = dw_snapshot_scan(snapshot, &options, &rows, err);
    }
    while (status == DW_OK) {
        struct ArrowArray batch;
        if (rows.get_next(&rows, &batch) != 0) {
            fprintf(stderr, "reading failed: %s\n", rows.get_last_error(&rows));
            status = DW_IO;
        } else if (batch.release == NULL) {
            break;
        } else {
            *count += batch.length;
            batch.release(&batch);
        }
    }
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    dw_snapshot_unref(snapshot);
    return status;
}

static dw_status
print_past(dw_table *table, dw_error *err)
{
    dw_snapshot_options options = DW_SNAPSHOT_OPTIONS_INIT;
    options.version = 0;
    dw_snapshot *snapshot = NULL;
    dw_status status = dw_table_snapshot(table, &options, &snapshot, err);
    if (status == DW_OK) {
        printf("version %" PRId64 " had %" PRId64 " files\n", dw_snapshot_version(snapshot),
               dw_snapshot_file_count(snapshot));
    }
    dw_snapshot_unref(snapshot);
    return status;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s NEW-TABLE\n", argv[0]);
        return 2;
    }
    dw_error err = DW_ERROR_INIT;
    dw_runtime *runtime = NULL;
    dw_table *table = NULL;
    int64_t warm = 0;
    dw_status status = dw_runtime_open(NULL, &runtime, &err);
    if (status == DW_OK) {
        status = create_and_append(runtime, argv[1], &table, &err);
    }
    if (status == DW_OK) {
        status = count_warm(table, &warm, &err);
    }
    if (status == DW_OK) {
        printf("%" PRId64 " of them are warm\n", warm);
        status = print_past(table, &err);
    }
    if (status != DW_OK) {
        fprintf(stderr, "%s: %s\n", err.code, err.message);
    }
    dw_table_close(table);
    dw_runtime_close(runtime);
    return status == DW_OK ? 0 : 1;
}
