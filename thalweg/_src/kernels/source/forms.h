// The forms of tiles and filters in which a convolution is a product element by element: Winograd's F(2x2, RxR) for R of 3 and 5.
//
// Along one axis N = R + 1 numbers of a source become values of a polynomial at N points; the R numbers of a filter too; their products
// become the two numbers of the result. The points are 0, 1, -1 and infinity for R = 3, with 2 and -1/2 for R = 5: those two, whose product
// is -1, make a third of the rounding errors of 2 and -2. (A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural Networks, 2016.)
//
// The gradient by the filter runs the last two steps backwards: its N points are the products of the source's and of those to which the
// gradient of the two results spreads, and the filter's R numbers gather them.
#pragma once
#include "tiles.h"

namespace thalweg {

constexpr int kSide = 2;  // a tile of the result has kSide x kSide places

// Each function takes vectors `in` and leaves vectors `out`, along one axis.
#define FORM static inline __attribute__((always_inline)) void  // between registers
template <int taps>
struct Form;

template <>
struct Form<3> {
  FORM of_source(const Vector* in, Vector* out) {
    out[0] = in[0] - in[2];
    out[1] = in[1] + in[2];
    out[2] = in[2] - in[1];
    out[3] = in[1] - in[3];
  }
  FORM of_filter(const Vector* in, Vector* out) {
    const Vector ends = in[0] + in[2];
    out[0] = in[0];
    out[1] = (ends + in[1]) * 0.5f;
    out[2] = (ends - in[1]) * 0.5f;
    out[3] = in[2];
  }
  FORM to_result(const Vector* in, Vector* out) {
    out[0] = in[0] + (in[1] + in[2]);
    out[1] = (in[1] - in[2]) - in[3];
  }
  FORM from_result(const Vector* in, Vector* out) {
    out[0] = in[0];
    out[1] = in[0] + in[1];
    out[2] = in[0] - in[1];
    out[3] = -in[1];
  }
  FORM to_filter(const Vector* in, Vector* out) {
    const Vector sum = (in[1] + in[2]) * 0.5f;
    out[0] = in[0] + sum;
    out[1] = (in[1] - in[2]) * 0.5f;
    out[2] = sum + in[3];
  }
};

template <>
struct Form<5> {
  FORM of_source(const Vector* in, Vector* out) {
    const Vector even = in[4] - in[2], odd = in[3] - in[1];
    out[0] = in[0] - in[2] * 2.0f + in[4] - odd * 1.5f;
    out[1] = in[4] - in[1] - in[2] * 2.5f - in[3] * 0.5f;
    out[2] = in[4] + in[1] + in[2] * 0.5f - in[3] * 2.5f;
    out[3] = even + odd * 0.5f;
    out[4] = even - odd * 2.0f;
    out[5] = in[1] - in[3] * 2.0f + in[5] - even * 1.5f;
  }
  // The values at the points, over the product of a point's distances to the others.
  FORM of_filter(const Vector* in, Vector* out) {
    const Vector even = in[0] + in[2] + in[4], odd = in[1] + in[3];
    out[0] = in[0];
    out[1] = (even + odd) * (-1.0f / 3);
    out[2] = (even - odd) * (1.0f / 3);
    out[3] = (in[0] + in[1] * 2.0f + in[2] * 4.0f + in[3] * 8.0f + in[4] * 16.0f) * (1.0f / 15);
    out[4] = (in[0] - in[1] * 0.5f + in[2] * 0.25f - in[3] * 0.125f + in[4] * 0.0625f) * (-16.0f / 15);
    out[5] = in[4];
  }
  FORM to_result(const Vector* in, Vector* out) {
    out[0] = in[0] + (in[1] + in[2]) + (in[3] + in[4]);
    out[1] = (in[1] - in[2]) + in[3] * 2.0f - in[4] * 0.5f + in[5];
  }
  FORM from_result(const Vector* in, Vector* out) {
    out[0] = in[0];
    out[1] = in[0] + in[1];
    out[2] = in[0] - in[1];
    out[3] = in[0] + in[1] * 2.0f;
    out[4] = in[0] - in[1] * 0.5f;
    out[5] = in[1];
  }
  FORM to_filter(const Vector* in, Vector* out) {
    const Vector sum = (in[2] - in[1]) * (1.0f / 3), difference = (in[1] + in[2]) * (-1.0f / 3);
    const Vector two = in[3] * (1.0f / 15), half = in[4] * (-16.0f / 15);
    out[0] = in[0] + sum + two + half;
    out[1] = difference + two * 2.0f - half * 0.5f;
    out[2] = sum + two * 4.0f + half * 0.25f;
    out[3] = difference + two * 8.0f - half * 0.125f;
    out[4] = sum + two * 16.0f + half * 0.0625f + in[5];
  }
};

#undef FORM

// `step` along both axes of a square of I x I vectors, which becomes one of O x O: from(i, j) reads, to(i, j, vector) takes.
template <int I, int O, void step(const Vector*, Vector*), typename From, typename To>
inline __attribute__((always_inline)) void both_ways(const From& from, const To& to) {
  Vector half[O * I];
#pragma GCC unroll 8
  for (int j = 0; j < I; ++j) {
    Vector in[I], out[O];
#pragma GCC unroll 8
    for (int i = 0; i < I; ++i) in[i] = from(i, j);
    step(in, out);
#pragma GCC unroll 8
    for (int i = 0; i < O; ++i) half[i * I + j] = out[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < O; ++i) {
    Vector out[O];
    step(half + i * I, out);
#pragma GCC unroll 8
    for (int j = 0; j < O; ++j) to(i, j, out[j]);
  }
}

}  // namespace thalweg
