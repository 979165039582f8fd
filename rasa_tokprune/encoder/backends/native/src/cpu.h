/* What an x86 CPU can do and the system lets it: for systems that do not say so themselves.
 *
 * Needs EXPORT. The names are Linux's; only those that a build of this library depends on. */
#ifndef TOKPRUNE_CPU_H
#define TOKPRUNE_CPU_H

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* Registers that the system keeps between threads, by their bits in XCR0. */
enum { ALWAYS_KEPT = 0, AVX_STATE = 0x6, AVX512_STATE = 0xe6, TILE_STATE = 0x60000 };
enum { EAX, EBX, ECX, EDX };

static const struct {
  const char *name;
  unsigned leaf, subleaf, source, bit, state;
} CPU_FEATURES[] = {
    {"fma", 1, 0, ECX, 12, AVX_STATE},
    {"movbe", 1, 0, ECX, 22, ALWAYS_KEPT},
    {"f16c", 1, 0, ECX, 29, AVX_STATE},
    {"bmi1", 7, 0, EBX, 3, ALWAYS_KEPT},
    {"avx2", 7, 0, EBX, 5, AVX_STATE},
    {"bmi2", 7, 0, EBX, 8, ALWAYS_KEPT},
    {"avx512f", 7, 0, EBX, 16, AVX512_STATE},
    {"avx512dq", 7, 0, EBX, 17, AVX512_STATE},
    {"avx512cd", 7, 0, EBX, 28, AVX512_STATE},
    {"avx512bw", 7, 0, EBX, 30, AVX512_STATE},
    {"avx512vl", 7, 0, EBX, 31, AVX512_STATE},
    {"avx512_vnni", 7, 0, ECX, 11, AVX512_STATE},
    {"amx_tile", 7, 0, EDX, 24, TILE_STATE},
    {"amx_int8", 7, 0, EDX, 25, TILE_STATE},
    {"avx_vnni", 7, 1, EAX, 4, AVX_STATE},
    {"abm", 0x80000001, 0, ECX, 5, ALWAYS_KEPT},
};

/* XCR0, 0 if the system does not use it. */
static unsigned kept_states(void) {
  unsigned r[4];
  if (!__get_cpuid(1, &r[EAX], &r[EBX], &r[ECX], &r[EDX]) || !(r[ECX] >> 27 & 1)) return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}
#endif

/* Writes the names of what there is, separated by spaces and ended by a 0; leaves out what does
 * not fit into `size` bytes, of which there is at least one. */
EXPORT void tokprune_cpu_features(char *names, size_t size) {
  names[0] = 0;
#if defined(__x86_64__)
  const unsigned kept = kept_states();
  size_t used = 0;
  for (size_t i = 0; i < sizeof CPU_FEATURES / sizeof *CPU_FEATURES; i++) {
    unsigned r[4] = {0};
    __get_cpuid_count(CPU_FEATURES[i].leaf, CPU_FEATURES[i].subleaf, &r[EAX], &r[EBX], &r[ECX],
                      &r[EDX]);
    const int has_it = r[CPU_FEATURES[i].source] >> CPU_FEATURES[i].bit & 1;
    const size_t length = strlen(CPU_FEATURES[i].name);
    if (!has_it || (kept & CPU_FEATURES[i].state) != CPU_FEATURES[i].state) continue;
    if (used + length + 2 > size) return;
    memcpy(names + used, CPU_FEATURES[i].name, length);
    used += length;
    names[used++] = ' ';
    names[used] = 0;
  }
#else
  (void)size;
#endif
}

#endif
