#include "paroquant/runtime/self_gradient.h"

#include <algorithm>

#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"
#include "paroquant/linalg/product.h"
#include "paroquant/runtime/sampler.h"

namespace paroquant::runtime {
namespace {

// Rows whose logits are held at a time.
constexpr int64_t kRowsOfLogits = 256;

Matrix ReadMatrix(const model::Checkpoint& checkpoint, const std::string& name, int64_t rows,
                  int64_t columns) {
  Matrix matrix(rows, columns);
  model::DecodeFloats(checkpoint.FloatTensor(name, {rows, columns}), 0, matrix.size(),
                      matrix.data());
  return matrix;
}

// The gradient at logits of the negative log likelihood of a token drawn from them:
// softmax - onehot.
Matrix DrawnGradient(const Matrix& logits, std::span<Rng> rngs) {
  Matrix gradient(logits.rows(), logits.cols());
  ParallelFor(logits.rows(), [&](int64_t row) {
    const int32_t token =
        SampleToken(logits.row(row).transpose(), 1.0, rngs[static_cast<size_t>(row)]);
    auto values = gradient.row(row).array();
    values = (logits.row(row).array() - logits.row(row).maxCoeff()).exp();
    values /= values.sum();
    gradient(row, token) -= 1.0F;
  });
  return gradient;
}

// A generator for each position, so that drawing does not depend on how rows are cut.
std::vector<Rng> Generators(int64_t first, int64_t count, uint64_t seed) {
  std::vector<Rng> rngs;
  for (int64_t row = first; row < first + count; ++row) {
    rngs.emplace_back(seed * 0x9E3779B97F4A7C15U + static_cast<uint64_t>(row));
  }
  return rngs;
}

// `hidden`, the last block's output, becomes the gradient there.
void HeadGradient(const LanguageModel& model, uint64_t seed, MatrixMap hidden) {
  const model::Architecture& shape = model.architecture();
  const Matrix head =
      ReadMatrix(model.checkpoint(), HeadName(shape), shape.vocab_size, shape.hidden_size);
  for (int64_t first = 0; first < hidden.rows(); first += kRowsOfLogits) {
    auto rows = hidden.middleRows(first, std::min(kRowsOfLogits, hidden.rows() - first));
    const Matrix logits = model.Logits(rows);
    std::vector<Rng> rngs = Generators(first, rows.rows(), seed);
    Matrix at_logits = DrawnGradient(logits, rngs);
    model.ToHeadOutput(logits, at_logits);
    Matrix gradient(rows.rows(), rows.cols());
    linalg::Multiply(at_logits, head, gradient);
    model.final_norm().Backward(rows, gradient, gradient);
    rows = gradient;
  }
}

}  // namespace

CheckpointBackward::CheckpointBackward(const model::Checkpoint& checkpoint, int64_t layer) {
  for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
    weights_.push_back(model::ReadWeight(checkpoint, info));
  }
}

void CheckpointBackward::Backward(size_t linear, ConstMatrixRef input,
                                  ConstMatrixRef output_gradient, Matrix* input_gradient) {
  if (input_gradient == nullptr) return;
  input_gradient->resize(input.rows(), input.cols());
  linalg::Multiply(output_gradient, weights_[linear], *input_gradient);
}

std::vector<StoredMatrix> SelfGradients(const LanguageModel& model,
                                        std::span<const std::vector<int32_t>> sequences,
                                        uint64_t seed, MatrixStore& store, Progress& progress) {
  const auto count = static_cast<int64_t>(sequences.size());
  const auto length = static_cast<int64_t>(sequences.front().size());
  const nn::RopeTables rope = model.Rope(0, length);
  const int64_t per_pass = std::max<int64_t>(1, kTokensPerBackwardPass / length);
  // A pass back computes the block's states once more.
  constexpr int64_t kStepsForward = 1, kStepsBack = 2;
  const int64_t passes = (count + per_pass - 1) / per_pass;
  const int64_t blocks = model.architecture().layers;
  progress.Start("gradients", passes * (blocks * kStepsForward + (blocks - 1) * kStepsBack));
  const auto for_each_pass = [&](int64_t steps, const auto& body) {
    for (int64_t first = 0; first < count; first += per_pass) {
      body(first * length,
           nn::SequenceBatch{.count = std::min(per_pass, count - first), .length = length});
      progress.Advance(steps, "");
    }
  };
  std::vector<int32_t> ids;
  for (const auto& sequence : sequences) ids.insert(ids.end(), sequence.begin(), sequence.end());

  // states[l] is what block l reads; on the way back, once block l is passed, the gradient there.
  const auto layers = static_cast<size_t>(blocks);
  std::vector<StoredMatrix> states;
  for (size_t i = 0; i <= layers; ++i) {
    states.push_back(store.Make(std::ssize(ids), model.architecture().hidden_size));
  }
  states.front().view() = model.Embed(ids);
  for (size_t layer = 0; layer < layers; ++layer) {
    MatrixMap output = states[layer + 1].view();
    output = states[layer].view();
    for_each_pass(kStepsForward, [&](int64_t row, const nn::SequenceBatch& batch) {
      model.block(static_cast<int64_t>(layer))
          .Forward(batch, rope, output.middleRows(row, batch.rows()));
    });
  }
  HeadGradient(model, seed, states.back().view());
  nn::BlockActivations kept;
  for (size_t layer = layers - 1; layer > 0; --layer) {
    const nn::Block& block = model.block(static_cast<int64_t>(layer));
    CheckpointBackward linears(model.checkpoint(), static_cast<int64_t>(layer));
    for_each_pass(kStepsBack, [&](int64_t row, const nn::SequenceBatch& batch) {
      auto input = states[layer].view().middleRows(row, batch.rows());
      Matrix hidden = input;
      block.ForwardKeeping(batch, rope, hidden, kept);
      Matrix gradient = states[layer + 1].view().middleRows(row, batch.rows());
      block.Backward(batch, rope, input, kept, linears, gradient);
      input = gradient;
    });
  }
  progress.Finish();
  states.erase(states.begin());
  return states;
}

}  // namespace paroquant::runtime
