/* A libFuzzer target: bytes become a sentence and a plan, which the C library encodes.
 *
 * What is checked, besides what the sanitizers see: refused are exactly tokens without a row; a plan
 * prunes only what it may; numbers are finite; the same comes out again on other threads and over
 * other bytes in the scratch memory, so that none is read before it is written. */
#if !__has_builtin(__builtin_elementwise_fma)
#define __builtin_elementwise_fma fused
#endif
typedef float fused_vector __attribute__((vector_size(64)));
static inline fused_vector fused(fused_vector a, fused_vector b, fused_vector c) {
  for (int i = 0; i < 16; i++) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
}

#include "encoder.c"
#include "models.h"

enum { LONGEST = 150 };

/* What one call is given. */
typedef struct {
  const Model *model;
  Plan plan;
  int n_tokens, n_threads;
  int64_t *ids, *positions;
  uint8_t *is_protected;
  float *bias;
  int wants_states;
} Call;

/* What it gives back. */
typedef struct {
  int is_done;
  float *states, *pooled;
  int32_t *pruned_after;
} Result;

static const uint8_t *input;
static size_t n_left;

static int next_byte(void) {
  if (n_left == 0) return 0;
  n_left--;
  return *input++;
}

/* A row of a table of n, now and then one that is not there. */
static int64_t next_row(int n) {
  const int byte = next_byte();
  if (byte < 250) return byte % n;
  const int64_t none[] = {-1, n, INT64_MIN, INT64_MAX, (int64_t)1 << 32, n - 1};
  return none[byte - 250];
}

static Plan next_plan(const Model *m) {
  Plan plan = {.is_absolute = next_byte() % 2, .is_freezing = next_byte() % 2};
  const int which = next_byte();
  int n = 0;
  for (int i = 0; i < m->n_layers; i++) n += !(which >> i & 1);
  int32_t *kept = room(n * sizeof *kept);
  double *thresholds = room(m->n_layers * sizeof *thresholds);
  for (int i = 0; i < m->n_layers; i++) {
    const int byte = next_byte(), is_kept = !(which >> i & 1);
    if (is_kept) kept[plan.n_kept_layers++] = i;
    /* As PruningPlan lets them through: 0 to nearly 1, or any number from 0. */
    thresholds[i] = plan.is_absolute ? byte / 64.0 : byte / 256.0;
    if (byte == 255) thresholds[i] = plan.is_absolute ? 1e300 : 0x1.fffffffffffffp-1;
    if (!is_kept) thresholds[i] = 0;
  }
  plan.kept_layers = kept;
  plan.thresholds = thresholds;
  return plan;
}

static Call next_call(void) {
  static const int THREADS[] = {2, 3, 0, -1, INT32_MIN};
  Call call = {.model = model_of(next_byte() % N_SHAPES)};
  call.plan = next_plan(call.model);
  const int which = next_byte();
  call.n_threads = which < 5 ? THREADS[which] : 1;
  call.wants_states = next_byte() % 4;
  /* Mostly short, as messages are: more of them are tried. */
  const int asked = next_byte(), n = asked < 200 ? asked % 36 : (asked - 200) * LONGEST / 55;
  const int flags = next_byte(), m_heads = call.model->n_heads;
  call.n_tokens = n;
  call.ids = room(n * sizeof(int64_t));
  call.is_protected = room(n);
  if (flags & 1) call.positions = room(n * sizeof(int64_t));
  for (int i = 0; i < n; i++) {
    call.ids[i] = next_row(N_WORDS);
    call.is_protected[i] = next_byte() % 5 == 0;
    if (call.positions) call.positions[i] = next_row(N_POSITIONS);
  }
  if (flags & 2) {
    random_state = 1 + next_byte();
    call.bias = floats((size_t)m_heads * n * n, 4.0f, 0);
  }
  return call;
}

static Result run(const Call *call, int n_threads, int filling) {
  const Model *m = call->model;
  const size_t n = call->n_tokens, width = m->hidden * sizeof(float);
  Result result = {0};
  if (call->wants_states & 1) result.states = room(n * width);
  if (call->wants_states & 2) result.pruned_after = room(n * sizeof(int32_t));
  if (m->pooling != POOL_NOT) result.pooled = room(width);
  const size_t size = tokprune_scratch_size(m, &call->plan, n, n_threads);
  uint8_t *scratch = room(size);
  memset(scratch, filling, size);
  result.is_done = tokprune_encode(m, &call->plan, n, call->ids, call->positions,
                                   call->is_protected, call->bias, scratch, result.states,
                                   result.pruned_after, result.pooled, n_threads);
  free(scratch);
  return result;
}

static int has_rows(const Call *call) {
  for (int i = 0; i < call->n_tokens; i++) {
    const int64_t id = call->ids[i], at = call->positions ? call->positions[i] : i;
    if (id < 0 || id >= N_WORDS || at < 0 || at >= N_POSITIONS) return 0;
  }
  return call->n_tokens > 0;
}

static void require_finite(const float *numbers, size_t n) {
  for (size_t i = 0; i < n; i++) require(isfinite(numbers[i]), "a result is not finite");
}

static void check_pruning(const Call *call, const int32_t *pruned_after) {
  int n_kept = 0;
  for (int i = 0; i < call->n_tokens; i++) {
    const int32_t layer = pruned_after[i];
    n_kept += layer == NEVER_PRUNED;
    if (layer == NEVER_PRUNED) continue;
    require(layer >= 0 && layer < N_LAYERS, "pruned after a layer that is not there");
    require(call->plan.thresholds[layer] > 0, "pruned after a layer that does not prune");
    require(!call->is_protected[i], "a protected token was pruned");
  }
  require(n_kept > 0, "no token is left");
}

static void check(const Call *call, const Result *result) {
  const Model *m = call->model;
  require(result->is_done == has_rows(call), "refused what has rows, or took what has none");
  if (!result->is_done) return;
  if (result->pruned_after) check_pruning(call, result->pruned_after);
  for (int i = 0; i < N_SHAPES; i++)
    if (m == model_of(i) && SHAPES[i].is_extreme) return;
  if (result->states) require_finite(result->states, (size_t)call->n_tokens * m->hidden);
  if (result->pooled) require_finite(result->pooled, m->hidden);
}

static void require_same(const void *a, const void *b, size_t size) {
  require(!a || memcmp(a, b, size) == 0, "another result on other threads or memory");
}

static void drop(Result *result) {
  free(result->states);
  free(result->pooled);
  free(result->pruned_after);
}

/* Called once, before any input. */
int LLVMFuzzerInitialize(int *n_arguments, char ***arguments) {
  (void)n_arguments, (void)arguments;
  require(tokprune_prepare(), "the system refuses what this build needs of the CPU");
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input = data;
  n_left = size;
  Call call = next_call();
  const size_t n = call.n_tokens, width = call.model->hidden * sizeof(float);
  Result one = run(&call, call.n_threads, 0), other = run(&call, 1, 0xff);
  check(&call, &one);
  require(one.is_done == other.is_done, "done on some threads only");
  if (one.is_done) {
    require_same(one.states, other.states, n * width);
    require_same(one.pruned_after, other.pruned_after, n * sizeof(int32_t));
    require_same(one.pooled, other.pooled, width);
  }
  drop(&one);
  drop(&other);
  free((void *)call.plan.kept_layers);
  free((void *)call.plan.thresholds);
  free(call.ids);
  free(call.positions);
  free(call.is_protected);
  free(call.bias);
  return 0;
}
