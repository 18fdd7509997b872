#include "tests/format/fixtures.h"

#include <algorithm>
#include <utility>

#include "paroquant/base/file.h"
#include "paroquant/base/half.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/quant/packing.h"
#include "paroquant/quant/rotation.h"
#include "tests/model/fixtures.h"
#include "tests/quant/fixtures.h"
#include "tests/testing/error_of.h"

namespace paroquant::format::testing {

model::LinearInfo Info(int64_t out_features, int64_t in_features) {
  return {.name = kModule, .out_features = out_features, .in_features = in_features};
}

namespace {

std::vector<PackedTensor> Named(const StoredLayer& layer) {
  std::vector<PackedTensor> tensors;
  for (const auto& [suffix, tensor] : layer) {
    tensors.push_back({{kModule + ("." + suffix), tensor.dtype, tensor.shape}, tensor.bytes});
  }
  return tensors;
}

}  // namespace

LayerFolder::LayerFolder(FormatKind format, const StoredLayer& layer,
                         const QuantizationConfig& settings)
    : LayerFolder(format, Named(layer), settings) {}

LayerFolder::LayerFolder(FormatKind format, const std::vector<PackedTensor>& tensors,
                         QuantizationConfig settings) {
  settings.format = format;
  io::OutputFolder folder = io::OutputFolder::Create(root_.path() / "out", /*overwrite=*/false);
  std::vector<io::TensorSpec> specs;
  for (const PackedTensor& tensor : tensors) specs.push_back(tensor.spec);
  io::SafetensorsWriter writer(folder, specs, uint64_t{1} << 40U, {});
  for (const PackedTensor& tensor : tensors) writer.Write(tensor.spec.name, tensor.bytes);
  writer.Finish();
  const io::Json config =
      WithQuantizationConfig(model::testing::MinimalConfig("llama"), settings, {});
  WriteFile(folder.Stage("config.json"), config.dump());
  folder.Commit();
}

model::Checkpoint LayerFolder::Open() const {
  return model::Checkpoint::Open(root_.path() / "out");
}

quant::QuantizedLinear SmallLinear(FormatKind format) {
  quant::QuantizedLinear linear = quant::testing::RandomQuantizedLinear(16, 64, 4, 32, 1);
  if (format == FormatKind::kParoquant) return linear;
  linear.rotation = quant::IdentityRotation(64, 32, 0);
  std::ranges::fill(linear.channel_scales, FloatToHalf(1.0F));
  for (uint8_t& zero : linear.zeros) zero = std::max<uint8_t>(zero, 1);
  return linear;
}

StoredLayer GoodLayer(FormatKind format) {
  StoredLayer layer;
  for (PackedTensor& tensor : Encode(format, Info(16, 64), SmallLinear(format), {})) {
    layer[tensor.spec.name.substr(sizeof(kModule))] = {tensor.spec.dtype, tensor.spec.shape,
                                                       std::move(tensor.bytes)};
  }
  return layer;
}

quant::QuantizedLinear ReadLayer(FormatKind format, const StoredLayer& layer) {
  const LayerFolder folder(format, layer);
  const model::Checkpoint checkpoint = folder.Open();
  return quant::Unpack(quant::Copy(PackedLayers(checkpoint).Read(Info(16, 64))), kModule);
}

Error ReadError(FormatKind format, const StoredLayer& layer) {
  return paroquant::testing::ErrorOf([&] { ReadLayer(format, layer); });
}

quant::QuantizedLinear OrderedLinear(FormatKind format) {
  quant::QuantizedLinear linear = SmallLinear(format);
  for (int32_t i = 0; i < 64; ++i) linear.order.push_back(i < 32 ? 2 * i + 1 : 2 * (i - 32));
  return linear;
}

}  // namespace paroquant::format::testing
