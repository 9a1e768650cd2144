#include "base/assert.h"
#include "engine/internal.h"
#include "engine/vector_view.h"
static const dw_column_spec kv[] = {{"key", DW_VECTOR_STR, NULL, 0}, {"value", DW_VECTOR_STR, NULL, 0}};
static const dw_column_spec kvv[] = {{"key", DW_VECTOR_STR, NULL, 0}, {"value", DW_VECTOR_MAP, kv, 2}};
static const dw_column_spec cols[] = {{"filename", DW_VECTOR_STR, NULL, 0}, {"count", DW_VECTOR_I64, NULL, 0},
 {"size", DW_VECTOR_I64, NULL, 0}, {"footer", DW_VECTOR_I64, NULL, 0}, {"stats", DW_VECTOR_MAP, kvv, 2}, {"parts", DW_VECTOR_MAP, kv, 2}};
static dw_str S(const dw_vector *v, size_t i, dw_arena *a){ dw_str o = DW_STR_NULL; if(!dw__vector_is_valid(v,i)) return o; (void)dw__arena_dup(a, ((const dw_str*)v->data)[i], &o); return o; }
dw_status dw__connection_copy(dw_connection *c, const dw_copy_request *q, dw_arena *arena, dw_copy_file **out, size_t *n, dw_error *err)
{
    *out = NULL; *n = 0; duckdb_connection h;
    DW_TRY(dw__connection_handle(c, &h, err));
    const dw_duck *duck = c->database->duck;
    DW_AUTO(dw_strbuf) s = dw__strbuf_make(arena->allocator, DW_SQL_BYTES_MAX);
    DW_AUTO(dw_strbuf) p = dw__strbuf_make(arena->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append(&p, q->directory);
    if (!q->partition_column_count) { dw__strbuf_append_char(&p,'/'); dw__strbuf_append(&p, q->file_prefix); dw__strbuf_append_literal(&p, "-0.parquet"); }
    dw__strbuf_append_literal(&s, "COPY ("); dw__strbuf_append(&s, q->query); dw__strbuf_append_literal(&s, ") TO ");
    dw__sql_put_literal(&s, dw__strbuf_str(&p));
    dw__strbuf_printf(&s, " (FORMAT parquet, RETURN_STATS, COMPRESSION %.*s", DW_STR_ARG(q->compression));
    if (q->partition_column_count) { dw__strbuf_append_literal(&s, ", OVERWRITE_OR_IGNORE true, FILENAME_PATTERN '"); dw__strbuf_append(&s, q->file_prefix); dw__strbuf_append_literal(&s, "-{i}', PARTITION_BY (");
      for (size_t i=0;i<q->partition_column_count;i++){ if(i) dw__strbuf_append_literal(&s, ", "); dw__sql_put_identifier(&s, q->partition_columns[i]); } dw__strbuf_append_char(&s, ')'); }
    dw__strbuf_append_char(&s, ')');
    duckdb_result r = {0};
    DW_TRY(dw__statement_query(duck, h, dw__strbuf_cstr(&s), &r, err));
    *out = DW_ARENA_ARRAY(arena, dw_copy_file, 10000);
    dw_status st = DW_OK; duckdb_data_chunk ch = NULL;
    while ((st = dw__statement_fetch(duck, &r, &ch, err)) == DW_OK && ch) {
        dw_batch b; st = dw__vector_view(duck, ch, cols, 6, arena, &b, err); if (st) break;
        for (size_t i = 0; i < b.row_count; i++) {
            dw_copy_file *f = &(*out)[(*n)++];
            dw_str path = S(&b.columns[0], i, arena);
            f->path = dw__str_slice(path, q->directory.len + 1, path.len);
            f->row_count = ((const int64_t*)b.columns[1].data)[i]; f->size_bytes = ((const int64_t*)b.columns[2].data)[i];
            f->partition_values = DW_ARENA_ARRAY(arena, dw_str, q->partition_column_count + 1);
            dw_span sp = ((const dw_span*)b.columns[5].data)[i];
            if (dw__vector_is_valid(&b.columns[5], i)) for (size_t k = sp.offset; k < sp.offset + sp.len; k++) { dw_str key = S(&b.columns[5].children[0], k, arena);
              for (size_t m = 0; m < q->partition_column_count; m++) if (dw__str_equal(key, q->partition_columns[m])) { f->partition_values[m] = S(&b.columns[5].children[1], k, arena); if (dw__str_equal(f->partition_values[m], DW_STR("__HIVE_DEFAULT_PARTITION__"))) f->partition_values[m]=DW_STR_NULL; } }
            dw_span cs = ((const dw_span*)b.columns[4].data)[i];
            f->columns = DW_ARENA_ARRAY(arena, dw_copy_column, cs.len + 1); f->column_count = cs.len;
            const dw_vector *inner = &b.columns[4].children[1];
            for (size_t k = 0; k < cs.len; k++) { dw_copy_column *cc = &f->columns[k]; cc->column = S(&b.columns[4].children[0], cs.offset + k, arena);
              dw_span is = ((const dw_span*)inner->data)[cs.offset + k];
              for (size_t m = is.offset; m < is.offset + is.len; m++) { dw_str key = S(&inner->children[0], m, arena), v = S(&inner->children[1], m, arena);
                if (dw__str_equal(key, DW_STR("min"))) cc->min = v; else if (dw__str_equal(key, DW_STR("max"))) cc->max = v;
                else if (dw__str_equal(key, DW_STR("null_count"))) cc->has_null_count = dw__str_to_i64(v, &cc->null_count); else if (dw__str_equal(key, DW_STR("has_nan"))) cc->has_nan = dw__str_equal(v, DW_STR("true")); } }
        }
        duck->destroy_data_chunk(&ch); ch = NULL;
    }
    duck->destroy_result(&r);
    return st;
}
dw_status dw__connection_bind_stream(dw_connection *c, dw_str name, struct ArrowArrayStream *s, dw_error *err){(void)c;(void)name;(void)s;return dw__error_set(err, DW_UNSUPPORTED, "X", "x");}
void dw__connection_unbind_stream(dw_connection *c, dw_str name){(void)c;(void)name;}
