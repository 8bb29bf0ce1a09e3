// What optimizers do to a variable and its slots: one pass over memory, in place.
#pragma once
#include <algorithm>
#include <cmath>

#include "parallel.h"

namespace thalweg {

struct Adam {
  float rate, one_minus_beta1, beta1, one_minus_beta2, epsilon;
  bool nesterov;
};

constexpr int64_t kStretch = 1 << 14;  // elements that a thread takes at a time

template <bool nesterov>
void adam_stretch(const Adam& how, int64_t count, float* __restrict var, float* __restrict m, float* __restrict v,
                  const float* __restrict gradient) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float mean = m[i] + (g - m[i]) * how.one_minus_beta1;
    const float square = v[i] + (g * g - v[i]) * how.one_minus_beta2;
    const float ahead = nesterov ? g * how.one_minus_beta1 + how.beta1 * mean : mean;
    var[i] -= ahead * how.rate / (std::sqrt(square) + how.epsilon);
    m[i] = mean;
    v[i] = square;
  }
}

inline void adam(const Adam& how, int64_t count, float* var, float* m, float* v, const float* gradient, const Parallel& parallel) {
  parallel((count + kStretch - 1) / kStretch, [&](int64_t i) {
    const int64_t at = i * kStretch, size = std::min(kStretch, count - at);
    (how.nesterov ? adam_stretch<true> : adam_stretch<false>)(how, size, var + at, m + at, v + at, gradient + at);
  });
}

}  // namespace thalweg
