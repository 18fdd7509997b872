#include "paroquant/base/matrix_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/reserve_space.h"
#include "paroquant/base/error.h"
#include "paroquant/base/memory_use.h"

namespace paroquant {
namespace {

uint64_t Bytes(Eigen::Index rows, Eigen::Index cols) {
  return static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols) * sizeof(float);
}

// A file in the folder that no name leads to, of this size and with all its blocks reserved: a full
// disk would otherwise show as a crash on some later write.
int MakeFile(const std::filesystem::path& folder, uint64_t bytes) {
  constexpr std::string_view kExtension = ".tmp";  // as of all files that a killed run may leave
  std::string path = (folder / ".paroquant-XXXXXX").string().append(kExtension);
  const int file = ::mkostemps(path.data(), kExtension.size(), O_CLOEXEC);
  if (file < 0) throw SystemError(folder.string(), "create a temporary file", errno);
  if (::unlink(path.c_str()) != 0) {
    const int error = errno;
    ::close(file);
    throw SystemError(path, "remove this file", error);
  }
  if (const int error = ReserveSpace(file, bytes)) {
    ::close(file);
    throw SystemError(folder.string(), fmt::format("reserve {} bytes for activations", bytes),
                      error);
  }
  return file;
}

void* Map(int file, uint64_t bytes, const std::filesystem::path& folder) {
  const int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
  const int error = errno;
  if (file >= 0) ::close(file);  // the map keeps it
  if (data == MAP_FAILED) {
    throw SystemError(folder.string(), fmt::format("map {} bytes for activations", bytes), error);
  }
  return data;
}

}  // namespace

StoredMatrix::StoredMatrix(StoredMatrix&& other) noexcept { *this = std::move(other); }

StoredMatrix& StoredMatrix::operator=(StoredMatrix&& other) noexcept {
  if (this == &other) return *this;
  Free();
  store_ = std::exchange(other.store_, nullptr);
  data_ = std::exchange(other.data_, nullptr);
  rows_ = std::exchange(other.rows_, 0);
  cols_ = std::exchange(other.cols_, 0);
  in_memory_ = other.in_memory_;
  return *this;
}

StoredMatrix::~StoredMatrix() { Free(); }

void StoredMatrix::Free() noexcept {
  if (data_ == nullptr) return;
  const uint64_t bytes = Bytes(rows_, cols_);
  ::munmap(data_, bytes);
  if (in_memory_) {
    store_->left_ += bytes;
  } else {
    store_->on_disk_ -= bytes;
  }
  data_ = nullptr;
}

StoredMatrix MatrixStore::Make(int64_t rows, int64_t cols) {
  StoredMatrix matrix;
  const uint64_t bytes = Bytes(rows, cols);
  if (bytes > 0) {
    matrix.in_memory_ = bytes <= left_;
    const int file = matrix.in_memory_ ? -1 : MakeFile(folder_, bytes);
    matrix.data_ = static_cast<float*>(Map(file, bytes, folder_));
    matrix.store_ = this;
    if (matrix.in_memory_) {
      left_ -= bytes;
    } else {
      on_disk_ += bytes;
      peak_on_disk_ = std::max(peak_on_disk_, on_disk_);
    }
  }
  matrix.rows_ = rows;
  matrix.cols_ = cols;
  return matrix;
}

uint64_t DefaultMemoryBudget() { return MemoryLimit() / 16; }

}  // namespace paroquant
