#include "minhash.h"

#include <algorithm>
#include <limits>
#include <random>

#include "xxh64.h"

// One binary, the widest vectors of the machine it runs on.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define PERENNIAL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PERENNIAL_CLONES
#endif

namespace perennial {

namespace {

constexpr uint64_t kMersenne61 = (1ULL << 61) - 1;

/// numpy's legacy `RandomState(seed).randint(low, 2^61 − 1)` for unsigned 64-bit integers: masked rejection over MT19937.
std::vector<uint64_t> legacyRandint(std::mt19937& generator, uint64_t low, size_t count) {
  const uint64_t range = kMersenne61 - 1 - low;
  std::vector<uint64_t> drawn(count);
  for (auto& value : drawn) {
    do {
      const uint64_t high = generator();
      value = ((high << 32) | generator()) & kMersenne61;
    } while (value > range);
    value += low;
  }
  return drawn;
}

/// minima[i] = min(minima[i], ((a_i · h + b_i) mod 2^64) mod (2^61 − 1)) over all hashes h.
PERENNIAL_CLONES void lowerMinima(const uint64_t* hashes, size_t numHashes, const uint64_t* a, const uint64_t* b, uint64_t* minima, size_t count) {
  for (size_t s = 0; s < numHashes; ++s) {
    const uint64_t h = hashes[s];
    for (size_t i = 0; i < count; ++i) {
      const uint64_t product = a[i] * h + b[i];
      uint64_t value = (product & kMersenne61) + (product >> 61);
      value = value >= kMersenne61 ? value - kMersenne61 : value;
      minima[i] = value < minima[i] ? value : minima[i];
    }
  }
}

PERENNIAL_CLONES void lowerMinima32(const uint64_t* hashes, size_t numHashes, const uint64_t* a, const uint64_t* b, uint64_t* minima, size_t count) {
  for (size_t s = 0; s < numHashes; ++s) {
    const uint64_t h = hashes[s];
    for (size_t i = 0; i < count; ++i) {
      const uint64_t product = a[i] * h + b[i];
      uint64_t value = (product & kMersenne61) + (product >> 61);
      value = (value >= kMersenne61 ? value - kMersenne61 : value) & 0xFFFFFFFFULL;
      minima[i] = value < minima[i] ? value : minima[i];
    }
  }
}

}  // namespace

MinHash::MinHash(const MinHashShape& shape) : shape_(shape) {
  std::mt19937 generator(shape.seed);
  multipliers_ = legacyRandint(generator, 1, numHashes());
  increments_ = legacyRandint(generator, 0, numHashes());
}

size_t MinHash::signature(std::string_view words, uint64_t* signature) const {
  // A shingle is a stretch of `words`: it begins at a word and ends shingleSize words later.
  thread_local std::vector<size_t> begins;
  thread_local std::vector<uint64_t> hashes;
  begins.clear();
  hashes.clear();
  if (!words.empty()) begins.push_back(0);
  for (size_t at = words.find(' '); at != std::string_view::npos; at = words.find(' ', at + 1)) begins.push_back(at + 1);
  begins.push_back(words.size() + 1);
  for (size_t i = 0; i + shape_.shingleSize < begins.size(); ++i)
    hashes.push_back(xxh64(words.data() + begins[i], begins[i + shape_.shingleSize] - 1 - begins[i]));
  if (hashes.empty()) return 0;
  const size_t shingles = hashes.size();
  if (shape_.shingleSize == 1) {  // a set: repeated words change no minimum
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  }
  std::fill_n(signature, numHashes(), std::numeric_limits<uint64_t>::max());
  (shape_.hashBits == 32 ? lowerMinima32 : lowerMinima)(hashes.data(), hashes.size(), multipliers_.data(), increments_.data(), signature, numHashes());
  return shingles;
}

size_t MinHash::bandKeys(std::string_view words, std::string_view nameSpace, uint64_t* keys) const {
  thread_local std::vector<uint64_t> minima;
  minima.resize(numHashes());
  const size_t shingles = signature(words, minima.data());
  if (shingles == 0) return 0;
  const uint64_t space = xxh64(nameSpace.data(), nameSpace.size());
  for (uint32_t band = 0; band < shape_.numBands; ++band) {
    const uint64_t* values = minima.data() + static_cast<size_t>(band) * shape_.hashesPerBand;
    const size_t bytes = sizeof(uint64_t) * shape_.hashesPerBand;
    keys[2 * band] = xxh64(values, bytes, space);
    keys[2 * band + 1] = xxh64(values, bytes, ~space);
  }
  return shingles;
}

}  // namespace perennial
