#include <cassert>
#include <utility>

#include "nn/row_slices.h"
#include "paroquant/nn/block.h"

namespace paroquant::nn {
namespace {

using model::LinearRole;

Matrix Normalize(const RmsNorm& norm, ConstMatrixRef input) {
  Matrix output(input.rows(), input.cols());
  ForEachRowSlice(input.rows(), [&](int64_t first, int64_t count) {
    norm.Forward(input.middleRows(first, count), output.middleRows(first, count));
  });
  return output;
}

// From the gradient at the norm's output to that at its input, in place.
void NormBackward(const RmsNorm& norm, ConstMatrixRef input, MatrixRef gradient) {
  ForEachRowSlice(input.rows(), [&](int64_t first, int64_t count) {
    norm.Backward(input.middleRows(first, count), gradient.middleRows(first, count),
                  gradient.middleRows(first, count));
  });
}

void Add(ConstMatrixRef term, MatrixRef sum) {
  ForEachRowSlice(sum.rows(), [&](int64_t first, int64_t count) {
    sum.middleRows(first, count) += term.middleRows(first, count);
  });
}

// hidden = silu(gate) * up, silu(g) = g / (1 + e^-g).
Matrix GateMlp(const Matrix& gate, const Matrix& up) {
  Matrix hidden(gate.rows(), gate.cols());
  ForEachRowSlice(gate.rows(), [&](int64_t first, int64_t count) {
    const auto g = gate.middleRows(first, count).array();
    hidden.middleRows(first, count).array() =
        g / (1.0F + (-g).exp()) * up.middleRows(first, count).array();
  });
  return hidden;
}

// From the gradient at silu(gate) * up to those at gate and up. With a = 1 / (1 + e^-g),
//   silu'(g) = a (1 + g (1 - a)).
void GateMlpBackward(const Matrix& gate, const Matrix& up, Matrix& gate_gradient,
                     Matrix& up_gradient) {
  // On entry gate_gradient holds the gradient at the product.
  ForEachRowSlice(gate.rows(), [&](int64_t first, int64_t count) {
    const auto g = gate.middleRows(first, count).array();
    const auto u = up.middleRows(first, count).array();
    auto gradient = gate_gradient.middleRows(first, count).array();
    const Eigen::ArrayXXf sigmoid = 1.0F / (1.0F + (-g).exp());
    up_gradient.middleRows(first, count).array() = gradient * g * sigmoid;
    gradient = gradient * u * sigmoid * (1.0F + g * (1.0F - sigmoid));
  });
}

}  // namespace

void Block::ForwardKeeping(const SequenceBatch& batch, const RopeTable& rope, MatrixRef hidden,
                           BlockActivations& kept) const {
  assert(batch.first == 0);
  kept.attention_input = AttentionInput(hidden);
  kept.queries = Apply(LinearRole::kQuery, kept.attention_input);
  kept.keys = Apply(LinearRole::kKey, kept.attention_input);
  kept.values = Apply(LinearRole::kValue, kept.attention_input);
  if (query_norm_) {
    kept.plain_queries = std::exchange(kept.queries, Normalize(*query_norm_, kept.queries));
  }
  if (key_norm_) kept.plain_keys = std::exchange(kept.keys, Normalize(*key_norm_, kept.keys));
  ParallelFor(batch.count, [&](int64_t s) {
    rope.Apply(kept.queries.middleRows(s * batch.length, batch.length));
    rope.Apply(kept.keys.middleRows(s * batch.length, batch.length));
  });
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
  Add(Apply(LinearRole::kAttentionOutput, kept.attended), hidden);

  kept.middle = hidden;
  kept.mlp_input = MlpInput(hidden);
  kept.gate = Apply(LinearRole::kGate, kept.mlp_input);
  kept.up = Apply(LinearRole::kUp, kept.mlp_input);
  kept.mlp_hidden = GateMlp(kept.gate, kept.up);
  Add(Apply(LinearRole::kDown, kept.mlp_hidden), hidden);
}

void Block::MlpBackward(const BlockActivations& kept, LinearBackward& linears,
                        MatrixRef gradient) const {
  Matrix gate_gradient;
  linears.Backward(LinearRole::kDown, kept.mlp_hidden, gradient, &gate_gradient);
  Matrix up_gradient(gate_gradient.rows(), gate_gradient.cols());
  GateMlpBackward(kept.gate, kept.up, gate_gradient, up_gradient);
  Matrix input_gradient;
  Matrix through_up;
  linears.Backward(LinearRole::kGate, kept.mlp_input, gate_gradient, &input_gradient);
  linears.Backward(LinearRole::kUp, kept.mlp_input, up_gradient, &through_up);
  Add(through_up, input_gradient);
  NormBackward(mlp_norm_, kept.middle, input_gradient);
  Add(input_gradient, gradient);
}

void Block::AttentionBackward(const SequenceBatch& batch, const RopeTable& rope,
                              const BlockActivations& kept, ConstMatrixRef attended_gradient,
                              Matrix& queries, Matrix& keys, Matrix& values) const {
  queries.resize(kept.queries.rows(), kept.queries.cols());
  keys.resize(kept.keys.rows(), kept.keys.cols());
  values.resize(kept.values.rows(), kept.values.cols());
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
                         .queries = queries.middleRows(row, batch.length),
                         .keys = keys.middleRows(row, batch.length),
                         .values = values.middleRows(row, batch.length)});
  }
  CausalAttentionBackward(attention_, sequences, gradients);
  ParallelFor(batch.count, [&](int64_t s) {
    rope.ApplyTransposed(queries.middleRows(s * batch.length, batch.length));
    rope.ApplyTransposed(keys.middleRows(s * batch.length, batch.length));
  });
  if (query_norm_) NormBackward(*query_norm_, kept.plain_queries, queries);
  if (key_norm_) NormBackward(*key_norm_, kept.plain_keys, keys);
}

void Block::Backward(const SequenceBatch& batch, const RopeTable& rope, ConstMatrixRef input,
                     const BlockActivations& kept, LinearBackward& linears,
                     MatrixRef gradient) const {
  MlpBackward(kept, linears, gradient);
  Matrix attended_gradient;
  linears.Backward(LinearRole::kAttentionOutput, kept.attended, gradient, &attended_gradient);
  Matrix queries, keys, values;
  AttentionBackward(batch, rope, kept, attended_gradient, queries, keys, values);
  Matrix sum;
  Matrix term;
  linears.Backward(LinearRole::kQuery, kept.attention_input, queries, &sum);
  linears.Backward(LinearRole::kKey, kept.attention_input, keys, &term);
  Add(term, sum);
  linears.Backward(LinearRole::kValue, kept.attention_input, values, &term);
  Add(term, sum);
  NormBackward(attention_norm_, input, sum);
  Add(sum, gradient);
}

void Block::BackwardToLinears(const SequenceBatch& batch, const RopeTable& rope,
                              const BlockActivations& kept, LinearBackward& linears,
                              MatrixRef gradient) const {
  MlpBackward(kept, linears, gradient);
  Matrix attended_gradient;
  linears.Backward(LinearRole::kAttentionOutput, kept.attended, gradient, &attended_gradient);
  Matrix queries, keys, values;
  AttentionBackward(batch, rope, kept, attended_gradient, queries, keys, values);
  linears.Backward(LinearRole::kQuery, kept.attention_input, queries, nullptr);
  linears.Backward(LinearRole::kKey, kept.attention_input, keys, nullptr);
  linears.Backward(LinearRole::kValue, kept.attention_input, values, nullptr);
}

}  // namespace paroquant::nn
