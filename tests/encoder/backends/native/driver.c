/* Encodes sentences for the tests where no Python runs: one program, no libraries.
 *
 * standard input: a model and sentences, in the order of `encode_all` and of `as_bytes` in
 * driver.py, numbers in the machine's own (little-endian) form. standard output: of each sentence
 * the last states, (n_tokens, hidden) float32, and pruned_after, (n_tokens,) int32. */
#include <stdio.h>
#include <stdlib.h>

#include "encoder.c"

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#include <malloc.h>
#define NEW(size) _aligned_malloc(size, 64)
#define DELETE _aligned_free
static void read_and_write_bytes(void) {
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
}
#else
#define NEW(size) aligned_alloc(64, ((size) + 63) / 64 * 64)
#define DELETE free
static void read_and_write_bytes(void) {}
#endif

/* Python's call has one: what is shared out must be the same too. Emulated threads are slow. */
static int threads_for(int n_tokens) { return n_tokens < 200 ? 1 : 2; }

/* Returns the next bytes of standard input, at a multiple of 64. */
static void *next(size_t size) {
  void *bytes = NEW(size + 1); /* there may be nothing to read */
  if (bytes == NULL || fread(bytes, 1, size, stdin) != size) {
    fputs("driver: the input is too short\n", stderr);
    exit(2);
  }
  return bytes;
}

static int32_t next_int(void) { return *(int32_t *)next(sizeof(int32_t)); }

static const float *next_floats(size_t n) { return next(n * sizeof(float)); }

static Linear next_linear(int n_in, int n_out) {
  Linear linear = {.n_in = n_in, .n_out = n_out};
  linear.weight = next((size_t)n_in * n_out);
  linear.scale = next_floats(n_out);
  linear.bias = next_floats(n_out);
  return linear;
}

static void next_norm(const float *norm[2], int hidden) {
  norm[0] = next_floats(hidden);
  norm[1] = next_floats(hidden);
}

/* The one place that knows how the library is called. */
static void encode(const Model *model, const Plan *plan, int n, const int64_t *ids,
                   const uint8_t *is_protected, const float *bias, float *states,
                   int32_t *pruned_after) {
  const int n_threads = threads_for(n);
  uint8_t *scratch = NEW(tokprune_scratch_size(model, plan, n, n_threads));
  if (!tokprune_encode(model, plan, n, ids, NULL, is_protected, bias, scratch, states,
                       pruned_after, NULL, n_threads)) {
    fputs("driver: the sentence was not encoded\n", stderr);
    exit(3);
  }
  DELETE(scratch);
}

static void encode_sentence(const Model *model) {
  Plan plan;
  plan.n_kept_layers = next_int();
  plan.kept_layers = next(plan.n_kept_layers * sizeof(int32_t));
  plan.thresholds = next(model->n_layers * sizeof(double));
  plan.is_absolute = next_int();
  plan.is_freezing = next_int();
  const int n = next_int();
  const int64_t *ids = next(n * sizeof(int64_t));
  const uint8_t *is_protected = next(n);
  const float *bias = next_int() ? next_floats((size_t)model->n_heads * n * n) : NULL;
  float *states = malloc((size_t)n * model->hidden * sizeof(float));
  int32_t *pruned_after = malloc(n * sizeof(int32_t));
  encode(model, &plan, n, ids, is_protected, bias, states, pruned_after);
  fwrite(states, sizeof(float), (size_t)n * model->hidden, stdout);
  fwrite(pruned_after, sizeof(int32_t), n, stdout);
}

static void encode_all(void) {
  Model model = {.n_layers = next_int()};
  model.hidden = next_int();
  model.wide = next_int();
  model.n_heads = next_int();
  model.activation = next_int();
  model.epsilon = *next_floats(1);
  model.n_words = next_int();
  model.n_positions = next_int();
  const int hidden = model.hidden;
  model.words = next_floats((size_t)model.n_words * hidden);
  model.positions = next_floats((size_t)model.n_positions * hidden);
  next_norm(model.embedding_norm, hidden);
  Layer *layers = calloc(model.n_layers, sizeof(Layer));
  for (int i = 0; i < model.n_layers; i++) {
    layers[i].qkv = next_linear(hidden, 3 * hidden);
    layers[i].attention_out = next_linear(hidden, hidden);
    layers[i].feed_forward_in = next_linear(hidden, model.wide);
    layers[i].feed_forward_out = next_linear(model.wide, hidden);
    next_norm(layers[i].attention_norm, hidden);
    next_norm(layers[i].output_norm, hidden);
  }
  model.layers = layers;
  const int n_sentences = next_int();
  for (int i = 0; i < n_sentences; i++) encode_sentence(&model);
}

int main(void) {
  read_and_write_bytes();
  encode_all();
  return 0;
}
