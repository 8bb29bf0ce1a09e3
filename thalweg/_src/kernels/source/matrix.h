// Products of large matrices, [rows, depth] by [depth, columns], either of which may lie turned over.
//
// The depth is cut into slabs. Of a slab, the left matrix is brought into tiles of ROWS rows and the right one into panels of two vectors
// of columns, so that the innermost loop reads memory in order, whatever the strides of the matrices are; the sums of a slab are
// added to those of the slabs before it. Tiles of some rows stay in a processor's cache while panels go by.
#pragma once
#include <algorithm>

#include "convolution.h"

namespace thalweg {

constexpr ptrdiff_t kSlab = 512;    // of the depth
constexpr ptrdiff_t kTall = 16;     // tiles that stay near while panels go by
constexpr ptrdiff_t kApart = 1024;  // floats from row to row, or a multiple, for which rows fall on each other in the cache ...
constexpr ptrdiff_t kGap = 16;      // ... if there are not so many between them

// A matrix where it lies: `turned` says that its columns are the rows of memory, which are `step` apart.
struct Matrix {
  const float* at;
  ptrdiff_t step;
  bool turned;
};

// Sets `to` [columns, rows], whose rows are `to_step` apart, to what `from` [rows, columns] is turned over: a square of vectors at a time.
inline void turn(const float* from, ptrdiff_t from_step, ptrdiff_t rows, ptrdiff_t columns, float* to, ptrdiff_t to_step) {
  using Order = int32_t __attribute__((vector_size(LANES * 4)));
  ptrdiff_t r = 0;
  for (; r + LANES <= rows; r += LANES) {
    ptrdiff_t c = 0;
    for (; c + LANES <= columns; c += LANES) {
      Vector lines[LANES], mixed[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; ++i) lines[i] = load(from + (r + i) * from_step + c);
      // Lines that are half of all apart are mixed, element by element; after log2(LANES) times they are turned over.
      Order low, high;
      for (int i = 0; i < LANES; ++i) {
        low[i] = i / 2 + (i % 2) * LANES;
        high[i] = LANES / 2 + i / 2 + (i % 2) * LANES;
      }
      for (int width = 1; width < LANES; width *= 2) {
#pragma GCC unroll 8
        for (int i = 0; i < LANES / 2; ++i) {
          mixed[2 * i] = __builtin_shuffle(lines[i], lines[i + LANES / 2], low);
          mixed[2 * i + 1] = __builtin_shuffle(lines[i], lines[i + LANES / 2], high);
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; ++i) lines[i] = mixed[i];
      }
#pragma GCC unroll 16
      for (int i = 0; i < LANES; ++i) store(to + (c + i) * to_step + r, lines[i]);
    }
    for (; c < columns; ++c)
      for (int i = 0; i < LANES; ++i) to[c * to_step + r + i] = from[(r + i) * from_step + c];
  }
  for (; r < rows; ++r)
    for (ptrdiff_t c = 0; c < columns; ++c) to[c * to_step + r] = from[r * from_step + c];
}

// A panel: `depth` lines from `top` on, of the columns of a block, with zeros behind the last column.
inline void fill_panel(const Matrix& b, ptrdiff_t top, ptrdiff_t depth, ptrdiff_t first, ptrdiff_t size, ptrdiff_t width, float* out) {
  if (b.turned) {
    turn(b.at + first * b.step + top, b.step, size, depth, out, width);
    for (ptrdiff_t k = 0; size < width && k < depth; ++k) std::fill(out + k * width + size, out + (k + 1) * width, 0.0f);
    return;
  }
  const float* from = b.at + top * b.step + first;
  for (ptrdiff_t k = 0; k < depth; ++k, from += b.step, out += width) {
    std::copy(from, from + size, out);
    std::fill(out + size, out + width, 0.0f);
  }
}

// A tile as the innermost loop reads it: floats from a row to the next, from an element of a row to the next.
struct Laid {
  const float* at;
  ptrdiff_t row, next;
};

// Rows from `first` on, `count` of them, of the slab from `top` on: where they lie, or, if that is bad for the cache, in `room`.
inline Laid laid(const Matrix& a, ptrdiff_t first, ptrdiff_t count, ptrdiff_t top, ptrdiff_t depth, float* room) {
  if (!a.turned) {
    const float* from = a.at + first * a.step + top;
    if (a.step % kApart) return {from, a.step, 1};
    for (ptrdiff_t m = 0; m < count; ++m, from += a.step) std::copy(from, from + depth, room + m * (depth + kGap));
    return {room, depth + kGap, 1};
  }
  const float* from = a.at + top * a.step + first;
  for (ptrdiff_t k = 0; k < depth; ++k, from += a.step) {
    float* const to = room + k * ROWS;
    if (count == ROWS)
      std::copy(from, from + ROWS, to);
    else
      std::copy(from, from + count, to);
  }
  return {room, 1, ROWS};
}

// c[rows, columns] = a b
inline void multiply(const Matrix& a, const Matrix& b, ptrdiff_t rows, ptrdiff_t depth, ptrdiff_t columns, float* c,
                     const Parallel& parallel) {
  static thread_local Scratch for_panels;
  const Columns blocks(columns);
  const Pieces tiles(rows, ROWS), talls(tiles.count, kTall), slabs(depth, kSlab);
  const ptrdiff_t wanted = parallel.threads() == 1 ? 1 : 4 * parallel.threads();
  const ptrdiff_t cuts = std::clamp<ptrdiff_t>((wanted + talls.count - 1) / talls.count, 1, blocks.count());
  const Pieces chunks(blocks.count(), (blocks.count() + cuts - 1) / cuts);
  float* const panels = for_panels.floats(slabs.begin(1) * blocks.padded());
  for (ptrdiff_t slab = 0; slab < slabs.count; ++slab) {
    const ptrdiff_t top = slabs.begin(slab), deep = slabs.size(slab);
    const auto panel_of = [&](ptrdiff_t block) { return panels + deep * blocks.begin(block); };
    parallel(blocks.count(), [&](int64_t block) {
      fill_panel(b, top, deep, blocks.begin(block), blocks.size(block), blocks.vectors(block) * LANES, panel_of(block));
    });
    parallel(talls.count * chunks.count, [&](int64_t task) {
      static thread_local Scratch for_tiles;
      const ptrdiff_t tall = task / chunks.count, chunk = task % chunks.count;
      const ptrdiff_t first = talls.begin(tall), count = talls.size(tall), room = ROWS * (deep + kGap);
      float* const own = for_tiles.floats(count * room);
      Laid left[kTall];
      for (ptrdiff_t i = 0; i < count; ++i)
        left[i] = laid(a, tiles.begin(first + i), tiles.size(first + i), top, deep, own + i * room);
      std::vector<Run> along{{0, deep, left[0].next}};
      for (ptrdiff_t block = chunks.begin(chunk); block < chunks.begin(chunk + 1); ++block) {
        const float* const panel = panel_of(block);
        const ptrdiff_t size = blocks.size(block), width = blocks.vectors(block) * LANES;
        Ahead next(panel + deep * width, deep * width);
        for (ptrdiff_t i = 0; i < count; ++i) {
          const ptrdiff_t m = tiles.size(first + i);
          float* const to = c + tiles.begin(first + i) * columns + blocks.begin(block);
          for (ptrdiff_t r = 0; r < m; ++r)
            for (ptrdiff_t at : {ptrdiff_t{0}, size - 1}) __builtin_prefetch(to + r * columns + at, 1);
          next.by(along);
          Finish finish;
          if (slab) finish.addend = to, finish.addend_step = columns;
          put_product(m, size, left[i].at, left[i].row, along, panel, to, columns, finish);
        }
      }
    });
  }
}

}  // namespace thalweg
