#include "tests/cli/layout_fixture.h"

#include "tests/cli/cli_process.h"

namespace paroquant::testing {

io::Json LayoutTest::Quantize(const std::string& out, std::vector<std::string> options) {
  options.insert(options.begin(), {"quantize", "--model", kTinyLlama, "--out", out,
                                   "--calib-sequences", "8", "--sequence-length", "64"});
  return RunCliJson(options);
}

double LayoutTest::Nll(const std::string& model, int windows) {
  const io::Json result =
      RunCliJson({"eval-ppl", "--model", model, "--data", kTinyLlama + "/sample_evaluation.txt",
                  "--window", "128", "--max-windows", std::to_string(windows)});
  return result.at("results").at(0).at("nll").get<double>();
}

}  // namespace paroquant::testing
