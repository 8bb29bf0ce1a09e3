// Convolutions of images [batch, height, width, channels] under filters [height, width, in, out], and their two gradients.
#pragma once
#include "geometry.h"
#include "parallel.h"
#include "tiles.h"

namespace thalweg {

struct Filter {
  int64_t height, width, in, out;
};

constexpr int64_t kNear = 1 << 16;   // floats that stay in the cache next to a processor, beside the filter's
constexpr int64_t kParts = 1 << 20;  // floats for partial sums of a filter's gradient

// The filter as the innermost loops read it: for each phase and block of columns, row after row without gaps.
class Packed {
 public:
  // `turned`: the result has the filter's `in` channels, and the source its `out` channels.
  Packed(const float* filter, Filter shape, bool turned, const std::vector<Phase>& rows, const std::vector<Phase>& columns)
      : filter_(filter),
        rows_(rows),
        across_(columns),
        shape_(shape),
        turned_(turned),
        blocks_(turned ? shape.in : shape.out),
        depth_(turned ? shape.out : shape.in) {
    for (const Phase& r : rows)
      for (const Phase& c : columns) {
        starts_.push_back(lines_);
        lines_ += r.taps.size() * c.taps.size() * depth_;
      }
  }

  const Columns& blocks() const { return blocks_; }
  int64_t depth() const { return depth_; }
  int64_t floats() const { return lines_ * blocks_.padded(); }
  int64_t floats(int64_t block) const { return lines_ * blocks_.vectors(block) * LANES; }
  int64_t start(int64_t block) const { return lines_ * blocks_.begin(block); }  // where all blocks lie one after the other

  // Writes the panels of a block to `out`, for all phases.
  void fill(int64_t block, float* out) const {
    for (const Phase& row : rows_)
      for (const Phase& column : across_)
        for (const Tap& r : row.taps)
          for (const Tap& c : column.taps) {
            const float* from = filter_ + (r.weight * shape_.width + c.weight) * shape_.in * shape_.out;
            turned_ ? turn(from, block, out) : copy(from, block, out);
            out += depth_ * blocks_.vectors(block) * LANES;
          }
  }

  // Where the panel of a phase lies among those of its block.
  int64_t panel(int64_t phase, int64_t block) const { return starts_[phase] * blocks_.vectors(block) * LANES; }

 private:
  void copy(const float* from, int64_t block, float* out) const {
    const int64_t width = blocks_.vectors(block) * LANES, size = blocks_.size(block);
    from += blocks_.begin(block);
    for (int64_t c = 0; c < depth_; ++c, from += shape_.out, out += width) {
      std::copy(from, from + size, out);
      std::fill(out + size, out + width, 0.0f);
    }
  }

  void turn(const float* from, int64_t block, float* out) const {
    const int64_t width = blocks_.vectors(block) * LANES, size = blocks_.size(block);
    from += blocks_.begin(block) * shape_.out;
    for (int64_t c = 0; c < depth_; ++c)
      for (int64_t f = 0; f < width; ++f) out[c * width + f] = f < size ? from[f * shape_.out + c] : 0.0f;
  }

  const float* filter_;
  const std::vector<Phase>&rows_, &across_;
  const Filter shape_;
  const bool turned_;
  const Columns blocks_;
  const int64_t depth_;
  std::vector<int64_t> starts_;
  int64_t lines_ = 0;
};

// All panels, block after block: those that are `ready`, or made now.
inline const float* panels_of(const Packed& packed, const float* ready, Scratch& scratch, const Parallel& parallel) {
  if (ready) return ready;
  float* const own = scratch.floats(packed.floats());
  parallel(packed.blocks().count(), [&](int64_t block) { packed.fill(block, own + packed.start(block)); });
  return own;
}

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

// Memory that will be read: a part of it is brought into the second cache by each product (`Run::ahead`).
class Ahead {
 public:
  Ahead(const float* from, int64_t floats) : at_(from), end_(from + (from ? floats : 0)) {}
  // Has the next product along `runs` bring what is next.
  void by(std::vector<Run>& runs) {
    for (Run& r : runs) {
      r.ahead = at_ < end_ ? at_ : nullptr;
      at_ += r.length * kLine;
    }
  }

 private:
  const float *at_, *end_;
};

inline int64_t most_places(const std::vector<Phase>& phases) {
  int64_t most = 0;
  for (const Phase& p : phases) most = std::max(most, p.count);
  return most;
}

constexpr int64_t kLeastPlaces = 4 * ROWS;  // that a task takes to a filter at least
constexpr int64_t kTask = 5 << 18;  // multiplications of a task, some ten microseconds: threads end together, also where one comes late

// How the places of a result are dealt out: images in `groups`, their rows in `bands`, and blocks of columns in `chunks`, so that what
// a task reads stays near, and that there are tasks enough for all threads to end together.
struct Deal {
  Pieces groups, bands, chunks;

  // A filter that is `heavy` is read for many images at a time. Rows are dealt out further, for about `parts` tasks.
  Deal(int64_t batch, const std::vector<Phase>& rows, int64_t row_floats, int64_t blocks, bool heavy, int64_t threads, int64_t parts = 0)
      : groups(batch, 1), bands(most_places(rows), most_places(rows)), chunks(blocks, blocks) {
    const int64_t whole = Span(rows, 0, bands.total).size() * row_floats;
    const int64_t wanted = threads == 1 ? 1 : 4 * threads;
    if (whole > kNear) {
      int64_t most = 1;
      while (most < bands.total && Span(rows, 0, most + 1).size() * row_floats <= kNear) ++most;
      bands = Pieces(bands.total, most);
    } else {
      const int64_t near = heavy ? 4 * kNear : kNear, most = whole ? std::min(batch, std::max<int64_t>(1, near / whole)) : batch;
      const int64_t least = (batch + most - 1) / most, even = heavy ? least : (least + wanted - 1) / wanted * wanted;
      groups = Pieces(batch, (batch + std::min(even, batch) - 1) / std::min(even, batch));
    }
    const int64_t tasks = groups.count * bands.count, cuts = std::min(blocks, (wanted + tasks - 1) / tasks);
    chunks = Pieces::into(blocks, cuts);
    const int64_t each = groups.count * chunks.count;
    if (threads > 1 && parts > each * bands.count) bands = Pieces::into(bands.total, (parts + each - 1) / each);
  }
  int64_t places() const { return groups.count * bands.count; }
};

// Places from `first` to `last` along one axis: floats from one to the next in the source and in the result.
struct Way {
  int64_t source, result, first, last;
  int64_t size() const { return last - first; }
};

// A product takes places `along` one axis, line by line `over` the other one; the longer one where the columns are few.
struct Lines {
  Way along, over;
  Lines(Way columns, Way rows) : along(columns), over(rows) {
    if (columns.size() < ROWS / 2 && rows.size() > columns.size()) std::swap(along, over);
  }
};

// What a task does of one phase: the places of the rows from `top` to `bottom`, and what each of them reads.
struct Part {
  std::vector<Run> runs;
  Lines lines;
  int64_t start;  // of the first place in an image of the result

  Part(const Phase& r, const Phase& c, int64_t row, int64_t channels, Images to, int64_t top, int64_t bottom)
      : runs(runs_of(r, c, row, channels)),
        lines({c.stride * channels, c.step * to.channels, 0, c.count},
              {r.stride * row, r.step * to.width * to.channels, top, std::max(top, std::min(bottom, r.count))}),
        start((r.start * to.width + c.start) * to.channels) {}
};

// The product of `m` rows with the panel `b` of a block of `size` columns. Where its last vector is not full, what is added is read one by
// one.
inline void put_product(int64_t m, int64_t size, const float* a, ptrdiff_t a_step, const std::vector<Run>& runs, const float* b, float* c,
                        ptrdiff_t c_step, const Finish& finish) {
  const int vectors = Columns(size).vectors(0), count = static_cast<int>(runs.size());
  const int64_t width = vectors * LANES;
  const Product product = product_for(static_cast<int>(m), vectors);
  if (size == width) return product(a, a_step, runs.data(), count, b, c, c_step, finish);
  alignas(64) float own[ROWS * Columns::kWidth];
  const Finish without{finish.bias, finish.rectify && !finish.addend, nullptr, 0, finish.scale, finish.most};
  product(a, a_step, runs.data(), count, b, own, width, without);
  for (int64_t i = 0; i < m; ++i) {
    const float* from = own + i * width;
    float* to = c + i * c_step;
    if (!finish.addend) {
      std::copy(from, from + size, to);
      continue;
    }
    for (int64_t f = 0; f < size; ++f) {
      const float sum = from[f] + finish.addend[i * finish.addend_step + f];
      to[f] = !finish.rectify ? sum : sum < 0 ? 0 : sum > finish.most ? finish.most : sum;
    }
  }
}

// `values` with zeros behind them, as far as vectors reach; null stays null.
inline const float* padded(const float* values, const Columns& columns, float* room) {
  if (!values) return nullptr;
  std::fill(std::copy(values, values + columns.total, room), room + columns.padded(), 0.0f);
  return room;
}

inline Finish padded(Finish after, const Columns& columns, Scratch& scratch) {
  float* const room = scratch.floats(2 * columns.padded());
  after.bias = padded(after.bias, columns, room);
  after.scale = padded(after.scale, columns, room + columns.padded());
  return after;
}

// result[place, :] = sum over taps of source[place, tap] * filter[tap], for all phases. `ready` holds the filter's panels if they have been
// made before (as `Packed` makes them); `after` has a factor and a bias for each channel, and an image of the size of the result.
inline void correlate(const float* source, Images from, const float* filter, Filter shape, bool turned,
                      const std::vector<Phase>& rows, const std::vector<Phase>& columns, const float* ready, Finish after,
                      float* result, Images to, const Parallel& parallel) {
  static thread_local Scratch for_filter, for_vectors;
  const Packed packed(filter, shape, turned, rows, columns);
  const Columns& blocks = packed.blocks();
  after = padded(after, blocks, for_vectors);
  const Span across(columns, 0, most_places(columns));
  const int64_t channels = from.channels, row_floats = across.size() * channels;
  const bool heavy = shape.height * shape.width * shape.in * shape.out > 2 * kNear;
  const int64_t places = to.batch * to.height * to.width, work = places * shape.height * shape.width * shape.in * shape.out;
  const int64_t parts = std::min(work / kTask, places / kLeastPlaces * blocks.count());
  const Deal deal(from.batch, rows, row_floats, blocks.count(), heavy, parallel.threads(), std::min(parts, 32 * parallel.threads()));
  // Blocks that several tasks read are packed before; a task that is alone with its blocks packs one after the other into its cache.
  const bool shared = deal.places() > 1;
  const float* const panels = ready || shared ? panels_of(packed, ready, for_filter, parallel) : nullptr;
  parallel(deal.places() * deal.chunks.count, [&](int64_t task) {
    static thread_local Scratch for_views, for_panels;
    const int64_t chunk = task % deal.chunks.count, place = task / deal.chunks.count;
    const int64_t band = place % deal.bands.count, group = place / deal.bands.count;
    const int64_t top = deal.bands.begin(band), bottom = deal.bands.begin(band + 1);
    const int64_t begin = deal.groups.begin(group), end = deal.groups.begin(group + 1);
    const Span down(rows, top, bottom);
    const int64_t room = down.size() * row_floats;
    float* own = for_views.floats(room * (end - begin));
    std::vector<View> views;
    for (int64_t n = begin; n < end; ++n)
      views.push_back(padded(source + n * from.floats(), from.height, from.width, channels, down, across, own + (n - begin) * room));
    std::vector<Part> parts;
    for (const Phase& r : rows)
      for (const Phase& c : columns) parts.push_back({r, c, views[0].row, channels, to, top, bottom});
    const bool straight =
        views[0].origin != own && parts.size() == 1 && parts[0].runs.size() == 1 && parts[0].lines.along.source == channels;
    for (int64_t block = deal.chunks.begin(chunk); block < deal.chunks.begin(chunk + 1); ++block) {
      Finish finish = after.from(blocks.begin(block));
      float* const near = panels ? nullptr : for_panels.floats(packed.floats(block));
      if (near) packed.fill(block, near);
      const float* const base = panels ? panels + packed.start(block) : near;
      Ahead panel(panels ? base + packed.floats(block) : nullptr, packed.floats(block));
      for (size_t phase = 0; phase < parts.size(); ++phase) {
        Part& part = parts[phase];
        const Way &along = part.lines.along, &over = part.lines.over;
        if (along.size() <= 0) continue;
        const float* b = base + packed.panel(phase, block);
        const Pieces pieces(along.size(), ROWS);
        for (int64_t n = begin; n < end; ++n) {
          const float* image = views[n - begin].origin - down.first * views[0].row - across.first * channels;
          float* out = result + n * to.floats() + part.start + blocks.begin(block);
          for (int64_t line = over.first; line < over.last; ++line)
            for (int64_t piece = 0; piece < pieces.count; ++piece) {
              const int64_t at = along.first + pieces.begin(piece), m = pieces.size(piece);
              const float* a = image + line * over.source + at * along.source;
              float* d = out + line * over.result + at * along.result;
              if (after.addend) finish.addend = after.addend + (d - result), finish.addend_step = along.result;
              if (straight && block == deal.chunks.begin(chunk))
                Ahead(a + m * channels, ROWS * channels).by(part.runs);  // what the next product reads
              else
                panel.by(part.runs);
              put_product(m, blocks.size(block), a, along.source, part.runs, b, d, along.result, finish);
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
  const Deal deal(from.batch, rows, across.size() * channels, 1, false, parallel.threads());
  // Every share sums up in memory of its own; the fewer, the larger the filter is.
  const int64_t most = std::clamp<int64_t>(kParts / (lines * width), parallel.threads(), 4 * parallel.threads());
  const Pieces shares(deal.places(), (deal.places() + most - 1) / most);
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
      const int64_t band = task % deal.bands.count, group = task / deal.bands.count;
      const int64_t top = deal.bands.begin(band), bottom = deal.bands.begin(band + 1);
      const int64_t begin = deal.groups.begin(group), end = deal.groups.begin(group + 1);
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
      Stride a_step{view.origin == own ? room : from.floats(), down_walk.stride * view.row, across_walk.stride * channels};
      Extent extent{end - begin, bottom - top, to.width};
      if (extent.places < extent.rows) {  // the longer axis goes innermost
        std::swap(extent.places, extent.rows);
        std::swap(a_step.place, a_step.row);
        std::swap(b_step.place, b_step.row);
      }
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
