/* Matrix products of two rows by two columns by eight numbers an instruction (Arm's i8mm). */
#ifndef TOKPRUNE_I8MM_H
#define TOKPRUNE_I8MM_H

#define MULTIPLY_WHOLE multiply_in_pairs

enum { PAIRS_AT_ONCE = 2, PARTS = 4 }; /* pairs of rows; 4 columns in a part of a block */

/* Two rows' next eight bytes side by side; of a missing row, the first's again. */
static inline int8x16_t pair_of_rows(const int8_t *values, int n_in, int row, int last, int k) {
  const int8_t *first = values + (size_t)row * n_in + k;
  const int8_t *second = row < last ? first + n_in : first;
  return vcombine_s8(vld1_s8(first), vld1_s8(second));
}

static inline __attribute__((always_inline)) void multiply_pairs(const Product *p, int first_row,
                                                                 int n_rows, int n_pairs,
                                                                 int block) {
  const int n_in = p->layer->n_in, last = first_row + n_rows - 1;
  const uint8_t *weight = p->layer->weight + (size_t)block * n_in * LANES;
  int32x4_t acc[PAIRS_AT_ONCE][2 * PARTS] = {{{0}}};
  for (int k = 0; k < n_in; k += 8) {
    uint32x4_t columns[2 * PARTS]; /* two columns' eight numbers each */
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) {
      const uint8_t *line = weight + (size_t)k * LANES + part * 16;
      const uint32x4_t low = vreinterpretq_u32_u8(vld1q_u8(line));
      const uint32x4_t high = vreinterpretq_u32_u8(vld1q_u8(line + 4 * LANES));
      columns[2 * part] = vzip1q_u32(low, high);
      columns[2 * part + 1] = vzip2q_u32(low, high);
    }
#pragma GCC unroll 2
    for (int pair = 0; pair < n_pairs; pair++) {
      const int8x16_t rows = pair_of_rows(p->rows.values, n_in, first_row + 2 * pair, last, k);
#pragma GCC unroll 8
      for (int c = 0; c < 2 * PARTS; c++)
        acc[pair][c] = vusmmlaq_s32(acc[pair][c], vreinterpretq_u8_u32(columns[c]), rows);
    }
  }
  /* An accumulator holds column 0 by row 0, by row 1, column 1 by row 0, by row 1. */
#pragma GCC unroll 4
  for (int r = 0; r < n_rows; r++) {
    int32x4_t parts[PARTS];
    vint sums;
#pragma GCC unroll 4
    for (int part = 0; part < PARTS; part++) {
      const int32x4_t low = acc[r / 2][2 * part], high = acc[r / 2][2 * part + 1];
      parts[part] = r % 2 ? vuzp2q_s32(low, high) : vuzp1q_s32(low, high);
    }
    memcpy(&sums, parts, sizeof sums);
    write_sums(p, sums, first_row + r, block * LANES, 1);
  }
}

static void multiply_in_pairs(const Product *p, int n_rows) {
  for (int block = p->first / LANES; block < p->last / LANES; block++) {
    int row = 0;
    for (; row + 4 <= n_rows; row += 4) multiply_pairs(p, row, 4, 2, block);
    switch (n_rows - row) {
      case 1: multiply_pairs(p, row, 1, 1, block); break;
      case 2: multiply_pairs(p, row, 2, 1, block); break;
      case 3: multiply_pairs(p, row, 3, 2, block);
    }
  }
}

#endif
