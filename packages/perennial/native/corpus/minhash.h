// MinHash signatures and band keys; formulas and sources in src/corpus/deduplicate/minhash.ts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perennial {

struct MinHashShape {
  uint32_t shingleSize;      // words in a shingle
  uint32_t numBands;
  uint32_t hashesPerBand;
  uint32_t seed;
  uint32_t hashBits;         // 64 or 32
};

class MinHash {
 public:
  explicit MinHash(const MinHashShape& shape);

  /// Writes numBands · hashesPerBand minima and returns how many shingles there were; without any, `signature` is left alone.
  /// `words` are UTF-8, separated by single spaces.
  size_t signature(std::string_view words, uint64_t* signature) const;

  /// Writes 128 bits for every band: equal where all hashes of the band and the name space are equal.
  size_t bandKeys(std::string_view words, std::string_view nameSpace, uint64_t* keys) const;

  uint32_t numBands() const { return shape_.numBands; }
  uint32_t numHashes() const { return shape_.numBands * shape_.hashesPerBand; }

 private:
  MinHashShape shape_;
  std::vector<uint64_t> multipliers_, increments_;
};

}  // namespace perennial
