#include "text/growth.h"

#include <fmt/format.h>

#include "paroquant/base/error.h"

namespace paroquant::text {

void RequireModestGrowth(size_t before, size_t after) {
  constexpr size_t kFactor = 64;
  constexpr size_t kAlways = size_t{64} << 10;
  if (after <= kAlways || after / kFactor <= before) return;
  throw Error(ErrorKind::kUnsupported,
              {.where = "tokenizer.json",
               .expected = fmt::format("texts that become {} times as long at most", kFactor),
               .found = fmt::format("{} bytes that become more than {}", before, after),
               .hint = "The tokenizer is damaged; fetch the model's original."});
}

}  // namespace paroquant::text
