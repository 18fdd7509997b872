// How a model's own predictions depend on what its layers give: what tells which errors of a
// layer's outputs matter.
#ifndef PAROQUANT_RUNTIME_SELF_GRADIENT_H_
#define PAROQUANT_RUNTIME_SELF_GRADIENT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/matrix_store.h"
#include "paroquant/base/progress.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::runtime {

// The backward pass through a block's linears as a 16-bit checkpoint stores them.
class CheckpointBackward : public nn::LinearBackward {
 public:
  // Decodes the block's weights, which are held in float32 while this lives.
  CheckpointBackward(const model::Checkpoint& checkpoint, int64_t layer);

  void Backward(size_t linear, ConstMatrixRef input, ConstMatrixRef output_gradient,
                Matrix* input_gradient) override;

 private:
  nn::PerLinear<Matrix> weights_;  // [N, K]
};

// Tokens of a backward pass. Few: what a block keeps for its way back is many times its output.
inline constexpr int64_t kTokensPerBackwardPass = 1024;

// For each block the gradient at its output, [sequences * length, hidden], of the negative log
// likelihoods of next tokens, summed over all positions; those tokens are drawn from the model's
// own distribution, so that the gradients' second moments are its Fisher information. Takes
// sequences of one length. What is drawn for a sequence depends on `seed` and its number alone.
// `progress` counts passes through blocks. Memory: that of the result, which is made in `store`,
// and the activations of about 1024 tokens.
std::vector<StoredMatrix> SelfGradients(const LanguageModel& model,
                                        std::span<const std::vector<int32_t>> sequences,
                                        uint64_t seed, MatrixStore& store, Progress& progress);

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_SELF_GRADIENT_H_
