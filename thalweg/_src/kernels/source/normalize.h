// Batch normalisation of rows of channels: what is known of each channel, the rows by it, and the gradients.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.h"

namespace thalweg {

constexpr int64_t kLeastPart = 1 << 14;  // elements that are worth a thread
constexpr int64_t kBlock = 1 << 12;      // elements whose sums are made apart: they stay in the first cache, and long sums stay exact

// Rows dealt out in parts. How many there are depends on sizes and the number of threads alone.
struct Rows {
  int64_t count, channels, parts;

  Rows(int64_t count, int64_t channels, int64_t threads)
      : count(count), channels(channels), parts(std::clamp<int64_t>(count * channels / kLeastPart, 1, std::min(count, 4 * threads))) {}

  int64_t begin(int64_t part) const { return count * part / parts; }
  int64_t block() const { return std::max<int64_t>(1, kBlock / channels); }
};

// Sums of a stretch of rows for each channel: their number, their mean, and the squares of what is off the mean.
struct Moments {
  int64_t count = 0;
  std::vector<float> mean, squares;

  explicit Moments(int64_t channels) : mean(channels), squares(channels) {}

  void add(int64_t more, const float* other_mean, const float* other_squares) {
    const float share = static_cast<float>(static_cast<double>(more) / static_cast<double>(count + more));
    const float weight = static_cast<float>(static_cast<double>(count) * share);
    for (size_t c = 0; c < mean.size(); ++c) {
      const float off = other_mean[c] - mean[c];
      mean[c] += off * share;
      squares[c] += other_squares[c] + off * off * weight;
    }
    count += more;
  }
};

// Mean, variance and the variance of the population that the rows are taken from.
inline void statistics(const float* x, int64_t count, int64_t channels, float* mean, float* unbiased, float* variance,
                       const Parallel& parallel) {
  const Rows rows(count, channels, parallel.threads());
  std::vector<Moments> found(rows.parts, Moments(channels));
  parallel(rows.parts, [&](int64_t part) {
    std::vector<float> sums(channels), squares(channels);
    for (int64_t r = rows.begin(part), end = rows.begin(part + 1); r < end;) {
      const int64_t stop = std::min(end, r + rows.block());
      std::fill(sums.begin(), sums.end(), 0.0f);
      std::fill(squares.begin(), squares.end(), 0.0f);
      float *const s = sums.data(), *const q = squares.data();
      for (int64_t i = r; i < stop; ++i)
        for (int64_t c = 0; c < channels; ++c) s[c] += x[i * channels + c];
      const float one = 1.0f / static_cast<float>(stop - r);
      for (int64_t c = 0; c < channels; ++c) s[c] *= one;
      for (int64_t i = r; i < stop; ++i)
        for (int64_t c = 0; c < channels; ++c) {
          const float off = x[i * channels + c] - s[c];
          q[c] += off * off;
        }
      found[part].add(stop - r, s, q);
      r = stop;
    }
  });
  for (int64_t part = 1; part < rows.parts; ++part) found[0].add(found[part].count, found[part].mean.data(), found[part].squares.data());
  const float others = static_cast<float>(std::max<int64_t>(count - 1, 1)), all = static_cast<float>(count);
  for (int64_t c = 0; c < channels; ++c) {
    mean[c] = found[0].mean[c];
    unbiased[c] = found[0].squares[c] / others;
    variance[c] = found[0].squares[c] / all;
  }
}

// What is known of each channel.
struct Known {
  const float *scale, *offset, *mean, *variance;
  float epsilon;

  float inverse(int64_t c) const { return 1.0f / std::sqrt(variance[c] + epsilon); }
};

inline void normalize(const float* x, int64_t count, int64_t channels, const Known& known, bool rectify, float* y,
                      const Parallel& parallel) {
  const Rows rows(count, channels, parallel.threads());
  std::vector<float> factors(channels);
  for (int64_t c = 0; c < channels; ++c) factors[c] = known.inverse(c) * known.scale[c];
  parallel(rows.parts, [&](int64_t part) {
    const float *const mean = known.mean, *const offset = known.offset, *const factor = factors.data();
    for (int64_t r = rows.begin(part), end = rows.begin(part + 1); r < end; ++r) {
      const float* const from = x + r * channels;
      float* const to = y + r * channels;
#pragma GCC ivdep
      for (int64_t c = 0; c < channels; ++c) {
        const float v = (from[c] - mean[c]) * factor[c] + offset[c];
        to[c] = rectify && v < 0.0f ? 0.0f : v;
      }
    }
  });
}

// The gradients of images, scale and offset. Where `mask` is there, what comes back passes where it is positive.
inline void normalize_gradient(const float* g, const float* x, const float* mask, int64_t count, int64_t channels, const Known& known,
                               float* dx, float* dscale, float* doffset, const Parallel& parallel) {
  const Rows rows(count, channels, parallel.threads());
  std::vector<std::vector<float>> found(rows.parts, std::vector<float>(2 * channels));
  const float* const mean = known.mean;
  parallel(rows.parts, [&](int64_t part) {
    std::vector<float> own(2 * channels);
    float *const sums = own.data(), *const products = sums + channels;
    for (int64_t r = rows.begin(part), end = rows.begin(part + 1); r < end;) {
      const int64_t stop = std::min(end, r + rows.block());
      std::fill(own.begin(), own.end(), 0.0f);
      for (; r < stop; ++r) {
        const float *const up = g + r * channels, *const from = x + r * channels, *const over = mask ? mask + r * channels : nullptr;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c) {
          const float v = !over || over[c] > 0.0f ? up[c] : 0.0f;
          sums[c] += v;
          products[c] += v * (from[c] - mean[c]);
        }
      }
      for (int64_t c = 0; c < 2 * channels; ++c) found[part][c] += own[c];
    }
  });
  for (int64_t part = 1; part < rows.parts; ++part)
    for (int64_t c = 0; c < 2 * channels; ++c) found[0][c] += found[part][c];
  std::vector<float> factors(channels), slopes(channels), means(channels);
  const float all = static_cast<float>(count);
  for (int64_t c = 0; c < channels; ++c) {
    const float product = found[0][channels + c], inverse = known.inverse(c);
    doffset[c] = found[0][c];
    dscale[c] = product * inverse;
    means[c] = found[0][c] / all;
    factors[c] = known.scale[c] * inverse;
    slopes[c] = product / all / (known.variance[c] + known.epsilon);
  }
  parallel(rows.parts, [&](int64_t part) {
    const float *const m = means.data(), *const factor = factors.data(), *const slope = slopes.data();
    for (int64_t r = rows.begin(part), end = rows.begin(part + 1); r < end; ++r) {
      const float *const up = g + r * channels, *const from = x + r * channels, *const over = mask ? mask + r * channels : nullptr;
      float* const to = dx + r * channels;
#pragma GCC ivdep
      for (int64_t c = 0; c < channels; ++c) {
        const float v = !over || over[c] > 0.0f ? up[c] : 0.0f;
        to[c] = factor[c] * (v - m[c] - (from[c] - mean[c]) * slope[c]);
      }
    }
  });
}

}  // namespace thalweg
