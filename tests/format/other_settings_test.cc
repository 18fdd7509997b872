// quantization_config of AWQ, GPTQ and compressed-tensors: what is read, refused and written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/format/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::format {
namespace {

using paroquant::testing::ErrorOf;
using ::testing::HasSubstr;
using testing::kPackedFormats;

// Each layout's own way to say which modules stay in 16 bits.
TEST(OtherSettingsTest, KeptModulesAreThoseThatTheListMeans) {
  const std::string kept = "model.layers.1.mlp.down_proj";
  for (const FormatKind format : kPackedFormats) {
    const io::Json json = WithQuantizationConfig(io::Json::object(), {.format = format},
                                                 {.quantized = {}, .kept = {kept}});
    const auto config = ParseQuantizationConfig(json, "config.json");
    if (format == FormatKind::kParoquant) {
      EXPECT_FALSE(IsListedAsKept(*config, kept).has_value());
      continue;
    }
    EXPECT_EQ(IsListedAsKept(*config, kept), true) << FormatName(format);
    EXPECT_EQ(IsListedAsKept(*config, "model.layers.11.mlp.down_proj"), false);
  }
  const QuantizationConfig by_part{.format = FormatKind::kAwq, .kept = {"down_proj"}};
  EXPECT_EQ(IsListedAsKept(by_part, kept), true);
  const QuantizationConfig by_pattern{.format = FormatKind::kCompressedTensors,
                                      .kept = {"re:.*down_proj"}};
  EXPECT_EQ(IsListedAsKept(by_pattern, kept), true);
  EXPECT_EQ(IsListedAsKept(by_pattern, "model.layers.1.mlp.up_proj"), false);
}

// vLLM joins q, k and v, and gate and up, and looks for what it calls these.
TEST(OtherSettingsTest, KeptModulesAreListedUnderTheirJoinedNames) {
  const std::string block = "model.layers.0.";
  const ModuleNames modules{.quantized = {block + "self_attn.o_proj", block + "mlp.up_proj"},
                            .kept = {block + "self_attn.q_proj", block + "self_attn.k_proj",
                                     block + "self_attn.v_proj", block + "mlp.gate_proj"}};
  const auto settings = [&](FormatKind format) {
    return WithQuantizationConfig(io::Json::object(), {.format = format}, modules)
        .at("quantization_config");
  };
  const std::string gptq = settings(FormatKind::kGptq).at("dynamic").dump();
  EXPECT_THAT(gptq, HasSubstr(R"("-:^model\\.layers\\.0\\.self_attn\\.qkv_proj$")"));
  EXPECT_THAT(gptq, ::testing::Not(HasSubstr("gate_up_proj")));  // up is quantized
  EXPECT_THAT(settings(FormatKind::kAwq).at("modules_to_not_convert").dump(),
              HasSubstr("model.layers.0.self_attn.qkv_proj"));
}

// transformers goes by the ends of names, the same in all blocks.
TEST(OtherSettingsTest, QuantizedModulesAreListedWhereBlocksAreAlike) {
  const auto settings = [](const ModuleNames& modules) {
    return WithQuantizationConfig(io::Json::object(), {.format = FormatKind::kGptqV2}, modules)
        .at("quantization_config");
  };
  const std::string down = "model.layers.1.mlp.down_proj";
  const io::Json alike =
      settings({.quantized = {"model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj"},
                .kept = {"model.layers.0.mlp.down_proj", down}});
  EXPECT_EQ(alike.at("modules_in_block_to_quantize").dump(), R"([["mlp.up_proj"]])");
  EXPECT_FALSE(settings({.quantized = {"model.layers.0.mlp.down_proj"}, .kept = {down}})
                   .contains("modules_in_block_to_quantize"));
  EXPECT_FALSE(
      settings({.quantized = {down}, .kept = {}}).contains("modules_in_block_to_quantize"));
  io::Json of_transformers = alike;
  of_transformers.erase("dynamic");
  const auto config =
      ParseQuantizationConfig({{"quantization_config", of_transformers}}, "config.json");
  EXPECT_EQ(IsListedAsKept(*config, down), true);
  EXPECT_EQ(IsListedAsKept(*config, "model.layers.1.mlp.up_proj"), false);
}

TEST(OtherSettingsTest, SettingsThatAreNotHandledAreNamed) {
  struct Refused {
    io::Json settings;
    const char* key;
  };
  const io::Json awq = {{"quant_method", "awq"}, {"bits", 4}, {"group_size", 128}};
  const io::Json gptq = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 128}};
  const auto with = [](io::Json settings, const char* key, const io::Json& value) {
    settings[key] = value;
    return settings;
  };
  const auto packed = [](const io::Json& weights, const io::Json& others = io::Json::object()) {
    io::Json all = {{"num_bits", 4}, {"type", "int"}, {"strategy", "group"}, {"group_size", 128}};
    all.update(weights);
    io::Json group = {{"targets", {"Linear"}}, {"weights", all}};
    group.update(others);
    return io::Json{{"quant_method", "compressed-tensors"},
                    {"config_groups", {{"group_0", group}}}};
  };
  const std::vector<Refused> cases = {
      {with(awq, "version", "gemv"), "version"},
      {with(awq, "zero_point", false), "zero_point"},
      {with(awq, "bits", 3), "bits"},
      {with(awq, "group_size", -1), "group_size"},
      {with(gptq, "group_size", 12), "group_size"},
      {with(gptq, "checkpoint_format", "marlin"), "checkpoint_format"},
      {with(gptq, "quant_method", ""), "quant_method"},
      {with(gptq, "lm_head", true), "lm_head"},
      {with(gptq, "dynamic", {{"+:.*down.*", {{"bits", 8}}}}), "dynamic"},
      {with(packed(io::Json::object()), "kv_cache_scheme", {{"num_bits", 8}}), "kv_cache_scheme"},
      {packed({{"dynamic", true}}), "dynamic"},
      {with(packed(io::Json::object()), "format", "float-quantized"), "format"},
      {packed({{"num_bits", 2}}), "num_bits"},
      {packed({{"type", "float"}}), "type"},
      {packed({{"strategy", "tensor"}}), "strategy"},
      {packed(io::Json::object(), {{"input_activations", {{"num_bits", 8}}}}), "config_groups"},
  };
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.settings.dump());
    const Error error = ErrorOf([&] {
      ParseQuantizationConfig({{"quantization_config", c.settings}}, "config.json");
    });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.parts().where, ::testing::EndsWith(std::string(": ") + c.key));
    EXPECT_NE(error.parts().found, "");
  }
}

TEST(OtherSettingsTest, SettingsOfTheWrongKindAreNamed) {
  for (const io::Json& groups : {io::Json(4), io::Json::object(), io::Json{{"group_0", 4}},
                                 io::Json{{"group_0", {{"weights", nullptr}}}}}) {
    const io::Json settings = {{"quant_method", "compressed-tensors"}, {"config_groups", groups}};
    const Error error = ErrorOf([&] {
      ParseQuantizationConfig({{"quantization_config", settings}}, "config.json");
    });
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << settings;
    EXPECT_THAT(error.parts().where, HasSubstr("config_groups"));
  }
}

TEST(OtherSettingsTest, SettingsAreReadAsTheyWereWritten) {
  for (const FormatKind format : kPackedFormats) {
    const QuantizationConfig written{.format = format, .bits = 4, .group_size = 64};
    const io::Json config = WithQuantizationConfig(
        io::Json::object(), written, {.quantized = {}, .kept = {"model.layers.0.mlp.down_proj"}});
    const auto found = ParseQuantizationConfig(config, "config.json");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->format, format);
    EXPECT_EQ(found->bits, 4);
    EXPECT_EQ(found->group_size, 64);
  }
  const io::Json dense = WithQuantizationConfig({{"quantization_config", {{"a", 1}}}},
                                                {.format = FormatKind::kDense}, {});
  EXPECT_FALSE(dense.contains("quantization_config"));
}

}  // namespace
}  // namespace paroquant::format
