#include "paroquant/pipeline/quantize_options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "paroquant/base/error.h"

namespace paroquant::pipeline {
namespace {

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kGroupSizes = {32, 64, 128};
constexpr uint64_t kMinShardSize = 1 << 20;

Error UsageError(const char* option, std::string expected, std::string found) {
  return Error(ErrorKind::kUsage, {.where = option,
                                   .expected = std::move(expected),
                                   .found = std::move(found),
                                   .hint = "See paroquant quantize --help."});
}

template <typename Choices>
void RequireOneOf(const char* option, int value, const Choices& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  throw UsageError(option, fmt::format("one of {}", fmt::join(choices, ", ")),
                   fmt::format("{}", value));
}

}  // namespace

bool QuantizeOptions::SamplesText() const {
  return std::ranges::find(calibration, kSelfCalibration) != calibration.end();
}

void QuantizeOptions::Validate() const {
  method::CheckRecipe(recipe);
  if (SamplesText() && calibration.size() > 1) {
    throw UsageError("--calib", "either self or files", "both");
  }
  if (shard_size < kMinShardSize) {
    throw UsageError("--shard-size", fmt::format("at least {} bytes", kMinShardSize),
                     fmt::format("{}", shard_size));
  }
  for (const LayerOverride& settings : overrides) {
    if (settings.bits) RequireOneOf("--override", *settings.bits, kBits);
    if (settings.group_size) RequireOneOf("--override", *settings.group_size, kGroupSizes);
  }
}

int StoredRotations(const QuantizeOptions& options) {
  const bool rotates = options.recipe.layer.rotation != method::RotationChoice::kNone;
  return rotates ? options.recipe.rotations : 1;
}

}  // namespace paroquant::pipeline
