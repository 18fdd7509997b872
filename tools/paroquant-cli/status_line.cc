#include "status_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "paroquant/base/memory_use.h"
#include "paroquant/base/quantity_text.h"

namespace paroquant::cli {
namespace {

constexpr std::string_view kSeparator = ", ";
// Narrower terminals have better use for the room that the phase's name takes.
constexpr size_t kColumnsForPhase = 60;

// The most important first. A note is several parts in one.
std::vector<std::string> Parts(const Status& status) {
  std::vector<std::string> parts = {status.position};
  if (status.left) parts.push_back(Duration(*status.left) + " left");
  for (std::string_view rest = status.note; !rest.empty();) {
    const size_t end = rest.find(kSeparator);
    parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + kSeparator.size());
  }
  parts.push_back("memory " + ByteCount(ResidentMemory()));
  parts.push_back(Duration(status.elapsed) + " elapsed");
  return parts;
}

}  // namespace

std::string PlainLine(const Status& status) {
  return fmt::format("{}: {}", status.phase, fmt::join(Parts(status), kSeparator));
}

std::string ShortLine(const Status& status, size_t columns) {
  std::string line = columns < kColumnsForPhase ? "" : status.phase + ": ";
  const size_t start = line.size();
  for (const std::string& part : Parts(status)) {
    const bool first = line.size() == start;
    const size_t length = part.size() + (first ? 0 : kSeparator.size());
    if (line.size() + length > columns) continue;
    if (!first) line += kSeparator;
    line += part;
  }
  return line;
}

std::string MemoryBounds(uint64_t budget) {
  std::string text = "peak memory " + ByteCount(PeakResidentMemory());
  if (budget > 0) {
    text += fmt::format(", budget for activations {}", ByteCount(static_cast<int64_t>(budget)));
  }
  return text;
}

}  // namespace paroquant::cli
