// A whole model that runs: a 16-bit folder or a checkpoint in any layout that format knows, through
// one forward pass.
#ifndef PAROQUANT_RUNTIME_LANGUAGE_MODEL_H_
#define PAROQUANT_RUNTIME_LANGUAGE_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/linear.h"
#include "paroquant/nn/norm.h"

namespace paroquant::runtime {

class LanguageModel {
 public:
  // Maps the weights; only packed layouts other than paroquant's and AWQ's are repacked. Throws
  // kInput or kUnsupported.
  static LanguageModel Load(const std::filesystem::path& folder);

  const model::Checkpoint& checkpoint() const { return *checkpoint_; }
  const model::Architecture& architecture() const { return checkpoint_->architecture(); }
  const nn::Block& block(int64_t layer) const { return blocks_[static_cast<size_t>(layer)]; }
  const nn::RmsNorm& final_norm() const { return final_norm_; }

  // The embedding rows of `ids` [count, hidden]. Throws kInput for an id outside the vocabulary.
  Matrix Embed(std::span<const int32_t> ids) const;
  nn::RopeTables Rope(int64_t first, int64_t count) const;
  // All blocks, in place on [batch.rows(), hidden]; `caches` holds one per block, or none.
  void Forward(const nn::SequenceBatch& batch, MatrixRef hidden,
               std::span<nn::KeyValueCache> caches = {}) const;
  // Final norm and head of some rows of the residual stream: [rows, vocab].
  Matrix Logits(ConstMatrixRef hidden) const;
  // From the gradient at `logits`, what Logits gave, to that at the head's own output, in place.
  void ToHeadOutput(const Matrix& logits, Matrix& gradient) const;

  // A block of its own with the same weights, whose linears may be replaced. Views the checkpoint,
  // so this model must outlive it.
  nn::Block MakeBlock(int64_t layer) const;

  std::vector<nn::KeyValueCache> MakeCaches(int64_t sequences, int64_t capacity) const;

 private:
  explicit LanguageModel(model::Checkpoint checkpoint);

  std::unique_ptr<model::Checkpoint> checkpoint_;  // what blocks view stays in place on a move
  format::PackedLayers packed_;
  io::TensorView embedding_;
  std::vector<nn::Block> blocks_;
  nn::RmsNorm final_norm_;
  std::unique_ptr<nn::Linear> head_;
};

}  // namespace paroquant::runtime

#endif  // PAROQUANT_RUNTIME_LANGUAGE_MODEL_H_
