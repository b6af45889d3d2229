// Training of vocabularies: counts pre-tokens on all cores, with 64-bit counts in bounded memory; then learns from the counts.
// BPE merges the most frequent pair again and again; its merges equal those of Hugging Face's BpeTrainer (same ties: larger
// count, then smaller pair of ids). Unigram: see unigram-trainer.h.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline.h"
#include "unigram-trainer.h"

namespace perennial {

/** word → count, open addressing, the bytes in one arena. */
class WordCounts {
 public:
  WordCounts() : slots_(1 << 12) {}
  void add(std::string_view word, uint64_t count = 1);
  size_t size() const { return size_; }
  bool contains(std::string_view word) const;
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

/** Different words as sequences of symbols: word i is symbols[offsets[i] … offsets[i] + lengths[i]). */
struct SymbolWords {
  std::vector<uint32_t> symbols;
  std::vector<uint64_t> offsets;
  std::vector<uint32_t> lengths;
  std::vector<int64_t> counts;
  size_t size() const { return counts.size(); }
  void add(const std::vector<int32_t>& word, uint64_t count) {
    offsets.push_back(symbols.size());
    lengths.push_back(static_cast<uint32_t>(word.size()));
    counts.push_back(static_cast<int64_t>(count));
    symbols.insert(symbols.end(), word.begin(), word.end());
  }
};

struct TrainOptions {
  std::shared_ptr<Pipeline> symbols;  // its model says which symbols a word begins with; null: the trainer's own
  std::vector<bool> inert;           // by id: symbols that no merge takes part in (bytes of a fallback, unknown); may be shorter
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

/** A code point with its occurrences in the words, and whether a protected text has it. */
struct CharacterCount {
  uint32_t codePoint;
  uint64_t count;
  bool isProtected;
};

class Trainer {
 public:
  /** At most `maxWords` different pre-tokens are kept per thread table; beyond it the rarest are forgotten and counted.
   *  `cutAtBlankMarks`: pre-tokens that hold several words are cut before each U+2581 that follows another character. */
  Trainer(std::shared_ptr<Pipeline> pipeline, size_t maxWords, bool cutAtBlankMarks)
      : pipeline_(std::move(pipeline)), maxWords_(maxWords), cutAtBlankMarks_(cutAtBlankMarks) {}
  void feed(const std::vector<std::string_view>& texts, unsigned threads, bool isProtected);
  std::vector<CharacterCount> characters();
  Trained trainBpe(const TrainOptions& options);
  TrainedUnigram trainUnigram(const UnigramOptions& options);

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
  /** The counted words in alphabetical order, so that nothing depends on threads. */
  std::vector<std::pair<std::string_view, uint64_t>> sortedWords();

  std::shared_ptr<Pipeline> pipeline_;
  size_t maxWords_;
  bool cutAtBlankMarks_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Table>> tables_;  // idle
  WordCounts protected_;
  uint64_t words_ = 0;
};

}  // namespace perennial
