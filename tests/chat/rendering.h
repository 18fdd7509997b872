// Small templates rendered, as the tests of this folder need it.
#ifndef PAROQUANT_TESTS_CHAT_RENDERING_H_
#define PAROQUANT_TESTS_CHAT_RENDERING_H_

#include <string>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/io/json.h"

namespace paroquant::testing {

// What `source` gives with these variables, and with one message {"role": "user", "content": "hi"}.
std::string Rendered(const std::string& source, const io::Json& variables = io::Json::object());

// The error that it gives instead, when it is parsed or rendered.
Error RenderFault(const std::string& source, const io::Json& variables = io::Json::object());

// Values of each kind, with short names.
io::Json Variables();

// A template and what it gives. The expected texts were made with Jinja 3.1.6, set up as
// transformers does it.
struct Rendering {
  std::string source;
  std::string text;
};
void ExpectRenderings(const std::vector<Rendering>& renderings,
                      const io::Json& variables = io::Json::object());

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_CHAT_RENDERING_H_
