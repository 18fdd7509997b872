#include "tests/chat/rendering.h"

#include <gtest/gtest.h>

#include "paroquant/chat/chat_template.h"
#include "tests/testing/error_of.h"

namespace paroquant::testing {

std::string Rendered(const std::string& source, const io::Json& variables) {
  const auto parsed = chat::ChatTemplate::Parse(source, "template", variables);
  return parsed.Render({.messages = io::Json::parse(R"([{"role": "user", "content": "hi"}])")},
                       "record");
}

Error RenderFault(const std::string& source, const io::Json& variables) {
  return ErrorOf([&] { Rendered(source, variables); });
}

io::Json Variables() {
  return io::Json::parse(
      R"({"n": 3, "f": 2.5, "s": "Hello World", "u": "héllo 日本", "l": [3, 1, 2], "d": {"b": 1, "a": [1, 2], "items": 5}, "no": null, "lo": [{"r": "x", "v": 1}, {"r": "y"}, {"r": "X", "v": 2}], "q": "it's \"q\"\n", "html": "<a>&"})");
}

void ExpectRenderings(const std::vector<Rendering>& renderings, const io::Json& variables) {
  for (const auto& [source, text] : renderings) {
    SCOPED_TRACE(source);
    EXPECT_NO_THROW(EXPECT_EQ(Rendered(source, variables), text));
  }
}

}  // namespace paroquant::testing
