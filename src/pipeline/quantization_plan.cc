#include "paroquant/pipeline/quantization_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/io/folder_lock.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/pipeline/quantize.h"
#include "pipeline/run_state.h"
#include "pipeline/scale_folding.h"
#include "pipeline/surplus_tensors.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

// Refuses an OUT that is the source folder or lies inside it.
void RequireOutside(const fs::path& in, const fs::path& out) {
  if (!LiesIn(out, in)) return;
  throw Error(ErrorKind::kUsage, {.where = "--out " + out.string(),
                                  .expected = "a folder outside the source model",
                                  .found = "one inside " + in.string(),
                                  .hint = "Choose another folder."});
}

void RequireSixteenBit(const model::Checkpoint& source) {
  const std::string config = (source.folder() / model::kConfigFile).string();
  if (!format::ParseQuantizationConfig(source.config(), config)) return;
  throw Error(ErrorKind::kInput, {.where = config,
                                  .expected = "a 16-bit model",
                                  .found = "a quantized one",
                                  .hint = "Quantize the model that it was made from."});
}

void RequireWork(const std::vector<LayerPlan>& plans) {
  if (std::ranges::any_of(plans, &LayerPlan::quantized)) return;
  throw Error(ErrorKind::kUnsupported, {.where = plans.front().info.name + " and all others",
                                        .expected = "a layer that can be quantized",
                                        .found = plans.front().reason,
                                        .hint = "Try a smaller --group-size or fewer --skip."});
}

// True if the recipe gives layers whose inputs have to be scaled or rotated.
bool ChangesInputs(const method::Recipe& recipe) {
  return recipe.layer.rotation != method::RotationChoice::kNone ||
         recipe.layer.channel_scales != method::ChannelScaleChoice::kNone ||
         recipe.tuning.TurnsInputs();
}

// Refuses a layout that cannot hold what the recipe makes.
void RequireHoldable(const std::vector<LayerPlan>& plans, const QuantizeOptions& options) {
  using format::FormatKind;
  if (options.format == FormatKind::kParoquant) return;
  const auto refuse = [&](const std::string& expected, const std::string& found,
                          const std::string& hint) {
    throw Error(ErrorKind::kUnsupported,
                {.where = fmt::format("--format {}", FormatName(options.format)),
                 .expected = expected,
                 .found = found,
                 .hint = hint});
  };
  if (std::ranges::any_of(plans, [](const auto& plan) { return plan.info.stacked.has_value(); })) {
    refuse("experts with tensors of their own", "one tensor for all experts of a layer",
           "Take --format paroquant.");
  }
  if (options.format == FormatKind::kDense) return;
  if (ChangesInputs(options.recipe) && !FoldsScales(options)) {
    refuse(
        "a recipe without rotations, which the layout has no place for, and without channel "
        "scales other than activation-aware ones",
        "--recipe " + options.recipe.name,
        "Take --recipe awq, gptq or rtn, or --format paroquant or fp16.");
  }
  for (const LayerPlan& plan : plans) {
    if (!plan.quantized) continue;
    if (plan.bits != options.recipe.bits || plan.group_size != options.recipe.group_size) {
      refuse(
          "the same bits and group size everywhere",
          fmt::format("{} bits in groups of {} for {}", plan.bits, plan.group_size, plan.info.name),
          "Leave out --override, or --skip these layers.");
    }
  }
  const std::string bits = format::BitsObstacle(options.format, options.recipe.bits);
  if (!bits.empty()) refuse("bits that the layout holds", bits, "Choose other --bits.");
}

// Refuses what the engine that the result is for would not load.
void RequireLoadable(const std::vector<LayerPlan>& plans, const QuantizeOptions& options) {
  if (options.target.empty()) return;
  const auto problems = EngineProblems(options.target, FactsOf(plans, options));
  if (problems.empty()) return;
  const VerifyProblem& first = problems.front();
  throw Error(ErrorKind::kUnsupported,
              {.where = first.where,
               .expected = first.expected,
               .found = first.found,
               .hint = problems.size() > 1 ? fmt::format("{} more broken.",
                                                         Counted(std::ssize(problems) - 1, "rule"))
                                           : "docs/engines.md lists what each engine demands."});
}

// Says which calibration files are there and not looked at.
std::vector<std::string> CalibrationNotes(const QuantizeOptions& options) {
  std::vector<std::string> notes;
  for (const std::string& file : options.calibration) {
    if (file == kSelfCalibration) continue;
    const bool is_folder = IsFolder(file);
    if (is_folder || !Exists(file)) {
      throw Error(ErrorKind::kInput, {.where = "--calib " + file,
                                      .expected = "a file to read",
                                      .found = is_folder ? "a folder" : "none at this path",
                                      .hint = "Check the path."});
    }
    if (options.recipe.NeedsCalibration()) continue;
    notes.push_back(
        fmt::format("not used: {}, as the recipe {} looks at no text", file, options.recipe.name));
  }
  return notes;
}

// What engines that load paroquant checkpoints take, where this one is something else.
std::vector<std::string> EngineNotes(const std::vector<LayerPlan>& plans,
                                     const QuantizeOptions& options) {
  if (options.format != format::FormatKind::kParoquant) return {};
  const auto differs = [](const LayerPlan& plan) {
    return plan.quantized && (plan.bits != 4 || plan.group_size != 128);
  };
  const auto count = std::ranges::count_if(plans, differs);
  if (count == 0) return {};
  return {
      fmt::format("{} in other than 4 bits in groups of 128: this program runs such a model, the "
                  "engines that load paroquant checkpoints do not",
                  Counted(count, "layer"))};
}

std::vector<std::string> SurplusNotes(const model::Checkpoint& source) {
  const std::vector<std::string> names = TensorsBeyondTheLayers(source);
  if (names.empty()) return {};
  return {
      fmt::format("{} of blocks beyond num_hidden_layers = {}, copied and not used: "
                  "{}{}",
                  Counted(std::ssize(names), "tensor"), source.architecture().layers, names.front(),
                  names.size() > 1 ? ", ..." : "")};
}

}  // namespace

void RequireUsableOut(const fs::path& in, const fs::path& out, bool overwrite) {
  RequireOutside(in, out);
  io::OutputFolder::RequireUsable(out, overwrite);
}

void RequireUsableOut(const QuantizeOptions& options) {
  RequireOutside(options.model, options.out);
  const bool unfinished = HasRunState(options.out);
  const bool left_by_a_run = unfinished || io::OutputFolder::HoldsLeftoversOnly(options.out) ||
                             Exists(options.out / kProvenanceFile);
  if (options.resume && left_by_a_run) {
    const io::FolderLock nobody_has_it(options.out);
  } else if (unfinished && !options.overwrite) {
    const io::FolderLock nobody_has_it(options.out);
    throw Error(ErrorKind::kUsage,
                {.where = options.out.string(),
                 .expected = "an empty or new folder for the output",
                 .found = "an unfinished run",
                 .hint = "Go on with --resume, or start anew with --overwrite."});
  } else {
    io::OutputFolder::RequireUsable(options.out, options.overwrite);
  }
}

QuantizationPlan PlanQuantization(const model::Checkpoint& source, const QuantizeOptions& options) {
  RequireSixteenBit(source);
  QuantizationPlan plan{.layers = PlanLayers(source.architecture(), options), .notes = {}};
  RequireWork(plan.layers);
  RequireHoldable(plan.layers, options);
  RequireLoadable(plan.layers, options);
  for (const auto& notes : {EngineNotes(plan.layers, options), FoldingNotes(plan.layers),
                            CalibrationNotes(options), SurplusNotes(source)}) {
    plan.notes.insert(plan.notes.end(), notes.begin(), notes.end());
  }
  return plan;
}

io::Json ToJson(const QuantizationPlan& plan, const QuantizeOptions& options) {
  io::Json layers = io::Json::array();
  for (const LayerPlan& layer : plan.layers) layers.push_back(ToJson(layer));
  return {{"model", options.model.string()},
          {"out", options.out.string()},
          {"notes", plan.notes},
          {"layers", std::move(layers)}};
}

}  // namespace paroquant::pipeline
