// Blocks made of golden weights.
#ifndef PAROQUANT_TESTS_NN_FIXTURES_H_
#define PAROQUANT_TESTS_NN_FIXTURES_H_

#include <string>
#include <vector>

#include "paroquant/io/safetensors.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "tests/testing/paths.h"

namespace paroquant::nn::testing {

// The block of tests/goldens/grads/<name> as a model folder of one layer.
class GoldenBlock {
 public:
  explicit GoldenBlock(const std::string& name);

  const io::SafetensorsFile& golden() const { return golden_; }
  const model::Checkpoint& checkpoint() const { return checkpoint_; }
  RopeTables Rope(int64_t length) const;

  // All linears held in memory.
  Block Make(PerLinear<HeldLinear*>& linears) const;
  // "self_attn.q_proj" and so on.
  std::vector<std::string> Suffixes() const;
  Matrix Get(const std::string& name) const;

 private:
  paroquant::testing::TemporaryFolder folder_;
  io::SafetensorsFile golden_;
  model::Checkpoint checkpoint_;
};

}  // namespace paroquant::nn::testing

#endif  // PAROQUANT_TESTS_NN_FIXTURES_H_
