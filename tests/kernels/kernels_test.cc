// Every kernel of every instruction set that the machine has, against a plain loop in double.
#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/rng.h"
#include "paroquant/kernels/instruction_set.h"

namespace paroquant::kernels {
namespace {

std::vector<float> RandomFloats(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(2 * rng.Uniform() - 1);
  // What arithmetic treats apart: zeros of both signs and subnormals.
  for (size_t i = 3; i < values.size(); i += 17) values[i] = i % 2 == 0 ? -0.0F : 1e-41F;
  return values;
}

class KernelsTest : public ::testing::TestWithParam<std::string> {
 protected:
  KernelsTest() : before_(ActiveInstructionSet()) { SelectInstructionSet(GetParam().c_str()); }
  ~KernelsTest() override { SelectInstructionSet(before_.c_str()); }

  const Kernels& run() const { return ActiveKernels(); }

 private:
  std::string before_;
};

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelsTest,
                         ::testing::ValuesIn(SupportedInstructionSets()),
                         [](const auto& set) { return set.param; });

// A tile of some rows, of tiles `columns` wide, with every number of rows.
template <typename Element, typename Multiply>
void CheckTiles(int64_t columns, double error, const Multiply& multiply) {
  const auto random = [](int64_t count, uint64_t seed) {
    const std::vector<float> floats = RandomFloats(count, seed);
    return std::vector<Element>(floats.begin(), floats.end());
  };
  const int64_t stride = columns + 5;
  for (const int64_t k : {0, 1, 2, 7, 256}) {
    const std::vector<Element> slab = random(k * kTileRows + 1, 1);  // nowhere is no place
    const std::vector<Element> strip = random(k * columns + 1, 2);
    for (int64_t rows = 1; rows <= kTileRows; ++rows) {
      const std::vector<Element> before = random((kTileRows + 1) * stride, 3);
      std::vector<Element> c = before;
      multiply(rows, k, slab.data(), strip.data(), c.data(), stride);
      for (int64_t i = 0; i < std::ssize(c); ++i) {
        double expected = before[static_cast<size_t>(i)];
        const int64_t row = i / stride;
        const int64_t column = i % stride;
        if (row < rows && column < columns) {
          for (int64_t j = 0; j < k; ++j) {
            expected += static_cast<double>(slab[static_cast<size_t>(j * kTileRows + row)]) *
                        static_cast<double>(strip[static_cast<size_t>(j * columns + column)]);
          }
        }
        ASSERT_NEAR(c[static_cast<size_t>(i)], expected, error * static_cast<double>(k + 1))
            << k << " " << rows << " " << row << " " << column;
      }
    }
  }
}

TEST_P(KernelsTest, MultipliesTilesOfAnyNumberOfRows) {
  CheckTiles<float>(kTileColumns, 1e-6, run().multiply_tile);
}

TEST_P(KernelsTest, MultipliesTilesInDouble) {
  CheckTiles<double>(kDoubleTileColumns, 1e-15, run().multiply_double_tile);
}

TEST_P(KernelsTest, InterleavesRows) {
  for (const int64_t width : {kTileRows, kTileColumns}) {
    for (const int64_t depth : {1, 3, 4, 6, 33}) {
      const int64_t stride = depth + 2;
      const std::vector<float> rows = RandomFloats(width * stride, 4);
      std::vector<float> packed(static_cast<size_t>(width * depth + 1), 7.0F);
      run().interleave_rows(rows.data(), stride, depth, width, packed.data());
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t row = 0; row < width; ++row) {
          ASSERT_EQ(packed[static_cast<size_t>(k * width + row)],
                    rows[static_cast<size_t>(row * stride + k)]);
        }
      }
      EXPECT_EQ(packed.back(), 7.0F);
    }
  }
}

TEST_P(KernelsTest, AddsTilesInDouble) {
  const std::vector<float> tile = RandomFloats(kTileRows * kTileColumns, 5);
  constexpr int64_t kStride = 40;
  std::vector<double> sum(static_cast<size_t>(kTileRows * kStride), 0x1p30);
  run().add_tile(5, 19, tile.data(), sum.data(), kStride);
  for (int64_t i = 0; i < std::ssize(sum); ++i) {
    const bool inside = i / kStride < 5 && i % kStride < 19;
    const auto at = static_cast<size_t>(i / kStride * kTileColumns + i % kStride);
    ASSERT_EQ(sum[static_cast<size_t>(i)], 0x1p30 + (inside ? double{tile[at]} : 0.0));
  }
}

TEST_P(KernelsTest, DecodesEvery16BitFloatAtAnyAlignment) {
  constexpr int64_t kCount = 65536 + 5;
  std::vector<char> storage(2 * kCount + 1);
  for (int64_t i = 0; i < kCount; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    std::memcpy(storage.data() + 1 + 2 * i, &bits, 2);
  }
  std::vector<float> half(kCount);
  std::vector<float> brain(kCount);
  run().decode_half(storage.data() + 1, kCount, half.data());
  run().decode_bfloat16(storage.data() + 1, kCount, brain.data());
  for (size_t i = 0; i < half.size(); ++i) {
    const float expected = HalfToFloat(static_cast<uint16_t>(i));
    ASSERT_TRUE(std::isnan(expected)
                    ? std::isnan(half[i])
                    : std::bit_cast<uint32_t>(half[i]) == std::bit_cast<uint32_t>(expected))
        << i;
    ASSERT_EQ(std::bit_cast<uint32_t>(brain[i]), static_cast<uint32_t>(i) << 16);
  }
}

// A byte and then the values: as unaligned as can be.
template <typename Value>
std::vector<char> Shifted(const std::vector<Value>& values) {
  std::vector<char> bytes(1 + values.size() * sizeof(Value));
  if (!values.empty()) std::memcpy(bytes.data() + 1, values.data(), bytes.size() - 1);
  return bytes;
}

TEST_P(KernelsTest, DotProductsOfStoredFloats) {
  for (const int64_t count : {0, 1, 15, 16, 31, 32, 47, 64, 1000}) {
    const std::vector<float> x = RandomFloats(count, 6);
    const std::vector<float> w = RandomFloats(count, 7);
    std::vector<uint16_t> half;
    std::vector<uint16_t> brain;
    double expected[3] = {};
    for (size_t i = 0; i < w.size(); ++i) {
      half.push_back(FloatToHalf(w[i]));
      brain.push_back(FloatToBFloat16(w[i]));
      expected[0] += static_cast<double>(x[i]) * w[i];
      expected[1] += static_cast<double>(x[i]) * HalfToFloat(half[i]);
      expected[2] += static_cast<double>(x[i]) * BFloat16ToFloat(brain[i]);
    }
    EXPECT_NEAR(run().dot_float(Shifted(w).data() + 1, x.data(), count), expected[0], 1e-5);
    EXPECT_NEAR(run().dot_half(Shifted(half).data() + 1, x.data(), count), expected[1], 1e-5);
    EXPECT_NEAR(run().dot_bfloat16(Shifted(brain).data() + 1, x.data(), count), expected[2], 1e-5);
  }
}

// Nibbles of a word hold these columns of its eight, see quant::PackedLinear.
constexpr int kColumns[kNibbles] = {0, 2, 4, 6, 1, 3, 5, 7};

std::vector<uint32_t> RandomWords(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<uint32_t> words(static_cast<size_t>(count));
  for (uint32_t& word : words) word = static_cast<uint32_t>(rng.Below(uint64_t{1} << 32));
  return words;
}

uint32_t Nibble(uint32_t word, int64_t i) { return (word >> (4 * i)) & 15; }

TEST_P(KernelsTest, DecodesNibbles) {
  constexpr int64_t kWords = 5;
  const std::vector<uint32_t> words = RandomWords(kWords, 8);
  std::vector<float> zeros(kWords * kNibbles);
  for (size_t i = 0; i < zeros.size(); ++i) zeros[i] = static_cast<float>(i % 16);
  const std::vector<float> scales = RandomFloats(kWords * kNibbles, 9);
  std::vector<float> target(kWords * kNibbles);
  run().decode_nibbles(words.data(), std::ssize(target), zeros.data(), scales.data(),
                       target.data());
  for (int64_t w = 0; w < kWords; ++w) {
    for (int64_t i = 0; i < kNibbles; ++i) {
      const auto at = static_cast<size_t>(w * kNibbles + kColumns[i]);
      const auto code = static_cast<float>(Nibble(words[static_cast<size_t>(w)], i));
      EXPECT_EQ(target[at], (code - zeros[at]) * scales[at]);
    }
  }
}

TEST_P(KernelsTest, AddsProductsWithNibbles) {
  constexpr int64_t kRows = 8;
  constexpr int64_t kStride = 45;
  for (const int64_t words : {1, 4, 16, 19, 40}) {
    const std::vector<uint32_t> codes = RandomWords(kRows * kStride, 10);
    const std::vector<float> input = RandomFloats(kRows, 11);
    std::vector<float> sums(static_cast<size_t>(kNibbles * kStride), 0.5F);
    run().add_nibble_products(codes.data(), kStride, kRows, words, input.data(), sums.data(),
                              kStride);
    for (int64_t i = 0; i < std::ssize(sums); ++i) {
      double expected = 0.5;
      const auto nibble = std::ranges::find(kColumns, i / kStride) - std::begin(kColumns);
      for (int64_t row = 0; row < kRows && i % kStride < words; ++row) {
        const uint32_t word = codes[static_cast<size_t>(row * kStride + i % kStride)];
        expected += static_cast<double>(input[static_cast<size_t>(row)]) * Nibble(word, nibble);
      }
      ASSERT_NEAR(sums[static_cast<size_t>(i)], expected, 1e-5) << words << " " << i;
    }
  }
}

TEST_P(KernelsTest, RotatesPairsAndBack) {
  constexpr int64_t kChannels = 6;
  const std::vector<int16_t> first = {4, 0, 5};
  const std::vector<int16_t> second = {1, 3, 2};
  const std::vector<float> angles = {0.3F, -1.2F, 2.5F};
  std::vector<float> cosine;
  std::vector<float> sine;
  for (const float angle : angles) {
    cosine.push_back(std::cos(angle));
    sine.push_back(std::sin(angle));
  }
  const std::vector<float> start = RandomFloats(kChannels * kRotationLanes, 12);
  std::vector<float> tile = start;
  run().rotate_round(first.data(), second.data(), cosine.data(), sine.data(), 1, 3, tile.data());
  for (size_t pair = 0; pair < 3; ++pair) {
    for (int64_t lane = 0; lane < kRotationLanes; ++lane) {
      const auto a = static_cast<size_t>(first[pair] * kRotationLanes + lane);
      const auto b = static_cast<size_t>(second[pair] * kRotationLanes + lane);
      EXPECT_NEAR(tile[a], std::cos(angles[pair]) * start[a] + std::sin(angles[pair]) * start[b],
                  1e-6);
      EXPECT_NEAR(tile[b], std::cos(angles[pair]) * start[b] - std::sin(angles[pair]) * start[a],
                  1e-6);
    }
  }
  run().rotate_round(first.data(), second.data(), cosine.data(), sine.data(), -1, 3, tile.data());
  for (size_t i = 0; i < tile.size(); ++i) EXPECT_NEAR(tile[i], start[i], 1e-6);
}

// Instruction sets with fused multiply-adds give the same bits, so that results do not depend on
// which of two machines computes them.
TEST(InstructionSetTest, FusedKernelsAgreeToTheBit) {
  const std::vector<std::string> names = SupportedInstructionSets();
  if (std::ranges::count(names, "avx512") == 0) GTEST_SKIP() << "this machine has no AVX-512";
  constexpr int64_t kDepth = 300;
  const std::vector<float> slab = RandomFloats(kDepth * kTileRows, 13);
  const std::vector<float> strip = RandomFloats(kDepth * kTileColumns, 14);
  const std::vector<uint32_t> codes = RandomWords(8 * kTileColumns, 15);
  const auto results = [&](const char* name) {
    SelectInstructionSet(name);
    std::vector<float> c(static_cast<size_t>(kTileRows * kTileColumns + 8 * kTileColumns + 1));
    std::vector<float> tile(slab.begin(), slab.begin() + 4 * kRotationLanes);
    const Kernels& run = ActiveKernels();
    run.multiply_tile(kTileRows, kDepth, slab.data(), strip.data(), c.data(), kTileColumns);
    float* rest = c.data() + kTileRows * kTileColumns;
    run.add_nibble_products(codes.data(), kTileColumns, 8, kTileColumns, slab.data(), rest,
                            kTileColumns);
    run.add_nibble_products(codes.data(), kTileColumns, 8, 19, strip.data(), rest, kTileColumns);
    const int16_t first[] = {0, 3};
    const int16_t second[] = {2, 1};
    run.rotate_round(first, second, strip.data(), strip.data() + 7, 1, 2, tile.data());
    c.insert(c.begin(), tile.begin(), tile.end());
    const std::vector<double> wide_slab(slab.begin(), slab.end());
    const std::vector<double> wide_strip(strip.begin(), strip.end());
    std::vector<double> wide(static_cast<size_t>(kTileRows * kDoubleTileColumns));
    run.multiply_double_tile(kTileRows, kDepth, wide_slab.data(), wide_strip.data(), wide.data(),
                             kDoubleTileColumns);
    c.back() = run.dot_float(slab.data(), strip.data(), 1234);
    return std::pair(c, wide);
  };
  const std::string before = ActiveInstructionSet();
  EXPECT_EQ(results("avx512"), results("avx2"));
  SelectInstructionSet(before.c_str());
}

}  // namespace
}  // namespace paroquant::kernels
