// Matrix products, as rates in FLOP/s: the machine's peak, ours from each stored form, Eigen's.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "paroquant/base/half.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/rng.h"
#include "paroquant/linalg/product.h"
#include "paroquant/nn/linear.h"
#include "paroquant/quant/packing.h"
#include "paroquant/runtime/rotated_linear.h"

namespace paroquant {
namespace {

void SetFlops(benchmark::State& state, double per_iteration) {
  state.counters["FLOP/s"] = benchmark::Counter(
      per_iteration * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// T, N, K of a layer's product come as the arguments.
void SetProductFlops(benchmark::State& state) {
  SetFlops(state, 2.0 * static_cast<double>(state.range(0)) * static_cast<double>(state.range(1)) *
                      static_cast<double>(state.range(2)));
}

// Multiply-adds on registers alone, on all threads: what no program exceeds.
void Peak(benchmark::State& state) {
  double operations = 0;
  for (auto _ : state) {
    std::vector<double> done(static_cast<size_t>(ThreadCount()));
    ParallelFor(ThreadCount(), [&](int64_t thread) {
      done[static_cast<size_t>(thread)] = kernels::ActiveKernels().saturate(1 << 22);
    });
    operations = std::accumulate(done.begin(), done.end(), 0.0);
  }
  SetFlops(state, operations);
}

void ForwardRandom(benchmark::State& state, const nn::Linear& linear) {
  const Matrix input = Matrix::Random(state.range(0), state.range(2));
  Matrix output(state.range(0), state.range(1));
  for (auto _ : state) linear.Forward(input, output);
  SetProductFlops(state);
}

template <typename Element>
void Dense(benchmark::State& state, io::DType dtype, Element (*encode)(float)) {
  const Matrix weight = Matrix::Random(state.range(1), state.range(2));
  std::vector<Element> stored(static_cast<size_t>(weight.size()));
  for (size_t i = 0; i < stored.size(); ++i) stored[i] = encode(weight.data()[i]);
  const io::TensorView view{.name = "weight",
                            .dtype = dtype,
                            .shape = {weight.rows(), weight.cols()},
                            .bytes = std::as_bytes(std::span(stored))};
  ForwardRandom(state, nn::DenseLinear(model::PlainWeight(view), {}));
}

void Float32(benchmark::State& state) {
  Dense<float>(state, io::DType::kF32, [](float value) { return value; });
}
void Float16(benchmark::State& state) { Dense<uint16_t>(state, io::DType::kF16, FloatToHalf); }

// Groups of 128 and as many rotations as asked for.
quant::PackedLinear RandomPacked(int64_t out_features, int64_t in_features, int rounds) {
  Rng rng(1);
  quant::QuantizedLinear linear{.out_features = out_features, .in_features = in_features};
  const auto groups = static_cast<size_t>(out_features * in_features / linear.group_size);
  linear.codes.resize(groups * static_cast<size_t>(linear.group_size));
  for (uint8_t& code : linear.codes) code = static_cast<uint8_t>(rng.Uniform() * 16);
  linear.zeros.assign(groups, 8);
  linear.scales.assign(groups, FloatToHalf(0.01F));
  linear.channel_scales.assign(static_cast<size_t>(in_features), FloatToHalf(1.0F));
  linear.rotation = {.channels = in_features, .group_size = linear.group_size, .rounds = rounds};
  for (int64_t i = 0; i < rounds * in_features; ++i) {
    linear.rotation.pairs.push_back(static_cast<int16_t>(i % linear.group_size));
  }
  linear.rotation.theta.assign(static_cast<size_t>(rounds * in_features / 2), FloatToHalf(0.5F));
  return quant::Pack(linear, "random");
}

void Packed(benchmark::State& state, int rounds) {
  ForwardRandom(state, runtime::RotatedLinear(
                           MakeView(RandomPacked(state.range(1), state.range(2), rounds)), {}));
}
void Int4(benchmark::State& state) { Packed(state, 0); }
void Int4Rotated(benchmark::State& state) { Packed(state, 8); }

// Eigen's product of float32 matrices on as many threads, each with a part of the outputs.
void Eigen32(benchmark::State& state) {
  const Matrix input = Matrix::Random(state.range(0), state.range(2));
  const Matrix weight = Matrix::Random(state.range(1), state.range(2));
  Matrix output(input.rows(), weight.rows());
  const int64_t part = weight.rows() / ThreadCount();
  for (auto _ : state) {
    ParallelFor(ThreadCount(), [&](int64_t i) {
      output.middleCols(i * part, part).noalias() =
          input * weight.middleRows(i * part, part).transpose();
    });
  }
  SetProductFlops(state);
}

// The triangle of X^T X counts: T K (K + 1).
void SetGramFlops(benchmark::State& state) {
  const auto channels = static_cast<double>(state.range(1));
  SetFlops(state, static_cast<double>(state.range(0)) * channels * (channels + 1));
}

void Gram(benchmark::State& state) {
  const Matrix tokens = Matrix::Random(state.range(0), state.range(1));
  MatrixD sum = MatrixD::Zero(tokens.cols(), tokens.cols());
  for (auto _ : state) linalg::AddGram(tokens, sum);
  SetGramFlops(state);
}

void EigenGram(benchmark::State& state) {
  const Matrix tokens = Matrix::Random(state.range(0), state.range(1));
  Matrix sum = Matrix::Zero(tokens.cols(), tokens.cols());
  for (auto _ : state) sum.selfadjointView<Eigen::Lower>().rankUpdate(tokens.transpose());
  SetGramFlops(state);
}

// T, N, K: layers of TinyLlama 1.1B and Llama 3 8B, and one token of the former.
void Shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({2048, 5632, 2048})->Args({2048, 2048, 5632})->Args({2048, 4096, 4096});
  bench->Args({1, 5632, 2048})->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(Peak)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(Eigen32)->Apply(Shapes);
BENCHMARK(Float32)->Apply(Shapes);
BENCHMARK(Float16)->Apply(Shapes);
BENCHMARK(Int4)->Apply(Shapes);
BENCHMARK(Int4Rotated)->Apply(Shapes);
BENCHMARK(EigenGram)->Args({4096, 2048})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(Gram)->Args({4096, 2048})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace paroquant
