// Byte-level tokenizers write each byte as one printable character: those that are printable in
// Latin-1 as themselves, the others as U+0100, U+0101, ... in order (the convention of GPT-2).
#ifndef PAROQUANT_TEXT_BYTE_LEVEL_H_
#define PAROQUANT_TEXT_BYTE_LEVEL_H_

#include <string>
#include <string_view>

namespace paroquant::text {

// Appends the characters of `bytes` to `characters`.
void AppendByteLevel(std::string_view bytes, std::string& characters);

// Appends the bytes that `characters` stand for; `characters` itself if one stands for no byte.
void AppendBytes(std::string_view characters, std::string& bytes);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_BYTE_LEVEL_H_
