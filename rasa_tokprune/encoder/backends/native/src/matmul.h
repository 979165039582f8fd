/* 8-bit matrix products: rows with a scale each, times columns with a scale each.
 *
 * The products are whole numbers, so that the order of their sums does not matter; every
 * instruction set gives the same. */
#ifndef TOKPRUNE_MATMUL_H
#define TOKPRUNE_MATMUL_H

#include "dot.h"
#include "rows.h"

/* Weights are w + 128 in unsigned bytes, packed in blocks of 16 columns:
 * [n_out / 16][n_in / 4][16][4], so that one load feeds one dot-product instruction. */
typedef struct {
  const uint8_t *weight;
  const float *scale; /* of each column */
  const float *bias;
  int32_t n_in, n_out; /* multiples of 8 and of 16 */
} Linear;

/* Columns first to last of rows * weight + bias. */
typedef struct {
  const Linear *layer;
  ByteRows rows;
  int first, last;
  float *out; /* (n_rows, last - first) */
} Product;

/* Writes one row of 16 columns: whole numbers to floats. */
static inline void write_sums(const Product *p, vint sums, int row, int column, int has_offset) {
  const vfloat scale = load(p->layer->scale + column) * p->rows.scale[row];
  if (has_offset) sums -= p->rows.offset[row];
  store(p->out + (size_t)row * (p->last - p->first) + column - p->first,
        fma_of(__builtin_convertvector(sums, vfloat), scale, load(p->layer->bias + column)));
}

/* Instructions that multiply blocks of rows by blocks of columns have loops of their own: they
 * define MULTIPLY_WHOLE, which then takes the place of `multiply_blocks`. */
#if defined(__AMX_INT8__)
#include "amx.h"
#elif defined(__ARM_FEATURE_MATMUL_INT8)
#include "i8mm.h"
#endif

/* n_rows x n_blocks accumulators stay in registers over the whole inner dimension. Looking ahead
 * fetches the weights of the next blocks meanwhile. */
static inline __attribute__((always_inline)) void multiply_tile(const Product *p, int first_row,
                                                                int n_rows, int first_block,
                                                                int n_blocks, int looks_ahead) {
  const int n_in = p->layer->n_in;
  const size_t block_size = (size_t)n_in * LANES;
  const uint8_t *weight = p->layer->weight + first_block * block_size;
  const int8_t *values = p->rows.values + (size_t)first_row * n_in;
  vint acc[ROWS_AT_ONCE][BLOCKS_AT_ONCE] = {{{0}}};
  for (int k = 0; k < n_in; k += 4) {
    Weights w[BLOCKS_AT_ONCE];
#pragma GCC unroll 3
    for (int b = 0; b < n_blocks; b++) {
      const uint8_t *line = weight + b * block_size + (size_t)k * LANES;
      memcpy(&w[b], line, sizeof w[b]);
      w[b] = prepare(w[b]);
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
  for (int b = 0; b < n_blocks; b++)
#pragma GCC unroll 8
    for (int r = 0; r < n_rows; r++)
      write_sums(p, acc[r][b], first_row + r, (first_block + b) * LANES, HAS_OFFSET);
}

static inline __attribute__((always_inline)) void multiply_blocks(const Product *p, int n_rows,
                                                                  int block, int n_blocks) {
  int row = 0;
  if (n_rows >= ROWS_AT_ONCE) {
    multiply_tile(p, 0, ROWS_AT_ONCE, block, n_blocks, 1);
    row = ROWS_AT_ONCE;
  }
  for (; row + ROWS_AT_ONCE <= n_rows; row += ROWS_AT_ONCE)
    multiply_tile(p, row, ROWS_AT_ONCE, block, n_blocks, 0);
#define REST(count)                                     \
  case count:                                           \
    multiply_tile(p, row, count, block, n_blocks, 1);   \
    break;
  switch (n_rows - row) {
    REST(1) REST(2) REST(3)
#if ROWS_AT_ONCE > 4
    REST(4) REST(5)
#endif
#if ROWS_AT_ONCE > 6
    REST(6) REST(7)
#endif
  }
#undef REST
}

/* out (n_rows, last - first) = columns first to last of rows * weight + bias. */
static void multiply(const Linear *layer, ByteRows rows, int n_rows, int first, int last,
                     float *out) {
  const Product p = {layer, rows, first, last, out};
#if defined(MULTIPLY_WHOLE)
  MULTIPLY_WHOLE(&p, n_rows);
#else
  int block = first / LANES;
  for (; block + BLOCKS_AT_ONCE <= last / LANES; block += BLOCKS_AT_ONCE)
    multiply_blocks(&p, n_rows, block, BLOCKS_AT_ONCE);
  for (; block < last / LANES; block++) multiply_blocks(&p, n_rows, block, 1);
#endif
}

#endif
