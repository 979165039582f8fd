/* Vectors of 16 floats in the compiler's own notation: one source for every instruction set. */
#ifndef TOKPRUNE_VECTOR_H
#define TOKPRUNE_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define LANES 16

typedef float vfloat __attribute__((vector_size(4 * LANES)));
typedef int32_t vint __attribute__((vector_size(4 * LANES)));
typedef int8_t vbyte __attribute__((vector_size(LANES)));

static inline vfloat load(const float *from) {
  vfloat v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void store(float *to, vfloat v) { memcpy(to, &v, sizeof v); }

static inline vfloat splat(float x) { return x - (vfloat){0}; }

/* The compiler's comparisons cost several instructions here; these are one. */
#if defined(__AVX512F__)
static inline vfloat vmax(vfloat a, vfloat b) {
  return (vfloat)_mm512_max_ps((__m512)a, (__m512)b);
}
static inline vfloat vmin(vfloat a, vfloat b) {
  return (vfloat)_mm512_min_ps((__m512)a, (__m512)b);
}
#else
static inline vfloat choose(vint condition, vfloat yes, vfloat no) {
  return (vfloat)((condition & (vint)yes) | (~condition & (vint)no));
}
static inline vfloat vmax(vfloat a, vfloat b) { return choose(a > b, a, b); }
static inline vfloat vmin(vfloat a, vfloat b) { return choose(a < b, a, b); }
#endif

static inline vfloat vabs(vfloat a) { return (vfloat)((vint)a & 0x7fffffff); }

static inline float sum_lanes(vfloat v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)v);
#else
  float total = 0;
  for (int lane = 0; lane < LANES; lane++) total += v[lane];
  return total;
#endif
}

static inline float max_lanes(vfloat v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps((__m512)v);
#else
  float best = v[0];
  for (int lane = 1; lane < LANES; lane++) best = v[lane] > best ? v[lane] : best;
  return best;
#endif
}

/* Adding 1.5 * 2^23 leaves a small float rounded to a whole number in the low bits. */
static const float ROUNDER = 12582912.0f;

/* e^x to 2e-7; x is cut to [-87, 87]. */
static inline vfloat vexp(vfloat x) {
  x = vmin(vmax(x, splat(-87.0f)), splat(87.0f));
  vfloat t = x * 1.44269504f;
  vfloat shifted = t + ROUNDER;
  vfloat f = t - (shifted - ROUNDER);
  vfloat p = f * 0.00133335581f + 0.00961812911f;
  p = p * f + 0.0555041087f;
  p = p * f + 0.240226507f;
  p = p * f + 0.693147181f;
  p = p * f + 1.0f;
  vint exponent = (vint)shifted - (vint)splat(ROUNDER);
  return (vfloat)((vint)p + (exponent << 23));
}

#endif
