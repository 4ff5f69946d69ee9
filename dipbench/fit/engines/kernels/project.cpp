// A 1x1 convolution to a few channels, such as the colours of an image, in single precision: of images that lie
// channels-last, in single precision or bfloat16. A product of matrices so narrow is not what libraries are made for.

#include "numbers.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace {

using namespace dipbench;

template <typename T>
float dot(const T* __restrict x, const float* __restrict weight, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t c = 0; c < count; ++c) sum += wide(x[c]) * weight[c];
  return sum;
}

template <typename T>
void add_outer(const T* __restrict x, float gradient, float* __restrict sum, int64_t count) {
  for (int64_t c = 0; c < count; ++c) sum[c] += gradient * wide(x[c]);
}

inline void add_scaled(const float* __restrict weight, float gradient, float* __restrict sum, int64_t count) {
  for (int64_t c = 0; c < count; ++c) sum[c] += gradient * weight[c];
}

// x (N, C, H, W), weight (K, C), bias (K) -> (N, K, H, W) in single precision, all channels-last
Tensor forward_op(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const int64_t inputs = x.size(1), outputs = weight.size(0), width = x.size(3), rows = x.size(0) * x.size(2);
  auto y = at::empty({x.size(0), outputs, x.size(2), width}, weight.options(), at::MemoryFormat::ChannelsLast);
  const float *w = weight.const_data_ptr<float>(), *b = bias.const_data_ptr<float>();
  float* made = y.mutable_data_ptr<float>();
  by_type(x, [&](auto* type) {
    const auto* pixels = numbers(x, type);
    for_rows(rows, [&](int64_t row) {
      for (int64_t number = row * width; number < (row + 1) * width; ++number)
        for (int64_t k = 0; k < outputs; ++k)
          made[number * outputs + k] = b[k] + dot(pixels + number * inputs, w + k * inputs, inputs);
    });
  });
  return y;
}

// gradient (N, K, H, W) -> gradients of x, in its type, of the weight (K, C) and of the bias (K)
std::tuple<Tensor, Tensor, Tensor> backward_op(const Tensor& gradient, const Tensor& x, const Tensor& weight) {
  const int64_t inputs = x.size(1), outputs = weight.size(0), width = x.size(3), rows = x.size(0) * x.size(2);
  auto dx = at::empty(x.sizes(), x.options(), at::MemoryFormat::ChannelsLast);
  auto dweight = at::empty({outputs, inputs}, weight.options()), dbias = at::empty({outputs}, weight.options());
  const float *w = weight.const_data_ptr<float>(), *g = gradient.const_data_ptr<float>();
  const int64_t entries = outputs * (inputs + 1);
  std::vector<float> table(rows * entries, 0.0f);  // by row: the weight's gradient, then the bias's
  by_type(x, [&](auto* type) {
    const auto* pixels = numbers(x, type);
    auto* towards = numbers(dx, type);
    for_rows(rows, [&](int64_t row) {
      float* sums = &table[row * entries];
      std::vector<float> pixel(inputs);
      for (int64_t number = row * width; number < (row + 1) * width; ++number) {
        std::fill(pixel.begin(), pixel.end(), 0.0f);
        for (int64_t k = 0; k < outputs; ++k) {
          const float part = g[number * outputs + k];
          add_scaled(w + k * inputs, part, pixel.data(), inputs);
          add_outer(pixels + number * inputs, part, sums + k * inputs, inputs);
          sums[outputs * inputs + k] += part;
        }
        for (int64_t c = 0; c < inputs; ++c) put(towards + number * inputs + c, pixel[c]);
      }
    });
  });
  const auto sums = total(table, rows, entries);
  for (int64_t i = 0; i < outputs * inputs; ++i) dweight.mutable_data_ptr<float>()[i] = static_cast<float>(sums[i]);
  for (int64_t k = 0; k < outputs; ++k)
    dbias.mutable_data_ptr<float>()[k] = static_cast<float>(sums[outputs * inputs + k]);
  return {dx, dweight, dbias};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(dipbench, m) {
  m.def("project(Tensor image, Tensor weight, Tensor bias) -> Tensor", forward_op);
  m.def("project_backward(Tensor gradient, Tensor image, Tensor weight) -> (Tensor, Tensor, Tensor)", backward_op);
}
