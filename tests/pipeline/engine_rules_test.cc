#include "paroquant/pipeline/engine_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::pipeline {
namespace {

using format::FormatKind;
using model::LinearRole;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A dense block's linears, all quantized as every engine likes it.
CheckpointFacts GoodFacts(FormatKind format) {
  CheckpointFacts facts{.format = format, .symmetric = true};
  for (const LinearRole role :
       {LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue, LinearRole::kAttentionOutput,
        LinearRole::kGate, LinearRole::kUp, LinearRole::kDown}) {
    facts.layers.push_back({.info = {.name = "layer" + std::to_string(static_cast<int>(role)),
                                     .out_features = 256,
                                     .in_features = 256,
                                     .role = role},
                            .quantized = true});
  }
  return facts;
}

TEST(EngineRulesTest, WhatEveryLoaderTakesBreaksNoRule) {
  for (const std::string& engine : EngineNames()) {
    EXPECT_THAT(EngineProblems(engine, GoodFacts(FormatKind::kParoquant)), IsEmpty()) << engine;
    EXPECT_THAT(EngineProblems(engine, GoodFacts(FormatKind::kDense)), IsEmpty()) << engine;
  }
}

// The facts that docs/engines.md and design notes on loaders state, one broken at a time.
TEST(EngineRulesTest, WhatAnEngineDoesNotTakeIsNamedWithWhatToChange) {
  struct Case {
    const char* engine;
    FormatKind format;
    std::function<void(CheckpointFacts&)> spoil;
    const char* where;
    const char* expected;
    const char* found;
  };
  const auto third = [](const std::function<void(LayerFacts&)>& change) {
    return [change](CheckpointFacts& facts) { change(facts.layers[2]); };
  };
  const auto every = [](const std::function<void(LayerFacts&)>& change) {
    return [change](CheckpointFacts& facts) {
      for (LayerFacts& layer : facts.layers) change(layer);
    };
  };
  const auto bits = [](int n) { return [n](LayerFacts& layer) { layer.bits = n; }; };
  const auto group = [](int n) { return [n](LayerFacts& layer) { layer.group_size = n; }; };
  const auto rounds = [](int n) { return [n](LayerFacts& layer) { layer.rotations = n; }; };
  const auto expert = [](LayerFacts& layer) { layer.info.expert = 1; };
  const auto keep = [](LayerFacts& layer) { layer.quantized = false; };
  constexpr FormatKind kParoquant = FormatKind::kParoquant;
  const std::vector<Case> cases = {
      {"vllm", kParoquant, every(bits(3)), "layer0", "4 bits", "--bits 4"},
      {"vllm", kParoquant, third(group(64)), "layer2", "groups of 128", "groups of 64"},
      {"transformers", kParoquant, every(rounds(4)), "layer0", "1 or 8", "--rotations 8"},
      {"gptqmodel", kParoquant, third(expert), "layer2", "no quantized experts", "fp16"},
      {"transformers", FormatKind::kAwq, third(expert), "layer2", "no quantized experts", "fp16"},
      {"gptqmodel", FormatKind::kAwq,
       third([](LayerFacts& layer) { layer.info.role = LinearRole::kGateUp; }), "layer2",
       "two layers", "--skip gate_up_proj"},
      {"mlx", kParoquant, third(expert), "layer2", "share", "share_expert_rotations"},
      {"mlx", kParoquant, every(rounds(17)), "layer0", "16 rotations", "17 rotations"},
      {"mlx", FormatKind::kGptqV2, [](CheckpointFacts&) {}, "checkpoint", "awq", "gptq_v2"},
      {"mlx", kParoquant, [](CheckpointFacts& f) { f.stray_files = {"x.safetensors"}; },
       "x.safetensors", "no other", "elsewhere"},
      {"vllm", kParoquant, third(keep), "layer2", "alike", "16 bits, while layer0"},
      {"vllm", FormatKind::kGptq, [](CheckpointFacts& f) { f.symmetric = false; }, "zero points",
       "symmetric", "compressed-tensors"},
      {"vllm", FormatKind::kGptqV2, every(bits(3)), "layer0", "4 or 8", "3 bits"},
      {"transformers", kParoquant, [](CheckpointFacts& f) { f.layers[1].info.out_features = 12; },
       "layer1", "multiple of 8", "12 output features"},
      {"transformers", FormatKind::kGptq,
       [](CheckpointFacts& f) {
         f.layers.push_back(f.layers[2]);
         f.layers.back().layer = 1;
         f.layers.back().quantized = false;
       },
       "layer2", "the same layers", "16 bits, while layer2"},
      {"gptqmodel", FormatKind::kCompressedTensors, [](CheckpointFacts&) {}, "checkpoint",
       "another layout", "--format gptq_v2"},
      {"gptqmodel", FormatKind::kGptq, [](CheckpointFacts& f) { f.symmetric = false; },
       "zero points", "symmetric", "--format gptq_v2"},
      {"gptqmodel", kParoquant, every(group(64)), "layer0", "CPU only", "groups of 64"},
  };
  for (const Case& c : cases) {
    CheckpointFacts facts = GoodFacts(c.format);
    c.spoil(facts);
    EXPECT_THAT(EngineProblems(c.engine, facts),
                Contains(AllOf(Field(&VerifyProblem::where, HasSubstr(c.where)),
                               Field(&VerifyProblem::expected, HasSubstr(c.expected)),
                               Field(&VerifyProblem::found, HasSubstr(c.found)))))
        << c.engine << ": " << c.expected;
  }
}

TEST(EngineRulesTest, EnginesThatThereAreNotAreRefused) {
  const Error error = paroquant::testing::ErrorOf([] { EngineProblems("exllama", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.parts().expected, HasSubstr("vllm"));
}

// The page for readers has a row for each rule, and no other.
TEST(EngineRulesTest, TheDocumentedTableIsThatOfTheProgram) {
  const MappedFile page(paroquant::testing::DataPath("../../docs/engines.md"));
  const std::string text(reinterpret_cast<const char*>(page.bytes().data()), page.bytes().size());
  size_t rows = 0;
  for (size_t at = text.find("\n| "); at != std::string::npos; at = text.find("\n| ", at + 1))
    ++rows;
  EXPECT_EQ(rows, EngineRules().size() + 1);  // a title
  for (const EngineRule& rule : EngineRules()) {
    std::string formats;
    for (const FormatKind format : rule.formats) {
      formats += std::string(formats.empty() ? "" : ", ") + FormatName(format);
    }
    const std::string row = std::string("\n| ") + std::string(rule.engine) + " | " +
                            (formats.empty() ? "all but fp16" : formats) + " | " +
                            rule.requirement + " | " + rule.advice + " | " + rule.source + " |";
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace paroquant::pipeline
