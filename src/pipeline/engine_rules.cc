#include "paroquant/pipeline/engine_rules.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "paroquant/base/error.h"

namespace paroquant::pipeline {
namespace {

using format::FormatKind;

using Broken = std::optional<BrokenRule>;

// The first quantized layer for which `found` gives a text.
template <typename Find>
Broken FirstLayer(const CheckpointFacts& facts, const Find& find) {
  for (const LayerFacts& layer : facts.layers) {
    if (!layer.quantized) continue;
    std::string found = find(layer);
    if (!found.empty()) return BrokenRule{layer.info.name, std::move(found)};
  }
  return std::nullopt;
}

Broken Never(const CheckpointFacts& facts) {
  return BrokenRule{"the checkpoint", fmt::format("the layout {}", FormatName(facts.format))};
}

Broken FourBits(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.bits == 4 ? "" : fmt::format("{} bits", layer.bits);
  });
}

Broken FourOrEightBits(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.bits == 4 || layer.bits == 8 ? "" : fmt::format("{} bits", layer.bits);
  });
}

Broken GroupsOf128(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.group_size == 128 ? "" : fmt::format("groups of {}", layer.group_size);
  });
}

Broken GroupsUpTo128(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.group_size <= 128 ? "" : fmt::format("groups of {}", layer.group_size);
  });
}

Broken OneOrEightRotations(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    const bool fits = layer.rotations == 1 || layer.rotations == 8;
    return fits ? "" : fmt::format("{} rotations", layer.rotations);
  });
}

Broken UpTo16Rotations(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.rotations <= 16 ? "" : fmt::format("{} rotations", layer.rotations);
  });
}

Broken WholeWords(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    const int64_t n = layer.info.out_features;
    return n % 8 == 0 ? "" : fmt::format("{} output features", n);
  });
}

Broken NoExperts(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.info.expert < 0 ? "" : "a quantized expert";
  });
}

Broken SeparateGateAndUp(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.info.role == model::LinearRole::kGateUp ? "both in one quantized layer" : "";
  });
}

Broken SharedRotations(const CheckpointFacts& facts) {
  return FirstLayer(facts, [](const LayerFacts& layer) {
    return layer.info.expert < 0 || layer.shares_rotation ? "" : "a rotation of its own";
  });
}

// Engines join what reads the same input into one product.
Broken WholeSets(const CheckpointFacts& facts) {
  std::map<std::tuple<int64_t, model::LinearInput, int64_t>, const LayerFacts*> firsts;
  for (const LayerFacts& layer : facts.layers) {
    const auto key = std::tuple(layer.layer, InputOf(layer.info.role), layer.info.expert);
    const LayerFacts& first = *firsts.emplace(key, &layer).first->second;
    if (first.quantized != layer.quantized) {
      const LayerFacts& kept = first.quantized ? layer : first;
      const LayerFacts& other = first.quantized ? first : layer;
      return BrokenRule{kept.info.name, "16 bits, while " + other.info.name + " is quantized"};
    }
    if (layer.quantized &&
        std::pair(first.bits, first.group_size) != std::pair(layer.bits, layer.group_size)) {
      return BrokenRule{layer.info.name, fmt::format("{} bits in groups of {}, {} has {} in {}",
                                                     layer.bits, layer.group_size, first.info.name,
                                                     first.bits, first.group_size)};
    }
  }
  return std::nullopt;
}

// What transformers knows of is the same list for each block.
Broken AlikeInAllBlocks(const CheckpointFacts& facts) {
  const auto index = [](const LayerFacts& layer) {
    return std::tuple(layer.info.role, layer.info.expert);
  };
  std::map<std::tuple<model::LinearRole, int64_t>, const LayerFacts*> firsts;
  for (const LayerFacts& layer : facts.layers) {
    const LayerFacts& first = *firsts.emplace(index(layer), &layer).first->second;
    if (first.quantized == layer.quantized) continue;
    const LayerFacts& kept = first.quantized ? layer : first;
    const LayerFacts& other = first.quantized ? first : layer;
    return BrokenRule{kept.info.name, "16 bits, while " + other.info.name + " is quantized"};
  }
  return std::nullopt;
}

Broken Symmetric(const CheckpointFacts& facts) {
  if (facts.symmetric) return std::nullopt;
  return BrokenRule{"zero points", "others than the middle code"};
}

Broken NoStrayFiles(const CheckpointFacts& facts) {
  if (facts.stray_files.empty()) return std::nullopt;
  return BrokenRule{facts.stray_files.front(), "a file that is no part of the weights"};
}

// That all engines take.
constexpr int kCommonGroupSize = 128;

constexpr char kLoaders[] = "z-lab paroquant 0.1.16, mid 2026";
constexpr char kGptqModel[] = "GPTQModel 7.7.0";
constexpr char kVllm[] = "vLLM, mid 2026";
constexpr char kOptimum[] = "optimum, mid 2026";
// Tried: docs/interop.md.
constexpr char kGptqModelTried[] = "GPTQModel 7.7.0, tried";
constexpr char kTransformersTried[] = "transformers 5.24.0, tried";
constexpr char kMlxLmTried[] = "mlx-lm 0.32.2, tried";

std::vector<EngineRule> MakeRules() {
  constexpr FormatKind kParoquant = FormatKind::kParoquant;
  const std::vector<FormatKind> gptq = {FormatKind::kGptq, FormatKind::kGptqV2};
  std::vector<EngineRule> rules = {
      {"mlx",
       {FormatKind::kGptq, FormatKind::kGptqV2, FormatKind::kCompressedTensors},
       "paroquant, awq or fp16 as the layout",
       kMlxLmTried,
       "use --format paroquant or awq",
       Never},
      {"gptqmodel",
       {FormatKind::kCompressedTensors},
       "another layout than compressed-tensors",
       kGptqModelTried,
       "use --format gptq_v2",
       Never},
      {"gptqmodel",
       {FormatKind::kGptq},
       "symmetric codes",
       kGptqModelTried,
       "use --set symmetric=true, or --format gptq_v2",
       Symmetric},
      {"gptqmodel",
       {kParoquant, FormatKind::kAwq, FormatKind::kGptq, FormatKind::kGptqV2},
       "gate and up as two layers",
       kGptqModelTried,
       "use --format fp16, or --skip gate_up_proj",
       SeparateGateAndUp},
      {"gptqmodel",
       {FormatKind::kAwq},
       "the same layers in 16 bits in all blocks: others load as noise",
       kGptqModelTried,
       "let --skip match a layer in every block, or use --format gptq_v2",
       AlikeInAllBlocks},
      {"mlx",
       {kParoquant},
       "groups of 128 at most",
       kLoaders,
       "use --group-size 128",
       GroupsUpTo128},
      {"mlx", {kParoquant}, "16 rotations at most", kLoaders, "use --rotations 8", UpTo16Rotations},
      {"mlx",
       {kParoquant},
       "experts of a layer that share their rotations",
       kLoaders,
       "use --set share_expert_rotations=true",
       SharedRotations},
      {"mlx",
       {},
       "no other .safetensors file in the folder: all of them are read",
       kLoaders,
       "move the file elsewhere",
       NoStrayFiles},
      {"vllm", gptq, "symmetric codes", kVllm,
       "use --set symmetric=true, or --format compressed-tensors", Symmetric},
      {"vllm", gptq, "4 or 8 bits", kVllm, "use --bits 4", FourOrEightBits},
      {"vllm",
       {},
       "q, k and v, and gate and up, quantized alike or not at all",
       kVllm,
       "let --skip and --override match all of a set",
       WholeSets},
      {"transformers", gptq, "the same layers in 16 bits in all blocks", kOptimum,
       "let --skip match a layer in every block", AlikeInAllBlocks},
      {"transformers",
       {FormatKind::kAwq, FormatKind::kGptq, FormatKind::kGptqV2, FormatKind::kCompressedTensors},
       "no quantized experts: it keeps all of a layer in one tensor",
       kTransformersTried,
       "use --format fp16, or --skip experts",
       NoExperts},
  };
  for (const std::string_view engine : {"transformers", "vllm", "mlx", "gptqmodel"}) {
    const bool gptqmodel = engine == "gptqmodel";
    const char* source = gptqmodel ? kGptqModel : kLoaders;
    rules.push_back({engine, {kParoquant}, "4 bits", source, "use --bits 4", FourBits});
    rules.push_back({engine,
                     {kParoquant},
                     "a multiple of 8 output features",
                     source,
                     "--skip the layer",
                     WholeWords});
    if (engine == "mlx") continue;
    rules.push_back({engine,
                     {kParoquant},
                     gptqmodel ? "groups of 128: others run on a CPU only"
                               : "groups of 128: others load and turn by wrong angles",
                     source,
                     "use --group-size 128 and --skip layers that do not divide so",
                     GroupsOf128});
    rules.push_back({engine,
                     {kParoquant},
                     gptqmodel ? "1 or 8 rotations: others run on a CPU only" : "1 or 8 rotations",
                     source,
                     "use --rotations 8",
                     OneOrEightRotations});
    rules.push_back({engine,
                     {kParoquant},
                     "no quantized experts",
                     source,
                     "use --format fp16, or --skip experts",
                     NoExperts});
  }
  return rules;
}

bool IsAbout(const EngineRule& rule, FormatKind format) {
  if (format == FormatKind::kDense) return false;  // loads everywhere
  return rule.formats.empty() || std::ranges::find(rule.formats, format) != rule.formats.end();
}

void RequireEngine(const std::string& engine) {
  const std::vector<std::string> names = EngineNames();
  if (std::ranges::find(names, engine) != names.end()) return;
  throw Error(ErrorKind::kUsage, {.where = "--target",
                                  .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                                  .found = fmt::format("\"{}\"", engine),
                                  .hint = "docs/engines.md lists what each demands."});
}

}  // namespace

std::span<const EngineRule> EngineRules() {
  static const std::vector<EngineRule> rules = MakeRules();
  return rules;
}

std::vector<std::string> EngineNames() { return {"transformers", "vllm", "mlx", "gptqmodel"}; }

bool TakesGroupSize(const std::string& engine, FormatKind format, int group_size) {
  RequireEngine(engine);
  const auto facts = [format](int size) {
    CheckpointFacts one{.format = format, .symmetric = true};
    one.layers.push_back({.info = {.name = "layer", .out_features = 128, .in_features = 128},
                          .quantized = true,
                          .group_size = size});
    return one;
  };
  return std::ranges::none_of(EngineRules(), [&](const EngineRule& rule) {
    return rule.engine == engine && IsAbout(rule, format) && rule.check(facts(group_size)) &&
           !rule.check(facts(kCommonGroupSize));
  });
}

std::vector<VerifyProblem> EngineProblems(const std::string& engine, const CheckpointFacts& facts) {
  RequireEngine(engine);
  std::vector<VerifyProblem> problems;
  for (const EngineRule& rule : EngineRules()) {
    if (rule.engine != engine || !IsAbout(rule, facts.format)) continue;
    if (const Broken broken = rule.check(facts)) {
      problems.push_back({broken->where,
                          fmt::format("{}, for {} ({})", rule.requirement, engine, rule.source),
                          fmt::format("{}; {}", broken->found, rule.advice)});
    }
  }
  return problems;
}

}  // namespace paroquant::pipeline
