#include "paroquant/io/json.h"

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "io/foreign_content.h"
#include "io/json_line.h"
#include "paroquant/base/file.h"
#include "paroquant/base/nearest_word.h"
#include "paroquant/io/asked_keys.h"

namespace paroquant::io {
namespace {

constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
constexpr size_t kExcerptLength = 60;

Error JsonError(const std::string& where, const std::string& found,
                std::string hint = "The file is damaged or no JSON; fetch it again.") {
  return Error(ErrorKind::kInput,
               {.where = where, .expected = "valid JSON", .found = found, .hint = std::move(hint)});
}

template <typename AnyJson>
AnyJson Parse(std::string_view text, const std::string& where) {
  // The parser takes a zero byte for the end of its input and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) throw JsonError(where, "a zero byte");
  if (const auto foreign = RecogniseForeignContent(text)) {
    throw JsonError(where, foreign->what, foreign->hint);
  }
  using Event = typename AnyJson::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  uint64_t meetings = 0;
  const auto check = [&](int depth, Event event, AnyJson& parsed) {
    if (depth > kMaxDepth) throw JsonError(where, fmt::format("more than {} levels", kMaxDepth));
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.template get_ref<const std::string&>();
      meetings += keys.back().size();
      if (std::is_same_v<AnyJson, Json> && meetings > kMaxKeyMeetings) {
        throw JsonError(where, fmt::format("an object of {} keys or more", keys.back().size()),
                        "No such file has so many; fetch it again.");
      }
      if (!keys.back().insert(key).second) {
        throw JsonError(where, fmt::format("the key \"{}\" twice in one object", key));
      }
    }
    return true;
  };
  try {
    return AnyJson::parse(text, check);
  } catch (const typename AnyJson::parse_error& error) {
    // `where` names the line of a text that is but one.
    const bool one_line = text.find('\n') == std::string_view::npos;
    throw JsonError(
        where, fmt::format("a syntax error at byte {}{}", error.byte,
                           one_line ? "" : fmt::format(", in line {}", LineAt(text, error.byte))));
  } catch (const typename AnyJson::out_of_range&) {
    throw JsonError(where, "a number that no double can hold");
  }
}

}  // namespace

Json ParseJson(std::string_view text, const std::string& where) { return Parse<Json>(text, where); }

SortedJson ParseSortedJson(std::string_view text, const std::string& where) {
  return Parse<SortedJson>(text, where);
}

Json ReadJsonFile(const std::filesystem::path& path) {
  return ParseJson(ReadFile(path, kMaxFileBytes), path.string());
}

JsonObject::JsonObject(const Json& value, std::string where, AskedKeys* asked)
    : value_(value), where_(std::move(where)), asked_(asked) {
  if (!value.is_object()) {
    throw Error(ErrorKind::kInput,
                {.where = where_,
                 .expected = "an object",
                 .found = Excerpt(value),
                 .hint = "Is this the right file? Such data looks like {\"key\": value}."});
  }
}

bool JsonObject::Has(const char* key) const {
  if (asked_ != nullptr) asked_->Add(where_, key);
  const auto found = value_.find(key);
  return found != value_.end() && !found->is_null();
}

JsonObject JsonObject::Object(const char* key) const {
  if (!Has(key)) FailAbsent(key, "an object");
  return {value_.at(key), PlaceOf(where_, key), asked_};
}

void JsonObject::Fail(const char* key, const std::string& expected,
                      const std::string& found) const {
  throw Error(ErrorKind::kInput, {.where = PlaceOf(where_, key),
                                  .expected = expected,
                                  .found = found,
                                  .hint = "Compare with the model's original file."});
}

void JsonObject::FailAbsent(const char* key, const std::string& expected) const {
  std::vector<std::string> keys;
  for (const auto& [name, value] : value_.items()) keys.push_back(name);
  constexpr size_t kMostTypos = 2;  // more may be another key
  const std::string nearest = NearestWord(key, keys, kMostTypos);
  Fail(key, expected, nearest.empty() ? "nothing" : "nothing, but a key " + nearest);
}

std::string JsonObject::Excerpt(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kExcerptLength) text.replace(kExcerptLength, std::string::npos, "...");
  return text;
}

}  // namespace paroquant::io
