// Batch norm in training, LeakyReLU and reflection padding in one, for images that lie channels-last: forward in two
// passes over memory and backward in two, where PyTorch takes five and nine. Of several images, which are concatenated
// along their channels, so that no copy of them is made either.
//
// Sums are taken row by row in single precision and over the rows in double precision, always in one order: the result
// does not depend on the number of threads.

#include "numbers.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>

namespace {

using namespace dipbench;

// ---- reflection: which rows or columns of the padded image show one of the image -----------------------------------

struct Shown {
  int64_t at[3];
  int count;
};

inline Shown shown(int64_t place, int64_t length, int64_t border) {
  Shown found{{place + border, 0, 0}, 1};
  if (place >= 1 && place <= border) found.at[found.count++] = border - place;
  if (place <= length - 2 && place >= length - 1 - border) found.at[found.count++] = border + 2 * (length - 1) - place;
  return found;
}

// ---- shape of the work ----------------------------------------------------------------------------------------------

struct Layout {
  int64_t images, height, width;    // of the input
  int64_t border, channels, first;  // of the output: its border, all its channels, the first of this input
  int64_t padded_height() const { return height + 2 * border; }
  int64_t padded_width() const { return width + 2 * border; }
  int64_t rows() const { return images * height; }
  int64_t at(int64_t image, int64_t row, int64_t column) const {  // in the output, of this input's first channel
    return ((image * padded_height() + row) * padded_width() + column) * channels + first;
  }
};

// ---- one pixel: loops over its channels, each a function by itself for the compiler to vectorise ----------------------

template <typename T>
void add_moments(const T* __restrict x, const float* __restrict origin, float* __restrict sum,
                 float* __restrict square, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float distance = wide(x[c]) - origin[c];
    sum[c] += distance;
    square[c] += distance * distance;
  }
}

template <typename T>
void activate(const T* __restrict x, T* __restrict y, const float* __restrict scale, const float* __restrict shift,
              float slope, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float value = wide(x[c]) * scale[c] + shift[c];
    put(y + c, value > 0 ? value : value * slope);
  }
}

template <typename T>
void add_gradients(const T* __restrict x, const T* __restrict g, const float* __restrict scale,
                   const float* __restrict shift, const float* __restrict mean, float slope, float* __restrict sum,
                   float* __restrict product, int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float value = wide(x[c]), gradient = wide(g[c]);
    const float part = value * scale[c] + shift[c] > 0 ? gradient : gradient * slope;
    sum[c] += part;
    product[c] += part * (value - mean[c]);
  }
}

template <typename T>
void descend(const T* __restrict x, const T* __restrict g, T* __restrict dx, const float* __restrict scale,
             const float* __restrict shift, const float* __restrict slant, const float* __restrict level, float slope,
             int64_t count) {
  for (int64_t c = 0; c < count; ++c) {
    const float value = wide(x[c]), gradient = wide(g[c]);
    const float part = value * scale[c] + shift[c] > 0 ? gradient : gradient * slope;
    put(dx + c, part * scale[c] + value * slant[c] + level[c]);
  }
}

// ---- forward --------------------------------------------------------------------------------------------------------

// Mean and 1 / sqrt(variance + epsilon) of each channel. Sums are of the distance from the first pixel, so that little
// is lost where the mean is large beside the deviation.
template <typename T>
void moments(const T* x, const Layout& l, int64_t count, double epsilon, float* mean, float* inverse) {
  std::vector<float> table(l.rows() * 2 * count, 0.0f), origin(count);
  for (int64_t c = 0; c < count; ++c) origin[c] = wide(x[c]);
  for_rows(l.rows(), [&](int64_t row) {
    float* sum = &table[row * 2 * count];
    for (int64_t number = row * l.width; number < (row + 1) * l.width; ++number)
      add_moments(x + number * count, origin.data(), sum, sum + count, count);
  });
  const auto sums = total(table, l.rows(), 2 * count);
  const double pixels = static_cast<double>(l.rows() * l.width);
  for (int64_t c = 0; c < count; ++c) {
    const double off = sums[c] / pixels;
    mean[c] = static_cast<float>(off + origin[c]);
    inverse[c] = static_cast<float>(1.0 / std::sqrt(std::max(sums[count + c] / pixels - off * off, 0.0) + epsilon));
  }
}

template <typename T>
void reflect_row(T* y, const Layout& l, int64_t count, int64_t image, int64_t row) {
  for (int64_t step = 1; step <= l.border; ++step) {
    const int64_t left = l.border, right = l.border + l.width - 1;
    std::memcpy(y + l.at(image, row, left - step), y + l.at(image, row, left + step), count * sizeof(T));
    std::memcpy(y + l.at(image, row, right + step), y + l.at(image, row, right - step), count * sizeof(T));
  }
}

template <typename T>
void normalise(const T* x, T* y, const Layout& l, int64_t count, const float* scale, const float* shift, float slope) {
  for_rows(l.rows(), [&](int64_t row) {
    const int64_t image = row / l.height, inside = row % l.height;
    T* made = y + l.at(image, inside + l.border, l.border);
    for (int64_t column = 0; column < l.width; ++column)
      activate(x + (row * l.width + column) * count, made + column * l.channels, scale, shift, slope, count);
    reflect_row(y, l, count, image, inside + l.border);
  });
}

// Copies the rows above and below, with all channels, once every input is in place.
template <typename T>
void reflect_ends(T* y, const Layout& l) {
  const int64_t length = l.padded_width() * l.channels;
  for (int64_t image = 0; image < l.images; ++image) {
    T* start = y + image * l.padded_height() * length;
    const int64_t top = l.border, bottom = l.border + l.height - 1;
    for (int64_t step = 1; step <= l.border; ++step) {
      std::memcpy(start + (top - step) * length, start + (top + step) * length, length * sizeof(T));
      std::memcpy(start + (bottom + step) * length, start + (bottom - step) * length, length * sizeof(T));
    }
  }
}

// ---- backward -------------------------------------------------------------------------------------------------------

// The gradient of a pixel of the image: the sum over the places of the padded image that show it.
template <typename T>
const T* gradient_at(const T* g, const Layout& l, int64_t image, const Shown& rows, const Shown& columns,
                       int64_t count, T* scratch) {
  const T* first = g + l.at(image, rows.at[0], columns.at[0]);
  if (rows.count * columns.count == 1) return first;
  for (int64_t c = 0; c < count; ++c) {
    float sum = 0;
    for (int i = 0; i < rows.count; ++i)
      for (int j = 0; j < columns.count; ++j) sum += wide(g[l.at(image, rows.at[i], columns.at[j]) + c]);
    put(scratch + c, sum);
  }
  return scratch;
}

// Calls work(pixel number, gradient of that pixel) for every pixel of a row.
template <typename T, typename Work>
void for_pixels(const T* g, const Layout& l, int64_t row, int64_t count, const Work& work) {
  std::vector<T> scratch(count);
  const int64_t image = row / l.height;
  const Shown rows = shown(row % l.height, l.height, l.border);
  for (int64_t column = 0; column < l.width; ++column) {
    const Shown columns = shown(column, l.width, l.border);
    work(row * l.width + column, gradient_at(g, l, image, rows, columns, count, scratch.data()));
  }
}

template <typename T>
void backward(const T* x, const T* g, T* dx, const Layout& l, int64_t count, const float* mean,
              const float* inverse, const float* weight, const float* bias, float slope, float* dweight, float* dbias) {
  std::vector<float> scale(count), shift(count), table(l.rows() * 2 * count, 0.0f);
  for (int64_t c = 0; c < count; ++c) {
    scale[c] = weight[c] * inverse[c];
    shift[c] = bias[c] - mean[c] * scale[c];
  }
  for_rows(l.rows(), [&](int64_t row) {
    float* sum = &table[row * 2 * count];
    for_pixels(g, l, row, count, [&](int64_t number, const T* gradient) {
      add_gradients(x + number * count, gradient, scale.data(), shift.data(), mean, slope, sum, sum + count, count);
    });
  });
  const auto sums = total(table, l.rows(), 2 * count);
  const double pixels = static_cast<double>(l.rows() * l.width);
  std::vector<float> slant(count), level(count);  // dx = part * scale + x * slant + level
  for (int64_t c = 0; c < count; ++c) {
    dbias[c] = static_cast<float>(sums[c]);
    dweight[c] = static_cast<float>(sums[count + c] * inverse[c]);
    slant[c] = static_cast<float>(-scale[c] * (sums[count + c] / pixels) * inverse[c] * inverse[c]);
    level[c] = static_cast<float>(-scale[c] * (sums[c] / pixels)) - slant[c] * mean[c];
  }
  for_rows(l.rows(), [&](int64_t row) {
    for_pixels(g, l, row, count, [&](int64_t number, const T* gradient) {
      descend(x + number * count, gradient, dx + number * count, scale.data(), shift.data(), slant.data(),
              level.data(), slope, count);
    });
  });
}

// ---- tensors --------------------------------------------------------------------------------------------------------

// What the loops take for granted, said where it does not hold.
void check(at::TensorList inputs, int64_t border) {
  TORCH_CHECK(!inputs.empty(), "dipbench: got no image: it takes one or several");
  const auto& one = inputs[0];
  for (const auto& x : inputs)
    TORCH_CHECK(x.size(0) == one.size(0) && x.size(2) == one.size(2) && x.size(3) == one.size(3) &&
                    x.scalar_type() == one.scalar_type(),
                "dipbench: got images of ", one.sizes(), " ", one.scalar_type(), " and ", x.sizes(), " ",
                x.scalar_type(), ": it takes those of one size and type");
  TORCH_CHECK(border < one.size(2) && border < one.size(3), "dipbench: got an image of ", one.sizes(),
              " to be mirrored by ", border, " pixels: it takes sides of more than that");
}

Layout layout_of(const Tensor& x, int64_t border, int64_t channels, int64_t first) {
  return {x.size(0), x.size(2), x.size(3), border, channels, first};
}

int64_t channels_of(at::TensorList inputs) {
  int64_t sum = 0;
  for (const auto& x : inputs) sum += x.size(1);
  return sum;
}

// -> output (N, all C, H + 2 border, W + 2 border) channels-last, mean (all C), 1 / deviation (all C)
std::tuple<Tensor, Tensor, Tensor> forward_op(at::TensorList inputs, const Tensor& weight, const Tensor& bias,
                                              double epsilon, double slope, int64_t border) {
  check(inputs, border);
  const int64_t channels = channels_of(inputs);
  const auto& one = inputs[0];
  auto y = at::empty({one.size(0), channels, one.size(2) + 2 * border, one.size(3) + 2 * border},
                     one.options(), at::MemoryFormat::ChannelsLast);
  auto mean = at::empty({channels}, weight.options()), inverse = at::empty({channels}, weight.options());
  std::vector<float> scale(channels), shift(channels);
  int64_t first = 0;
  for (const auto& x : inputs) {
    const auto l = layout_of(x, border, channels, first);
    const int64_t count = x.size(1);
    float *m = mean.mutable_data_ptr<float>() + first, *s = inverse.mutable_data_ptr<float>() + first;
    by_type(x, [&](auto* type) { moments(numbers(x, type), l, count, epsilon, m, s); });
    for (int64_t c = 0; c < count; ++c) {
      scale[first + c] = weight.const_data_ptr<float>()[first + c] * s[c];
      shift[first + c] = bias.const_data_ptr<float>()[first + c] - m[c] * scale[first + c];
    }
    by_type(x, [&](auto* type) {
      normalise(numbers(x, type), numbers(y, type), l, count, &scale[first], &shift[first], static_cast<float>(slope));
    });
    first += count;
  }
  by_type(y, [&](auto* type) { reflect_ends(numbers(y, type), layout_of(one, border, channels, 0)); });
  return {y, mean, inverse};
}

// -> gradients of the inputs, channels-last, then of weight and bias
std::vector<Tensor> backward_op(const Tensor& g, at::TensorList inputs, const Tensor& weight, const Tensor& bias,
                                const Tensor& mean, const Tensor& inverse, double slope, int64_t border) {
  const int64_t channels = channels_of(inputs);
  auto dweight = at::empty({channels}, weight.options()), dbias = at::empty({channels}, weight.options());
  std::vector<Tensor> made;
  int64_t first = 0;
  for (const auto& x : inputs) {
    auto dx = at::empty(x.sizes(), x.options(), at::MemoryFormat::ChannelsLast);
    const auto l = layout_of(x, border, channels, first);
    by_type(x, [&](auto* type) {
      backward(numbers(x, type), numbers(g, type), numbers(dx, type), l, x.size(1),
               mean.const_data_ptr<float>() + first, inverse.const_data_ptr<float>() + first,
               weight.const_data_ptr<float>() + first, bias.const_data_ptr<float>() + first,
               static_cast<float>(slope), dweight.mutable_data_ptr<float>() + first,
               dbias.mutable_data_ptr<float>() + first);
    });
    made.push_back(dx);
    first += x.size(1);
  }
  made.push_back(dweight);
  made.push_back(dbias);
  return made;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(dipbench, m) {
  m.def("normalise(Tensor[] inputs, Tensor weight, Tensor bias, float epsilon, float slope, int border)"
        " -> (Tensor, Tensor, Tensor)", forward_op);
  m.def("normalise_backward(Tensor gradient, Tensor[] inputs, Tensor weight, Tensor bias, Tensor mean, Tensor inverse,"
        " float slope, int border) -> Tensor[]", backward_op);
}
