// Quantizes and evaluates a small model many times in one process, and looks whether the process
// grows: its own memory, its open files, its threads. Prints what it saw; fails if it grew.
//   soak [REPETITIONS]
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/eval/evaluation_text.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/runtime/language_model.h"
#include "tests/testing/paths.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;

struct Usage {
  int64_t anonymous_kib = 0;  // memory that no file stands behind
  int64_t files = 0;
  int64_t threads = 0;
  int64_t shared_memory_files = 0;
};

int64_t Entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

Usage CurrentUsage() {
  std::ifstream status("/proc/self/status");
  int64_t kib = -1;
  for (std::string word; status >> word;) {
    if (word == "RssAnon:") status >> kib;
  }
  return {kib, Entries("/proc/self/fd"), Entries("/proc/self/task"), Entries("/dev/shm")};
}

void Print(const char* when, const Usage& usage) {
  fmt::print("{}: {} KiB of memory, {} open files, {} threads, {} files in /dev/shm\n", when,
             usage.anonymous_kib, usage.files, usage.threads, usage.shared_memory_files);
}

void QuantizeAndEvaluate(const fs::path& folder) {
  NoProgress progress;
  const fs::path out = folder / "out";
  pipeline::QuantizeOptions options{.model = testing::GoldenPath("models/llama_gqa_tied"),
                                    .out = out,
                                    .recipe = method::LoadRecipe("fast"),
                                    .memory_budget = 1 << 14};  // some of it goes to disk
  options.recipe.calibration_sequences = 4;
  options.recipe.held_out_sequences = 2;
  options.recipe.layer.row_feedback_sequences = 2;
  options.recipe.sequence_length = 24;
  pipeline::Quantize(options, progress);

  const auto model = runtime::LanguageModel::Load(out);
  const auto windows = eval::LoadWindows((folder / "ids.json").string(),
                                         {.window = 8,
                                          .max_positions = model.architecture().max_positions,
                                          .vocab_size = model.architecture().vocab_size});
  eval::MeasurePerplexity(model, nullptr, windows, progress);
  fs::remove_all(out);
}

int Soak(int repetitions) {
  constexpr int kWarmUp = 3;
  constexpr int64_t kAllowedKib = 1024;
  const testing::TemporaryFolder folder;
  WriteFile(folder.path() / "ids.json",
            R"({"input_ids": [1, 5, 9, 33, 120, 7, 88, 150, 2, 4, 6, 8, 10, 12, 14, 16]})");
  for (int i = 0; i < kWarmUp; ++i) QuantizeAndEvaluate(folder.path());
  const Usage before = CurrentUsage();
  Print("after the warm-up", before);
  for (int i = 0; i < repetitions; ++i) QuantizeAndEvaluate(folder.path());
  const Usage after = CurrentUsage();
  Print(fmt::format("{} repetitions later", repetitions).c_str(), after);
  const bool grew = after.anonymous_kib > before.anonymous_kib + kAllowedKib ||
                    after.files > before.files || after.threads > before.threads ||
                    after.shared_memory_files > before.shared_memory_files;
  fmt::print("{}\n", grew ? "it grew" : "it did not grow");
  return grew ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace
}  // namespace paroquant

int main(int argc, char** argv) {
  try {
    return paroquant::Soak(argc > 1 ? std::atoi(argv[1]) : 50);
  } catch (const std::exception& error) {
    fmt::print(stderr, "soak: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
