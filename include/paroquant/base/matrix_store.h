// Large matrices in memory as long as a budget lasts, and in a temporary file beyond it.
#ifndef PAROQUANT_BASE_MATRIX_STORE_H_
#define PAROQUANT_BASE_MATRIX_STORE_H_

#include <cstdint>
#include <filesystem>
#include <utility>

#include "paroquant/base/matrix.h"

namespace paroquant {

class MatrixStore;

// A matrix of a store, which must outlive it. Moved from or default-constructed it is [0, 0].
class StoredMatrix {
 public:
  StoredMatrix() = default;
  StoredMatrix(StoredMatrix&& other) noexcept;
  StoredMatrix& operator=(StoredMatrix&& other) noexcept;
  ~StoredMatrix();

  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  MatrixMap view() { return {data_, rows_, cols_}; }
  ConstMatrixMap view() const { return {data_, rows_, cols_}; }

 private:
  friend class MatrixStore;
  void Free() noexcept;

  MatrixStore* store_ = nullptr;
  float* data_ = nullptr;
  Eigen::Index rows_ = 0;
  Eigen::Index cols_ = 0;
  bool in_memory_ = false;
};

class MatrixStore {
 public:
  // Files lose their names as they are made and are gone with the process, however it ends; they
  // take space in `folder`, which is looked at once the budget (bytes) is spent.
  MatrixStore(std::filesystem::path folder, uint64_t budget)
      : folder_(std::move(folder)), left_(budget) {}
  MatrixStore(const MatrixStore&) = delete;
  MatrixStore& operator=(const MatrixStore&) = delete;

  // Zeros. Throws kSystem, naming the folder, if memory (within the budget) or disk refuse.
  StoredMatrix Make(int64_t rows, int64_t cols);

  // Bytes that were ever on disk at a time.
  uint64_t peak_on_disk() const { return peak_on_disk_; }

 private:
  friend class StoredMatrix;

  std::filesystem::path folder_;
  uint64_t left_;  // of the budget
  uint64_t on_disk_ = 0;
  uint64_t peak_on_disk_ = 0;
};

// A sixteenth of this machine's memory, or of the container's limit. Little, for what lies in files
// is in memory all the same as long as nobody else needs the room.
uint64_t DefaultMemoryBudget();

}  // namespace paroquant

#endif  // PAROQUANT_BASE_MATRIX_STORE_H_
