// Windows over images whose channels do not know of each other: pools, and filters that take each channel on its own.
//
// The lanes of a vector run along the channels, of which there are LANES at least. Where they do not fill the last vector, it overlaps
// with the one before: what lies in both is computed twice, alike.
#pragma once
#include <vector>

#include "functions.h"
#include "geometry.h"
#include "parallel.h"

namespace thalweg {

// The vectors over `channels`: where each begins.
struct Lanes {
  int64_t channels;
  int64_t count() const { return (channels + LANES - 1) / LANES; }
  int64_t begin(int64_t i) const { return std::min(i * LANES, channels - LANES); }
  int together(int64_t i) const { return i + 1 < count() && begin(i + 1) == begin(i) + LANES ? 2 : 1; }  // i alone, or with the next one
};

// The elements of a window that lie in the image: from `begin` to `end`, where element 0 would lie at `from`.
struct Inside {
  int64_t begin, end, from;
  Inside(const Walk& w, int64_t place) : from(place * w.stride - w.before) {
    begin = from >= 0 ? 0 : (-from + w.dilation - 1) / w.dilation;
    end = std::min(w.filter, (w.image - from + w.dilation - 1) / w.dilation);
  }
  int64_t size() const { return end - begin; }
  int64_t first() const { return from + begin; }  // in an image, where neighbours of a window are neighbours
};

// How elements are taken together, and what is done with the result, from a window of `size` elements, before it is stored.
struct Largest {
  // What is not a number stays, from either side.
  static Vector of(Vector a, Vector b) { return ((b > a) | (b != b)) ? b : a; }
  static Vector done(Vector all, float) { return all; }
};

struct Sum {
  static Vector of(Vector a, Vector b) { return a + b; }
  static Vector done(Vector all, float) { return all; }
};

struct Mean : Sum {
  static Vector done(Vector all, float size) { return all / size; }
};

// out[i] = rows[0][i], rows[1][i] ... taken together, `count` rows that are `step` apart.
template <typename Way, int known>
void together_of(const float* rows, int64_t step, int64_t count, int64_t floats, float* out, float size) {
  const Lanes vectors{floats};
  const int64_t last = known ? known : count;
  for (int64_t v = 0; v < vectors.count(); ++v) {
    const float* from = rows + vectors.begin(v);
    Vector all = load(from);
#pragma GCC unroll 3
    for (int64_t i = 1; i < last; ++i) all = Way::of(all, load(from + i * step));
    store(out + vectors.begin(v), Way::done(all, size));
  }
}

template <typename Way>
void together(const float* rows, int64_t step, int64_t count, int64_t floats, float* out, float size) {
  (count == 2 ? together_of<Way, 2> : count == 3 ? together_of<Way, 3> : together_of<Way, 0>)(rows, step, count, floats, out, size);
}

// One element for each window: first its rows are taken together, then the columns of what comes of it.
template <typename Rows, typename Columns>
void pool(const float* image, Images from, float* result, Images to, const Walk& down, const Walk& across, const Parallel& parallel) {
  const int64_t channels = from.channels, lines = to.batch * to.height, row = from.width * channels;
  const Pieces pieces(lines, (lines + 4 * parallel.threads() - 1) / (4 * parallel.threads()));
  parallel(pieces.count, [&](int64_t piece) {
    static thread_local Scratch for_row;
    float* const room = for_row.floats(row);
    for (int64_t line = pieces.begin(piece); line < pieces.begin(piece + 1); ++line) {
      const Inside rows(down, line % to.height);
      const float* near = image + line / to.height * from.floats() + rows.first() * row;
      if (rows.size() > 1) {
        together<Rows>(near, row, rows.size(), row, room, 0);
        near = room;
      }
      for (int64_t place = 0; place < to.width; ++place) {
        const Inside columns(across, place);
        together<Columns>(near + columns.first() * channels, channels, columns.size(), channels,
                          result + (line * to.width + place) * channels, static_cast<float>(rows.size() * columns.size()));
      }
    }
  });
}

// Where a window lies: floats from a row to the next and from a column to the next.
struct Grid {
  int64_t row, column;
};

// Adds `given` to the elements of `to` at which the elements of `window` are the first largest ones; if `rectify`, where those are positive.
// Sizes that are known make a straight line of it.
template <int known_rows, int known_columns>
inline void give(const float* window, Grid at, int64_t some_rows, int64_t some_columns, Vector given, bool rectify, float* to, Grid to_at) {
  const int64_t rows = known_rows ? known_rows : some_rows, columns = known_columns ? known_columns : some_columns;
  Vector best = load(window);
  Integers place{};
#pragma GCC unroll 3
  for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 3
    for (int64_t j = 0; j < columns; ++j) {
      const Vector next = load(window + i * at.row + j * at.column);
      const auto better = next > best;
      best = better ? next : best;
      place = better ? Integers{} + static_cast<int32_t>(i * columns + j) : place;
    }
  if (rectify) given = best > 0 ? given : Vector{};
#pragma GCC unroll 3
  for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 3
    for (int64_t j = 0; j < columns; ++j) {
      float* element = to + i * to_at.row + j * to_at.column;
      store(element, load(element) + (place == static_cast<int32_t>(i * columns + j) ? given : Vector{}));
    }
}

inline auto give_for(int64_t rows, int64_t columns) {
  if (rows == 3 && columns == 3) return give<3, 3>;
  return rows == 2 && columns == 2 ? give<2, 2> : give<0, 0>;
}

// The gradient of the largest elements: each goes to the first one of its window, in the order of rows and columns, or if `rectify` nowhere
// where that is not positive. An image is dealt
// out by its channels, so that no two threads write to one place, and sums are made in one order.
inline void unpool(const float* image, const float* gradient, Images from, Images to, bool rectify, float* result, const Walk& down,
                   const Walk& across, const Parallel& parallel) {
  const int64_t channels = from.channels, places = from.height * from.width;
  const Lanes vectors{channels};
  const int64_t wanted = std::max<int64_t>(1, 4 * parallel.threads() / from.batch);
  const Pieces pieces(vectors.count(), (vectors.count() + wanted - 1) / wanted);
  const Grid wide{from.width * channels, channels}, narrow{from.width * LANES, LANES};
  parallel(from.batch * pieces.count, [&](int64_t task) {
    static thread_local Scratch for_last;
    const int64_t n = task / pieces.count, piece = task % pieces.count;
    const float* const x = image + n * from.floats();
    float* const out = result + n * from.floats();
    const int64_t begin = pieces.begin(piece), end = pieces.begin(piece + 1);
    // A vector that overlaps must not add what the one before has added, so it has memory of its own.
    const int64_t full = std::min(end * LANES, channels / LANES * LANES), left = end * LANES > channels ? channels - full : 0;
    float* const last = left ? for_last.floats(places * LANES) : nullptr;
    if (left) std::fill(last, last + places * LANES, 0.0f);
    int64_t cleared = 0;  // places that hold zeros or sums: just ahead of the windows, so that they are near when they are added to
    const auto clear = [&](int64_t stop) {
      const bool whole = full - begin * LANES == channels;  // then the places are one stretch
      if (whole && stop > cleared) std::fill(out + cleared * channels, out + stop * channels, 0.0f);
      for (int64_t p = cleared; p < stop && !whole; ++p) std::fill(out + p * channels + begin * LANES, out + p * channels + full, 0.0f);
      cleared = std::max(cleared, stop);
    };
    for (int64_t r = 0; r < to.height; ++r) {
      const Inside rows(down, r);
      clear((rows.first() + rows.size()) * from.width);
      for (int64_t c = 0; c < to.width; ++c) {
        const Inside columns(across, c);
        const auto give = give_for(rows.size(), columns.size());
        const int64_t at = rows.first() * from.width + columns.first();
        const float *window = x + at * channels, *g = gradient + ((n * to.height + r) * to.width + c) * channels;
        for (int64_t v = begin; v < end; ++v) {
          const int64_t offset = vectors.begin(v);
          const bool own = left && v + 1 == end;
          give(window + offset, wide, rows.size(), columns.size(), load(g + offset), rectify,
               own ? last + at * LANES : out + at * channels + offset, own ? narrow : wide);
        }
      }
    }
    clear(places);
    if (left)
      for (int64_t p = 0; p < places; ++p) std::copy_n(last + (p + 1) * LANES - left, left, out + p * channels + full);
  });
}

}  // namespace thalweg
