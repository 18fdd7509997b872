// Floating-point operations of a model, two for each multiply-add of its matrix products.
#ifndef PAROQUANT_BENCH_MODEL_FLOPS_H_
#define PAROQUANT_BENCH_MODEL_FLOPS_H_

#include <cstdint>

#include "paroquant/model/architecture.h"

namespace paroquant {

// For a token of a window of `window` tokens of which each is scored: linears, causal attention
// (each token sees half of the window on average) and head.
inline double FlopsPerToken(const model::Architecture& shape, int64_t window) {
  const int64_t mlp = 3 * shape.hidden_size * shape.intermediate_size;
  const int64_t projections =
      2 * shape.hidden_size * shape.head_dim * (shape.heads + shape.kv_heads);
  const int64_t attention = window * shape.heads * shape.head_dim;  // half of the square, twice
  const int64_t head = shape.hidden_size * shape.vocab_size;
  return 2.0 * static_cast<double>(shape.layers * (mlp + projections + attention) + head);
}

}  // namespace paroquant

#endif  // PAROQUANT_BENCH_MODEL_FLOPS_H_
