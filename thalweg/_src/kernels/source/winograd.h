// Convolutions under 3x3 and 5x5 filters of stride 1 with fewer multiplications, by tiles in the forms of `forms.h`.
//
// A tile of 2x2 places of the result takes 16 matrix products over the channels, or 36 for 5x5 taps, where the sum over taps takes 36, or
// 100. Bringing values there and back is sums and multiples.
#pragma once
#include <atomic>
#include <cstdlib>

#include "convolution.h"
#include "forms.h"
#include "functions.h"
#include "windows.h"

namespace thalweg {

constexpr int64_t kLeastDeep = 32;       // channels of source and result below which the way there and back takes too long
constexpr int64_t kLeastTiles = 32;      // tiles of all images below which the filter's way does,
constexpr int64_t kFilterShare = 1024;   // or one for so many elements of the filter, of each tap
constexpr int64_t kWidest = 1 << 23;     // floats of a filter in its points beyond which it is too large for the caches
constexpr int64_t kForTiles = 1 << 18;   // floats of a task's tiles, in the cache that a processor has for itself
constexpr int64_t kMostTiles = 4 * ROWS;

constexpr int points_of(int taps) { return (taps + kSide - 1) * (taps + kSide - 1); }  // elements of a tile, and of a filter in its form

// TensorFlow's own switch, where its library for GPUs would compute so.
inline bool winograd_allowed() {
  static const bool allowed = [] {
    const char* said = std::getenv("TF_ENABLE_WINOGRAD_NONFUSED");
    return !said || std::strcmp(said, "0") != 0;
  }();
  return allowed;
}

// Tiles of 2x2 places of images of `height` by `width`, numbered through a batch.
struct Tiles {
  int64_t batch, rows, columns;
  Tiles(Images of) : batch(of.batch), rows((of.height + 1) / 2), columns((of.width + 1) / 2) {}
  int64_t count() const { return batch * rows * columns; }
};

// Where a tile begins: its image, and a place in it.
struct Corner {
  int64_t image, row, column;
};

// The corners of `count` tiles from `first` on.
inline std::vector<Corner> corners_of(const Tiles& tiles, int64_t first, int64_t count) {
  const int64_t line = first / tiles.columns;
  Corner at{line / tiles.rows, line % tiles.rows * 2, first % tiles.columns * 2};
  std::vector<Corner> out;
  for (int64_t i = 0; i < count; ++i) {
    out.push_back(at);
    if ((at.column += 2) < 2 * tiles.columns) continue;
    at.column = 0;
    if ((at.row += 2) < 2 * tiles.rows) continue;
    at.row = 0;
    ++at.image;
  }
  return out;
}

// How many tiles a task takes, of which each has so many floats.
inline Pieces tasks_of(int64_t tiles, int64_t floats, int64_t threads) {
  const int64_t most = std::clamp<int64_t>(kForTiles / floats / ROWS * ROWS, ROWS, kMostTiles);
  const int64_t even = std::max<int64_t>(ROWS, (tiles + 4 * threads - 1) / (4 * threads));
  return Pieces::shared(tiles, std::min(most, (even + ROWS - 1) / ROWS * ROWS), tiles > ROWS ? threads : 1);
}

inline int64_t pitch_of(int64_t channels) { return (channels + LANES - 1) / LANES * LANES + LANES; }  // rows that don't meet in the cache

// A tile from `tile` on, whose places are `column` floats apart and their rows `row`, in the form of points, for the channels of a
// vector: `out[point * step]`. Places beyond the edges of the image are zeros, but where it is known that there are none.
template <int taps, bool inside>
inline void vector_to_points(const float* tile, int64_t row, int64_t column, const bool* rows, const bool* columns, float* out, int64_t step) {
  constexpr int N = taps + kSide - 1;
  both_ways<N, N, Form<taps>::of_source>(
      [&](int i, int j) { return inside || (rows[i] && columns[j]) ? load(tile + i * row + j * column) : Vector{}; },
      [&](int i, int j, Vector v) { store(out + (i * N + j) * step, v); });
}

// The tile of `image` from (row, column) on in the form of points: `out[point * step + channel]`.
template <int taps>
__attribute__((noinline)) void tile_to_points(const float* image, Images of, int64_t row, int64_t column, float* out, int64_t step) {
  constexpr int N = taps + kSide - 1;
  const Lanes vectors{of.channels};
  bool rows[N], columns[N], inside = true;
  for (int64_t i = 0; i < N; ++i) {
    rows[i] = row + i >= 0 && row + i < of.height;
    columns[i] = column + i >= 0 && column + i < of.width;
    inside = inside && rows[i] && columns[i];
  }
  const float* tile = image + (row * of.width + column) * of.channels;
  const auto each = inside ? vector_to_points<taps, true> : vector_to_points<taps, false>;
  for (int64_t v = 0; v < vectors.count(); ++v)
    each(tile + vectors.begin(v), of.width * of.channels, of.channels, rows, columns, out + vectors.begin(v), step);
}

// Filters in the form of points: [block of columns][point][channel][columns], from panels [block][tap][channel][columns].
template <int taps>
void filter_to_points(const float* panel, int64_t channels, int64_t width, float* out) {
  constexpr int N = taps + kSide - 1;
  const int64_t step = channels * width;
  for (int64_t at = 0; at < step; at += LANES)
    both_ways<taps, N, Form<taps>::of_filter>(
        [&](int i, int j) { return load(panel + (i * taps + j) * step + at); },
        [&](int i, int j, Vector v) { store(out + (i * N + j) * step + at, v); });
}

// The first `size` elements at `from`, and zeros.
inline Vector load_part(const float* from, int64_t size) {
  if (size == LANES) return load(from);
  alignas(64) float own[LANES] = {};
  std::copy_n(from, size, own);
  return load(own);
}

inline void store_part(float* to, Vector v, int64_t size) {
  if (size == LANES) return store(to, v);
  alignas(64) float own[LANES];
  store(own, v);
  std::copy_n(own, size, to);
}

// The results of tiles for `size` channels from `channel` on, from their points [tile][point][V vectors]. Returns zeros, but where a sum is
// infinite or not a number.
template <int taps, int V>
__attribute__((noinline)) Vector finish_tiles(const std::vector<Corner>& corners, const float* points, int64_t channel, int64_t size,
                                              const Finish& after, float* result, Images to) {  // inlined, it lacks registers
  constexpr int N = taps + kSide - 1;
  const Vector scale = after.scale ? load(after.scale + channel) : all(1.0f), bias = after.bias ? load(after.bias + channel) : Vector{};
  Vector strange{};
  for (const Corner& at : corners) {
    Vector sums[kSide * kSide];
    both_ways<N, kSide, Form<taps>::to_result>(
        [&](int i, int j) { return load(points + (i * N + j) * V * LANES); },
        [&](int i, int j, Vector v) { sums[i * kSide + j] = v; });
    points += N * N * V * LANES;
    const int64_t place = ((at.image * to.height + at.row) * to.width + at.column) * to.channels + channel;
    const bool inside[] = {true, at.column + 1 < to.width, at.row + 1 < to.height, at.row + 1 < to.height && at.column + 1 < to.width};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      if (!inside[i]) continue;
      const int64_t own = place + (i / 2 * to.width + i % 2) * to.channels;
      Vector sum = sums[i] * scale + bias;
      if (after.addend) sum += load_part(after.addend + own, size);
      strange += sum - sum;
      if (after.rectify) sum = after.bounded(sum);
      store_part(result + own, sum, size);
    }
  }
  return strange;
}

// The number of taps of a phase along both axes if tiles suit: 3 or 5 neighbours for places that are neighbours, and, where the filter's
// points are not `ready`, enough of them and of channels; otherwise 0.
inline int taps_of_tiles(const std::vector<Phase>& rows, const std::vector<Phase>& columns, Images from, Images to,
                         bool ready = false) {
  const auto neighbours = [](const std::vector<Phase>& phases) -> int64_t {
    if (phases.size() != 1 || phases[0].stride != 1 || phases[0].step != 1) return 0;
    const auto& taps = phases[0].taps;
    for (size_t i = 1; i < taps.size(); ++i)
      if (taps[i].offset != taps[0].offset + static_cast<int64_t>(i)) return 0;
    return static_cast<int64_t>(taps.size());
  };
  const int64_t taps = neighbours(rows), elements = from.channels * to.channels;
  const bool pays = from.channels >= kLeastDeep && to.channels >= kLeastDeep && elements * points_of(taps) <= kWidest &&
                    Tiles(to).count() >= std::max(kLeastTiles, elements / kFilterShare);
  const bool suits = (taps == 3 || taps == 5) && taps == neighbours(columns) && (ready || pays);
  return suits && winograd_allowed() ? static_cast<int>(taps) : 0;
}

// The points of a block of a filter, from all its panels.
template <int taps>
void block_to_points(const float* panels, int64_t depth, const Columns& blocks, int64_t block, float* points) {
  const int64_t at = depth * blocks.begin(block);
  filter_to_points<taps>(panels + taps * taps * at, depth, blocks.vectors(block) * LANES, points + points_of(taps) * at);
}

// As `correlate`, for what suits, with the `filter` in the form of points. False, where something came out that is not finite:
// it may have gone to neighbours, so that the result is worth nothing.
template <int taps>
bool correlate_tiles(const float* source, Images from, const float* filter, int64_t top, int64_t left, Finish after, float* result,
                            Images to, const Parallel& parallel) {
  constexpr int kPoints = points_of(taps);
  const Columns blocks(to.channels);
  const int64_t depth = from.channels, pitch = pitch_of(depth);
  const Tiles tiles(to);
  const Pieces tasks = tasks_of(tiles.count(), kPoints * pitch, parallel.threads());
  std::atomic<bool> finite{true};
  parallel(tasks.count, [&](int64_t task) {
    static thread_local Scratch for_tiles, for_points;
    const int64_t begin = tasks.begin(task), count = tasks.size(task);
    float* const near = for_tiles.floats(kPoints * count * pitch);
    float* const points = for_points.floats(kPoints * count * Columns::kWidth);
    const std::vector<Corner> corners = corners_of(tiles, begin, count);
    for (int64_t t = 0; t < count; ++t) {
      const Corner& at = corners[t];
      tile_to_points<taps>(source + at.image * from.floats(), from, at.row + top, at.column + left, near + t * kPoints * pitch, pitch);
    }
    std::vector<Run> whole{{0, depth}};
    const Pieces pieces(count, ROWS);
    Vector strange{};
    for (int64_t b = 0; b < blocks.count(); ++b) {
      const int64_t width = blocks.vectors(b) * LANES;
      for (int p = 0; p < kPoints; ++p) {
        const float* const panel = filter + kPoints * depth * blocks.begin(b) + p * depth * width;
        Ahead next(panel + depth * width, depth * width);
        for (int64_t i = 0; i < pieces.count; ++i) {
          const int64_t t = pieces.begin(i);
          next.by(whole);
          product_for(static_cast<int>(pieces.size(i)), blocks.vectors(b))(
              near + (t * kPoints + p) * pitch, kPoints * pitch, whole.data(), 1, panel, points + (t * kPoints + p) * width,
              kPoints * width, {});
        }
      }
      for (int64_t v = 0; v < blocks.vectors(b); ++v) {
        const int64_t channel = blocks.begin(b) + v * LANES, size = std::min<int64_t>(LANES, to.channels - channel);
        const auto finish = blocks.vectors(b) == 2 ? finish_tiles<taps, 2> : finish_tiles<taps, 1>;
        strange += finish(corners, points + v * LANES, channel, size, after, result, to);
      }
    }
    for (int i = 0; i < LANES; ++i)
      if (strange[i] != 0) finite = false;
  });
  return finite;
}

// `correlate`, by tiles where that suits. Where the panels are ready, so are the filter's points behind them, if `ready` has more floats.
inline void correlate_somehow(const float* source, Images from, const float* filter, Filter shape, bool turned,
                              const std::vector<Phase>& rows, const std::vector<Phase>& columns, const float* ready, int64_t floats,
                              const Finish& after, float* result, Images to, const Parallel& parallel) {
  static thread_local Scratch for_panels, for_points, for_vectors;
  const Packed packed(filter, shape, turned, rows, columns);
  const bool known = ready && floats > packed.floats();
  if (const int taps = taps_of_tiles(rows, columns, from, to, known)) {
    const Columns& blocks = packed.blocks();
    const float* points = ready + packed.floats();
    if (!known) {
      float* const own = for_points.floats(points_of(taps) * from.channels * blocks.padded());
      const float* const panels = panels_of(packed, ready, for_panels, parallel);
      const auto make = taps == 3 ? block_to_points<3> : block_to_points<5>;
      parallel(blocks.count(), [&](int64_t block) { make(panels, from.channels, blocks, block, own); });
      points = own;
    }
    const Finish finish = padded(after, blocks, for_vectors);
    const auto by_tiles = taps == 3 ? correlate_tiles<3> : correlate_tiles<5>;
    if (by_tiles(source, from, points, rows[0].first(), columns[0].first(), finish, result, to, parallel)) return;
  }
  correlate(source, from, filter, shape, turned, rows, columns, ready, after, result, to, parallel);
}

}  // namespace thalweg
