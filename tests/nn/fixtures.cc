#include "tests/nn/fixtures.h"

#include <utility>

#include "paroquant/base/file.h"
#include "paroquant/io/json.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "tests/testing/golden_tensors.h"

namespace paroquant::nn::testing {
namespace {

using paroquant::testing::GoldenPath;
using paroquant::testing::GoldenValues;

const char kPrefix[] = "weight.";

io::Json ConfigOf(const io::Json& facts) {
  return {{"model_type", facts.at("model_type")},
          {"hidden_size", facts.at("hidden_size")},
          {"intermediate_size", facts.at("intermediate_size")},
          {"num_attention_heads", facts.at("num_attention_heads")},
          {"num_key_value_heads", facts.at("num_key_value_heads")},
          {"head_dim", facts.at("head_dim")},
          {"rms_norm_eps", facts.at("rms_norm_eps")},
          {"rope_theta", facts.at("rope_theta")},
          {"hidden_act", facts.at("hidden_act")},
          {"num_hidden_layers", 1},
          {"vocab_size", 8},
          {"max_position_embeddings", 64},
          {"torch_dtype", "float32"}};
}

// The golden weights, whose values are exact in float32, under a model's names.
void WriteWeights(const io::SafetensorsFile& golden, const std::filesystem::path& folder) {
  std::vector<io::TensorSpec> specs;
  for (const io::TensorView& tensor : golden.tensors()) {
    if (!tensor.name.starts_with(kPrefix)) continue;
    specs.push_back({"model.layers.0." + tensor.name.substr(sizeof(kPrefix) - 1), io::DType::kF32,
                     tensor.shape});
  }
  io::OutputFolder output = io::OutputFolder::Create(folder, /*overwrite=*/true);
  io::SafetensorsWriter writer(output, specs, uint64_t{1} << 30, {});
  for (const io::TensorSpec& spec : specs) {
    const std::vector<double> values =
        GoldenValues<double>(golden, kPrefix + spec.name.substr(sizeof("model.layers.0.") - 1));
    const std::vector<float> floats(values.begin(), values.end());
    writer.Write(spec.name, std::as_bytes(std::span(floats)));
  }
  writer.Finish();
  output.Commit();
}

model::Checkpoint WriteModel(const std::string& name, const io::SafetensorsFile& golden,
                             const std::filesystem::path& folder) {
  WriteWeights(golden, folder / "model");
  const io::Json facts = io::ReadJsonFile(GoldenPath("grads/" + name + ".json"));
  WriteFile(folder / "model" / "config.json", ConfigOf(facts).dump());
  return model::Checkpoint::Open(folder / "model");
}

}  // namespace

GoldenBlock::GoldenBlock(const std::string& name)
    : golden_(io::SafetensorsFile::Open(GoldenPath("grads/" + name + ".safetensors"))),
      checkpoint_(WriteModel(name, golden_, folder_.path())) {}

RopeTables GoldenBlock::Rope(int64_t length) const {
  return {checkpoint_.architecture(), 0, length};
}

Block GoldenBlock::Make(PerLinear<HeldLinear*>& linears) const {
  Block::LinearSet set;
  for (const std::string& suffix : Suffixes()) {
    auto linear = std::make_unique<HeldLinear>(ChannelMajor(Get(kPrefix + suffix + ".weight")),
                                               std::vector<float>{});
    linears.push_back(linear.get());
    set.push_back(std::move(linear));
  }
  return {checkpoint_, 0, std::move(set)};
}

std::vector<std::string> GoldenBlock::Suffixes() const {
  std::vector<std::string> suffixes;
  for (const model::LinearInfo& info : DescribeLinears(checkpoint_.architecture(), 0)) {
    suffixes.push_back(info.name.substr(sizeof("model.layers.0.") - 1));
  }
  return suffixes;
}

Matrix GoldenBlock::Get(const std::string& name) const {
  return paroquant::testing::GoldenMatrix<double>(golden_, name).cast<float>();
}

}  // namespace paroquant::nn::testing
