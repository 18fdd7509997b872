// What the model's own predictions say about which outputs of its linears matter, and which belong
// together.
#ifndef PAROQUANT_PIPELINE_OUTPUT_MOMENTS_H_
#define PAROQUANT_PIPELINE_OUTPUT_MOMENTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/matrix_store.h"
#include "paroquant/base/progress.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::pipeline {

class OutputMoments {
 public:
  // Runs the 16-bit model forwards and backwards over `sequences`, all of one length. `model` and
  // `store`, where the gradients at all blocks' outputs are kept, must outlive this.
  OutputMoments(const runtime::LanguageModel& model,
                std::span<const std::vector<int32_t>> sequences, uint64_t seed, MatrixStore& store,
                Progress& progress);

  // The mean of g g^T, [N, N], g the gradients (see runtime::SelfGradients) at some outputs, in
  // units of its mean diagonal, plus `damping` I: at those of each linear of a block, which reads
  // `inputs` [rows, hidden] in the 16-bit model, or at the block's own. Empty for linears of
  // experts.
  nn::PerLinear<MatrixD> AtLinears(int64_t layer, ConstMatrixRef inputs, double damping) const;
  MatrixD AtOutput(int64_t layer, double damping) const;

  // Frees the gradients of a block that is done.
  void Drop(int64_t layer) { gradients_[static_cast<size_t>(layer)] = StoredMatrix(); }

  int64_t rows() const { return rows_; }

 private:
  const runtime::LanguageModel& model_;
  int64_t length_;
  int64_t rows_;
  std::vector<StoredMatrix> gradients_;  // of each block's output, [rows, hidden]
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_OUTPUT_MOMENTS_H_
