// Act order: groups of channels that are no neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"
#include "tests/format/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::format {
namespace {

using paroquant::testing::ErrorOf;
using ::testing::HasSubstr;
using testing::Info;
using testing::kModule;
using testing::OrderedLinear;
using testing::SmallLinear;
using testing::Values;

TEST(ChannelOrderTest, ChannelsInAnotherOrderAreRefused) {
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
TEST(ChannelOrderTest, GroupsOfChannelsThatAreNoNeighboursAreRead) {
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

TEST(ChannelOrderTest, AnOrderOfChannelsIsReadAsItWasWritten) {
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

// transformers, optimum and GPTQModel take "desc_act" for false where it is not there, and a
// missing g_idx for k/g. With "desc_act" they would read that into codes of another order: refused,
// above.
TEST(ChannelOrderTest, WithoutGroupsChannelsAreInOrder) {
  const quant::QuantizedLinear written = SmallLinear(FormatKind::kGptq);
  std::vector<PackedTensor> tensors = Encode(FormatKind::kGptq, Info(16, 64), written, {});
  ASSERT_TRUE(tensors.back().spec.name.ends_with(".g_idx"));
  tensors.pop_back();
  const testing::LayerFolder folder(FormatKind::kGptq, tensors);  // "desc_act": false
  const model::Checkpoint checkpoint = folder.Open();
  const auto found =
      quant::Unpack(quant::Copy(PackedLayers(checkpoint).Read(Info(16, 64))), kModule);
  EXPECT_TRUE(found.order.empty());
  EXPECT_EQ(found.codes, written.codes);
  const io::Json unset = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 128}};
  EXPECT_FALSE(ParseQuantizationConfig({{"quantization_config", unset}}, "config.json")->act_order);
}

// What compressed-tensors has where no order was made.
TEST(ChannelOrderTest, GroupsThatAreAllMinusOneAreNone) {
  constexpr FormatKind kFormat = FormatKind::kCompressedTensors;
  std::vector<PackedTensor> tensors =
      Encode(kFormat, Info(16, 64), SmallLinear(kFormat), {.act_order = true});
  std::ranges::fill(tensors.back().bytes, std::byte{0xFF});
  const testing::LayerFolder folder(kFormat, tensors, {.group_size = 32, .act_order = true});
  const model::Checkpoint checkpoint = folder.Open();
  EXPECT_TRUE(PackedLayers(checkpoint).Read(Info(16, 64)).order.empty());
}

}  // namespace
}  // namespace paroquant::format
