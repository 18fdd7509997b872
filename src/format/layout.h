// One layout of packed layers: a row of the table in packed_format.cc.
#ifndef PAROQUANT_FORMAT_LAYOUT_H_
#define PAROQUANT_FORMAT_LAYOUT_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/format/packed_format.h"

namespace paroquant::format {

struct Layout {
  FormatKind format;
  const char* name;
  // Behind a module's name in the names of its tensors; the first is that of the codes.
  std::span<const char* const> suffixes;
  std::span<const int> bits;  // that it holds
  bool whole_rows = false;    // does it know groups that are whole rows?
  quant::PackedView (*read)(const io::TensorFolder& tensors, const QuantizationConfig& config,
                            const model::LinearInfo& info);
  std::vector<io::TensorSpec> (*specs)(const model::LinearInfo& info, const PackedShape& shape);
  // The bytes of those, in their order.
  std::vector<std::vector<std::byte>> (*encode)(const quant::QuantizedLinear& linear,
                                                const PackedStyle& style);
  std::string (*obstacle)(const quant::QuantizedLinear& linear, const PackedStyle& style);
  // Is a module one that an entry of QuantizationConfig::kept means? Null: there are no entries.
  bool (*keeps)(const std::string& entry, const std::string& module) = nullptr;
  void (*parse)(const io::JsonObject& settings, QuantizationConfig& config);
  io::Json (*describe)(const QuantizationConfig& config, const ModuleNames& modules);
};

const Layout& ParoquantLayout();
const Layout& AwqLayout();
const Layout& GptqLayout();
const Layout& GptqV2Layout();
const Layout& CompressedTensorsLayout();
const Layout& DenseLayout();  // has no config and is never read as packed

// Throws kUnsupported for a key whose value is none that is handled.
[[noreturn]] void RefuseSetting(const io::JsonObject& settings, const char* key,
                                const std::string& expected, const std::string& found);
// Names and those that engines have for the products into which they join some of them: what they
// look for in a list.
std::vector<std::string> WithJoinedNames(std::vector<std::string> names);
// The entries of a list of names; none if the key is absent. Throws kInput for anything else.
std::vector<std::string> ParseNames(const io::JsonObject& settings, const char* key);
// A key of config.json that holds the bits, one of `allowed`.
int ParseBits(const io::JsonObject& settings, const char* key, std::span<const int> allowed);
// One that holds a group size: a multiple of 8.
int ParseGroupSize(const io::JsonObject& settings, const char* key);

// Under which name the experts of a layer share a rotation tensor; "" for other layers and tensors.
std::string SharedRotationName(const model::LinearInfo& info, std::string_view suffix);

// Why a layer has channels in an order of their own, or "".
std::string OrderObstacle(const quant::QuantizedLinear& linear);
// Why a layer is more than codes, scales, zero points and an order of channels, or "".
std::string RotationObstacle(const quant::QuantizedLinear& linear);
// The same, or that a row of codes, in sequence along K, fills no whole words.
std::string RowObstacle(const quant::QuantizedLinear& linear);

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_LAYOUT_H_
