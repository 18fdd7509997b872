// What inference engines demand of the checkpoints that they load, as data. docs/engines.md is the
// same table for readers.
#ifndef PAROQUANT_PIPELINE_ENGINE_RULES_H_
#define PAROQUANT_PIPELINE_ENGINE_RULES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/format/packed_format.h"
#include "paroquant/model/tensors.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"
#include "paroquant/pipeline/verify.h"

namespace paroquant::pipeline {

// Of a linear layer what rules are about.
struct LayerFacts {
  model::LinearInfo info;
  int64_t layer = 0;
  bool quantized = false;
  int bits = 4;
  int group_size = 128;
  int rotations = 8;
  bool shares_rotation = false;
};

struct CheckpointFacts {
  format::FormatKind format = format::FormatKind::kParoquant;
  bool symmetric = false;  // all zero points are 2^(bits - 1)
  std::vector<LayerFacts> layers;
  std::vector<std::string> stray_files;  // *.safetensors that are no part of the weights
};
CheckpointFacts FactsOf(const std::vector<LayerPlan>& plans, const QuantizeOptions& options);
CheckpointFacts FactsOf(const model::Checkpoint& checkpoint);

struct BrokenRule {
  std::string where;
  std::string found;
};

struct EngineRule {
  std::string_view engine;
  std::vector<format::FormatKind> formats;  // that it is about; none: all
  const char* requirement;
  const char* source;  // of our knowledge
  const char* advice;  // what to change
  // The first place where the rule is broken, if there is one.
  std::optional<BrokenRule> (*check)(const CheckpointFacts& facts);
};
std::span<const EngineRule> EngineRules();

std::vector<std::string> EngineNames();

// Does the engine take a layer with such groups that is otherwise as it wants it? Throws kUsage for
// an engine that there is not.
bool TakesGroupSize(const std::string& engine, format::FormatKind format, int group_size);

// A problem for each rule of `engine` that is broken. Throws kUsage for an engine that there is
// not.
std::vector<VerifyProblem> EngineProblems(const std::string& engine, const CheckpointFacts& facts);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_ENGINE_RULES_H_
