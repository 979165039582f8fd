/* Vectors of 16 floats in the compiler's own notation: one source for every instruction set, and
 * the same bits from each.
 *
 * IEEE 754 fixes what an addition, a multiplication, a division, a square root and a fused
 * multiply-add give. The sources say where a multiply-add is fused (the compiler must not decide:
 * -ffp-contract=off) and in which order numbers are summed, so that nothing is left to a CPU. */
#ifndef TOKPRUNE_VECTOR_H
#define TOKPRUNE_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define LANES 16

typedef float vfloat __attribute__((vector_size(4 * LANES)));
typedef int32_t vint __attribute__((vector_size(4 * LANES)));
typedef uint32_t vuint __attribute__((vector_size(4 * LANES)));
typedef int8_t vbyte __attribute__((vector_size(LANES)));

static inline int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

static inline vfloat load(const float *from) {
  vfloat v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void store(float *to, vfloat v) { memcpy(to, &v, sizeof v); }

static inline vfloat splat(float x) { return x - (vfloat){0}; }

/* a * b + c, rounded once. */
#if defined(__FMA__) || defined(__aarch64__)
static inline vfloat fma_of(vfloat a, vfloat b, vfloat c) {
  return __builtin_elementwise_fma(a, b, c);
}
#else
/* The product is exact in double precision. The sum is rounded to odd there (Boldo and Melquiond
 * 2008, "Emulation of FMA and correctly rounded sums"), so that rounding it again is harmless. */
static inline vfloat fma_of(vfloat a, vfloat b, vfloat c) {
  typedef double vdouble __attribute__((vector_size(8 * LANES)));
  typedef int64_t vlong __attribute__((vector_size(8 * LANES)));
  const vdouble product = __builtin_convertvector(a, vdouble) * __builtin_convertvector(b, vdouble);
  const vdouble added = __builtin_convertvector(c, vdouble);
  const vdouble sum = product + added, part = sum - product;
  const vdouble error = (product - (sum - part)) + (added - part);
  const vlong is_low = (error < 0) ^ (sum < 0); /* the true sum is nearer to 0 */
  const vlong is_moved = (error != 0) & (((vlong)sum & 1) == 0);
  const vlong odd = (vlong)sum + (is_moved & (is_low | 1));
  return __builtin_convertvector((vdouble)odd, vfloat);
}
#endif

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

/* Folds a vector in halves: lane i meets lane i + 8, then i + 4, i + 2, i + 1. */
#define FOLD(v, op)                                                                       \
  do {                                                                                    \
    v = op(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11,   \
                                      12, 13, 14, 15));                                   \
    v = op(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6,  \
                                      7));                                                \
    v = op(v, __builtin_shufflevector(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2,  \
                                      3));                                                \
    v = op(v, __builtin_shufflevector(v, v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  \
                                      1));                                                \
  } while (0)
#define PLUS(a, b) ((a) + (b))

static inline float sum_lanes(vfloat v) {
  FOLD(v, PLUS);
  return v[0];
}

static inline int32_t sum_integers(vint v) {
  FOLD(v, PLUS);
  return v[0];
}

static inline float max_lanes(vfloat v) {
  FOLD(v, vmax);
  return v[0];
}

/* Adding 1.5 * 2^23 leaves a small float rounded to a whole number in the low bits. */
static const float ROUNDER = 12582912.0f;

/* The whole number next to x * factor, below 2^22. */
static inline vint whole(vfloat x, vfloat factor) {
  return (vint)fma_of(x, factor, splat(ROUNDER)) - (vint)splat(ROUNDER);
}

/* e^x to 2e-7; x is cut to [-87, 87]. */
static inline vfloat vexp(vfloat x) {
  const vfloat t = vmin(vmax(x, splat(-87.0f)), splat(87.0f)) * 1.44269504f;
  const vfloat shifted = t + ROUNDER;
  const vfloat f = t - (shifted - ROUNDER);
  vfloat p = fma_of(f, splat(0.00133335581f), splat(0.00961812911f));
  p = fma_of(p, f, splat(0.0555041087f));
  p = fma_of(p, f, splat(0.240226507f));
  p = fma_of(p, f, splat(0.693147181f));
  p = fma_of(p, f, splat(1.0f));
  const vint exponent = (vint)shifted - (vint)splat(ROUNDER);
  return (vfloat)((vint)p + (exponent << 23));
}

#endif
