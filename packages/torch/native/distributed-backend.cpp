// c10d's backends, looked up in the loaded libtorch at run time (symbols.hpp says why). All that is needed of a backend is
// one constructor; from there on it is a c10d::Backend, which ends through its virtual destructor, whose operator delete
// ignores the size.
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distributed.hpp"
#include "symbols.hpp"

namespace perennial {
namespace {

using Store = c10::intrusive_ptr<c10d::Store>;
using Options = c10::intrusive_ptr<c10d::Backend::Options>;

const char kGloo[] =
    "_ZN4c10d16ProcessGroupGlooC1ERKN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEEiiNS2_INS0_7OptionsENS5_ISA_EEEE";
const char kGlooOptions[] = "_ZN4c10d16ProcessGroupGloo7OptionsC1ENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE";
// With the argument `lazyInit` since libtorch 2.7, without it before.
const char* const kGlooInterface[] = {"_ZN4c10d16ProcessGroupGloo24createDeviceForInterfaceERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEb",
                                      "_ZN4c10d16ProcessGroupGloo24createDeviceForInterfaceERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"};
const char* const kGlooHostname[] = {"_ZN4c10d16ProcessGroupGloo23createDeviceForHostnameERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEb",
                                     "_ZN4c10d16ProcessGroupGloo23createDeviceForHostnameERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"};
const char kNccl[] =
    "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEEiiNS2_INS0_7OptionsENS5_IS8_EEEE";
const char kNcclOptions[] = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";
const char kMpi[] = "_ZN4c10d15ProcessGroupMPI21createProcessGroupMPIESt6vectorIiSaIiEE";

// `construct` builds an object of a class derived from T on the memory that it is given.
template <typename T, typename Construct>
c10::intrusive_ptr<T> build(Construct construct) {
  return c10::intrusive_ptr<T>::unsafe_steal_from_new(static_cast<T*>(buildOnRoom(construct)));
}

// The fields of ProcessGroupGloo::Options, unchanged from libtorch 2.6 to 2.15.
struct GlooOptions : c10d::Backend::Options {
  std::vector<std::shared_ptr<void>> devices;
  int threads;
};

std::shared_ptr<void> glooDevice(const char* const (&names)[2], const std::string& argument) {
  if (void* current = symbol(names[0])) return reinterpret_cast<std::shared_ptr<void> (*)(const std::string&, bool)>(current)(argument, false);
  return required<std::shared_ptr<void>(const std::string&)>(names[1], "Gloo backend")(argument);
}

// This machine's address on the way to `host`. Unlike the address of the machine's own name, which many systems map to
// loopback, others can reach it.
std::string addressTowards(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), "9", &hints, &found) != 0) throw BindingError("the address " + host + " cannot be resolved");
  std::string address;
  for (const addrinfo* each = found; each != nullptr && address.empty(); each = each->ai_next) {
    const int descriptor = socket(each->ai_family, SOCK_DGRAM, 0);
    if (descriptor < 0) continue;
    sockaddr_storage local{};
    socklen_t length = sizeof local;
    char text[NI_MAXHOST];
    // A datagram socket that connects sends nothing; it only chooses a route.
    if (::connect(descriptor, each->ai_addr, each->ai_addrlen) == 0 && getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &length) == 0 &&
        getnameinfo(reinterpret_cast<const sockaddr*>(&local), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      address = text;
    close(descriptor);
  }
  freeaddrinfo(found);
  if (address.empty()) throw BindingError("no network leads to " + host);
  return address;
}

c10::intrusive_ptr<c10d::Backend> makeGloo(const GroupOptions& options, const Store& store) {
  using MakeOptions = void(void*, std::chrono::milliseconds);
  using Make = void(void*, const Store&, int, int, Options);
  auto* const construct = required<Make>(kGloo, "Gloo backend");
  auto* const constructOptions = required<MakeOptions>(kGlooOptions, "Gloo backend");
  Options made = build<c10d::Backend::Options>([&](void* room) { constructOptions(room, options.timeout); });
  static_cast<GlooOptions*>(made.get())->devices.push_back(options.networkInterface.empty() ? glooDevice(kGlooHostname, addressTowards(options.address))
                                                                                            : glooDevice(kGlooInterface, options.networkInterface));
  return build<c10d::Backend>([&](void* room) { construct(room, store, options.rank, options.size, made); });
}

c10::intrusive_ptr<c10d::Backend> makeNccl(const GroupOptions& options, const Store& store) {
  using MakeOptions = void(void*, bool);
  using Make = void(void*, Store, int, int, Options);
  auto* const construct = required<Make>(kNccl, "NCCL backend");
  auto* const constructOptions = required<MakeOptions>(kNcclOptions, "NCCL backend");
  Options made = build<c10d::Backend::Options>([&](void* room) { constructOptions(room, false); });
  made->timeout = options.timeout;
  return build<c10d::Backend>([&](void* room) { construct(room, store, options.rank, options.size, made); });
}

// MPI counts the processes itself.
c10::intrusive_ptr<c10d::Backend> makeMpi(const GroupOptions& options) {
  auto backend = required<c10::intrusive_ptr<c10d::Backend>(std::vector<int>)>(kMpi, "MPI backend")({});
  if (!backend || backend->getRank() != options.rank || backend->getSize() != options.size)
    throw BindingError("MPI counts other processes than RANK and WORLD_SIZE say");
  return backend;
}

}  // namespace

bool hasBackend(const std::string& name) { return symbol(name == "gloo" ? kGloo : name == "nccl" ? kNccl : kMpi) != nullptr; }

c10::intrusive_ptr<c10d::Backend> makeBackend(const GroupOptions& options, const Store& store) {
  if (options.backend == "gloo") return makeGloo(options, store);
  if (options.backend == "nccl") return makeNccl(options, store);
  if (options.backend == "mpi") return makeMpi(options);
  throw BindingError("unknown backend \"" + options.backend + "\"; there are gloo, nccl and mpi");
}

}  // namespace perennial
