#include "paroquant/pipeline/quantize.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/format/paroquant_format.h"
#include "paroquant/method/output_error.h"
#include "paroquant/method/quantize_linear.h"
#include "paroquant/method/rtn.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/rotated_linear.h"
#include "pipeline/calibration_stream.h"
#include "pipeline/calibration_text.h"
#include "pipeline/checkpoint_output.h"

namespace paroquant::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t PeakRssBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;  // Linux counts in KiB
}

// Rounds that every layer gets: a layout that demands a rotation holds none as one identity.
int Rotations(const QuantizeOptions& options) {
  const bool rotates = options.recipe.layer.rotation != method::RotationChoice::kNone;
  return rotates ? options.recipe.rotations : 1;
}

int64_t PackedBits(const quant::PackedLinear& packed) {
  const auto bytes = [](const auto& values) { return values.size() * sizeof(values.front()); };
  return 8 * static_cast<int64_t>(bytes(packed.qweight) + bytes(packed.qzeros) +
                                  bytes(packed.scales) + bytes(packed.theta) + bytes(packed.pairs) +
                                  bytes(packed.channel_scales));
}

// Quantizes layers one by one, writes them out and remembers how it went.
class LayerQuantizer {
 public:
  LayerQuantizer(const model::Checkpoint& source, const QuantizeOptions& options,
                 CheckpointOutput& output, Progress& progress)
      : source_(source), options_(options), output_(output), progress_(progress) {}

  // Returns what the runtime multiplies with from here on. `statistics` is null for recipes
  // without calibration.
  quant::PackedView Quantize(const LayerPlan& plan, const method::InputStatistics* statistics) {
    const auto start = Clock::now();
    const Matrix weight = ReadWeight(plan);
    const method::LinearProblem problem{
        .name = plan.info.name, .target = weight, .statistics = statistics};
    const quant::QuantizedLinear linear = Solve(problem, plan);

    LayerReport& report = reports_.emplace_back(LayerReport{.plan = plan});
    report.relative_weight_error = quant::RelativeWeightError(weight, linear);
    if (statistics != nullptr) {
      const auto rtn = method::QuantizeRtn(problem, plan.bits, plan.group_size);
      report.relative_output_error = method::RelativeOutputError(weight, linear, *statistics);
      report.relative_output_error_rtn = method::RelativeOutputError(weight, rtn, *statistics);
    }
    quant::PackedLinear packed = quant::Pack(linear, plan.info.name);
    output_.WriteLayer(plan.info.name, packed);
    stored_bits_ += PackedBits(packed);
    weights_ += weight.size();
    report.seconds = SecondsSince(start);
    progress_.Advance(1, plan.info.name);
    return quant::MakeView(std::move(packed));
  }

  // The quantized layers' reports, in the order in which they were quantized.
  std::vector<LayerReport> TakeReports() { return std::move(reports_); }
  double BitsPerWeight() const {
    return weights_ > 0 ? static_cast<double>(stored_bits_) / static_cast<double>(weights_) : 0.0;
  }

 private:
  Matrix ReadWeight(const LayerPlan& plan) const {
    const int64_t n = plan.info.out_features;
    const int64_t k = plan.info.in_features;
    Matrix weight(n, k);
    model::DecodeFloats(source_.FloatTensor(plan.info.name + ".weight", {n, k}), 0, n * k,
                        weight.data());
    return weight;
  }

  quant::QuantizedLinear Solve(const method::LinearProblem& problem, const LayerPlan& plan) const {
    return method::QuantizeLinear(
        problem, options_.recipe.layer,
        {.bits = plan.bits, .group_size = plan.group_size, .rotations = options_.recipe.rotations});
  }

  const model::Checkpoint& source_;
  const QuantizeOptions& options_;
  CheckpointOutput& output_;
  Progress& progress_;
  std::vector<LayerReport> reports_;
  int64_t stored_bits_ = 0;
  int64_t weights_ = 0;
};

// Quantizes a block's linears stage by stage and puts the results in their place.
class BlockVisitor : public StageVisitor {
 public:
  BlockVisitor(std::span<const LayerPlan> plans, nn::Block& block, const model::Checkpoint& source,
               LayerQuantizer& quantizer)
      : plans_(plans), block_(block), source_(source), quantizer_(quantizer) {}

  bool Wants(std::span<const model::LinearRole> roles) const override {
    return std::any_of(roles.begin(), roles.end(),
                       [&](model::LinearRole role) { return Plan(role).quantized; });
  }

  void Visit(std::span<const model::LinearRole> roles,
             const method::InputStatistics& statistics) override {
    for (const model::LinearRole role : roles) {
      const LayerPlan& plan = Plan(role);
      if (!plan.quantized) continue;
      block_.ReplaceLinear(
          role, std::make_unique<runtime::RotatedLinear>(quantizer_.Quantize(plan, &statistics),
                                                         nn::ReadBias(source_, plan.info)));
    }
  }

 private:
  const LayerPlan& Plan(model::LinearRole role) const { return plans_[static_cast<size_t>(role)]; }

  std::span<const LayerPlan> plans_;  // in the order of kLinearRoles
  nn::Block& block_;
  const model::Checkpoint& source_;
  LayerQuantizer& quantizer_;
};

void QuantizeCalibrated(const runtime::LanguageModel& model, const CalibrationText& calibration,
                        std::span<const LayerPlan> plans, LayerQuantizer& quantizer) {
  CalibrationStream stream(model, calibration.sequences);
  const size_t per_block = model::kLinearRoles.size();
  for (size_t first = 0; first < plans.size(); first += per_block) {
    const std::span<const LayerPlan> block_plans = plans.subspan(first, per_block);
    const int64_t layer = block_plans.front().layer;
    nn::Block block = model.MakeBlock(layer);
    BlockVisitor visitor(block_plans, block, model.checkpoint(), quantizer);
    stream.RunBlock(block, fmt::format("block {}", layer), visitor);
  }
}

// Reports of quantized layers (in order) and of kept ones, in the order of the plans.
std::vector<LayerReport> CompleteReports(const std::vector<LayerPlan>& plans,
                                         std::vector<LayerReport> quantized) {
  std::vector<LayerReport> reports;
  auto next = quantized.begin();
  for (const LayerPlan& plan : plans) {
    reports.push_back(plan.quantized ? std::move(*next++) : LayerReport{.plan = plan});
  }
  return reports;
}

void RequireSixteenBit(const model::Checkpoint& source) {
  const std::string config = (source.folder() / "config.json").string();
  if (!format::ParseQuantizationConfig(source.config(), config)) return;
  throw Error(ErrorKind::kInput, {.where = config,
                                  .expected = "a 16-bit model",
                                  .found = "a quantized one",
                                  .hint = "Quantize the model that it was made from."});
}

void RequireWork(const std::vector<LayerPlan>& plans) {
  if (std::any_of(plans.begin(), plans.end(), [](const LayerPlan& p) { return p.quantized; })) {
    return;
  }
  throw Error(ErrorKind::kUnsupported, {.where = plans.front().info.name + " and all others",
                                        .expected = "a layer that can be quantized",
                                        .found = plans.front().reason,
                                        .hint = "Try a smaller --group-size or fewer --skip."});
}

// What engines that load paroquant checkpoints take, where this one is something else.
std::vector<std::string> EngineNotes(const std::vector<LayerPlan>& plans) {
  const auto differs = [](const LayerPlan& plan) {
    return plan.quantized && (plan.bits != 4 || plan.group_size != 128);
  };
  const auto count = std::count_if(plans.begin(), plans.end(), differs);
  if (count == 0) return {};
  return {
      fmt::format("{} layers are not 4 bit in groups of 128: this program runs them, the "
                  "engines that load paroquant checkpoints do not",
                  count)};
}

}  // namespace

QuantizeSummary Quantize(const QuantizeOptions& options, Progress& progress) {
  const auto start = Clock::now();
  options.Validate();
  const auto model = runtime::LanguageModel::Load(options.model);
  const model::Checkpoint& source = model.checkpoint();
  RequireSixteenBit(source);
  const std::vector<LayerPlan> plans = PlanLayers(source.architecture(), options);
  RequireWork(plans);
  model::RequireFinite(source.tensors());

  QuantizeSummary summary{.options = options, .calibration_source = "none"};
  CheckpointOutput output(source, options, Rotations(options), plans);
  LayerQuantizer quantizer(source, options, output, progress);
  const auto layers = std::count_if(plans.begin(), plans.end(),
                                    [](const LayerPlan& plan) { return plan.quantized; });
  if (!options.recipe.NeedsCalibration()) {
    progress.Start("quantizing", layers);
    for (const LayerPlan& plan : plans) {
      if (plan.quantized) quantizer.Quantize(plan, nullptr);
    }
  } else {
    const CalibrationText calibration = LoadCalibrationText(options, model, progress);
    summary.calibration_source = calibration.source;
    summary.calibration_sequences = static_cast<int64_t>(calibration.sequences.size());
    summary.calibration_tokens =
        summary.calibration_sequences * static_cast<int64_t>(calibration.sequences.front().size());
    progress.Start("quantizing", layers);
    QuantizeCalibrated(model, calibration, plans, quantizer);
  }
  progress.Finish();
  summary.layers = CompleteReports(plans, quantizer.TakeReports());
  summary.bits_per_weight = quantizer.BitsPerWeight();
  output.Commit(Provenance(summary));
  summary.notes = EngineNotes(plans);
  summary.notes.insert(summary.notes.end(), output.notes().begin(), output.notes().end());
  summary.seconds = SecondsSince(start);
  summary.peak_rss_bytes = PeakRssBytes();
  return summary;
}

}  // namespace paroquant::pipeline
