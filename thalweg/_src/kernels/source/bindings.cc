// The entry points that XLA calls, by the names that `kernels/library.py` registers.
#include "convolution.h"

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

Walk walk(int64_t image, int64_t filter, int64_t result, Numbers strides, Numbers dilations, Numbers before, int axis) {
  return {image, filter, result, strides[axis], dilations[axis], before[axis]};
}

ffi::Error convolve(ffi::ThreadPool pool, Array x, Array w, Result y, Numbers strides, Numbers dilations, Numbers before) {
  const Images from = images(x), to = images(*y);
  const Filter filter{w.dimensions()[0], w.dimensions()[1], w.dimensions()[2], w.dimensions()[3]};
  correlate(x.typed_data(), from, w.typed_data(), filter, false,
            forward(walk(from.height, filter.height, to.height, strides, dilations, before, 0)),
            forward(walk(from.width, filter.width, to.width, strides, dilations, before, 1)), nullptr, false, y->typed_data(), to,
            Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error by_input(ffi::ThreadPool pool, Array w, Array g, Result x, Numbers strides, Numbers dilations, Numbers before) {
  const Images from = images(g), to = images(*x);
  const Filter filter{w.dimensions()[0], w.dimensions()[1], w.dimensions()[2], w.dimensions()[3]};
  correlate(g.typed_data(), from, w.typed_data(), filter, true,
            backward(walk(to.height, filter.height, from.height, strides, dilations, before, 0)),
            backward(walk(to.width, filter.width, from.width, strides, dilations, before, 1)), nullptr, false, x->typed_data(), to,
            Parallel(pool));
  return ffi::Error::Success();
}

ffi::Error by_filter(ffi::ThreadPool pool, Array x, Array g, Result w, Numbers strides, Numbers dilations, Numbers before) {
  const Images from = images(x), to = images(g);
  auto d = w->dimensions();
  correlate_places(x.typed_data(), from, g.typed_data(), to,
                   walk(from.height, d[0], to.height, strides, dilations, before, 0),
                   walk(from.width, d[1], to.width, strides, dilations, before, 1), w->typed_data(), Parallel(pool));
  return ffi::Error::Success();
}

}  // namespace

#define THALWEG_KERNEL(name, function)                                                       \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, function,                                              \
                                ffi::Ffi::Bind()                                             \
                                    .Ctx<ffi::ThreadPool>()                                  \
                                    .Arg<Array>()                                            \
                                    .Arg<Array>()                                            \
                                    .Ret<Array>()                                            \
                                    .Attr<Numbers>("strides")                                \
                                    .Attr<Numbers>("dilations")                              \
                                    .Attr<Numbers>("before"))

THALWEG_KERNEL(thalweg_convolution, convolve);
THALWEG_KERNEL(thalweg_convolution_by_input, by_input);
THALWEG_KERNEL(thalweg_convolution_by_filter, by_filter);

}  // namespace thalweg
