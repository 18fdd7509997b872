// Steps of a tokenizer that make a text longer. A file of a few lines could double it fifty times.
#ifndef PAROQUANT_TEXT_GROWTH_H_
#define PAROQUANT_TEXT_GROWTH_H_

#include <cstddef>

namespace paroquant::text {

// Throws kUnsupported for a step, or several together, that makes `before` bytes of text `after`
// bytes: more than 64 times as many and 64 KiB. Normal forms make 11 of 1, byte-level characters 2.
void RequireModestGrowth(size_t before, size_t after);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_GROWTH_H_
