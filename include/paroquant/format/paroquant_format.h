// The paroquant checkpoint layout: the tensors of a packed linear layer and the
// "quantization_config" of config.json. docs/formats.md specifies both.
#ifndef PAROQUANT_FORMAT_PAROQUANT_FORMAT_H_
#define PAROQUANT_FORMAT_PAROQUANT_FORMAT_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/tensors.h"
#include "paroquant/quant/packed_view.h"
#include "paroquant/quant/packing.h"

namespace paroquant::format {

// What config.json says of the whole model. A layer whose bits or group size differ is recognised
// by the shapes of its tensors.
struct QuantizationConfig {
  int bits = 4;
  int group_size = 128;
  int rotations = 8;
};

// Nothing if config.json has no "quantization_config". Throws kUnsupported for another method than
// paroquant, kInput for values out of range.
std::optional<QuantizationConfig> ParseQuantizationConfig(const io::Json& config,
                                                          const std::string& where);

// `config` with "quantization_config" set as its last key; the order of the others is kept.
io::Json WithQuantizationConfig(io::Json config, const QuantizationConfig& quantization);

// What stands behind a packed module's name in the names of its tensors.
inline constexpr std::array kPackedSuffixes = {".qweight", ".qzeros", ".scales",
                                               ".theta",   ".pairs",  ".channel_scales"};

// True if a tensor of this name is a part of some packed module.
bool HasPackedSuffix(std::string_view name);

// True if the module is stored packed.
bool IsPacked(const io::TensorFolder& tensors, const std::string& module);

// The packed tensors of a linear layer, viewed in place. Throws kInput naming the tensor whose
// dtype, shape or content does not fit.
quant::PackedView ReadPacked(const io::TensorFolder& tensors, const model::LinearInfo& info);

// The tensors that WritePacked will write for a layer of this shape.
struct PackedShape {
  int64_t out_features;
  int64_t in_features;
  int bits;
  int group_size;
  int rotations;
};
std::vector<io::TensorSpec> PackedSpecs(const std::string& module, const PackedShape& shape);
void WritePacked(io::SafetensorsWriter& writer, const std::string& module,
                 const quant::PackedLinear& packed);

// CRC-32 of all the tensors' bytes, in the order of PackedSpecs: changes with any of their bits.
uint32_t Checksum(const quant::PackedLinear& packed);

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_PAROQUANT_FORMAT_H_
