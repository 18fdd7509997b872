#include "pipeline/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <system_error>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/folder.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr char kStateFolder[] = ".paroquant-state";
constexpr char kDescriptionRecord[] = "run";
constexpr char kTextRecord[] = "text";
constexpr char kStreamsRecord[] = "streams";
constexpr char kFingerprintKey[] = "fingerprint";

constexpr char kBlockRecord[] = "block-";

fs::path BlockRecord(const fs::path& folder, int64_t block) {
  return folder / fmt::format("{}{:05}", kBlockRecord, block);
}

// Records of a run's blocks in the state's folder, whole or not.
std::vector<fs::path> BlockRecords(const fs::path& folder, int64_t blocks) {
  if (!Exists(folder)) return {};
  std::vector<fs::path> records = FolderEntries(folder);
  std::erase_if(records, [&](const fs::path& path) {
    const std::string name = path.filename().string();
    if (!name.starts_with(kBlockRecord)) return true;
    int64_t block = blocks;
    std::from_chars(name.data() + std::strlen(kBlockRecord), name.data() + name.size(), block);
    return block < 0 || block >= blocks || path != BlockRecord(folder, block);
  });
  return records;
}

// Nothing if there is no such file. Throws kInput for a record that is not as it was written, or
// that is of another run.
std::optional<io::Record> OpenRecord(const fs::path& path, const io::Json& fingerprint) {
  std::optional<io::Record> record = io::Record::Open(path);
  if (!record) return record;
  const io::JsonObject description(record->description(), path.string());
  if (description.json().value(kFingerprintKey, io::Json()) == fingerprint) return record;
  throw Error(ErrorKind::kInput, {.where = path.string(),
                                  .expected = "a record of this run",
                                  .found = "one of another run",
                                  .hint = ""});
}

CalibrationText ReadText(io::Record& record, const std::string& where) {
  const io::JsonObject description(record.description(), where);
  CalibrationText text{
      .source = description.Get<std::string>("source"), .sequences = {}, .held_out = {}};
  const auto length = description.Get<uint64_t>("length");
  if (length == 0) description.Fail("length", "1 or more", "0");
  const auto read = [&](const char* key, std::vector<std::vector<int32_t>>& sequences) {
    for (auto left = description.Get<uint64_t>(key); left > 0; --left) {
      sequences.push_back(record.Take<int32_t>(length));
    }
  };
  read("sequences", text.sequences);
  read("held_out", text.held_out);
  record.RequireLeft(0);
  return text;
}

// Makes the folder, without what was never finished in it.
void PrepareFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (error) throw SystemError(folder.string(), "create this folder", error.value());
  for (const fs::path& path : FolderEntries(folder)) {
    if (path.extension() == io::kUnfinishedRecord) RemoveEntry(path);
  }
  SyncFolder(folder.parent_path());
}

}  // namespace

RunState::RunState(const fs::path& out, RunDescription description)
    : folder_(out / kStateFolder), description_(std::move(description)) {}

// Delegates, so that the destructor cleans up after what fails in here.
RunState::RunState(const fs::path& out, RunDescription description, bool resumes)
    : RunState(out, std::move(description)) {
  if (!resumes) RemoveRunState(out);
  PrepareFolder(folder_);
  io::RecordWriter(folder_ / kDescriptionRecord)
      .Commit({{kFingerprintKey, description_.fingerprint},
               {"blocks", description_.blocks},
               {"overwrite", description_.overwrite},
               {"model", description_.model},
               {"command", description_.command}});
}

RunState::~RunState() {
  writer_.reset();
  try {
    std::error_code ignored;
    if (WhatIsKept().empty()) fs::remove_all(folder_, ignored);
  } catch (const std::exception&) {
    // No memory, or a folder that cannot be read: the state stays, for --resume or --overwrite.
  }
}

bool RunState::Read(const fs::path& path, const std::function<void(io::Record&)>& read) {
  try {
    std::optional<io::Record> record = OpenRecord(path, description_.fingerprint);
    if (!record) return false;
    read(*record);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    notes_.push_back(fmt::format("{} It is made again.", error.what()));
    std::error_code ignored;
    fs::remove(path, ignored);
    return false;
  }
}

std::optional<CalibrationText> RunState::LoadText() {
  const fs::path path = folder_ / kTextRecord;
  CalibrationText text;
  if (!Read(path, [&](io::Record& record) { text = ReadText(record, path.string()); })) {
    return std::nullopt;
  }
  return text;
}

bool RunState::HasBlock(int64_t block) const { return Exists(BlockRecord(folder_, block)); }

std::optional<FinishedBlock> RunState::LoadBlock(std::span<const LayerPlan> plans) {
  const fs::path path = BlockRecord(folder_, plans.front().layer);
  FinishedBlock block;
  if (!Read(path, [&](io::Record& record) { block = TakeBlock(record, plans, path.string()); })) {
    return std::nullopt;
  }
  return block;
}

void RunState::SaveText(const CalibrationText& text) {
  io::RecordWriter writer(folder_ / kTextRecord);
  for (const auto* sequences : {&text.sequences, &text.held_out}) {
    for (const auto& sequence : *sequences) writer.Append(std::as_bytes(std::span(sequence)));
  }
  writer.Commit({{kFingerprintKey, description_.fingerprint},
                 {"source", text.source},
                 {"length", text.sequences.front().size()},
                 {"sequences", text.sequences.size()},
                 {"held_out", text.held_out.size()}});
}

void RunState::AddLayer(const LayerReport& report, const quant::QuantizedLinear& linear) {
  if (!writer_) writer_.emplace(BlockRecord(folder_, report.plan.layer));
  layers_.push_back(AppendLayer(report, linear, *writer_));
}

void RunState::FinishBlock(int64_t block, const BlockFacts& facts) {
  if (!writer_)
    writer_.emplace(BlockRecord(folder_, block));  // a block of which no layer is quantized
  io::Json json = {{kFingerprintKey, description_.fingerprint}, {"layers", std::move(layers_)}};
  AddFacts(facts, json);
  writer_->Commit(json);
  writer_.reset();
  layers_ = io::Json::array();
}

std::optional<int64_t> RunState::LoadStreams(const StreamsReader& read) {
  const fs::path path = folder_ / kStreamsRecord;
  bool taken = false;
  int64_t passed = 0;
  const bool whole = Read(path, [&](io::Record& record) {
    passed = io::JsonObject(record.description(), path.string()).Get<int64_t>("blocks");
    taken = read(passed, record);
  });
  return whole && taken ? std::optional(passed) : std::nullopt;
}

void RunState::SaveStreams(int64_t passed, const std::function<void(io::RecordWriter&)>& write) {
  io::RecordWriter writer(folder_ / kStreamsRecord);
  write(writer);
  writer.Commit({{kFingerprintKey, description_.fingerprint}, {"blocks", passed}});
}

std::string RunState::WhatIsKept() const {
  constexpr char kHowToGoOn[] = "repeat the command with --resume to go on.";
  const size_t blocks = BlockRecords(folder_, description_.blocks).size();
  if (blocks > 0) {
    return fmt::format("{} of {} blocks are kept: {}", blocks, description_.blocks, kHowToGoOn);
  }
  if (!Exists(folder_ / kTextRecord)) return "";
  return fmt::format("The calibration text is kept: {}", kHowToGoOn);
}

bool HasRunState(const fs::path& out) { return Exists(out / kStateFolder); }

RunDescription ReadRunDescription(const fs::path& out) {
  const fs::path path = out / kStateFolder / kDescriptionRecord;
  const std::optional<io::Record> record = io::Record::Open(path);
  if (!record) {
    throw Error(ErrorKind::kInput, {.where = path.string(),
                                    .expected = "what the run in this folder is",
                                    .found = "no such file",
                                    .hint = ""});
  }
  const io::JsonObject json(record->description(), path.string());
  return {.fingerprint = json.Object(kFingerprintKey).json(),
          .blocks = json.Get<int64_t>("blocks"),
          .overwrite = json.Get<bool>("overwrite"),
          .model = json.Get<std::string>("model"),
          .command = json.GetOr<std::string>("command", "")};
}

int64_t CountFinishedBlocks(const fs::path& out, const RunDescription& description) {
  int64_t count = 0;
  for (const fs::path& record : BlockRecords(out / kStateFolder, description.blocks)) {
    try {
      if (OpenRecord(record, description.fingerprint)) ++count;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;  // a damaged one does not count
    }
  }
  return count;
}

void RemoveRunState(const fs::path& out) {
  std::error_code error;
  fs::remove_all(out / kStateFolder, error);
  if (error) throw SystemError((out / kStateFolder).string(), "remove this folder", error.value());
}

}  // namespace paroquant::pipeline
