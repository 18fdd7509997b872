// Rotating activations and weights, against one row and one pair after another.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::quant {
namespace {

constexpr int kGroupSize = 128;
constexpr int kRounds = 8;

Rotation RandomRotation(int64_t channels) {
  Rng rng(1);
  Rotation rotation;
  rotation.channels = channels;
  rotation.group_size = kGroupSize;
  rotation.rounds = kRounds;
  std::vector<int16_t> group(kGroupSize);
  std::iota(group.begin(), group.end(), int16_t{0});
  for (int64_t i = 0; i < kRounds * channels / kGroupSize; ++i) {
    rng.Shuffle(group);
    rotation.pairs.insert(rotation.pairs.end(), group.begin(), group.end());
  }
  for (int64_t i = 0; i < kRounds * channels / 2; ++i) {
    rotation.theta.push_back(FloatToHalf(static_cast<float>(rng.Uniform())));
  }
  return rotation;
}

void RotateNaively(const Rotation& rotation, Matrix& rows) {
  const int64_t channels = rotation.channels;
  for (int64_t row = 0; row < rows.rows(); ++row) {
    float* x = rows.row(row).data();
    for (int64_t index = 0; index < rotation.rounds * channels / 2; ++index) {
      const auto pair = static_cast<size_t>(index);
      const int64_t base = 2 * index % channels / kGroupSize * kGroupSize;
      const float theta = HalfToFloat(rotation.theta[pair]);
      const float cosine = std::cos(theta);
      const float sine = std::sin(theta);
      float& a = x[base + rotation.pairs[2 * pair]];
      float& b = x[base + rotation.pairs[2 * pair + 1]];
      const float before = a;
      a = cosine * before + sine * b;
      b = cosine * b - sine * before;
    }
  }
}

void SetRates(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0) * state.range(1));
}

void Naive(benchmark::State& state) {
  const Rotation rotation = RandomRotation(state.range(1));
  Matrix rows = Matrix::Random(state.range(0), state.range(1));
  for (auto _ : state) RotateNaively(rotation, rows);
  SetRates(state);
}

void Rows(benchmark::State& state) {
  const PreparedRotation<float> rotation(RandomRotation(state.range(1)));
  const Vector multiplier = Vector::Ones(state.range(1));
  Matrix rows = Matrix::Random(state.range(0), state.range(1));
  for (auto _ : state) rotation.RotateRows(rows, multiplier.data(), rows);
  SetRates(state);
}

void Channels(benchmark::State& state) {
  const PreparedRotation<float> rotation(RandomRotation(state.range(1)));
  const Vector multiplier = Vector::Ones(state.range(1));
  Matrix channels = Matrix::Random(state.range(1), state.range(0));
  for (auto _ : state) rotation.RotateChannels(channels, multiplier.data(), channels);
  SetRates(state);
}

void Prepare(benchmark::State& state) {
  const Rotation rotation = RandomRotation(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(PreparedRotation<float>(rotation).channels());
}

BENCHMARK(Naive)->Args({1, 4096})->Args({256, 4096});
BENCHMARK(Rows)->Args({1, 4096})->Args({1, 14336})->Args({3, 4096})->Args({4, 4096});
BENCHMARK(Rows)->Args({16, 4096})->Args({2048, 4096})->UseRealTime();
BENCHMARK(Channels)->Args({2048, 4096})->UseRealTime();
BENCHMARK(Prepare)->Arg(4096);

}  // namespace
}  // namespace paroquant::quant
