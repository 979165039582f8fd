/* The forward pass of one sentence, in 8 bits, with token pruning.
 *
 * Rows that a plan prunes really leave the matrices. In mode freeze they leave their keys and
 * values for all later layers behind, in mode drop nothing. */
#define _GNU_SOURCE /* cores of threads, in crew.h */
#include "layer.h"
#include "pool.h"
#include "prune.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#include "cpu.h"

/* Returns the bytes of scratch memory that a sentence needs; lays them out if there are some. */
static size_t lay_out(Sentence *s, int n_workers, Candidate **sorted, uint8_t *memory) {
  const Model *m = s->model;
  const size_t n = s->n_tokens, hidden = m->hidden;
  const size_t wide = 3 * hidden > (size_t)m->wide ? 3 * hidden : (size_t)m->wide;
  Head head;
  size_t used = 0;
  s->place = take(memory, &used, 2 * n * sizeof(int));
  s->states = take(memory, &used, n * hidden * sizeof(float));
  s->final_states = take(memory, &used, n * hidden * sizeof(float));
  s->pruned_after = take(memory, &used, n * sizeof(int32_t));
  s->wide = take(memory, &used, n * wide * sizeof(float));
  s->context = take(memory, &used, n * hidden * sizeof(float));
  s->received = take(memory, &used, m->n_heads * round_up(n, LANES) * sizeof(float));
  s->bytes = take_rows(memory, &used, n, wide);
  s->attention_scratch_size = lay_out_head(&head, n, hidden / m->n_heads, NULL);
  s->attention_scratch = take(memory, &used, n_workers * s->attention_scratch_size);
  *sorted = take(memory, &used, n * sizeof(Candidate));
  s->frozen = take(memory, &used,
                   s->plan->is_freezing ? m->n_layers * n * 2 * hidden * sizeof(float) : 0);
  return used;
}

/* Threads of n_threads that a sentence can use: none but the caller's for a short one. */
static int useful_threads(int n_tokens, int n_threads) {
  if (n_tokens < LEAST_TO_SHARE || n_threads < 1) return 1;
  return n_threads < MOST_THREADS ? n_threads : MOST_THREADS;
}

/* states = norm(word + position) of every token; returns 0 if a table has no such row. */
static int embed(const Sentence *s, const int64_t *ids, const int64_t *positions) {
  const Model *m = s->model;
  const size_t hidden = m->hidden;
  for (int place = 0; place < s->n_tokens; place++) {
    const int64_t id = ids[place], at = positions ? positions[place] : place;
    if (id < 0 || id >= m->n_words || at < 0 || at >= m->n_positions) return 0;
    const float *word = m->words + id * hidden, *position = m->positions + at * hidden;
    float *state = s->states + place * hidden;
    for (size_t i = 0; i < hidden; i += LANES)
      store(state + i, load(word + i) + load(position + i));
  }
  add_norm(s->states, NULL, s->n_tokens, m->hidden, m->embedding_norm, m->epsilon);
  return 1;
}

/* Raise it, and _VERSION in library.py, when a structure or an argument changes. */
EXPORT int32_t tokprune_version(void) { return 2; }

/* Asks the system, once a process, for what this build needs of the CPU; returns whether it may
 * be used. */
EXPORT int32_t tokprune_prepare(void) {
#if defined(HAS_TILES)
  return ask_for_tiles();
#else
  return 1;
#endif
}

/* Bytes of scratch memory, at a multiple of 64, that a sentence needs. */
EXPORT size_t tokprune_scratch_size(const Model *model, const Plan *plan, int32_t n_tokens,
                                    int32_t n_threads) {
  Sentence s = {.model = model, .plan = plan, .n_tokens = n_tokens};
  Candidate *sorted;
  return lay_out(&s, useful_threads(n_tokens, n_threads), &sorted, NULL);
}

/* Encodes one sentence; returns 1, or 0 if there is no token or one has no row in the tables.
 *
 * ids: rows of the table of words, (n_tokens,).
 * positions: rows of the table of positions, (n_tokens,); NULL counts from 0.
 * is_protected: (n_tokens,), 1 for tokens that are never pruned.
 * bias: (n_heads, n_tokens, n_tokens) of MPNet, or NULL.
 * states: result, last state of every token, (n_tokens, hidden), or NULL.
 * pruned_after: result, the layer after which each token was pruned, -1 if kept, (n_tokens,), or
 *     NULL.
 * pooled: result, (hidden,), or NULL.
 * n_threads: most threads; a long sentence takes those that no other sentence needs.
 */
EXPORT int32_t tokprune_encode(const Model *model, const Plan *plan, int32_t n_tokens,
                               const int64_t *ids, const int64_t *positions,
                               const uint8_t *is_protected, const float *bias, uint8_t *scratch,
                               float *states, int32_t *pruned_after, float *pooled,
                               int32_t n_threads) {
  Sentence s = {.model = model,
                .plan = plan,
                .is_protected = is_protected,
                .bias = bias,
                .n_tokens = n_tokens,
                .n_active = n_tokens};
  if (n_tokens < 1) return 0;
  Candidate *sorted;
  lay_out(&s, useful_threads(n_tokens, n_threads), &sorted, scratch);
  if (states) s.final_states = states;
  if (pruned_after) s.pruned_after = pruned_after;
  const size_t hidden = model->hidden;
  for (int place = 0; place < n_tokens; place++) {
    s.place[place] = place;
    s.pruned_after[place] = NEVER_PRUNED;
  }
  if (!embed(&s, ids, positions)) return 0;
  s.n_workers = join_crew(useful_threads(n_tokens, n_threads));
#if defined(HAS_TILES)
  TileShapes callers;
  save_tiles(&callers);
#endif
  for (int i = 0; i < plan->n_kept_layers; i++) {
    const int layer = plan->kept_layers[i];
    const int prunes = plan->thresholds[layer] > 0;
    run_layer(&s, layer, prunes);
    if (prunes) prune(&s, layer, s.received, sorted);
  }
  leave_crew(s.n_workers);
#if defined(HAS_TILES)
  restore_tiles(&callers);
#endif
  for (int row = 0; row < s.n_active; row++)
    memcpy(s.final_states + s.place[row] * hidden, s.states + row * hidden,
           hidden * sizeof(float));
  if (pooled) pool(&s, pooled);
  return 1;
}
