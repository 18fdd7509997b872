// What Verify has found, check by check.
#ifndef PAROQUANT_PIPELINE_PROBLEM_LIST_H_
#define PAROQUANT_PIPELINE_PROBLEM_LIST_H_

#include <string>
#include <utility>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/pipeline/verify.h"

namespace paroquant::pipeline {

class ProblemList {
 public:
  const std::vector<VerifyProblem>& problems() const { return problems_; }

  void Add(std::string where, std::string expected, std::string found) {
    problems_.push_back({std::move(where), std::move(expected), std::move(found)});
  }

  void AddAll(const std::vector<VerifyProblem>& problems) {
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }

  // Runs a check; an Error about the input becomes a problem, and the answer false.
  template <typename Check>
  bool Try(const Check& check) {
    try {
      check();
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput && error.kind() != ErrorKind::kUnsupported) throw;
      Add(error.parts().where, error.parts().expected, error.parts().found);
      return false;
    }
  }

 private:
  std::vector<VerifyProblem> problems_;
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_PROBLEM_LIST_H_
