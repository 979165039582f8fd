/* Rows of floats to rows of signed bytes, with an activation on the way. */
#ifndef TOKPRUNE_ROWS_H
#define TOKPRUNE_ROWS_H

#include "vector.h"

enum { ACTIVATE_NONE, ACTIVATE_GELU, ACTIVATE_RELU, ACTIVATE_SILU, ACTIVATE_TANH };

/* Rows in signed bytes; row = integers * scale. offset = 128 * sum of the integers, what weights
 * that are shifted by 128 add to every product. */
typedef struct {
  int8_t *values;
  float *scale;
  int32_t *offset;
} ByteRows;

/* x * Phi(x) = max(x, 0) - |x| * Phi(-|x|); the last term is a polynomial up to 4, and from there
 * as good as 0. Off by at most 1.3e-4. */
static inline vfloat gelu(vfloat x) {
  static const float of_power[] = {
      3.51909803e-05f, 0.498426348f, -0.387479007f, -0.0310562253f, 0.105277762f,
      -0.0215147119f, -0.00912397448f, 0.00483223377f, -0.00081617065f,
      4.94487249e-05f};
  const vfloat t = vmin(vabs(x), splat(4.0f));
  vfloat p = splat(of_power[9]);
#pragma GCC unroll 9
  for (int i = 8; i >= 0; i--) p = fma_of(p, t, splat(of_power[i]));
  return vmax(x, splat(0)) - p;
}

static inline vfloat activate(vfloat x, int kind) {
  switch (kind) {
    case ACTIVATE_GELU: return gelu(x);
    case ACTIVATE_RELU: return vmax(x, splat(0));
    case ACTIVATE_SILU: return x / (1.0f + vexp(-x));
    case ACTIVATE_TANH: return 2.0f / (1.0f + vexp(-2.0f * x)) - 1.0f;
    default: return x;
  }
}

/* 128 * n. What damaged weights give, infinity or NaN, may be any n: unsigned numbers wrap around
 * where signed ones are undefined. */
static inline int32_t times_128(int32_t n) { return (int32_t)(128u * (uint32_t)n); }

/* A row whose largest number is below this is one of zeros; 127 / it might not be finite. */
static const float SMALLEST_PEAK = 1e-30f;

/* Rounds n floats (a multiple of 16) to bytes, the largest to 127. */
static inline __attribute__((always_inline)) void quantize_row(const float *row, int n,
                                                               float peak, int8_t *bytes,
                                                               float *scale, int32_t *offset) {
  const vfloat inverse = splat(peak > SMALLEST_PEAK ? 127.0f / peak : 0);
  vint total = {0};
  for (int i = 0; i < n; i += LANES) {
    const vint integers = whole(load(row + i), inverse);
    const vbyte narrow = __builtin_convertvector(integers, vbyte);
    total += integers;
    memcpy(bytes + i, &narrow, sizeof narrow);
  }
  *scale = peak / 127.0f;
  *offset = times_128(sum_integers(total));
}

/* Applies an activation to rows of n_in floats, in place, and rounds each row to bytes. */
static inline __attribute__((always_inline)) void quantize_rows_as(float *rows, int n_rows,
                                                                   int n_in, int activation,
                                                                   ByteRows to) {
  for (int r = 0; r < n_rows; r++) {
    float *row = rows + (size_t)r * n_in;
    vfloat largest = {0};
    for (int i = 0; i < n_in; i += LANES) {
      vfloat x = load(row + i);
      if (activation != ACTIVATE_NONE) {
        x = activate(x, activation);
        store(row + i, x);
      }
      largest = vmax(largest, vabs(x));
    }
    quantize_row(row, n_in, max_lanes(largest), to.values + (size_t)r * n_in, to.scale + r,
                 to.offset + r);
  }
}

static void quantize_rows(float *rows, int n_rows, int n_in, int activation, ByteRows to) {
  switch (activation) {
    case ACTIVATE_NONE: quantize_rows_as(rows, n_rows, n_in, ACTIVATE_NONE, to); break;
    case ACTIVATE_GELU: quantize_rows_as(rows, n_rows, n_in, ACTIVATE_GELU, to); break;
    case ACTIVATE_RELU: quantize_rows_as(rows, n_rows, n_in, ACTIVATE_RELU, to); break;
    case ACTIVATE_SILU: quantize_rows_as(rows, n_rows, n_in, ACTIVATE_SILU, to); break;
    default: quantize_rows_as(rows, n_rows, n_in, ACTIVATE_TANH, to);
  }
}

#endif
