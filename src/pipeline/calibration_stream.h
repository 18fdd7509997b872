// The calibration sequences on their way through the model, block by block, as the blocks so far
// quantized compute them.
#ifndef PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_
#define PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"
#include "paroquant/model/architecture.h"
#include "paroquant/nn/block.h"
#include "paroquant/runtime/language_model.h"

namespace paroquant::pipeline {

// What is done to the linears of a block that read the same input, before they are applied.
class StageVisitor {
 public:
  virtual ~StageVisitor() = default;
  // True if any of these needs statistics of its input.
  virtual bool Wants(std::span<const model::LinearRole> roles) const = 0;
  // May replace the block's linears of these roles.
  virtual void Visit(std::span<const model::LinearRole> roles,
                     const method::InputStatistics& statistics) = 0;
};

class CalibrationStream {
 public:
  // Sequences of one length. `model` must outlive this.
  CalibrationStream(const runtime::LanguageModel& model,
                    const std::vector<std::vector<int32_t>>& sequences);

  // Moves the stream through `block`, whose name is used in errors. The visitor is called for each
  // stage (q k v, o, gate up, down) with statistics of what the stage reads, given all that was
  // replaced before it.
  void RunBlock(nn::Block& block, const std::string& name, StageVisitor& visitor);

 private:
  // Rows [first, first + batch.rows()) of the stream: some whole sequences.
  struct Chunk {
    int64_t first;
    nn::SequenceBatch batch;
  };

  template <typename Body>
  void ForEachChunk(const Body& body) const;
  // Shows the visitor the input that `read(chunk)` gives, if it wants it.
  template <typename Read>
  void Show(StageVisitor& visitor, std::span<const model::LinearRole> roles,
            const std::string& name, const Read& read) const;
  auto Rows(const Chunk& chunk) { return hidden_.middleRows(chunk.first, chunk.batch.rows()); }

  int64_t sequences_;
  int64_t length_;
  nn::RopeTable rope_;
  Matrix hidden_;  // [sequences * length, hidden]
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_
