/* AMX's tile instructions in plain C, for CPUs without them: put before a source by `-include`.
 *
 * Stricter than need be: what faults on a CPU with tiles ends the program here. Intel 64 and IA-32
 * Architectures Software Developer's Manual, volume 1, chapter 18. */
#ifndef TILES_H
#define TILES_H

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_TILES = 8, TILE_ROWS = 16, TILE_BYTES = 64 };

/* As LDTILECFG reads it: palette, first row, 14 unused bytes, bytes and rows of 16 tiles. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t n_bytes[16];
  uint8_t n_rows[16];
} TileConfig;

static _Thread_local TileConfig tile_config;
static _Thread_local uint8_t tile_data[N_TILES][TILE_ROWS][TILE_BYTES];

static inline void tile_check(int is_right, const char *what) {
  if (is_right) return;
  fprintf(stderr, "tiles.h: %s\n", what);
  abort();
}

static inline void tile_check_used(int tile) {
  tile_check(tile >= 0 && tile < N_TILES, "there are eight tiles");
  tile_check(tile_config.palette == 1, "tiles are used before they are configured");
  tile_check(tile_config.n_rows[tile] > 0, "a tile without rows is used");
}

static inline void tile_release(void) {
  memset(&tile_config, 0, sizeof tile_config);
  memset(tile_data, 0, sizeof tile_data);
}

static inline void tile_store_config(void *to) { memcpy(to, &tile_config, sizeof tile_config); }

static inline void tile_load_config(const void *from) {
  TileConfig config;
  memcpy(&config, from, sizeof config);
  if (config.palette == 0) { /* releases the tiles */
    tile_release();
    return;
  }
  tile_check(config.palette == 1 && config.start_row == 0, "the configuration has palette 1, row 0");
  for (int i = 0; i < 14; i++) tile_check(!config.reserved[i], "a reserved byte is not 0");
  for (int tile = 0; tile < 16; tile++) {
    tile_check(config.n_rows[tile] <= TILE_ROWS && config.n_bytes[tile] <= TILE_BYTES,
               "a tile has at most 16 rows of 64 bytes");
    tile_check(!config.n_rows[tile] == !config.n_bytes[tile], "a tile has rows but no bytes");
    tile_check(tile < N_TILES || !config.n_rows[tile], "there are eight tiles");
  }
  tile_config = config;
  memset(tile_data, 0, sizeof tile_data);
}

static inline void tile_zero(int tile) {
  tile_check_used(tile);
  memset(tile_data[tile], 0, sizeof tile_data[tile]);
}

static inline void tile_load(int tile, const void *from, long stride) {
  tile_zero(tile);
  for (int row = 0; row < tile_config.n_rows[tile]; row++)
    memcpy(tile_data[tile][row], (const uint8_t *)from + row * stride, tile_config.n_bytes[tile]);
}

static inline void tile_store(int tile, void *to, long stride) {
  tile_check_used(tile);
  for (int row = 0; row < tile_config.n_rows[tile]; row++)
    memcpy((uint8_t *)to + row * stride, tile_data[tile][row], tile_config.n_bytes[tile]);
}

static inline int32_t tile_byte(uint8_t byte, int is_signed) {
  return is_signed ? (int8_t)byte : byte;
}

/* to (rows, columns) += a (rows, 4 k) * b (k, 4 columns), bytes times bytes, sums of 32 bits. */
static inline void tile_multiply(int to, int a, int b, int a_signed, int b_signed) {
  tile_check_used(to);
  tile_check_used(a);
  tile_check_used(b);
  const int rows = tile_config.n_rows[to], columns = tile_config.n_bytes[to] / 4;
  const int inner = tile_config.n_bytes[a] / 4;
  tile_check(to != a && to != b && a != b, "a product needs three tiles");
  tile_check(tile_config.n_bytes[to] % 4 == 0 && tile_config.n_bytes[a] % 4 == 0,
             "rows of a product are multiples of 4 bytes");
  tile_check(tile_config.n_rows[a] == rows && tile_config.n_rows[b] == inner &&
                 tile_config.n_bytes[b] == tile_config.n_bytes[to],
             "the tiles of a product do not fit together");
  for (int m = 0; m < rows; m++)
    for (int n = 0; n < columns; n++) {
      int32_t sum;
      memcpy(&sum, &tile_data[to][m][4 * n], sizeof sum);
      uint32_t total = (uint32_t)sum; /* wraps, as the CPU's does */
      for (int k = 0; k < inner; k++)
        for (int i = 0; i < 4; i++)
          total += (uint32_t)(tile_byte(tile_data[a][m][4 * k + i], a_signed) *
                              tile_byte(tile_data[b][k][4 * n + i], b_signed));
      memcpy(&tile_data[to][m][4 * n], &total, sizeof total);
    }
}

#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbssd
#undef _tile_dpbsud
#undef _tile_dpbusd
#undef _tile_dpbuud
#define _tile_loadconfig tile_load_config
#define _tile_storeconfig tile_store_config
#define _tile_release tile_release
#define _tile_zero tile_zero
#define _tile_loadd tile_load
#define _tile_stream_loadd tile_load
#define _tile_stored tile_store
#define _tile_dpbssd(to, a, b) tile_multiply(to, a, b, 1, 1)
#define _tile_dpbsud(to, a, b) tile_multiply(to, a, b, 1, 0)
#define _tile_dpbusd(to, a, b) tile_multiply(to, a, b, 0, 1)
#define _tile_dpbuud(to, a, b) tile_multiply(to, a, b, 0, 0)

#endif
