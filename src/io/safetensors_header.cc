#include "io/safetensors_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace paroquant::io {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr size_t kDataAlignment = 8;

// Receives the header token by token. A document tree would take seconds and a gigabyte for the
// million tensors that a header may describe.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  SafetensorsHeader Take() { return std::move(header_); }

  bool start_object(size_t /*count*/) override {
    if (place_ == Place::kFile) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop && tensor_ == kMetadataKey) {
      place_ = Place::kMetadata;
      if (std::exchange(has_metadata_, true)) Fail("one object __metadata__", "two of them");
    } else if (place_ == Place::kTop) {
      entry_ = {.name = tensor_, .shape = {}};
      has_dtype_ = has_shape_ = has_offsets_ = false;
      place_ = Place::kTensor;
    } else {
      FailValue("an object");
    }
    return true;
  }

  bool key(std::string& name) override {
    (place_ == Place::kTop ? tensor_ : field_) = std::move(name);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) FinishTensor();
    place_ = Place::kTop;
    return true;
  }

  bool start_array(size_t /*count*/) override {
    if (place_ != Place::kTensor || (field_ != "shape" && field_ != "data_offsets")) {
      FailValue("a list");
    }
    place_ = Place::kNumbers;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    if (field_ == "shape") {
      MarkFirst(has_shape_);
      entry_.shape = numbers_;
    } else {
      MarkFirst(has_offsets_);
      SetOffsets();
    }
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::kMetadata) {
      if (!header_.metadata.emplace(field_, std::move(value)).second) {
        Fail("each key of __metadata__ once", QuotedTensorName(field_) + " twice");
      }
    } else if (place_ == Place::kTensor && field_ == "dtype") {
      MarkFirst(has_dtype_);
      SetDType(value);
    } else {
      FailValue(QuotedTensorName(value));
    }
    return true;
  }

  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::kNumbers || value > std::numeric_limits<int64_t>::max()) {
      FailValue(fmt::format("the number {}", value));
    }
    numbers_.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool number_integer(int64_t value) override { FailValue(fmt::format("the number {}", value)); }
  bool number_float(double /*value*/, const std::string& text) override {
    FailValue("the number " + text);
  }
  bool boolean(bool value) override { FailValue(value ? "true" : "false"); }
  bool null() override { FailValue("null"); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { FailValue("binary data"); }

  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    throw DamagedFile(file_, "", "a header that is valid JSON",
                      fmt::format("a syntax error at its byte {}", position));
  }

 private:
  enum class Place { kFile, kTop, kMetadata, kTensor, kNumbers };

  [[noreturn]] void Fail(std::string expected, std::string found) const {
    const bool in_tensor = place_ == Place::kTensor || place_ == Place::kNumbers;
    throw DamagedFile(file_, in_tensor ? tensor_ : "", std::move(expected), std::move(found));
  }

  // The value that was just read may not stand where it stands.
  [[noreturn]] void FailValue(const std::string& found) const {
    switch (place_) {
      case Place::kMetadata:
        Fail("strings in __metadata__",
             fmt::format("{} under {}", found, QuotedTensorName(field_)));
      case Place::kNumbers:
        Fail(fmt::format("integers from 0 to 2^63-1 in {}", field_), found);
      case Place::kTensor:
        Fail("a string dtype and the lists shape and data_offsets",
             fmt::format("{} under {}", found, QuotedTensorName(field_)));
      default:
        Fail("an object under " + QuotedTensorName(tensor_), found);
    }
  }

  void MarkFirst(bool& seen) const {
    if (std::exchange(seen, true)) Fail(field_ + " once", "it twice");
  }

  void SetDType(const std::string& name) {
    const std::optional<DType> dtype = DTypeFromName(name);
    if (!dtype) {
      throw Error(ErrorKind::kUnsupported,
                  {.where = fmt::format("{}: tensor {}", file_, QuotedTensorName(tensor_)),
                   .expected = "a dtype from BOOL, U8 to U64, I8 to I64, F8_E4M3, F8_E5M2, F16, "
                               "BF16, F32 and F64",
                   .found = QuotedTensorName(name),
                   .hint = "Convert the model to one of these first, for example to BF16."});
    }
    entry_.dtype = *dtype;
  }

  void SetOffsets() {
    if (numbers_.size() != 2 || numbers_[0] > numbers_[1]) {
      constexpr size_t kShown = 4;
      const size_t shown = std::min(numbers_.size(), kShown);
      Fail("data_offsets [begin, end] with begin <= end",
           fmt::format("[{}{}]", fmt::join(numbers_.begin(), numbers_.begin() + shown, ", "),
                       shown < numbers_.size() ? ", ..." : ""));
    }
    entry_.begin = static_cast<uint64_t>(numbers_[0]);
    entry_.end = static_cast<uint64_t>(numbers_[1]);
  }

  void FinishTensor() {
    for (const auto& [seen, field] :
         {std::pair{has_dtype_, "dtype"}, {has_shape_, "shape"}, {has_offsets_, "data_offsets"}}) {
      if (!seen) Fail(field, "nothing under that key");
    }
    header_.entries.push_back(std::move(entry_));
  }

  const std::string& file_;
  SafetensorsHeader header_;
  Place place_ = Place::kFile;
  std::string tensor_;  // the outer key: a tensor's name or "__metadata__"
  std::string field_;   // the inner key
  std::vector<int64_t> numbers_;
  HeaderEntry entry_;
  bool has_metadata_ = false;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
};

std::string JsonString(const std::string& text) { return nlohmann::json(text).dump(); }

}  // namespace

std::optional<int64_t> TensorBytes(DType dtype, const std::vector<int64_t>& shape) {
  auto bytes = static_cast<int64_t>(DTypeSize(dtype));
  for (const int64_t extent : shape) {
    if (extent != 0 && bytes > std::numeric_limits<int64_t>::max() / extent) return std::nullopt;
    bytes *= extent;
  }
  return bytes;
}

SafetensorsHeader ParseHeader(std::string_view text, const std::string& file) {
  if (text.empty() || text.front() != '{') {
    throw DamagedFile(file, "", "a header that starts with {",
                      text.empty() ? "an empty header" : "another byte");
  }
  // The parser takes a zero byte for the end of its input and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) {
    throw DamagedFile(file, "", "a header that is valid JSON", "a zero byte in it");
  }
  HeaderReader reader(file);
  nlohmann::json::sax_parse(text, &reader);
  return reader.Take();
}

std::string EncodeHeader(const SafetensorsHeader& header) {
  std::string text = "{";
  if (!header.metadata.empty()) {
    text += fmt::format("\"{}\":{}", kMetadataKey, nlohmann::json(header.metadata).dump());
  }
  for (const HeaderEntry& entry : header.entries) {
    if (text.size() > 1) text += ',';
    text += fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        JsonString(entry.name), DTypeName(entry.dtype), fmt::join(entry.shape, ","),
                        entry.begin, entry.end);
  }
  text += '}';
  text.resize((text.size() + kDataAlignment - 1) / kDataAlignment * kDataAlignment, ' ');
  std::array<char, kHeaderLengthBytes> length{};
  for (size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(text.size() >> (8 * i));
  return std::string(length.begin(), length.end()) + text;
}

Error DamagedFile(const std::string& file, std::string_view tensor, std::string expected,
                  std::string found) {
  return Error(
      ErrorKind::kInput,
      {.where =
           tensor.empty() ? file : fmt::format("{}: tensor {}", file, QuotedTensorName(tensor)),
       .expected = std::move(expected),
       .found = std::move(found),
       .hint = "The file is damaged or incomplete; fetch or write it again."});
}

}  // namespace paroquant::io
