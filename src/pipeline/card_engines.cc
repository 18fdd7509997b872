#include "pipeline/card_engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace paroquant::pipeline {
namespace {

using format::FormatKind;

struct LoadingCode {
  std::string_view engine;
  std::vector<FormatKind> formats;
  const char* needs;     // packages
  const char* language;  // of the code
  const char* code;
};

// docs/interop.md tells which of these were tried, and with which versions.
std::span<const LoadingCode> LoadingCodes() {
  static const std::vector<FormatKind> gptq = {FormatKind::kAwq, FormatKind::kGptq,
                                               FormatKind::kGptqV2};
  static const std::vector<LoadingCode> codes = {
      {"transformers",
       {FormatKind::kParoquant},
       "transformers, autoawq and z-lab's paroquant",
       "python",
       "from paroquant.inference.backends.transformers import quantizer  # knows the layout\n"
       "from transformers import AutoModelForCausalLM\n"
       "model = AutoModelForCausalLM.from_pretrained(folder)"},
      {"transformers", gptq, "transformers, optimum and gptqmodel", "python",
       "from transformers import AutoModelForCausalLM\n"
       "model = AutoModelForCausalLM.from_pretrained(folder)"},
      {"transformers",
       {FormatKind::kCompressedTensors},
       "transformers and compressed-tensors",
       "python",
       "from transformers import AutoModelForCausalLM, CompressedTensorsConfig\n"
       "model = AutoModelForCausalLM.from_pretrained(\n"
       "    folder, quantization_config=CompressedTensorsConfig(dequantize=True))"},
      {"transformers",
       {FormatKind::kDense},
       "transformers",
       "python",
       "from transformers import AutoModelForCausalLM\n"
       "model = AutoModelForCausalLM.from_pretrained(folder)"},
      {"vllm", {FormatKind::kParoquant}, "vllm and z-lab's paroquant", "", "vllm serve FOLDER"},
      {"vllm", {}, "vllm", "", "vllm serve FOLDER"},
      {"mlx",
       {FormatKind::kParoquant},
       "mlx-lm and z-lab's paroquant",
       "python",
       "from paroquant.inference.backends.mlx import load\n"
       "model = load.load(folder)[0]"},
      {"mlx",
       {},
       "mlx-lm",
       "python",
       "from mlx_lm import load\n"
       "model, tokenizer = load(folder)"},
      {"gptqmodel",
       {},
       "gptqmodel",
       "python",
       "from gptqmodel import GPTQModel\n"
       "model = GPTQModel.load(folder)"},
  };
  return codes;
}

// The first that fits: those that hold for all layouts come behind the others.
const LoadingCode* FindCode(std::string_view engine, FormatKind format) {
  for (const LoadingCode& code : LoadingCodes()) {
    const bool fits =
        code.formats.empty() || std::ranges::find(code.formats, format) != code.formats.end();
    if (code.engine == engine && fits) return &code;
  }
  return nullptr;
}

}  // namespace

std::string HowToLoad(const CheckpointFacts& facts) {
  std::string text =
      "## How to load it\n\nBy the rules of `paroquant verify --target`, which are read from the "
      "engines' sources:\n\n";
  std::string refusing;
  for (const std::string& engine : EngineNames()) {
    const std::vector<VerifyProblem> problems = EngineProblems(engine, facts);
    const LoadingCode* code = FindCode(engine, facts.format);
    if (!problems.empty()) {
      refusing += fmt::format("- {}: it demands {}\n", engine, problems.front().expected);
    } else if (code != nullptr) {
      text += fmt::format("**{}** (packages: {})\n\n```{}\n{}\n```\n\n", engine, code->needs,
                          code->language, code->code);
    }
  }
  text += "**paroquant** itself\n\n```\nparoquant generate --model FOLDER --prompt TEXT\n```\n";
  return refusing.empty() ? text : text + "\nNot loaded by:\n\n" + refusing;
}

}  // namespace paroquant::pipeline
