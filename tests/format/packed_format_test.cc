#include "paroquant/format/packed_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "paroquant/quant/packing.h"
#include "tests/format/fixtures.h"
#include "tests/quant/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::format {
namespace {

using io::DType;
using paroquant::testing::ErrorOf;
using quant::testing::RandomQuantizedLinear;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::GoodLayer;
using ::testing::HasSubstr;
using testing::Info;
using testing::kModule;
using testing::kPackedFormats;
using testing::LayerFolder;
using testing::ReadError;
using testing::ReadLayer;
using testing::StoredLayer;
using testing::StoredTensor;

TEST(QuantizationConfigTest, IsReadAsItWasWritten) {
  EXPECT_FALSE(ParseQuantizationConfig({{"model_type", "llama"}}, "config.json").has_value());
  const io::Json config =
      WithQuantizationConfig({{"b", 1}, {"a", 2}}, {.bits = 3, .group_size = 64, .rotations = 5},
                             {.quantized = {}, .kept = {"lm_head"}});
  EXPECT_EQ(config.dump(),
            R"({"b":1,"a":2,"quantization_config":{"quant_method":"paroquant","bits":3,)"
            R"("group_size":64,"krot":5}})");
  const auto found = ParseQuantizationConfig(config, "config.json");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->bits, 3);
  EXPECT_EQ(found->group_size, 64);
  EXPECT_EQ(found->rotations, 5);
}

TEST(QuantizationConfigTest, AnOldOneIsReplacedAndGoesLast) {
  const io::Json config = WithQuantizationConfig(
      {{"quantization_config", {{"quant_method", "awq"}, {"zero_point", true}}}, {"a", 2}}, {}, {});
  std::vector<std::string> keys;
  for (const auto& [key, value] : config.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("a", "quantization_config"));
  EXPECT_FALSE(config.at("quantization_config").contains("zero_point"));
}

TEST(QuantizationConfigTest, BadValuesNameTheirKey) {
  const io::Json good =
      WithQuantizationConfig(io::Json::object(), {}, {}).at("quantization_config");
  struct BadValue {
    const char* key;
    io::Json value;
  };
  const std::vector<BadValue> cases = {{"quant_method", nullptr},
                                       {"quant_method", 4},
                                       {"bits", nullptr},
                                       {"bits", "4"},
                                       {"bits", 1},
                                       {"bits", 5},
                                       {"bits", 6},
                                       {"bits", 16},
                                       {"bits", (int64_t{1} << 32) + 4},
                                       {"group_size", -1},
                                       {"group_size", 0},
                                       {"group_size", 63},
                                       {"krot", -1},
                                       {"krot", 1.5},
                                       {"krot", nullptr}};
  for (const BadValue& c : cases) {
    io::Json settings = good;
    settings[c.key] = c.value;
    SCOPED_TRACE(settings.dump());
    const Error error = ErrorOf([&] {
      ParseQuantizationConfig({{"quantization_config", settings}}, "config.json");
    });
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.parts().where, std::string("config.json: quantization_config: ") + c.key);
  }
  EXPECT_EQ(ErrorOf([] {
              ParseQuantizationConfig({{"quantization_config", 4}}, "f");
            }).kind(),
            ErrorKind::kInput);
}

TEST(QuantizationConfigTest, OtherMethodsAreRefusedByName) {
  const Error error = ErrorOf([] {
    ParseQuantizationConfig({{"quantization_config", {{"quant_method", "exl3"}}}}, "config.json");
  });
  EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(error.parts().where, "config.json: quantization_config: quant_method");
  EXPECT_THAT(error.what(), HasSubstr("exl3"));
}

struct LayerCase {
  int bits;
  int64_t out_features;
  int64_t in_features;
  int group_size;
};

class PackedLayerTest : public ::testing::TestWithParam<LayerCase> {};

INSTANTIATE_TEST_SUITE_P(Shapes, PackedLayerTest,
                         ::testing::Values(LayerCase{4, 24, 256, 128}, LayerCase{4, 8, 64, 32},
                                           LayerCase{2, 32, 128, 64}, LayerCase{3, 32, 128, 128},
                                           LayerCase{8, 12, 96, 32}));

// Bits and group size are nowhere but in the shapes of the tensors.
TEST_P(PackedLayerTest, IsReadAsItWasWritten) {
  const LayerCase& c = GetParam();
  const quant::QuantizedLinear linear =
      RandomQuantizedLinear(c.out_features, c.in_features, c.bits, c.group_size, 1);
  const model::LinearInfo info = Info(c.out_features, c.in_features);
  const LayerFolder folder(FormatKind::kParoquant,
                           Encode(FormatKind::kParoquant, info, linear, {}));
  const model::Checkpoint checkpoint = folder.Open();
  const PackedLayers packed(checkpoint);
  EXPECT_TRUE(packed.Has(info));
  EXPECT_FALSE(packed.Has({.name = "model.layers.0.mlp"}));
  const quant::PackedView view = packed.Read(info);
  EXPECT_EQ(view.bits, c.bits);
  EXPECT_EQ(view.group_size, c.group_size);
  EXPECT_EQ(view.rotation.rounds, 8);
  const quant::QuantizedLinear found = quant::Unpack(quant::Copy(view), kModule);
  EXPECT_EQ(found.codes, linear.codes);
  EXPECT_EQ(found.zeros, linear.zeros);
  EXPECT_EQ(found.scales, linear.scales);
  EXPECT_EQ(found.channel_scales, linear.channel_scales);
  EXPECT_EQ(found.rotation.pairs, linear.rotation.pairs);
  EXPECT_EQ(found.rotation.theta, linear.rotation.theta);
}

// Another shape; the bytes are made to fit it.
void Reshape(StoredTensor& tensor, std::vector<int64_t> shape) {
  size_t size = io::DTypeSize(tensor.dtype);
  for (const int64_t extent : shape) size *= static_cast<size_t>(extent);
  tensor.shape = std::move(shape);
  tensor.bytes.resize(size);
}

void SetHalf(StoredTensor& tensor, size_t index, uint16_t bits) {
  tensor.bytes[2 * index] = static_cast<std::byte>(bits & 0xFFU);
  tensor.bytes[2 * index + 1] = static_cast<std::byte>(bits >> 8U);
}

TEST(SpoiltLayerTest, TheTensorThatDoesNotFitIsNamed) {
  struct Damage {
    const char* tensor;
    std::function<void(StoredTensor&)> spoil;
    const char* found;
  };
  const auto shape = [](std::vector<int64_t> extents) {
    return [extents](StoredTensor& tensor) { Reshape(tensor, extents); };
  };
  const auto dtype = [](DType other) { return [other](StoredTensor& t) { t.dtype = other; }; };
  const std::vector<Damage> damages = {
      {"qweight", dtype(DType::kU32), "U32"},
      {"qweight", shape({64, 3}), "3 words a row"},
      {"qweight", shape({63, 2}), "[63, 2]"},
      {"qweight", shape({128}), "[128]"},
      {"qweight", shape({0, int64_t{1} << 61}), "2305843009213693952 words a row"},
      {"qzeros", dtype(DType::kF32), "F32"},
      {"qzeros", shape({0, 2}), "0 rows"},
      {"qzeros", shape({3, 2}), "3 rows"},
      {"qzeros", shape({64, 2}), "64 rows"},
      {"qzeros", shape({2, 1}), "[2, 1]"},
      {"scales", dtype(DType::kBF16), "BF16"},
      {"scales", shape({16, 2}), "[16, 2]"},
      {"theta", dtype(DType::kI16), "I16"},
      {"theta", shape({8, 64}), "[8, 64]"},
      {"theta", shape({7, 32}), nullptr},
      {"theta", [](StoredTensor& t) { SetHalf(t, 5, 0x7E00); }, "not finite at element 5"},
      {"pairs", dtype(DType::kF16), "F16"},
      {"pairs", shape({8, 32}), "[8, 32]"},
      {"pairs", [](StoredTensor& t) { SetHalf(t, 3, 32); }, "no permutation"},
      {"pairs", [](StoredTensor& t) { SetHalf(t, 3, 0xFFFF); }, "no permutation"},
      {"channel_scales", dtype(DType::kI16), "I16"},
      {"channel_scales", shape({64, 1}), "[64, 1]"},
      {"channel_scales", shape({64}), "[64]"},
  };
  const StoredLayer good = GoodLayer(FormatKind::kParoquant);
  for (const Damage& damage : damages) {
    StoredLayer layer = good;
    damage.spoil(layer.at(damage.tensor));
    const Error error = ReadError(FormatKind::kParoquant, layer);
    SCOPED_TRACE(error.what());
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    if (damage.found == nullptr) {
      EXPECT_THAT(error.parts().where, HasSubstr(kModule));
      continue;
    }
    EXPECT_THAT(error.parts().where,
                EndsWith(std::string("tensor \"") + kModule + "." + damage.tensor + "\""));
    EXPECT_THAT(error.parts().found, HasSubstr(damage.found));
  }
}

TEST(SpoiltLayerTest, MissingTensorsAreNamed) {
  for (const FormatKind format : kPackedFormats) {
    const StoredLayer good = GoodLayer(format);
    ReadLayer(format, good);
    for (const auto& [suffix, tensor] : good) {
      if (suffix == "g_idx") continue;
      StoredLayer layer = good;
      layer.erase(suffix);
      const Error error = ReadError(format, layer);
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << suffix;
      EXPECT_THAT(error.parts().expected, HasSubstr(kModule + ("." + suffix)));
    }
  }
}

}  // namespace
}  // namespace paroquant::format
