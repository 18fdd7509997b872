#include "text/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>

#include "paroquant/base/error.h"

namespace paroquant::text {
namespace {

constexpr int64_t kMaxTokens = int64_t{1} << 24;
constexpr int64_t kMaxGaps = int64_t{1} << 16;  // and three for each token

Error TokenError(const std::string& where, std::string_view token, const std::string& expected,
                 const std::string& found) {
  return Error(ErrorKind::kInput,
               {.where = fmt::format("{}: \"{}\"", where, token),
                .expected = expected,
                .found = found,
                .hint = "The tokenizer is damaged; fetch the model's original."});
}

}  // namespace

void Vocabulary::Reserve(size_t tokens) {
  ids_.reserve(tokens);
  tokens_.reserve(tokens);
  end_ = std::min(kMaxTokens, kMaxGaps + 4 * static_cast<int64_t>(tokens));
}

void Vocabulary::Add(std::string_view token, int64_t id, const std::string& where) {
  if (id < 0 || id >= end_) {
    throw TokenError(where, token, fmt::format("an id in [0, {})", end_), fmt::format("{}", id));
  }
  const auto narrow = static_cast<int32_t>(id);
  if (Has(narrow) && Token(narrow) != token) {
    throw TokenError(where, token, "an id of its own",
                     fmt::format("the id {} of \"{}\"", id, Token(narrow)));
  }
  const auto [entry, is_new] = ids_.try_emplace(std::string(token), narrow);
  if (entry->second != narrow) {
    throw TokenError(where, token, fmt::format("the id {} it has already", entry->second),
                     fmt::format("{}", id));
  }
  if (id >= size()) tokens_.resize(static_cast<size_t>(id) + 1);
  tokens_[static_cast<size_t>(id)] = entry->first;
}

std::optional<int32_t> Vocabulary::Find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::string_view Vocabulary::Token(int32_t id) const {
  return id >= 0 && id < size() ? tokens_[static_cast<size_t>(id)] : std::string_view();
}

bool Vocabulary::Has(int32_t id) const { return Token(id).data() != nullptr; }

}  // namespace paroquant::text
