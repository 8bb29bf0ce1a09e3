// Functions of vectors, to the last digits of a float.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tiles.h"

namespace thalweg {

using Integers = int32_t __attribute__((vector_size(LANES * 4)));

inline Vector all(float x) { return Vector{} + x; }
inline Vector at_least(Vector x, float low) { return x < low ? all(low) : x; }  // what is not a number stays
inline Vector at_most(Vector x, float high) { return x > high ? all(high) : x; }

// 2^n for whole n from -126 to 127.
inline Vector power_of_two(Integers n) { return reinterpret_cast<Vector>((n + 127) << 23); }

// e^x: 2^n e^r with |r| <= ln 2 / 2, and e^r by its series; 2^n in two factors, so that the ends of the range are reached.
inline Vector exponential(Vector x) {
  const Vector inside = at_most(at_least(x, -104.0f), 89.0f), shift = all(12582912.0f);  // 1.5 * 2^23 rounds to whole numbers
  const Vector shifted = inside * 1.44269504f + shift, n = shifted - shift;
  Vector r = inside - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vector p = all(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Integers whole = __builtin_convertvector(n, Integers), half = whole >> 1;
  return p * power_of_two(half) * power_of_two(whole - half);
}

inline Vector logistic(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

// An odd polynomial over an even one, as good as a float can tell; beyond 7.9 it is 1.
inline Vector hyperbolic_tangent(Vector given) {
  const Vector x = at_most(at_least(given, -7.90531110763549805f), 7.90531110763549805f), s = x * x;
  Vector p = all(-2.76076847742355e-16f);
  p = p * s + 2.00018790482477e-13f;
  p = p * s - 8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  Vector q = all(1.19825839466702e-06f);
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  const Vector small = given < 4e-4f ? (given > -4e-4f ? all(1.0f) : Vector{}) : Vector{};
  return small != 0 ? given : x * p / q;
}

inline Vector square_root(Vector x) {
  for (int i = 0; i < LANES; ++i) x[i] = std::sqrt(x[i]);
  return x;
}

}  // namespace thalweg
