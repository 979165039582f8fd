/* AVX-VNNI's instruction in the encoding of AVX-512 VNNI, for CPUs that have only that: put before
 * a source by `-include`. The compiler goes on for a CPU without AVX-512. */
#ifndef EVEX_H
#define EVEX_H

#include <immintrin.h>

static inline __m256i dpbusd_evex(__m256i sums, __m256i bytes, __m256i signed_bytes) {
  __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(bytes), "x"(signed_bytes));
  return sums;
}

#undef _mm256_dpbusd_avx_epi32
#define _mm256_dpbusd_avx_epi32 dpbusd_evex

#endif
