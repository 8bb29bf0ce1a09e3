// What a step does to a variable and its slots: one pass over memory, in place, or beside the old values where those are still needed.
#pragma once
#include <algorithm>
#include <cmath>
#include <string_view>

#include "parallel.h"

namespace thalweg {

constexpr int64_t kStretch = 1 << 14;  // elements that a thread takes at a time
constexpr int kMostSlots = 3;          // the variable among them

// A rule is told its numbers and gives new values to `v`, a variable and its slots, for the gradient `g`.

template <bool nesterov>
struct Adam {
  static constexpr int kSlots = 3;
  float rate, beta1, epsilon, rest1, rest2;
  explicit Adam(const float* n) : rate(n[0]), beta1(n[1]), epsilon(n[3]), rest1(1 - n[1]), rest2(1 - n[2]) {}

  void operator()(float* v, float g) const {
    v[1] += (g - v[1]) * rest1;
    v[2] += (g * g - v[2]) * rest2;
    v[0] -= (nesterov ? g * rest1 + beta1 * v[1] : v[1]) * rate / (std::sqrt(v[2]) + epsilon);
  }
};

template <bool nesterov>
struct Momentum {
  static constexpr int kSlots = 2;
  float rate, momentum;
  explicit Momentum(const float* n) : rate(n[0]), momentum(n[1]) {}

  void operator()(float* v, float g) const {
    v[1] = v[1] * momentum + g;
    v[0] -= nesterov ? g * rate + v[1] * momentum * rate : v[1] * rate;
  }
};

struct RMSProp {
  static constexpr int kSlots = 3;
  float rate, rest, momentum, epsilon;
  explicit RMSProp(const float* n) : rate(n[0]), rest(1 - n[1]), momentum(n[2]), epsilon(n[3]) {}

  void operator()(float* v, float g) const {
    v[1] += (g * g - v[1]) * rest;
    v[2] = v[2] * momentum + g * rate / std::sqrt(v[1] + epsilon);
    v[0] -= v[2];
  }
};

// A moving average, which goes the `rest`th part of the way to a value.
struct Average {
  static constexpr int kSlots = 1;
  float rest;
  explicit Average(const float* n) : rest(n[0]) {}

  void operator()(float* v, float value) const { v[0] -= (v[0] - value) * rest; }
};

// Old and new values may lie in the same memory: no element depends on another one.
template <typename Rule>
void update_stretch(const Rule& rule, int64_t count, const float* const* from, const float* gradient, float* const* to) {
  const float *a = from[0], *b = from[Rule::kSlots > 1 ? 1 : 0], *c = from[Rule::kSlots > 2 ? 2 : 0];
  float *x = to[0], *y = to[Rule::kSlots > 1 ? 1 : 0], *z = to[Rule::kSlots > 2 ? 2 : 0];
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    float v[kMostSlots] = {a[i], b[i], c[i]};
    rule(v, gradient[i]);
    x[i] = v[0];
    if constexpr (Rule::kSlots > 1) y[i] = v[1];
    if constexpr (Rule::kSlots > 2) z[i] = v[2];
  }
}

template <typename Rule>
void update_by(const Rule& rule, int64_t count, const float* const* from, const float* gradient, float* const* to,
               const Parallel& parallel) {
  parallel((count + kStretch - 1) / kStretch, [&](int64_t i) {
    const int64_t at = i * kStretch;
    const float* old[kMostSlots];
    float* made[kMostSlots];
    for (int k = 0; k < Rule::kSlots; ++k) old[k] = from[k] + at, made[k] = to[k] + at;
    update_stretch(rule, std::min(kStretch, count - at), old, gradient + at, made);
  });
}

// Whether there is a rule of this name for so many slots; then `call` is given it.
template <typename Call>
bool with_rule(std::string_view name, size_t slots, const float* numbers, const Call& call) {
  const auto is = [&](std::string_view other, size_t its) { return name == other && slots == its; };
  if (is("adam", 3)) return call(Adam<false>(numbers)), true;
  if (is("nadam", 3)) return call(Adam<true>(numbers)), true;
  if (is("momentum", 2)) return call(Momentum<false>(numbers)), true;
  if (is("nesterov", 2)) return call(Momentum<true>(numbers)), true;
  if (is("rmsprop", 3)) return call(RMSProp(numbers)), true;
  if (is("average", 1)) return call(Average(numbers)), true;
  return false;
}

}  // namespace thalweg
