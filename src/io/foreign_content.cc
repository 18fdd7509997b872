#include "io/foreign_content.h"

#include <algorithm>
#include <cctype>

namespace paroquant::io {
namespace {

bool StartsWithWord(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text.substr(0, lower_case.size()), lower_case, {},
                            [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

std::optional<ForeignContent> RecogniseForeignContent(std::string_view start) {
  if (start.starts_with("version https://git-lfs")) {
    return ForeignContent{"a Git LFS pointer in place of the file",
                          "Fetch the file itself with git lfs pull."};
  }
  const std::string_view text =
      start.substr(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  if (StartsWithWord(text, "<!doctype html") || StartsWithWord(text, "<html")) {
    return ForeignContent{"a web page",
                          "The download got a page in place of the file; fetch it again."};
  }
  return std::nullopt;
}

}  // namespace paroquant::io
