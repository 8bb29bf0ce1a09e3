// Work shared with the threads that XLA computes with, and memory that a thread keeps for the next call.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "xla/ffi/api/ffi.h"

namespace thalweg {

// XLA's pool for work inside of one operation. The caller works too and waits only for what others have begun, so that no thread
// of the pool can wait for another one that never comes.
class Parallel {
 public:
  explicit Parallel(xla::ffi::ThreadPool pool) : pool_(pool), threads_(pool.num_threads()) {
    if (threads_ < 1) threads_ = 1;
  }

  int64_t threads() const { return threads_; }

  // Calls body(i) once for every i below `count`, in any order and on any thread.
  template <typename Body>
  void operator()(int64_t count, const Body& body) const {
    if (count <= 1 || threads_ == 1) {
      for (int64_t i = 0; i < count; ++i) body(i);
      return;
    }
    auto work = std::make_shared<Work>();
    work->count = count;
    work->call = [](const void* body, int64_t i) { (*static_cast<const Body*>(body))(i); };
    work->body = &body;
    const int64_t others = (threads_ < count ? threads_ : count) - 1;
    for (int64_t i = Waiting::give(work) ? 1 : 0; i < others; ++i)
      pool_.Schedule([work] {
        for (auto own = work; own; own = Waiting::take()) own->share();
      });
    work->share();
    work->wait();
  }

 private:
  static constexpr int64_t kLast = 100, kNext = 10;  // microseconds that the last thread, and the next work, are looked out for

  // Looks again and again, for so many microseconds, whether `ready`: to be woken takes longer than others usually need.
  template <typename Ready>
  static bool look(const Ready& ready, int64_t patience) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(patience);
    do {
      for (int i = 0; i < 64; ++i) {
        if (ready()) return true;
        relax();
      }
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
  }

  struct Work {
    int64_t count;
    void (*call)(const void*, int64_t);
    const void* body;  // lives until the last piece is done, and is not touched after it
    std::atomic<int64_t> next{0}, done{0};
    std::mutex mutex;
    std::condition_variable finished;

    void share() {
      for (int64_t i; (i = next.fetch_add(1)) < count;) {
        call(body, i);
        if (done.fetch_add(1) + 1 == count) {
          std::lock_guard<std::mutex> lock(mutex);
          finished.notify_one();
        }
      }
    }

    void wait() {
      if (look([this] { return done.load() == count; }, kLast)) return;
      std::unique_lock<std::mutex> lock(mutex);
      finished.wait(lock, [this] { return done.load() == count; });
    }
  };

  // A thread of the pool that is done waits a moment for the next work, which begins without waking anybody: kernels follow each other. Work
  // that nobody takes is done by the one who gave it.
  class Waiting {
   public:
    // Whether a thread is there for `work`.
    static bool give(const std::shared_ptr<Work>& work) {
      if (!present().load()) return false;
      std::lock_guard<std::mutex> lock(mutex());
      if (!present().load()) return false;
      next() = work;
      present() = false;
      given() = true;
      return true;
    }

    // The next work for this thread, if it comes soon.
    static std::shared_ptr<Work> take() {
      {
        std::lock_guard<std::mutex> lock(mutex());
        if (present().load() || given().load()) return nullptr;  // one is enough
        present() = true;
      }
      look([] { return given().load(); }, kNext);
      std::lock_guard<std::mutex> lock(mutex());
      present() = false;
      given() = false;
      return std::move(next());
    }

   private:
    static std::mutex& mutex() {
      static std::mutex own;
      return own;
    }
    static std::atomic<bool>& present() {
      static std::atomic<bool> own{false};
      return own;
    }
    static std::atomic<bool>& given() {
      static std::atomic<bool> own{false};
      return own;
    }
    static std::shared_ptr<Work>& next() {
      static auto* own = new std::shared_ptr<Work>;
      return *own;
    }
  };

  mutable xla::ffi::ThreadPool pool_;
  int64_t threads_;
};

// Aligned memory of one thread that grows as needed. What it held is lost when it grows.
class Scratch {
 public:
  ~Scratch() { std::free(data_); }

  float* floats(int64_t count) {
    if (count > room_) {
      std::free(data_);
      room_ = 0;
      const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
      data_ = static_cast<float*>(std::aligned_alloc(64, bytes));
      if (!data_) throw std::bad_alloc();
      room_ = count;
    }
    return data_;
  }

 private:
  float* data_ = nullptr;
  int64_t room_ = 0;
};

}  // namespace thalweg
