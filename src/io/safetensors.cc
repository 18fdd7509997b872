#include "paroquant/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

#include "io/foreign_content.h"
#include "io/safetensors_header.h"

namespace paroquant::io {
namespace {

constexpr size_t kShownNameLength = 160;

struct DTypeRow {
  DType dtype;
  const char* name;
  size_t size;
};

// In the order of the enumeration.
constexpr std::array<DTypeRow, 15> kDTypes{{{DType::kBool, "BOOL", 1},
                                            {DType::kU8, "U8", 1},
                                            {DType::kI8, "I8", 1},
                                            {DType::kI16, "I16", 2},
                                            {DType::kU16, "U16", 2},
                                            {DType::kF16, "F16", 2},
                                            {DType::kBF16, "BF16", 2},
                                            {DType::kI32, "I32", 4},
                                            {DType::kU32, "U32", 4},
                                            {DType::kF32, "F32", 4},
                                            {DType::kI64, "I64", 8},
                                            {DType::kU64, "U64", 8},
                                            {DType::kF64, "F64", 8},
                                            {DType::kF8E4M3, "F8_E4M3", 1},
                                            {DType::kF8E5M2, "F8_E5M2", 1}}};

// The two parts of a file after its length field.
struct Sections {
  std::string_view header;
  std::span<const std::byte> data;
};

Sections Split(std::span<const std::byte> bytes, const std::string& file) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto foreign = RecogniseForeignContent(text)) {
    throw Error(ErrorKind::kInput, {.where = file,
                                    .expected = "a safetensors file",
                                    .found = foreign->what,
                                    .hint = foreign->hint});
  }
  if (bytes.size() < kHeaderLengthBytes) {
    throw DamagedFile(file, "", "a safetensors file, at least 8 bytes long",
                      fmt::format("{} bytes", bytes.size()));
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kHeaderLengthBytes; ++i)
    length |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  const auto rest = bytes.subspan(kHeaderLengthBytes);
  if (length > kMaxSafetensorsHeader || length > rest.size()) {
    throw DamagedFile(
        file, "",
        fmt::format("a header of at most {} bytes", std::min(kMaxSafetensorsHeader, rest.size())),
        fmt::format("a header length of {}", length));
  }
  return {{reinterpret_cast<const char*>(rest.data()), length}, rest.subspan(length)};
}

void CheckSize(const HeaderEntry& entry, const std::string& file) {
  const std::optional<int64_t> size = TensorBytes(entry.dtype, entry.shape);
  if (!size) {
    throw DamagedFile(file, entry.name, "a shape of less than 2^63 bytes", "a bigger one");
  }
  const uint64_t stored = entry.end - entry.begin;
  if (static_cast<uint64_t>(*size) != stored) {
    throw DamagedFile(file, entry.name,
                      fmt::format("{} bytes of data for its shape and dtype", *size),
                      fmt::format("{} bytes between its data_offsets", stored));
  }
}

// The tensors must cover the data from its first byte to its last, each byte once.
void CheckCover(const std::vector<HeaderEntry>& sorted, uint64_t data_size,
                const std::string& file) {
  uint64_t position = 0;
  for (const HeaderEntry& entry : sorted) {
    if (entry.begin != position) {
      throw DamagedFile(
          file, entry.name,
          fmt::format("data that starts at {}, where the tensor before ends", position),
          fmt::format("{} at {}", entry.begin < position ? "an overlap" : "a hole", entry.begin));
    }
    if (entry.end > data_size) {
      throw DamagedFile(file, entry.name, fmt::format("data within the file's {} bytes", data_size),
                        fmt::format("data up to byte {}", entry.end));
    }
    position = entry.end;
  }
  if (position != data_size) {
    throw DamagedFile(file, "", fmt::format("{} bytes of tensor data", position),
                      fmt::format("{} bytes", data_size));
  }
}

}  // namespace

const char* DTypeName(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  const auto row = std::find_if(kDTypes.begin(), kDTypes.end(),
                                [name](const DTypeRow& known) { return known.name == name; });
  if (row == kDTypes.end()) return std::nullopt;
  return row->dtype;
}

size_t DTypeSize(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].size; }

int64_t TensorView::elements() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::string QuotedTensorName(std::string_view name) {
  std::string shown(name.substr(0, kShownNameLength));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return fmt::format("\"{}{}\"", shown, name.size() > kShownNameLength ? "..." : "");
}

SafetensorsFile SafetensorsFile::Open(const std::filesystem::path& path) {
  SafetensorsFile result(path);
  const std::string file = path.string();
  const Sections sections = Split(result.file_.bytes(), file);
  SafetensorsHeader header = ParseHeader(sections.header, file);
  std::vector<HeaderEntry>& entries = header.entries;
  // Stable, so that empty tensors at one place keep the header's order.
  std::stable_sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  for (const HeaderEntry& entry : entries) CheckSize(entry, file);
  CheckCover(entries, sections.data.size(), file);

  result.metadata_ = std::move(header.metadata);
  result.tensors_.reserve(entries.size());
  result.index_.reserve(entries.size());
  for (HeaderEntry& entry : entries) {
    const auto bytes = sections.data.subspan(entry.begin, entry.end - entry.begin);
    result.tensors_.push_back(
        {std::move(entry.name), entry.dtype, std::move(entry.shape), bytes, path});
    const std::string& name = result.tensors_.back().name;
    if (!result.index_.emplace(name, result.index_.size()).second) {
      throw DamagedFile(file, name, "each tensor once", "two of that name");
    }
  }
  return result;
}

const TensorView* SafetensorsFile::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace paroquant::io
