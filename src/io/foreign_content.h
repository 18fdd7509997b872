// What a file may hold in place of its content after a download that went wrong.
#ifndef PAROQUANT_IO_FOREIGN_CONTENT_H_
#define PAROQUANT_IO_FOREIGN_CONTENT_H_

#include <optional>
#include <string>
#include <string_view>

namespace paroquant::io {

struct ForeignContent {
  std::string what;
  std::string hint;
};

// Tells by the first bytes of a file; nothing for all other content.
std::optional<ForeignContent> RecogniseForeignContent(std::string_view start);

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_FOREIGN_CONTENT_H_
