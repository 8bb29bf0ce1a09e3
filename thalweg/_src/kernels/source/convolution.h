// Convolutions of images [batch, height, width, channels] under filters [height, width, in, out], and their two gradients.
#pragma once
#include "geometry.h"
#include "parallel.h"
#include "tiles.h"

namespace thalweg {

struct Images {
  int64_t batch, height, width, channels;
  int64_t floats() const { return height * width * channels; }  // of one image
};

struct Filter {
  int64_t height, width, in, out;
};

constexpr int64_t kNear = 1 << 16;  // floats that stay in the cache next to a processor, beside the filter's

// The filter as the innermost loops read it: for each phase and block of columns, row after row without gaps.
class Packed {
 public:
  // `turned`: the result has the filter's `in` channels, and the source its `out` channels.
  Packed(const float* filter, Filter shape, bool turned, const std::vector<Phase>& rows, const std::vector<Phase>& columns,
         Scratch& scratch, const Parallel& parallel)
      : blocks_(turned ? shape.in : shape.out), depth_(turned ? shape.out : shape.in), columns_(columns.size()) {
    int64_t size = 0;
    for (const Phase& r : rows)
      for (const Phase& c : columns) {
        starts_.push_back(size);
        lengths_.push_back(r.taps.size() * c.taps.size() * depth_);
        size += lengths_.back() * blocks_.padded();
      }
    data_ = scratch.floats(size);
    const int64_t count = blocks_.count();
    parallel(starts_.size() * count, [&](int64_t i) {
      const int64_t phase = i / count, block = i % count;
      float* out = panel(phase / columns_, phase % columns_, block);
      for (const Tap& r : rows[phase / columns_].taps)
        for (const Tap& c : columns[phase % columns_].taps) {
          const float* from = filter + (r.weight * shape.width + c.weight) * shape.in * shape.out;
          turned ? turn(from, shape, block, out) : copy(from, shape, block, out);
          out += depth_ * blocks_.vectors(block) * LANES;
        }
    });
  }

  const Columns& blocks() const { return blocks_; }
  int64_t floats() const { return starts_.back() + lengths_.back() * blocks_.padded(); }
  float* panel(int64_t row_phase, int64_t column_phase, int64_t block) const {
    const int64_t phase = row_phase * columns_ + column_phase;
    return data_ + starts_[phase] + lengths_[phase] * blocks_.begin(block);
  }

 private:
  void copy(const float* from, Filter shape, int64_t block, float* out) const {
    const int64_t width = blocks_.vectors(block) * LANES, size = blocks_.size(block);
    from += blocks_.begin(block);
    for (int64_t c = 0; c < depth_; ++c, from += shape.out, out += width) {
      std::copy(from, from + size, out);
      std::fill(out + size, out + width, 0.0f);
    }
  }

  void turn(const float* from, Filter shape, int64_t block, float* out) const {
    const int64_t width = blocks_.vectors(block) * LANES, size = blocks_.size(block);
    from += blocks_.begin(block) * shape.out;
    for (int64_t c = 0; c < depth_; ++c)
      for (int64_t f = 0; f < width; ++f) out[c * width + f] = f < size ? from[f * shape.out + c] : 0.0f;
  }

  Columns blocks_;
  int64_t depth_, columns_;
  std::vector<int64_t> starts_, lengths_;
  float* data_;
};

// The stretches of the source that one place of the result reads; taps that are neighbours make one stretch.
inline std::vector<Run> runs_of(const Phase& rows, const Phase& columns, int64_t row, int64_t channels) {
  std::vector<Run> runs;
  for (const Tap& r : rows.taps) {
    const size_t first = runs.size();
    for (const Tap& c : columns.taps) {
      const ptrdiff_t at = r.offset * row + c.offset * channels;
      if (runs.size() > first && runs.back().offset + runs.back().length == at)
        runs.back().length += channels;
      else
        runs.push_back({at, channels});
    }
  }
  return runs;
}

// How the places of a result are dealt out: `images` at a time, `rows` of them, and the blocks of columns in `chunks`.
struct Deal {
  int64_t images, rows, groups, bands, chunks;

  Deal(int64_t batch, int64_t most_rows, int64_t blocks, const std::vector<Phase>& rows_phases, int64_t row_floats,
       int64_t threads) {
    const int64_t whole = Span(rows_phases, 0, most_rows).size() * row_floats;
    images = rows = 1;
    if (whole <= kNear) {
      rows = most_rows;
      images = std::clamp<int64_t>(whole ? kNear / whole : batch, 1, std::max<int64_t>(1, batch / (4 * threads)));
    } else {
      while (rows < most_rows && Span(rows_phases, 0, rows + 1).size() * row_floats <= kNear) ++rows;
    }
    groups = (batch + images - 1) / images;
    bands = (most_rows + rows - 1) / rows;
    const int64_t wanted = threads == 1 ? 1 : 4 * threads;
    chunks = std::clamp<int64_t>((wanted + groups * bands - 1) / (groups * bands), 1, blocks);
  }
  int64_t tasks() const { return groups * bands * chunks; }
};

inline int64_t most_places(const std::vector<Phase>& phases) {
  int64_t most = 0;
  for (const Phase& p : phases) most = std::max(most, p.count);
  return most;
}

// Stores `m` rows of a block whose last vector is not full.
inline void product_in_part(Product product, const float* a, ptrdiff_t a_step, const std::vector<Run>& runs, const float* b,
                            float* c, ptrdiff_t c_step, int64_t m, int64_t width, int64_t size, Finish finish) {
  alignas(64) float own[ROWS * Columns::kWidth];
  product(a, a_step, runs.data(), static_cast<int>(runs.size()), b, own, width, finish);
  for (int64_t i = 0; i < m; ++i) std::copy(own + i * width, own + i * width + size, c + i * c_step);
}

// result[place, :] = sum over taps of source[place, tap] * filter[tap], for all phases.
inline void correlate(const float* source, Images from, const float* filter, Filter shape, bool turned,
                      const std::vector<Phase>& rows, const std::vector<Phase>& columns, const float* bias, bool rectify,
                      float* result, Images to, const Parallel& parallel) {
  static thread_local Scratch for_filter, for_bias;
  const Packed packed(filter, shape, turned, rows, columns, for_filter, parallel);
  const Columns& blocks = packed.blocks();
  if (bias) {  // with zeros behind it, as far as vectors reach
    float* own = for_bias.floats(blocks.padded());
    std::fill(std::copy(bias, bias + blocks.total, own), own + blocks.padded(), 0.0f);
    bias = own;
  }
  const Span across(columns, 0, most_places(columns));
  const int64_t most_rows = most_places(rows), channels = from.channels, row_floats = across.size() * channels;
  const Deal deal(from.batch, most_rows, blocks.count(), rows, row_floats, parallel.threads());
  const Pieces chunks(blocks.count(), (blocks.count() + deal.chunks - 1) / deal.chunks);
  parallel(deal.groups * deal.bands * chunks.count, [&](int64_t task) {
    static thread_local Scratch for_views;
    const int64_t chunk = task % chunks.count, band = task / chunks.count % deal.bands, group = task / chunks.count / deal.bands;
    const int64_t top = band * deal.rows, bottom = std::min(top + deal.rows, most_rows);
    const int64_t begin = group * deal.images, end = std::min(begin + deal.images, from.batch);
    const Span down(rows, top, bottom);
    const int64_t room = down.size() * row_floats;
    float* own = for_views.floats(room * (end - begin));
    std::vector<View> views;
    for (int64_t n = begin; n < end; ++n)
      views.push_back(padded(source + n * from.floats(), from.height, from.width, channels, down, across, own + (n - begin) * room));
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < columns.size(); ++j) {
        const Phase &r = rows[i], &c = columns[j];
        if (c.count == 0) continue;
        const int64_t row = views[0].row, a_step = c.stride * channels, c_step = c.step * to.channels;
        const std::vector<Run> runs = runs_of(r, c, row, channels);
        const Pieces pieces(c.count, ROWS);
        for (int64_t block = chunks.begin(chunk); block < chunks.begin(chunk + 1); ++block) {
          const float* b = packed.panel(i, j, block);
          const int vectors = blocks.vectors(block);
          const int64_t size = blocks.size(block), width = vectors * LANES;
          const Finish finish{bias ? bias + blocks.begin(block) : nullptr, rectify};
          for (int64_t n = begin; n < end; ++n)
            for (int64_t y = top; y < std::min(bottom, r.count); ++y) {
              const float* a = views[n - begin].origin + (y * r.stride - down.first) * row - across.first * channels;
              float* out = result + n * to.floats() + ((r.start + y * r.step) * to.width + c.start) * to.channels + blocks.begin(block);
              for (int64_t piece = 0; piece < pieces.count; ++piece) {
                const int64_t x = pieces.begin(piece), m = pieces.size(piece);
                const Product product = product_for(static_cast<int>(m), vectors);
                if (size == width)
                  product(a + x * a_step, a_step, runs.data(), static_cast<int>(runs.size()), b, out + x * c_step, c_step, finish);
                else
                  product_in_part(product, a + x * a_step, a_step, runs, b, out + x * c_step, c_step, m, width, size, finish);
              }
            }
        }
      }
  });
}

// by_filter[tap, :, :] = sum over places of source[place, tap, :] and gradient[place, :].
inline void correlate_places(const float* source, Images from, const float* gradient, Images to, const Walk& down_walk,
                             const Walk& across_walk, float* by_filter, const Parallel& parallel) {
  static thread_local Scratch for_parts;
  const std::vector<Phase> rows = forward(down_walk), columns = forward(across_walk);
  const Columns blocks(to.channels);
  const int64_t width = blocks.padded(), channels = from.channels;
  const int64_t lines = down_walk.filter * across_walk.filter * channels;
  const Span across(columns, 0, to.width);
  const Deal deal(from.batch, to.height, 1, rows, across.size() * channels, parallel.threads());
  const int64_t tasks = deal.groups * deal.bands;
  const Pieces shares(tasks, (tasks + parallel.threads() - 1) / parallel.threads());
  float* parts = for_parts.floats(shares.count * lines * width);
  // Neighbouring columns of the filter read on from each other, so that they count as channels.
  const bool joined = across_walk.dilation == 1;
  const int64_t steps = joined ? 1 : across_walk.filter, height = joined ? across_walk.filter * channels : channels;
  const Pieces pieces(height, ROWS);
  parallel(shares.count, [&](int64_t share) {
    static thread_local Scratch for_views, for_gradient;
    float* sums = parts + share * lines * width;
    std::fill(sums, sums + lines * width, 0.0f);
    for (int64_t task = shares.begin(share); task < shares.begin(share + 1); ++task) {
      const int64_t top = task % deal.bands * deal.rows, bottom = std::min(top + deal.rows, to.height);
      const int64_t begin = task / deal.bands * deal.images, end = std::min(begin + deal.images, from.batch);
      const Span down(rows, top, bottom);
      const int64_t room = down.size() * across.size() * channels, places = (bottom - top) * to.width;
      float* own = for_views.floats(room * (end - begin));
      const float* g = gradient + begin * to.floats() + top * to.width * to.channels;
      Stride b_step{to.floats(), to.width * to.channels, to.channels};
      View view{};
      for (int64_t n = begin; n < end; ++n) {
        const View next = padded(source + n * from.floats(), from.height, from.width, channels, down, across, own + (n - begin) * room);
        if (n == begin) view = next;
      }
      if (width != to.channels) {
        float* wide = for_gradient.floats((end - begin) * places * width);
        for (int64_t n = begin; n < end; ++n)
          for (int64_t p = 0; p < places; ++p) {
            const float* at = g + (n - begin) * to.floats() + p * to.channels;
            float* out = wide + ((n - begin) * places + p) * width;
            std::fill(std::copy(at, at + to.channels, out), out + width, 0.0f);
          }
        g = wide;
        b_step = {places * width, to.width * width, width};
      }
      const Stride a_step{view.origin == own ? room : from.floats(), down_walk.stride * view.row, across_walk.stride * channels};
      const Extent extent{end - begin, bottom - top, to.width};
      for (int64_t block = 0; block < blocks.count(); ++block)
        for (int64_t k = 0; k < down_walk.filter; ++k)
          for (int64_t step = 0; step < steps; ++step)
            for (int64_t piece = 0; piece < pieces.count; ++piece) {
              const int64_t m = pieces.begin(piece);
              const float* a = view.origin + k * down_walk.dilation * view.row + step * across_walk.dilation * channels + m;
              float* c = sums + ((k * across_walk.filter + step) * channels + m) * width + blocks.begin(block);
              outer_for(static_cast<int>(pieces.size(piece)), blocks.vectors(block))(
                  a, a_step, g + blocks.begin(block), b_step, extent, c, width);
            }
    }
  });
  const Pieces slices(lines, std::max<int64_t>(1, (lines + 4 * parallel.threads() - 1) / (4 * parallel.threads())));
  parallel(slices.count, [&](int64_t slice) {
    for (int64_t line = slices.begin(slice); line < slices.begin(slice + 1); ++line) {
      float* out = by_filter + line * to.channels;
      const float* first = parts + line * width;
      std::copy(first, first + to.channels, out);
      for (int64_t share = 1; share < shares.count; ++share) {
        const float* part = first + share * lines * width;
        for (int64_t f = 0; f < to.channels; ++f) out[f] += part[f];
      }
    }
  });
}

}  // namespace thalweg
