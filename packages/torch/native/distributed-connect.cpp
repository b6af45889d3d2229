// How the processes of a group meet: a key-value store served by rank 0, in which each says that it is there.
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <thread>

#include "distributed.hpp"

namespace perennial {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{50};

std::string rankKey(int rank) { return "rank/" + std::to_string(rank); }

// The store writes each vain attempt to standard error, with forty lines of C++ frames. What goes wrong is thrown as well, and
// told in one sentence.
class QuietLog {
 public:
  QuietLog() { FLAGS_caffe2_log_level = kFatal; }
  ~QuietLog() { FLAGS_caffe2_log_level = before_; }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  static constexpr int kFatal = 3;
  const decltype(FLAGS_caffe2_log_level) before_ = FLAGS_caffe2_log_level;
};

c10::intrusive_ptr<c10d::Store> openStore(const GroupOptions& options) {
  c10d::TCPStoreOptions store;
  store.port = options.port;
  store.isServer = options.rank == 0;
  store.waitWorkers = false;  // done below, where it can be said who is missing
  store.timeout = options.connectTimeout;
  store.useLibUV = false;  // Node and libtorch export the same libuv symbols, of different versions
  const std::string place = options.address + ":" + std::to_string(options.port);
  const QuietLog quiet;
  try {
    return c10::make_intrusive<c10d::TCPStore>(options.address, store);
  } catch (const std::exception& error) {
    const std::string cause = messageOf(error);
    if (options.rank == 0)
      throw BindingError("rank 0 cannot listen on " + place +
                         (cause.find("already in use") == std::string::npos ? ": " + cause.substr(0, cause.find('\n')) : ": the port is in use; choose another MASTER_PORT"));
    throw BindingError("nobody answers on " + place + " within " + std::to_string(options.connectTimeout.count() / 1000) +
                       " s; check MASTER_ADDR and MASTER_PORT, and that the process of rank 0 runs");
  }
}

// Tells the others too, so that nobody waits for a process that has left. Rank 0 serves the store: it stays until they know.
[[noreturn]] void giveUp(c10d::Store& store, const GroupOptions& options, const std::string& reason) {
  store.set("failure", reason);
  if (options.rank == 0) std::this_thread::sleep_for(5 * kPoll);
  throw BindingError(reason);
}

std::string missingRanks(c10d::Store& store, int size) {
  std::string missing;
  for (int rank = 0; rank < size; ++rank)
    if (!store.check({rankKey(rank)})) missing += (missing.empty() ? "" : ", ") + std::to_string(rank);
  return missing;
}

void meet(c10d::Store& store, const GroupOptions& options) {
  const std::string size = std::to_string(options.size);
  const std::string agreed = store.compareSet("size", std::string(), size);
  if (agreed != size)
    giveUp(store, options, "the processes disagree about WORLD_SIZE: rank " + std::to_string(options.rank) + " was told " + size + ", another one " + agreed);
  if (store.add(rankKey(options.rank), 1) > 1)
    giveUp(store, options, "two processes were started with RANK " + std::to_string(options.rank) + " at this address and port");
  std::vector<std::string> keys;
  for (int rank = 0; rank < options.size; ++rank) keys.push_back(rankKey(rank));
  // Polled, because the store prints a warning for every wait that ends without a result.
  for (const auto deadline = Clock::now() + options.connectTimeout; !store.check(keys); std::this_thread::sleep_for(kPoll)) {
    if (store.check({"failure"})) giveUp(store, options, store.get_to_str("failure"));
    if (Clock::now() < deadline) continue;
    giveUp(store, options,
           "of " + size + " processes these ranks have not come within " + std::to_string(options.connectTimeout.count() / 1000) + " s: " +
               missingRanks(store, options.size) + "; check that they were started, and WORLD_SIZE");
  }
}

}  // namespace

std::shared_ptr<Group> connect(const GroupOptions& options) {
  auto group = std::make_shared<Group>();
  group->rank = options.rank;
  group->size = options.size;
  group->store = openStore(options);
  const auto meeting = c10::make_intrusive<c10d::PrefixStore>("perennial/meeting", group->store);
  meet(*meeting, options);
  group->backend = makeBackend(options, c10::make_intrusive<c10d::PrefixStore>("perennial/" + options.backend, group->store));
  return group;
}

}  // namespace perennial
