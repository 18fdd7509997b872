#include "text/tokenizer_file.h"

#include <fmt/format.h>

#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "text/component.h"

namespace paroquant::text {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

// Takes the parser's events: those of the tables fill vectors, all others build a tree.
class Reader : public nlohmann::json_sax<io::Json> {
 public:
  explicit Reader(const std::string& where) : where_(where) {}

  TokenizerFile Take() { return std::move(file_); }
  bool has_vocab() const { return has_vocab_; }
  bool has_merges() const { return has_merges_; }
  [[noreturn]] void Fail(const std::string& expected, const std::string& found) const;

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(int64_t value) override { return AddInteger(value); }
  bool number_unsigned(uint64_t value) override { return AddInteger(value); }
  bool number_float(double value, const std::string& /*text*/) override { return Add(value); }
  bool binary(io::Json::binary_t& value) override { return Add(std::move(value)); }
  bool string(std::string& value) override;
  bool key(std::string& value) override;
  bool start_object(size_t /*elements*/) override;
  bool end_object() override;
  bool start_array(size_t /*elements*/) override;
  bool end_array() override;
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    Fail("a tokenizer in JSON", fmt::format("a syntax error at byte {}", position));
  }

 private:
  // Where in the file the parser is. A merge is an array inside the table of merges.
  enum class Region { kSettings, kVocab, kMerges, kMerge };

  template <typename Integer>
  bool AddInteger(Integer value) {
    if (region_ != Region::kVocab) return Add(value);
    // What does not fit becomes negative, which no vocabulary takes.
    file_.vocab.push_back({.content = std::move(key_), .id = static_cast<int64_t>(value)});
    return true;
  }
  bool Add(io::Json value);
  bool Open(io::Json container);
  bool Close();
  bool IsAt(const char* model_key) const;
  void AddMerge(std::string_view text);
  [[noreturn]] void FailTwice(const std::string& key) const {
    Fail("each key once", fmt::format("the key \"{}\" twice in one object", key));
  }
  [[noreturn]] void FailInTable(const std::string& found) const;
  const std::string& where_;
  TokenizerFile file_;
  bool has_vocab_ = false;
  bool has_merges_ = false;
  Region region_ = Region::kSettings;
  std::vector<io::Json*> open_;  // the containers around the parser's place, outermost first
  std::string key_;              // the last one
  std::string outer_key_;        // the last one of the outermost object
  std::vector<std::string> sides_;
  uint64_t meetings_ = 0;  // of keys in the settings, see io::kMaxKeyMeetings
};

bool Reader::string(std::string& value) {
  if (region_ == Region::kMerges) {
    AddMerge(value);
  } else if (region_ == Region::kMerge) {
    sides_.push_back(std::move(value));
  } else {
    Add(std::move(value));
  }
  return true;
}

bool Reader::key(std::string& value) {
  if (region_ == Region::kSettings) {
    meetings_ += open_.back()->size();
    if (meetings_ > io::kMaxKeyMeetings) {
      Fail("settings of fewer keys", fmt::format("an object of {}", open_.back()->size()));
    }
    if (open_.back()->contains(value)) FailTwice(value);
    if (open_.size() == 1) outer_key_ = value;
  }
  key_ = std::move(value);
  if ((has_vocab_ && IsAt("vocab")) || (has_merges_ && IsAt("merges"))) FailTwice(key_);
  return true;
}

bool Reader::start_object(size_t /*elements*/) {
  if (!IsAt("vocab")) return Open(io::Json::object());
  region_ = Region::kVocab;
  return has_vocab_ = true;
}

bool Reader::end_object() {
  if (region_ == Region::kSettings) return Close();
  region_ = Region::kSettings;
  return true;
}

bool Reader::start_array(size_t /*elements*/) {
  if (region_ == Region::kMerges) {
    region_ = Region::kMerge;
    sides_.clear();
    return true;
  }
  if (!IsAt("merges")) return Open(io::Json::array());
  region_ = Region::kMerges;
  return has_merges_ = true;
}

bool Reader::end_array() {
  if (region_ == Region::kSettings) return Close();
  if (region_ == Region::kMerges) {
    region_ = Region::kSettings;
    return true;
  }
  if (sides_.size() != 2) FailInTable(fmt::format("an array of {}", sides_.size()));
  file_.merges.push_back({.left = std::move(sides_[0]), .right = std::move(sides_[1])});
  region_ = Region::kMerges;
  return true;
}

bool Reader::Add(io::Json value) {
  if (region_ != Region::kSettings) FailInTable(value.dump());
  if (open_.empty()) {
    file_.settings = std::move(value);
  } else if (open_.back()->is_array()) {
    open_.back()->push_back(std::move(value));
  } else {
    (*open_.back())[key_] = std::move(value);
  }
  return true;
}

bool Reader::Open(io::Json container) {
  if (open_.size() == kMaxDepth) {
    Fail("a tokenizer in JSON", fmt::format("more than {} levels", kMaxDepth));
  }
  Add(std::move(container));
  if (open_.empty()) {
    open_.push_back(&file_.settings);
  } else {
    io::Json& parent = *open_.back();
    open_.push_back(parent.is_array() ? &parent.back() : &parent[key_]);
  }
  return true;
}

bool Reader::Close() {
  open_.pop_back();
  return true;
}

// True if the next value is that of `model_key` in the object "model".
bool Reader::IsAt(const char* model_key) const {
  return region_ == Region::kSettings && open_.size() == 2 && open_.back()->is_object() &&
         outer_key_ == "model" && key_ == model_key;
}

void Reader::AddMerge(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    FailInTable(fmt::format("\"{}\"", text));
  }
  file_.merges.push_back(
      {.left = std::string(text.substr(0, space)), .right = std::string(text.substr(space + 1))});
}

void Reader::FailInTable(const std::string& found) const {
  if (region_ == Region::kVocab) Fail(fmt::format("an integer id of \"{}\"", key_), found);
  Fail(fmt::format("\"left right\" or [\"left\", \"right\"] as merge {}", file_.merges.size()),
       found);
}

void Reader::Fail(const std::string& expected, const std::string& found) const {
  throw Error(ErrorKind::kInput, {.where = where_,
                                  .expected = expected,
                                  .found = found,
                                  .hint = "The tokenizer is damaged; fetch the model's original."});
}

}  // namespace

TokenizerFile ParseTokenizerFile(std::string_view json, const std::string& where) {
  Reader reader(where);
  // The parser takes a zero byte for the end of its input and would not look at what follows.
  if (json.find('\0') != std::string_view::npos) reader.Fail("a tokenizer in JSON", "a zero byte");
  io::Json::sax_parse(json, &reader);
  TokenizerFile file = reader.Take();
  const io::JsonObject settings(file.settings, where);
  const io::JsonObject model = settings.Object("model");
  // Old files leave the type out; only this kind has merges.
  const auto type = model.GetOr<std::string>("type", reader.has_merges() ? "BPE" : "");
  if (type != "BPE") RefuseValue(model, "type", "BPE");
  if (!reader.has_vocab()) model.Fail("vocab", "an object", "none");
  if (!reader.has_merges()) model.Fail("merges", "an array", "none");
  return file;
}

TokenizerFile ReadTokenizerFile(const std::filesystem::path& path) {
  return ParseTokenizerFile(ReadFile(path, kMaxFileBytes), path.string());
}

}  // namespace paroquant::text
