#include "format/channel_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"

namespace paroquant::format {
namespace {

// Calls visit(index by channel, index by position) for all codes, row by row.
template <typename Visit>
void ForEachCode(size_t codes, const std::vector<int32_t>& order, const Visit& visit) {
  const size_t channels = order.size();
  ParallelFor(static_cast<int64_t>(codes / channels), [&](int64_t row) {
    const size_t first = static_cast<size_t>(row) * channels;
    for (size_t i = 0; i < channels; ++i) visit(first + static_cast<size_t>(order[i]), first + i);
  });
}

[[noreturn]] void Refuse(const io::TensorView& groups, std::string expected, std::string found,
                         std::string hint) {
  throw Error(ErrorKind::kUnsupported,
              {.where = fmt::format("{}: tensor \"{}\"", groups.file.string(), groups.name),
               .expected = std::move(expected),
               .found = std::move(found),
               .hint = std::move(hint)});
}

// How many channels each group has; group_size each.
void RequireEqualGroups(const io::TensorView& tensor, const std::vector<int32_t>& group_of,
                        size_t group_size) {
  std::vector<size_t> sizes(group_of.size() / group_size);
  for (const int32_t group : group_of) {
    if (group < 0 || std::cmp_greater_equal(group, sizes.size())) {
      ModuleReader::Fail(tensor, fmt::format("groups of 0 to {}", sizes.size() - 1),
                         fmt::format("group {}", group));
    }
    ++sizes[static_cast<size_t>(group)];
  }
  const auto other = std::ranges::find_if(sizes, [&](size_t size) { return size != group_size; });
  if (other == sizes.end()) return;
  Refuse(tensor, fmt::format("{} channels in each group", group_size),
         fmt::format("{} in group {}", *other, other - sizes.begin()),
         "Checkpoints with groups of several sizes are not read; quantize again.");
}

}  // namespace

std::vector<int32_t> ReadOrder(const ModuleReader& reader, const OrderNames& names,
                               const QuantizationConfig& config, const model::LinearInfo& info) {
  if (!config.act_order && reader.Find(names.suffix) == nullptr) return {};
  const io::TensorView& groups = reader.Get(names.suffix, io::DType::kI32, {info.in_features});
  const std::vector<int32_t> group_of = CopyElements<int32_t>(groups);
  if (std::ranges::is_sorted(group_of) && group_of.back() == -1) return {};
  RequireEqualGroups(groups, group_of, static_cast<size_t>(GroupSizeOf(config, info)));
  if (std::ranges::is_sorted(group_of)) return {};
  if (!config.act_order) {
    Refuse(groups, "channels in the order of their groups", "another order",
           fmt::format("Engines do not agree on what this means. If the checkpoint was made with "
                       "act order, set {} in config.json.",
                       names.setting));
  }
  std::vector<int32_t> order(group_of.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::ranges::stable_sort(order, {},
                           [&](int32_t channel) { return group_of[static_cast<size_t>(channel)]; });
  return order;
}

std::vector<int32_t> GroupOfChannels(const quant::QuantizedLinear& linear) {
  std::vector<int32_t> group_of(static_cast<size_t>(linear.in_features));
  for (size_t i = 0; i < group_of.size(); ++i) {
    const size_t channel = linear.order.empty() ? i : static_cast<size_t>(linear.order[i]);
    group_of[channel] = static_cast<int32_t>(i / static_cast<size_t>(linear.group_size));
  }
  return group_of;
}

std::vector<uint8_t> ToPositions(std::vector<uint8_t> codes, const std::vector<int32_t>& order) {
  if (order.empty()) return codes;
  std::vector<uint8_t> result(codes.size());
  ForEachCode(codes.size(), order,
              [&](size_t channel, size_t position) { result[position] = codes[channel]; });
  return result;
}

std::vector<uint8_t> ToChannels(std::vector<uint8_t> codes, const std::vector<int32_t>& order) {
  if (order.empty()) return codes;
  std::vector<uint8_t> result(codes.size());
  ForEachCode(codes.size(), order,
              [&](size_t channel, size_t position) { result[channel] = codes[position]; });
  return result;
}

}  // namespace paroquant::format
