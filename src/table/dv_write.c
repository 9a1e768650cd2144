/*
 * Deletion vectors into files, or into the log.
 */
#include "table/dv_write.h"

#include "base/assert.h"
#include "codec/codec.h"

#define DV_FILE_VERSION '\x01'
/* A rowset of 2^31 rows at most takes less, and offsets are 32 bits. */
#define DV_FILE_BYTES_MAX ((size_t) 1 << 30)

void
dw__dv_writer_init(dw_dv_writer *writer, dw_storage *storage, dw_arena *arena)
{
    *writer = (dw_dv_writer){.storage = storage,
                             .arena = arena,
                             .file = dw__strbuf_make(arena->allocator, DV_FILE_BYTES_MAX)};
}

void
dw__dv_writer_deinit(dw_dv_writer *writer)
{
    dw__strbuf_deinit(&writer->file);
}

/* ---- In the log ------------------------------------------------------------------------------ */

/* z85 comes in groups of four bytes: sizeInBytes says where the vector ends. */
static dw_status
put_inline(dw_dv_writer *writer, dw_str payload, dw_dv_descriptor *out, dw_error *err)
{
    char padded[DW_DV_INLINE_BYTES_MAX + 3] = {0};
    memcpy(padded, payload.ptr, payload.len);
    dw_str bytes = dw__str_make(padded, (payload.len + 3) / 4 * 4);
    out->storage_type = 'i';
    return dw__z85_encode(writer->arena, bytes, &out->path_or_inline_dv, err);
}

/* ---- In files -------------------------------------------------------------------------------- */

static void
put_big_endian_u32(dw_strbuf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        dw__strbuf_append_char(out, (char) (value >> shift & 0xff));
    }
}

static dw_status
keep_key(dw_dv_writer *writer, dw_error *err)
{
    if (writer->key_count == writer->key_capacity) {
        size_t capacity = 2 * writer->key_capacity + 4;
        dw_str *keys = DW_ARENA_ARRAY(writer->arena, dw_str, capacity);
        if (keys == NULL) {
            return dw__error_oom(err);
        }
        for (size_t i = 0; i < writer->key_count; i++) {
            keys[i] = writer->keys[i];
        }
        writer->keys = keys;
        writer->key_capacity = capacity;
    }
    writer->keys[writer->key_count++] = writer->key;
    return DW_OK;
}

static dw_status
begin_file(dw_dv_writer *writer, dw_error *err)
{
    uint8_t bytes[DW_UUID_BYTES];
    char text[DW_UUID_TEXT_SIZE];
    dw__uuid_bytes(writer->storage->env, bytes);
    dw__uuid_format(bytes, text);
    dw_str raw = dw__str_make((const char *) bytes, DW_UUID_BYTES);
    DW_TRY(dw__z85_encode(writer->arena, raw, &writer->uuid_z85, err));
    writer->key = dw__arena_printf(writer->arena, "deletion_vector_%s.bin", text);
    if (dw__str_is_null(writer->key)) {
        return dw__error_oom(err);
    }
    dw__strbuf_append_char(&writer->file, DV_FILE_VERSION);
    return DW_OK;
}

dw_status
dw__dv_writer_finish(dw_dv_writer *writer, dw_error *err)
{
    if (writer->file.len == 0) {
        return DW_OK;
    }
    DW_TRY(dw__strbuf_ok(&writer->file, "a file of deletion vectors", err));
    /* Kept first: what may have been written must be removed when the change fails. */
    DW_TRY(keep_key(writer, err));
    DW_TRY(dw__storage_put(writer->storage, writer->key, dw__strbuf_str(&writer->file), err));
    dw__strbuf_clear(&writer->file);
    return DW_OK;
}

static dw_status
put_in_file(dw_dv_writer *writer, dw_str payload, dw_dv_descriptor *out, dw_error *err)
{
    if (writer->file.len >= DW_DV_FILE_BYTES) {
        DW_TRY(dw__dv_writer_finish(writer, err));
    }
    if (writer->file.len == 0) {
        DW_TRY(begin_file(writer, err));
    }
    out->storage_type = 'u';
    out->path_or_inline_dv = writer->uuid_z85;
    out->has_offset = true;
    out->offset = (int32_t) writer->file.len;
    put_big_endian_u32(&writer->file, (uint32_t) payload.len);
    dw__strbuf_append(&writer->file, payload);
    put_big_endian_u32(&writer->file, dw__crc32(payload));
    return dw__strbuf_ok(&writer->file, "a file of deletion vectors", err);
}

/* ---- Both ------------------------------------------------------------------------------------ */

dw_status
dw__dv_writer_put(dw_dv_writer *writer, const dw_rowset *rows, dw_dv_descriptor **out,
                  dw_error *err)
{
    *out = NULL;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, writer->arena->allocator);
    dw_str payload;
    DW_TRY(dw__rowset_serialize(rows, &scratch, &payload, err));
    dw_assert(payload.len <= INT32_MAX);
    dw_dv_descriptor *dv = DW_ARENA_NEW(writer->arena, dw_dv_descriptor);
    if (dv == NULL) {
        return dw__error_oom(err);
    }
    dv->size_bytes = (int32_t) payload.len;
    dv->cardinality = (int64_t) dw__rowset_cardinality(rows);
    bool is_inline = writer->uses_log && payload.len <= DW_DV_INLINE_BYTES_MAX;
    DW_TRY(is_inline ? put_inline(writer, payload, dv, err)
                     : put_in_file(writer, payload, dv, err));
    *out = dv;
    return DW_OK;
}

void
dw__dv_writer_discard(dw_dv_writer *writer)
{
    for (size_t i = 0; i < writer->key_count; i++) {
        if (dw__storage_remove(writer->storage, writer->keys[i], NULL) != DW_OK) {
            dw__env_warn(writer->storage->env, "could not remove %.*s, which no version uses",
                         DW_STR_ARG(writer->keys[i]));
        }
    }
    writer->key_count = 0;
}
