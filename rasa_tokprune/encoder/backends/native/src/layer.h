/* One transformer layer. */
#ifndef TOKPRUNE_LAYER_H
#define TOKPRUNE_LAYER_H

#include "model.h"

/* rows = norm(rows + added); added may be NULL. */
static void add_norm(float *rows, const float *added, int n_rows, int width,
                     const float *const norm[2], float epsilon) {
  for (int r = 0; r < n_rows; r++) {
    float *row = rows + (size_t)r * width;
    vfloat total = {0}, squares = {0};
    for (int i = 0; i < width; i += LANES) {
      vfloat x = load(row + i);
      if (added) {
        x += load(added + (size_t)r * width + i);
        store(row + i, x);
      }
      total += x;
    }
    const float mean = sum_lanes(total) / width;
    for (int i = 0; i < width; i += LANES) {
      const vfloat x = load(row + i) - mean;
      squares = fma_of(x, x, squares);
    }
    const float factor = 1.0f / sqrtf(sum_lanes(squares) / width + epsilon);
    for (int i = 0; i < width; i += LANES)
      store(row + i,
            fma_of((load(row + i) - mean) * factor, load(norm[0] + i), load(norm[1] + i)));
  }
}

/* Rows of a chunk: so few that wide states stay in the second-level cache between two
 * multiplications, and of several workers each gets as many. */
static int rows_at_once(int n, int n_workers) {
  if (n_workers == 1) return FEED_FORWARD_ROWS;
  const int each = (n + n_workers - 1) / n_workers;
  const int chunks_each = (each + FEED_FORWARD_ROWS - 1) / FEED_FORWARD_ROWS;
  return round_up((each + chunks_each - 1) / chunks_each, ROWS_OF_KERNEL);
}

/* A layer's work, cut into chunks of rows or of heads. */
typedef struct {
  Sentence *s;
  const Layer *layer;
  Attention attention;
  int rows_at_once;
  int is_pruning; /* the attention that each key receives is wanted */
} LayerWork;

/* Rows [row, row + returned number) of a chunk. */
static inline int rows_of(const LayerWork *work, int chunk, int *row) {
  *row = chunk * work->rows_at_once;
  const int left = work->s->n_active - *row;
  return left < work->rows_at_once ? left : work->rows_at_once;
}

static inline ByteRows rows_from(ByteRows rows, int row, int width) {
  return (ByteRows){rows.values + (size_t)row * width, rows.scale + row, rows.offset + row};
}

/* Queries, keys and values of some rows. */
static void project(void *context, int chunk, int worker) {
  const LayerWork *work = context;
  const Sentence *s = work->s;
  const int hidden = s->model->hidden;
  int row;
  const int n = rows_of(work, chunk, &row);
  const ByteRows bytes = rows_from(s->bytes, row, hidden);
  (void)worker;
  quantize_rows(s->states + (size_t)row * hidden, n, hidden, ACTIVATE_NONE, bytes);
  multiply(&work->layer->qkv, bytes, n, 0, 3 * hidden, s->wide + (size_t)row * 3 * hidden);
}

static void attend_head(void *context, int head, int worker) {
  const LayerWork *work = context;
  const Sentence *s = work->s;
  attend(&work->attention, head, s->attention_scratch + worker * s->attention_scratch_size,
         s->context,
         work->is_pruning ? s->received + (size_t)head * round_up(s->n_tokens, LANES) : NULL);
}

/* What follows attention, of some rows. */
static void finish(void *context, int chunk, int worker) {
  const LayerWork *work = context;
  const Layer *layer = work->layer;
  const Sentence *s = work->s;
  const Model *m = s->model;
  const int hidden = m->hidden;
  int row;
  const int n = rows_of(work, chunk, &row);
  float *states = s->states + (size_t)row * hidden, *added = s->context + (size_t)row * hidden;
  /* Alone, one worker writes every chunk over the last, which is still in the cache. */
  const int room = s->n_workers == 1 ? 0 : row;
  float *wide = s->wide + (size_t)room * m->wide;
  const ByteRows bytes = rows_from(s->bytes, room, m->wide > hidden ? m->wide : hidden);
  (void)worker;
  quantize_rows(added, n, hidden, ACTIVATE_NONE, bytes);
  multiply(&layer->attention_out, bytes, n, 0, hidden, added);
  add_norm(states, added, n, hidden, layer->attention_norm, m->epsilon);
  quantize_rows(states, n, hidden, ACTIVATE_NONE, bytes);
  multiply(&layer->feed_forward_in, bytes, n, 0, m->wide, wide);
  quantize_rows(wide, n, m->wide, m->activation, bytes);
  multiply(&layer->feed_forward_out, bytes, n, 0, hidden, added);
  add_norm(states, added, n, hidden, layer->output_norm, m->epsilon);
}

/* Adds up what each key receives from all heads, in the first head's row. */
static void sum_heads(const Sentence *s, int n_keys) {
  const size_t stride = round_up(s->n_tokens, LANES);
  for (int head = 1; head < s->model->n_heads; head++)
    for (int k = 0; k < n_keys; k += LANES)
      store(s->received + k, load(s->received + k) + load(s->received + head * stride + k));
}

/* One layer over the active rows; if the plan prunes after it, also the attention each visible key
 * gets. */
static void run_layer(Sentence *s, int index, int is_pruning) {
  const Model *m = s->model;
  const int n = s->n_active, hidden = m->hidden, n_keys = n + s->n_frozen;
  const float *frozen = s->frozen + (size_t)index * s->n_tokens * 2 * hidden;
  const Visible visible[2] = {{s->wide + hidden, s->wide + 2 * hidden, n, 3 * hidden},
                              {frozen, frozen + hidden, s->n_frozen, 2 * hidden}};
  LayerWork work = {.s = s, .layer = m->layers + index, .is_pruning = is_pruning};
  work.attention = (Attention){.n_heads = m->n_heads,
                               .head_size = hidden / m->n_heads,
                               .queries = s->wide,
                               .n_queries = n,
                               .query_stride = 3 * hidden,
                               .visible = visible,
                               .n_visible = s->n_frozen ? 2 : 1,
                               .n_keys = n_keys,
                               .bias = s->bias,
                               .n_tokens = s->n_tokens,
                               .query_place = s->place,
                               .key_place = s->place};
  work.rows_at_once = rows_at_once(n, s->n_workers);
  const int n_chunks = (n + work.rows_at_once - 1) / work.rows_at_once;
  share(s->n_workers, n_chunks, project, &work);
  share(s->n_workers, m->n_heads, attend_head, &work);
  share(s->n_workers, n_chunks, finish, &work);
  if (is_pruning) sum_heads(s, n_keys);
}

#endif
