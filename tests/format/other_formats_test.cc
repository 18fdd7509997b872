// AWQ, GPTQ and compressed-tensors against the packers of their engines and against what their
// loaders would do with other input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"
#include "tests/format/fixtures.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::format {
namespace {

using paroquant::testing::ErrorOf;
using paroquant::testing::GoldenPath;
using testing::GoodLayer;
using ::testing::HasSubstr;
using testing::Info;
using testing::kModule;
using testing::kPackedFormats;
using testing::ReadError;
using testing::ReadLayer;
using testing::SmallLinear;
using testing::StoredLayer;

template <typename T>
std::vector<T> Values(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(OtherFormatsTest, ALayerIsReadAsItWasWritten) {
  for (const FormatKind format : kPackedFormats) {
    SCOPED_TRACE(FormatName(format));
    const quant::QuantizedLinear written = SmallLinear(format);
    const quant::QuantizedLinear found = ReadLayer(format, GoodLayer(format));
    EXPECT_EQ(found.codes, written.codes);
    EXPECT_EQ(found.zeros, written.zeros);
    EXPECT_EQ(found.scales, written.scales);
    EXPECT_EQ(found.channel_scales, written.channel_scales);
  }
}

// A layer whose groups are the even and the odd channels, the odd ones first.
quant::QuantizedLinear OrderedLinear(FormatKind format) {
  quant::QuantizedLinear linear = SmallLinear(format);
  for (int32_t i = 0; i < 64; ++i) linear.order.push_back(i < 32 ? 2 * i + 1 : 2 * (i - 32));
  return linear;
}

TEST(OtherFormatsTest, OneGroupForARowIsReadAsItWasWritten) {
  for (const FormatKind format :
       {FormatKind::kGptq, FormatKind::kGptqV2, FormatKind::kCompressedTensors}) {
    SCOPED_TRACE(FormatName(format));
    EXPECT_EQ(GroupObstacle(format, kWholeRows), "");
    quant::QuantizedLinear written = SmallLinear(format);
    written.group_size = 64;
    written.zeros.resize(16);
    written.scales.resize(16);
    const auto tensors = Encode(format, Info(16, 64), written, {});
    const testing::LayerFolder folder(format, tensors, {.group_size = kWholeRows});
    const model::Checkpoint checkpoint = folder.Open();
    const PackedLayers packed(checkpoint);
    EXPECT_EQ(packed.config()->group_size, kWholeRows);
    const auto found = quant::Unpack(quant::Copy(packed.Read(Info(16, 64))), kModule);
    EXPECT_EQ(found.group_size, 64);
    EXPECT_EQ(found.codes, written.codes);
    EXPECT_EQ(found.zeros, written.zeros);
    EXPECT_EQ(found.scales, written.scales);
  }
  EXPECT_THAT(GroupObstacle(FormatKind::kAwq, kWholeRows), HasSubstr("whole row"));
  EXPECT_THAT(GroupObstacle(FormatKind::kParoquant, kWholeRows), HasSubstr("whole row"));
  // What compressed-tensors makes of a size of -1, and a size where there is none.
  const auto parse = [](const io::Json& weights) {
    const io::Json settings = {{"quant_method", "compressed-tensors"},
                               {"config_groups", {{"group_0", {{"weights", weights}}}}}};
    return ParseQuantizationConfig({{"quantization_config", settings}}, "config.json");
  };
  EXPECT_EQ(parse({{"num_bits", 4}, {"group_size", -1}})->group_size, kWholeRows);
  EXPECT_EQ(parse({{"num_bits", 4}, {"strategy", "channel"}, {"group_size", nullptr}})->group_size,
            kWholeRows);
  EXPECT_EQ(ErrorOf([&] {
              parse({{"num_bits", 4}, {"strategy", "channel"}, {"group_size", 64}});
            }).kind(),
            ErrorKind::kInput);
}

// The words that the engines' packers make of 0, 1, ..., 7, see docs/formats.md.
TEST(OtherFormatsTest, CodesLieInTheOrderOfTheEngines) {
  quant::QuantizedLinear along_n = SmallLinear(FormatKind::kAwq);
  for (size_t i = 0; i < along_n.codes.size(); ++i) {
    along_n.codes[i] = static_cast<uint8_t>(i / 64 % 8);
  }
  const auto awq = Encode(FormatKind::kAwq, Info(16, 64), along_n, {});
  EXPECT_EQ(Values<uint32_t>(awq.front().bytes).front(), 0x75316420U);

  quant::QuantizedLinear along_k = along_n;
  for (size_t i = 0; i < along_k.codes.size(); ++i) along_k.codes[i] = static_cast<uint8_t>(i % 8);
  for (const FormatKind format : {FormatKind::kGptq, FormatKind::kCompressedTensors}) {
    const auto tensors = Encode(format, Info(16, 64), along_k, {});
    EXPECT_EQ(Values<uint32_t>(tensors.front().bytes).front(), 0x76543210U);
  }
}

TEST(OtherFormatsTest, GptqsFirstVersionStoresZeroPointsLessOne) {
  quant::QuantizedLinear linear = SmallLinear(FormatKind::kGptq);
  std::fill(linear.zeros.begin(), linear.zeros.end(), uint8_t{8});
  const auto zeros = [&](FormatKind format) {
    return Values<uint32_t>(Encode(format, Info(16, 64), linear, {})[1].bytes).front();
  };
  EXPECT_EQ(zeros(FormatKind::kGptq), 0x77777777U);
  EXPECT_EQ(zeros(FormatKind::kGptqV2), 0x88888888U);
  EXPECT_EQ(Obstacle(FormatKind::kGptq, linear), "");
  linear.zeros[5] = 0;
  EXPECT_THAT(Obstacle(FormatKind::kGptq, linear), HasSubstr("zero point of 0"));
  EXPECT_EQ(Obstacle(FormatKind::kGptqV2, linear), "");
}

TEST(OtherFormatsTest, SymmetricCompressedTensorsHaveNoZeroPoints) {
  constexpr FormatKind kFormat = FormatKind::kCompressedTensors;
  quant::QuantizedLinear linear = SmallLinear(kFormat);
  EXPECT_FALSE(quant::IsSymmetric(linear));
  std::ranges::fill(linear.zeros, uint8_t{8});
  ASSERT_TRUE(quant::IsSymmetric(linear));
  std::vector<PackedTensor> tensors = Encode(kFormat, Info(16, 64), linear, {.symmetric = true});
  EXPECT_EQ(tensors.size(), 3U);
  const auto read = [&] {
    const testing::LayerFolder folder(kFormat, tensors, {.group_size = 32, .symmetric = true});
    const model::Checkpoint checkpoint = folder.Open();
    const PackedLayers packed(checkpoint);
    EXPECT_TRUE(packed.config()->symmetric);
    return quant::Unpack(quant::Copy(packed.Read(Info(16, 64))), kModule);
  };
  EXPECT_EQ(read().zeros, linear.zeros);
  EXPECT_EQ(read().codes, linear.codes);
  EXPECT_EQ(read().scales, linear.scales);
  // Zero points that contradict the config.
  linear.zeros[3] = 7;
  tensors = Encode(kFormat, Info(16, 64), linear, {});
  const Error error = ErrorOf(read);
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.parts().where, HasSubstr("weight_zero_point"));
  EXPECT_EQ(error.parts().found, "7");
}

TEST(OtherFormatsTest, GptqHoldsThreeBitsAcrossWords) {
  quant::QuantizedLinear linear = SmallLinear(FormatKind::kGptqV2);
  linear.bits = 3;
  linear.out_features = 32;
  linear.codes.assign(32 * 64, 0);
  for (size_t i = 0; i < linear.codes.size(); ++i) {
    linear.codes[i] = static_cast<uint8_t>((5 * i + i / 64) % 8);
  }
  linear.zeros.assign(32 * 2, 3);
  linear.scales.assign(32 * 2, FloatToHalf(0.5F));
  const auto tensors = Encode(FormatKind::kGptqV2, Info(32, 64), linear, {});
  const testing::LayerFolder folder(FormatKind::kGptqV2, tensors);
  model::Checkpoint checkpoint = folder.Open();
  EXPECT_EQ(tensors.front().spec.shape, (std::vector<int64_t>{6, 32}));
  // Value 10 of a row begins at bit 30 of the first word.
  const auto words = Values<uint32_t>(tensors.front().bytes);
  const uint32_t value = words[0] >> 30U | (words[32] & 1U) << 2U;
  EXPECT_EQ(value, linear.codes[10]);
}

TEST(OtherFormatsTest, WhatALayoutCannotHoldIsNamed) {
  const quant::QuantizedLinear rotated = SmallLinear(FormatKind::kParoquant);
  quant::QuantizedLinear scaled = SmallLinear(FormatKind::kAwq);
  scaled.channel_scales[3] = FloatToHalf(2.0F);
  quant::QuantizedLinear two_bits = SmallLinear(FormatKind::kAwq);
  two_bits.bits = 2;
  for (const FormatKind format : kPackedFormats) {
    if (format == FormatKind::kParoquant) continue;
    SCOPED_TRACE(FormatName(format));
    EXPECT_THAT(Obstacle(format, rotated), HasSubstr("rotations"));
    const bool ordered = format != FormatKind::kAwq;
    EXPECT_EQ(Obstacle(format, OrderedLinear(format)).empty(), ordered);
    EXPECT_THAT(Obstacle(format, scaled), HasSubstr("channel scales"));
    const bool gptq = format == FormatKind::kGptq || format == FormatKind::kGptqV2;
    EXPECT_EQ(Obstacle(format, two_bits).empty(), gptq);
  }
  EXPECT_EQ(Obstacle(FormatKind::kParoquant, rotated), "");
  EXPECT_THAT(Obstacle(FormatKind::kParoquant, OrderedLinear(FormatKind::kParoquant)),
              HasSubstr("act order"));
}

TEST(OtherFormatsTest, ChannelsInAnotherOrderAreRefused) {
  struct Layout {
    FormatKind format;
    const char* groups;
    const char* key;
  };
  for (const auto& [format, groups, key] :
       std::vector<Layout>{{FormatKind::kGptq, "g_idx", "desc_act"},
                           {FormatKind::kCompressedTensors, "weight_g_idx", "actorder"}}) {
    const std::vector<PackedTensor> ordered =
        Encode(format, Info(16, 64), OrderedLinear(format), {.act_order = true});
    const testing::LayerFolder folder(format, ordered);  // whose config knows of no order
    const model::Checkpoint checkpoint = folder.Open();
    const Error error = ErrorOf([&] { PackedLayers(checkpoint).Read(Info(16, 64)); });
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.parts().where, HasSubstr(kModule + std::string(".") + groups));
    EXPECT_THAT(error.parts().hint, HasSubstr(key));
  }
}

// W = scale[group of k] * (code - zero[group of k]), computed from the tensors of GPTQ.
TEST(OtherFormatsTest, GroupsOfChannelsThatAreNoNeighboursAreRead) {
  const quant::QuantizedLinear written = OrderedLinear(FormatKind::kGptqV2);
  const auto tensors = Encode(FormatKind::kGptqV2, Info(16, 64), written, {});
  const auto codes = Values<uint32_t>(tensors[0].bytes);
  const auto zeros = Values<uint32_t>(tensors[1].bytes);
  const auto scales = Values<uint16_t>(tensors[2].bytes);
  const auto groups = Values<int32_t>(tensors[3].bytes);
  const Matrix weight = quant::EffectiveWeight(written);
  for (size_t n = 0; n < 16; ++n) {
    for (size_t k = 0; k < 64; ++k) {
      const auto group = static_cast<size_t>(groups[k]);
      const uint32_t code = codes[k / 8 * 16 + n] >> (k % 8 * 4) & 15U;
      const uint32_t zero = zeros[group * 2 + n / 8] >> (n % 8 * 4) & 15U;
      const float difference = static_cast<float>(code) - static_cast<float>(zero);
      EXPECT_EQ(weight(static_cast<int64_t>(n), static_cast<int64_t>(k)),
                HalfToFloat(scales[group * 16 + n]) * difference);
    }
  }
}

TEST(OtherFormatsTest, AnOrderOfChannelsIsReadAsItWasWritten) {
  for (const FormatKind format :
       {FormatKind::kGptq, FormatKind::kGptqV2, FormatKind::kCompressedTensors}) {
    SCOPED_TRACE(FormatName(format));
    const quant::QuantizedLinear written = OrderedLinear(format);
    std::vector<PackedTensor> tensors = Encode(format, Info(16, 64), written, {.act_order = true});
    const auto read = [&] {
      const testing::LayerFolder folder(format, tensors, {.group_size = 32, .act_order = true});
      const model::Checkpoint checkpoint = folder.Open();
      return quant::Unpack(quant::Copy(PackedLayers(checkpoint).Read(Info(16, 64))), kModule);
    };
    const quant::QuantizedLinear found = read();
    EXPECT_EQ(found.order, written.order);
    EXPECT_EQ(found.codes, written.codes);
    EXPECT_EQ(found.zeros, written.zeros);
    // A group that there is not, groups of several sizes, no groups.
    auto& groups = tensors.back().bytes;
    groups[0] = std::byte{2};
    Error error = ErrorOf(read);
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.parts().found, HasSubstr("group 2"));
    groups[0] = std::byte{0};
    error = ErrorOf(read);
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.parts().found, HasSubstr("33 in group 0"));
    tensors.pop_back();
    EXPECT_EQ(ErrorOf(read).kind(), ErrorKind::kInput);
  }
}

// What compressed-tensors has where no order was made.
TEST(OtherFormatsTest, GroupsThatAreAllMinusOneAreNone) {
  constexpr FormatKind kFormat = FormatKind::kCompressedTensors;
  std::vector<PackedTensor> tensors =
      Encode(kFormat, Info(16, 64), SmallLinear(kFormat), {.act_order = true});
  std::ranges::fill(tensors.back().bytes, std::byte{0xFF});
  const testing::LayerFolder folder(kFormat, tensors, {.group_size = 32, .act_order = true});
  const model::Checkpoint checkpoint = folder.Open();
  EXPECT_TRUE(PackedLayers(checkpoint).Read(Info(16, 64)).order.empty());
}

TEST(OtherFormatsTest, ChannelsThatFillNoWholeWordsAreRefused) {
  StoredLayer layer = GoodLayer(FormatKind::kGptqV2);
  layer.at("qweight").shape = {16, 8};  // of 40 channels there are no whole words of 2 bits
  layer.at("qweight").bytes.resize(size_t{16} * 8 * 4);
  const testing::LayerFolder folder(FormatKind::kGptqV2, layer, {.bits = 2, .group_size = 8});
  const model::Checkpoint checkpoint = folder.Open();
  const PackedLayers packed(checkpoint);
  const Error error = ErrorOf([&] { packed.Read(Info(16, 40)); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.parts().found, HasSubstr("40 channels of 2 bits"));
  quant::QuantizedLinear linear = SmallLinear(FormatKind::kGptqV2);
  linear.bits = 3;
  linear.in_features = 328;
  EXPECT_THAT(Obstacle(FormatKind::kGptqV2, linear), HasSubstr("no whole words"));
}

TEST(OtherFormatsTest, GptqsFirstVersionRefusesAZeroPointThatEnginesReadDifferently) {
  StoredLayer layer = GoodLayer(FormatKind::kGptq);
  layer.at("qzeros").bytes[0] = std::byte{0xFF};
  const Error error = ReadError(FormatKind::kGptq, layer);
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.parts().where, HasSubstr("qzeros"));
}

// Each layout's own way to say which modules stay in 16 bits.
TEST(OtherFormatsTest, KeptModulesAreThoseThatTheListMeans) {
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
TEST(OtherFormatsTest, KeptModulesAreListedUnderTheirJoinedNames) {
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
TEST(OtherFormatsTest, QuantizedModulesAreListedWhereBlocksAreAlike) {
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

TEST(OtherFormatsTest, ScalesOfOtherTypesMustBeExact) {
  StoredLayer layer = GoodLayer(FormatKind::kAwq);
  auto& scales = layer.at("scales");
  const auto halves = Values<uint16_t>(scales.bytes);
  std::vector<float> floats;
  for (const uint16_t half : halves) floats.push_back(HalfToFloat(half));
  scales.dtype = io::DType::kF32;
  const auto store = [&] {
    const auto bytes = std::as_bytes(std::span(floats));
    scales.bytes.assign(bytes.begin(), bytes.end());
  };
  store();
  EXPECT_EQ(ReadLayer(FormatKind::kAwq, layer).scales, SmallLinear(FormatKind::kAwq).scales);
  floats[2] = 0.1F;
  store();
  const Error error = ReadError(FormatKind::kAwq, layer);
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(error.parts().found, HasSubstr("element 2"));
}

TEST(OtherFormatsTest, SizesThatDoNotFitAreNamed) {
  struct Damage {
    FormatKind format;
    const char* tensor;
    std::vector<int64_t> shape;
  };
  for (const Damage& damage :
       std::vector<Damage>{{FormatKind::kAwq, "qweight", {63, 2}},
                           {FormatKind::kAwq, "qzeros", {1, 2}},
                           {FormatKind::kAwq, "scales", {16, 2}},
                           {FormatKind::kGptq, "qweight", {8, 15}},
                           {FormatKind::kGptq, "qzeros", {2, 1}},
                           {FormatKind::kGptq, "g_idx", {63}},
                           {FormatKind::kCompressedTensors, "weight_packed", {16, 7}},
                           {FormatKind::kCompressedTensors, "weight_scale", {2, 16}},
                           {FormatKind::kCompressedTensors, "weight_shape", {1}},
                           {FormatKind::kCompressedTensors, "weight_zero_point", {2, 1}}}) {
    SCOPED_TRACE(damage.tensor);
    StoredLayer layer = GoodLayer(damage.format);
    auto& tensor = layer.at(damage.tensor);
    size_t size = io::DTypeSize(tensor.dtype);
    for (const int64_t extent : damage.shape) size *= static_cast<size_t>(extent);
    tensor.shape = damage.shape;
    tensor.bytes.resize(size);
    const Error error = ReadError(damage.format, layer);
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.parts().where, HasSubstr(kModule + std::string(".") + damage.tensor));
  }
  StoredLayer layer = GoodLayer(FormatKind::kCompressedTensors);
  layer.at("weight_shape").bytes[0] = std::byte{15};
  EXPECT_THAT(ReadError(FormatKind::kCompressedTensors, layer).parts().found, HasSubstr("15, 64"));
}

// Every tensor of the engines' own packers, read and written again.
TEST(OtherFormatsTest, GoldenTensorsAreWrittenAgainByteForByte) {
  for (const auto& [name, format] : {std::pair("awq", FormatKind::kAwq),
                                     {"gptq", FormatKind::kGptq},
                                     {"compressed-tensors", FormatKind::kCompressedTensors},
                                     {"paroquant", FormatKind::kParoquant}}) {
    SCOPED_TRACE(name);
    const auto checkpoint = model::Checkpoint::Open(GoldenPath("packed") / name);
    const PackedLayers packed(checkpoint);
    ASSERT_TRUE(packed.config().has_value());
    EXPECT_EQ(packed.format(), format);
    for (int64_t layer = 0; layer < checkpoint.architecture().layers; ++layer) {
      for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
        const auto linear = quant::Unpack(quant::Copy(packed.Read(info)), info.name);
        for (const PackedTensor& tensor : Encode(format, info, linear, {})) {
          const io::TensorView& golden = checkpoint.tensors().Get(tensor.spec.name);
          EXPECT_EQ(golden.shape, tensor.spec.shape) << tensor.spec.name;
          EXPECT_TRUE(std::equal(golden.bytes.begin(), golden.bytes.end(), tensor.bytes.begin(),
                                 tensor.bytes.end()))
              << tensor.spec.name;
        }
      }
    }
  }
}

TEST(OtherFormatsTest, SettingsThatAreNotHandledAreNamed) {
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
  }
}

TEST(OtherFormatsTest, SettingsOfTheWrongKindAreNamed) {
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

TEST(OtherFormatsTest, SettingsAreReadAsTheyWereWritten) {
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
