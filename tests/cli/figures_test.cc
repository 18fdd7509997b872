// The figures that users are promised, on real data.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

using testing::kTinyLlama;
using testing::RunCliJson;
using testing::SharedPath;
using testing::TemporaryFolder;

// The result on the whole WikiText-2 test set.
io::Json Evaluate(const std::string& model, const std::vector<std::string>& more) {
  std::vector<std::string> words = {"eval-ppl",  "--model",    model,
                                    "--window",  "512",        "--data",
                                    "wikitext2", "--data-dir", SharedPath("corpora").string()};
  words.insert(words.end(), more.begin(), more.end());
  return RunCliJson(words).at("results").at(0);
}

TEST(FiguresTest, FastKeepsTinyLlamaCloseAndRepeatsItsKnownPerplexity) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  const io::Json report = RunCliJson({"quantize", "--model", kTinyLlama, "--out", out, "--calib",
                                      SharedPath("corpora/wikipedia_calibration.jsonl.gz").string(),
                                      "--sequence-length", "512"});
  EXPECT_EQ(report.at("calibration").at("tokens"), 128 * 512);
  const io::Json result = Evaluate(out, {"--baseline", kTinyLlama});
  EXPECT_EQ(result.at("windows"), 931);
  EXPECT_LE(result.at("kl_divergence").get<double>(), 0.028);
  // The paired difference gives the source's own figure back.
  const double source_nll = result.at("nll").get<double>() - result.at("delta_nll").get<double>();
  EXPECT_NEAR(std::exp(source_nll), 29.57232, 0.01);
}

TEST(FiguresTest, FastCalibratesOnTheModelsOwnText) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  RunCliJson({"quantize", "--model", kTinyLlama, "--out", out, "--sequence-length", "512"});
  const io::Json result = Evaluate(out, {"--baseline", kTinyLlama, "--max-windows", "200"});
  EXPECT_LE(result.at("kl_divergence").get<double>(), 0.035);
}

}  // namespace
}  // namespace paroquant
