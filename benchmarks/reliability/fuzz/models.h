/* Tiny random models, and arrays of exactly the size they need: the sanitizers see one byte too
 * many. */
#ifndef FUZZ_MODELS_H
#define FUZZ_MODELS_H

#include <stdio.h>
#include <stdlib.h>

enum { N_WORDS = 40, N_POSITIONS = 160, N_LAYERS = 3 };

typedef struct {
  int hidden, wide, n_heads, activation, pooling, normalizes;
  int is_extreme; /* some weights are infinite, NaN, or nearly so */
} Shape;

/* Heads of 32, 8, 16, 12, 24 and 48 numbers, of which some fill no vector. */
static const Shape SHAPES[] = {
    {32, 48, 1, ACTIVATE_GELU, POOL_MEAN, 1, 0},
    {32, 64, 4, ACTIVATE_RELU, POOL_FIRST, 1, 0},
    {48, 32, 3, ACTIVATE_SILU, POOL_MEAN, 0, 0},
    {48, 80, 4, ACTIVATE_TANH, POOL_NOT, 0, 0},
    {48, 16, 2, ACTIVATE_GELU, POOL_MEAN, 1, 0},
    {48, 48, 1, ACTIVATE_GELU, POOL_MEAN, 1, 1},
};
enum { N_SHAPES = sizeof SHAPES / sizeof *SHAPES };

static void require(int is_so, const char *what) {
  if (is_so) return;
  fprintf(stderr, "FINDING: %s\n", what);
  abort();
}

/* At a multiple of 64, as the sources ask of scratch memory alone; never empty. */
static void *room(size_t size) {
  void *memory = NULL;
  require(posix_memalign(&memory, 64, size ? size : 1) == 0, "no memory");
  return memory;
}

static uint32_t random_state = 1;

static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static float *floats(size_t n, float scale, int is_extreme) {
  static const float WILD[] = {INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-45f, 0.0f, 1e20f};
  float *numbers = room(n * sizeof(float));
  for (size_t i = 0; i < n; i++) {
    numbers[i] = scale * ((float)(next_random() % 2001) / 1000.0f - 1.0f);
    if (is_extreme && next_random() % 97 == 0) numbers[i] = WILD[next_random() % 8];
  }
  return numbers;
}

static Linear linear(int n_in, int n_out, int is_extreme) {
  uint8_t *weight = room((size_t)n_in * n_out);
  for (int i = 0; i < n_in * n_out; i++) weight[i] = 1 + next_random() % 255;
  return (Linear){weight, floats(n_out, 0.01f, is_extreme), floats(n_out, 0.1f, is_extreme), n_in,
                  n_out};
}

static void norm(const float *of[2], int hidden, int is_extreme) {
  of[0] = floats(hidden, 1.0f, is_extreme);
  of[1] = floats(hidden, 0.5f, is_extreme);
}

static const Model *model_of(int number) {
  static Model models[N_SHAPES];
  Model *m = models + number;
  if (m->hidden) return m;
  const Shape *shape = SHAPES + number;
  const int wild = shape->is_extreme;
  Layer *layers = room(N_LAYERS * sizeof(Layer));
  *m = (Model){N_LAYERS,       shape->hidden,     shape->wide, shape->n_heads, shape->activation,
               shape->pooling, shape->normalizes, N_WORDS,     N_POSITIONS,    1e-12f};
  m->words = floats((size_t)N_WORDS * m->hidden, 1.0f, wild);
  m->positions = floats((size_t)N_POSITIONS * m->hidden, 0.5f, wild);
  norm(m->embedding_norm, m->hidden, wild);
  for (int i = 0; i < N_LAYERS; i++) {
    layers[i].qkv = linear(m->hidden, 3 * m->hidden, wild);
    layers[i].attention_out = linear(m->hidden, m->hidden, wild);
    layers[i].feed_forward_in = linear(m->hidden, m->wide, wild);
    layers[i].feed_forward_out = linear(m->wide, m->hidden, wild);
    norm(layers[i].attention_norm, m->hidden, wild);
    norm(layers[i].output_norm, m->hidden, wild);
  }
  m->layers = layers;
  return m;
}

#endif
