// What a quantization run leaves in its folder so that another can go on where it stopped: records
// of what it is, of the calibration text, of each finished block, and now and then of the streams
// of activations that have passed them (docs/reliability.md).
#ifndef PAROQUANT_PIPELINE_RUN_STATE_H_
#define PAROQUANT_PIPELINE_RUN_STATE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/record_file.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/quant/quantized_linear.h"
#include "pipeline/block_record.h"
#include "pipeline/calibration_text.h"

namespace paroquant::pipeline {

// What a run was, as its state tells.
struct RunDescription {
  io::Json fingerprint;  // see Fingerprint
  int64_t blocks = 0;    // of the model
  bool overwrite = false;
  std::string model;    // absolute path of the source
  std::string command;  // see QuantizeCommand; earlier versions did not keep it
};

class RunState {
 public:
  // Keeps the state of a run into `out`, an existing folder that is locked. What an earlier run has
  // left is forgotten, or taken over if `resumes`: records of another fingerprint never are.
  RunState(const std::filesystem::path& out, RunDescription description, bool resumes);
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;
  // Removes the state if it holds nothing that would save work.
  ~RunState();

  // What an earlier run has left, or nothing. A record that is damaged, or of another run, is
  // dropped, which `notes` tells.
  std::optional<CalibrationText> LoadText();
  // Is there a record of this block? It may turn out to be damaged.
  bool HasBlock(int64_t block) const;
  // `plans` are those of all the block's linears.
  std::optional<FinishedBlock> LoadBlock(std::span<const LayerPlan> plans);
  // How many blocks the streams of the record have passed; nothing unless `read`, which is told
  // that number, takes them and returns true.
  using StreamsReader = std::function<bool(int64_t passed, io::Record& streams)>;
  std::optional<int64_t> LoadStreams(const StreamsReader& read);

  // Durable when they return. Throw kSystem if the disk refuses.
  void SaveText(const CalibrationText& text);
  void AddLayer(const LayerReport& report, const quant::QuantizedLinear& linear);
  // All layers since the last block are this block's.
  void FinishBlock(int64_t block, const BlockFacts& facts);
  // In the place of those saved before.
  void SaveStreams(int64_t passed, const std::function<void(io::RecordWriter&)>& write);

  // How much is kept and how to go on, as a sentence; "" if nothing is.
  std::string WhatIsKept() const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  RunState(const std::filesystem::path& out, RunDescription description);
  // Opens a record of this run and hands it to `read`; false if there is none that serves.
  bool Read(const std::filesystem::path& path, const std::function<void(io::Record&)>& read);

  std::filesystem::path folder_;
  RunDescription description_;
  std::optional<io::RecordWriter> writer_;  // of the block at work
  io::Json layers_ = io::Json::array();     // of the block at work
  std::vector<std::string> notes_;
};

// Is there state of a run in this folder?
bool HasRunState(const std::filesystem::path& out);
// What the state tells of its run; throws kInput if its record is missing or damaged.
RunDescription ReadRunDescription(const std::filesystem::path& out);
// The blocks' records that are whole.
int64_t CountFinishedBlocks(const std::filesystem::path& out, const RunDescription& description);
// Throws kSystem if the disk refuses.
void RemoveRunState(const std::filesystem::path& out);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_RUN_STATE_H_
