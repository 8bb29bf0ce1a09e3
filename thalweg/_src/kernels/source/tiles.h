// The innermost loops: small matrix products whose sums stay in registers.
//
// The lanes of a vector run along the columns of the result, a scalar of the left matrix is spread over them. With M rows and
// N vectors of columns, a step takes N loads and M scalars for M * N multiply-adds, so the processor's multipliers never wait.
// LANES is the width of its vectors, ROWS the most rows for which the registers suffice; both come from the build.
#pragma once
#include <cstddef>
#include <limits>
#include <utility>

namespace thalweg {

using Vector = float __attribute__((vector_size(LANES * 4)));
using Loose = float __attribute__((vector_size(LANES * 4), aligned(4), may_alias));  // at any address

constexpr int kMostVectors = 2;

inline Vector load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
inline void store(float* p, Vector v) { *reinterpret_cast<Loose*>(p) = v; }

constexpr ptrdiff_t kLine = 16;  // floats of a line of the cache

// A stretch of a row of the left matrix: `length` floats from `offset` on, `next` apart. Meanwhile lines from `ahead` on, one for each float,
// are brought to the second cache, which costs nothing while the processor multiplies; it does not wait for more than a few at once.
struct Run {
  ptrdiff_t offset, length, next = 1;
  const float* ahead = nullptr;
};

// What is done with a sum before it is stored: a factor and a bias for each column, the element of another matrix, whose rows are
// `addend_step` apart, and bounds: zero for what is negative, `most` for what is more. What is null is left out.
struct Finish {
  const float* bias = nullptr;
  bool rectify = false;
  const float* addend = nullptr;
  ptrdiff_t addend_step = 0;
  const float* scale = nullptr;
  float most = std::numeric_limits<float>::infinity();  // where there are bounds

  // For the columns from `column` on; the addend stays where it is.
  Finish from(ptrdiff_t column) const {
    return {bias ? bias + column : nullptr, rectify, addend, addend_step, scale ? scale + column : nullptr, most};
  }

  // As max(min(sum, most), 0): what is not a number stays.
  Vector bounded(Vector sum) const {
    const Vector low = Vector{}, high = low + most;
    sum = sum < low ? low : sum;
    return sum > high ? high : sum;
  }
};

// c[m, :] = sum over k of a[m, k] * b[k, :]. Row m of `a` begins at a + m * a_step and is read along `runs`, one after the other;
// `b` holds N * LANES columns for each k, without gaps.
template <int M, int N>
void product(const float* a, ptrdiff_t a_step, const Run* runs, int count, const float* b, float* c, ptrdiff_t c_step,
             const Finish& after) {
  constexpr int kGroups = (M + 2) / 3;  // three rows share an address register: base, base + step, base + 2 * step
  Vector sums[M][N];
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sums[m][n] = Vector{};
  const ptrdiff_t step = a_step * static_cast<ptrdiff_t>(sizeof(float));
  for (int r = 0; r < count; ++r) {
    const char* rows[kGroups];
    const ptrdiff_t next = runs[r].next * static_cast<ptrdiff_t>(sizeof(float));
    const float* ahead = runs[r].ahead ? runs[r].ahead : b;
    const ptrdiff_t line = runs[r].ahead ? kLine : 0;
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) rows[g] = reinterpret_cast<const char*>(a + runs[r].offset) + 3 * g * step;
    for (ptrdiff_t k = runs[r].length; k > 0; --k) {
      Vector columns[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) columns[n] = load(b + n * LANES);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) {
        const float x = *reinterpret_cast<const float*>(rows[m / 3] + (m % 3) * step);
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sums[m][n] += x * columns[n];
      }
      b += N * LANES;
      __builtin_prefetch(ahead, 0, 2);
      ahead += line;
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) {
        rows[g] += next;
        asm("" : "+r"(rows[g]));  // or the compiler derives every row from the first, and runs out of registers
      }
    }
  }
  const Finish finish = after;  // now: a copy at the call would wait for all stores before it
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) {
    const Vector bias = finish.bias ? load(finish.bias + n * LANES) : Vector{};
    const Vector scale = finish.scale ? load(finish.scale + n * LANES) : Vector{} + 1.0f;
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      Vector sum = sums[m][n] * scale + bias;
      if (finish.addend) sum += load(finish.addend + m * finish.addend_step + n * LANES);
      if (finish.rectify) sum = finish.bounded(sum);
      store(c + m * c_step + n * LANES, sum);
    }
  }
}

// Where `outer` reads: floats from an image to the next, from a row to the next, from a place to the next.
struct Stride {
  ptrdiff_t image, row, place;
};

struct Extent {
  ptrdiff_t images, rows, places;
};

// c[m, :] += sum over all places p of a[p, m] * b[p, :], a product with a transposed left matrix.
template <int M, int N>
void outer(const float* a, Stride a_step, const float* b, Stride b_step, Extent extent, float* c, ptrdiff_t c_step) {
  Vector sums[M][N];
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sums[m][n] = Vector{};
  for (ptrdiff_t i = 0; i < extent.images; ++i)
    for (ptrdiff_t r = 0; r < extent.rows; ++r) {
      const float *x = a + i * a_step.image + r * a_step.row, *y = b + i * b_step.image + r * b_step.row;
      for (ptrdiff_t p = extent.places; p > 0; --p) {
        Vector columns[N];
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) columns[n] = load(y + n * LANES);
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
          for (int n = 0; n < N; ++n) sums[m][n] += x[m] * columns[n];
        x += a_step.place;
        y += b_step.place;
      }
    }
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      float* at = c + m * c_step + n * LANES;
      store(at, load(at) + sums[m][n]);
    }
}

using Product = decltype(&product<1, 1>);
using Outer = decltype(&outer<1, 1>);

template <int N, int... M>
Product product_of(int rows, std::integer_sequence<int, M...>) {
  static constexpr Product table[] = {product<M + 1, N>...};
  return table[rows - 1];
}

template <int N, int... M>
Outer outer_of(int rows, std::integer_sequence<int, M...>) {
  static constexpr Outer table[] = {outer<M + 1, N>...};
  return table[rows - 1];
}

// The loop for `rows` (1 ... ROWS) and `vectors` (1 or 2).
inline Product product_for(int rows, int vectors) {
  using Rows = std::make_integer_sequence<int, ROWS>;
  return vectors == 1 ? product_of<1>(rows, Rows{}) : product_of<2>(rows, Rows{});
}

inline Outer outer_for(int rows, int vectors) {
  using Rows = std::make_integer_sequence<int, ROWS>;
  return vectors == 1 ? outer_of<1>(rows, Rows{}) : outer_of<2>(rows, Rows{});
}

// Cuts `total` into as few pieces of at most `most` as there can be, whose sizes differ by one at most; the larger ones come first.
struct Pieces {
  ptrdiff_t total, count, each, left;  // `left` pieces have one more than `each`: divisions take long
  Pieces(ptrdiff_t total, ptrdiff_t most) : Pieces(total, (total + most - 1) / most, nullptr) {}
  ptrdiff_t begin(ptrdiff_t i) const { return i * each + (i < left ? i : left); }
  ptrdiff_t size(ptrdiff_t i) const { return each + (i < left); }

  // `count` pieces, or one for each.
  static Pieces into(ptrdiff_t total, ptrdiff_t count) { return Pieces(total, count < total ? count : total, nullptr); }

  // Pieces of at most `most`, as many for each of `threads`.
  static Pieces shared(ptrdiff_t total, ptrdiff_t most, ptrdiff_t threads) {
    return into(total, ((total + most - 1) / most + threads - 1) / threads * threads);
  }

 private:
  Pieces(ptrdiff_t total, ptrdiff_t count, std::nullptr_t)
      : total(total), count(count), each(count ? total / count : 0), left(count ? total % count : 0) {}
};

// Columns in blocks of two vectors; the last block is of one vector where that suffices.
struct Columns {
  ptrdiff_t total;
  explicit Columns(ptrdiff_t total) : total(total) {}
  static constexpr ptrdiff_t kWidth = kMostVectors * LANES;
  ptrdiff_t count() const { return (total + kWidth - 1) / kWidth; }
  ptrdiff_t begin(ptrdiff_t block) const { return block * kWidth; }
  ptrdiff_t size(ptrdiff_t block) const { return total - begin(block) < kWidth ? total - begin(block) : kWidth; }
  int vectors(ptrdiff_t block) const { return size(block) > LANES ? 2 : 1; }
  ptrdiff_t padded() const { return (total + LANES - 1) / LANES * LANES; }  // with zeros that fill the last vector
};

}  // namespace thalweg
