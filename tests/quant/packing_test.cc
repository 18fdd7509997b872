#include "paroquant/quant/packing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"
#include "tests/quant/fixtures.h"
#include "tests/quant/golden_tensors.h"

namespace paroquant::quant {
namespace {

// One group of channels whose first codes are the columns' numbers.
QuantizedLinear NumberedColumns(int bits, int64_t columns) {
  QuantizedLinear linear = testing::RandomQuantizedLinear(columns, 32, bits, 32, 1);
  for (size_t column = 0; column < static_cast<size_t>(columns); ++column) {
    linear.codes[column * 32] = static_cast<uint8_t>(column & ((1U << bits) - 1));
  }
  return linear;
}

TEST(PackingTest, WordsHaveTheOrderOfTheFormat) {
  EXPECT_EQ(Pack(NumberedColumns(4, 8), "layer").qweight[0], 0x75316420U);
  EXPECT_EQ(Pack(NumberedColumns(8, 4), "layer").qweight[0], 0x03020100U);
  EXPECT_EQ(Pack(NumberedColumns(2, 16), "layer").qweight[0], 0xE4E4E4E4U);
  // 0, 1, ..., 7 in three bits each are the octal digits of 0o76543210, 24 bits.
  const PackedLinear three = Pack(NumberedColumns(3, 32), "layer");
  EXPECT_EQ(three.qweight[0], 076543210U | (0U << 24) | (1U << 27) | (2U << 30));
  EXPECT_EQ(three.qweight[1] & 0xFFFFU, 0xFFFFU & (076543210U >> 8));
}

TEST(PackingTest, UnpackingLosesNothing) {
  for (const int bits : {2, 3, 4, 8}) {
    const QuantizedLinear linear = testing::RandomQuantizedLinear(96, 256, bits, 64, 5);
    const QuantizedLinear back = Unpack(Pack(linear, "layer"), "layer");
    EXPECT_EQ(back.codes, linear.codes) << bits;
    EXPECT_EQ(back.zeros, linear.zeros);
    EXPECT_EQ(back.scales, linear.scales);
    EXPECT_EQ(back.channel_scales, linear.channel_scales);
    EXPECT_EQ(back.rotation.pairs, linear.rotation.pairs);
    EXPECT_EQ(back.rotation.theta, linear.rotation.theta);
    EXPECT_EQ(back.rotation.rounds, linear.rotation.rounds);
  }
}

ErrorKind KindOfUnpacking(const PackedLinear& packed) {
  try {
    Unpack(packed, "layer");
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(PackingTest, RefusesTensorsThatDoNotFit) {
  const PackedLinear good = Pack(testing::RandomQuantizedLinear(32, 128, 4, 64, 5), "layer");
  const std::vector<void (*)(PackedLinear&)> damages = {
      [](PackedLinear& p) { p.qweight.pop_back(); },
      [](PackedLinear& p) { p.qzeros.clear(); },
      [](PackedLinear& p) { p.scales.push_back(1); },
      [](PackedLinear& p) { p.scales[0] = 0x7C00; },
      [](PackedLinear& p) { p.channel_scales[3] = 0x8001; },
      [](PackedLinear& p) { p.theta[0] = 0x7E00; },
      [](PackedLinear& p) { p.pairs[0] = p.pairs[1]; },
      [](PackedLinear& p) { p.pairs[0] = -1; },
      [](PackedLinear& p) { p.rounds = 1 << 30; },
      [](PackedLinear& p) { p.rounds = -1; },
      [](PackedLinear& p) { p.out_features = int64_t{1} << 62; },
      [](PackedLinear& p) { p.in_features = -128; },
      [](PackedLinear& p) { p.group_size = 0; },
      [](PackedLinear& p) { p.group_size = -64; },
      [](PackedLinear& p) { p.bits = 5; },
      [](PackedLinear& p) { p.bits = 0; }};
  for (size_t i = 0; i < damages.size(); ++i) {
    PackedLinear packed = good;
    damages[i](packed);
    EXPECT_EQ(KindOfUnpacking(packed), ErrorKind::kInput) << "damage " << i;
  }
}

TEST(PackingTest, RefusesOutputFeaturesThatFillNoWord) {
  const QuantizedLinear linear = testing::RandomQuantizedLinear(12, 32, 4, 32, 1);
  try {
    Pack(linear, "layer");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  }
}

// A layer of the golden checkpoint.
PackedLinear GoldenLayer(const std::string& name, int64_t out_features, int64_t in_features) {
  const testing::GoldenTensors file("packed/paroquant/model.safetensors");
  return {.out_features = out_features,
          .in_features = in_features,
          .bits = 4,
          .group_size = 128,
          .rounds = 8,
          .qweight = file.Values<uint32_t>(name + ".qweight"),
          .qzeros = file.Values<uint32_t>(name + ".qzeros"),
          .scales = file.Values<uint16_t>(name + ".scales"),
          .channel_scales = file.Values<uint16_t>(name + ".channel_scales"),
          .theta = file.Values<uint16_t>(name + ".theta"),
          .pairs = file.Values<int16_t>(name + ".pairs")};
}

TEST(PackingTest, ReadsAndRewritesTheReferenceCheckpoint) {
  const testing::GoldenTensors golden("packed/paroquant.golden.safetensors");
  for (const auto& [name, in_features] :
       {std::pair("model.layers.0.self_attn.q_proj", 128), {"model.layers.0.mlp.down_proj", 384}}) {
    const PackedLinear packed = GoldenLayer(name, 128, in_features);
    const QuantizedLinear linear = Unpack(packed, name);
    EXPECT_EQ(linear.codes, golden.Values<uint8_t>(std::string("q.") + name));
    EXPECT_EQ(linear.zeros, golden.Values<uint8_t>(std::string("zero.") + name));
    const PackedLinear again = Pack(linear, name);
    EXPECT_EQ(again.qweight, packed.qweight);
    EXPECT_EQ(again.qzeros, packed.qzeros);
    EXPECT_EQ(again.scales, packed.scales);
  }
}

TEST(DequantizeTest, EffectiveWeightIsTheReferenceCheckpoints) {
  const std::string name = "model.layers.0.self_attn.q_proj";
  const testing::GoldenTensors golden("packed/paroquant.golden.safetensors");
  const Matrix weight = EffectiveWeight(Unpack(GoldenLayer(name, 128, 128), name));
  EXPECT_TRUE(weight.isApprox(golden.Get<float>("weight_effective." + name), 1e-6F));
}

TEST(DequantizeTest, EffectiveWeightMeetsPlainActivationsAsTheCodesMeetRotatedOnes) {
  const QuantizedLinear linear = testing::RandomQuantizedLinear(24, 128, 4, 64, 1);
  const Matrix x = testing::RandomMatrix(9, 128, 2);
  const Vector channel_scales = ChannelScales(linear);
  Matrix rotated(x.rows(), x.cols());
  PreparedRotation<float>(linear.rotation).RotateRows(x, channel_scales.data(), rotated);
  const Matrix expected = rotated * Dequantize(linear).transpose();
  EXPECT_TRUE((x * EffectiveWeight(linear).transpose()).isApprox(expected, 1e-5F));
}

}  // namespace
}  // namespace paroquant::quant
