// The tokens of a tokenizer and their ids.
#ifndef PAROQUANT_TEXT_VOCABULARY_H_
#define PAROQUANT_TEXT_VOCABULARY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace paroquant::text {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// A map of strings that finds string_views without a copy.
template <typename Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;  // tokens_ points into ids_
  Vocabulary& operator=(const Vocabulary&) = delete;

  // Makes room for so many tokens. Their ids may have gaps, but not so many that a few tokens could
  // ask for a large table.
  void Reserve(size_t tokens);
  // Adds a token, one of those that were reserved for. Adding it again with the same id changes
  // nothing. Throws kInput, with `where` as the place, if the id is out of range, the token has
  // another id, or the id another token.
  void Add(std::string_view token, int64_t id, const std::string& where);

  std::optional<int32_t> Find(std::string_view token) const;
  // Empty for an id without a token.
  std::string_view Token(int32_t id) const;
  bool Has(int32_t id) const;
  // The highest id + 1.
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }

 private:
  int64_t end_ = 0;  // of the ids that are allowed
  StringMap<int32_t> ids_;
  std::vector<std::string_view> tokens_;  // by id; data() is null where there is none
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_VOCABULARY_H_
