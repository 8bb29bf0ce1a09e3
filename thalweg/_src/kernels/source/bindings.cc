// The entry points that XLA calls, by the names that `kernels/library.py` registers.
#include "depthwise.h"
#include "matrix.h"
#include "normalize.h"
#include "turns.h"
#include "updates.h"
#include "winograd_filter.h"

#include "resize.h"  // the last one: it changes how sums are rounded

namespace ffi = xla::ffi;
using Array = ffi::Buffer<ffi::F32>;
using Result = ffi::ResultBuffer<ffi::F32>;
using Numbers = ffi::Span<const int64_t>;

namespace thalweg {
namespace {

template <typename B>
Images images(B&& array) {
  auto d = array.dimensions();
  return {d[0], d[1], d[2], d[3]};
}

template <typename B>
Filter filter_of(B&& array) {
  auto d = array.dimensions();
  return {d[0], d[1], d[2], d[3]};
}

// A filter of one element walks over rows that follow each other as over one long row, which fills the registers better than short ones.
void straighten(const Filter& filter, Numbers strides, Numbers before, Images& one, Images& other) {
  const bool alone = filter.height * filter.width * strides[0] * strides[1] == 1 && before[0] == 0 && before[1] == 0;
  if (!alone || one.height != other.height || one.width != other.width || one.width >= 2 * ROWS) return;
  for (Images* i : {&one, &other}) i->width *= i->height, i->height = 1;
}

Walk walk(int64_t image, int64_t filter, int64_t result, Numbers strides, Numbers dilations, Numbers before, int axis) {
  return {image, filter, result, strides[axis], dilations[axis], before[axis]};
}

const int64_t kOne[] = {1, 1};
const Numbers kOnes(kOne, 2);  // the dilations of pools

const float* or_null(Array array) { return array.element_count() ? array.typed_data() : nullptr; }

// `scale`, `bias` and `addend` may be empty. `w` is a filter of the size `filter`, or its panels, if it is `packed`.
ffi::Error convolve(ffi::ThreadPool pool, Array x, Array w, Array scale, Array bias, Array addend, Result y, Numbers strides,
                    Numbers dilations, Numbers before, Numbers filter, bool packed, bool rectify, float most) {
  Images from = images(x), to = images(*y);
  const Filter shape{filter[0], filter[1], filter[2], filter[3]};
  straighten(shape, strides, before, from, to);
  correlate_somehow(x.typed_data(), from, w.typed_data(), shape, false,
            forward(walk(from.height, shape.height, to.height, strides, dilations, before, 0)),
            forward(walk(from.width, shape.width, to.width, strides, dilations, before, 1)), packed ? w.typed_data() : nullptr,
            static_cast<int64_t>(w.element_count()), {or_null(bias), rectify, or_null(addend), 0, or_null(scale), most}, y->typed_data(), to, Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error by_input(ffi::ThreadPool pool, Array w, Array g, Result x, Numbers strides, Numbers dilations, Numbers before) {
  Images from = images(g), to = images(*x);
  const Filter filter = filter_of(w);
  straighten(filter, strides, before, from, to);
  correlate_somehow(g.typed_data(), from, w.typed_data(), filter, true,
            backward(walk(to.height, filter.height, from.height, strides, dilations, before, 0)),
            backward(walk(to.width, filter.width, from.width, strides, dilations, before, 1)), nullptr, 0, {}, x->typed_data(), to,
            Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error by_filter(ffi::ThreadPool pool, Array x, Array g, Result w, Numbers strides, Numbers dilations, Numbers before) {
  Images from = images(x), to = images(g);
  const Filter filter = filter_of(*w);
  straighten(filter, strides, before, from, to);
  correlate_places_somehow(x.typed_data(), from, g.typed_data(), to,
                           walk(from.height, filter.height, to.height, strides, dilations, before, 0),
                           walk(from.width, filter.width, to.width, strides, dilations, before, 1), w->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

// As `convolve`, for a filter of one result for each channel.
ffi::Error convolve_channels(ffi::ThreadPool pool, Array x, Array w, Array scale, Array bias, Array addend, Result y, Numbers strides,
                             Numbers dilations, Numbers before, Numbers filter, bool, bool rectify, float most) {
  const Images from = images(x), to = images(*y);
  const auto rows = forward(walk(from.height, filter[0], to.height, strides, dilations, before, 0));
  const auto columns = forward(walk(from.width, filter[1], to.width, strides, dilations, before, 1));
  const Finish after{or_null(bias), rectify, or_null(addend), 0, or_null(scale), most};
  correlate_channels({x.typed_data(), from, w.typed_data(), filter[1], rows, columns, after, to}, y->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

// `convolve_channels` by `w1`, whose results are taken by a filter of one element at once.
ffi::Error convolve_separably(ffi::ThreadPool pool, Array x, Array w1, Array scale1, Array bias1, Array w, Array scale, Array bias,
                              Array addend, Result y, Numbers strides, Numbers dilations, Numbers before, Numbers filter, bool rectify1,
                              float most1, bool packed, bool rectify, float most) {
  const Images from = images(x), to = images(*y), middle{to.batch, to.height, to.width, from.channels};
  const auto rows = forward(walk(from.height, filter[0], to.height, strides, dilations, before, 0));
  const auto columns = forward(walk(from.width, filter[1], to.width, strides, dilations, before, 1));
  const Finish between{or_null(bias1), rectify1, nullptr, 0, or_null(scale1), most1};
  const Finish after{or_null(bias), rectify, or_null(addend), 0, or_null(scale), most};
  correlate_separable({x.typed_data(), from, w1.typed_data(), filter[1], rows, columns, between, middle}, to.width, w.typed_data(),
                      {1, 1, from.channels, to.channels}, packed ? w.typed_data() : nullptr, after, y->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error channels_by_input(ffi::ThreadPool pool, Array w, Array g, Result x, Numbers strides, Numbers dilations, Numbers before) {
  const Images from = images(g), to = images(*x);
  const Filter filter = filter_of(w);
  const auto rows = backward(walk(to.height, filter.height, from.height, strides, dilations, before, 0));
  const auto columns = backward(walk(to.width, filter.width, from.width, strides, dilations, before, 1));
  correlate_channels({g.typed_data(), from, w.typed_data(), filter.width, rows, columns, {}, to}, x->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error channels_by_filter(ffi::ThreadPool pool, Array x, Array g, Result w, Numbers strides, Numbers dilations, Numbers before) {
  const Images from = images(x), to = images(g);
  const Filter filter = filter_of(*w);
  correlate_channels_places(x.typed_data(), from, g.typed_data(), to,
                            walk(from.height, filter.height, to.height, strides, dilations, before, 0),
                            walk(from.width, filter.width, to.width, strides, dilations, before, 1), w->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error pool_images(ffi::ThreadPool pool, Array x, Result y, Numbers sizes, Numbers strides, Numbers before, bool mean) {
  const Images from = images(x), to = images(*y);
  (mean ? thalweg::pool<Sum, Mean> : thalweg::pool<Largest, Largest>)(
      x.typed_data(), from, y->typed_data(), to, walk(from.height, sizes[0], to.height, strides, kOnes, before, 0),
      walk(from.width, sizes[1], to.width, strides, kOnes, before, 1), Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error pool_by_input(ffi::ThreadPool pool, Array x, Array g, Result y, Numbers sizes, Numbers strides, Numbers before, bool rectify) {
  const Images from = images(x), to = images(g);
  unpool(x.typed_data(), g.typed_data(), from, to, rectify, y->typed_data(),
         walk(from.height, sizes[0], to.height, strides, kOnes, before, 0), walk(from.width, sizes[1], to.width, strides, kOnes, before, 1), Parallel(pool));
  return ffi::Error::Success();
}

// A variable and its slots, the gradient, and the numbers of the rule; what follows is only waited for.
ffi::Error update(ffi::ThreadPool pool, ffi::RemainingArgs given, ffi::RemainingRets made, std::string_view rule) {
  const size_t slots = made.size();
  if (slots == 0 || slots > kMostSlots) return ffi::Error::InvalidArgument("no rule has so many slots");
  const float* from[kMostSlots];
  float* to[kMostSlots];
  for (size_t i = 0; i < slots; ++i) from[i] = given.get<Array>(i)->typed_data(), to[i] = (*made.get<Array>(i))->typed_data();
  const int64_t count = static_cast<int64_t>(given.get<Array>(0)->element_count());
  const float* const gradient = given.get<Array>(slots)->typed_data();
  const Parallel parallel(pool);
  const bool known = with_rule(rule, slots, given.get<Array>(slots + 1)->typed_data(),
                               [&](const auto& by) { update_by(by, count, from, gradient, to, parallel); });
  return known ? ffi::Error::Success() : ffi::Error::InvalidArgument("no such rule");
}

template <typename B>
int64_t rows_of(B&& array) {
  return static_cast<int64_t>(array.element_count()) / array.dimensions().back();
}

ffi::Error take_statistics(ffi::ThreadPool pool, Array x, Result mean, Result unbiased, Result variance) {
  statistics(x.typed_data(), rows_of(x), x.dimensions().back(), mean->typed_data(), unbiased->typed_data(), variance->typed_data(),
             Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error normalize_rows(ffi::ThreadPool pool, Array x, Array scale, Array offset, Array mean, Array variance, Result y, float epsilon,
                          bool rectify) {
  const Known known{scale.typed_data(), offset.typed_data(), mean.typed_data(), variance.typed_data(), epsilon};
  normalize(x.typed_data(), rows_of(x), x.dimensions().back(), known, rectify, y->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

// `mask` may be empty.
ffi::Error normalize_back(ffi::ThreadPool pool, Array g, Array x, Array scale, Array mean, Array variance, Array mask, Result dx,
                          Result dscale, Result doffset, float epsilon) {
  const Known known{scale.typed_data(), nullptr, mean.typed_data(), variance.typed_data(), epsilon};
  normalize_gradient(g.typed_data(), x.typed_data(), or_null(mask), rows_of(x), x.dimensions().back(), known, dx->typed_data(),
                     dscale->typed_data(), doffset->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error take_turns(ffi::ThreadPool pool, ffi::Buffer<ffi::S32> count, ffi::RemainingArgs arguments, ffi::RemainingRets results,
                      Numbers program, ffi::Span<const float> numbers) {
  std::vector<const float*> from;
  for (size_t i = 0; i < arguments.size(); ++i) from.push_back(arguments.get<Array>(i)->typed_data());
  std::vector<float*> to;
  for (size_t i = 0; i < results.size(); ++i) to.push_back((*results.get<Array>(i))->typed_data());
  run_turns(Program(program.begin(), *count.typed_data()), numbers.begin(), from, to, Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error multiply_matrices(ffi::ThreadPool pool, Array a, Array b, Result c, bool turn_a, bool turn_b) {
  const auto left = a.dimensions(), right = b.dimensions(), made = c->dimensions();
  multiply({a.typed_data(), left[1], turn_a}, {b.typed_data(), right[1], turn_b}, made[0], left[turn_a ? 0 : 1], made[1],
           c->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

// What handlers take, by parts: the threads, `count` arrays, how a filter walks, what is done with sums.
auto threads() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>(); }

template <int count, typename B>
auto arrays(B&& to) {
  if constexpr (count == 1)
    return std::move(to).template Arg<Array>();
  else
    return arrays<count - 1>(std::move(to).template Arg<Array>());
}

template <typename B>
auto walking(B&& to) {
  return std::move(to).template Attr<Numbers>("strides").template Attr<Numbers>("dilations").template Attr<Numbers>("before");
}

template <typename B>
auto finishing(B&& to) {
  return std::move(to).template Attr<bool>("packed").template Attr<bool>("rectify").template Attr<float>("most");
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_multiply, multiply_matrices,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Array>()
                                  .Arg<Array>()
                                  .Ret<Array>()
                                  .Attr<bool>("turn_a")
                                  .Attr<bool>("turn_b"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_turns, take_turns,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attr<Numbers>("program")
                                  .Attr<ffi::Span<const float>>("numbers"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    thalweg_update, update, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().RemainingArgs().RemainingRets().Attr<std::string_view>("rule"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_statistics, take_statistics,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array>().Ret<Array>().Ret<Array>().Ret<Array>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_normalize, normalize_rows,
                              arrays<5>(threads()).Ret<Array>().Attr<float>("epsilon").Attr<bool>("rectify"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_normalize_gradient, normalize_back,
                              arrays<6>(threads()).Ret<Array>().Ret<Array>().Ret<Array>().Attr<float>("epsilon"));

#define THALWEG_CONVOLUTION(name, function)      \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, function, \
                                finishing(walking(arrays<5>(threads()).Ret<Array>()).Attr<Numbers>("filter")))

THALWEG_CONVOLUTION(thalweg_convolution, convolve);
THALWEG_CONVOLUTION(thalweg_depthwise, convolve_channels);

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    thalweg_separable, convolve_separably,
    finishing(walking(arrays<8>(threads()).Ret<Array>()).Attr<Numbers>("filter").Attr<bool>("rectify1").Attr<float>("most1")));

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_pool, pool_images,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Array>()
                                  .Ret<Array>()
                                  .Attr<Numbers>("sizes")
                                  .Attr<Numbers>("strides")
                                  .Attr<Numbers>("before")
                                  .Attr<bool>("mean"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(thalweg_pool_by_input, pool_by_input,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Array>()
                                  .Arg<Array>()
                                  .Ret<Array>()
                                  .Attr<Numbers>("sizes")
                                  .Attr<Numbers>("strides")
                                  .Attr<Numbers>("before")
                                  .Attr<bool>("rectify"));

#define THALWEG_GRADIENT(name, function) \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, function, walking(arrays<2>(threads()).Ret<Array>()))

THALWEG_GRADIENT(thalweg_convolution_by_input, by_input);
THALWEG_GRADIENT(thalweg_convolution_by_filter, by_filter);
THALWEG_GRADIENT(thalweg_depthwise_by_input, channels_by_input);
THALWEG_GRADIENT(thalweg_depthwise_by_filter, channels_by_filter);

}  // namespace thalweg

// The points of a filter of `taps` x `taps`, whose panels have `width` columns in all (`kernels/convolution.py` packs constants so).
extern "C" void thalweg_points(const float* panels, int64_t taps, int64_t depth, int64_t width, float* points) {
  const thalweg::Columns blocks(width);
  const auto make = taps == 3 ? thalweg::block_to_points<3> : thalweg::block_to_points<5>;
  for (int64_t block = 0; block < blocks.count(); ++block) make(panels, depth, blocks, block, points);
}
