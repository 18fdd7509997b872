// "Act order": groups of channels that are no neighbours, as GPTQ and compressed-tensors hold them.
// Their codes lie in the order of the channels, those of a QuantizedLinear in that of the groups.
#ifndef PAROQUANT_FORMAT_CHANNEL_ORDER_H_
#define PAROQUANT_FORMAT_CHANNEL_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "format/module_reader.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::format {

struct OrderNames {
  const char* suffix;   // of the tensor I32 [K]: the group that each channel is in
  const char* setting;  // in config.json, that says that there is an order
};

// QuantizedLinear::order, channels of a group as they come; none if they are neighbours or, as
// compressed-tensors has it, all groups are -1. Only checkpoints with an order need the tensor:
// where config.json says nothing of one, loaders take the channels as they come.
// Throws kInput for a group that there is not, kUnsupported for groups of several sizes, and for an
// order that config.json does not know of, for engines then disagree.
std::vector<int32_t> ReadOrder(const ModuleReader& reader, const OrderNames& names,
                               const QuantizationConfig& config, const model::LinearInfo& info);

// The inverse: the group of each channel.
std::vector<int32_t> GroupOfChannels(const quant::QuantizedLinear& linear);

// Codes [N, K] by channel to codes by position and back; `order` may be none.
std::vector<uint8_t> ToPositions(std::vector<uint8_t> codes, const std::vector<int32_t>& order);
std::vector<uint8_t> ToChannels(std::vector<uint8_t> codes, const std::vector<int32_t>& order);

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_CHANNEL_ORDER_H_
