#include "pipeline/scale_folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/half.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/model/encode_floats.h"
#include "paroquant/quant/affine.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::pipeline {
namespace {

using model::LinearInput;
using model::LinearRole;

constexpr size_t kHexDigits = 4;

ScalePlace Nowhere(std::string reason) {
  return {.home = ScaleHome::kNothing, .into = "", .reason = std::move(reason)};
}

ScalePlace InNorm(const model::Architecture& architecture, int64_t layer, const std::string& norm) {
  if (norm.empty()) return Nowhere("no norm comes right before them");
  return {
      .home = ScaleHome::kNorm, .into = BlockTensorName(architecture, layer, norm), .reason = ""};
}

// In the block's layer, of this expert, that has one of two roles.
ScalePlace InRows(std::span<const LayerPlan> block, int64_t expert, LinearRole role,
                  LinearRole fused) {
  const auto before = std::ranges::find_if(block, [&](const LayerPlan& plan) {
    return plan.info.expert == expert && (plan.info.role == role || plan.info.role == fused);
  });
  assert(before != block.end());
  if (!before->quantized) return Nowhere("the layer before stays in 16 bits");
  return {.home = ScaleHome::kRows, .into = before->info.name, .reason = ""};
}

// Of layers that read the same input.
ScalePlace PlaceOf(const model::Architecture& architecture, std::span<const LayerPlan> block,
                   std::span<const LayerPlan> stage) {
  const LayerPlan& first = stage.front();
  const int64_t expert = first.info.expert;
  if (!std::ranges::all_of(stage, &LayerPlan::quantized)) {
    return Nowhere("a layer that reads the same input stays in 16 bits");
  }
  switch (InputOf(first.info.role)) {
    case LinearInput::kAttentionInput:
      return InNorm(architecture, first.layer, architecture.norms.attention_input);
    case LinearInput::kAttended:
      if (architecture.heads != architecture.kv_heads) {
        return Nowhere("several heads read the same values (grouped-query attention)");
      }
      return InRows(block, expert, LinearRole::kValue, LinearRole::kQueryKeyValue);
    case LinearInput::kMlpInput:
      if (expert >= 0) return Nowhere("the router reads the same norm");
      return InNorm(architecture, first.layer, architecture.norms.mlp_input);
    case LinearInput::kMlpHidden:
      break;
  }
  return InRows(block, expert, LinearRole::kUp, LinearRole::kGateUp);
}

// The bias of a layer whose rows take scales up; null if it has none.
const io::TensorView* FindBias(const model::Checkpoint& source, const LayerPlan& plan) {
  return plan.info.bias ? source.tensors().Find(plan.info.name + kBias) : nullptr;
}

// Rows' scales are all that has to change: codes and zero points stand for the same multiples.
void ScaleRows(const std::vector<uint16_t>& factors, const std::string& name,
               quant::QuantizedLinear& linear) {
  const auto groups = static_cast<size_t>(linear.in_features / linear.group_size);
  const size_t first = linear.scales.size() - factors.size() * groups;
  for (size_t i = first; i < linear.scales.size(); ++i) {
    const float scale = HalfToFloat(linear.scales[i]) * HalfToFloat(factors[(i - first) / groups]);
    if (!(scale <= kMaxHalf)) {
      throw Error(ErrorKind::kUnsupported, {.where = name,
                                            .expected = "scales that F16 holds",
                                            .found = fmt::format("{}", scale),
                                            .hint = "--skip the layer."});
    }
    linear.scales[i] = FloatToHalf(std::max(scale, quant::kMinHalf));
  }
}

}  // namespace

bool FoldsScales(const QuantizeOptions& options) {
  using format::FormatKind;
  const method::Recipe& recipe = options.recipe;
  return options.format != FormatKind::kParoquant && options.format != FormatKind::kDense &&
         recipe.layer.channel_scales == method::ChannelScaleChoice::kActivationAware &&
         recipe.layer.rotation == method::RotationChoice::kNone && !recipe.tuning.TurnsInputs();
}

void PlanFolding(const model::Architecture& architecture, std::vector<LayerPlan>& plans) {
  auto next = plans.begin();
  for (const std::span<const LayerPlan> block : ByBlock(plans)) {
    for (const std::span<const LayerPlan> stage : ByStage(block)) {
      const ScalePlace place = PlaceOf(architecture, block, stage);
      const bool shared = place.home == ScaleHome::kNorm && stage.size() > 1;
      for (size_t i = 0; i < stage.size(); ++i, ++next) {
        if (!next->quantized) continue;
        next->scales = place;
        next->basis_group = shared ? static_cast<int>(InputOf(next->info.role)) : -1;
      }
    }
  }
}

std::set<std::string> FoldableNorms(const model::Architecture& architecture) {
  std::set<std::string> names;
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    for (const std::string& norm :
         {architecture.norms.attention_input, architecture.norms.mlp_input}) {
      if (!norm.empty()) names.insert(BlockTensorName(architecture, layer, norm));
    }
  }
  return names;
}

std::vector<std::string> FoldingNotes(const std::vector<LayerPlan>& plans) {
  std::set<std::string> changed;
  std::map<std::string, std::vector<std::string>> unscaled;  // by reason
  for (const LayerPlan& plan : plans) {
    if (plan.scales.home == ScaleHome::kNorm) changed.insert(plan.scales.into);
    if (plan.scales.home == ScaleHome::kNothing) {
      unscaled[plan.scales.reason].push_back(plan.info.name);
    }
  }
  const auto some = [](const std::string& first, size_t count) {
    return first + (count > 1 ? ", ..." : "");
  };
  std::vector<std::string> notes;
  if (!changed.empty()) {
    notes.push_back(fmt::format("channel scales folded into {}, so unlike the source's: {}",
                                Counted(std::ssize(changed), "norm"),
                                some(*changed.begin(), changed.size())));
  }
  for (const auto& [reason, names] : unscaled) {
    notes.push_back(fmt::format("no channel scales in {}, as {}: {}",
                                Counted(std::ssize(names), "layer"), reason,
                                some(names.front(), names.size())));
  }
  return notes;
}

std::vector<io::TensorSpec> FoldedSpecs(const model::Checkpoint& source,
                                        const std::vector<LayerPlan>& plans) {
  std::set<std::string> names;
  std::set<std::string> rows;  // modules
  for (const LayerPlan& plan : plans) {
    if (plan.scales.home == ScaleHome::kNorm) names.insert(plan.scales.into);
    if (plan.scales.home == ScaleHome::kRows) rows.insert(plan.scales.into);
  }
  for (const LayerPlan& plan : plans) {
    if (rows.contains(plan.info.name) && FindBias(source, plan) != nullptr) {
      names.insert(plan.info.name + kBias);
    }
  }
  std::vector<io::TensorSpec> specs;
  for (const std::string& name : names) {
    const io::TensorView& tensor = source.tensors().Get(name);
    specs.push_back({name, tensor.dtype, tensor.shape});
  }
  return specs;
}

FoldedBlock FoldScales(const model::Checkpoint& source, std::span<const LayerPlan* const> plans,
                       std::vector<quant::QuantizedLinear> linears) {
  FoldedBlock block{.linears = std::move(linears),
                    .scales = std::vector<FoldedScales>(plans.size()),
                    .tensors = {}};
  std::set<std::string> written;
  const auto write = [&](const std::string& name, const std::vector<uint16_t>& scales,
                         bool adds_one) {
    if (!written.insert(name).second) return;
    const io::TensorView& tensor = source.tensors().Get(name);
    block.tensors.push_back(
        {{name, tensor.dtype, tensor.shape}, FoldedTensor(tensor, scales, adds_one)});
  };
  for (size_t i = 0; i < plans.size(); ++i) {
    const ScalePlace& place = plans[i]->scales;
    if (place.into.empty()) continue;
    std::vector<uint16_t>& own = block.linears[i].channel_scales;
    const std::vector<uint16_t> scales =
        std::exchange(own, std::vector<uint16_t>(own.size(), FloatToHalf(1.0F)));
    block.scales[i].columns = scales;
    if (place.home == ScaleHome::kNorm) {
      write(place.into, scales, source.architecture().norms_add_one);
      continue;
    }
    const auto before =
        std::ranges::find(plans, place.into, [](const LayerPlan* plan) { return plan->info.name; });
    const auto index = static_cast<size_t>(before - plans.begin());
    ScaleRows(scales, place.into, block.linears[index]);
    block.scales[index].rows = scales;
    if (FindBias(source, **before) != nullptr) write(place.into + kBias, scales, false);
  }
  return block;
}

std::vector<std::byte> FoldedTensor(const io::TensorView& tensor,
                                    const std::vector<uint16_t>& scales, bool adds_one) {
  std::vector<float> values = model::DecodeFloats(tensor);
  const size_t first = values.size() - scales.size();
  for (size_t i = 0; i < scales.size(); ++i) {
    float& value = values[first + i];
    const float scale = HalfToFloat(scales[i]);
    value = value * scale + (adds_one ? scale - 1 : 0.0F);
    if (tensor.dtype != io::DType::kF16 || std::abs(value) <= kMaxHalf) continue;
    throw Error(ErrorKind::kUnsupported,
                {.where = fmt::format("{}: tensor \"{}\"", tensor.file.string(), tensor.name),
                 .expected = "a product with a channel scale that F16 holds",
                 .found = fmt::format("{} at element {}", value, first + i),
                 .hint = "--skip the layers that read it."});
  }
  return model::EncodeFloats(values, tensor.dtype);
}

double FoldedWeightError(const ConstMatrixRef& weight, Matrix stored, const FoldedScales& scales) {
  for (size_t j = 0; j < scales.columns.size(); ++j) {
    stored.col(static_cast<Eigen::Index>(j)) *= HalfToFloat(scales.columns[j]);
  }
  const Eigen::Index first = stored.rows() - static_cast<Eigen::Index>(scales.rows.size());
  for (size_t i = 0; i < scales.rows.size(); ++i) {
    stored.row(first + static_cast<Eigen::Index>(i)) /= HalfToFloat(scales.rows[i]);
  }
  const double energy = weight.cast<double>().squaredNorm();
  return energy > 0 ? (stored - weight).cast<double>().squaredNorm() / energy : 0.0;
}

double FoldedWeightError(const ConstMatrixRef& weight, quant::QuantizedLinear linear,
                         const FoldedScales& scales) {
  if (!scales.columns.empty()) linear.channel_scales = scales.columns;
  if (scales.rows.empty()) return quant::RelativeWeightError(weight, linear);
  return FoldedWeightError(weight, quant::EffectiveWeight(linear),
                           {.columns = {}, .rows = scales.rows});
}

std::string ToHex(const std::vector<uint16_t>& halves) {
  std::string text;
  for (const uint16_t half : halves) text += fmt::format("{:04x}", half);
  return text;
}

std::vector<uint16_t> FromHex(const std::string& text) {
  std::vector<uint16_t> halves(text.size() / kHexDigits);
  if (text.size() % kHexDigits != 0) return {};
  for (size_t i = 0; i < halves.size(); ++i) {
    const char* digits = text.data() + i * kHexDigits;
    const auto [end, error] = std::from_chars(digits, digits + kHexDigits, halves[i], 16);
    if (error != std::errc() || end != digits + kHexDigits) return {};
  }
  return halves;
}

}  // namespace paroquant::pipeline
