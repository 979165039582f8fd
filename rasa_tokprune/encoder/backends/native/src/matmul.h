/* 8-bit matrix products: rows with a scale each, times columns with a scale each. */
#ifndef TOKPRUNE_MATMUL_H
#define TOKPRUNE_MATMUL_H

#include "vector.h"

enum { ACTIVATE_NONE, ACTIVATE_GELU, ACTIVATE_RELU, ACTIVATE_SILU, ACTIVATE_TANH };

/* Weights are w + 128 in unsigned bytes, packed in blocks of 16 columns:
 * [n_out / 16][n_in / 4][16][4], so that one load feeds one dot-product instruction. */
typedef struct {
  const uint8_t *weight;
  const float *scale; /* of each column */
  const float *bias;
  int32_t n_in, n_out;
} Linear;

/* Rows in signed bytes; row = integers * scale. offset = 128 * sum of the integers, what the
 * shifted weights add to every product. */
typedef struct {
  int8_t *values;
  float *scale;
  int32_t *offset;
} ByteRows;

static inline vfloat activate(vfloat x, int kind) {
  switch (kind) {
    case ACTIVATE_GELU: /* by tanh; nearer to gelu than 8 bits can tell */
      return x / (1.0f + vexp(x * (-1.59576912f - 0.0713548162f * x * x)));
    case ACTIVATE_RELU:
      return vmax(x, splat(0));
    case ACTIVATE_SILU:
      return x / (1.0f + vexp(-x));
    case ACTIVATE_TANH:
      return 2.0f / (1.0f + vexp(-2.0f * x)) - 1.0f;
    default:
      return x;
  }
}

/* Applies an activation to rows of n_in floats, in place, and rounds each row to bytes. */
static inline __attribute__((always_inline)) void quantize_rows_as(float *rows, int n_rows,
                                                                   int n_in, int activation,
                                                                   ByteRows to) {
  for (int r = 0; r < n_rows; r++) {
    float *row = rows + (size_t)r * n_in;
    int8_t *bytes = to.values + (size_t)r * n_in;
    vfloat largest = {0};
#pragma GCC unroll 4
    for (int i = 0; i < n_in; i += LANES) {
      vfloat x = load(row + i);
      if (activation != ACTIVATE_NONE) {
        x = activate(x, activation);
        store(row + i, x);
      }
      largest = vmax(largest, vabs(x));
    }
    float peak = max_lanes(largest);
    float inverse = peak > 0 ? 127.0f / peak : 0;
    vint total = {0};
    for (int i = 0; i < n_in; i += LANES) {
      vint integer = (vint)(load(row + i) * inverse + ROUNDER) - (vint)splat(ROUNDER);
      total += integer;
      vbyte narrow = __builtin_convertvector(integer, vbyte);
      memcpy(bytes + i, &narrow, sizeof narrow);
    }
    int32_t sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += total[lane];
    to.scale[r] = peak / 127.0f;
    to.offset[r] = 128 * sum;
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

/* acc += four products for each of 16 columns: their unsigned weights, one row's signed bytes. */
static inline vint dot4(vint acc, vint weights, int32_t four) {
#if defined(__AVX512VNNI__)
  return (vint)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)weights, _mm512_set1_epi32(four));
#elif defined(__AVX2__)
  /* Even and odd bytes as 16-bit numbers: sums of two products do not overflow. */
  const __m256i bytes = _mm256_set1_epi32(four);
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
  const __m256i odd = _mm256_srai_epi16(bytes, 8);
  const __m256i low = _mm256_set1_epi16(255);
  __m256i w[2], sums[2];
  memcpy(w, &weights, sizeof w);
  memcpy(sums, &acc, sizeof sums);
  for (int half = 0; half < 2; half++) {
    const __m256i a = _mm256_madd_epi16(_mm256_and_si256(w[half], low), even);
    const __m256i b = _mm256_madd_epi16(_mm256_srli_epi16(w[half], 8), odd);
    sums[half] = _mm256_add_epi32(sums[half], _mm256_add_epi32(a, b));
  }
  memcpy(&acc, sums, sizeof acc);
  return acc;
#else
  const int8_t *row = (const int8_t *)&four;
  for (int byte = 0; byte < 4; byte++) acc += ((weights >> (8 * byte)) & 255) * row[byte];
  return acc;
#endif
}

/* Accumulators that fit into the registers, by rows and blocks of 16 columns. */
#if defined(__AVX512VNNI__)
#define ROWS_AT_ONCE 8
#define BLOCKS_AT_ONCE 3
#else
#define ROWS_AT_ONCE 4
#define BLOCKS_AT_ONCE 1
#endif

/* n_rows x n_blocks accumulators stay in registers over the whole inner dimension. Looking ahead
 * fetches the weights of the next blocks meanwhile. */
static inline __attribute__((always_inline)) void multiply_tile(const Linear *layer, ByteRows rows,
                                                                int first_row, int n_rows,
                                                                int first_block, int n_blocks,
                                                                int looks_ahead, float *out,
                                                                int out_width,
                                                                int first_column) {
  const int n_in = layer->n_in;
  const size_t block_size = (size_t)n_in * LANES;
  const uint8_t *weight = layer->weight + first_block * block_size;
  const int8_t *values = rows.values + (size_t)first_row * n_in;
  vint acc[ROWS_AT_ONCE][BLOCKS_AT_ONCE] = {{{0}}};
  for (int k = 0; k < n_in; k += 4) {
    vint w[BLOCKS_AT_ONCE];
#pragma GCC unroll 3
    for (int b = 0; b < n_blocks; b++) {
      const uint8_t *line = weight + b * block_size + (size_t)k * LANES;
      memcpy(&w[b], line, sizeof w[b]);
      if (looks_ahead) __builtin_prefetch(line + n_blocks * block_size);
    }
#pragma GCC unroll 8
    for (int r = 0; r < n_rows; r++) {
      int32_t four;
      memcpy(&four, values + (size_t)r * n_in + k, sizeof four);
#pragma GCC unroll 3
      for (int b = 0; b < n_blocks; b++) acc[r][b] = dot4(acc[r][b], w[b], four);
    }
  }
#pragma GCC unroll 3
  for (int b = 0; b < n_blocks; b++) {
    const int column = (first_block + b) * LANES;
    const vfloat scale = load(layer->scale + column), bias = load(layer->bias + column);
#pragma GCC unroll 8
    for (int r = 0; r < n_rows; r++) {
      const int row = first_row + r;
      vfloat sums = __builtin_convertvector(acc[r][b] - rows.offset[row], vfloat);
      store(out + (size_t)row * out_width + column - first_column,
            sums * (scale * rows.scale[row]) + bias);
    }
  }
}

static inline __attribute__((always_inline)) void multiply_blocks(const Linear *layer,
                                                                  ByteRows rows, int n_rows,
                                                                  int block, int n_blocks,
                                                                  float *out, int out_width,
                                                                  int first_column) {
  int row = 0;
  if (n_rows >= ROWS_AT_ONCE) {
    multiply_tile(layer, rows, 0, ROWS_AT_ONCE, block, n_blocks, 1, out, out_width, first_column);
    row = ROWS_AT_ONCE;
  }
  for (; row + ROWS_AT_ONCE <= n_rows; row += ROWS_AT_ONCE)
    multiply_tile(layer, rows, row, ROWS_AT_ONCE, block, n_blocks, 0, out, out_width,
                  first_column);
#define REST(count)                                                                              \
  case count:                                                                                    \
    multiply_tile(layer, rows, row, count, block, n_blocks, 1, out, out_width, first_column);    \
    break;
  switch (n_rows - row) {
    REST(1) REST(2) REST(3)
#if ROWS_AT_ONCE > 4
    REST(4) REST(5) REST(6) REST(7)
#endif
  }
#undef REST
}

/* out (n_rows, last - first) = columns first to last of rows * weight + bias. */
static void multiply(const Linear *layer, ByteRows rows, int n_rows, int first, int last,
                     float *out) {
  const int width = last - first;
  int block = first / LANES;
  for (; block + BLOCKS_AT_ONCE <= last / LANES; block += BLOCKS_AT_ONCE)
    multiply_blocks(layer, rows, n_rows, block, BLOCKS_AT_ONCE, out, width, first);
  for (; block < last / LANES; block++)
    multiply_blocks(layer, rows, n_rows, block, 1, out, width, first);
}

#endif
