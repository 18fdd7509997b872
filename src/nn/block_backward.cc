#include <cassert>
#include <utility>

#include "nn/gated_mlp.h"
#include "nn/row_slices.h"
#include "paroquant/nn/block.h"

namespace paroquant::nn {
namespace {

// From the gradient at the norm's output to that at its input, in place.
void NormBackward(const RmsNorm& norm, ConstMatrixRef input, MatrixRef gradient) {
  ForEachRowSlice(input.rows(), [&](int64_t first, int64_t count) {
    norm.Backward(input.middleRows(first, count), gradient.middleRows(first, count),
                  gradient.middleRows(first, count));
  });
}

Matrix SideBySide(std::initializer_list<const Matrix*> parts) {
  int64_t columns = 0;
  for (const Matrix* part : parts) columns += part->cols();
  Matrix joined((*parts.begin())->rows(), columns);
  int64_t column = 0;
  for (const Matrix* part : parts) {
    joined.middleCols(column, part->cols()) = *part;
    column += part->cols();
  }
  return joined;
}

}  // namespace

void Block::ForwardKeeping(const SequenceBatch& batch, const RopeTables& rope, MatrixRef hidden,
                           BlockActivations& kept) const {
  assert(batch.first == 0);
  kept.attention_input = AttentionInput(hidden);
  Projections projections = Project(kept.attention_input);
  kept.queries = std::move(projections.queries);
  kept.keys = std::move(projections.keys);
  kept.values = std::move(projections.values);
  if (query_norm_) {
    kept.plain_queries = std::exchange(kept.queries, Normalize(*query_norm_, kept.queries));
  }
  if (key_norm_) kept.plain_keys = std::exchange(kept.keys, Normalize(*key_norm_, kept.keys));
  ApplyRope(batch, rope, kept.queries);
  ApplyRope(batch, rope, kept.keys);
  kept.attended.resize(kept.queries.rows(), kept.queries.cols());
  std::vector<AttentionSequence> sequences;
  for (int64_t s = 0; s < batch.count; ++s) {
    const auto rows = [&](Matrix& matrix) {
      return MatrixRef(matrix.middleRows(s * batch.length, batch.length));
    };
    sequences.push_back({.queries = rows(kept.queries),
                         .keys = rows(kept.keys),
                         .values = rows(kept.values),
                         .output = rows(kept.attended)});
  }
  CausalAttention(attention_, 0, sequences);
  Matrix output = Apply(stages_[1].first, kept.attended);
  if (attention_output_norm_) kept.attention_output = output;
  AddOutput(std::move(output), attention_output_norm_, hidden);

  kept.middle = hidden;
  kept.mlp_input = MlpInput(hidden);
  kept.mlps.resize((stages_.size() - 2) / 2);
  if (has_experts()) {
    kept.routing = Route(kept.mlp_input);
    output = Mixture(kept.mlp_input, kept.routing, &kept.mlps);
  } else {
    kept.mlps[0] = RunMlp(kept.mlp_input, 0);
    output = Apply(stages_[3].first, kept.mlps[0].hidden);
  }
  if (mlp_output_norm_) kept.mlp_output = output;
  AddOutput(std::move(output), mlp_output_norm_, hidden);
}

Matrix Block::OutputGradient(const std::optional<RmsNorm>& norm, const Matrix& output,
                             ConstMatrixRef gradient) const {
  Matrix result = gradient;
  if (residual_ != 1.0F) result *= residual_;
  if (norm) NormBackward(*norm, output, result);
  return result;
}

Matrix Block::GateBackward(size_t mlp, const MlpActivations& kept, ConstMatrixRef mlp_input,
                           LinearBackward& linears, Matrix product_gradient) const {
  const model::LinearStage& stage = stages_[2 + 2 * mlp];
  Matrix up_gradient;
  GatedProductBackward(activation_, kept.gate, kept.up, product_gradient, up_gradient);
  Matrix input_gradient;
  if (stage.count == 1) {
    linears.Backward(stage.first, mlp_input, SideBySide({&product_gradient, &up_gradient}),
                     &input_gradient);
    return input_gradient;
  }
  Matrix through_up;
  linears.Backward(stage.first, mlp_input, product_gradient, &input_gradient);
  linears.Backward(stage.first + 1, mlp_input, up_gradient, &through_up);
  Add(through_up, input_gradient);
  return input_gradient;
}

Matrix Block::MixtureBackward(const BlockActivations& kept, LinearBackward& linears,
                              const Matrix& gradient) const {
  Matrix input_gradient = Matrix::Zero(gradient.rows(), gradient.cols());
  std::vector<std::vector<float>> weight_gradients(kept.routing.size());
  for (size_t expert = 0; expert < kept.routing.size(); ++expert) {
    const ExpertShare& share = kept.routing[expert];
    if (share.rows.empty()) continue;
    const MlpActivations& mlp = kept.mlps[expert];
    Matrix hidden_gradient;
    linears.Backward(stages_[3 + 2 * expert].first, mlp.hidden, GatherRows(gradient, share.rows),
                     &hidden_gradient);
    const Matrix product = GatedProduct(activation_, mlp.gate, mlp.up);
    for (Eigen::Index row = 0; row < product.rows(); ++row) {
      weight_gradients[expert].push_back(hidden_gradient.row(row).dot(product.row(row)));
    }
    ScaleRows(share.weights, hidden_gradient);
    ScatterAddRows(GateBackward(expert, mlp, GatherRows(kept.mlp_input, share.rows), linears,
                                std::move(hidden_gradient)),
                   share.rows, input_gradient);
  }
  router_->Backward(kept.mlp_input, kept.routing, weight_gradients, input_gradient);
  return input_gradient;
}

void Block::MlpBackward(const BlockActivations& kept, LinearBackward& linears,
                        MatrixRef gradient) const {
  const Matrix output_gradient = OutputGradient(mlp_output_norm_, kept.mlp_output, gradient);
  Matrix input_gradient;
  if (has_experts()) {
    input_gradient = MixtureBackward(kept, linears, output_gradient);
  } else {
    Matrix hidden_gradient;
    linears.Backward(stages_[3].first, kept.mlps[0].hidden, output_gradient, &hidden_gradient);
    input_gradient =
        GateBackward(0, kept.mlps[0], kept.mlp_input, linears, std::move(hidden_gradient));
  }
  if (mlp_norm_) NormBackward(*mlp_norm_, kept.middle, input_gradient);
  Add(input_gradient, gradient);
}

Block::Projections Block::AttentionBackward(const SequenceBatch& batch, const RopeTables& rope,
                                            const BlockActivations& kept,
                                            ConstMatrixRef attended_gradient) const {
  Projections at{Matrix(kept.queries.rows(), kept.queries.cols()),
                 Matrix(kept.keys.rows(), kept.keys.cols()),
                 Matrix(kept.values.rows(), kept.values.cols())};
  std::vector<AttentionSequence> sequences;
  std::vector<AttentionGradients> gradients;
  Matrix unused(0, 0);
  for (int64_t s = 0; s < batch.count; ++s) {
    const int64_t row = s * batch.length;
    sequences.push_back({.queries = kept.queries.middleRows(row, batch.length),
                         .keys = kept.keys.middleRows(row, batch.length),
                         .values = kept.values.middleRows(row, batch.length),
                         .output = unused});
    gradients.push_back({.output = attended_gradient.middleRows(row, batch.length),
                         .queries = at.queries.middleRows(row, batch.length),
                         .keys = at.keys.middleRows(row, batch.length),
                         .values = at.values.middleRows(row, batch.length)});
  }
  CausalAttentionBackward(attention_, sequences, gradients);
  if (const RopeTable* table = rope.Of(rope_use_)) {
    ParallelFor(batch.count, [&](int64_t s) {
      table->ApplyTransposed(at.queries.middleRows(s * batch.length, batch.length));
      table->ApplyTransposed(at.keys.middleRows(s * batch.length, batch.length));
    });
  }
  if (query_norm_) NormBackward(*query_norm_, kept.plain_queries, at.queries);
  if (key_norm_) NormBackward(*key_norm_, kept.plain_keys, at.keys);
  return at;
}

void Block::ProjectBackward(const BlockActivations& kept, const Projections& gradients,
                            LinearBackward& linears, Matrix* sum) const {
  const size_t first = stages_[0].first;
  if (stages_[0].count == 1) {
    linears.Backward(first, kept.attention_input,
                     SideBySide({&gradients.queries, &gradients.keys, &gradients.values}), sum);
    return;
  }
  Matrix term;
  Matrix* next = sum == nullptr ? nullptr : &term;
  linears.Backward(first, kept.attention_input, gradients.queries, sum);
  linears.Backward(first + 1, kept.attention_input, gradients.keys, next);
  if (sum != nullptr) Add(term, *sum);
  linears.Backward(first + 2, kept.attention_input, gradients.values, next);
  if (sum != nullptr) Add(term, *sum);
}

Block::Projections Block::BackwardToProjections(const SequenceBatch& batch, const RopeTables& rope,
                                                const BlockActivations& kept,
                                                LinearBackward& linears, MatrixRef gradient) const {
  MlpBackward(kept, linears, gradient);
  Matrix attended_gradient;
  linears.Backward(stages_[1].first, kept.attended,
                   OutputGradient(attention_output_norm_, kept.attention_output, gradient),
                   &attended_gradient);
  return AttentionBackward(batch, rope, kept, attended_gradient);
}

void Block::Backward(const SequenceBatch& batch, const RopeTables& rope, ConstMatrixRef input,
                     const BlockActivations& kept, LinearBackward& linears,
                     MatrixRef gradient) const {
  const Projections at = BackwardToProjections(batch, rope, kept, linears, gradient);
  Matrix sum;
  ProjectBackward(kept, at, linears, &sum);
  if (attention_norm_) NormBackward(*attention_norm_, input, sum);
  Add(sum, gradient);
}

void Block::BackwardToLinears(const SequenceBatch& batch, const RopeTables& rope,
                              const BlockActivations& kept, LinearBackward& linears,
                              MatrixRef gradient) const {
  ProjectBackward(kept, BackwardToProjections(batch, rope, kept, linears, gradient), linears,
                  nullptr);
}

}  // namespace paroquant::nn
