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
  const int64_t stride = options.stride > 0 ? options.stride : length;
  std::vector<Window> windows;
  for (int64_t start = 0; start + length <= total; start += stride) {
    const auto count = static_cast<int64_t>(windows.size());
    if (options.max_windows > 0 && count == options.max_windows) break;
    const auto slice = tokens.subspan(static_cast<size_t>(start), static_cast<size_t>(length));
    Window window{.tokens = {slice.begin(), slice.end()}};
    if (options.bos) window.tokens.front() = *options.bos;
    // What the windows before have scored already.
    if (start > 0) window.first_scored = std::max<int64_t>(1, length - stride);
    if (options.second_half_only) {
      window.first_scored = std::max(window.first_scored, length / 2 + 1);
    }
    windows.push_back(std::move(window));
  }
  return windows;
}

}  // namespace paroquant::eval
