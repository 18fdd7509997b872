#include "paroquant/pipeline/quantize_options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "paroquant/base/error.h"

namespace paroquant::pipeline {
namespace {

struct RecipeRow {
  Recipe recipe;
  const char* name;
};
constexpr std::array<RecipeRow, 2> kRecipes = {{{Recipe::kRtn, "rtn"}, {Recipe::kFast, "fast"}}};

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::array kGroupSizes = {32, 64, 128};
constexpr int kMaxRotations = 16;
constexpr int64_t kMaxSequences = 1 << 20;
constexpr int64_t kMinSequenceLength = 2;
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

template <typename T>
void RequireRange(const char* option, T value, T least, T most) {
  if (value >= least && value <= most) return;
  throw UsageError(option, fmt::format("between {} and {}", least, most), fmt::format("{}", value));
}

}  // namespace

const char* RecipeName(Recipe recipe) {
  const auto row = std::find_if(kRecipes.begin(), kRecipes.end(),
                                [&](const RecipeRow& r) { return r.recipe == recipe; });
  return row->name;
}

Recipe RecipeFromName(const std::string& name) {
  std::string names;
  for (const RecipeRow& row : kRecipes) {
    if (name == row.name) return row.recipe;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorKind::kUnsupported,
              {.where = "--recipe",
               .expected = "one of " + names,
               .found = fmt::format("\"{}\"", name),
               .hint = "The default, fast, is the most accurate of them."});
}

void QuantizeOptions::Validate() const {
  RequireOneOf("--bits", bits, kBits);
  RequireOneOf("--group-size", group_size, kGroupSizes);
  RequireRange("--rotations", rotations, 1, kMaxRotations);
  RequireRange<int64_t>("--calib-sequences", calibration_sequences, 1, kMaxSequences);
  RequireRange<int64_t>("--sequence-length", sequence_length, kMinSequenceLength, kMaxSequences);
  if (shard_size < kMinShardSize) {
    throw UsageError("--shard-size", fmt::format("at least {} bytes", kMinShardSize),
                     fmt::format("{}", shard_size));
  }
  for (const LayerOverride& settings : overrides) {
    if (settings.bits) RequireOneOf("--override", *settings.bits, kBits);
    if (settings.group_size) RequireOneOf("--override", *settings.group_size, kGroupSizes);
  }
}

}  // namespace paroquant::pipeline
