// Loading tokenizers, and encoding on one thread: a whole corpus, and texts without any border
// between words, where merging must not take quadratic time.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include "paroquant/base/file.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::text {
namespace {

std::filesystem::path Shared(const std::string& name) {
  return std::filesystem::path(PAROQUANT_SHARED_ROOT) / name;
}

std::filesystem::path TokenizerPath(const std::string& name) {
  return Shared("tokenizers/" + name + "/tokenizer.json");
}

void Encode(benchmark::State& state, const std::string& tokenizer_name, const std::string& text) {
  const Tokenizer tokenizer = Tokenizer::Load(TokenizerPath(tokenizer_name));
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.Encode(text, false));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void BM_Load(benchmark::State& state, const std::string& tokenizer_name) {
  for (auto _ : state) benchmark::DoNotOptimize(Tokenizer::Load(TokenizerPath(tokenizer_name)));
}

void BM_EncodeCorpus(benchmark::State& state, const std::string& tokenizer_name) {
  Encode(state, tokenizer_name, ReadFile(Shared("corpora/wikitext2/wiki.test.raw")));
}

void BM_EncodeOneLetter(benchmark::State& state, const std::string& tokenizer_name) {
  Encode(state, tokenizer_name, std::string(static_cast<size_t>(state.range(0)), 'a'));
}

void BM_EncodeSpaces(benchmark::State& state, const std::string& tokenizer_name) {
  Encode(state, tokenizer_name, std::string(static_cast<size_t>(state.range(0)), ' '));
}

BENCHMARK_CAPTURE(BM_Load, qwen2, "qwen2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Load, llama2, "llama2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_EncodeCorpus, qwen2, "qwen2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_EncodeCorpus, gpt2, "gpt2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_EncodeCorpus, llama2, "llama2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_EncodeOneLetter, qwen2, "qwen2")->Range(1 << 16, 1 << 20);
BENCHMARK_CAPTURE(BM_EncodeOneLetter, llama2, "llama2")->Range(1 << 16, 1 << 20);
BENCHMARK_CAPTURE(BM_EncodeSpaces, qwen2, "qwen2")->Range(1 << 16, 1 << 20);
BENCHMARK_CAPTURE(BM_EncodeSpaces, llama2, "llama2")->Range(1 << 16, 1 << 20);

}  // namespace
}  // namespace paroquant::text
