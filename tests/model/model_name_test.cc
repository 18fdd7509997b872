#include "paroquant/model/model_name.h"

#include <gtest/gtest.h>

namespace paroquant::model {
namespace {

TEST(ModelNameTest, IsTheHubsInACacheElseTheFolders) {
  EXPECT_EQ(ModelName("/data/hub/models--Qwen--Qwen3-0.6B/snapshots/0123abcd"), "Qwen/Qwen3-0.6B");
  EXPECT_EQ(ModelName("/data/hub/models--owner--a--b"), "owner/a--b");
  EXPECT_EQ(ModelName("/data/my model/"), "my model");
  EXPECT_EQ(ModelName("/data/other/../models--gpt2"), "models--gpt2");
}

TEST(ModelNameTest, TheOwnerStandsBeforeTheSlash) {
  EXPECT_EQ(WithoutOwner("Qwen/Qwen3-0.6B"), "Qwen3-0.6B");
  EXPECT_EQ(WithoutOwner("tiny-llama"), "tiny-llama");
}

}  // namespace
}  // namespace paroquant::model
