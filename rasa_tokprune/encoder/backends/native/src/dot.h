/* Four 8-bit products for each of 16 columns, on whatever instructions there are. */
#ifndef TOKPRUNE_DOT_H
#define TOKPRUNE_DOT_H

#include "vector.h"

/* Weights of 16 columns and four rows, w + 128 in unsigned bytes, as `prepare` leaves them. */
typedef vint Weights;

/* Accumulators that fit into the registers, by rows and blocks of 16 columns. */
#if defined(__AVX512VNNI__)
#define ROWS_AT_ONCE 8
#define BLOCKS_AT_ONCE 3
#elif defined(__ARM_FEATURE_DOTPROD) || defined(__AVXVNNI__) || defined(TOKPRUNE_EMULATE_AVXVNNI)
#define ROWS_AT_ONCE 6
#define BLOCKS_AT_ONCE 1
#else
#define ROWS_AT_ONCE 4
#define BLOCKS_AT_ONCE 1
#endif

/* NEON's products want both sides signed: its weights lose their 128 again, and with it the
 * offset. */
#if defined(__ARM_FEATURE_DOTPROD)
#define HAS_OFFSET 0
static inline Weights prepare(vint weights) { return weights ^ (vint)((vuint){0} + 0x80808080u); }
#else
#define HAS_OFFSET 1
static inline Weights prepare(vint weights) { return weights; }
#endif

/* x86 CPUs without VNNI: even and odd bytes as 16-bit numbers, as sums of two products overflow
 * the 16 bits of the instruction for bytes. */
#define WIDENED_DOT4(width, bits, type)                                                      \
  const type bytes = _mm##width##_set1_epi32(four);                                          \
  const type even = _mm##width##_srai_epi16(_mm##width##_slli_epi16(bytes, 8), 8);           \
  const type odd = _mm##width##_srai_epi16(bytes, 8);                                        \
  const type low = _mm##width##_set1_epi16(255);                                             \
  type w[512 / bits], sums[512 / bits];                                                      \
  memcpy(w, &weights, sizeof w);                                                             \
  memcpy(sums, &acc, sizeof sums);                                                           \
  for (int part = 0; part < 512 / bits; part++) {                                            \
    const type a = _mm##width##_madd_epi16(_mm##width##_and_si##bits(w[part], low), even);   \
    const type b = _mm##width##_madd_epi16(_mm##width##_srli_epi16(w[part], 8), odd);        \
    sums[part] = _mm##width##_add_epi32(sums[part], _mm##width##_add_epi32(a, b));           \
  }                                                                                          \
  memcpy(&acc, sums, sizeof acc);                                                            \
  return acc

#if defined(TOKPRUNE_EMULATE_AVXVNNI)
#define DPBUSD_256 _mm256_dpbusd_epi32
#else
#define DPBUSD_256 _mm256_dpbusd_avx_epi32
#endif

/* acc += four products for each of 16 columns: their weights, one row's signed bytes. */
static inline vint dot4(vint acc, Weights weights, int32_t four) {
#if defined(__AVX512VNNI__) && !defined(TOKPRUNE_EMULATE_AVXVNNI)
  return (vint)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)weights, _mm512_set1_epi32(four));
#elif defined(__AVXVNNI__) || defined(TOKPRUNE_EMULATE_AVXVNNI)
  const __m256i bytes = _mm256_set1_epi32(four);
  __m256i w[2], sums[2];
  memcpy(w, &weights, sizeof w);
  memcpy(sums, &acc, sizeof sums);
  for (int half = 0; half < 2; half++) sums[half] = DPBUSD_256(sums[half], w[half], bytes);
  memcpy(&acc, sums, sizeof acc);
  return acc;
#elif defined(__AVX2__)
  WIDENED_DOT4(256, 256, __m256i);
#elif defined(__SSE2__)
  WIDENED_DOT4(, 128, __m128i);
#elif defined(__ARM_FEATURE_DOTPROD)
  int8x16_t w[4];
  int32x4_t sums[4];
  memcpy(w, &weights, sizeof w);
  memcpy(sums, &acc, sizeof sums);
  const int8x16_t bytes = vreinterpretq_s8_s32(vdupq_n_s32(four));
  for (int part = 0; part < 4; part++) sums[part] = vdotq_s32(sums[part], w[part], bytes);
  memcpy(&acc, sums, sizeof acc);
  return acc;
#else
  const int8_t *row = (const int8_t *)&four;
  for (int byte = 0; byte < 4; byte++) acc += ((weights >> (8 * byte)) & 255) * row[byte];
  return acc;
#endif
}

#endif
