// A loop whose turns are small: products with unchanging weights, and operations element by element, on rows that do not know of each
// other. Each thread takes some rows through all turns, with what they carry, and what a turn makes, close to the processor.
//
// What a turn does comes as a program (`kernels/turns/program.py` writes it): numbers, read in the order of `Program`.
#pragma once
#include <vector>

#include "convolution.h"
#include "functions.h"

namespace thalweg {

constexpr int64_t kClose = 1 << 13;  // floats that stay in the first cache

// Where a value of a turn lies: floats from a row to the next; `across` is 0 where one vector stands for the whole row.
struct Place {
  float* at;
  ptrdiff_t row, across;
};

// A value: of `many` rows or the same for all, `width` floats wide or (0) one number for the row; perhaps columns of another one from
// `offset` on, perhaps a constant.
struct Register {
  bool many;
  int64_t width, base, offset, number;
  int64_t padded() const { return width ? (width + LANES - 1) / LANES * LANES : LANES; }
};

struct Weight {
  int64_t argument, depth, columns;
  bool turned;
};

struct Input {
  int64_t argument, to;
  bool each_turn;
};

struct Output {
  int64_t result, from;
};

struct Instruction {
  int64_t operation, to, a, b, c, d;
};

enum Operation : int64_t {
  kCopy, kNegative, kExponential, kTangent, kLogistic, kRoot, kInverseRoot, kAbsolute, kSign, kNot,
  kAdd, kSubtract, kMultiply, kDivide, kMost, kLeast, kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual, kAnd, kOr,
  kSelect, kProduct, kSum, kLargest, kFirst, kJoin
};

struct Program {
  int64_t length, batch, turns;  // of `length` turns that there is room for, `turns` count
  bool backwards;
  std::vector<Weight> weights;
  std::vector<Register> registers;
  std::vector<Input> inputs;
  std::vector<Instruction> code;
  std::vector<Output> rows, ends;  // stored in each turn, before what is carried changes, and after the last one
  std::vector<Output> carried;     // registers that change when a turn ends

  Program(const int64_t* p, int64_t count) : length(p[0]), batch(p[1]), turns(std::clamp<int64_t>(count, 0, length)), backwards(p[2]) {
    p += 3;
    weights.resize(*p++);
    for (Weight& w : weights) w = {p[0], p[1], p[2], p[3] != 0}, p += 4;
    registers.resize(*p++);
    for (Register& r : registers) r = {p[0] != 0, p[1], p[2], p[3], p[4]}, p += 5;
    inputs.resize(*p++);
    for (Input& i : inputs) i = {p[0], p[1], p[2] != 0}, p += 3;
    code.resize(*p++);
    for (Instruction& i : code) i = {p[0], p[1], p[2], p[3], p[4], p[5]}, p += 6;
    for (auto* outputs : {&rows, &ends, &carried}) {
      outputs->resize(*p++);
      for (Output& o : *outputs) o = {p[0], p[1]}, p += 2;
    }
  }
};

// Places come by value: what is reached by a reference is read again after each store.
template <typename F>
inline void one(F f, Place d, Place a, int64_t rows, int64_t vectors) {
  for (int64_t r = 0; r < rows; ++r, d.at += d.row, a.at += a.row)
    for (int64_t v = 0; v < vectors; ++v) store(d.at + v * LANES, f(load(a.at + v * a.across)));
}

template <typename F>
inline void two(F f, Place d, Place a, Place b, int64_t rows, int64_t vectors) {
  for (int64_t r = 0; r < rows; ++r, d.at += d.row, a.at += a.row, b.at += b.row)
    for (int64_t v = 0; v < vectors; ++v) store(d.at + v * LANES, f(load(a.at + v * a.across), load(b.at + v * b.across)));
}

inline void select(Place d, Place flags, Place no, Place yes, int64_t rows, int64_t vectors) {
  for (int64_t r = 0; r < rows; ++r, d.at += d.row, flags.at += flags.row, no.at += no.row, yes.at += yes.row)
    for (int64_t v = 0; v < vectors; ++v)
      store(d.at + v * LANES, load(flags.at + v * flags.across) != 0 ? load(yes.at + v * yes.across) : load(no.at + v * no.across));
}

inline Vector truth(Integers flags) { return flags ? all(1.0f) : Vector{}; }

// d = operation(a, b, c), element by element.
inline void elementwise(int64_t operation, const Place& d, const Place& a, const Place& b, const Place& c, int64_t rows,
                        int64_t vectors) {
  switch (operation) {
    case kCopy: return one([](Vector x) { return x; }, d, a, rows, vectors);
    case kNegative: return one([](Vector x) { return -x; }, d, a, rows, vectors);
    case kExponential: return one(exponential, d, a, rows, vectors);
    case kTangent: return one(hyperbolic_tangent, d, a, rows, vectors);
    case kLogistic: return one(logistic, d, a, rows, vectors);
    case kRoot: return one(square_root, d, a, rows, vectors);
    case kInverseRoot: return one([](Vector x) { return 1.0f / square_root(x); }, d, a, rows, vectors);
    case kAbsolute: return one([](Vector x) { return x < 0 ? -x : x + 0.0f; }, d, a, rows, vectors);
    case kSign: return one([](Vector x) { return x > 0 ? all(1.0f) : (x < 0 ? all(-1.0f) : x); }, d, a, rows, vectors);
    case kNot: return one([](Vector x) { return truth(x == 0); }, d, a, rows, vectors);
    case kAdd: return two([](Vector x, Vector y) { return x + y; }, d, a, b, rows, vectors);
    case kSubtract: return two([](Vector x, Vector y) { return x - y; }, d, a, b, rows, vectors);
    case kMultiply: return two([](Vector x, Vector y) { return x * y; }, d, a, b, rows, vectors);
    case kDivide: return two([](Vector x, Vector y) { return x / y; }, d, a, b, rows, vectors);
    case kMost: return two([](Vector x, Vector y) { return x > y ? x : (x != x ? x : y); }, d, a, b, rows, vectors);
    case kLeast: return two([](Vector x, Vector y) { return x < y ? x : (x != x ? x : y); }, d, a, b, rows, vectors);
    case kLess: return two([](Vector x, Vector y) { return truth(x < y); }, d, a, b, rows, vectors);
    case kLessEqual: return two([](Vector x, Vector y) { return truth(x <= y); }, d, a, b, rows, vectors);
    case kGreater: return two([](Vector x, Vector y) { return truth(x > y); }, d, a, b, rows, vectors);
    case kGreaterEqual: return two([](Vector x, Vector y) { return truth(x >= y); }, d, a, b, rows, vectors);
    case kEqual: return two([](Vector x, Vector y) { return truth(x == y); }, d, a, b, rows, vectors);
    case kNotEqual: return two([](Vector x, Vector y) { return truth(x != y); }, d, a, b, rows, vectors);
    case kAnd: return two([](Vector x, Vector y) { return x * y; }, d, a, b, rows, vectors);
    case kOr: return two([](Vector x, Vector y) { return truth(x + y != 0); }, d, a, b, rows, vectors);
    case kSelect: return select(d, a, b, c, rows, vectors);
  }
}

// Lines of memory that will be wanted.
struct Coming {
  const float* from;
  ptrdiff_t lines;
  bool take(ptrdiff_t count) { return from += count * kLine, lines -= count, lines > 0; }
};

// The rows that one thread takes through all turns.
class Tile {
 public:
  Tile(const Program& program, const float* numbers, const std::vector<const float*>& arguments, const std::vector<float*>& results,
       const std::vector<Packed>& weights, const float* panels, int64_t first, int64_t rows, Scratch& scratch)
      : program_(program), arguments_(arguments), results_(results), weights_(weights), panels_(panels), first_(first), rows_(rows) {
    int64_t room = LANES;  // beyond the end, for views that are read by whole vectors
    for (const Register& r : program.registers) room += r.base < 0 ? r.padded() * (r.many ? rows : 1) : 0;
    float* memory = scratch.floats(room);
    std::fill(memory, memory + room, 0.0f);
    for (const Register& r : program.registers) {
      Place place{memory, r.many ? r.padded() : 0, r.width ? LANES : 0};
      if (r.base >= 0)
        place.row = places_[r.base].row;
      else
        memory += r.padded() * (r.many ? rows : 1);
      if (r.number >= 0) store(place.at, all(numbers[r.number]));
      places_.push_back(place);
    }
    own_ = places_;
  }

  void run() {
    for (const Input& i : program_.inputs)
      if (!i.each_turn) read(i, arguments_[i.argument]);
    look();
    find_outputs();
    find_stretches();
    const int64_t step = program_.backwards ? -1 : 1, start = program_.backwards ? program_.turns - 1 : 0;
    for (int64_t i = 0; i < program_.turns; ++i) {
      if (i + 1 < program_.turns) expect(start + (i + 1) * step);
      turn(start + i * step);
    }
    for (const Output& o : program_.rows) fill_up(o);
    for (const Output& o : program_.ends) write(o.from, results_[o.result]);
  }

 private:
  void turn(int64_t t) {
    for (const Input& i : program_.inputs)
      if (i.each_turn) read(i, row_of(i, t));
    for (const Output* o : in_place_) places_[o->from].at = row_of(*o, t) + first_ * program_.registers[o->from].width;
    look();
    for (const Stretch& s : stretches_)
      for (int64_t row = 0; row < rows_; row += s.rows)
        for (size_t i = s.begin; i < s.end; ++i) step(program_.code[i], row, std::min(row + s.rows, rows_));
    for (const Output* o : copied_) write(o->from, row_of(*o, t));
    for (const Output& o : program_.carried) step({kCopy, o.result, o.from, -1, -1, -1}, 0, rows_);
  }

  // Notes what turn `t` reads and stores: products bring it towards the processor during the turn before.
  void expect(int64_t t) {
    coming_.clear();
    const auto add = [&](const float* from, const Register& r) {
      const ptrdiff_t lines = rows_ * r.width / kLine;
      if (r.many && lines) coming_.push_back({from + first_ * r.width, lines});
    };
    for (const Input& i : program_.inputs)
      if (i.each_turn) add(row_of(i, t), program_.registers[i.to]);
    for (const Output& o : program_.rows) add(row_of(o, t), program_.registers[o.from]);
  }

  // Where what turn `t` takes begins in its argument.
  const float* row_of(const Input& i, int64_t t) const {
    const Register& r = program_.registers[i.to];
    return arguments_[i.argument] + t * std::max<int64_t>(r.width, 1) * (r.many ? program_.batch : 1);
  }

  // Where what turn `t` stores begins in its result.
  float* row_of(const Output& o, int64_t t) const {
    return results_[o.result] + t * std::max<int64_t>(program_.registers[o.from].width, 1) * program_.batch;
  }

  // The rows of turns that do not count: those of the last one that does, and zeros on the way back.
  void fill_up(const Output& o) const {
    const int64_t width = std::max<int64_t>(program_.registers[o.from].width, 1), from = first_ * width, size = rows_ * width;
    for (int64_t t = program_.turns; t < program_.length; ++t) {
      float* const to = row_of(o, t) + from;
      const float* const last = row_of(o, program_.turns - 1) + from;
      if (program_.turns && !program_.backwards)
        std::copy(last, last + size, to);
      else
        std::fill(to, to + size, 0.0f);
    }
  }

  // What is stored in each turn is made where it is stored, if it is made here and lies there as it does in a register.
  void find_outputs() {
    std::vector<bool> taken(program_.registers.size());
    for (const Input& i : program_.inputs) taken[i.to] = true;
    for (const Output& o : program_.rows) {
      const Register& r = program_.registers[o.from];
      const bool fits = r.many && r.base < 0 && r.number < 0 && r.width && r.width % LANES == 0 && !taken[o.from];
      (fits ? in_place_ : copied_).push_back(&o);
      taken[o.from] = true;
    }
  }

  // Instructions that are made for some rows one after the other, so that what they make stays near. A product takes all rows, and what is
  // the same for all rows is made once.
  struct Stretch {
    size_t begin, end;
    int64_t rows;
  };

  void find_stretches() {
    int64_t floats = 0;  // of all registers, for a row
    for (const Register& r : program_.registers) floats += r.base < 0 && r.many ? r.padded() : 0;
    const int64_t few = std::clamp<int64_t>(kClose / std::max<int64_t>(floats, 1), 1, rows_);
    for (size_t i = 0; i < program_.code.size(); ++i) {
      const Instruction& own = program_.code[i];
      const bool alone = own.operation == kProduct || !program_.registers[own.to].many;
      if (alone || stretches_.empty() || stretches_.back().rows == rows_)
        stretches_.push_back({i, i + 1, alone ? rows_ : few});
      else
        stretches_.back().end = i + 1;
    }
  }

  // Places of columns of other values.
  void look() {
    for (size_t i = 0; i < places_.size(); ++i) {
      const Register& r = program_.registers[i];
      if (r.base >= 0) places_[i].at = places_[r.base].at + r.offset, places_[i].row = places_[r.base].row;
    }
  }

  // Takes an input that begins at `from`: as it lies there, if it can be read by whole vectors.
  void read(const Input& input, const float* from) {
    const Register& r = program_.registers[input.to];
    Place& place = places_[input.to];
    const int64_t width = std::max<int64_t>(r.width, 1), rows = r.many ? rows_ : 1;
    if (r.many) from += first_ * width;
    if (input.each_turn && r.width && r.width % LANES == 0) {
      place.at = const_cast<float*>(from);
      return;
    }
    for (int64_t i = 0; i < rows; ++i, from += width) {
      float* to = own_[input.to].at + i * r.padded();
      if (r.width)
        std::copy(from, from + width, to);
      else
        store(to, all(*from));
    }
  }

  void write(int64_t from, float* to) const {
    const Register& r = program_.registers[from];
    const Place& place = places_[from];
    const int64_t width = std::max<int64_t>(r.width, 1);
    to += first_ * width;
    if (place.row == width) return void(std::copy(place.at, place.at + rows_ * width, to));
    for (int64_t i = 0; i < rows_; ++i) std::copy(place.at + i * place.row, place.at + i * place.row + width, to + i * width);
  }

  // An instruction for the rows from `first` on, up to `last`; a product is made for all of them.
  void step(const Instruction& i, int64_t first, int64_t last) {
    if (i.operation == kProduct) return product(i);
    const Register& r = program_.registers[i.to];
    int64_t rows = r.many ? last - first : 1, vectors = r.padded() / LANES;
    const auto place = [&](int64_t k) {
      const Place& p = places_[k < 0 ? i.a : k];
      return Place{p.at + first * p.row, p.row, p.across};
    };
    const Place d = place(i.to), a = place(i.a), b = place(i.b), c = place(i.c);
    switch (i.operation) {
      case kSum: return fold(a, d, rows, program_.registers[i.a].width, [](auto x, auto y) { return x + y; });
      case kLargest: return fold(a, d, rows, program_.registers[i.a].width, [](auto x, auto y) { return x > y ? x : y; });
      case kFirst:
        for (int64_t k = 0; k < rows; ++k) store(d.at + k * d.row, all(a.at[k * a.row]));
        return;
      case kJoin:
        for (int64_t k = 0; k < rows; ++k) std::copy(a.at + k * a.row, a.at + k * a.row + r.width, d.at + k * d.row);
        return;
    }
    const auto whole = [&](const Place& p) { return p.across ? p.row == vectors * LANES : p.row == 0; };
    if (whole(d) && whole(a) && whole(b) && whole(c)) vectors *= rows, rows = 1;  // one row after the other without gaps
    elementwise(i.operation, d, a, b, c, rows, vectors);
  }

  // a times the weight b, plus c, plus d for every row.
  void product(const Instruction& i) {
    const Packed& weight = weights_[i.b];
    const float* panels = panels_;
    for (int64_t w = 0; w < i.b; ++w) panels += weights_[w].floats();
    const Place &a = places_[i.a], &to = places_[i.to];
    const Columns& blocks = weight.blocks();
    for (int64_t block = 0; block < blocks.count(); ++block) {
      const int64_t at = blocks.begin(block);
      runs_.clear();
      for (ptrdiff_t k = 0, depth = weight.depth(); k < depth; k += runs_.back().length) {
        const bool any = !coming_.empty();
        runs_.push_back({k, any ? std::min(depth - k, coming_.back().lines) : depth - k, 1, any ? coming_.back().from : nullptr});
        if (any && !coming_.back().take(runs_.back().length)) coming_.pop_back();
      }
      Finish finish{i.d < 0 ? nullptr : places_[i.d].at + at, false};
      if (i.c >= 0) finish.addend = places_[i.c].at + at, finish.addend_step = places_[i.c].row;
      product_for(static_cast<int>(rows_), blocks.vectors(block))(
          a.at, a.row, runs_.data(), static_cast<int>(runs_.size()), panels + weight.start(block), to.at + at, to.row, finish);
    }
  }

  template <typename F>
  void fold(const Place& a, const Place& d, int64_t rows, int64_t width, F f) const {
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = a.at + r * a.row;
      int64_t k = 1;
      float total = from[0];
      if (width >= LANES) {
        Vector sums = load(from);
        for (k = LANES; k + LANES <= width; k += LANES) {
          const Vector next = load(from + k);
          for (int j = 0; j < LANES; ++j) sums[j] = f(sums[j], next[j]);
        }
        total = sums[0];
        for (int j = 1; j < LANES; ++j) total = f(total, sums[j]);
      }
      for (; k < width; ++k) total = f(total, from[k]);
      store(d.at + r * d.row, all(total));
    }
  }

  const Program& program_;
  const std::vector<const float*>& arguments_;
  const std::vector<float*>& results_;
  const std::vector<Packed>& weights_;
  const float* const panels_;
  const int64_t first_, rows_;
  std::vector<Place> places_, own_;  // where values are, and where there is memory for them
  std::vector<Coming> coming_;
  std::vector<Run> runs_;  // of a product
  std::vector<const Output*> in_place_, copied_;
  std::vector<Stretch> stretches_;
};

// The program on all rows. A row's numbers do not depend on which others are with it.
inline void run_turns(const Program& program, const float* numbers, const std::vector<const float*>& arguments,
                      const std::vector<float*>& results, const Parallel& parallel) {
  static thread_local Scratch for_panels;
  static const std::vector<Phase> alone = forward({1, 1, 1, 1, 1, 0});
  std::vector<Packed> weights;
  int64_t room = 0;
  for (const Weight& w : program.weights) {
    const Filter shape{1, 1, w.turned ? w.columns : w.depth, w.turned ? w.depth : w.columns};
    weights.emplace_back(arguments[w.argument], shape, w.turned, alone, alone);
    room += weights.back().floats();
  }
  float* const panels = for_panels.floats(room);
  float* at = panels;
  for (const Packed& w : weights) {
    parallel(w.blocks().count(), [&](int64_t block) { w.fill(block, at + w.start(block)); });
    at += w.floats();
  }
  int64_t count = (program.batch + ROWS - 1) / ROWS;
  count = std::min(program.batch, (count + parallel.threads() - 1) / parallel.threads() * parallel.threads());
  const Pieces tiles(program.batch, (program.batch + count - 1) / count);
  parallel(tiles.count, [&](int64_t i) {
    static thread_local Scratch scratch;
    Tile(program, numbers, arguments, results, weights, panels, tiles.begin(i), tiles.size(i), scratch).run();
  });
}

}  // namespace thalweg
