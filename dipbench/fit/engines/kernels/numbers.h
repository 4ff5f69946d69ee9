// What the operators share: numbers in single precision and in bfloat16, and loops over rows that several threads do.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cstring>
#include <vector>

namespace dipbench {

using at::Tensor;

inline float wide(float value) { return value; }

inline float wide(uint16_t bits) {  // bfloat16 by its bits, which compilers vectorise
  const uint32_t shifted = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &shifted, sizeof value);
  return value;
}

inline void put(float* place, float value) { *place = value; }

inline void put(uint16_t* place, float value) {  // to the nearest, ties to even; NaN stays NaN
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  *place = static_cast<uint16_t>(value == value ? rounded : 0x7FC0);
}

inline float* numbers(const Tensor& tensor, float*) { return static_cast<float*>(tensor.data_ptr()); }
inline uint16_t* numbers(const Tensor& tensor, uint16_t*) { return static_cast<uint16_t*>(tensor.data_ptr()); }

// Calls work with a null pointer to the type that the numbers of the tensor have here.
template <typename Work>
void by_type(const Tensor& tensor, const Work& work) {
  TORCH_CHECK(tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kFloat,
              "dipbench: got ", tensor.scalar_type(), ": it takes float32 or bfloat16");
  if (tensor.scalar_type() == at::kBFloat16)
    work(static_cast<uint16_t*>(nullptr));
  else
    work(static_cast<float*>(nullptr));
}

template <typename Work>
void for_rows(int64_t rows, const Work& work) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) work(row);
  });
}

// Adds up a table (rows, count), row after row, in double precision: in one order, whatever the number of threads.
inline std::vector<double> total(const std::vector<float>& table, int64_t rows, int64_t count) {
  std::vector<double> sums(count, 0.0);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t c = 0; c < count; ++c) sums[c] += table[row * count + c];
  return sums;
}

}  // namespace dipbench
