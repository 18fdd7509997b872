// Templates from text to tree.
#ifndef PAROQUANT_CHAT_PARSER_H_
#define PAROQUANT_CHAT_PARSER_H_

#include <string_view>

#include "chat/syntax.h"

namespace paroquant::chat {

// Throws Fault with the line: kWrong for what is no Jinja, kUnsupported, naming it, for a
// construct, filter or test that is not handled. So a template that parses uses nothing unknown but
// what the values decide that it is rendered with. `source` is valid UTF-8.
Body ParseTemplate(std::string_view source);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_PARSER_H_
