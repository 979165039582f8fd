/* The structures of a forward pass. Layer, Model and Plan are mirrored in library.py. */
#ifndef TOKPRUNE_MODEL_H
#define TOKPRUNE_MODEL_H

#include "attention.h"
#include "crew.h"

enum { NEVER_PRUNED = -1 };
enum { POOL_NOT, POOL_MEAN, POOL_FIRST };

/* Rows whose wide states stay in the second-level cache between two multiplications. */
#ifndef FEED_FORWARD_ROWS
#define FEED_FORWARD_ROWS 64
#endif
enum { ROWS_OF_KERNEL = 8, LEAST_TO_SHARE = 16 }; /* tokens of a sentence that is shared out */

typedef struct {
  Linear qkv; /* queries are divided by sqrt(head_size) */
  Linear attention_out, feed_forward_in, feed_forward_out;
  const float *attention_norm[2], *output_norm[2]; /* scale, shift */
} Layer;

typedef struct {
  int32_t n_layers, hidden, wide, n_heads, activation;
  int32_t pooling, normalizes;
  int32_t n_words, n_positions;
  float epsilon;
  const float *words, *positions; /* tables of embeddings, (n_words, hidden) and so on */
  const float *embedding_norm[2];
  const Layer *layers;
} Model;

typedef struct {
  const int32_t *kept_layers;
  int32_t n_kept_layers;
  const double *thresholds; /* (n_layers,), 0 prunes nothing */
  int32_t is_absolute, is_freezing;
} Plan;

/* One sentence while it is encoded. Rows of active tokens come first, in the sentence's order. */
typedef struct {
  const Model *model;
  const Plan *plan;
  const uint8_t *is_protected; /* by place */
  const float *bias;           /* MPNet's, or NULL */
  int n_tokens, n_active, n_frozen;
  int *place;           /* of active tokens, then of frozen ones */
  float *states;        /* (n_active, hidden) */
  float *final_states;  /* (n_tokens, hidden), by place: the result */
  int32_t *pruned_after; /* by place: the result */
  float *wide;          /* (n_tokens, max(3 * hidden, wide)) */
  float *context;       /* (n_tokens, hidden) */
  float *received;      /* (n_heads, n_tokens padded) */
  float *frozen;        /* (n_layers, n_tokens, 2 * hidden) keys and values, if freezing */
  uint8_t *attention_scratch; /* of each worker */
  size_t attention_scratch_size;
  int n_workers;
  ByteRows bytes; /* (n_tokens, max(3 * hidden, wide)); chunks at once have rows of their own */
} Sentence;

#endif
