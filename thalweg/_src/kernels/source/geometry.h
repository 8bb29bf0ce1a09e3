// Which elements of a source meet in an element of the result, along rows and columns of images.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace thalweg {

struct Images {
  int64_t batch, height, width, channels;
  int64_t floats() const { return height * width * channels; }  // of one image
};

// One axis of a convolution: sizes of image, filter and result, and how the filter walks.
struct Walk {
  int64_t image, filter, result, stride, dilation, before;  // `before`: the padding ahead of the image
};

// The element `weight` of the filter, met `offset` elements behind the place where a result begins to read.
struct Tap {
  int64_t offset, weight;
};

// Places start, start + step ... of the result that meet the same taps; the i-th one reads from i * stride on.
struct Phase {
  int64_t start, step, count, stride;
  std::vector<Tap> taps;  // ascending offsets

  int64_t first() const { return taps.empty() ? 0 : taps.front().offset; }
  int64_t reach(int64_t places) const { return taps.empty() ? 0 : (places - 1) * stride + taps.back().offset + 1; }
};

// The phases of a convolution: one.
inline std::vector<Phase> forward(const Walk& w) {
  Phase phase{0, 1, w.result, w.stride, {}};
  for (int64_t k = 0; k < w.filter; ++k) phase.taps.push_back({k * w.dilation - w.before, k});
  return {phase};
}

// The phases of its gradient by the image, which reads results: one for each remainder modulo the stride.
inline std::vector<Phase> backward(const Walk& w) {
  std::vector<Phase> phases;
  for (int64_t r = 0; r < std::min(w.stride, w.image); ++r) {
    Phase phase{r, w.stride, (w.image - r + w.stride - 1) / w.stride, 1, {}};
    for (int64_t k = w.filter - 1; k >= 0; --k) {
      const int64_t at = r + w.before - k * w.dilation;
      if (at % w.stride == 0) phase.taps.push_back({at / w.stride, k});
    }
    phases.push_back(phase);
  }
  return phases;
}

// The elements from `first` to `last` (not itself) that some phase reads for its places from `begin` to `end`.
struct Span {
  int64_t first, last;
  Span(const std::vector<Phase>& phases, int64_t begin, int64_t end) : first(0), last(0) {
    bool any = false;
    for (const Phase& p : phases) {
      const int64_t stop = std::min(end, p.count);
      if (p.taps.empty() || begin >= stop) continue;
      const int64_t from = begin * p.stride + p.first(), to = p.reach(stop);
      first = any ? std::min(first, from) : from;
      last = any ? std::max(last, to) : to;
      any = true;
    }
  }
  int64_t size() const { return last - first; }
};

// A part of an image with zeros around it: `origin` is where element (first row, first column) of the spans lies.
struct View {
  const float* origin;
  int64_t row;  // floats from a row to the next
};

// Rows and columns of `image` [height, width, channels] as far as the spans go: the image itself where they stay inside, otherwise a
// copy in `room`, which holds rows.size() * columns.size() * channels floats.
inline View padded(const float* image, int64_t height, int64_t width, int64_t channels, Span rows, Span columns, float* room) {
  if (rows.first >= 0 && rows.last <= height && columns.first >= 0 && columns.last <= width)
    return {image + (rows.first * width + columns.first) * channels, width * channels};
  const int64_t row = columns.size() * channels;
  const int64_t from = std::clamp<int64_t>(columns.first, 0, width), to = std::clamp<int64_t>(columns.last, from, width);
  const int64_t left = std::min((from - columns.first) * channels, row), inside = (to - from) * channels;
  for (int64_t r = rows.first; r < rows.last; ++r) {
    float* out = room + (r - rows.first) * row;
    if (r < 0 || r >= height || inside == 0) {
      std::fill(out, out + row, 0.0f);
      continue;
    }
    std::fill(out, out + left, 0.0f);
    std::memcpy(out + left, image + (r * width + from) * channels, inside * sizeof(float));
    std::fill(out + left + inside, out + row, 0.0f);
  }
  return {room, row};
}

}  // namespace thalweg
