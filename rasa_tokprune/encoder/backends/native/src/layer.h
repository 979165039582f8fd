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

/* One layer over the active rows; with `received`, also the attention each visible key gets. */
static void run_layer(Sentence *s, int index, float *received) {
  const Model *m = s->model;
  const Layer *layer = m->layers + index;
  const int n = s->n_active, hidden = m->hidden;
  quantize_rows(s->states, n, hidden, ACTIVATE_NONE, s->bytes);
  multiply(&layer->qkv, s->bytes, n, 0, 3 * hidden, s->wide);
  const float *frozen = s->frozen + (size_t)index * s->n_tokens * 2 * hidden;
  const Visible visible[2] = {{s->wide + hidden, s->wide + 2 * hidden, n, 3 * hidden},
                              {frozen, frozen + hidden, s->n_frozen, 2 * hidden}};
  const Attention attention = {.n_heads = m->n_heads,
                               .head_size = hidden / m->n_heads,
                               .queries = s->wide,
                               .n_queries = n,
                               .query_stride = 3 * hidden,
                               .visible = visible,
                               .n_visible = s->n_frozen ? 2 : 1,
                               .n_keys = n + s->n_frozen,
                               .bias = s->bias,
                               .n_tokens = s->n_tokens,
                               .query_place = s->place,
                               .key_place = s->place};
  attend(&attention, s->attention_scratch, s->context, received);

  quantize_rows(s->context, n, hidden, ACTIVATE_NONE, s->bytes);
  multiply(&layer->attention_out, s->bytes, n, 0, hidden, s->context);
  add_norm(s->states, s->context, n, hidden, layer->attention_norm, m->epsilon);

  for (int row = 0; row < n; row += FEED_FORWARD_ROWS) {
    const int rows = n - row < FEED_FORWARD_ROWS ? n - row : FEED_FORWARD_ROWS;
    quantize_rows(s->states + (size_t)row * hidden, rows, hidden, ACTIVATE_NONE, s->bytes);
    multiply(&layer->feed_forward_in, s->bytes, rows, 0, m->wide, s->wide);
    quantize_rows(s->wide, rows, m->wide, m->activation, s->bytes);
    multiply(&layer->feed_forward_out, s->bytes, rows, 0, hidden,
             s->context + (size_t)row * hidden);
  }
  add_norm(s->states, s->context, n, hidden, layer->output_norm, m->epsilon);
}

#endif
