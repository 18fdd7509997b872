#include "paroquant/pipeline/priced_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "paroquant/base/folder.h"
#include "paroquant/base/memory_use.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/linalg/product_rate.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/runtime/language_model.h"
#include "pipeline/calibration_text.h"
#include "pipeline/fingerprint.h"
#include "pipeline/resumption.h"
#include "pipeline/run_size.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

// Tokens for each channel below which second moments are more noise than measurement. With as many
// tokens as channels they are barely invertible.
constexpr double kTokensPerChannel = 4.0;

// Seconds, and a share of the run: a processor may be faster for a moment than it is for hours.
constexpr double kLeastProbe = 0.5;
constexpr double kMostProbe = 10.0;
constexpr double kProbeShare = 0.02;

std::vector<std::string> GroupWarnings(const QuantizationPlan& plan,
                                       const QuantizeOptions& options) {
  std::map<int64_t, int64_t> kept;  // layers by K
  std::map<std::pair<int64_t, int>, int64_t> smaller;
  for (const LayerPlan& layer : plan.layers) {
    if (layer.reason.find("K = ") == std::string::npos) continue;  // kept for something else
    if (layer.quantized) {
      ++smaller[{layer.info.in_features, layer.group_size}];
    } else {
      ++kept[layer.info.in_features];
    }
  }
  std::vector<std::string> warnings;
  for (const auto& [channels, count] : kept) {
    warnings.push_back(fmt::format(
        "{} left in 16 bits, as K = {} there divides by no group size that is allowed. {}",
        Counted(count, "layer"), channels,
        options.target.empty() ? "Nothing but another model changes that."
                               : "Without --target smaller groups are allowed."));
  }
  for (const auto& [fallback, count] : smaller) {
    warnings.push_back(fmt::format(
        "{} in groups of {}, as K = {} there does not divide by {}, and some engines take "
        "groups of 128 only. --target NAME keeps what that engine does not take in 16 bits.",
        Counted(count, "layer"), fallback.second, fallback.first, options.recipe.group_size));
  }
  return warnings;
}

// With --target such a plan is refused.
std::vector<std::string> EngineWarnings(const QuantizationPlan& plan,
                                        const QuantizeOptions& options) {
  std::vector<std::string> warnings;
  if (!options.target.empty()) return warnings;
  for (const std::string& engine : EngineNames()) {
    const auto problems = EngineProblems(engine, FactsOf(plan.layers, options));
    if (problems.empty()) continue;
    const VerifyProblem& first = problems.front();
    warnings.push_back(fmt::format("{} would not load the result: {}: expected {}, found {}.",
                                   engine, first.where, first.expected, first.found));
  }
  return warnings;
}

// The layer whose second moments are the worst off, with the tokens that reach it.
std::vector<std::string> TextWarnings(const PricedPlan& plan,
                                      const model::Architecture& architecture,
                                      const QuantizeOptions& options) {
  std::vector<std::string> warnings;
  const CalibrationSize& text = plan.calibration;
  if (text.sequences == 0) return warnings;
  const LayerPlan* worst = nullptr;
  double least = kTokensPerChannel;  // tokens a channel
  for (const LayerPlan& layer : plan.layers) {
    if (!layer.quantized) continue;
    const double share = layer.info.expert < 0
                             ? 1.0
                             : static_cast<double>(architecture.experts.per_token) /
                                   static_cast<double>(architecture.experts.count);
    const double tokens = share * static_cast<double>(text.sequences * text.length) /
                          static_cast<double>(layer.info.in_features);
    if (tokens >= least) continue;
    least = tokens;
    worst = &layer;
  }
  if (worst == nullptr) return warnings;
  if (text.length < options.recipe.sequence_length) {
    warnings.push_back(fmt::format(
        "Sequences are cut to the {} positions of the model, so there are fewer tokens than {} of "
        "{} would have. --calib-sequences {} makes up for it.",
        text.length, text.sequences, options.recipe.sequence_length,
        (text.sequences * options.recipe.sequence_length + text.length - 1) / text.length));
  }
  warnings.push_back(fmt::format(
      "{} has K = {} channels and sees about {:.0f} calibration tokens, {} its second moments "
      "need. "
      "--calib-sequences {:.0f} would be enough.",
      worst->info.name, worst->info.in_features,
      least * static_cast<double>(worst->info.in_features),
      least < 1 ? "fewer than" : "little more than",
      std::ceil(kTokensPerChannel / least * static_cast<double>(text.sequences) - 1e-9)));
  return warnings;
}

std::vector<std::string> RoomWarnings(const PricedPlan& plan, const QuantizeOptions& options,
                                      const FreeRoom& room) {
  std::vector<std::string> warnings;
  if (static_cast<uint64_t>(plan.cost.memory_bytes) > room.memory) {
    warnings.push_back(fmt::format(
        "It takes {} of memory beside the model, and {} are free now. A smaller --memory-budget "
        "puts activations on disk; fewer --calib-sequences take less.",
        ByteCount(plan.cost.memory_bytes), ByteCount(static_cast<int64_t>(room.memory))));
  }
  const int64_t disk = plan.cost.output_bytes + plan.cost.spilled_bytes + plan.cost.record_bytes;
  // A run that goes on has a part of it already, and nobody knows how much.
  if (!options.resume && static_cast<uint64_t>(disk) > room.disk) {
    warnings.push_back(fmt::format(
        "It takes up to {} of disk while it runs ({} for the checkpoint, the rest for activations "
        "and what --resume goes on from), and {} are free now. Make room, or choose another --out.",
        ByteCount(disk), ByteCount(plan.cost.output_bytes),
        ByteCount(static_cast<int64_t>(room.disk))));
  }
  return warnings;
}

// Of the file system that holds the folder, or will. One that has no size does not tell.
uint64_t FreeDisk(const fs::path& folder) {
  for (fs::path path = AbsolutePath(folder);; path = path.parent_path()) {
    std::error_code error;
    const fs::space_info space = fs::space(path, error);
    if (!error) return space.capacity > 0 ? space.available : std::numeric_limits<int64_t>::max();
    if (path == path.parent_path()) return 0;
  }
}

CalibrationSize SizeOfText(const model::Architecture& architecture, const method::Recipe& recipe) {
  if (!recipe.NeedsCalibration()) return {};
  return {.sequences = recipe.calibration_sequences,
          .held_out = recipe.held_out_sequences,
          .length = MeasureRun(architecture, recipe).length};
}

// Throws what is wrong with the files that the text is to come from.
void RequireText(const QuantizeOptions& options, const runtime::LanguageModel& model) {
  if (!options.recipe.NeedsCalibration() || options.SamplesText()) return;
  NoProgress progress;
  LoadCalibrationText(options, model, progress);
}

// Throws if --resume would find a run or a checkpoint of other options.
void RequireResumable(const QuantizeOptions& options, const model::Checkpoint& source,
                      const QuantizationPlan& plan) {
  if (!options.resume) return;
  const io::Json fingerprint = Fingerprint(source, options);
  DecideBeginning(options, fingerprint);
  FindCompleteRun(options, plan.layers, fingerprint);
}

// `product_rate` as EstimateCost takes it.
PricedPlan Price(QuantizationPlan unpriced, const model::Checkpoint& source,
                 const QuantizeOptions& options, double product_rate) {
  PricedPlan plan{std::move(unpriced), SizeOfText(source.architecture(), options.recipe), {}, {}};
  plan.cost = EstimateCost(source, plan.layers, options, product_rate);
  plan.warnings = PlanWarnings(plan, source.architecture(), options,
                               {.memory = AvailableMemory(), .disk = FreeDisk(options.out)});
  return plan;
}

}  // namespace

std::vector<std::string> PlanWarnings(const PricedPlan& plan,
                                      const model::Architecture& architecture,
                                      const QuantizeOptions& options, const FreeRoom& room) {
  std::vector<std::string> warnings;
  for (const auto& some :
       {GroupWarnings(plan, options), EngineWarnings(plan, options),
        TextWarnings(plan, architecture, options), RoomWarnings(plan, options, room)}) {
    warnings.insert(warnings.end(), some.begin(), some.end());
  }
  return warnings;
}

std::vector<std::string> PlanWarnings(const QuantizationPlan& plan, const model::Checkpoint& source,
                                      const QuantizeOptions& options) {
  constexpr double kAnyRate = 1.0;  // no warning is about time
  return Price(plan, source, options, kAnyRate).warnings;
}

PricedPlan PricePlan(const QuantizeOptions& options) {
  options.Validate();
  RequireUsableOut(options);
  const auto model = runtime::LanguageModel::Load(options.model);
  QuantizationPlan plan = PlanQuantization(model.checkpoint(), options);
  RequireText(options, model);
  RequireResumable(options, model.checkpoint(), plan);
  const double rate = linalg::MeasureProductRate(kLeastProbe);
  PricedPlan priced = Price(std::move(plan), model.checkpoint(), options, rate);
  const double probe = std::min(kMostProbe, kProbeShare * priced.cost.seconds);
  if (probe > kLeastProbe) priced.cost.seconds *= rate / linalg::MeasureProductRate(probe);
  return priced;
}

io::Json ToJson(const PricedPlan& plan, const QuantizeOptions& options) {
  io::Json json = ToJson(static_cast<const QuantizationPlan&>(plan), options);
  json["calibration"] = {{"sequences", plan.calibration.sequences},
                         {"held_out_sequences", plan.calibration.held_out},
                         {"sequence_length", plan.calibration.length}};
  json["cost"] = ToJson(plan.cost);
  json["warnings"] = plan.warnings;
  return json;
}

}  // namespace paroquant::pipeline
