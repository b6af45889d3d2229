#include "records.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <queue>
#include <stdexcept>

namespace perennial {

namespace {

template <size_t N>
void sortAs(uint64_t* words, size_t numRecords) {
  auto* records = reinterpret_cast<std::array<uint64_t, N>*>(words);
  std::sort(records, records + numRecords);
}

[[noreturn]] void fail(const char* doing, const std::string& path, int code) {
  throw std::runtime_error(std::string("Cannot ") + doing + " " + path + ": " + std::strerror(code));
}

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

class Reader {
 public:
  Reader(const Run& run, size_t wordsPerRecord, size_t bufferBytes)
      : path_(run.path), left_(run.bytes), width_(wordsPerRecord), buffer_(std::max<size_t>(1, bufferBytes / (8 * wordsPerRecord)) * wordsPerRecord) {
    if (run.bytes % (8 * wordsPerRecord) != 0) throw std::runtime_error("Cannot read " + path_ + ": a run of " + std::to_string(run.bytes) + " bytes ends inside a record");
    file_.reset(std::fopen(path_.c_str(), "rb"));
    if (!file_ || ::fseeko(file_.get(), static_cast<off_t>(run.offset), SEEK_SET) != 0) fail("open", path_, errno);
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);
    refill();
  }

  bool done() const { return at_ == end_; }
  const uint64_t* record() const { return buffer_.data() + at_; }
  void advance() {
    at_ += width_;
    if (at_ == end_) refill();
  }

 private:
  void refill() {
    const size_t want = std::min<uint64_t>(left_, buffer_.size() * 8);
    if (std::fread(buffer_.data(), 1, want, file_.get()) != want)
      throw std::runtime_error("Cannot read " + path_ + ": the file ends " + std::to_string(left_) + " bytes too early or is unreadable");
    left_ -= want;
    at_ = 0;
    end_ = want / 8;
    if (end_ == 0) file_.reset();
  }

  std::string path_;
  uint64_t left_;
  size_t width_, at_ = 0, end_ = 0;
  std::vector<uint64_t> buffer_;
  File file_;
};

class Writer {
 public:
  Writer(std::string path, size_t bufferBytes) : path_(std::move(path)) {
    if (path_.empty()) return;
    file_.reset(std::fopen(path_.c_str(), "wb"));
    if (!file_) fail("create", path_, errno);
    std::setvbuf(file_.get(), nullptr, _IOFBF, std::max<size_t>(bufferBytes, 4096));
  }

  explicit operator bool() const { return file_ != nullptr; }
  void write(const uint64_t* words, size_t count) {
    if (std::fwrite(words, 8, count, file_.get()) != count) fail("write", path_, errno);
  }
  void close() {
    if (!file_) return;
    if (std::fclose(file_.release()) != 0) fail("write", path_, errno);
  }

 private:
  std::string path_;
  File file_;
};

}  // namespace

void sortRecords(uint64_t* words, size_t numRecords, size_t wordsPerRecord) {
  switch (wordsPerRecord) {
    case 1: return sortAs<1>(words, numRecords);
    case 2: return sortAs<2>(words, numRecords);
    case 3: return sortAs<3>(words, numRecords);
    case 4: return sortAs<4>(words, numRecords);
    default: throw std::runtime_error("Records of " + std::to_string(wordsPerRecord) + " words cannot be sorted; 1 to 4 can");
  }
}

MergeCounts mergeRuns(const MergePlan& plan) {
  const size_t width = plan.wordsPerRecord, keyWords = width - 1;
  std::vector<std::unique_ptr<Reader>> readers;
  for (const auto& run : plan.runs)
    if (run.bytes > 0) readers.push_back(std::make_unique<Reader>(run, width, plan.bufferBytes));

  const auto later = [width](const Reader* a, const Reader* b) {
    return std::lexicographical_compare(b->record(), b->record() + width, a->record(), a->record() + width);
  };
  std::priority_queue<Reader*, std::vector<Reader*>, decltype(later)> queue(later);
  for (const auto& reader : readers) queue.push(reader.get());

  Writer output(plan.outputPath, plan.bufferBytes), pairs(plan.pairsPath, plan.bufferBytes);
  MergeCounts counts;
  std::vector<uint64_t> last(width), first(width);
  bool any = false;
  while (!queue.empty()) {
    Reader* reader = queue.top();
    queue.pop();
    const uint64_t* record = reader->record();
    const bool repeated = any && std::equal(record, record + width, last.begin());
    if (!(repeated && plan.unique)) {
      if (output) output.write(record, width);
      ++counts.records;
      if (any && std::equal(record, record + keyWords, first.begin())) {
        const uint64_t pair[2] = {first[keyWords], record[keyWords]};
        if (pairs && pair[0] != pair[1]) {
          pairs.write(pair, 2);
          ++counts.pairs;
        }
      } else {
        first.assign(record, record + width);
      }
      last.assign(record, record + width);
      any = true;
    }
    reader->advance();
    if (!reader->done()) queue.push(reader);
  }
  output.close();
  pairs.close();
  return counts;
}

}  // namespace perennial
