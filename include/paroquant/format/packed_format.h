// The layouts in which checkpoints hold packed layers, and what config.json says of them.
// docs/formats.md specifies them.
#ifndef PAROQUANT_FORMAT_PACKED_FORMAT_H_
#define PAROQUANT_FORMAT_PACKED_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::format {

// kDense is no packed layout: the weights that the codes stand for, as floats.
enum class FormatKind { kParoquant, kAwq, kGptq, kGptqV2, kCompressedTensors, kDense };

// In the place of a group size: a group is a whole row of the weight.
inline constexpr int kWholeRows = -1;

// What config.json says of the whole model. In the paroquant layout, a layer whose bits or group
// size differ is recognised by the shapes of its tensors.
struct QuantizationConfig {
  FormatKind format = FormatKind::kParoquant;
  int bits = 4;
  int group_size = 128;    // or kWholeRows: gptq, compressed-tensors
  int rotations = 8;       // paroquant
  bool symmetric = false;  // all zero points are 2^(bits - 1): gptq, compressed-tensors
  bool act_order = false;  // layers may have an order of channels: gptq, compressed-tensors
  // What it says of modules that stay in 16 bits, as the layout writes it: see IsListedAsKept.
  std::vector<std::string> kept = {};
  // Ends of the names of those that do not, where it names these: gptq.
  std::vector<std::string> quantized = {};
};

// The channels of a layer's groups.
int GroupSizeOf(const QuantizationConfig& config, const model::LinearInfo& info);

// Does the config list the module among those that stay in 16 bits? Nothing if the layout has no
// such list.
std::optional<bool> IsListedAsKept(const QuantizationConfig& config, const std::string& module);

// Nothing if config.json has no "quantization_config". Throws kUnsupported for a method or a
// variant that is not handled, kInput for values out of range.
std::optional<QuantizationConfig> ParseQuantizationConfig(const io::Json& config,
                                                          const std::string& where);

// The modules of linear layers, in the order of a forward pass.
struct ModuleNames {
  std::vector<std::string> quantized;
  std::vector<std::string> kept;  // in 16 bits
};

// `config` with "quantization_config" set as its last key; the order of the others is kept. For
// kDense the key is removed.
io::Json WithQuantizationConfig(io::Json config, const QuantizationConfig& quantization,
                                const ModuleNames& modules);

// What --format calls it.
const char* FormatName(FormatKind format);
// Throws kUsage for a name that there is not.
FormatKind FindFormat(const std::string& name);
std::vector<std::string> FormatNames();

// Why the layout cannot hold codes of so many bits, or "".
std::string BitsObstacle(FormatKind format, int bits);
// Why the layout cannot hold such groups, or "".
std::string GroupObstacle(FormatKind format, int group_size);
// The packed layers of an opened checkpoint, which must outlive this.
class PackedLayers {
 public:
  // Throws what ParseQuantizationConfig throws.
  explicit PackedLayers(const model::Checkpoint& checkpoint);

  const std::optional<QuantizationConfig>& config() const { return config_; }
  FormatKind format() const { return config_ ? config_->format : FormatKind::kParoquant; }

  // True if the linear is stored packed.
  bool Has(const model::LinearInfo& info) const;
  // Its tensors, viewed in place where the layout is that of PackedView. Throws kInput naming the
  // tensor whose dtype, shape or content does not fit, kUnsupported for what is not handled.
  quant::PackedView Read(const model::LinearInfo& info) const;
  // Does it have its rotation in common with other experts of its layer?
  bool SharesRotation(const model::LinearInfo& info) const;
  // Its tensors' names; experts may share some.
  std::vector<std::string> Names(const model::LinearInfo& info) const;

 private:
  const io::TensorFolder* tensors_;
  std::optional<QuantizationConfig> config_;
};

// True if a tensor of this name is a part of some packed module, in any of the layouts.
bool HasPackedSuffix(std::string_view name);

// What the checkpoint decides of a layer's tensors, not the layer itself.
struct PackedStyle {
  bool shares_rotation = false;  // with the other experts of the layer: paroquant
  bool symmetric = false;        // compressed-tensors: no zero points, as in QuantizationConfig
  bool act_order = false;        // compressed-tensors: each channel's group
  io::DType dtype = io::DType::kF16;  // of the weights: fp16
};
// Why the layout cannot hold a layer, or "".
std::string Obstacle(FormatKind format, const quant::QuantizedLinear& linear,
                     const PackedStyle& style = {});

// The tensors that Encode gives for a layer of this shape.
struct PackedShape {
  int bits;
  int group_size;
  int rotations;
  PackedStyle style = {};
};
std::vector<io::TensorSpec> PackedSpecs(FormatKind format, const model::LinearInfo& info,
                                        const PackedShape& shape);
struct PackedTensor {
  io::TensorSpec spec;
  std::vector<std::byte> bytes;
};
// Requires Obstacle(format, linear, style) == "", and quant::IsSymmetric(linear) of a symmetric
// style.
std::vector<PackedTensor> Encode(FormatKind format, const model::LinearInfo& info,
                                 const quant::QuantizedLinear& linear, const PackedStyle& style);

// CRC-32 of the tensors' bytes, one after the other: changes with any of their bits.
uint32_t Checksum(const std::vector<PackedTensor>& tensors);
uint32_t Checksum(const io::TensorFolder& tensors, const std::vector<std::string>& names);

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_PACKED_FORMAT_H_
