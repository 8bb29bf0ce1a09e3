// A loop whose turns are small: products with unchanging weights, and operations element by element, on rows that do not know of each
// other. Each thread takes some rows through all turns, with what they carry, and what a turn makes, close to the processor.
//
// What a turn does comes as a program (`kernels/turns/program.py` writes it): numbers, read in the order of `Program`.
#pragma once
#include <vector>

#include "convolution.h"
#include "functions.h"

namespace thalweg {

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
  int64_t length, batch;
  bool backwards;
  std::vector<Weight> weights;
  std::vector<Register> registers;
  std::vector<Input> inputs;
  std::vector<Instruction> code;
  std::vector<Output> rows, ends;  // stored in each turn, before what is carried changes, and after the last one
  std::vector<Output> carried;     // registers that change when a turn ends

  explicit Program(const int64_t* p) : length(p[0]), batch(p[1]), backwards(p[2]) {
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

template <typename F>
inline void one(F f, const Place& d, const Place& a, int64_t rows, int64_t vectors) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) store(d.at + r * d.row + v * LANES, f(load(a.at + r * a.row + v * a.across)));
}

template <typename F>
inline void two(F f, const Place& d, const Place& a, const Place& b, int64_t rows, int64_t vectors) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      store(d.at + r * d.row + v * LANES, f(load(a.at + r * a.row + v * a.across), load(b.at + r * b.row + v * b.across)));
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
    case kSelect:
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v) {
          const Vector flag = load(a.at + r * a.row + v * a.across), no = load(b.at + r * b.row + v * b.across);
          store(d.at + r * d.row + v * LANES, flag != 0 ? load(c.at + r * c.row + v * c.across) : no);
        }
  }
}

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
    for (int64_t i = 0; i < program_.length; ++i) turn(program_.backwards ? program_.length - 1 - i : i);
    for (const Output& o : program_.ends) write(o.from, results_[o.result]);
  }

 private:
  void turn(int64_t t) {
    for (const Input& i : program_.inputs)
      if (i.each_turn) {
        const Register& r = program_.registers[i.to];
        read(i, arguments_[i.argument] + t * std::max<int64_t>(r.width, 1) * (r.many ? program_.batch : 1));
      }
    look();
    for (const Instruction& i : program_.code) step(i);
    for (const Output& o : program_.rows) {
      const Register& r = program_.registers[o.from];
      write(o.from, results_[o.result] + t * std::max<int64_t>(r.width, 1) * program_.batch);
    }
    for (const Output& o : program_.carried) step({kCopy, o.result, o.from, -1, -1, -1});
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

  void step(const Instruction& i) {
    if (i.operation == kProduct) return product(i);
    const Register& r = program_.registers[i.to];
    int64_t rows = r.many ? rows_ : 1, vectors = r.padded() / LANES;
    const auto place = [&](int64_t k) -> const Place& { return places_[k < 0 ? i.a : k]; };
    const Place &d = place(i.to), &a = place(i.a), &b = place(i.b), &c = place(i.c);
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
    const Run run{0, static_cast<ptrdiff_t>(weight.depth())};
    for (int64_t block = 0; block < blocks.count(); ++block) {
      const int64_t at = blocks.begin(block);
      Finish finish{i.d < 0 ? nullptr : places_[i.d].at + at, false};
      if (i.c >= 0) finish.addend = places_[i.c].at + at, finish.addend_step = places_[i.c].row;
      product_for(static_cast<int>(rows_), blocks.vectors(block))(a.at, a.row, &run, 1, panels + weight.start(block), to.at + at,
                                                                  to.row, finish);
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
