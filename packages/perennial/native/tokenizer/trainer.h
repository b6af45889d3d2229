// Byte-level BPE training: counts pre-tokens on all cores, then merges the most frequent pair again and again.
// Merges equal those of Hugging Face's BpeTrainer (same ties: larger count, then smaller pair of ids), with 64-bit counts.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline.h"

namespace perennial {

/** word → count, open addressing, the bytes in one arena. */
class WordCounts {
 public:
  WordCounts() : slots_(1 << 12) {}
  void add(std::string_view word, uint64_t count = 1);
  size_t size() const { return size_; }
  /** Forgets words of at most `threshold` occurrences; returns how many occurrences that were. */
  uint64_t prune(uint64_t threshold);
  template <typename Visit>
  void forEach(Visit&& visit) const {
    for (const auto& slot : slots_)
      if (slot.count > 0) visit(std::string_view(arena_).substr(slot.offset, slot.length), slot.count);
  }

 private:
  struct Slot {
    uint64_t count = 0, offset = 0;
    uint32_t length = 0, hash = 0;
  };
  void grow();
  std::vector<Slot> slots_;
  std::string arena_;
  size_t size_ = 0;
};

struct TrainOptions {
  std::vector<std::string> tokens;   // existing tokens by id, as raw bytes; an id without one is empty
  std::vector<int32_t> byteIds;      // 256 of them, or empty: words begin as the pipeline's model encodes them
  size_t vocabSize = 0;              // stop at this many tokens
  size_t numTokens = 0;              // tokens that exist already
  uint64_t minFrequency = 0;
  bool keepOld = false;              // no merge of a pair that occurs in the protected texts
};

struct Trained {
  std::vector<int32_t> merges;       // (left, right, result) triples in order
  std::vector<std::string> tokens;   // the new ones, in order of their ids
  std::vector<uint64_t> counts;      // how often each merge's pair occurred
};

class BpeTrainer {
 public:
  /** At most `maxWords` different pre-tokens are kept per thread table; beyond it the rarest are forgotten and counted. */
  BpeTrainer(std::shared_ptr<Pipeline> pipeline, size_t maxWords) : pipeline_(std::move(pipeline)), maxWords_(maxWords) {}
  void feed(const std::vector<std::string_view>& texts, unsigned threads, bool isProtected);
  Trained train(const TrainOptions& options);

  struct Stats {
    uint64_t words = 0, differentWords = 0, forgotten = 0;
  };
  Stats stats();

 private:
  struct Table {
    WordCounts words;
    uint64_t forgotten = 0, threshold = 0;
  };
  void merge();

  std::shared_ptr<Pipeline> pipeline_;
  size_t maxWords_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Table>> tables_;  // idle
  WordCounts protected_;
  uint64_t words_ = 0;
};

}  // namespace perennial
