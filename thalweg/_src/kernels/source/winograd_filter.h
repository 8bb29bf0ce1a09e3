// The gradient by a 3x3 or 5x5 filter of stride 1, by tiles in the forms of `forms.h`.
//
// Tiles of the source and of the gradient are brought to points, where the sum over all tiles is a matrix product for each point; once
// all tiles are in, the points gather into taps. For a tile of 2x2 places and each pair of channels these are 16 multiplications (36 for
// 5x5 taps), where the sum over places takes 36 (100).
#pragma once
#include <atomic>

#include "winograd.h"

namespace thalweg {

constexpr int64_t kSums = 1 << 20;  // floats of the sums at all points beyond which they are too large for the caches

// A tile of the gradient from (row, column) on in the form of points: `out[point * step + channel]`. Places beyond the edges are zeros,
// and so are the channels that fill the last vector.
template <int taps>
__attribute__((noinline)) void spread_to_points(const float* image, Images of, int64_t row, int64_t column, float* out, int64_t step) {
  constexpr int N = taps + kSide - 1;
  const float* tile = image + (row * of.width + column) * of.channels;
  for (int64_t c = 0; c < of.channels; c += LANES) {
    const int64_t size = std::min<int64_t>(LANES, of.channels - c);
    both_ways<kSide, N, Form<taps>::from_result>(
        [&](int i, int j) {
          const bool inside = row + i < of.height && column + j < of.width;
          return inside ? load_part(tile + (i * of.width + j) * of.channels + c, size) : Vector{};
        },
        [&](int i, int j, Vector v) { store(out + (i * N + j) * step + c, v); });
  }
}

// Sums of `shares` that are `share` floats apart, at points `step` apart, as taps `tap` floats apart. Returns zeros, but where one is
// infinite or not a number.
template <int taps>
Vector points_to_taps(const float* points, int64_t step, int64_t shares, int64_t share, float* out, int64_t tap, int64_t size) {
  constexpr int N = taps + kSide - 1;
  Vector strange{};
  both_ways<N, taps, Form<taps>::to_filter>(
      [&](int i, int j) {
        const float* at = points + (i * N + j) * step;
        Vector sum = load(at);
        for (int64_t s = 1; s < shares; ++s) sum += load(at + s * share);
        return sum;
      },
      [&](int i, int j, Vector v) {
        strange += v - v;
        store_part(out + (i * taps + j) * tap, v, size);
      });
  return strange;
}

// As `correlate_places`, for what suits; `top` and `left` are where the first place begins to read. False, where something came out that is
// not finite: it may have gone to other taps.
template <int taps>
bool correlate_tile_places(const float* source, Images from, const float* gradient, Images to, int64_t top, int64_t left, float* by_filter,
                           const Parallel& parallel) {
  static thread_local Scratch for_sums;
  constexpr int kPoints = points_of(taps);
  const Columns blocks(to.channels);
  const int64_t width = blocks.padded(), pitch = pitch_of(from.channels), wide = pitch_of(to.channels);
  const int64_t at_point = from.channels * width, floats = kPoints * at_point;
  const Tiles tiles(to);
  const int64_t threads = parallel.threads();
  // Every share sums up in memory of its own; the fewer, the larger the filter is.
  const int64_t most = std::clamp<int64_t>(kParts / floats, threads, 2 * threads);
  const Pieces shares(tiles.count(), (tiles.count() + most - 1) / most);
  float* const sums = for_sums.floats(shares.count * floats);
  const int64_t together = std::clamp<int64_t>(kForTiles / (kPoints * (pitch + wide)), ROWS, kMostTiles);
  const Pieces pieces(from.channels, ROWS);
  parallel(shares.count, [&](int64_t share) {
    static thread_local Scratch for_source, for_gradient;
    float* const own = sums + share * floats;
    std::fill(own, own + floats, 0.0f);
    const Pieces turns(shares.size(share), together);
    float* const x = for_source.floats(kPoints * together * pitch);
    float* const g = for_gradient.floats(kPoints * together * wide);
    for (int64_t turn = 0; turn < turns.count; ++turn) {
      const int64_t count = turns.size(turn);
      const std::vector<Corner> corners = corners_of(tiles, shares.begin(share) + turns.begin(turn), count);
      for (int64_t t = 0; t < count; ++t) {
        const Corner& at = corners[t];
        tile_to_points<taps>(source + at.image * from.floats(), from, at.row + top, at.column + left, x + t * pitch, together * pitch);
        spread_to_points<taps>(gradient + at.image * to.floats(), to, at.row, at.column, g + t * wide, together * wide);
      }
      const Extent extent{1, 1, count};
      for (int p = 0; p < kPoints; ++p)
        for (int64_t block = 0; block < blocks.count(); ++block)
          for (int64_t piece = 0; piece < pieces.count; ++piece)
            outer_for(static_cast<int>(pieces.size(piece)), blocks.vectors(block))(
                x + p * together * pitch + pieces.begin(piece), {0, 0, pitch}, g + p * together * wide + blocks.begin(block), {0, 0, wide},
                extent, own + p * at_point + pieces.begin(piece) * width + blocks.begin(block), width);
    }
  });
  std::atomic<bool> finite{true};
  const Pieces slices(from.channels, std::max<int64_t>(1, from.channels / (4 * threads)));
  parallel(slices.count, [&](int64_t slice) {
    Vector strange{};
    for (int64_t c = slices.begin(slice); c < slices.begin(slice + 1); ++c)
      for (int64_t f = 0; f < to.channels; f += LANES)
        strange += points_to_taps<taps>(sums + c * width + f, at_point, shares.count, floats, by_filter + c * to.channels + f,
                                        from.channels * to.channels, std::min<int64_t>(LANES, to.channels - f));
    for (int i = 0; i < LANES; ++i)
      if (strange[i] != 0) finite = false;
  });
  return finite;
}

// `correlate_places`, by tiles where that suits.
inline void correlate_places_somehow(const float* source, Images from, const float* gradient, Images to, const Walk& down,
                                     const Walk& across, float* by_filter, const Parallel& parallel) {
  const std::vector<Phase> rows = forward(down), columns = forward(across);
  const int taps = taps_of_tiles(rows, columns, from, to);
  if (taps && from.channels * to.channels * points_of(taps) <= kSums) {
    const auto by_tiles = taps == 3 ? correlate_tile_places<3> : correlate_tile_places<5>;
    if (by_tiles(source, from, gradient, to, rows[0].first(), columns[0].first(), by_filter, parallel)) return;
  }
  correlate_places(source, from, gradient, to, down, across, by_filter, parallel);
}

}  // namespace thalweg
