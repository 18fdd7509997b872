#include "paroquant/io/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"
#include "tests/testing/processor_time.h"

namespace paroquant::io {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(SafetensorsTest, TensorsComeInTheOrderOfTheirData) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "f";
  WriteFile(path, FileBytes(R"({"b":{"dtype":"F32","shape":[2,1],"data_offsets":[3,11]},)"
                            R"("__metadata__":{"format":"pt"},)"
                            R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                            R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[11,13]},)"
                            R"("none":{"dtype":"I64","shape":[0,7],"data_offsets":[11,11]}}  )",
                            13));
  const SafetensorsFile file = SafetensorsFile::Open(path);
  std::vector<std::string> names;
  for (const TensorView& tensor : file.tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("a", "b", "none", "scalar"));
  EXPECT_EQ(file.metadata().at("format"), "pt");

  const TensorView* b = file.Find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->dtype, DType::kF32);
  EXPECT_THAT(b->shape, ElementsAre(2, 1));
  EXPECT_EQ(b->file, path);
  EXPECT_EQ(b->bytes.front(), std::byte{3});
  EXPECT_EQ(b->bytes.back(), std::byte{10});
  EXPECT_EQ(file.Find("none")->elements(), 0);
  EXPECT_EQ(file.Find("scalar")->elements(), 1);
  EXPECT_EQ(file.Find("c"), nullptr);
}

TEST(SafetensorsTest, FileWithoutTensorsIsValid) {
  const testing::TemporaryFolder folder;
  WriteFile(folder.path() / "f", FileBytes("{}", 0));
  EXPECT_TRUE(SafetensorsFile::Open(folder.path() / "f").tensors().empty());
}

TEST(SafetensorsTest, ViewsOutliveAMoveOfTheFile) {
  const testing::TemporaryFolder folder;
  WriteSmallFile(folder.path() / "f", {"t"});
  SafetensorsFile file = SafetensorsFile::Open(folder.path() / "f");
  const TensorView* view = file.Find("t");
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(moved.Find("t"), view);
  EXPECT_EQ(view->bytes[1], std::byte{1});
}

TEST(SafetensorsTest, DTypeNamesAreThoseOfTheFormat) {
  for (const char* name : {"BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32",
                           "I64", "U64", "F64", "F8_E4M3", "F8_E5M2"}) {
    const auto dtype = DTypeFromName(name);
    ASSERT_TRUE(dtype.has_value()) << name;
    EXPECT_STREQ(DTypeName(*dtype), name);
  }
  EXPECT_EQ(DTypeSize(*DTypeFromName("BOOL")), 1U);
  EXPECT_EQ(DTypeSize(*DTypeFromName("BF16")), 2U);
  EXPECT_EQ(DTypeSize(*DTypeFromName("F8_E5M2")), 1U);
  EXPECT_EQ(DTypeSize(*DTypeFromName("U64")), 8U);
  EXPECT_FALSE(DTypeFromName("F4").has_value());
}

TEST(SafetensorsTest, ForeignFilesOpen) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto open = [](const std::string& name) {
    return SafetensorsFile::Open(testing::SharedPath("formats") / (name + ".safetensors"));
  };
  const SafetensorsFile ints = open("tensor-1d-int32");
  ASSERT_EQ(ints.tensors().size(), 1U);
  EXPECT_EQ(ints.tensors()[0].name, "embedding");
  EXPECT_EQ(ints.tensors()[0].dtype, DType::kI32);
  EXPECT_EQ(ints.tensors()[0].bytes[8], std::byte{3});
  EXPECT_THAT(open("tensor-2d-float64").tensors()[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(open("tensor-3d-float32").tensors()[0].shape, ElementsAre(2, 2, 3));
  EXPECT_THAT(open("tensor-4d-float32").tensors()[0].shape, ElementsAre(2, 3, 1, 3));
  EXPECT_EQ(open("syoyo_gen_model").Find("weight2")->elements(), 256);
}

TEST(SafetensorsTest, ForeignFileWithALengthBeyondItsEndIsRefused) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto path = testing::SharedPath("formats/safetensors_abuse_attempt_1.safetensors");
  const Error error = ErrorOf([&] { SafetensorsFile::Open(path); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("a header length of 1000"));
}

TEST(SafetensorsTest, AMillionTensorsOpenInSeconds) {
  constexpr int kCount = 1'000'000;
  const testing::TemporaryFolder folder;
  std::string header = "{";
  for (int i = 0; i < kCount; ++i) {
    header += fmt::format(R"({}"t{}":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}})",
                          i == 0 ? "" : ",", i, i, i + 1);
  }
  WriteFile(folder.path() / "f", FileBytes(header + "}", kCount));
  const double start = testing::ProcessorSeconds();
  const SafetensorsFile file = SafetensorsFile::Open(folder.path() / "f");
  const double seconds = testing::ProcessorSeconds() - start;
  EXPECT_EQ(file.Find("t999999")->bytes[0], std::byte{999999 % 256});
  // A generous bound for slow machines and sanitizers: what grows with the square takes hours.
  EXPECT_LT(seconds, 60);
  RecordProperty("seconds", fmt::format("{:.2f}", seconds));
}

TEST(SafetensorsTest, FilesCutAnywhereAreRefused) {
  const testing::TemporaryFolder folder;
  WriteSmallFile(folder.path() / "whole", {"a", "b"});
  const std::string bytes = ReadFile(folder.path() / "whole");
  for (size_t size = 0; size < bytes.size(); ++size) {
    WriteFile(folder.path() / "cut", std::string_view(bytes).substr(0, size));
    const Error error = ErrorOf([&] { SafetensorsFile::Open(folder.path() / "cut"); });
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << size;
  }
}

TEST(SafetensorsTest, AnyDamagedByteIsReadOrRefusedButNeverCrashes) {
  const testing::TemporaryFolder folder;
  WriteSmallFile(folder.path() / "whole", {"a", "b"});
  const std::string bytes = ReadFile(folder.path() / "whole");
  for (size_t i = 0; i < bytes.size() - 8; ++i) {
    for (const char damage : {'\0', '"', '9', '{', '}', '\xff'}) {
      std::string damaged = bytes;
      damaged[i] = damage;
      WriteFile(folder.path() / "f", damaged);
      try {
        SafetensorsFile::Open(folder.path() / "f");
      } catch (const Error& error) {
        EXPECT_TRUE(error.kind() == ErrorKind::kInput || error.kind() == ErrorKind::kUnsupported);
      }
    }
  }
}

TEST(SafetensorsTest, LengthsOverTheFormatsBoundAreRefused) {
  const testing::TemporaryFolder folder;
  for (const char top : {'\x01', '\x7f', '\xff'}) {
    std::string bytes = FileBytes("{}", 0);
    bytes[7] = top;
    WriteFile(folder.path() / "f", bytes);
    EXPECT_EQ(ErrorOf([&] { SafetensorsFile::Open(folder.path() / "f"); }).kind(),
              ErrorKind::kInput);
  }
}

// The longest header that the format allows, and one byte more.
TEST(SafetensorsTest, HeadersUpToTheFormatsBoundOpen) {
  const testing::TemporaryFolder folder;
  for (const size_t size : {kMaxSafetensorsHeader, kMaxSafetensorsHeader + 1}) {
    std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
    header.resize(size, ' ');
    WriteFile(folder.path() / "f", FileBytes(header, 1));
    const auto open = [&] { SafetensorsFile::Open(folder.path() / "f"); };
    if (size == kMaxSafetensorsHeader) {
      EXPECT_NO_THROW(open());
    } else {
      EXPECT_THAT(ErrorOf(open).what(), HasSubstr("a header length of 100000001"));
    }
  }
}

TEST(SafetensorsTest, DepthIsRefusedAtItsFirstLevel) {
  const testing::TemporaryFolder folder;
  for (const char* level : {R"({"a":)", R"({"a":{"shape":[)"}) {
    std::string header;
    for (int i = 0; i < 100'000; ++i) header += level;
    WriteFile(folder.path() / "f", FileBytes(header, 0));
    EXPECT_EQ(ErrorOf([&] { SafetensorsFile::Open(folder.path() / "f"); }).kind(),
              ErrorKind::kInput);
  }
}

struct BadHeader {
  const char* name;
  std::string header;
  size_t data_size;
  const char* message;  // part of it
  ErrorKind kind = ErrorKind::kInput;
};

void PrintTo(const BadHeader& bad, std::ostream* stream) { *stream << bad.name; }

class BadHeaderTest : public ::testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaderTest, IsRefusedWithAReason) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "bad.safetensors";
  WriteFile(path, FileBytes(GetParam().header, GetParam().data_size));
  const Error error = ErrorOf([&] { SafetensorsFile::Open(path); });
  EXPECT_EQ(error.kind(), GetParam().kind);
  EXPECT_THAT(error.what(), HasSubstr("bad.safetensors"));
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_FALSE(error.parts().hint.empty());
}

// The header of one tensor "t" with these values.
std::string OneTensor(const char* dtype, const char* shape, const char* offsets) {
  return fmt::format(R"({{"t":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape,
                     offsets);
}

const std::string kGood = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";

INSTANTIATE_TEST_SUITE_P(
    Syntax, BadHeaderTest,
    ::testing::Values(
        BadHeader{"Empty", "", 0, "an empty header"},
        BadHeader{"LeadingSpace", " {}", 0, "starts with {"},
        BadHeader{"ByteOrderMark", "\xef\xbb\xbf{}", 0, "starts with {"},
        BadHeader{"Array", "[]", 0, "starts with {"}, BadHeader{"Open", "{", 0, "syntax error"},
        BadHeader{"TwoValues", "{}{}", 0, "syntax error"},
        BadHeader{"Comment", "{/**/}", 0, "syntax error"},
        BadHeader{"TrailingComma", R"({"t":)" + kGood + ",}", 4, "syntax error"},
        BadHeader{"ZeroPadding", std::string("{}\0\0", 4), 0, "zero byte"},
        BadHeader{"NotUtf8", "{\"\xff\":" + kGood + "}", 4, "syntax error"},
        BadHeader{"HugeNumber", OneTensor("\"U8\"", "[1e999]", "[0,4]"), 4, "syntax error"},
        BadHeader{"DeepNesting", R"({"t":)" + std::string(100'000, '['), 0, "an object"}),
    ::testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Structure, BadHeaderTest,
    ::testing::Values(
        BadHeader{"TensorIsANumber", R"({"t":4})", 4, "the number 4"},
        BadHeader{"TensorIsAList", R"({"t":[]})", 4, "a list"},
        BadHeader{"TensorIsNull", R"({"t":null})", 4, "null"},
        BadHeader{
            "TensorTwice",
            R"({"t":)" + kGood + R"(,"t":{"dtype":"U8","shape":[1],)" + R"("data_offsets":[4,5]}})",
            5, "two of that name"},
        BadHeader{"FieldTwice", R"({"t":{"dtype":"U8","dtype":"U8"}})", 4, "dtype once"},
        BadHeader{"FieldMissing", R"({"t":{"dtype":"U8","shape":[4]}})", 4,
                  "tensor \"t\": expected data_offsets"},
        BadHeader{"FieldUnknown", R"({"t":{"stride":"U8"}})", 4, "\"stride\""},
        BadHeader{"ObjectInTensor", R"({"t":{"shape":{}}})", 4, "an object"},
        BadHeader{"MetadataOfNumbers", R"({"__metadata__":{"a":1}})", 0,
                  "the number 1 under \"a\""},
        BadHeader{"MetadataIsAString", R"({"__metadata__":"a"})", 0, "\"__metadata__\""},
        BadHeader{"MetadataNested", R"({"__metadata__":{"a":{}}})", 0, "an object under \"a\""},
        BadHeader{"MetadataTwice", R"({"__metadata__":{},"__metadata__":{}})", 0, "two of them"},
        BadHeader{"MetadataKeyTwice", R"({"__metadata__":{"a":"","a":""}})", 0, "\"a\" twice"}),
    ::testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Values, BadHeaderTest,
    ::testing::Values(
        BadHeader{"DTypeUnknown", OneTensor("\"F4\"", "[8]", "[0,4]"), 4, "\"F4\"",
                  ErrorKind::kUnsupported},
        BadHeader{"DTypeIsANumber", OneTensor("4", "[4]", "[0,4]"), 4, "the number 4"},
        BadHeader{"ShapeNegative", OneTensor("\"U8\"", "[-4]", "[0,4]"), 4, "the number -4"},
        BadHeader{"ShapeFraction", OneTensor("\"U8\"", "[4.0]", "[0,4]"), 4, "the number 4.0"},
        BadHeader{"ShapeIsAString", OneTensor("\"U8\"", "\"4\"", "[0,4]"), 4, "\"4\""},
        BadHeader{"ShapeOfStrings", OneTensor("\"U8\"", "[\"4\"]", "[0,4]"), 4, "\"4\""},
        BadHeader{"ShapeNested", OneTensor("\"U8\"", "[[4]]", "[0,4]"), 4, "a list"},
        BadHeader{"ShapeOverInt64", OneTensor("\"U8\"", "[9223372036854775808]", "[0,4]"), 4,
                  "9223372036854775808"},
        BadHeader{"ShapeOverUint64", OneTensor("\"U8\"", "[18446744073709551620]", "[0,4]"), 4,
                  "18446744073709551620"},
        BadHeader{"ShapeOverflows", OneTensor("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0,
                  "less than 2^63 bytes"},
        BadHeader{"BytesOverflow", OneTensor("\"F64\"", "[4611686018427387904]", "[0,0]"), 0,
                  "less than 2^63 bytes"},
        BadHeader{"TooFewBytes", OneTensor("\"F32\"", "[2]", "[0,4]"), 4,
                  "expected 8 bytes of data for its shape and dtype, found 4"},
        BadHeader{"TooManyBytes", OneTensor("\"F32\"", "[1]", "[0,8]"), 8, "found 8 bytes"},
        BadHeader{"OneOffset", OneTensor("\"U8\"", "[4]", "[4]"), 4, "[4]"},
        BadHeader{"ManyOffsets", OneTensor("\"U8\"", "[4]", "[0,1,2,3,4,5]"), 4,
                  "[0, 1, 2, 3, ...]"},
        BadHeader{"OffsetsReversed", OneTensor("\"U8\"", "[4]", "[4,0]"), 4, "begin <= end"},
        BadHeader{"OutOfFile", OneTensor("\"U8\"", "[5]", "[0,5]"), 4, "data up to byte 5"},
        BadHeader{"HoleAtStart", OneTensor("\"U8\"", "[3]", "[1,4]"), 4, "a hole at 1"},
        BadHeader{"HoleBetween",
                  R"({"s":{"dtype":"U8","shape":[1],"data_offsets":[5,6]},"t":)" + kGood + "}", 6,
                  "a hole at 5"},
        BadHeader{"Overlap",
                  R"({"s":{"dtype":"U8","shape":[3],"data_offsets":[3,6]},"t":)" + kGood + "}", 6,
                  "an overlap at 3"},
        BadHeader{"EmptyTensorOutOfPlace", OneTensor("\"U8\"", "[0]", "[1,1]"), 0, "a hole at 1"},
        BadHeader{"TrailingBytes", OneTensor("\"U8\"", "[4]", "[0,4]"), 5,
                  "4 bytes of tensor data, found 5"}),
    ::testing::PrintToStringParamName());

TEST(SafetensorsTest, LongAndOddNamesAreTamedInMessages) {
  EXPECT_EQ(QuotedTensorName("a\x1b[31m\n"), "\"a?[31m?\"");
  EXPECT_LT(QuotedTensorName(std::string(100'000, 'x')).size(), 200U);
}

}  // namespace
}  // namespace paroquant::io
