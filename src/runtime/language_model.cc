#include "paroquant/runtime/language_model.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/runtime/rotated_linear.h"

namespace paroquant::runtime {
namespace {

// The linear as the checkpoint holds it: packed where its packed tensors are there, else dense.
std::unique_ptr<nn::Linear> MakeLinear(const model::Checkpoint& checkpoint,
                                       const format::PackedLayers& packed,
                                       const model::LinearInfo& info) {
  if (!packed.Has(info)) return nn::MakeDenseLinear(checkpoint, info);
  return std::make_unique<RotatedLinear>(packed.Read(info), nn::ReadBias(checkpoint, info));
}

}  // namespace

LanguageModel LanguageModel::Load(const std::filesystem::path& folder) {
  return LanguageModel(model::Checkpoint::Open(folder));
}

LanguageModel::LanguageModel(model::Checkpoint checkpoint)
    : checkpoint_(std::make_unique<model::Checkpoint>(std::move(checkpoint))),
      packed_(*checkpoint_) {
  const model::Architecture& shape = architecture();
  embedding_ =
      checkpoint_->FloatTensor(EmbeddingName(shape), {shape.vocab_size, shape.hidden_size});
  final_norm_ = nn::ReadNorm(*checkpoint_, FinalNormName(shape), shape.hidden_size);
  head_ = std::make_unique<nn::DenseLinear>(
      model::PlainWeight(
          checkpoint_->FloatTensor(HeadName(shape), {shape.vocab_size, shape.hidden_size})),
      std::vector<float>{});
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    blocks_.push_back(MakeBlock(layer));
  }
}

nn::Block LanguageModel::MakeBlock(int64_t layer) const {
  nn::Block::LinearSet linears;
  for (const model::LinearInfo& info : DescribeLinears(architecture(), layer)) {
    linears.push_back(MakeLinear(*checkpoint_, packed_, info));
  }
  return {*checkpoint_, layer, std::move(linears)};
}

Matrix LanguageModel::Embed(std::span<const int32_t> ids) const {
  const int64_t hidden = architecture().hidden_size;
  Matrix rows(static_cast<Eigen::Index>(ids.size()), hidden);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= architecture().vocab_size) {
      throw Error(ErrorKind::kInput,
                  {.where = checkpoint_->folder().string(),
                   .expected = fmt::format("token ids under the vocabulary size {}",
                                           architecture().vocab_size),
                   .found = fmt::format("id {}", ids[i]),
                   .hint = "The text was tokenized for another model."});
    }
    model::DecodeFloats(embedding_, ids[i] * hidden, hidden,
                        rows.row(static_cast<Eigen::Index>(i)).data());
  }
  const auto multiplier = static_cast<float>(architecture().embedding_multiplier);
  if (multiplier != 1.0F) rows *= multiplier;
  return rows;
}

nn::RopeTables LanguageModel::Rope(int64_t first, int64_t count) const {
  return {architecture(), first, count};
}

void LanguageModel::Forward(const nn::SequenceBatch& batch, MatrixRef hidden,
                            std::span<nn::KeyValueCache> caches) const {
  const nn::RopeTables rope = Rope(batch.first, batch.length);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i].Forward(batch, rope, hidden, caches.empty() ? nullptr : &caches[i]);
  }
}

Matrix LanguageModel::Logits(ConstMatrixRef hidden) const {
  Matrix normed(hidden.rows(), hidden.cols());
  final_norm_.Forward(hidden, normed);
  Matrix logits(hidden.rows(), architecture().vocab_size);
  head_->Forward(normed, logits);
  const auto divisor = static_cast<float>(architecture().logits_divisor);
  if (divisor != 1.0F) logits /= divisor;
  const auto cap = static_cast<float>(architecture().logits_softcap);
  if (cap > 0.0F) logits = cap * (logits.array() / cap).tanh();
  return logits;
}

void LanguageModel::ToHeadOutput(const Matrix& logits, Matrix& gradient) const {
  const auto cap = static_cast<float>(architecture().logits_softcap);
  if (cap > 0.0F) gradient.array() *= 1.0F - (logits.array() / cap).square();
  const auto divisor = static_cast<float>(architecture().logits_divisor);
  if (divisor != 1.0F) gradient /= divisor;
}

std::vector<nn::KeyValueCache> LanguageModel::MakeCaches(int64_t sequences,
                                                         int64_t capacity) const {
  const int64_t width = architecture().kv_heads * architecture().head_dim;
  // One by one: copies of a cache would touch all its memory before there is anything in it.
  std::vector<nn::KeyValueCache> caches;
  caches.reserve(blocks_.size());
  for (size_t i = 0; i < blocks_.size(); ++i) caches.emplace_back(sequences, capacity, width);
  return caches;
}

}  // namespace paroquant::runtime
