// Tensors to files on a pool thread, while JavaScript goes on; checksums of files; tensors out of files, copied or mapped.
#include "addon.hpp"

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace perennial {
namespace {

// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes at a time ("slicing-by-8").
class Checksum {
 public:
  void add(const uint8_t* data, size_t count) {
    static const auto tables = makeTables();
    uint32_t crc = ~value_;
    for (; count >= 8; data += 8, count -= 8) {
      uint32_t low, high;
      std::memcpy(&low, data, 4);
      std::memcpy(&high, data + 4, 4);
      low ^= crc;
      crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^ tables[4][low >> 24] ^
            tables[3][high & 0xFF] ^ tables[2][(high >> 8) & 0xFF] ^ tables[1][(high >> 16) & 0xFF] ^ tables[0][high >> 24];
    }
    for (; count > 0; ++data, --count) crc = tables[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
    value_ = ~crc;
  }
  uint32_t value() const { return value_; }

 private:
  static std::array<std::array<uint32_t, 256>, 8> makeTables() {
    std::array<std::array<uint32_t, 256>, 8> tables{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
      tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; ++i)
      for (size_t t = 1; t < 8; ++t) tables[t][i] = tables[0][tables[t - 1][i] & 0xFF] ^ (tables[t - 1][i] >> 8);
    return tables;
  }
  uint32_t value_ = 0;
};

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail("open");
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const uint8_t* data, size_t count) {
    while (count > 0) {
      const ssize_t written = ::write(descriptor_, data, std::min(count, kChunk));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write");
      data += written;
      count -= static_cast<size_t>(written);
    }
  }
  size_t read(uint8_t* data, size_t count) {
    for (;;) {
      const ssize_t got = ::read(descriptor_, data, count);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) fail("read");
    }
  }
  void sync() {
    // Pipes and devices cannot be synced; they hold nothing that a power cut could take.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) fail("fsync");
  }

  static constexpr size_t kChunk = size_t{1} << 22;

 private:
  [[noreturn]] static void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }
  int descriptor_;
};

// A promise that is kept on a pool thread: `work` runs there and leaves the size and the checksum of a file.
struct FileWork {
  std::string path;
  std::vector<uint8_t> header;
  std::vector<at::Tensor> tensors;
  void (*work)(FileWork&) = nullptr;
  double bytes = 0;
  Checksum checksum;
  std::string error;
  int errorNumber = 0;
  napi_deferred deferred = nullptr;
  napi_async_work handle = nullptr;
};

const char* errorCode(int number) {
  switch (number) {
    case ENOSPC: return "ENOSPC";
    case EDQUOT: return "EDQUOT";
    case EFBIG: return "EFBIG";
    case EROFS: return "EROFS";
    case EACCES: return "EACCES";
    case ENOENT: return "ENOENT";
    default: return number == 0 ? "TORCH" : "EIO";
  }
}

void run(napi_env, void* data) {
  auto& file = *static_cast<FileWork*>(data);
  try {
    file.work(file);
  } catch (const std::system_error& error) {
    file.errorNumber = error.code().value();
    file.error = std::string(errorCode(file.errorNumber)) + ": " + error.code().message() + ", " + file.path;
  } catch (const std::exception& error) {
    file.error = messageOf(error);
  }
}

void done(napi_env env, napi_status, void* data) {
  std::unique_ptr<FileWork> file(static_cast<FileWork*>(data));
  napi_value result, code, bytes, checksum;
  if (file->error.empty()) {
    napi_create_object(env, &result);
    napi_create_double(env, file->bytes, &bytes);
    napi_create_uint32(env, file->checksum.value(), &checksum);
    napi_set_named_property(env, result, "bytes", bytes);
    napi_set_named_property(env, result, "crc32c", checksum);
    napi_resolve_deferred(env, file->deferred, result);
  } else {
    napi_create_string_utf8(env, errorCode(file->errorNumber), NAPI_AUTO_LENGTH, &code);
    napi_create_string_utf8(env, file->error.c_str(), NAPI_AUTO_LENGTH, &bytes);
    napi_create_error(env, code, bytes, &result);
    napi_reject_deferred(env, file->deferred, result);
  }
  napi_delete_async_work(env, file->handle);
}

napi_value queue(napi_env env, std::unique_ptr<FileWork> file, const char* label) {
  napi_value promise, name;
  checkStatus(env, napi_create_promise(env, &file->deferred, &promise));
  checkStatus(env, napi_create_string_utf8(env, label, NAPI_AUTO_LENGTH, &name));
  checkStatus(env, napi_create_async_work(env, nullptr, name, run, done, file.get(), &file->handle));
  checkStatus(env, napi_queue_async_work(env, file->handle));
  file.release();
  return promise;
}

// writeFile(path, header: Uint8Array) → Promise<{ bytes, crc32c }>; in: [count, handles …]. The header, then the bytes of the
// tensors, synced. The tensors must be contiguous and on the CPU, and must not change before the promise is kept.
napi_value writeFile(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) {
    size_t count = 2;
    napi_value arguments[2];
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    auto file = std::make_unique<FileWork>();
    file->path = stringArgument(env, arguments[0]);
    napi_typedarray_type type;
    size_t length = 0, offset = 0;
    void* header = nullptr;
    napi_value owner;
    checkStatus(env, napi_get_typedarray_info(env, arguments[1], &type, &length, &header, &owner, &offset));
    if (type != napi_uint8_array) throw BindingError("the header must be a Uint8Array");
    const auto* first = static_cast<const uint8_t*>(header);
    if (length > 0) file->header.assign(first, first + length);
    Reader reader(state);
    for (size_t left = reader.count(); left > 0; --left) {
      const at::Tensor& tensor = reader.tensor();
      if (!tensor.device().is_cpu() || !tensor.is_contiguous()) throw BindingError("writeFile needs contiguous tensors on the CPU");
      file->tensors.push_back(tensor);
    }
    file->work = [](FileWork& self) {
      File target(self.path, O_WRONLY | O_CREAT | O_TRUNC);
      const auto write = [&](const uint8_t* data, size_t size) {
        // Chunk by chunk, so that the bytes are summed up while they are in the cache.
        for (size_t start = 0; start < size; start += File::kChunk) {
          const size_t part = std::min(File::kChunk, size - start);
          target.write(data + start, part);
          self.checksum.add(data + start, part);
        }
        self.bytes += static_cast<double>(size);
      };
      write(self.header.data(), self.header.size());
      for (const auto& tensor : self.tensors)
        if (tensor.nbytes() > 0) write(static_cast<const uint8_t*>(tensor.const_data_ptr()), tensor.nbytes());
      target.sync();
    };
    return queue(env, std::move(file), "torch.writeFile");
  });
}

// checksumFile(path) → Promise<{ bytes, crc32c }>
napi_value checksumFile(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env&) {
    size_t count = 1;
    napi_value argument;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    auto file = std::make_unique<FileWork>();
    file->path = stringArgument(env, argument);
    file->work = [](FileWork& self) {
      File source(self.path, O_RDONLY);
      std::vector<uint8_t> buffer(File::kChunk);
      while (const size_t got = source.read(buffer.data(), buffer.size())) {
        self.checksum.add(buffer.data(), got);
        self.bytes += static_cast<double>(got);
      }
    };
    return queue(env, std::move(file), "torch.checksumFile");
  });
}

// readRange(descriptor); in: [handle of a contiguous tensor on the CPU, offset in the file]: fills the tensor. Copied: when a mapped file is cut short, or its disk goes away, the process that touches it ends with SIGBUS.
napi_value readRange(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    size_t count = 1;
    napi_value argument;
    int32_t descriptor = -1;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    checkStatus(env, napi_get_value_int32(env, argument, &descriptor));
    Reader reader(state);
    const at::Tensor tensor = reader.tensor();
    if (!tensor.device().is_cpu() || !tensor.is_contiguous()) throw BindingError("readRange needs a contiguous tensor on the CPU");
    auto* const data = static_cast<uint8_t*>(tensor.mutable_data_ptr());
    const double offset = reader.word();
    for (size_t done = 0; done < tensor.nbytes();) {
      const ssize_t got = ::pread(descriptor, data + done, tensor.nbytes() - done, static_cast<off_t>(offset) + static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw BindingError(std::string(errorCode(errno)) + ": " + std::generic_category().message(errno));
      if (got == 0) throw BindingError("the file ends after " + std::to_string(done) + " of the tensor's " + std::to_string(tensor.nbytes()) + " bytes; it was cut short after it was opened");
      done += static_cast<size_t>(got);
    }
    return nullptr;
  });
}

// mapRange(descriptor); in: [dtype id, offset, size of the file when it was opened, dimensions, sizes …]; out: [tensor]. Its
// memory is the file's, page by page when touched; what is written stays in this process. The tensor keeps the mapping, whatever
// becomes of descriptor and name. The offset must suit the dtype's alignment.
napi_value mapRange(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Env& state) -> napi_value {
    size_t count = 1;
    napi_value argument;
    int32_t descriptor = -1;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    checkStatus(env, napi_get_value_int32(env, argument, &descriptor));
    Reader reader(state);
    const at::ScalarType type = dtypeOf(reader.string());
    const auto offset = static_cast<int64_t>(reader.word());
    const auto fileBytes = static_cast<int64_t>(reader.word());
    std::vector<int64_t> sizes(reader.count());
    for (auto& size : sizes) size = static_cast<int64_t>(reader.word());
    const int64_t bytes = c10::multiply_integers(sizes) * static_cast<int64_t>(c10::elementSize(type));
    const auto failed = [] { return BindingError(std::string(errorCode(errno)) + ": " + std::generic_category().message(errno)); };
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) throw failed();
    if (status.st_size != fileBytes)
      throw BindingError("the file has " + std::to_string(status.st_size) + " bytes, but had " + std::to_string(fileBytes) + " when it was opened");
    if (bytes <= 0 || offset < 0 || offset > fileBytes - bytes) throw BindingError("there is nothing to map in this range");
    const int64_t before = offset % ::sysconf(_SC_PAGESIZE);
    const auto length = static_cast<size_t>(before + bytes);
    void* const start = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, static_cast<off_t>(offset - before));
    if (start == MAP_FAILED) throw failed();
    Writer(state).tensor(at::from_blob(
        static_cast<uint8_t*>(start) + before, sizes, [start, length](void*) { ::munmap(start, length); }, at::TensorOptions(type)));
    return nullptr;
  });
}

}  // namespace

void registerFiles(napi_env env, napi_value exports) {
  setFunction(env, exports, "writeFile", writeFile);
  setFunction(env, exports, "checksumFile", checksumFile);
  setFunction(env, exports, "readRange", readRange);
  setFunction(env, exports, "mapRange", mapRange);
}

}  // namespace perennial
