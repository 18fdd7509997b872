#include "pipeline/calibration_stream.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "eval/token_scores.h"
#include "paroquant/base/parallel.h"
#include "paroquant/linalg/product.h"

namespace paroquant::pipeline {
namespace {

using method::RepairForm;
using model::LinearRole;

constexpr std::array kAttentionRoles = {LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue};
constexpr std::array kAttentionOutputRoles = {LinearRole::kAttentionOutput};
constexpr std::array kMlpRoles = {LinearRole::kGate, LinearRole::kUp};
constexpr std::array kDownRoles = {LinearRole::kDown};

void Append(const std::vector<int32_t>& sequence, std::vector<int32_t>& ids) {
  ids.insert(ids.end(), sequence.begin(), sequence.end());
}

// The held-out sequences, then those with even numbers, then those with odd ones.
std::vector<int32_t> InOrderOfParts(const CalibrationText& text) {
  std::vector<int32_t> ids;
  for (const auto& sequence : text.held_out) Append(sequence, ids);
  for (const size_t parity : {0U, 1U}) {
    for (size_t i = parity; i < text.sequences.size(); i += 2) Append(text.sequences[i], ids);
  }
  return ids;
}

}  // namespace

CalibrationStream::CalibrationStream(const runtime::LanguageModel& model,
                                     const CalibrationText& text, Needs needs, MatrixStore& store)
    : model_(model),
      store_(store),
      repairs_(needs.repairs),
      sequences_{std::ssize(text.held_out), (std::ssize(text.sequences) + 1) / 2,
                 std::ssize(text.sequences) / 2},
      length_(std::ssize(text.sequences.front())),
      rope_(model.Rope(0, length_)) {
  const std::vector<int32_t> ids = InOrderOfParts(text);
  const int64_t width = model.architecture().hidden_size;
  hidden_ = store.Make(std::ssize(ids), width);
  ForEachChunk([&](const Chunk& chunk) {
    Rows(chunk) = model.Embed(std::span(ids).subspan(static_cast<size_t>(chunk.first),
                                                     static_cast<size_t>(chunk.batch.rows())));
  });
  const bool all = needs.repairs || needs.reference;
  reference_ = store.Make(all ? hidden_.rows() : held_out_rows(), width);
  reference_.view() = hidden().topRows(reference_.rows());
}

template <typename Body>
void CalibrationStream::ForEachChunk(const Body& body) const {
  const int64_t per_chunk = std::max<int64_t>(1, kTokensPerChunk / length_);
  int64_t row = 0;
  for (const Part part : {kHeldOut, kFirstHalf, kSecondHalf}) {
    for (int64_t left = sequences_[part]; left > 0; left -= per_chunk) {
      const Chunk chunk{.part = part,
                        .first = row,
                        .batch = {.count = std::min(per_chunk, left), .length = length_}};
      body(chunk);
      row += chunk.batch.rows();
    }
  }
}

template <typename Body>
void CalibrationStream::ForEachReferenceChunk(const Body& body) const {
  ForEachChunk([&](const Chunk& chunk) {
    if (chunk.first < reference_.rows()) body(chunk);
  });
}

template <typename Read>
void CalibrationStream::Show(StageVisitor& visitor, std::span<const LinearRole> roles,
                             const std::string& name, RepairForm form, const Read& read) const {
  if (!visitor.Wants(roles)) return;
  std::optional<method::StageMoments> moments;
  ForEachChunk([&](const Chunk& chunk) {
    const StageInput stage = read(chunk);
    if (!moments) {
      const int64_t channels = stage.input.cols();
      const int64_t rows = form == RepairForm::kInputs ? channels : hidden_.cols();
      moments.emplace(name, channels, repairs_ ? form : RepairForm::kNone, rows);
    }
    if (chunk.part == kHeldOut) {
      moments->held_out.Add(stage.input);
      return;
    }
    method::HalfMoments& half = moments->halves[chunk.part == kFirstHalf ? 0 : 1];
    half.inputs.Add(stage.input);
    if (repairs_) linalg::AddCrossProduct(stage.difference, stage.input, half.repair);
  });
  visitor.Visit(roles, std::move(*moments));
}

Matrix CalibrationStream::OutputDifference(const Chunk& chunk,
                                           const std::vector<float>& bias) const {
  Matrix difference = ReferenceRows(chunk) - Rows(chunk);
  if (!bias.empty()) {
    difference.rowwise() -= Eigen::Map<const Vector>(bias.data(), difference.cols()).transpose();
  }
  return difference;
}

void CalibrationStream::RunBlock(int64_t layer, nn::Block& block, const std::string& name,
                                 StageVisitor& visitor) {
  const nn::Block& original = model_.block(layer);
  nn::PerLinear<std::vector<float>> biases;
  for (const LinearRole role : model::kLinearRoles) {
    biases[static_cast<size_t>(role)] = nn::ReadBias(
        model_.checkpoint(), model::DescribeLinear(model_.architecture(), layer, role));
  }
  Show(visitor, kAttentionRoles, name + ": input of attention", RepairForm::kInputs,
       [&](const Chunk& chunk) {
         StageInput stage{block.AttentionInput(Rows(chunk)), {}};
         if (Repairs(chunk)) {
           stage.difference = original.AttentionInput(ReferenceRows(chunk)) - stage.input;
         }
         return stage;
       });

  const auto attend = [&](const Chunk& chunk) {
    return block.Attend(chunk.batch, rope_, block.AttentionInput(Rows(chunk)));
  };
  StoredMatrix kept;
  if (KeepsAttention(length_, hidden_.cols())) {
    kept = store_.Make(hidden_.rows(), original.linear(LinearRole::kAttentionOutput).in_features());
    ForEachChunk([&](const Chunk& chunk) { Of(kept, chunk) = attend(chunk); });
  }
  const auto attended = [&](const Chunk& chunk) {
    return kept.rows() > 0 ? Matrix(Of(kept, chunk)) : attend(chunk);
  };
  ForEachReferenceChunk([&](const Chunk& chunk) {
    const Matrix input = original.AttentionInput(ReferenceRows(chunk));
    original.AddAttention(original.Attend(chunk.batch, rope_, input), ReferenceRows(chunk));
  });
  const auto with_output_difference = [&](const Chunk& chunk, LinearRole role, Matrix input) {
    StageInput stage{std::move(input), {}};
    if (Repairs(chunk)) {
      stage.difference = OutputDifference(chunk, biases[static_cast<size_t>(role)]);
    }
    return stage;
  };
  Show(visitor, kAttentionOutputRoles, name + ": output of attention", RepairForm::kOutputs,
       [&](const Chunk& chunk) {
         return with_output_difference(chunk, LinearRole::kAttentionOutput, attended(chunk));
       });
  ForEachChunk([&](const Chunk& chunk) { block.AddAttention(attended(chunk), Rows(chunk)); });
  kept = StoredMatrix();

  Show(visitor, kMlpRoles, name + ": input of the MLP", RepairForm::kInputs,
       [&](const Chunk& chunk) {
         StageInput stage{block.MlpInput(Rows(chunk)), {}};
         if (Repairs(chunk)) {
           stage.difference = original.MlpInput(ReferenceRows(chunk)) - stage.input;
         }
         return stage;
       });
  ForEachReferenceChunk([&](const Chunk& chunk) {
    original.AddMlp(original.MlpHidden(original.MlpInput(ReferenceRows(chunk))),
                    ReferenceRows(chunk));
  });
  // Computed twice rather than kept: it is the widest of all activations.
  const auto mlp_hidden = [&](const Chunk& chunk) {
    return block.MlpHidden(block.MlpInput(Rows(chunk)));
  };
  Show(visitor, kDownRoles, name + ": hidden layer of the MLP", RepairForm::kOutputs,
       [&](const Chunk& chunk) {
         return with_output_difference(chunk, LinearRole::kDown, mlp_hidden(chunk));
       });
  ForEachChunk([&](const Chunk& chunk) { block.AddMlp(mlp_hidden(chunk), Rows(chunk)); });
}

StoredMatrix CalibrationStream::Copy() const {
  StoredMatrix copy = store_.Make(hidden_.rows(), hidden_.cols());
  copy.view() = hidden();
  return copy;
}

void CalibrationStream::RunAgain(const nn::Block& block, StoredMatrix input) {
  hidden_ = std::move(input);
  ForEachChunk([&](const Chunk& chunk) { block.Forward(chunk.batch, rope_, Rows(chunk)); });
}

double CalibrationStream::HeldOutLoss() const {
  double error = 0.0;
  double energy = 0.0;
  ForEachChunk([&](const Chunk& chunk) {
    if (chunk.part != kHeldOut) return;
    const MatrixD reference = ReferenceRows(chunk).cast<double>();
    error += (Rows(chunk).cast<double>() - reference).squaredNorm();
    energy += reference.squaredNorm();
  });
  return energy > 0 ? error / energy : 0.0;
}

HeldOutDivergence CalibrationStream::Divergence() const {
  // Of each sequence. No Map: where one starts in memory decides the order of Eigen's sums.
  VectorD means(sequences_[kHeldOut]);
  for (int64_t sequence = 0; sequence < sequences_[kHeldOut]; ++sequence) {
    const Matrix expected = model_.Logits(reference().middleRows(sequence * length_, length_));
    const Matrix found = model_.Logits(hidden().middleRows(sequence * length_, length_));
    std::vector<double> divergences(static_cast<size_t>(length_));
    ParallelFor(length_, [&](int64_t token) {
      divergences[static_cast<size_t>(token)] =
          eval::KlDivergence(expected.row(token), eval::LogSumExp(expected.row(token)),
                             found.row(token), eval::LogSumExp(found.row(token)));
    });
    double sum = 0.0;
    for (const double divergence : divergences) sum += divergence;
    means[sequence] = sum / static_cast<double>(length_);
  }
  const auto count = static_cast<double>(means.size());
  const double mean = means.mean();
  const double error =
      count > 1 ? std::sqrt((means.array() - mean).square().sum() / (count - 1) / count) : 0.0;
  return {mean, error};
}

}  // namespace paroquant::pipeline
