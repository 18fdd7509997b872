// AWQ, GPTQ and compressed-tensors against the packers of their engines and against what their
// loaders would do with other input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
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
using testing::OrderedLinear;
using testing::ReadError;
using testing::ReadLayer;
using testing::SmallLinear;
using testing::StoredLayer;
using testing::Values;

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

// The checkpoints that the engines' own packers wrote, read and written again.
TEST(OtherFormatsTest, GoldenCheckpointsAreRewrittenByteForByte) {
  for (const char* golden : {"paroquant", "awq", "gptq", "compressed-tensors"}) {
    SCOPED_TRACE(golden);
    const auto checkpoint = model::Checkpoint::Open(GoldenPath("packed") / golden);
    const PackedLayers packed(checkpoint);
    size_t rewritten = 0;
    for (int64_t layer = 0; layer < checkpoint.architecture().layers; ++layer) {
      for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
        const auto linear = quant::Unpack(quant::Copy(packed.Read(info)), info.name);
        for (const PackedTensor& tensor : Encode(packed.format(), info, linear, {})) {
          const io::TensorView& original = checkpoint.tensors().Get(tensor.spec.name);
          EXPECT_EQ(tensor.spec.dtype, original.dtype) << tensor.spec.name;
          EXPECT_EQ(tensor.spec.shape, original.shape) << tensor.spec.name;
          EXPECT_TRUE(std::ranges::equal(tensor.bytes, original.bytes)) << tensor.spec.name;
          ++rewritten;
        }
      }
    }
    const auto parts = std::ranges::count_if(checkpoint.tensors().tensors(),
                                             [](const auto& t) { return HasPackedSuffix(t.name); });
    EXPECT_EQ(static_cast<int64_t>(rewritten), parts);
  }
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

}  // namespace
}  // namespace paroquant::format
