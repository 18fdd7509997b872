#include "pipeline/calibration_stream.h"

#include <algorithm>
#include <array>
#include <optional>

namespace paroquant::pipeline {
namespace {

using model::LinearRole;

// Tokens that are worked on together: enough for full matrix products, few enough that what a
// block computes on the way stays small beside the stream itself.
constexpr int64_t kTokensPerChunk = 4096;

constexpr std::array kAttentionRoles = {LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue};
constexpr std::array kAttentionOutputRoles = {LinearRole::kAttentionOutput};
constexpr std::array kMlpRoles = {LinearRole::kGate, LinearRole::kUp};
constexpr std::array kDownRoles = {LinearRole::kDown};

std::vector<int32_t> Concatenate(const std::vector<std::vector<int32_t>>& sequences) {
  std::vector<int32_t> ids;
  for (const auto& sequence : sequences) ids.insert(ids.end(), sequence.begin(), sequence.end());
  return ids;
}

}  // namespace

CalibrationStream::CalibrationStream(const runtime::LanguageModel& model,
                                     const std::vector<std::vector<int32_t>>& sequences)
    : sequences_(static_cast<int64_t>(sequences.size())),
      length_(static_cast<int64_t>(sequences.front().size())),
      rope_(model.Rope(0, length_)),
      hidden_(model.Embed(Concatenate(sequences))) {}

template <typename Body>
void CalibrationStream::ForEachChunk(const Body& body) const {
  const int64_t per_chunk = std::max<int64_t>(1, kTokensPerChunk / length_);
  for (int64_t first = 0; first < sequences_; first += per_chunk) {
    body(Chunk{.first = first * length_,
               .batch = {.count = std::min(per_chunk, sequences_ - first), .length = length_}});
  }
}

template <typename Read>
void CalibrationStream::Show(StageVisitor& visitor, std::span<const LinearRole> roles,
                             const std::string& name, const Read& read) const {
  if (!visitor.Wants(roles)) return;
  std::optional<method::InputStatistics> statistics;
  ForEachChunk([&](const Chunk& chunk) {
    const Matrix input = read(chunk);
    if (!statistics) statistics.emplace(name, input.cols());
    statistics->Add(input);
  });
  visitor.Visit(roles, *statistics);
}

void CalibrationStream::RunBlock(nn::Block& block, const std::string& name, StageVisitor& visitor) {
  Show(visitor, kAttentionRoles, name + ": input of attention",
       [&](const Chunk& chunk) { return block.AttentionInput(Rows(chunk)); });

  const int64_t width = block.linear(LinearRole::kAttentionOutput).in_features();
  Matrix attended(hidden_.rows(), width);
  ForEachChunk([&](const Chunk& chunk) {
    attended.middleRows(chunk.first, chunk.batch.rows()) =
        block.Attend(chunk.batch, rope_, block.AttentionInput(Rows(chunk)));
  });
  const auto attended_rows = [&](const Chunk& chunk) {
    return attended.middleRows(chunk.first, chunk.batch.rows());
  };
  Show(visitor, kAttentionOutputRoles, name + ": output of attention", attended_rows);
  ForEachChunk([&](const Chunk& chunk) { block.AddAttention(attended_rows(chunk), Rows(chunk)); });
  attended.resize(0, 0);

  Show(visitor, kMlpRoles, name + ": input of the MLP",
       [&](const Chunk& chunk) { return block.MlpInput(Rows(chunk)); });
  // Recomputed for the product rather than kept: it is the widest of all activations.
  const auto mlp_hidden = [&](const Chunk& chunk) {
    return block.MlpHidden(block.MlpInput(Rows(chunk)));
  };
  Show(visitor, kDownRoles, name + ": hidden layer of the MLP", mlp_hidden);
  ForEachChunk([&](const Chunk& chunk) { block.AddMlp(mlp_hidden(chunk), Rows(chunk)); });
}

}  // namespace paroquant::pipeline
