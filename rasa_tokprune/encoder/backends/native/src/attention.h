/* Multi-head attention of one sentence in fp32, with the attention that every key receives. */
#ifndef TOKPRUNE_ATTENTION_H
#define TOKPRUNE_ATTENTION_H

#include "vector.h"

#define QUERIES_AT_ONCE 8
#define VECTORS_AT_ONCE 2

/* Keys and values of some visible tokens: rows of `stride` floats. */
typedef struct {
  const float *keys, *values;
  int n_rows, stride;
} Visible;

typedef struct {
  int n_heads, head_size;
  const float *queries; /* (n_queries, query_stride), already divided by sqrt(head_size) */
  int n_queries, query_stride;
  const Visible *visible;
  int n_visible;          /* groups of visible tokens */
  int n_keys;             /* tokens in all groups */
  const float *bias;      /* (n_heads, n_tokens, n_tokens) by place in the sentence, or NULL */
  int n_tokens;           /* of the whole sentence */
  const int *query_place; /* place in the sentence, (n_queries,) */
  const int *key_place;   /* (n_keys,) */
} Attention;

static inline int round_up(int n) { return (n + LANES - 1) / LANES * LANES; }

/* Floats of scratch memory that `attend` needs. */
static size_t attention_scratch(int n_keys, int head_size) {
  const size_t keys = round_up(n_keys);
  return keys * head_size + keys * round_up(head_size) + QUERIES_AT_ONCE * keys;
}

/* Puts one head's keys side by side, (head_size, n_keys padded), and its values in rows. */
static void pack_head(const Attention *a, int head, float *keys, float *values) {
  const int d = a->head_size, padded = round_up(a->n_keys), wide = round_up(d);
  int key = 0;
  for (int g = 0; g < a->n_visible; g++) {
    const Visible *group = a->visible + g;
    for (int row = 0; row < group->n_rows; row++, key++) {
      const float *k = group->keys + (size_t)row * group->stride + head * d;
      for (int i = 0; i < d; i++) keys[(size_t)i * padded + key] = k[i];
      float *v = values + (size_t)key * wide;
      memcpy(v, group->values + (size_t)row * group->stride + head * d, d * sizeof(float));
      for (int i = d; i < wide; i++) v[i] = 0;
    }
  }
  for (; key < padded; key++) {
    for (int i = 0; i < d; i++) keys[(size_t)i * padded + key] = 0;
  }
}

/* scores (n, padded keys) of n queries against n_vectors times 16 keys. */
static inline __attribute__((always_inline)) void score_tile(const Attention *a, int head,
                                                             int query, int n, const float *keys,
                                                             int first, int n_vectors,
                                                             float *scores) {
  const int d = a->head_size, padded = round_up(a->n_keys);
  const float *q = a->queries + (size_t)query * a->query_stride + head * d;
  vfloat acc[QUERIES_AT_ONCE][VECTORS_AT_ONCE] = {{{0}}};
  for (int i = 0; i < d; i++) {
    vfloat k[VECTORS_AT_ONCE];
#pragma GCC unroll 2
    for (int v = 0; v < n_vectors; v++) k[v] = load(keys + (size_t)i * padded + first + v * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < n; r++) {
      const vfloat x = splat(q[(size_t)r * a->query_stride + i]);
#pragma GCC unroll 2
      for (int v = 0; v < n_vectors; v++) acc[r][v] += k[v] * x;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < n; r++)
#pragma GCC unroll 2
    for (int v = 0; v < n_vectors; v++)
      store(scores + (size_t)r * padded + first + v * LANES, acc[r][v]);
}

/* Turns a row of scores into e^(score - largest), 0 for the padding; returns 1 / their sum. */
static inline float soften(float *scores, int n_keys) {
  const int padded = round_up(n_keys);
  for (int k = n_keys; k < padded; k++) scores[k] = -1e30f;
  vfloat largest = load(scores);
  for (int k = LANES; k < padded; k += LANES) largest = vmax(largest, load(scores + k));
  const float peak = max_lanes(largest);
  vfloat total = {0};
#pragma GCC unroll 4
  for (int k = 0; k < padded; k += LANES) {
    const vfloat e = vexp(load(scores + k) - peak);
    total += e;
    store(scores + k, e);
  }
  for (int k = n_keys; k < padded; k++) scores[k] = 0;
  return 1.0f / sum_lanes(total);
}

/* out (n, 16 * n_vectors) = scores * values, each row times its factor. */
static inline __attribute__((always_inline)) void mix_tile(const float *scores, int padded,
                                                           int n_keys, const float *values,
                                                           int stride, int n, int n_vectors,
                                                           const float *factor, float *out,
                                                           int out_stride, int n_floats) {
  vfloat acc[QUERIES_AT_ONCE][VECTORS_AT_ONCE] = {{{0}}};
  for (int k = 0; k < n_keys; k++) {
    vfloat value[VECTORS_AT_ONCE];
#pragma GCC unroll 2
    for (int v = 0; v < n_vectors; v++) value[v] = load(values + (size_t)k * stride + v * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < n; r++) {
      const vfloat x = splat(scores[(size_t)r * padded + k]);
#pragma GCC unroll 2
      for (int v = 0; v < n_vectors; v++) acc[r][v] += value[v] * x;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < n; r++) {
    float row[VECTORS_AT_ONCE * LANES];
#pragma GCC unroll 2
    for (int v = 0; v < n_vectors; v++) store(row + v * LANES, acc[r][v] * factor[r]);
    memcpy(out + (size_t)r * out_stride, row, n_floats * sizeof(float));
  }
}

static inline __attribute__((always_inline)) void attend_queries(const Attention *a, int head,
                                                                 int query, int n,
                                                                 const float *keys,
                                                                 const float *values,
                                                                 float *scores, float *context,
                                                                 float *received) {
  const int padded = round_up(a->n_keys), n_vectors = padded / LANES;
  const int hidden = a->n_heads * a->head_size;
  int v = 0;
  for (; v + VECTORS_AT_ONCE <= n_vectors; v += VECTORS_AT_ONCE)
    score_tile(a, head, query, n, keys, v * LANES, VECTORS_AT_ONCE, scores);
  for (; v < n_vectors; v++) score_tile(a, head, query, n, keys, v * LANES, 1, scores);
  float factor[QUERIES_AT_ONCE];
  for (int r = 0; r < n; r++) {
    float *row = scores + (size_t)r * padded;
    if (a->bias) {
      const float *bias =
          a->bias + ((size_t)head * a->n_tokens + a->query_place[query + r]) * a->n_tokens;
      for (int k = 0; k < a->n_keys; k++) row[k] += bias[a->key_place[k]];
    }
    factor[r] = soften(row, a->n_keys);
    if (received)
      for (int k = 0; k < padded; k += LANES)
        store(received + k, load(received + k) + load(row + k) * factor[r]);
  }
  float *out = context + (size_t)query * hidden + head * a->head_size;
  const int wide = round_up(a->head_size);
  for (int i = 0; i < a->head_size; i += VECTORS_AT_ONCE * LANES) {
    const int left = a->head_size - i;
    if (left > LANES)
      mix_tile(scores, padded, a->n_keys, values + i, wide, n, VECTORS_AT_ONCE, factor, out + i,
               hidden, left < VECTORS_AT_ONCE * LANES ? left : VECTORS_AT_ONCE * LANES);
    else
      mix_tile(scores, padded, a->n_keys, values + i, wide, n, 1, factor, out + i, hidden, left);
  }
}

/* context (n_queries, hidden); received (n_keys padded) += attention of every query and head,
 * unless it is NULL. */
static void attend(const Attention *a, float *scratch, float *context, float *received) {
  const size_t padded = round_up(a->n_keys);
  float *keys = scratch, *values = keys + padded * a->head_size;
  float *scores = values + padded * round_up(a->head_size);
  for (int head = 0; head < a->n_heads; head++) {
    pack_head(a, head, keys, values);
    int query = 0;
    for (; query + QUERIES_AT_ONCE <= a->n_queries; query += QUERIES_AT_ONCE)
      attend_queries(a, head, query, QUERIES_AT_ONCE, keys, values, scores, context, received);
    for (; query < a->n_queries; query++)
      attend_queries(a, head, query, 1, keys, values, scores, context, received);
  }
}

#endif
