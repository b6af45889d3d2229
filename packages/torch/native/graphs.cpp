// CUDA graphs: work that was captured once is replayed with one launch. The class at::cuda::CUDAGraph lives in
// libtorch_cuda alone and is reached by its symbols.
#include <utility>

#include "symbols.hpp"

namespace perennial {
namespace {

const char kPart[] = "CUDA graphs";
const char kConstruct[] = "_ZN2at4cuda9CUDAGraphC1Eb";     // since libtorch 2.8
const char kConstructOld[] = "_ZN2at4cuda9CUDAGraphC1Ev";  // before
const char kDestroy[] = "_ZN2at4cuda9CUDAGraphD1Ev";
const char kBegin[] = "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode";
const char kEnd[] = "_ZN2at4cuda9CUDAGraph11capture_endEv";
const char kReplay[] = "_ZN2at4cuda9CUDAGraph6replayEv";
const char kReset[] = "_ZN2at4cuda9CUDAGraph5resetEv";

using Pool = std::pair<unsigned long long, unsigned long long>;
// cudaStreamCaptureModeThreadLocal: what other threads of the process do (pool threads that read tensors, NCCL's watchdog)
// is their own affair.
constexpr int kThreadLocal = 1;

class Graph {
 public:
  Graph()
      : object_(buildOnRoom([](void* room) {
          if (symbol(kConstruct) != nullptr) required<void(void*, bool)>(kConstruct, kPart)(room, false);
          else required<void(void*)>(kConstructOld, kPart)(room);
        })) {}
  ~Graph() {
    try {
      required<void(void*)>(kDestroy, kPart)(object_);
    } catch (...) {  // a device in an error state; its memory ends with the process
    }
    ::operator delete(object_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void begin() { required<void(void*, Pool, int)>(kBegin, kPart)(object_, Pool{0, 0}, kThreadLocal); }
  void end() { call(kEnd); }
  void replay() { call(kReplay); }
  // Leaves a capture that has failed.
  void abandon() {
    try {
      end();
    } catch (...) {  // says again that the capture is invalid
    }
    call(kReset);
  }

 private:
  void call(const char* name) { required<void(void*)>(name, kPart)(object_); }
  void* object_;
};

// Each environment has a thread of its own, and its own graphs.
Table<std::shared_ptr<Graph>>& graphs() {
  static thread_local auto* const all = new Table<std::shared_ptr<Graph>>();
  return *all;
}

template <void (Graph::*method)()>
napi_value onGraph(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    auto* const found = graphs().find(Reader(state).word());
    if (found == nullptr) throw BindingError("the captured graph was disposed of");
    ((**found).*method)();
    return nullptr;
  });
}

// → graph; the current stream must not be the default one
napi_value beginCapture(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env&) {
    const std::string obstacle = cudaObstacle();
    if (!obstacle.empty()) throw BindingError("CUDA cannot be used: " + obstacle);
    auto graph = std::make_shared<Graph>();
    graph->begin();
    return toValue(env, graphs().add(std::move(graph)));
  });
}

// in: [graph]
napi_value releaseGraph(napi_env env, napi_callback_info) {
  return guarded(env, [&](Env& state) -> napi_value {
    graphs().remove(Reader(state).word());
    return nullptr;
  });
}

}  // namespace

void registerGraphs(napi_env env, napi_value exports) {
  setFunction(env, exports, "beginCapture", beginCapture);
  setFunction(env, exports, "endCapture", onGraph<&Graph::end>);
  setFunction(env, exports, "abandonCapture", onGraph<&Graph::abandon>);
  setFunction(env, exports, "replayGraph", onGraph<&Graph::replay>);
  setFunction(env, exports, "releaseGraph", releaseGraph);
}

}  // namespace perennial
