#include "paroquant/pipeline/unfinished_run.h"

#include <fmt/format.h>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/io/folder_lock.h"
#include "paroquant/model/checkpoint.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {
namespace {

// Throws kInput if a key that tells people what the run is has another type.
void CheckWhatIsShown(const io::JsonObject& fingerprint) {
  const io::JsonObject settings = fingerprint.Object("settings");
  fingerprint.Get<std::string>("recipe");
  fingerprint.Get<uint64_t>("seed");
  settings.Get<int>("bits");
  settings.Get<int>("group_size");
}

std::string HowFar(const UnfinishedRun& run) {
  if (!run.problem.empty()) return "an unfinished run of quantize, whose description is damaged";
  return fmt::format("an unfinished run of quantize: {} of {} blocks are finished",
                     run.finished_blocks, run.blocks);
}

const char* HowToGoOn(const UnfinishedRun& run) {
  return run.running ? "It is running now."
                     : "Repeat its command with --resume to go on, or with --overwrite to start "
                       "anew.";
}

}  // namespace

std::optional<UnfinishedRun> FindUnfinishedRun(const std::filesystem::path& folder) {
  if (!HasRunState(folder)) return std::nullopt;
  UnfinishedRun run{.running = io::FolderLock::IsTaken(folder)};
  try {
    const RunDescription description = ReadRunDescription(folder);
    run.blocks = description.blocks;
    run.finished_blocks = CountFinishedBlocks(folder, description);
    run.overwrite = description.overwrite;
    run.model = description.model;
    run.command = description.command;
    run.fingerprint = description.fingerprint;
    CheckWhatIsShown(io::JsonObject(run.fingerprint, folder.string() + ": fingerprint"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    run.problem = error.what();
  }
  return run;
}

void RequireFinished(const std::filesystem::path& folder) {
  if (Exists(folder / model::kConfigFile)) return;
  const std::optional<UnfinishedRun> run = FindUnfinishedRun(folder);
  if (!run) return;
  throw Error(ErrorKind::kInput, {.where = folder.string(),
                                  .expected = "a model",
                                  .found = HowFar(*run),
                                  .hint = HowToGoOn(*run)});
}

std::string Describe(const UnfinishedRun& run) { return HowFar(run) + ". " + HowToGoOn(run); }

io::Json ToJson(const UnfinishedRun& run) {
  return {{"state", run.running ? "running" : "stopped"},
          {"blocks", run.blocks},
          {"finished_blocks", run.finished_blocks},
          {"overwrite", run.overwrite},
          {"model", run.model},
          {"command", run.command},
          {"fingerprint", run.fingerprint},
          {"problem", run.problem}};
}

}  // namespace paroquant::pipeline
