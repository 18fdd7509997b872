// Regular expressions over UTF-8 text (PCRE2, compiled to machine code).
#ifndef PAROQUANT_TEXT_REGEX_H_
#define PAROQUANT_TEXT_REGEX_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// PCRE2's types; its header stays out of ours.
struct pcre2_real_code_8;
struct pcre2_real_match_data_8;

namespace paroquant::text {

// A half-open range of bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
  std::string_view In(std::string_view text) const { return text.substr(begin, size()); }
  bool operator==(const Span&) const = default;
};

// A compiled pattern; immutable, to be shared by threads.
class Regex {
 public:
  // Compiles a pattern in Oniguruma's syntax. Throws kUnsupported, with `where` as the place.
  Regex(std::string_view pattern, const std::string& where);

  // True if PCRE2 compiles `pattern` (PCRE2's syntax).
  static bool IsValid(const std::string& pattern);

  // One thread's search through one text.
  class Search {
   public:
    // `text` must be valid UTF-8; it and `regex` must outlive this.
    Search(const Regex& regex, std::string_view text);

    // The next match, to the right of the last; an empty one never touches the last one's end.
    // Throws kUnsupported if the pattern needs too many steps on this text.
    std::optional<Span> Next();

   private:
    struct FreeMatchData {
      void operator()(pcre2_real_match_data_8* data) const;
    };

    std::optional<Span> MatchFrom(size_t start, bool jit) const;
    [[noreturn]] void Fail(int error) const;

    const Regex& regex_;
    std::string_view text_;
    std::unique_ptr<pcre2_real_match_data_8, FreeMatchData> match_data_;
    size_t start_ = 0;
    std::optional<size_t> last_end_;
  };

 private:
  struct FreeCode {
    void operator()(pcre2_real_code_8* code) const;
  };
  using Code = std::unique_ptr<pcre2_real_code_8, FreeCode>;

  static Code Compile(const std::string& pattern, std::string& problem);

  std::string where_;
  Code code_;
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_REGEX_H_
