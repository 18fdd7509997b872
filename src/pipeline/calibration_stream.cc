#include "pipeline/calibration_stream.h"

#include <fmt/format.h>

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
using model::LinearStage;

void Append(const std::vector<int32_t>& sequence, std::vector<int32_t>& ids) {
  ids.insert(ids.end(), sequence.begin(), sequence.end());
}

std::span<const std::byte> BytesOf(const ConstMatrixMap& stream) {
  return std::as_bytes(std::span(stream.data(), static_cast<size_t>(stream.size())));
}

std::span<std::byte> BytesOf(MatrixMap stream) {
  return std::as_writable_bytes(std::span(stream.data(), static_cast<size_t>(stream.size())));
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

void CalibrationStream::ForEachChunk(const std::function<void(const Chunk&)>& body) const {
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

void CalibrationStream::ForEachReferenceChunk(const std::function<void(const Chunk&)>& body) const {
  ForEachChunk([&](const Chunk& chunk) {
    if (chunk.first < reference_.rows()) body(chunk);
  });
}

method::StageMoments CalibrationStream::MakeMoments(const BlockRun& run, const LinearStage& stage,
                                                    RepairForm form) const {
  const model::LinearInfo& linear = run.linears[stage.first];
  const int64_t channels = linear.in_features;
  const int64_t rows = form == RepairForm::kInputs ? channels : hidden_.cols();
  return {fmt::format("{}: input of {}", run.name, linear.name), channels,
          repairs_ ? form : RepairForm::kNone, rows};
}

void CalibrationStream::AddToMoments(const Chunk& chunk, const StageInput& stage,
                                     method::StageMoments& moments) const {
  Statistics(chunk.part, moments).Add(stage.input);
  if (stage.difference.size() == 0) return;
  linalg::AddCrossProduct(stage.difference, stage.input,
                          moments.halves[chunk.part == kFirstHalf ? 0 : 1].repair);
}

template <typename Read>
void CalibrationStream::Show(const BlockRun& run, const LinearStage& stage, RepairForm form,
                             const Read& read) const {
  if (!run.visitor.Wants(stage)) return;
  method::StageMoments moments = MakeMoments(run, stage, form);
  ForEachChunk([&](const Chunk& chunk) { AddToMoments(chunk, read(chunk), moments); });
  run.visitor.Visit(stage, std::move(moments));
}

Matrix CalibrationStream::OutputDifference(const Chunk& chunk, const model::LinearInfo& linear,
                                           float factor) const {
  Matrix difference = (ReferenceRows(chunk) - Rows(chunk)) / factor;
  if (linear.bias) {
    const std::vector<float> bias = nn::ReadBias(model_.checkpoint(), linear);
    difference.rowwise() -= Eigen::Map<const Vector>(bias.data(), difference.cols()).transpose();
  }
  return difference;
}

void CalibrationStream::RunBlock(int64_t layer, nn::Block& block, const std::string& name,
                                 StageVisitor& visitor) {
  BlockRun run{.original = model_.block(layer),
               .block = block,
               .linears = DescribeLinears(model_.architecture(), layer),
               .stages = {},
               .name = name,
               .visitor = visitor};
  run.stages = LinearStages(run.linears);
  RunAttention(run);
  if (block.has_experts()) {
    RunExperts(run);
  } else {
    RunMlp(run);
  }
}

void CalibrationStream::RunAttention(const BlockRun& run) {
  const nn::Block& original = run.original;
  const nn::Block& block = run.block;
  Show(run, run.stages[0], RepairForm::kInputs, [&](const Chunk& chunk) {
    StageInput stage{block.AttentionInput(Rows(chunk)), {}};
    if (Repairs(chunk)) {
      stage.difference = original.AttentionInput(ReferenceRows(chunk)) - stage.input;
    }
    return stage;
  });

  const model::LinearInfo& output = run.linears[run.stages[1].first];
  const auto attend = [&](const Chunk& chunk) {
    return block.Attend(chunk.batch, rope_, block.AttentionInput(Rows(chunk)));
  };
  StoredMatrix kept;
  if (KeepsAttention(length_, hidden_.cols())) {
    kept = store_.Make(hidden_.rows(), output.in_features);
    ForEachChunk([&](const Chunk& chunk) { Of(kept, chunk) = attend(chunk); });
  }
  const auto attended = [&](const Chunk& chunk) {
    return kept.rows() > 0 ? Matrix(Of(kept, chunk)) : attend(chunk);
  };
  ForEachReferenceChunk([&](const Chunk& chunk) {
    const Matrix input = original.AttentionInput(ReferenceRows(chunk));
    original.AddAttention(original.Attend(chunk.batch, rope_, input), ReferenceRows(chunk));
  });
  ShowOutput(run, run.stages[1], block.attention_output_factor(), attended);
  ForEachChunk([&](const Chunk& chunk) { block.AddAttention(attended(chunk), Rows(chunk)); });
}

template <typename Read>
void CalibrationStream::ShowOutput(const BlockRun& run, const LinearStage& stage, float factor,
                                   const Read& read) const {
  const bool added = factor != 0.0F;
  Show(run, stage, added ? RepairForm::kOutputs : RepairForm::kNone, [&](const Chunk& chunk) {
    StageInput input{read(chunk), {}};
    if (added && Repairs(chunk)) {
      input.difference = OutputDifference(chunk, run.linears[stage.first], factor);
    }
    return input;
  });
}

CalibrationStream::StageInput CalibrationStream::MlpStageInput(const BlockRun& run,
                                                               const Chunk& chunk) const {
  StageInput stage{run.block.MlpInput(Rows(chunk)), {}};
  if (Repairs(chunk)) {
    stage.difference = run.original.MlpInput(ReferenceRows(chunk)) - stage.input;
  }
  return stage;
}

void CalibrationStream::RunMlp(const BlockRun& run) {
  const nn::Block& original = run.original;
  const nn::Block& block = run.block;
  Show(run, run.stages[2], RepairForm::kInputs,
       [&](const Chunk& chunk) { return MlpStageInput(run, chunk); });
  ForEachReferenceChunk([&](const Chunk& chunk) {
    original.AddMlp(original.MlpHidden(original.MlpInput(ReferenceRows(chunk))),
                    ReferenceRows(chunk));
  });
  StoredMatrix kept = store_.Make(hidden_.rows(), run.linears[run.stages[3].first].in_features);
  ForEachChunk(
      [&](const Chunk& chunk) { Of(kept, chunk) = block.MlpHidden(block.MlpInput(Rows(chunk))); });
  ShowOutput(run, run.stages[3], block.mlp_output_factor(),
             [&](const Chunk& chunk) { return Matrix(Of(kept, chunk)); });
  ForEachChunk([&](const Chunk& chunk) { block.AddMlp(Of(kept, chunk), Rows(chunk)); });
}

void CalibrationStream::Pass(int64_t layer, const nn::Block& block) {
  const nn::Block& original = model_.block(layer);
  ForEachReferenceChunk(
      [&](const Chunk& chunk) { original.Forward(chunk.batch, rope_, ReferenceRows(chunk)); });
  ForEachChunk([&](const Chunk& chunk) { block.Forward(chunk.batch, rope_, Rows(chunk)); });
}

void CalibrationStream::Save(io::RecordWriter& record) const {
  record.Append(BytesOf(hidden()));
  record.Append(BytesOf(reference()));
}

void CalibrationStream::Restore(io::Record& record) {
  record.RequireLeft(bytes());  // before any of it is taken
  record.Take(BytesOf(hidden_.view()));
  record.Take(BytesOf(reference_.view()));
}

uint64_t CalibrationStream::bytes() const {
  return BytesOf(hidden()).size() + BytesOf(reference()).size();
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

std::vector<double> CalibrationStream::Divergences(int64_t first, int64_t count) const {
  const Matrix expected = model_.Logits(reference().middleRows(first, count));
  const Matrix found = model_.Logits(hidden().middleRows(first, count));
  std::vector<double> divergences(static_cast<size_t>(count));
  ParallelFor(count, [&](int64_t token) {
    divergences[static_cast<size_t>(token)] =
        eval::KlDivergence(expected.row(token), eval::LogSumExp(expected.row(token)),
                           found.row(token), eval::LogSumExp(found.row(token)));
  });
  return divergences;
}

HeldOutDivergence CalibrationStream::Divergence() const {
  // Of each sequence. No Map: where one starts in memory decides the order of Eigen's sums.
  VectorD means(sequences_[kHeldOut]);
  // About equal, as few rows may be multiplied in another order.
  const int64_t pieces = (length_ + eval::kTokensPerHead - 1) / eval::kTokensPerHead;
  for (int64_t sequence = 0; sequence < sequences_[kHeldOut]; ++sequence) {
    double sum = 0.0;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t first = piece * length_ / pieces;
      const int64_t count = (piece + 1) * length_ / pieces - first;
      for (const double divergence : Divergences(sequence * length_ + first, count)) {
        sum += divergence;
      }
    }
    means[sequence] = sum / static_cast<double>(length_);
  }
  const auto count = static_cast<double>(means.size());
  const double mean = means.mean();
  const double error =
      count > 1 ? std::sqrt((means.array() - mean).square().sum() / (count - 1) / count) : 0.0;
  return {mean, error};
}

}  // namespace paroquant::pipeline
