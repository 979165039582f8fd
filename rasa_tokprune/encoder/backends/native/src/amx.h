/* Matrix products in AMX tiles, over the very weights that the other products read: a block of 16
 * columns and 16 groups of four rows is a tile. */
#ifndef TOKPRUNE_AMX_H
#define TOKPRUNE_AMX_H

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define MULTIPLY_WHOLE multiply_in_tiles
#define HAS_TILES

enum { ROWS_OF_TILE = 16, BYTES_OF_ROW = 64, GROUP = 4 };

/* Numbers of the tiles: sums of two blocks of rows by two blocks of columns, and what they come
 * from. */
enum { SUMS_00, SUMS_01, SUMS_10, SUMS_11, ROWS_0, ROWS_1, WEIGHTS_0, WEIGHTS_1 };

typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t n_rows[16];
} __attribute__((aligned(64))) TileShapes;

/* Linux hands tiles out on request, once a process. */
static int ask_for_tiles(void) {
#if defined(TOKPRUNE_EMULATE_TILES)
  return 1;
#elif defined(__linux__)
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
  return 0;
#endif
}

/* The shapes that the calling thread had before: each thread has tiles of its own. */
static void save_tiles(TileShapes *shapes) { _tile_storeconfig(shapes); }

static void restore_tiles(const TileShapes *shapes) {
  if (shapes->palette)
    _tile_loadconfig(shapes);
  else
    _tile_release();
}

/* Groups of an inner dimension of n that a tile takes at a time, at most 16, none left over. */
static int groups_at_once(int n_in) {
  const int groups = n_in / GROUP;
  int most = groups < ROWS_OF_TILE ? groups : ROWS_OF_TILE;
  while (groups % most) most--;
  return most;
}

static void shape_tiles(int n_rows_0, int n_rows_1, int groups) {
  TileShapes shapes = {.palette = 1};
  const int rows[8] = {n_rows_0, n_rows_0, n_rows_1, n_rows_1, n_rows_0, n_rows_1, groups, groups};
  for (int tile = 0; tile < 8; tile++) {
    const int is_rows = tile == ROWS_0 || tile == ROWS_1;
    if (rows[tile] == 0) continue;
    shapes.n_rows[tile] = rows[tile];
    shapes.bytes_per_row[tile] = is_rows ? groups * GROUP : BYTES_OF_ROW;
  }
  _tile_loadconfig(&shapes);
}

static inline __attribute__((always_inline)) void write_tile(const Product *p,
                                                             const int32_t sums[][LANES],
                                                             int row, int n_rows, int block) {
  for (int r = 0; r < n_rows; r++) {
    vint line;
    memcpy(&line, sums[r], sizeof line);
    write_sums(p, line, row + r, block * LANES, 1);
  }
}

/* One or two blocks of at most 16 rows by one or two blocks of 16 columns. */
static inline __attribute__((always_inline)) void tile_product(const Product *p, int row,
                                                               int n_rows_0, int n_rows_1,
                                                               int block, int n_blocks,
                                                               int groups, int looks_ahead) {
  const int n_in = p->layer->n_in, step = groups * GROUP;
  const size_t block_size = (size_t)n_in * LANES;
  const uint8_t *weight = p->layer->weight + block * block_size;
  const int8_t *values = p->rows.values + (size_t)row * n_in;
  _tile_zero(SUMS_00);
  if (n_blocks > 1) _tile_zero(SUMS_01);
  if (n_rows_1) _tile_zero(SUMS_10);
  if (n_rows_1 && n_blocks > 1) _tile_zero(SUMS_11);
  for (int k = 0; k < n_in; k += step) {
    const uint8_t *line = weight + (size_t)k * LANES;
    if (looks_ahead)
      for (int b = 0; b < n_blocks; b++)
        for (int ahead = 0; ahead < groups; ahead++)
          __builtin_prefetch(line + (n_blocks + b) * block_size + ahead * BYTES_OF_ROW);
    _tile_loadd(ROWS_0, values + k, n_in);
    _tile_loadd(WEIGHTS_0, line, BYTES_OF_ROW);
    _tile_dpbsud(SUMS_00, ROWS_0, WEIGHTS_0);
    if (n_blocks > 1) {
      _tile_loadd(WEIGHTS_1, line + block_size, BYTES_OF_ROW);
      _tile_dpbsud(SUMS_01, ROWS_0, WEIGHTS_1);
    }
    if (n_rows_1) {
      _tile_loadd(ROWS_1, values + (size_t)ROWS_OF_TILE * n_in + k, n_in);
      _tile_dpbsud(SUMS_10, ROWS_1, WEIGHTS_0);
      if (n_blocks > 1) _tile_dpbsud(SUMS_11, ROWS_1, WEIGHTS_1);
    }
  }
  int32_t sums[ROWS_OF_TILE][LANES] __attribute__((aligned(64)));
  _tile_stored(SUMS_00, sums, BYTES_OF_ROW);
  write_tile(p, sums, row, n_rows_0, block);
  if (n_blocks > 1) {
    _tile_stored(SUMS_01, sums, BYTES_OF_ROW);
    write_tile(p, sums, row, n_rows_0, block + 1);
  }
  if (n_rows_1) {
    _tile_stored(SUMS_10, sums, BYTES_OF_ROW);
    write_tile(p, sums, row + ROWS_OF_TILE, n_rows_1, block);
  }
  if (n_rows_1 && n_blocks > 1) {
    _tile_stored(SUMS_11, sums, BYTES_OF_ROW);
    write_tile(p, sums, row + ROWS_OF_TILE, n_rows_1, block + 1);
  }
}

/* Rows `row` to `end`, 32 at a time, of all columns: tiles of one shape. */
static inline void sweep(const Product *p, int row, int end, int n_rows_0, int n_rows_1,
                         int groups) {
  const int n_rows = n_rows_0 + n_rows_1, last = p->last / LANES;
  shape_tiles(n_rows_0, n_rows_1, groups);
  int block = p->first / LANES;
  for (; block + 2 <= last; block += 2)
    for (int r = row; r < end; r += n_rows)
      tile_product(p, r, n_rows_0, n_rows_1, block, 2, groups, r == row);
  if (block < last)
    for (int r = row; r < end; r += n_rows)
      tile_product(p, r, n_rows_0, n_rows_1, block, 1, groups, 0);
}

/* Whole pairs of row blocks first, then what is left, in tiles that have no more rows. */
static void multiply_in_tiles(const Product *p, int n_rows) {
  const int groups = groups_at_once(p->layer->n_in), pair = 2 * ROWS_OF_TILE;
  const int whole_rows = n_rows / pair * pair, left = n_rows - whole_rows;
  if (whole_rows) sweep(p, 0, whole_rows, ROWS_OF_TILE, ROWS_OF_TILE, groups);
  if (left > ROWS_OF_TILE)
    sweep(p, whole_rows, n_rows, ROWS_OF_TILE, left - ROWS_OF_TILE, groups);
  else if (left)
    sweep(p, whole_rows, n_rows, left, 0, groups);
}

#endif
