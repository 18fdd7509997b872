#include "paroquant/nn/rope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <numbers>
#include <vector>

#include "tests/quant/fixtures.h"

namespace paroquant::nn {
namespace {

using model::RopeScaling;
using model::RopeSettings;
using quant::testing::RandomMatrix;

constexpr double kTwoPi = 2 * std::numbers::pi;

// theta_i = base^(-2 i / d), arXiv 2104.09864.
double PlainFrequency(double base, int64_t dim, int64_t i) {
  return 1 / std::pow(base, static_cast<double>(2 * i) / static_cast<double>(dim));
}

// Compares all frequencies with a formula of the channel pair i.
void ExpectFrequencies(const RopeSettings& rope, int64_t dim, int64_t length,
                       const std::function<double(int64_t)>& expected) {
  const std::vector<double> found = RopeFrequencies(rope, dim, length);
  ASSERT_EQ(found.size(), static_cast<size_t>(dim / 2));
  for (int64_t i = 0; i < dim / 2; ++i) {
    const double value = expected(i);
    EXPECT_NEAR(found[static_cast<size_t>(i)], value, 1e-12 * value) << "pair " << i;
  }
}

TEST(RopeTest, PlainFrequenciesArePowersOfTheBase) {
  ExpectFrequencies({.theta = 10000}, 128, 7,
                    [](int64_t i) { return PlainFrequency(10000, 128, i); });
  EXPECT_EQ(RopeFrequencies({.theta = 10000}, 4, 1), (std::vector<double>{1, 0.01}));
}

// Position interpolation (arXiv 2306.15595): position m becomes m / factor.
TEST(RopeTest, LinearScalingInterpolatesPositions) {
  ExpectFrequencies({.theta = 10000, .scaling = RopeScaling::kLinear, .factor = 2.5}, 64, 9000,
                    [](int64_t i) { return PlainFrequency(10000, 64, i) / 2.5; });
}

// The base becomes base (s l / L - (s - 1))^(d / (d - 2)) for sequences of l > L tokens.
TEST(RopeTest, DynamicScalingGrowsTheBaseBeyondTheContext) {
  const RopeSettings rope{.theta = 10000,
                          .scaling = RopeScaling::kDynamic,
                          .factor = 2,
                          .original_max_positions = 1024};
  for (const int64_t length : {1, 1000, 1024}) {
    ExpectFrequencies(rope, 64, length, [](int64_t i) { return PlainFrequency(10000, 64, i); });
  }
  // Four times the context: 2 * 4 - 1 = 7.
  const double base = 10000 * std::pow(7.0, 64.0 / 62.0);
  ExpectFrequencies(rope, 64, 4096, [&](int64_t i) { return PlainFrequency(base, 64, i); });
}

// Llama 3.1's rule, as its authors published it: by wavelength.
TEST(RopeTest, Llama3ScalingStretchesLongWavesOnly) {
  const RopeSettings rope{.theta = 5e5,
                          .scaling = RopeScaling::kLlama3,
                          .factor = 8,
                          .original_max_positions = 8192,
                          .low_frequency_factor = 1,
                          .high_frequency_factor = 4};
  int kept = 0;
  int stretched = 0;
  ExpectFrequencies(rope, 128, 100, [&](int64_t i) {
    const double frequency = PlainFrequency(5e5, 128, i);
    const double wavelength = kTwoPi / frequency;
    if (wavelength < 8192.0 / 4) {
      ++kept;
      return frequency;
    }
    if (wavelength > 8192.0 / 1) {
      ++stretched;
      return frequency / 8;
    }
    const double smooth = (8192 / wavelength - 1) / (4 - 1);
    return (1 - smooth) * frequency / 8 + smooth * frequency;
  });
  EXPECT_EQ(kept, 29);
  EXPECT_EQ(stretched, 29);
}

RopeSettings Yarn(bool truncate) {
  return {.theta = 1e6,
          .scaling = RopeScaling::kYarn,
          .factor = 4,
          .original_max_positions = 32768,
          .truncate = truncate};
}

// arXiv 2309.00071 with Qwen2.5's settings: pairs that turn more than 32 times within the context
// are kept, those that turn less than once interpolated, and between them the share goes linearly
// with the pair's index, which is the logarithm of its turns.
TEST(RopeTest, YarnScalingRampsBetweenItsTwoBounds) {
  ExpectFrequencies(Yarn(false), 128, 100, [](int64_t i) {
    const double frequency = PlainFrequency(1e6, 128, i);
    const double turns = 32768 * frequency / kTwoPi;
    const double kept = std::clamp(std::log(turns) / std::log(32.0), 0.0, 1.0);
    return kept * frequency + (1 - kept) * frequency / 4;
  });
  // 128 ln(32768 / (2 pi 32)) / (2 ln 1e6) = 23.6 and 128 ln(32768 / (2 pi)) / (2 ln 1e6) = 39.7.
  ExpectFrequencies(Yarn(true), 128, 100, [](int64_t i) {
    const double frequency = PlainFrequency(1e6, 128, i);
    if (i <= 23) return frequency;
    if (i >= 40) return frequency / 4;
    const double ramp = static_cast<double>(i - 23) / 17;
    return (1 - ramp) * frequency + ramp * frequency / 4;
  });
}

// Bounds that fall together must not divide by zero.
TEST(RopeTest, YarnScalingOfATinyContextInterpolatesEverything) {
  RopeSettings rope = Yarn(true);
  rope.original_max_positions = 2;
  ExpectFrequencies(rope, 16, 100,
                    [](int64_t i) { return PlainFrequency(1e6, 16, i) / (i == 0 ? 1 : 4); });
}

// Channels i and i + d/2 of a head are a complex number that turns by position * frequency.
Matrix RotatedByDefinition(Matrix rows, int64_t first, const std::vector<double>& frequencies,
                           double length) {
  const auto half = static_cast<int64_t>(frequencies.size());
  for (int64_t t = 0; t < rows.rows(); ++t) {
    for (int64_t head = 0; head < rows.cols(); head += 2 * half) {
      for (int64_t i = 0; i < half; ++i) {
        float& re = rows(t, head + i);
        float& im = rows(t, head + half + i);
        const double angle = static_cast<double>(first + t) * frequencies[static_cast<size_t>(i)];
        const auto turned = std::complex<double>(re, im) * std::polar(length, angle);
        re = static_cast<float>(turned.real());
        im = static_cast<float>(turned.imag());
      }
    }
  }
  return rows;
}

TEST(RopeTest, TableTurnsEveryHeadByItsPosition) {
  for (const int64_t first : {0, 5, 100'000}) {
    const RopeSettings rope{.theta = 10000};
    const RopeTable table(rope, 32, first, 12);
    const Matrix rows = RandomMatrix(12, 96, 1);
    const Matrix expected = RotatedByDefinition(rows, first, RopeFrequencies(rope, 32, 12), 1);
    Matrix found = rows;
    table.Apply(found);
    EXPECT_TRUE(found.isApprox(expected, 1e-6F)) << first;
    // Fewer rows than the table has, in the midst of a wider matrix.
    Matrix wide = RandomMatrix(7, 200, 2);
    wide.middleCols(50, 96) = rows.topRows(7);
    const Matrix before = wide;
    table.Apply(wide.middleCols(50, 96));
    EXPECT_TRUE(wide.middleCols(50, 96) == found.topRows(7));
    EXPECT_TRUE(wide.leftCols(50) == before.leftCols(50));
    EXPECT_TRUE(wide.rightCols(54) == before.rightCols(54));
  }
}

// LongRoPE (arXiv 2402.13753): each frequency has a divisor of its own, and another beyond the
// context of pretraining.
TEST(RopeTest, LongRopeDividesEachFrequency) {
  const RopeSettings rope{.theta = 10000,
                          .scaling = RopeScaling::kLongRope,
                          .original_max_positions = 100,
                          .short_factors = {1, 1.5, 2, 3},
                          .long_factors = {2, 4, 8, 16}};
  for (const int64_t length : {100, 101}) {
    const auto& factors = length > 100 ? rope.long_factors : rope.short_factors;
    ExpectFrequencies(rope, 8, length, [&](int64_t i) {
      return PlainFrequency(10000, 8, i) / factors[static_cast<size_t>(i)];
    });
  }
}

TEST(RopeTest, OfAFractionOnlyTheFirstChannelsTurn) {
  const Matrix rows = RandomMatrix(6, 3 * 16, 5);
  Matrix found = rows;
  RopeTable({.theta = 10000, .fraction = 0.5}, 16, 4, 6).Apply(found);
  for (int64_t head = 0; head < 3; ++head) {
    Matrix turned = rows.middleCols(16 * head, 8);
    RopeTable({.theta = 10000}, 8, 4, 6).Apply(turned);
    EXPECT_TRUE(found.middleCols(16 * head, 8) == turned);
    EXPECT_TRUE(found.middleCols(16 * head + 8, 8) == rows.middleCols(16 * head + 8, 8));
  }
}

TEST(RopeTest, TablesFollowTheLayersUse) {
  model::Architecture architecture;
  architecture.head_dim = 8;
  architecture.rope_uses = {model::RopeUse::kGlobal, model::RopeUse::kLocal};
  architecture.rope.theta = 1e6;
  architecture.local_rope.theta = 1e4;
  const RopeTables tables(architecture, 3, 5);
  EXPECT_EQ(tables.Of(model::RopeUse::kNone), nullptr);
  for (const auto& [use, theta] :
       {std::pair(model::RopeUse::kGlobal, 1e6), {model::RopeUse::kLocal, 1e4}}) {
    Matrix found = RandomMatrix(5, 8, 6);
    Matrix expected = found;
    tables.Of(use)->Apply(found);
    RopeTable({.theta = theta}, 8, 3, 5).Apply(expected);
    EXPECT_TRUE(found == expected);
  }
}

TEST(RopeTest, ProductOfTurnedRowsDependsOnTheirDistanceOnly) {
  const Matrix rows = RandomMatrix(2, 64, 3);
  const auto product = [&](int64_t position) {
    Matrix query = rows.topRows(1);
    Matrix key = rows.bottomRows(1);
    RopeTable({.theta = 10000}, 64, position + 17, 1).Apply(query);
    RopeTable({.theta = 10000}, 64, position, 1).Apply(key);
    return query.row(0).dot(key.row(0));
  };
  EXPECT_NEAR(product(0), product(3000), 1e-4);
  EXPECT_GT(std::abs(product(0) - rows.row(0).dot(rows.row(1))), 1e-2);
}

TEST(RopeTest, AttentionFactorLengthensTheRows) {
  RopeSettings rope = Yarn(true);
  rope.attention_factor = 1.5;
  const Matrix rows = RandomMatrix(9, 128, 4);
  const Matrix expected = RotatedByDefinition(rows, 3, RopeFrequencies(rope, 128, 12), 1.5);
  Matrix found = rows;
  RopeTable(rope, 128, 3, 9).Apply(found);
  EXPECT_TRUE(found.isApprox(expected, 1e-6F));
}

}  // namespace
}  // namespace paroquant::nn
