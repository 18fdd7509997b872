// --report of quantize, eval-ppl and inspect.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"
#include "tests/report/xml.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using report::testing::ParseXml;
using report::testing::XmlElement;
using testing::DataPath;
using testing::FolderContent;
using ::testing::HasSubstr;
using testing::kTinyLlama;
using testing::RunCli;
using testing::RunCliInScript;
using testing::RunCliJson;
using testing::TemporaryFolder;

const std::string kEvaluation = DataPath("tiny-llama/sample_evaluation.txt").string();

std::vector<std::string> QuantizeFew(const fs::path& out, const std::vector<std::string>& more) {
  return testing::QuantizeTinyLlama(out, 4, 128, more);
}

XmlElement ReadPage(const fs::path& file) { return ParseXml(ReadFile(file)); }

// The texts of the cells of a section's last table, by row.
std::vector<std::vector<std::string>> TableOf(const XmlElement& page, const std::string& section) {
  std::vector<std::vector<std::string>> rows;
  for (const XmlElement* candidate : page.All("section")) {
    if (candidate->attributes.at("id") != section) continue;
    for (const XmlElement* row : candidate->All("tbody").back()->All("tr")) {
      auto& texts = rows.emplace_back();
      for (const XmlElement& cell : row->children) texts.push_back(cell.AllText());
    }
  }
  return rows;
}

int64_t Sum(const io::Json& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0},
                         [](int64_t sum, const io::Json& n) { return sum + n.get<int64_t>(); });
}

// One run for all that its files are to tell.
TEST(ReportTest, QuantizeWritesTheNumbersOfItsJson) {
  const TemporaryFolder folder;
  const fs::path page_file = folder.path() / "Bericht \u00fcber \u6a21\u578b.html";
  const fs::path json_file = folder.path() / "report.json";
  const io::Json json = RunCliJson(QuantizeFew(
      folder.path() / "out",
      {"--skip", "0.*v_proj", "--report", page_file.string(), "--report", json_file.string()}));
  EXPECT_EQ(json, io::ReadJsonFile(json_file));
  const XmlElement page = ReadPage(page_file);
  EXPECT_EQ(page.All("h1").front()->AllText(), "tiny-llama");
  EXPECT_THAT(page.AllText(),
              HasSubstr(fmt::format("{:.2f}", json.at("bits_per_weight").get<double>())));

  const auto rows = TableOf(page, "layers");
  ASSERT_EQ(rows.size(), json.at("layers").size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const io::Json& layer = json.at("layers").at(i);
    EXPECT_EQ(rows[i].at(0), layer.at("name"));
    if (layer.at("status") == "kept") {
      EXPECT_EQ(rows[i].at(2), "16");
      EXPECT_EQ(rows[i].back(), "kept: " + layer.at("reason").get<std::string>());
      continue;
    }
    const double error = layer.at("relative_output_error").get<double>();
    EXPECT_NEAR(std::stod(rows[i].at(4)), 100 * error, 0.006 * 100 * error);
    const double rtn = layer.at("relative_output_error_rtn").get<double>();
    EXPECT_NEAR(std::stod(rows[i].at(5)), 100 * rtn, 0.006 * 100 * rtn);
    const io::Json& outliers = layer.at("outliers");
    const io::Json& shape = layer.at("shape");
    EXPECT_EQ(Sum(outliers.at("weights_before")),
              shape[0].get<int64_t>() * shape[1].get<int64_t>());
    EXPECT_EQ(Sum(outliers.at("weights_after")), Sum(outliers.at("weights_before")));
    EXPECT_EQ(Sum(outliers.at("inputs_before")), shape[1].get<int64_t>());
    EXPECT_EQ(Sum(outliers.at("inputs_after")), shape[1].get<int64_t>());
  }

  // The commands are those of the model card, of which another test runs one, and what follows.
  const std::string commands = page.All("code").front()->AllText();
  const std::string made = commands.substr(0, commands.find('\n'));
  EXPECT_THAT(made, HasSubstr("paroquant quantize --model tiny-llama --out tiny-llama-quantized "));
  EXPECT_THAT(made, HasSubstr(" --skip '0.*v_proj'"));
  EXPECT_THAT(ReadFile(folder.path() / "out/README.md"), HasSubstr("```\n" + made + "\n```"));
  EXPECT_THAT(commands, HasSubstr("\n\nparoquant verify --model tiny-llama-quantized --source "));
  EXPECT_THAT(commands, HasSubstr(" --data wikitext2 --data-dir "));  // no variable is needed
}

// A report costs no byte of the checkpoint, and the same run gives the same histograms.
TEST(ReportTest, AReportChangesNothingElse) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& name, const std::vector<std::string>& more) {
    EXPECT_EQ(RunCli(QuantizeFew(folder.path() / name, more)).exit_code, 0);
    return FolderContent(folder.path() / name);
  };
  const std::string first = (folder.path() / "first.html").string();
  const std::string second = (folder.path() / "second.json").string();
  EXPECT_EQ(run("plain", {}), run("reported", {"--report", first, "--threads", "1"}));
  // Complete before: what a page can show without the run.
  ASSERT_EQ(RunCli(QuantizeFew(folder.path() / "reported",
                               {"--resume", "--report", first, "--report", second}))
                .exit_code,
            0);
  EXPECT_THAT(ReadPage(first).AllText(), HasSubstr("Not measured"));
  EXPECT_FALSE(io::ReadJsonFile(second).at("layers").at(0).contains("outliers"));
}

TEST(ReportTest, WhatIsNotPossibleIsRefusedBeforeTheWork) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  struct Refusal {
    std::vector<std::string> words;
    int exit_code;
    std::string message;
  };
  const std::string html = (folder.path() / "a.html").string();
  const std::string nowhere = (folder.path() / "absent" / "a.html").string();
  for (const Refusal& refusal : std::vector<Refusal>{
           {QuantizeFew(out, {"--report", html + ".pdf"}), 2, "FILE.html"},
           {QuantizeFew(out, {"--report", nowhere}), 5, "--report " + nowhere},
           {QuantizeFew(out, {"--report", html, "--report", nowhere}), 5, nowhere},
           {QuantizeFew(out, {"--plan", "--report", html}), 2, "--plan"},
           {{"inspect", "--model", "absent", "--report", "report"}, 2, "FILE.html"},
           {{"eval-ppl", "--model", "absent", "--data", "c4", "--report", nowhere}, 5, nowhere}}) {
    const auto result = RunCli(refusal.words);
    EXPECT_EQ(result.exit_code, refusal.exit_code) << result.error;
    EXPECT_THAT(result.error, HasSubstr(refusal.message));
  }
  EXPECT_TRUE(FolderContent(folder.path()).empty());
}

TEST(ReportTest, AnOldReportIsReplacedWholeOrKept) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a report.html";
  WriteFile(file, "old");
  const std::vector<std::string> words = {"inspect", "--model", kTinyLlama, "--report",
                                          file.string()};
  EXPECT_EQ(RunCliInScript("ulimit -f 1 && exec \"$@\" > /dev/null", words).exit_code, 5);
  EXPECT_EQ(FolderContent(folder.path()),
            (std::map<std::string, std::string>{{"a report.html", "old"}}));
  EXPECT_EQ(RunCli(words).exit_code, 0);
  EXPECT_EQ(FolderContent(folder.path()).size(), 1U);
  EXPECT_EQ(ReadPage(file).name, "html");
}

TEST(ReportTest, ItMayLieInTheFolderThatTheRunMakes) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "out").string();
  std::vector<std::string> words = {"quantize",
                                    "--model",
                                    kTinyLlama,
                                    "--out",
                                    out,
                                    "--recipe",
                                    "rtn",
                                    "--json",
                                    out + "/result.json",
                                    "--report",
                                    out + "/report.html"};
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(RunCli(words).exit_code, 0);
    EXPECT_EQ(ReadPage(fs::path(out) / "report.html").name, "html");
    EXPECT_EQ(io::ReadJsonFile(fs::path(out) / "result.json").at("out"), out);
    words.emplace_back("--overwrite");
  }
  const std::string root = folder.path().string();
  EXPECT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", root + "/./dotted/", "--recipe",
                    "rtn", "--report", root + "/dotted/r.html"})
                .exit_code,
            0);
  words = {"quantize", "--model", kTinyLlama, "--out",    out + "2",
           "--recipe", "rtn",     "--plan",   "--report", out + "2/report.json"};
  EXPECT_EQ(RunCli(words).exit_code, 5);  // a plan makes no folder
}

TEST(ReportTest, InspectCountsOutliersWhereThatIsAskedFor) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "model.html";
  const io::Json plain = RunCliJson({"inspect", "--model", kTinyLlama});
  EXPECT_FALSE(plain.at("layers").at(0).contains("outliers"));
  const io::Json json =
      RunCliJson({"inspect", "--model", kTinyLlama, "--outliers", "--report", file.string()});
  const auto rows = TableOf(ReadPage(file), "layers");
  ASSERT_EQ(rows.size(), json.at("layers").size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const io::Json& layer = json.at("layers").at(i);
    const double range = layer.at("group_range").get<double>();
    EXPECT_NEAR(std::stod(rows[i].at(5)), range, 0.006 * range);
    EXPECT_EQ(Sum(layer.at("outliers").at("channels")), layer.at("shape")[1].get<int64_t>());
  }
  EXPECT_THAT(RunCli({"inspect", "--model", kTinyLlama, "--outliers"}).out,
              HasSubstr("widest groups first"));
}

TEST(ReportTest, EvalComparesSeveralModelsAndReportsEachAsAlone) {
  const TemporaryFolder folder;
  const std::string out = (folder.path() / "rtn").string();
  ASSERT_EQ(RunCli({"quantize", "--model", kTinyLlama, "--out", out, "--recipe", "rtn"}).exit_code,
            0);
  const std::string copy = (folder.path() / "copy").string();
  fs::copy(out, copy);
  const auto evaluate = [&](std::vector<std::string> models, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"eval-ppl", "--baseline",    kTinyLlama,
                                      "--data",   kEvaluation,     "--window",
                                      "128",      "--max-windows", "4"};
    words.insert(words.end(), models.begin(), models.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const fs::path file = folder.path() / "comparison.html";
  const io::Json both =
      RunCliJson(evaluate({"--model", out, kTinyLlama}, {"--report", file.string()}));
  ASSERT_EQ(both.at("models").size(), 2U);
  EXPECT_EQ(both.at("baseline"), kTinyLlama);
  const io::Json alone = RunCliJson(evaluate({"--model", out}, {}));
  EXPECT_EQ(alone.size(), 4U);
  EXPECT_EQ(both.at("models").at(0).at("results"), alone.at("results"));
  EXPECT_EQ(both.at("models").at(1).at("bits_per_weight"), 16.0);
  EXPECT_LT(both.at("models").at(0).at("bits_per_weight").get<double>(), 5.0);

  const auto rows = TableOf(ReadPage(file), "results");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at(0), "rtn");
  EXPECT_EQ(rows[1].at(0), "tiny-llama");
  const double perplexity = alone.at("results").at(0).at("perplexity").get<double>();
  EXPECT_NEAR(std::stod(rows[0].at(3)), perplexity, 1e-4);
  const auto repeated = RunCli(evaluate({"--model", out, "--model", kTinyLlama}, {}));
  EXPECT_EQ(repeated.exit_code, 0) << repeated.error;
  EXPECT_THAT(repeated.out, HasSubstr(rows[0].at(3)));

  // A baseline that is none of them has its row too, with the same figures.
  const auto beside = RunCli(evaluate({"--model", out, copy}, {}));
  EXPECT_THAT(beside.out, HasSubstr("tiny-llama (baseline)")) << beside.error;
  EXPECT_THAT(beside.out, HasSubstr(rows[1].at(3)));
  EXPECT_THAT(beside.out, HasSubstr(fmt::format(
                              "{:+.5f}", alone.at("results").at(0).at("delta_nll").get<double>())));

  const auto missing = RunCli(evaluate({"--model", out, "absent"}, {}));
  EXPECT_EQ(missing.exit_code, 3) << missing.error;
  EXPECT_EQ(missing.out, "");
  const std::string logits = (folder.path() / "logits.safetensors").string();
  EXPECT_EQ(RunCli(evaluate({"--model", out, kTinyLlama}, {"--save-logits", logits})).exit_code, 2);
}

}  // namespace
}  // namespace paroquant
