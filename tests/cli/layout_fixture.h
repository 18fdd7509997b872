// tiny-llama quantized into a folder of the test, in any layout.
#ifndef PAROQUANT_TESTS_CLI_LAYOUT_FIXTURE_H_
#define PAROQUANT_TESTS_CLI_LAYOUT_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "tests/testing/paths.h"

namespace paroquant::testing {

class LayoutTest : public ::testing::Test {
 protected:
  // A path in the test's folder.
  std::string At(const std::string& name) const { return (folder_.path() / name).string(); }

  // What `quantize` on short samples says in JSON.
  static io::Json Quantize(const std::string& out, std::vector<std::string> options);
  // By `eval-ppl` on a text, a short one unless more windows of 128 tokens are asked for.
  static double Nll(const std::string& model, int windows = 4);

 private:
  TemporaryFolder folder_;
};

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_CLI_LAYOUT_FIXTURE_H_
