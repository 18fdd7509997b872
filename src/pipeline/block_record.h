// A finished block in a record: its layers packed one after the other, and beside them in JSON what
// is known of them and of the block.
#ifndef PAROQUANT_PIPELINE_BLOCK_RECORD_H_
#define PAROQUANT_PIPELINE_BLOCK_RECORD_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/record_file.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::pipeline {

// A layer as the checkpoint will hold it.
struct FinishedLayer {
  LayerReport report;
  quant::QuantizedLinear linear;
};

// What the summary says of a block beside its layers.
struct BlockFacts {
  std::optional<TuningReport> tuning;
  std::optional<double> held_out_loss;
};

struct FinishedBlock {
  std::vector<FinishedLayer> layers;  // in the order in which they were finished
  BlockFacts facts;
};

// Appends a layer's arrays to a record. What it returns stands in the list "layers" of the record's
// description.
io::Json AppendLayer(const LayerReport& report, const quant::QuantizedLinear& linear,
                     io::RecordWriter& record);
// Adds what is known of the block to the record's description.
void AddFacts(const BlockFacts& facts, io::Json& description);

// The block that a record holds; `plans` are those of all its linears. Throws kInput naming `where`
// for a record of anything else.
FinishedBlock TakeBlock(io::Record& record, std::span<const LayerPlan> plans,
                        const std::string& where);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_BLOCK_RECORD_H_
