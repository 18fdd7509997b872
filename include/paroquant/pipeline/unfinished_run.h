// What a folder tells of a quantization run that has not ended, or was stopped before its end.
#ifndef PAROQUANT_PIPELINE_UNFINISHED_RUN_H_
#define PAROQUANT_PIPELINE_UNFINISHED_RUN_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::pipeline {

struct UnfinishedRun {
  bool running = false;            // a process is at work on it now
  int64_t blocks = 0;              // of the model
  int64_t finished_blocks = 0;     // that --resume takes over
  bool overwrite = false;          // what else lies in the folder goes when the run ends
  std::string model;               // absolute path of the source, as it was then
  std::string command;             // as model cards show it: with names in the place of paths
  io::Json fingerprint = nullptr;  // version, recipe, settings, seed, calibration, format, model
  std::string problem;             // why the above can't be read, or ""
};

// Nothing for a folder without such a run.
std::optional<UnfinishedRun> FindUnfinishedRun(const std::filesystem::path& folder);

// Throws kInput, saying how far it is, for a folder with such a run and no model in it yet.
void RequireFinished(const std::filesystem::path& folder);

// A sentence or two: how far it is and how to go on.
std::string Describe(const UnfinishedRun& run);
// {"state": "running|stopped", "blocks", "finished_blocks", "overwrite", "model", "command",
// "fingerprint", "problem"}.
io::Json ToJson(const UnfinishedRun& run);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_UNFINISHED_RUN_H_
