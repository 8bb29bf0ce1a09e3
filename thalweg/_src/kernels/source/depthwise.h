// Filters [height, width, channels] that take each channel of an image on its own, and their gradients.
#pragma once
#include <vector>

#include "convolution.h"
#include "windows.h"

namespace thalweg {

constexpr int kPlaces = ROWS / 2 - ROWS / 2 % 2 + 1;  // of the result, whose sums for two vectors of channels fill the registers


// An element of the filter: where it lies, and where its source lies from the place of a result.
struct Meeting {
  ptrdiff_t source, weight;
};

// out[p, :] = sum over taps of source[p, tap] * filter[tap] for P places and V vectors of channels.
template <int P, int V>
void meet(const float* source, ptrdiff_t step, const Meeting* taps, size_t count, const float* filter, float* out, ptrdiff_t out_step,
          const Finish& after) {
  Vector sums[P][V];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sums[p][v] = Vector{};
  for (size_t t = 0; t < count; ++t) {
    const float *x = source + taps[t].source, *w = filter + taps[t].weight;
    Vector weights[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) weights[v] = load(w + v * LANES);
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sums[p][v] += load(x + p * step + v * LANES) * weights[v];
  }
  const Finish finish = after;
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const Vector bias = finish.bias ? load(finish.bias + v * LANES) : Vector{};
    const Vector scale = finish.scale ? load(finish.scale + v * LANES) : Vector{} + 1.0f;
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      Vector sum = sums[p][v] * scale + bias;
      if (finish.addend) sum += load(finish.addend + p * out_step + v * LANES);
      if (finish.rectify) sum = finish.bounded(sum);
      store(out + p * out_step + v * LANES, sum);
    }
  }
}

using Meet = decltype(&meet<1, 1>);

template <int V, int... P>
Meet meet_of(int64_t places, std::integer_sequence<int, P...>) {
  static constexpr Meet table[] = {meet<P + 1, V>...};
  return table[places - 1];
}

// The places of a phase that meet the same taps along an axis: all of them inside the image, or one place at its edge.
struct Stretch {
  int64_t first, last;
  std::vector<Tap> taps;
};

inline std::vector<Stretch> stretches(const Phase& phase, int64_t image) {
  std::vector<Stretch> out;
  const auto inside = [&](int64_t place) {
    Stretch s{place, place + 1, {}};
    for (const Tap& t : phase.taps)
      if (const int64_t at = place * phase.stride + t.offset; at >= 0 && at < image) s.taps.push_back(t);
    return s;
  };
  for (int64_t place = 0; place < phase.count; ++place) {
    Stretch next = inside(place);
    const bool whole = next.taps.size() == phase.taps.size();
    if (whole && !out.empty() && out.back().last == place && out.back().taps.size() == phase.taps.size())
      ++out.back().last;
    else
      out.push_back(std::move(next));
  }
  return out;
}

// The rows of a result[place, c] = sum over taps of source[place, tap, c] * filter[tap, c], for all phases: a depthwise convolution, or its
// gradient by the image. What is in `after` has a number for each channel, or lies like the result.
class ChannelRows {
 public:
  ChannelRows(const float* source, Images from, const float* filter, int64_t width, const std::vector<Phase>& rows,
              const std::vector<Phase>& columns, const Finish& after, Images to)
      : source_(source), from_(from), filter_(filter), width_(width), columns_(columns), after_(after), to_(to) {
    for (const Phase& p : rows) down_.push_back(stretches(p, from.height));
    for (const Phase& p : columns) across_.push_back(stretches(p, from.width));
    for (size_t i = 0; i < rows.size(); ++i)
      for (const Stretch& s : down_[i])
        for (int64_t place = s.first; place < s.last; ++place)
          lines_.push_back({rows[i].start + place * rows[i].step, place * rows[i].stride, &s});
  }

  ChannelRows(const ChannelRows&) = delete;  // lines point to stretches

  int64_t count() const { return from_.batch * static_cast<int64_t>(lines_.size()); }
  int64_t floats() const { return to_.width * to_.channels; }  // of a row

  // Where the `i`-th row that is made lies in the result: they are made phase by phase.
  int64_t place(int64_t i) const { return (i / each() * to_.height + lines_[i % each()].place) * floats(); }

  // Makes the `i`-th row at `out`. `taps` is room that calls share.
  void make(int64_t i, float* out, std::vector<Meeting>& taps) const {
    const Line& line = lines_[i % each()];
    const int64_t channels = from_.channels;
    const float* const image = source_ + i / each() * from_.floats();
    const Lanes vectors{channels};
    for (size_t c = 0; c < columns_.size(); ++c)
      for (const Stretch& stretch : across_[c]) {
        taps.clear();
        for (const Tap& r : line.stretch->taps)
          for (const Tap& t : stretch.taps)
            taps.push_back({((line.source + r.offset) * from_.width + t.offset) * channels, (r.weight * width_ + t.weight) * channels});
        const Pieces groups(stretch.last - stretch.first, kPlaces);
        const ptrdiff_t step = columns_[c].stride * channels, out_step = columns_[c].step * channels;
        for (int64_t g = 0; g < groups.count; ++g) {
          const int64_t first = stretch.first + groups.begin(g), to = columns_[c].start * channels + first * out_step;
          for (int64_t v = 0; v < vectors.count();) {
            const int together = vectors.together(v);
            const int64_t at = vectors.begin(v);
            Finish finish = after_.from(at);
            if (after_.addend) finish.addend += place(i) + to + at;
            using Places = std::make_integer_sequence<int, kPlaces>;
            const Meet meet = together == 2 ? meet_of<2>(groups.size(g), Places{}) : meet_of<1>(groups.size(g), Places{});
            meet(image + first * step + at, step, taps.data(), taps.size(), filter_ + at, out + to + at, out_step, finish);
            v += together;
          }
        }
      }
  }

 private:
  struct Line {
    int64_t place, source;  // which row of the result it is, and where it begins to read
    const Stretch* stretch;
  };
  int64_t each() const { return static_cast<int64_t>(lines_.size()); }

  const float* const source_;
  const Images from_;
  const float* const filter_;
  const int64_t width_;
  const std::vector<Phase>& columns_;
  const Finish after_;
  const Images to_;
  std::vector<std::vector<Stretch>> down_, across_;
  std::vector<Line> lines_;
};

inline void correlate_channels(const ChannelRows& rows, float* result, const Parallel& parallel) {
  const Pieces pieces(rows.count(), (rows.count() + 4 * parallel.threads() - 1) / (4 * parallel.threads()));
  parallel(pieces.count, [&](int64_t piece) {
    std::vector<Meeting> taps;
    for (int64_t i = pieces.begin(piece); i < pieces.begin(piece + 1); ++i) rows.make(i, result + rows.place(i), taps);
  });
}

// Rows, made some at a time by a task, under a filter of one element [in, out], which takes them from the cache.
inline void correlate_separable(const ChannelRows& rows, int64_t width, const float* filter, Filter shape, const float* ready, Finish after,
                                float* result, const Parallel& parallel) {
  static thread_local Scratch for_filter, for_vectors;
  static const std::vector<Phase> alone = forward({1, 1, 1, 1, 1, 0});
  const Packed packed(filter, shape, false, alone, alone);
  const Columns& blocks = packed.blocks();
  after = padded(after, blocks, for_vectors);
  const float* const panels = panels_of(packed, ready, for_filter, parallel);
  // Bands of rows: as many as are near, but so few that there are tasks for all threads, and so many that the filter is worth its way.
  const int64_t threads = parallel.threads(), near = std::max<int64_t>(1, kNear / rows.floats());
  const int64_t even = (rows.count() + 4 * threads - 1) / (4 * threads), least = (kLeastPlaces + width - 1) / width;
  const Pieces bands = Pieces::shared(rows.count(), std::min(near, std::max(even, least)), rows.count() > least ? threads : 1);
  // Where there are few bands, several tasks make the same rows, for some columns each.
  const int64_t cuts = std::clamp<int64_t>((2 * threads + bands.count - 1) / bands.count, 1, threads == 1 ? 1 : blocks.count());
  const Pieces chunks(blocks.count(), (blocks.count() + cuts - 1) / cuts);
  parallel(bands.count * chunks.count, [&](int64_t task) {
    static thread_local Scratch for_rows;
    const int64_t band = task / chunks.count, chunk = task % chunks.count, first = bands.begin(band);
    float* const own = for_rows.floats(bands.size(band) * rows.floats());
    std::vector<Meeting> taps;
    for (int64_t i = 0; i < bands.size(band); ++i) rows.make(first + i, own + i * rows.floats(), taps);
    std::vector<Run> along{{0, shape.in}};
    const Pieces pieces(bands.size(band) * width, ROWS);
    for (int64_t block = chunks.begin(chunk); block < chunks.begin(chunk + 1); ++block) {
      const float* const panel = panels + packed.start(block);
      Finish finish = after.from(blocks.begin(block));
      Ahead next(panel + packed.floats(block), packed.floats(block));
      for (int64_t piece = 0; piece < pieces.count; ++piece) {
        const int64_t at = first * width + pieces.begin(piece), m = pieces.size(piece);
        const float* const a = own + pieces.begin(piece) * shape.in;
        float* const to = result + at * shape.out + blocks.begin(block);
        if (after.addend) finish.addend = after.addend + (to - result), finish.addend_step = shape.out;
        next.by(along);
        put_product(m, blocks.size(block), a, shape.in, along, panel, to, shape.out, finish);
      }
    }
  });
}

// sums[t, :] += sum over places p of source[p + t * tap] * gradient[p], for T taps and V vectors of channels.
template <int T, int V>
void gather(const float* source, ptrdiff_t step, ptrdiff_t tap, const float* gradient, ptrdiff_t gradient_step, int64_t places, float* sums,
            ptrdiff_t sums_step) {
  Vector own[T][V];
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) own[t][v] = load(sums + t * sums_step + v * LANES);
  for (int64_t p = 0; p < places; ++p, source += step, gradient += gradient_step)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const Vector g = load(gradient + v * LANES);
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) own[t][v] += load(source + t * tap + v * LANES) * g;
    }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) store(sums + t * sums_step + v * LANES, own[t][v]);
}

// by_filter[tap, c] = sum over places of source[place, tap, c] * gradient[place, c].
inline void correlate_channels_places(const float* source, Images from, const float* gradient, Images to, const Walk& down,
                                      const Walk& across, float* by_filter, const Parallel& parallel) {
  static thread_local Scratch for_parts;
  const int64_t channels = from.channels, rows = to.batch * to.height, elements = down.filter * across.filter;
  const Lanes vectors{channels};
  const int64_t room = vectors.count() * LANES;  // of an element: a vector that overlaps has sums of its own
  const Pieces shares(rows, (rows + 4 * parallel.threads() - 1) / (4 * parallel.threads()));
  float* const parts = for_parts.floats(shares.count * elements * room);
  const Phase columns = forward(across).front();
  const std::vector<Stretch> along = stretches(columns, from.width);
  parallel(shares.count, [&](int64_t share) {
    float* const sums = parts + share * elements * room;
    std::fill(sums, sums + elements * room, 0.0f);
    for (int64_t line = shares.begin(share); line < shares.begin(share + 1); ++line) {
      const Inside inside(down, line % to.height);
      for (int64_t r = inside.begin; r < inside.end; ++r) {
        const float* row = source + (line / to.height * from.height + inside.from + r * down.dilation) * from.width * channels;
        for (const Stretch& s : along) {
          if (s.taps.empty()) continue;
          const float* g = gradient + (line * to.width + s.first) * channels;
          const Pieces taps(s.taps.size(), 3);
          for (int64_t i = 0; i < taps.count; ++i) {
            const Tap& tap = s.taps[taps.begin(i)];
            const float* x = row + (s.first * across.stride + tap.offset) * channels;
            float* to_sums = sums + (r * across.filter + tap.weight) * room;
            for (int64_t v = 0; v < vectors.count();) {
              const int together = vectors.together(v);
              static constexpr decltype(&gather<1, 1>) table[2][3] = {{gather<1, 1>, gather<2, 1>, gather<3, 1>},
                                                                      {gather<1, 2>, gather<2, 2>, gather<3, 2>}};
              const int64_t at = vectors.begin(v);
              table[together - 1][taps.size(i) - 1](x + at, across.stride * channels, across.dilation * channels, g + at, channels,
                                                    s.last - s.first, to_sums + v * LANES, room);
              v += together;
            }
          }
        }
      }
    }
  });
  for (int64_t e = 0; e < elements; ++e)
    for (int64_t v = 0; v < vectors.count(); ++v) {
      Vector sum = load(parts + e * room + v * LANES);
      for (int64_t share = 1; share < shares.count; ++share) sum += load(parts + (share * elements + e) * room + v * LANES);
      store(by_filter + e * channels + vectors.begin(v), sum);
    }
}

}  // namespace thalweg
