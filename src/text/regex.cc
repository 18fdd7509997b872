#include "text/regex.h"

#include <new>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include "paroquant/base/error.h"
#include "text/regex_syntax.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

std::string Message(int error) {
  PCRE2_UCHAR8 buffer[256];
  pcre2_get_error_message_8(error, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

PCRE2_SPTR8 Units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR8>(text.data()); }

}  // namespace

void Regex::FreeCode::operator()(pcre2_real_code_8* code) const { pcre2_code_free_8(code); }

void Regex::Search::FreeMatchData::operator()(pcre2_real_match_data_8* data) const {
  pcre2_match_data_free_8(data);
}

Regex::Code Regex::Compile(const std::string& pattern, std::string& problem) {
  const std::unique_ptr<pcre2_compile_context_8, decltype(&pcre2_compile_context_free_8)> context(
      pcre2_compile_context_create_8(nullptr), &pcre2_compile_context_free_8);
  if (context == nullptr) throw std::bad_alloc();
  pcre2_set_newline_8(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  size_t offset = 0;
  Code code(pcre2_compile_8(Units(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                            &error, &offset, context.get()));
  if (code == nullptr) {
    if (error == PCRE2_ERROR_HEAP_FAILED) throw std::bad_alloc();
    problem = fmt::format("\"{}\" ({} at byte {})", pattern, Message(error), offset);
  }
  return code;
}

bool Regex::IsValid(const std::string& pattern) {
  std::string problem;
  return Compile(pattern, problem) != nullptr;
}

Regex::Regex(std::string_view pattern, const std::string& where) : where_(where) {
  std::string problem;
  code_ = Compile(TranslateToPcre2(pattern, where), problem);
  if (code_ == nullptr) {
    throw Error(ErrorKind::kUnsupported, {.where = where,
                                          .expected = "a regular expression",
                                          .found = problem,
                                          .hint = "The pattern is damaged or of an unknown kind."});
  }
  // Without a compiler for this processor the interpreter gives the same matches.
  pcre2_jit_compile_8(code_.get(), PCRE2_JIT_COMPLETE);
}

Regex::Search::Search(const Regex& regex, std::string_view text)
    : regex_(regex),
      text_(text),
      match_data_(pcre2_match_data_create_from_pattern_8(regex.code_.get(), nullptr)) {
  if (match_data_ == nullptr) throw std::bad_alloc();
}

std::optional<Span> Regex::Search::Next() {
  while (start_ <= text_.size()) {
    const std::optional<Span> match = MatchFrom(start_, /*jit=*/true);
    if (!match.has_value()) break;
    const bool empty = match->size() == 0;
    start_ = match->end;
    if (empty) start_ += start_ < text_.size() ? Utf8Length(text_[start_]) : 1;
    if (empty && last_end_ == match->end) continue;
    last_end_ = match->end;
    return match;
  }
  start_ = text_.size() + 1;
  return std::nullopt;
}

std::optional<Span> Regex::Search::MatchFrom(size_t start, bool jit) const {
  const uint32_t options = PCRE2_NO_UTF_CHECK | (jit ? 0U : PCRE2_NO_JIT);
  const int result = pcre2_match_8(regex_.code_.get(), Units(text_), text_.size(), start, options,
                                   match_data_.get(), nullptr);
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  // Machine code keeps its backtracking on a small stack, the interpreter on the heap.
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) return MatchFrom(start, /*jit=*/false);
  if (result < 0) Fail(result);
  const size_t* offsets = pcre2_get_ovector_pointer_8(match_data_.get());
  return Span{.begin = offsets[0], .end = offsets[1]};
}

void Regex::Search::Fail(int error) const {
  if (error == PCRE2_ERROR_NOMEMORY) throw std::bad_alloc();
  throw Error(ErrorKind::kUnsupported,
              {.where = regex_.where_,
               .expected = "a text the pattern can be matched against",
               .found = fmt::format("\"{}\" from byte {} on", Message(error), start_),
               .hint = "Cut the text into shorter documents."});
}

}  // namespace paroquant::text
