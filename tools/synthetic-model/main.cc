// Writes a checkpoint of a real model's shape with random weights, for measurements of speed and
// memory. Its text is noise; it has no tokenizer, only files of random token ids beside it.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/rng.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/tensors.h"

namespace paroquant {
namespace {

constexpr uint64_t kShardBytes = 4'000'000'000;

io::Json Config(const std::string& type, int64_t vocab, int64_t hidden, int64_t intermediate,
                int64_t layers, int64_t heads, int64_t kv_heads, int64_t head_dim) {
  return {{"model_type", type},
          {"vocab_size", vocab},
          {"hidden_size", hidden},
          {"intermediate_size", intermediate},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"num_key_value_heads", kv_heads},
          {"head_dim", head_dim},
          {"max_position_embeddings", 2048},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"hidden_act", "silu"},
          {"torch_dtype", "float16"},
          {"tie_word_embeddings", type == "qwen3"}};
}

std::map<std::string, io::Json> Shapes() {
  return {{"llama-29m", Config("llama", 8192, 512, 1536, 8, 8, 4, 64)},
          {"tinyllama-1.1b", Config("llama", 32000, 2048, 5632, 22, 32, 4, 64)},
          {"qwen3-0.6b", Config("qwen3", 151936, 1024, 3072, 28, 16, 8, 128)},
          {"llama3-8b-block", Config("llama", 128256, 4096, 14336, 1, 32, 8, 128)}};
}

std::vector<io::TensorSpec> Tensors(const model::Architecture& shape) {
  std::vector<io::TensorSpec> tensors;
  for (const model::TensorInfo& tensor : DescribeOtherTensors(shape)) {
    tensors.push_back({tensor.name, io::DType::kF16, tensor.shape});
  }
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    for (const model::LinearInfo& linear : DescribeLinears(shape, layer)) {
      tensors.push_back(
          {linear.name + ".weight", io::DType::kF16, {linear.out_features, linear.in_features}});
    }
  }
  return tensors;
}

// Norms are 1; matrices are uniform with the standard deviation 0.02 that models start from.
std::vector<uint16_t> RandomHalves(const io::TensorSpec& tensor, Rng& rng) {
  size_t count = 1;
  for (const int64_t extent : tensor.shape) count *= static_cast<size_t>(extent);
  if (tensor.shape.size() == 1) return std::vector<uint16_t>(count, FloatToHalf(1.0F));
  constexpr double kHalfWidth = 0.02 * 1.7320508;
  std::vector<uint16_t> halves(count);
  for (uint16_t& half : halves) {
    half = FloatToHalf(static_cast<float>((2.0 * rng.Uniform() - 1.0) * kHalfWidth));
  }
  return halves;
}

void WriteTokens(io::OutputFolder& folder, const std::string& name, int64_t count, int64_t vocab,
                 Rng& rng) {
  std::vector<uint64_t> ids(static_cast<size_t>(count));
  for (uint64_t& id : ids) id = rng.Below(static_cast<uint64_t>(vocab));
  WriteFile(folder.Stage(name), io::Json{{"input_ids", ids}}.dump());
}

void WriteModel(const io::Json& config, const std::string& out, int64_t tokens) {
  const model::Architecture shape = model::ParseArchitecture(config, "shape");
  const std::vector<io::TensorSpec> tensors = Tensors(shape);
  io::OutputFolder folder = io::OutputFolder::Create(out, /*overwrite=*/false);
  io::SafetensorsWriter writer(folder, tensors, kShardBytes, {});
  Rng rng(0);
  for (const io::TensorSpec& tensor : tensors) {
    const std::vector<uint16_t> halves = RandomHalves(tensor, rng);
    writer.Write(tensor.name, std::as_bytes(std::span(halves)));
  }
  writer.Finish();
  WriteTokens(folder, "tokens.json", tokens, shape.vocab_size, rng);
  WriteFile(folder.Stage("config.json"), config.dump(2));
  folder.Commit();
}

int Main(int argc, char** argv) {
  std::map<std::string, io::Json> shapes = Shapes();
  CLI::App app{"Writes a checkpoint of a real shape with random weights."};
  std::string shape;
  std::string out;
  int64_t tokens = int64_t{128} * 512;
  std::optional<int64_t> layers;
  app.add_option("--shape", shape)->required()->check(CLI::IsMember(&shapes));
  app.add_option("--out", out, "an empty or new folder")->required();
  app.add_option("--tokens", tokens, "of the file tokens.json")->capture_default_str();
  app.add_option("--layers", layers, "other than the real model has")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  io::Json& config = shapes.at(shape);
  if (layers) config["num_hidden_layers"] = *layers;
  try {
    WriteModel(config, out, tokens);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace paroquant

int main(int argc, char** argv) { return paroquant::Main(argc, argv); }
