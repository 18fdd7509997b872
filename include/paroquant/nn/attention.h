// Causal attention with grouped heads and an optional sliding window.
#ifndef PAROQUANT_NN_ATTENTION_H_
#define PAROQUANT_NN_ATTENTION_H_

#include <cmath>
#include <cstdint>
#include <span>

#include "paroquant/base/matrix.h"

namespace paroquant::nn {

struct AttentionShape {
  int64_t heads = 0;
  int64_t kv_heads = 0;  // divides heads: a key/value head serves heads / kv_heads query heads
  int64_t head_dim = 0;
  int64_t window = 0;    // a token sees itself and the window - 1 before it; 0: all before it
  float scale = 0.0F;    // of q k^T; 0: 1 / sqrt(head_dim)
  float softcap = 0.0F;  // scaled scores s become c tanh(s / c); 0: they do not

  float ScoreScale() const {
    return scale > 0.0F ? scale : 1.0F / std::sqrt(static_cast<float>(head_dim));
  }
};

// One sequence: `queries` and `output` [T, heads * head_dim] stand at positions first .. first + T
// - 1; `keys` and `values` [first + T, kv_heads * head_dim] start at position 0.
struct AttentionSequence {
  ConstMatrixRef queries;
  ConstMatrixRef keys;
  ConstMatrixRef values;
  MatrixRef output;
};

// output = softmax(scaled and capped q k^T) v for sequences that all have T queries and start at
// `first`. Threaded over sequences, heads and tiles of queries.
void CausalAttention(const AttentionShape& shape, int64_t first,
                     std::span<AttentionSequence> sequences);

// What CausalAttention's gradient is made of, for one sequence of T tokens from position 0. The
// shapes are those of AttentionSequence.
struct AttentionGradients {
  ConstMatrixRef output;  // in
  MatrixRef queries;      // out
  MatrixRef keys;         // out
  MatrixRef values;       // out
};

// From the gradients at the outputs of CausalAttention(shape, 0, sequences) to those at its inputs.
// The probabilities are computed again, and the sequences' outputs not read. Threaded over
// sequences and key/value heads.
void CausalAttentionBackward(const AttentionShape& shape,
                             std::span<const AttentionSequence> sequences,
                             std::span<AttentionGradients> gradients);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_ATTENTION_H_
