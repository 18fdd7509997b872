// What an unfinished run has left.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/base/checksum.h"
#include "paroquant/io/json.h"
#include "paroquant/io/record_file.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "pipeline/run_state.h"
#include "tests/fuzz/input_folder.h"
#include "tests/fuzz/targets.h"

namespace paroquant::fuzz {
namespace {

constexpr char kStateFolder[] = ".paroquant-state";
constexpr int64_t kFeatures = 32;

// `input` with a size and a checksum in its last bytes that fit, as no mutation would find them.
std::string Sealed(std::string_view input) {
  std::string bytes(input);
  const uint64_t size = bytes.size();
  if (size < sizeof(uint64_t) + sizeof(uint32_t)) return bytes;
  char* const sums = bytes.data() + size - sizeof(uint32_t);
  std::memcpy(sums - sizeof(size), &size, sizeof(size));
  const uint32_t checksum = Crc32(std::as_bytes(std::span(bytes).first(size - sizeof(uint32_t))));
  std::memcpy(sums, &checksum, sizeof(checksum));
  return bytes;
}

void ReadBytes(const std::filesystem::path& path) {
  if (auto record = io::Record::Open(path)) {
    std::vector<int32_t> values(4);
    record->Take(values);
    record->RequireLeft(0);
  }
}

// A block of one layer.
pipeline::LayerPlan Plan() {
  return {.info = {.name = "up", .out_features = kFeatures, .in_features = kFeatures},
          .quantized = true,
          .reason = {},
          .group_size = static_cast<int>(kFeatures)};
}

}  // namespace

// The first byte chooses the record. Those of a run: JSON, a line end, data.
void ReadRecords(std::string_view input) {
  static const InputFolder folder;
  if (input.empty()) return;
  const char kind = input.front();
  input.remove_prefix(1);
  if (kind == 'r') return ReadBytes(folder.Write("record", Sealed(input)));
  const size_t end = std::min(input.find('\n'), input.size());
  const io::Json description = io::ParseJson(input.substr(0, end), "record");
  const auto data = std::as_bytes(std::span(input.substr(std::min(end + 1, input.size()))));
  std::filesystem::create_directory(folder.path() / kStateFolder);
  const auto write = [&](const char* name) {
    io::RecordWriter writer(folder.path() / kStateFolder / name);
    writer.Append(data);
    writer.Commit(description);
  };
  const pipeline::RunDescription run{.fingerprint = nullptr, .blocks = 1};
  if (kind == 't') {
    pipeline::RunState state(folder.path(), run, /*resumes=*/true);
    write("text");
    state.LoadText();
  } else if (kind == 'b') {
    pipeline::RunState state(folder.path(), run, /*resumes=*/true);
    write("block-00000");
    const std::array plans{Plan()};
    state.LoadBlock(plans);
  } else {
    write("run");
    if (const auto found = pipeline::FindUnfinishedRun(folder.path())) {
      pipeline::Describe(*found);
      pipeline::ToJson(*found);
    }
  }
  std::filesystem::remove_all(folder.path() / kStateFolder);
}

}  // namespace paroquant::fuzz
