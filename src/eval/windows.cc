#include <fmt/format.h>

#include <algorithm>

#include "paroquant/base/error.h"
#include "paroquant/eval/perplexity.h"

namespace paroquant::eval {

std::vector<Window> CutWindows(std::span<const int32_t> tokens, const WindowOptions& options) {
  if (tokens.size() < 2) {
    throw Error(ErrorKind::kInput, {.where = "evaluation text",
                                    .expected = "at least 2 tokens",
                                    .found = fmt::format("{}", tokens.size()),
                                    .hint = "Give a longer text."});
  }
  const auto total = static_cast<int64_t>(tokens.size());
  const int64_t length = std::min(options.window, total);
  const int64_t stride = options.stride > 0 ? std::min(options.stride, total) : length;
  std::vector<Window> windows;
  const int64_t first_scored = options.second_half_only ? length / 2 + 1 : 1;
  if (first_scored >= length) {
    throw Error(ErrorKind::kUsage, {.where = "window",
                                    .expected = fmt::format("more than {} tokens", first_scored),
                                    .found = fmt::format("{}", length),
                                    .hint = "Nothing would be scored; take longer windows."});
  }
  for (int64_t start = 0; start <= total - length; start += stride) {
    const auto count = static_cast<int64_t>(windows.size());
    if (options.max_windows > 0 && count == options.max_windows) break;
    const auto slice = tokens.subspan(static_cast<size_t>(start), static_cast<size_t>(length));
    Window window{.tokens = {slice.begin(), slice.end()}};
    if (options.bos) window.tokens.front() = *options.bos;
    // What the windows before have scored already.
    window.first_scored = start > 0 ? std::max(first_scored, length - stride) : first_scored;
    windows.push_back(std::move(window));
  }
  return windows;
}

}  // namespace paroquant::eval
