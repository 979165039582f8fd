/* The forward pass of one sentence, in 8 bits, with token pruning.
 *
 * Rows that a plan prunes really leave the matrices. In mode freeze they leave their keys and
 * values for all later layers behind, in mode drop nothing. The structures below are mirrored in
 * library.py. */
#include <stdlib.h>

#include "attention.h"
#include "matmul.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

enum { NEVER_PRUNED = -1 };

/* Rows whose wide states stay in the second-level cache between two multiplications. */
#ifndef FEED_FORWARD_ROWS
#define FEED_FORWARD_ROWS 64
#endif

typedef struct {
  Linear qkv; /* queries are divided by sqrt(head_size) */
  Linear attention_out, feed_forward_in, feed_forward_out;
  const float *attention_norm[2], *output_norm[2]; /* scale, shift */
} Layer;

typedef struct {
  int32_t n_layers, hidden, wide, n_heads, activation;
  float epsilon;
  const float *embedding_norm[2];
  const Layer *layers;
} Model;

typedef struct {
  const int32_t *kept_layers;
  int32_t n_kept_layers;
  const double *thresholds; /* (n_layers,), 0 prunes nothing */
  int32_t is_absolute, is_freezing;
} Plan;

/* One sentence while it is encoded. Rows of active tokens come first, in the sentence's order. */
typedef struct {
  const Model *model;
  const Plan *plan;
  const uint8_t *is_protected; /* by place */
  const float *bias;           /* MPNet's, or NULL */
  int n_tokens, n_active, n_frozen;
  int *place;           /* of active tokens, then of frozen ones */
  float *states;        /* (n_active, hidden) */
  float *final_states;  /* (n_tokens, hidden), by place: the result */
  int32_t *pruned_after; /* by place: the result */
  float *wide;          /* (n_tokens, max(3 * hidden, wide)) */
  float *context;       /* (n_tokens, hidden) */
  float *received;      /* (n_tokens padded) */
  float *frozen;        /* (n_layers, n_tokens, 2 * hidden) keys and values, if freezing */
  float *attention_scratch;
  ByteRows bytes;
} Sentence;

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
      squares += x * x;
    }
    const float factor = 1.0f / sqrtf(sum_lanes(squares) / width + epsilon);
    for (int i = 0; i < width; i += LANES)
      store(row + i, (load(row + i) - mean) * factor * load(norm[0] + i) + load(norm[1] + i));
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

typedef struct {
  float importance;
  int row;
} Candidate;

/* Least important first; of equals the later one, so that the earlier stays. */
static int compare(const void *a, const void *b) {
  const Candidate *x = a, *y = b;
  if (x->importance != y->importance) return x->importance < y->importance ? -1 : 1;
  return y->row - x->row;
}

/* How many of the candidates, sorted, are pruned after a layer. At least one stays. */
static int count_pruned(const Plan *plan, int layer, const Candidate *sorted, int n_content,
                        int n_keys) {
  const double threshold = plan->thresholds[layer];
  if (!plan->is_absolute) {
    /* As quantile_count of plans/plan.py, its ROUNDING included. */
    const double count = ceil(threshold * (n_content - 1) - 1e-9);
    return count > 0 ? (int)count : 0;
  }
  int n = 0;
  while (n < n_content - 1 && sorted[n].importance < (float)(threshold / n_keys)) n++;
  return n;
}

/* Keys and values of rows that froze, for all later layers, from one rounding to bytes. */
static void freeze(Sentence *s, int layer, float *rows, int n_rows) {
  const int hidden = s->model->hidden;
  quantize_rows(rows, n_rows, hidden, ACTIVATE_NONE, s->bytes);
  for (int i = 0; i < s->plan->n_kept_layers; i++) {
    const int later = s->plan->kept_layers[i];
    if (later <= layer) continue;
    float *to = s->frozen + ((size_t)later * s->n_tokens + s->n_frozen) * 2 * hidden;
    multiply(&s->model->layers[later].qkv, s->bytes, n_rows, hidden, 3 * hidden, to);
  }
}

static void prune(Sentence *s, int layer, const float *received, Candidate *sorted) {
  const int hidden = s->model->hidden, n = s->n_active, n_keys = n + s->n_frozen;
  int n_content = 0;
  for (int row = 0; row < n; row++)
    if (!s->is_protected[s->place[row]])
      sorted[n_content++] = (Candidate){received[row] / ((float)s->model->n_heads * n), row};
  qsort(sorted, n_content, sizeof *sorted, compare);
  const int n_pruned = count_pruned(s->plan, layer, sorted, n_content, n_keys);
  if (n_pruned == 0) return;
  for (int i = 0; i < n_pruned; i++) s->pruned_after[s->place[sorted[i].row]] = layer;

  float *set_aside = s->wide; /* free between layers */
  int *aside_place = s->place + s->n_tokens;
  int n_kept = 0, n_aside = 0;
  const size_t row_bytes = hidden * sizeof(float);
  for (int row = 0; row < n; row++) {
    const float *state = s->states + (size_t)row * hidden;
    const int place = s->place[row];
    if (s->pruned_after[place] == layer) {
      memcpy(s->final_states + (size_t)place * hidden, state, row_bytes);
      memcpy(set_aside + (size_t)n_aside * hidden, state, row_bytes);
      aside_place[n_aside++] = place;
    } else {
      memmove(s->states + (size_t)n_kept * hidden, state, row_bytes);
      s->place[n_kept++] = place;
    }
  }
  s->n_active = n_kept;
  if (!s->plan->is_freezing) return;
  freeze(s, layer, set_aside, n_aside);
  /* Active places, then those frozen before, then these. */
  memmove(s->place + n_kept, s->place + n, s->n_frozen * sizeof(int));
  memcpy(s->place + n_kept + s->n_frozen, aside_place, n_aside * sizeof(int));
  s->n_frozen += n_aside;
}

/* Takes the next `size` bytes of memory, at a multiple of 64; only counts if there is none. */
static void *take(uint8_t *memory, size_t *used, size_t size) {
  void *here = memory ? memory + *used : NULL;
  *used += (size + 63) / 64 * 64;
  return here;
}

static size_t lay_out(Sentence *s, Candidate **sorted, uint8_t *memory) {
  const Model *m = s->model;
  const size_t n = s->n_tokens, hidden = m->hidden;
  const size_t wide = 3 * hidden > (size_t)m->wide ? 3 * hidden : (size_t)m->wide;
  size_t used = 0;
  s->place = take(memory, &used, 2 * n * sizeof(int));
  s->states = take(memory, &used, n * hidden * sizeof(float));
  s->wide = take(memory, &used, n * wide * sizeof(float));
  s->context = take(memory, &used, n * hidden * sizeof(float));
  s->received = take(memory, &used, round_up(n) * sizeof(float));
  s->bytes.values = take(memory, &used, n * wide);
  s->bytes.scale = take(memory, &used, n * sizeof(float));
  s->bytes.offset = take(memory, &used, n * sizeof(int32_t));
  s->attention_scratch =
      take(memory, &used, attention_scratch(n, hidden / m->n_heads) * sizeof(float));
  *sorted = take(memory, &used, n * sizeof(Candidate));
  s->frozen = take(memory, &used,
                   s->plan->is_freezing ? m->n_layers * n * 2 * hidden * sizeof(float) : 0);
  return used;
}

/* Raise it, and _VERSION in library.py, when a structure or an argument changes. */
EXPORT int32_t tokprune_version(void) { return 1; }

/* Bytes of scratch memory, at a multiple of 64, that a sentence needs. */
EXPORT size_t tokprune_scratch_size(const Model *model, const Plan *plan, int32_t n_tokens) {
  Sentence s = {.model = model, .plan = plan, .n_tokens = n_tokens};
  Candidate *sorted;
  return lay_out(&s, &sorted, NULL);
}

/* Encodes one sentence.
 *
 * embeddings: (n_tokens, hidden), sums of the embedding tables.
 * is_protected: (n_tokens,), 1 for tokens that are never pruned.
 * bias: (n_heads, n_tokens, n_tokens) of MPNet, or NULL.
 * states: result, last state of every token, (n_tokens, hidden).
 * pruned_after: result, the layer after which each token was pruned, -1 if kept, (n_tokens,).
 */
EXPORT void tokprune_encode(const Model *model, const Plan *plan, int32_t n_tokens,
                            const float *embeddings, const uint8_t *is_protected,
                            const float *bias, uint8_t *scratch, float *states,
                            int32_t *pruned_after) {
  Sentence s = {.model = model,
                .plan = plan,
                .is_protected = is_protected,
                .bias = bias,
                .n_tokens = n_tokens,
                .n_active = n_tokens,
                .final_states = states,
                .pruned_after = pruned_after};
  Candidate *sorted;
  lay_out(&s, &sorted, scratch);
  const size_t hidden = model->hidden;
  for (int place = 0; place < n_tokens; place++) {
    s.place[place] = place;
    pruned_after[place] = NEVER_PRUNED;
  }
  memcpy(s.states, embeddings, n_tokens * hidden * sizeof(float));
  add_norm(s.states, NULL, n_tokens, hidden, model->embedding_norm, model->epsilon);
  for (int i = 0; i < plan->n_kept_layers; i++) {
    const int layer = plan->kept_layers[i];
    const int prunes = plan->thresholds[layer] > 0;
    if (prunes) memset(s.received, 0, round_up(s.n_active + s.n_frozen) * sizeof(float));
    run_layer(&s, layer, prunes ? s.received : NULL);
    if (prunes) prune(&s, layer, s.received, sorted);
  }
  for (int row = 0; row < s.n_active; row++)
    memcpy(states + s.place[row] * hidden, s.states + row * hidden, hidden * sizeof(float));
}
