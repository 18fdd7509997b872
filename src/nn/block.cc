#include "paroquant/nn/block.h"

#include <utility>

#include "nn/gated_mlp.h"
#include "nn/row_slices.h"
#include "paroquant/base/parallel.h"

namespace paroquant::nn {
namespace {

Router ReadRouter(const model::Checkpoint& checkpoint, int64_t layer) {
  const model::Architecture& architecture = checkpoint.architecture();
  Matrix weight(architecture.experts.count, architecture.hidden_size);
  const io::TensorView& tensor =
      checkpoint.FloatTensor(RouterName(architecture, layer), {weight.rows(), weight.cols()});
  model::DecodeFloats(tensor, 0, weight.size(), weight.data());
  return {std::move(weight), architecture.experts.per_token, architecture.experts.normalized};
}

AttentionShape ReadAttention(const model::Architecture& architecture, int64_t layer) {
  return {.heads = architecture.heads,
          .kv_heads = architecture.kv_heads,
          .head_dim = architecture.head_dim,
          .window = architecture.windows[static_cast<size_t>(layer)],
          .scale = static_cast<float>(architecture.attention_scale),
          .softcap = static_cast<float>(architecture.attention_softcap)};
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
    : attention_(ReadAttention(checkpoint.architecture(), layer)),
      rope_use_(checkpoint.architecture().rope_uses[static_cast<size_t>(layer)]),
      activation_(checkpoint.architecture().activation),
      residual_(static_cast<float>(checkpoint.architecture().residual_multiplier)),
      stages_(model::LinearStages(DescribeLinears(checkpoint.architecture(), layer))),
      linears_(std::move(linears)) {
  const model::Architecture& architecture = checkpoint.architecture();
  const auto read = [&](const std::string& suffix, int64_t width, std::optional<RmsNorm>& norm) {
    if (suffix.empty()) return;
    norm = ReadNorm(checkpoint, BlockTensorName(architecture, layer, suffix), width);
  };
  read(architecture.norms.attention_input, architecture.hidden_size, attention_norm_);
  read(architecture.norms.attention_output, architecture.hidden_size, attention_output_norm_);
  read(architecture.norms.mlp_input, architecture.hidden_size, mlp_norm_);
  read(architecture.norms.mlp_output, architecture.hidden_size, mlp_output_norm_);
  if (architecture.query_key_norm != model::QueryKeyNorm::kNone) {
    const bool all = architecture.query_key_norm == model::QueryKeyNorm::kAllHeads;
    read("self_attn.q_norm.weight", attention_.head_dim * (all ? attention_.heads : 1),
         query_norm_);
    read("self_attn.k_norm.weight", attention_.head_dim * (all ? attention_.kv_heads : 1),
         key_norm_);
  }
  if (architecture.HasExperts(layer)) router_ = ReadRouter(checkpoint, layer);
}

void Block::ReplaceLinear(size_t index, std::unique_ptr<Linear> linear) {
  linears_[index] = std::move(linear);
}

Matrix Block::Apply(size_t index, ConstMatrixRef input) const {
  Matrix output(input.rows(), linear(index).out_features());
  linear(index).Forward(input, output);
  return output;
}

Matrix Block::AttentionInput(ConstMatrixRef hidden) const {
  return attention_norm_ ? Normalize(*attention_norm_, hidden) : Matrix(hidden);
}

Block::Projections Block::Project(ConstMatrixRef attention_input) const {
  const size_t first = stages_[0].first;
  Matrix queries = Apply(first, attention_input);
  if (stages_[0].count > 1) {
    return {std::move(queries), Apply(first + 1, attention_input),
            Apply(first + 2, attention_input)};
  }
  const int64_t width = attention_.kv_heads * attention_.head_dim;
  return {queries.leftCols(queries.cols() - 2 * width),
          queries.middleCols(queries.cols() - 2 * width, width), queries.rightCols(width)};
}

void Block::ApplyRope(const SequenceBatch& batch, const RopeTables& rope, Matrix& rows) const {
  const RopeTable* table = rope.Of(rope_use_);
  if (table == nullptr) return;
  ParallelFor(batch.count,
              [&](int64_t s) { table->Apply(rows.middleRows(s * batch.length, batch.length)); });
}

Matrix Block::Attend(const SequenceBatch& batch, const RopeTables& rope,
                     ConstMatrixRef attention_input, KeyValueCache* cache) const {
  auto [queries, keys, values] = Project(attention_input);
  if (query_norm_) queries = Normalize(*query_norm_, queries);
  if (key_norm_) keys = Normalize(*key_norm_, keys);
  ApplyRope(batch, rope, queries);
  ApplyRope(batch, rope, keys);
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

void Block::AddOutput(Matrix output, const std::optional<RmsNorm>& norm, MatrixRef hidden) const {
  if (norm) output = Normalize(*norm, output);
  if (residual_ != 1.0F) output *= residual_;
  Add(output, hidden);
}

void Block::AddAttention(ConstMatrixRef attended, MatrixRef hidden) const {
  AddOutput(Apply(stages_[1].first, attended), attention_output_norm_, hidden);
}

Matrix Block::MlpInput(ConstMatrixRef hidden) const {
  return mlp_norm_ ? Normalize(*mlp_norm_, hidden) : Matrix(hidden);
}

MlpActivations Block::RunMlp(ConstMatrixRef mlp_input, size_t mlp) const {
  const model::LinearStage& stage = stages_[2 + 2 * mlp];
  MlpActivations result{.gate = Apply(stage.first, mlp_input), .up = {}, .hidden = {}};
  if (stage.count > 1) {
    result.up = Apply(stage.first + 1, mlp_input);
  } else {
    const int64_t width = result.gate.cols() / 2;
    result.up = result.gate.rightCols(width);
    result.gate = Matrix(result.gate.leftCols(width));
  }
  result.hidden = GatedProduct(activation_, result.gate, result.up);
  return result;
}

Matrix Block::MlpHidden(ConstMatrixRef mlp_input, size_t mlp) const {
  return RunMlp(mlp_input, mlp).hidden;
}

void Block::AddMlp(ConstMatrixRef mlp_hidden, MatrixRef hidden) const {
  AddOutput(Apply(stages_[3].first, mlp_hidden), mlp_output_norm_, hidden);
}

MlpActivations Block::RunExpert(ConstMatrixRef mlp_input, const ExpertShare& share,
                                size_t expert) const {
  MlpActivations mlp = RunMlp(GatherRows(mlp_input, share.rows), expert);
  ScaleRows(share.weights, mlp.hidden);
  return mlp;
}

Matrix Block::ExpertHidden(ConstMatrixRef mlp_input, const ExpertShare& share,
                           size_t expert) const {
  return RunExpert(mlp_input, share, expert).hidden;
}

Matrix Block::Mixture(ConstMatrixRef mlp_input, const Routing& routing,
                      std::vector<MlpActivations>* kept) const {
  Matrix sum = Matrix::Zero(mlp_input.rows(), mlp_input.cols());
  for (size_t expert = 0; expert < routing.size(); ++expert) {
    const ExpertShare& share = routing[expert];
    if (share.rows.empty()) continue;
    MlpActivations mlp = RunExpert(mlp_input, share, expert);
    ScatterAddRows(Apply(stages_[3 + 2 * expert].first, mlp.hidden), share.rows, sum);
    if (kept != nullptr) (*kept)[expert] = std::move(mlp);
  }
  return sum;
}

void Block::AddExperts(ConstMatrixRef mlp_input, const Routing& routing, MatrixRef hidden) const {
  AddOutput(Mixture(mlp_input, routing), mlp_output_norm_, hidden);
}

void Block::Forward(const SequenceBatch& batch, const RopeTables& rope, MatrixRef hidden,
                    KeyValueCache* cache) const {
  AddAttention(Attend(batch, rope, AttentionInput(hidden), cache), hidden);
  const Matrix mlp_input = MlpInput(hidden);
  if (has_experts()) {
    AddExperts(mlp_input, Route(mlp_input), hidden);
  } else {
    AddMlp(MlpHidden(mlp_input), hidden);
  }
}

RmsNorm ReadNorm(const model::Checkpoint& checkpoint, const std::string& name, int64_t width) {
  const model::Architecture& architecture = checkpoint.architecture();
  RmsNorm norm{model::DecodeFloats(checkpoint.FloatTensor(name, {width})),
               static_cast<float>(architecture.norm_epsilon)};
  if (architecture.norms_add_one) {
    for (float& weight : norm.weight) weight += 1.0F;
  }
  return norm;
}

std::vector<float> ReadBias(const model::Checkpoint& checkpoint, const model::LinearInfo& info) {
  if (!info.bias) return {};
  return model::DecodeFloats(checkpoint.FloatTensor(info.name + ".bias", {info.out_features}));
}

std::unique_ptr<Linear> MakeDenseLinear(const model::Checkpoint& checkpoint,
                                        const model::LinearInfo& info) {
  return std::make_unique<DenseLinear>(model::FindWeight(checkpoint, info),
                                       ReadBias(checkpoint, info));
}

}  // namespace paroquant::nn
