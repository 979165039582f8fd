/* Takes the least important tokens out after a layer. */
#ifndef TOKPRUNE_PRUNE_H
#define TOKPRUNE_PRUNE_H

#include <stdlib.h>

#include "model.h"

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

#endif
