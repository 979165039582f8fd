/* Multi-head attention of one sentence in 8-bit products, with the attention that every key
 * receives.
 *
 * Of every head, queries and keys are rounded to bytes with a scale each, and values with a scale
 * for each of their columns, so that `multiply` serves both products. What softmax gives is a
 * number of 14 bits, two rows of 7 bits to `multiply`; the softmax itself is in fp32. */
#ifndef TOKPRUNE_ATTENTION_H
#define TOKPRUNE_ATTENTION_H

#include "matmul.h"

#define QUERIES_AT_ONCE 32
#define DIGIT_BITS 7
static const float LARGEST_WEIGHT = 16383.0f; /* two digits of 7 bits */

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

/* One head's keys and values as weights, and room for some queries. */
typedef struct {
  uint8_t *key_bytes;   /* (keys / 16, head_size / 4, 16, 4), as all weights */
  uint8_t *value_bytes; /* (head_size / 16, keys / 4, 16, 4) */
  float *key_scale, *value_scale, *zeros;
  ByteRows queries; /* (QUERIES_AT_ONCE, head_size) */
  ByteRows digits;  /* (2 * QUERIES_AT_ONCE, keys): upper digits of all queries, then lower ones */
  float *scores;    /* (QUERIES_AT_ONCE, keys) */
  float *mixed;     /* (2 * QUERIES_AT_ONCE, head_size) */
} Head;

/* Takes the next `size` bytes of memory, at a multiple of 64; only counts if there is none. */
static void *take(uint8_t *memory, size_t *used, size_t size) {
  void *here = memory ? memory + *used : NULL;
  *used += (size + 63) / 64 * 64;
  return here;
}

static ByteRows take_rows(uint8_t *memory, size_t *used, size_t n_rows, size_t width) {
  ByteRows rows;
  rows.values = take(memory, used, n_rows * width);
  rows.scale = take(memory, used, n_rows * sizeof(float));
  rows.offset = take(memory, used, n_rows * sizeof(int32_t));
  return rows;
}

/* Returns the bytes that a head of at most n_keys keys needs. */
static size_t lay_out_head(Head *head, int n_keys, int head_size, uint8_t *memory) {
  const size_t keys = round_up(n_keys, LANES), width = round_up(head_size, LANES);
  const size_t zeros = keys > width ? keys : width;
  size_t used = 0;
  head->key_bytes = take(memory, &used, keys * width);
  head->value_bytes = take(memory, &used, keys * width);
  head->key_scale = take(memory, &used, keys * sizeof(float));
  head->value_scale = take(memory, &used, width * sizeof(float));
  head->zeros = take(memory, &used, zeros * sizeof(float));
  head->queries = take_rows(memory, &used, QUERIES_AT_ONCE, width);
  head->digits = take_rows(memory, &used, 2 * QUERIES_AT_ONCE, keys);
  head->scores = take(memory, &used, QUERIES_AT_ONCE * keys * sizeof(float));
  head->mixed = take(memory, &used, 2 * QUERIES_AT_ONCE * width * sizeof(float));
  if (memory) memset(head->zeros, 0, zeros * sizeof(float));
  return used;
}

/* One head's numbers of a token, with zeros up to a multiple of 16. */
static inline const float *padded(const float *from, int n, float *room) {
  if (n % LANES == 0) return from;
  memcpy(room, from, n * sizeof(float));
  for (int i = n; i % LANES; i++) room[i] = 0;
  return room;
}

static inline float peak_of(const float *row, int n) {
  vfloat largest = {0};
  for (int i = 0; i < n; i += LANES) largest = vmax(largest, vabs(load(row + i)));
  return max_lanes(largest);
}

enum { MOST_OF_HEAD = 512 }; /* _WIDEST_HEAD in choice.py */

/* Rounds one head's keys to bytes, a scale for each, and packs them as weights. */
static void pack_keys(const Attention *a, int head, Head *to) {
  const int d = a->head_size, width = round_up(d, LANES);
  float room[MOST_OF_HEAD];
  int8_t bytes[MOST_OF_HEAD];
  int key = 0;
  for (int g = 0; g < a->n_visible; g++) {
    const Visible *group = a->visible + g;
    for (int row = 0; row < group->n_rows; row++, key++) {
      const float *from = padded(group->keys + (size_t)row * group->stride + head * d, d, room);
      int32_t unused;
      quantize_row(from, width, peak_of(from, width), bytes, to->key_scale + key, &unused);
      uint8_t *block = to->key_bytes + (size_t)(key / LANES) * width * LANES + key % LANES * 4;
      for (int i = 0; i < width; i += 4) {
        uint32_t four;
        memcpy(&four, bytes + i, 4);
        four ^= 0x80808080u; /* + 128 */
        memcpy(block + i * LANES, &four, 4);
      }
    }
  }
  for (; key % LANES; key++) to->key_scale[key] = 0;
}

/* Rounds one head's values to bytes, a scale for each column, and packs them as weights. */
static void pack_values(const Attention *a, int head, Head *to) {
  const int d = a->head_size, keys = round_up(a->n_keys, LANES);
  float room[MOST_OF_HEAD];
  for (int i = 0; i < d; i += LANES) {
    const int n = d - i < LANES ? d - i : LANES;
    vfloat largest = {0};
    for (int g = 0; g < a->n_visible; g++) {
      const float *from = a->visible[g].values + head * d + i;
      for (int row = 0; row < a->visible[g].n_rows; row++, from += a->visible[g].stride)
        largest = vmax(largest, vabs(load(padded(from, n, room))));
    }
    largest = vmax(largest, splat(SMALLEST_PEAK));
    const vfloat inverse = 127.0f / largest;
    store(to->value_scale + i, largest / 127.0f);
    uint8_t *block = to->value_bytes + (size_t)i * keys;
    vuint four = {0};
    int key = 0;
    for (int g = 0; g < a->n_visible; g++) {
      const float *from = a->visible[g].values + head * d + i;
      for (int row = 0; row < a->visible[g].n_rows; row++, key++, from += a->visible[g].stride) {
        const vint integers = whole(load(padded(from, n, room)), inverse) + 128;
        four |= (vuint)integers << (8 * (key % 4));
        if (key % 4 == 3) {
          memcpy(block + (size_t)(key / 4) * 4 * LANES, &four, sizeof four);
          four = (vuint){0};
        }
      }
    }
    for (; key < keys; key = (key / 4 + 1) * 4) { /* padding: its weight is 0 */
      memcpy(block + (size_t)(key / 4) * 4 * LANES, &four, sizeof four);
      four = (vuint){0};
    }
  }
}

/* Turns a row of scores into softmax's two digits for each key; the padding gets 0. Adds the
 * softmax to `received`, unless it is NULL. */
static inline void soften(float *scores, int n_keys, ByteRows digits, int upper, int lower,
                          float *received) {
  const int keys = round_up(n_keys, LANES);
  int8_t *bytes[2] = {digits.values + (size_t)upper * keys, digits.values + (size_t)lower * keys};
  for (int k = n_keys; k < keys; k++) scores[k] = -1e30f;
  vfloat largest = load(scores);
  for (int k = LANES; k < keys; k += LANES) largest = vmax(largest, load(scores + k));
  const float peak = max_lanes(largest);
  vfloat total = {0};
  vint sums[2] = {{0}};
#pragma GCC unroll 4
  for (int k = 0; k < keys; k += LANES) {
    const vfloat e = vexp(load(scores + k) - peak);
    const vint weight = whole(e, splat(LARGEST_WEIGHT));
    const vint digit[2] = {weight >> DIGIT_BITS, weight & ((1 << DIGIT_BITS) - 1)};
    if (received) store(scores + k, e);
    total += e;
    for (int part = 0; part < 2; part++) {
      const vbyte narrow = __builtin_convertvector(digit[part], vbyte);
      sums[part] += digit[part];
      memcpy(bytes[part] + k, &narrow, sizeof narrow);
    }
  }
  const int32_t sum[2] = {sum_integers(sums[0]), sum_integers(sums[1])};
  const uint32_t all = ((uint32_t)sum[0] << DIGIT_BITS) + (uint32_t)sum[1];
  const float unit = 1.0f / (float)(int32_t)all;
  digits.scale[upper] = (float)(1 << DIGIT_BITS) * unit;
  digits.scale[lower] = unit;
  digits.offset[upper] = times_128(sum[0]);
  digits.offset[lower] = times_128(sum[1]);
  if (!received) return;
  const vfloat share = splat(1.0f / sum_lanes(total));
  for (int k = 0; k < keys; k += LANES)
    store(received + k, fma_of(load(scores + k), share, load(received + k)));
}

/* context of n queries: the digits' share of every value. */
static void attend_queries(const Attention *a, int number, const Head *head, int query, int n,
                           float *context, float *received) {
  const int d = a->head_size, width = round_up(d, LANES), keys = round_up(a->n_keys, LANES);
  const int hidden = a->n_heads * d;
  float room[MOST_OF_HEAD];
  for (int r = 0; r < n; r++) {
    const size_t row = query + r;
    const float *q = padded(a->queries + row * a->query_stride + number * d, d, room);
    quantize_row(q, width, peak_of(q, width), head->queries.values + r * width,
                 head->queries.scale + r, head->queries.offset + r);
  }
  const Linear scoring = {head->key_bytes, head->key_scale, head->zeros, width, keys};
  multiply(&scoring, head->queries, n, 0, keys, head->scores);
  for (int r = 0; r < n; r++) {
    float *scores = head->scores + (size_t)r * keys;
    if (a->bias) {
      const float *bias =
          a->bias + ((size_t)number * a->n_tokens + a->query_place[query + r]) * a->n_tokens;
      for (int k = 0; k < a->n_keys; k++) scores[k] += bias[a->key_place[k]];
    }
    soften(scores, a->n_keys, head->digits, r, n + r, received);
  }
  const Linear mixing = {head->value_bytes, head->value_scale, head->zeros, keys, width};
  multiply(&mixing, head->digits, 2 * n, 0, width, head->mixed);
  for (int r = 0; r < n; r++) {
    float *upper = head->mixed + r * width;
    const float *lower = upper + n * width;
    for (int i = 0; i < width; i += LANES) store(upper + i, load(upper + i) + load(lower + i));
    memcpy(context + (size_t)(query + r) * hidden + number * d, upper, d * sizeof(float));
  }
}

/* One head's columns of context, (n_queries, hidden). received (n_keys, up to a multiple of 16)
 * becomes the attention of every query, unless it is NULL. */
static void attend(const Attention *a, int number, uint8_t *scratch, float *context,
                   float *received) {
  Head head;
  lay_out_head(&head, a->n_keys, a->head_size, scratch);
  if (received) memset(received, 0, round_up(a->n_keys, LANES) * sizeof(float));
  pack_keys(a, number, &head);
  pack_values(a, number, &head);
  for (int query = 0; query < a->n_queries; query += QUERIES_AT_ONCE) {
    const int left = a->n_queries - query;
    attend_queries(a, number, &head, query, left < QUERIES_AT_ONCE ? left : QUERIES_AT_ONCE,
                   context, received);
  }
}

#endif
