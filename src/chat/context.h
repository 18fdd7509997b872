// What lives as long as one rendering.
#ifndef PAROQUANT_CHAT_CONTEXT_H_
#define PAROQUANT_CHAT_CONTEXT_H_

#include <ctime>
#include <deque>

#include "chat/value.h"

namespace paroquant::chat {

struct Context {
  std::tm now = {};  // for templates that print the date
  Budget budget = {};
  std::deque<Namespace> namespaces = {};  // they may refer to each other, so none owns another
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_CONTEXT_H_
