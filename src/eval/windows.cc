#include <fmt/format.h>

#include <algorithm>

#include "paroquant/base/error.h"
#include "paroquant/eval/perplexity.h"

namespace paroquant::eval {

namespace {

// Why windows of `length` tokens, of which those from first_scored on count, are no use.
Error NothingScored(const WindowOptions& options, int64_t length, int64_t first_scored,
                    int64_t total) {
  const std::string expected = fmt::format("windows of more than {} tokens", first_scored);
  if (length == options.window) {
    return Error(ErrorKind::kUsage, {.where = "--window",
                                     .expected = expected,
                                     .found = fmt::format("{}", length),
                                     .hint = "Nothing would be scored; take longer windows."});
  }
  const bool short_text = length == total;
  return Error(
      ErrorKind::kInput,
      {.where = options.source,
       .expected = expected,
       .found = fmt::format("{} {}", length, short_text ? "in all" : "that the model takes"),
       .hint =
           short_text ? "Give a longer text." : "Check max_position_embeddings in config.json."});
}

}  // namespace

std::vector<Window> CutWindows(std::span<const int32_t> tokens, const WindowOptions& options) {
  if (tokens.size() < 2) {
    throw Error(ErrorKind::kInput, {.where = options.source,
                                    .expected = "at least 2 tokens",
                                    .found = fmt::format("{}", tokens.size()),
                                    .hint = "Give a longer text."});
  }
  const auto total = static_cast<int64_t>(tokens.size());
  const int64_t length = std::min({options.window, options.max_window, total});
  const int64_t stride = options.stride > 0 ? std::min(options.stride, total) : length;
  std::vector<Window> windows;
  const int64_t first_scored = options.second_half_only ? length / 2 + 1 : 1;
  if (first_scored >= length) throw NothingScored(options, length, first_scored, total);
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
