#include "pipeline/block_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "paroquant/quant/packing.h"
#include "pipeline/report_json.h"

namespace paroquant::pipeline {
namespace {

// The arrays of a packed layer, in the order in which records hold them.
template <typename Packed, typename Visit>
void VisitArrays(Packed& packed, const Visit& visit) {
  visit(packed.qweight);
  visit(packed.qzeros);
  visit(packed.scales);
  visit(packed.channel_scales);
  visit(packed.theta);
  visit(packed.pairs);
}

// As large as a layer is by its plan.
quant::PackedLinear Sized(const LayerPlan& plan, int rounds) {
  const auto k = static_cast<size_t>(plan.info.in_features);
  const auto n = static_cast<size_t>(plan.info.out_features);
  const size_t words = n * static_cast<size_t>(plan.bits) / 32;
  const size_t groups = k / static_cast<size_t>(plan.group_size);
  const auto rotations = static_cast<size_t>(rounds);
  return {.out_features = plan.info.out_features,
          .in_features = plan.info.in_features,
          .bits = plan.bits,
          .group_size = plan.group_size,
          .rounds = rounds,
          .qweight = std::vector<uint32_t>(k * words),
          .qzeros = std::vector<uint32_t>(groups * words),
          .scales = std::vector<uint16_t>(groups * n),
          .channel_scales = std::vector<uint16_t>(k),
          .theta = std::vector<uint16_t>(rotations * k / 2),
          .pairs = std::vector<int16_t>(rotations * k)};
}

FinishedLayer ReadLayer(io::Record& record, const io::JsonObject& json, const LayerPlan& plan) {
  const int rounds = json.Get<int>("rounds");
  if (rounds < 0 || rounds > 16) json.Fail("rounds", "0 to 16", std::to_string(rounds));
  FinishedLayer layer{.report = ParseLayerReport(json, plan), .linear = {}};
  quant::PackedLinear packed = Sized(plan, rounds);
  VisitArrays(packed, [&](auto& values) { record.Take(values); });
  layer.linear = quant::Unpack(packed, json.where());
  return layer;
}

// The plan of a layer that is to be quantized.
const LayerPlan& FindPlan(std::span<const LayerPlan> plans, const io::JsonObject& json) {
  const auto name = json.Get<std::string>("name");
  for (const LayerPlan& plan : plans) {
    if (plan.quantized && plan.info.name == name) return plan;
  }
  json.Fail("name", "a layer of the block", name);
}

}  // namespace

FinishedBlock TakeBlock(io::Record& record, std::span<const LayerPlan> plans,
                        const std::string& where) {
  const io::JsonObject description(record.description(), where);
  FinishedBlock block;
  for (const io::Json& entry : ListUnder(description, "layers")) {
    const io::JsonObject json(entry, where + ": layers");
    block.layers.push_back(ReadLayer(record, json, FindPlan(plans, json)));
  }
  record.RequireLeft(0);
  const auto expected = std::ranges::count_if(plans, &LayerPlan::quantized);
  if (std::ssize(block.layers) != expected) {
    description.Fail("layers", fmt::format("{}", expected), fmt::format("{}", block.layers.size()));
  }
  if (description.Has("tuning"))
    block.facts.tuning = ParseTuningReport(description.Object("tuning"));
  block.facts.held_out_loss = OptionalNumber<double>(description, "held_out_loss");
  return block;
}

io::Json AppendLayer(const LayerReport& report, const quant::QuantizedLinear& linear,
                     io::RecordWriter& record) {
  assert(linear.order.empty());  // records have no place for one, and no method makes it
  const quant::PackedLinear packed = quant::Pack(linear, report.plan.info.name);
  VisitArrays(packed, [&](const auto& values) { record.Append(std::as_bytes(std::span(values))); });
  io::Json json = LayerJson(report);
  json["rounds"] = packed.rounds;
  json["seconds"] = report.seconds;
  if (report.outliers) json["outliers"] = OutliersJson(*report.outliers);
  return json;
}

void AddFacts(const BlockFacts& facts, io::Json& description) {
  if (facts.tuning) {
    description["tuning"] = TuningJson(*facts.tuning);
    description["tuning"]["seconds"] = facts.tuning->seconds;
  }
  if (facts.held_out_loss) description["held_out_loss"] = *facts.held_out_loss;
}

}  // namespace paroquant::pipeline
