/* Token states to one embedding. */
#ifndef TOKPRUNE_POOL_H
#define TOKPRUNE_POOL_H

#include "model.h"

static const float SMALLEST_NORM = 1e-12f;

/* pooled (hidden,) = mean or first of the final states, of unit length if the model asks so. What
 * a plan drops takes no part. */
static void pool(const Sentence *s, float *pooled) {
  const Model *m = s->model;
  const int hidden = m->hidden;
  memset(pooled, 0, hidden * sizeof(float));
  int n = 0;
  for (int place = 0; place < s->n_tokens; place++) {
    if (s->pruned_after[place] != NEVER_PRUNED && !s->plan->is_freezing) continue;
    const float *state = s->final_states + (size_t)place * hidden;
    for (int i = 0; i < hidden; i += LANES) store(pooled + i, load(pooled + i) + load(state + i));
    n++;
    if (m->pooling == POOL_FIRST) break;
  }
  vfloat squares = {0};
  for (int i = 0; i < hidden; i += LANES) {
    const vfloat x = load(pooled + i) / (float)n;
    store(pooled + i, x);
    squares = fma_of(x, x, squares);
  }
  if (!m->normalizes) return;
  const float norm = sqrtf(sum_lanes(squares));
  const float length = norm > SMALLEST_NORM ? norm : SMALLEST_NORM;
  for (int i = 0; i < hidden; i += LANES) store(pooled + i, load(pooled + i) / length);
}

#endif
