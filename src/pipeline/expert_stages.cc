// The part of CalibrationStream that goes through mixtures of experts, one expert at a time: the
// second moments of all of them at once would be larger than the model.
#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "pipeline/calibration_stream.h"

namespace paroquant::pipeline {
namespace {

using method::RepairForm;
using model::LinearInput;
using model::LinearStage;
using nn::ExpertShare;

// Tokens that are looked at, in the place of all of them, for each one that is missing.
constexpr int64_t kSampleFactor = 4;

Matrix RowsOf(const ConstMatrixRef& all, const std::vector<int64_t>& rows) {
  Matrix some(std::ssize(rows), all.cols());
  for (size_t i = 0; i < rows.size(); ++i) {
    some.row(static_cast<Eigen::Index>(i)) = all.row(rows[i]);
  }
  return some;
}

// An expert's mean weight, or an even share if no token goes to it.
float TypicalWeight(const std::vector<nn::Routing>& routings, size_t expert, int64_t per_token) {
  double sum = 0.0;
  int64_t count = 0;
  for (const nn::Routing& routing : routings) {
    for (const float weight : routing[expert].weights) sum += weight;
    count += std::ssize(routing[expert].weights);
  }
  return count > 0 ? static_cast<float>(sum / static_cast<double>(count))
                   : 1.0F / static_cast<float>(per_token);
}

ExpertShare AllRows(int64_t rows, float weight) {
  ExpertShare share{.rows = std::vector<int64_t>(static_cast<size_t>(rows)),
                    .weights = std::vector<float>(static_cast<size_t>(rows), weight)};
  std::iota(share.rows.begin(), share.rows.end(), 0);
  return share;
}

}  // namespace

void CalibrationStream::ShowShares(const BlockRun& run, const LinearStage& stage,
                                   const Routings& routings, RepairForm form) const {
  if (!run.visitor.Wants(stage)) return;
  const auto expert = static_cast<size_t>(stage.expert);
  method::StageMoments moments = MakeMoments(run, stage, form);
  size_t next = 0;
  ForEachChunk([&](const Chunk& chunk) {
    const ExpertShare& share = routings[next++][expert];
    if (!share.rows.empty()) AddToMoments(chunk, ExpertInput(run, chunk, share, stage), moments);
  });
  moments.routed_tokens = moments.halves[0].inputs.tokens() + moments.halves[1].inputs.tokens();

  const float weight = TypicalWeight(routings, expert, model_.architecture().experts.per_token);
  const int64_t channels = moments.held_out.channels();
  method::StageMoments sample = MakeMoments(run, stage, RepairForm::kNone);
  for (const Part part : {kHeldOut, kFirstHalf, kSecondHalf}) {
    method::InputStatistics& own = Statistics(part, moments);
    method::InputStatistics& others = Statistics(part, sample);
    const int64_t rows = sequences_[part] * length_;
    const int64_t wanted = std::min(rows, channels * rows / hidden_.rows() + 1);
    const int64_t missing = wanted - own.tokens();
    if (missing <= 0) continue;
    moments.blended = true;
    ForEachChunk([&](const Chunk& chunk) {
      if (chunk.part != part || others.tokens() >= kSampleFactor * wanted) return;
      others.Add(ExpertInput(run, chunk, AllRows(chunk.batch.rows(), weight), stage).input);
    });
    own.Merge(others, static_cast<double>(missing) / static_cast<double>(others.tokens()));
  }
  run.visitor.Visit(stage, std::move(moments));
}

// Gathers first: an expert sees few of a chunk's tokens.
CalibrationStream::StageInput CalibrationStream::ExpertInput(const BlockRun& run,
                                                             const Chunk& chunk,
                                                             const ExpertShare& share,
                                                             const LinearStage& stage) const {
  StageInput result{run.block.MlpInput(RowsOf(Rows(chunk), share.rows)), {}};
  if (stage.input == LinearInput::kMlpHidden) {
    ExpertShare gathered = AllRows(result.input.rows(), 0.0F);
    gathered.weights = share.weights;
    return {run.block.ExpertHidden(result.input, gathered, static_cast<size_t>(stage.expert)), {}};
  }
  if (Repairs(chunk)) {
    result.difference =
        run.original.MlpInput(RowsOf(ReferenceRows(chunk), share.rows)) - result.input;
  }
  return result;
}

void CalibrationStream::ShowPool(const BlockRun& run, const Routings& routings,
                                 LinearInput input) const {
  if (!run.visitor.WantsPool(input)) return;
  std::optional<method::StageMoments> moments;
  for (const LinearStage& stage : run.stages) {
    if (stage.input != input) continue;
    if (!moments) moments.emplace(MakeMoments(run, stage, RepairForm::kNone));
    size_t next = 0;
    ForEachChunk([&](const Chunk& chunk) {
      const ExpertShare& share = routings[next++][static_cast<size_t>(stage.expert)];
      if (share.rows.empty()) return;
      Statistics(chunk.part, *moments).Add(ExpertInput(run, chunk, share, stage).input);
    });
  }
  run.visitor.VisitPool(input, *std::move(moments));
}

void CalibrationStream::RunExperts(const BlockRun& run) {
  const nn::Block& original = run.original;
  const nn::Block& block = run.block;
  Routings routings;
  ForEachChunk(
      [&](const Chunk& chunk) { routings.push_back(block.Route(block.MlpInput(Rows(chunk)))); });
  // What the stream lacks is the work of all experts: no single one's output can be held to it.
  for (const auto& [input, form] : {std::pair(LinearInput::kMlpInput, RepairForm::kInputs),
                                    {LinearInput::kMlpHidden, RepairForm::kNone}}) {
    ShowPool(run, routings, input);
    for (const LinearStage& stage : run.stages) {
      if (stage.input == input) ShowShares(run, stage, routings, form);
    }
  }
  ForEachReferenceChunk([&](const Chunk& chunk) {
    const Matrix input = original.MlpInput(ReferenceRows(chunk));
    original.AddExperts(input, original.Route(input), ReferenceRows(chunk));
  });
  size_t next = 0;
  ForEachChunk([&](const Chunk& chunk) {
    block.AddExperts(block.MlpInput(Rows(chunk)), routings[next++], Rows(chunk));
  });
}

}  // namespace paroquant::pipeline
