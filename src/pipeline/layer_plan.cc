#include "paroquant/pipeline/layer_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/quant/packing.h"
#include "pipeline/scale_folding.h"
#include "text/regex.h"

namespace paroquant::pipeline {
namespace {

// Smaller groups that a layer falls back to, the largest first.
constexpr std::array kFallbackGroupSizes = {64, 32};

// A user's pattern over module names, which remembers whether it ever matched.
class NamePattern {
 public:
  NamePattern(const std::string& option, const std::string& pattern)
      : option_(option), pattern_(pattern), regex_(Compile(option, pattern)) {}

  bool Matches(const std::string& name) {
    const bool matches = text::Regex::Search(regex_, name).Next().has_value();
    used_ = used_ || matches;
    return matches;
  }

  const std::string& text() const { return pattern_; }

  void RequireUsed(const std::string& example) const {
    if (used_) return;
    throw Error(ErrorKind::kUsage, {.where = option_,
                                    .expected = "a pattern that matches a module's name",
                                    .found = fmt::format("\"{}\", which matches none", pattern_),
                                    .hint = fmt::format("Names look like {}.", example)});
  }

 private:
  static text::Regex Compile(const std::string& option, const std::string& pattern) {
    try {
      return {pattern, option};
    } catch (const Error& error) {
      ErrorParts parts = error.parts();
      parts.where = fmt::format("{} {}", option, pattern);
      parts.hint =
          "Close what is open; a character that stands for itself, as ( or [, is written \\( or "
          "\\[.";
      throw Error(ErrorKind::kUsage, parts);
    }
  }

  std::string option_;
  std::string pattern_;
  text::Regex regex_;
  bool used_ = false;
};

struct OverridePattern {
  NamePattern pattern;
  const LayerOverride* settings;
};

// A setting of a layer as overrides give it: one value, however many patterns match.
class OverriddenSetting {
 public:
  OverriddenSetting(const char* key, int& value) : key_(key), value_(value) {}

  void Set(const std::string& layer, const std::string& pattern, std::optional<int> value) {
    if (!value) return;
    if (pattern_ != nullptr && value_ != *value) {
      throw Error(ErrorKind::kUsage,
                  {.where = "--override",
                   .expected = fmt::format("one value of {} for {}", key_, layer),
                   .found = fmt::format("{} by \"{}\" and {} by \"{}\"", value_, *pattern_, *value,
                                        pattern),
                   .hint = "Let only one of these patterns match the layer."});
    }
    value_ = *value;
    pattern_ = &pattern;
  }

 private:
  const char* key_;
  int& value_;
  const std::string* pattern_ = nullptr;  // that gave the value, if any did
};

void ApplyOverrides(std::vector<OverridePattern>& overrides, LayerPlan& plan) {
  OverriddenSetting bits("bits", plan.bits);
  OverriddenSetting group_size("group-size", plan.group_size);
  for (auto& [pattern, settings] : overrides) {
    if (!pattern.Matches(plan.info.name)) continue;
    bits.Set(plan.info.name, pattern.text(), settings->bits);
    group_size.Set(plan.info.name, pattern.text(), settings->group_size);
  }
}

// Elsewhere config.json speaks for all layers.
bool HoldsSeveralGroupSizes(format::FormatKind format) {
  return format == format::FormatKind::kParoquant || format == format::FormatKind::kDense;
}

// Those that the layout and the engine allow.
std::vector<int> FallbackGroupSizes(const QuantizeOptions& options) {
  std::vector<int> sizes;
  if (!HoldsSeveralGroupSizes(options.format)) return sizes;
  std::ranges::copy_if(kFallbackGroupSizes, std::back_inserter(sizes), [&](int size) {
    return options.target.empty() || TakesGroupSize(options.target, options.format, size);
  });
  return sizes;
}

void Keep(LayerPlan& plan, std::string reason) {
  plan.quantized = false;
  plan.reason = std::move(reason);
}

// Why a layer is kept that divides into no groups.
std::string NoGroupsReason(const QuantizeOptions& options, const LayerPlan& plan) {
  const int64_t k = plan.info.in_features;
  if (!HoldsSeveralGroupSizes(options.format)) {
    return fmt::format("K = {} does not divide by {}", k, plan.group_size);
  }
  if (FallbackGroupSizes(options).size() < kFallbackGroupSizes.size()) {
    return fmt::format("K = {} divides by no group size up to {} that {} takes", k, plan.group_size,
                       options.target);
  }
  return fmt::format("K = {} divides by no group size up to {}", k, plan.group_size);
}

// Chooses the group size and whether the layer can be quantized at all.
void FitShape(const QuantizeOptions& options, LayerPlan& plan) {
  const int64_t k = plan.info.in_features;
  const int asked = plan.group_size;
  for (const int smaller : FallbackGroupSizes(options)) {
    if (k % plan.group_size == 0) break;
    if (smaller < asked) plan.group_size = smaller;
  }
  if (k % plan.group_size != 0) {
    plan.group_size = asked;
    Keep(plan, NoGroupsReason(options, plan));
    return;
  }
  const int multiple = quant::PackingMultiple(plan.bits);
  if (plan.info.out_features % multiple != 0) {
    Keep(plan, fmt::format("N = {} is no multiple of {}", plan.info.out_features, multiple));
    return;
  }
  plan.quantized = true;
  if (plan.group_size != asked) {
    plan.reason =
        fmt::format("group size {}, as K = {} does not divide by {}", plan.group_size, k, asked);
  }
}

// A tensor that holds several weights can be replaced as a whole only.
void KeepStacksWhole(std::vector<LayerPlan>& plans) {
  std::map<std::string, std::string> kept;  // a module that is kept, by the tensor it lies in
  for (const LayerPlan& plan : plans) {
    if (plan.info.stacked && !plan.quantized) kept.emplace(plan.info.WeightName(), plan.info.name);
  }
  for (LayerPlan& plan : plans) {
    const auto found = kept.find(plan.info.WeightName());
    if (!plan.quantized || found == kept.end()) continue;
    Keep(plan, fmt::format("shares a tensor with {}, which is kept", found->second));
  }
}

// Experts' layers that read the same kind of input go together.
void ShareBases(std::vector<LayerPlan>& plans) {
  std::map<std::pair<int64_t, int>, const LayerPlan*> firsts;  // by block and group
  for (LayerPlan& plan : plans) {
    if (!plan.quantized || plan.info.expert < 0) continue;
    plan.basis_group = InputOf(plan.info.role) == model::LinearInput::kMlpInput ? 0 : 1;
    const LayerPlan& first =
        *firsts.emplace(std::pair(plan.layer, plan.basis_group), &plan).first->second;
    if (first.group_size == plan.group_size) continue;
    throw Error(ErrorKind::kUsage,
                {.where = "--override",
                 .expected = "one group size for experts that share a rotation",
                 .found = fmt::format("{} for {} and {} for {}", first.group_size, first.info.name,
                                      plan.group_size, plan.info.name),
                 .hint = "Let the pattern match all experts, or add "
                         "--set share_expert_rotations=false."});
  }
}

// Cuts where neighbours do not belong together.
template <typename Together>
std::vector<std::span<const LayerPlan>> Runs(std::span<const LayerPlan> plans,
                                             const Together& together) {
  std::vector<std::span<const LayerPlan>> runs;
  size_t first = 0;
  for (size_t i = 1; i <= plans.size(); ++i) {
    if (i < plans.size() && together(plans[i - 1], plans[i])) continue;
    runs.push_back(plans.subspan(first, i - first));
    first = i;
  }
  return runs;
}

}  // namespace

std::vector<LayerPlan> PlanLayers(const model::Architecture& architecture,
                                  const QuantizeOptions& options) {
  std::vector<NamePattern> skips;
  for (const std::string& pattern : options.skip) skips.emplace_back("--skip", pattern);
  std::vector<OverridePattern> overrides;
  for (const LayerOverride& settings : options.overrides) {
    overrides.push_back({NamePattern("--override", settings.pattern), &settings});
  }

  std::vector<LayerPlan> plans;
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    const std::vector<model::LinearInfo> linears = DescribeLinears(architecture, layer);
    for (size_t index = 0; index < linears.size(); ++index) {
      LayerPlan plan{.info = linears[index],
                     .layer = layer,
                     .index = index,
                     .number = plans.size(),
                     .quantized = false,
                     .reason = "",
                     .bits = options.recipe.bits,
                     .group_size = options.recipe.group_size};
      ApplyOverrides(overrides, plan);
      FitShape(options, plan);
      for (NamePattern& skip : skips) {
        if (skip.Matches(plan.info.name)) Keep(plan, "named by --skip");
      }
      plans.push_back(std::move(plan));
    }
  }
  KeepStacksWhole(plans);
  if (FoldsScales(options)) {
    PlanFolding(architecture, plans);
  } else if (options.recipe.layer.share_expert_rotations) {
    ShareBases(plans);
  }
  for (const NamePattern& skip : skips) skip.RequireUsed(plans.front().info.name);
  for (const auto& [pattern, settings] : overrides) {
    pattern.RequireUsed(plans.front().info.name);
  }
  return plans;
}

std::vector<std::span<const LayerPlan>> ByBlock(std::span<const LayerPlan> plans) {
  return Runs(plans, [](const LayerPlan& a, const LayerPlan& b) { return a.layer == b.layer; });
}

std::vector<std::span<const LayerPlan>> ByStage(std::span<const LayerPlan> block) {
  return Runs(block, [](const LayerPlan& a, const LayerPlan& b) {
    return InputOf(a.info.role) == InputOf(b.info.role) && a.info.expert == b.info.expert;
  });
}

io::Json ToJson(const LayerPlan& plan) {
  io::Json json = {{"name", plan.info.name},
                   {"shape", {plan.info.out_features, plan.info.in_features}},
                   {"bits", plan.quantized ? plan.bits : 16},
                   {"group_size", plan.quantized ? io::Json(plan.group_size) : io::Json(nullptr)},
                   {"status", plan.quantized ? "quantized" : "kept"},
                   {"reason", plan.reason}};
  if (!plan.scales.into.empty()) json["channel_scales_in"] = plan.scales.into;
  if (!plan.scales.reason.empty()) json["no_channel_scales"] = plan.scales.reason;
  return json;
}

}  // namespace paroquant::pipeline
