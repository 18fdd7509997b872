// Perplexity of whole windows, against nothing but the matrix products of the same forward pass,
// done by Eigen.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bench/model_flops.h"
#include "paroquant/base/parallel.h"
#include "paroquant/eval/perplexity.h"

namespace paroquant::eval {
namespace {

using runtime::LanguageModel;

constexpr int64_t kWindow = 2048;

LanguageModel Load(const std::string& name) {
  const std::filesystem::path in_repository =
      std::filesystem::path(PAROQUANT_PROJECT_ROOT) / "tests/data" / name;
  const bool exists = std::filesystem::exists(in_repository);
  return LanguageModel::Load(
      exists ? in_repository : std::filesystem::path(PAROQUANT_SHARED_ROOT) / "models" / name);
}

int64_t WindowOf(const model::Architecture& shape) {
  return std::min(kWindow, shape.max_positions);
}

void SetRates(benchmark::State& state, const LanguageModel& model) {
  const model::Architecture& shape = model.architecture();
  const int64_t window = WindowOf(shape);
  state.SetItemsProcessed(state.iterations() * window);
  state.counters["FLOP/s"] = benchmark::Counter(
      FlopsPerToken(shape, window) * static_cast<double>(state.iterations() * window),
      benchmark::Counter::kIsRate);
}

void Perplexity(benchmark::State& state, const std::string& name) {
  const LanguageModel model = Load(name);
  std::vector<Window> windows(1);
  for (int64_t i = 0; i < WindowOf(model.architecture()); ++i) {
    windows[0].tokens.push_back(static_cast<int32_t>(i * 37 % model.architecture().vocab_size));
  }
  NoProgress progress;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MeasurePerplexity(model, nullptr, windows, progress));
  }
  SetRates(state, model);
}

// [rows, k] times [k, n], rows shared out among the threads.
void EigenProduct(int64_t rows, int64_t k, int64_t n) {
  const Matrix input = Matrix::Constant(rows, k, 0.5F);
  const Matrix weight = Matrix::Constant(n, k, 0.5F);
  Matrix output(rows, n);
  const int64_t part = rows / ThreadCount();
  ParallelFor(ThreadCount(), [&](int64_t i) {
    output.middleRows(i * part, part).noalias() =
        input.middleRows(i * part, part) * weight.transpose();
  });
  benchmark::DoNotOptimize(output.data());
}

void EigenProducts(benchmark::State& state, const std::string& name) {
  const LanguageModel model = Load(name);
  const model::Architecture& shape = model.architecture();
  const int64_t window = WindowOf(shape);
  for (auto _ : state) {
    for (int64_t layer = 0; layer < shape.layers; ++layer) {
      for (const model::LinearInfo& info : DescribeLinears(shape, layer)) {
        EigenProduct(window, info.in_features, info.out_features);
      }
      for (int64_t head = 0; head < shape.heads; ++head) {
        EigenProduct(window, shape.head_dim, window / 2);
        EigenProduct(window, window / 2, shape.head_dim);
      }
    }
    EigenProduct(window, shape.hidden_size, shape.vocab_size);
  }
  SetRates(state, model);
}

BENCHMARK_CAPTURE(EigenProducts, tiny_llama, "tiny-llama")->UseRealTime();
BENCHMARK_CAPTURE(Perplexity, tiny_llama, "tiny-llama")->UseRealTime();
BENCHMARK_CAPTURE(EigenProducts, bench_llama, "bench-llama")->UseRealTime();
BENCHMARK_CAPTURE(Perplexity, bench_llama, "bench-llama")->UseRealTime();

}  // namespace
}  // namespace paroquant::eval
