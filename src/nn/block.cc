#include "paroquant/nn/block.h"

#include <utility>

#include "nn/row_slices.h"
#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

using model::LinearRole;

RmsNorm ReadNorm(const model::Checkpoint& checkpoint, const std::string& name, int64_t width) {
  return {model::DecodeFloats(checkpoint.FloatTensor(name, {width})),
          static_cast<float>(checkpoint.architecture().norm_epsilon)};
}

Matrix Normalize(const RmsNorm& norm, ConstMatrixRef input) {
  Matrix output(input.rows(), input.cols());
  ForEachRowSlice(input.rows(), [&](int64_t first, int64_t count) {
    norm.Forward(input.middleRows(first, count), output.middleRows(first, count));
  });
  return output;
}

}  // namespace

KeyValueCache::KeyValueCache(int64_t sequences, int64_t capacity, int64_t width)
    : capacity_(capacity),
      keys_(sequences * capacity, width),
      values_(sequences * capacity, width) {}

void KeyValueCache::Append(const SequenceBatch& batch, ConstMatrixRef keys, ConstMatrixRef values) {
  for (int64_t s = 0; s < batch.count; ++s) {
    const int64_t target = s * capacity_ + batch.first;
    keys_.middleRows(target, batch.length) = keys.middleRows(s * batch.length, batch.length);
    values_.middleRows(target, batch.length) = values.middleRows(s * batch.length, batch.length);
  }
}

ConstMatrixRef KeyValueCache::Keys(int64_t sequence, int64_t length) const {
  return keys_.middleRows(sequence * capacity_, length);
}

ConstMatrixRef KeyValueCache::Values(int64_t sequence, int64_t length) const {
  return values_.middleRows(sequence * capacity_, length);
}

Block::Block(const model::Checkpoint& checkpoint, int64_t layer, LinearSet linears)
    : linears_(std::move(linears)) {
  const model::Architecture& architecture = checkpoint.architecture();
  attention_ = {.heads = architecture.heads,
                .kv_heads = architecture.kv_heads,
                .head_dim = architecture.head_dim,
                .window = architecture.windows[static_cast<size_t>(layer)]};
  const auto norm = [&](const char* suffix, int64_t width) {
    return ReadNorm(checkpoint, model::BlockTensorName(layer, suffix), width);
  };
  attention_norm_ = norm("input_layernorm.weight", architecture.hidden_size);
  mlp_norm_ = norm("post_attention_layernorm.weight", architecture.hidden_size);
  if (architecture.query_key_norm) {
    query_norm_ = norm("self_attn.q_norm.weight", architecture.head_dim);
    key_norm_ = norm("self_attn.k_norm.weight", architecture.head_dim);
  }
}

const Linear& Block::linear(LinearRole role) const { return *linears_[static_cast<size_t>(role)]; }

void Block::ReplaceLinear(LinearRole role, std::unique_ptr<Linear> linear) {
  linears_[static_cast<size_t>(role)] = std::move(linear);
}

Matrix Block::Apply(LinearRole role, ConstMatrixRef input) const {
  Matrix output(input.rows(), linear(role).out_features());
  linear(role).Forward(input, output);
  return output;
}

Matrix Block::AttentionInput(ConstMatrixRef hidden) const {
  return Normalize(attention_norm_, hidden);
}

Matrix Block::Attend(const SequenceBatch& batch, const RopeTable& rope,
                     ConstMatrixRef attention_input, KeyValueCache* cache) const {
  Matrix queries = Apply(LinearRole::kQuery, attention_input);
  Matrix keys = Apply(LinearRole::kKey, attention_input);
  const Matrix values = Apply(LinearRole::kValue, attention_input);
  if (query_norm_) queries = Normalize(*query_norm_, queries);
  if (key_norm_) keys = Normalize(*key_norm_, keys);
  ParallelFor(batch.count, [&](int64_t s) {
    rope.Apply(queries.middleRows(s * batch.length, batch.length));
    rope.Apply(keys.middleRows(s * batch.length, batch.length));
  });
  if (cache != nullptr) cache->Append(batch, keys, values);

  Matrix attended(queries.rows(), queries.cols());
  std::vector<AttentionSequence> sequences;
  for (int64_t s = 0; s < batch.count; ++s) {
    const int64_t row = s * batch.length;
    const int64_t seen = batch.first + batch.length;
    sequences.push_back(
        {.queries = queries.middleRows(row, batch.length),
         .keys = cache != nullptr ? cache->Keys(s, seen) : keys.middleRows(row, batch.length),
         .values = cache != nullptr ? cache->Values(s, seen) : values.middleRows(row, batch.length),
         .output = attended.middleRows(row, batch.length)});
  }
  CausalAttention(attention_, batch.first, sequences);
  return attended;
}

void Block::AddAttention(ConstMatrixRef attended, MatrixRef hidden) const {
  hidden += Apply(LinearRole::kAttentionOutput, attended);
}

Matrix Block::MlpInput(ConstMatrixRef hidden) const { return Normalize(mlp_norm_, hidden); }

Matrix Block::MlpHidden(ConstMatrixRef mlp_input) const {
  Matrix gate = Apply(LinearRole::kGate, mlp_input);
  const Matrix up = Apply(LinearRole::kUp, mlp_input);
  ForEachRowSlice(gate.rows(), [&](int64_t first, int64_t count) {
    auto g = gate.middleRows(first, count).array();
    g = g / (1.0F + (-g).exp()) * up.middleRows(first, count).array();
  });
  return gate;
}

void Block::AddMlp(ConstMatrixRef mlp_hidden, MatrixRef hidden) const {
  hidden += Apply(LinearRole::kDown, mlp_hidden);
}

void Block::Forward(const SequenceBatch& batch, const RopeTable& rope, MatrixRef hidden,
                    KeyValueCache* cache) const {
  AddAttention(Attend(batch, rope, AttentionInput(hidden), cache), hidden);
  AddMlp(MlpHidden(MlpInput(hidden)), hidden);
}

std::vector<float> ReadBias(const model::Checkpoint& checkpoint, const model::LinearInfo& info) {
  if (!info.bias) return {};
  return model::DecodeFloats(checkpoint.FloatTensor(info.name + ".bias", {info.out_features}));
}

std::unique_ptr<Linear> MakeDenseLinear(const model::Checkpoint& checkpoint,
                                        const model::LinearInfo& info) {
  const io::TensorView& weight =
      checkpoint.FloatTensor(info.name + ".weight", {info.out_features, info.in_features});
  return std::make_unique<DenseLinear>(weight, ReadBias(checkpoint, info));
}

}  // namespace paroquant::nn
