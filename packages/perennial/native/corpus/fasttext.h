// Inference with supervised fastText models (.bin, and .ftz with product quantization); see src/corpus/language/fasttext.ts.
// The file is mapped, not copied: all threads and processes that use a model share its pages.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "token-rows.h"

namespace perennial {

/// A float that may stand anywhere in the file.
typedef float FileFloat __attribute__((aligned(1)));

/// A file in memory, read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

class ByteCursor;

/// Centroids of a product quantizer: vectors are cut into `parts` of `width` numbers, each the nearest of 256 centroids.
struct ProductQuantizer {
  int32_t parts = 0, width = 0, lastWidth = 0;
  const FileFloat* centroids = nullptr;

  void load(ByteCursor& in, int64_t columns);
  const FileFloat* centroid(int32_t part, uint8_t code) const {
    return centroids + (part == parts - 1 ? size_t(part) * 256 * width + size_t(code) * lastWidth : (size_t(part) * 256 + code) * width);
  }
};

/// A matrix [rows, columns], dense or quantized.
class FileMatrix {
 public:
  void load(ByteCursor& in, bool quantized);
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  void addRowTo(int64_t row, float* sum) const;
  /// Adds rows in their order, so that the sum is the same as one by one.
  void addRowsTo(std::span<const int32_t> rows, float* sum) const;
  float dotRow(int64_t row, const float* vector) const;

 private:
  int64_t rows_ = 0, columns_ = 0;
  const FileFloat* dense_ = nullptr;  // in the file, or `expanded_`
  std::vector<float> expanded_;
  const uint8_t* codes_ = nullptr;
  const uint8_t* normCodes_ = nullptr;
  ProductQuantizer quantizer_, normQuantizer_;
};

struct Prediction {
  float score;
  int32_t label;
};

class FastText {
 public:
  explicit FastText(const std::string& path);

  /// The best `k` labels with a score of at least `threshold`, best first. Line breaks count as spaces. For one thread at a time.
  std::vector<Prediction> predict(std::string_view text, int32_t k, float threshold);

  std::string_view label(int32_t i) const { return labels_[i]; }
  int32_t numLabels() const { return static_cast<int32_t>(labels_.size()); }
  int32_t dim() const { return dim_; }

 private:
  enum class Loss : int32_t { hierarchicalSoftmax = 1, negativeSampling = 2, softmax = 3, oneVsAll = 4 };
  struct Node { int32_t left = -1, right = -1; int64_t count = 0; };

  void loadDictionary(ByteCursor& in);
  void buildTree(const std::vector<int64_t>& counts);
  int32_t wordId(std::string_view word, uint32_t hash) const;
  int64_t bucketRow(uint64_t hash) const;
  size_t keptSlot(int32_t bucket) const;
  void addToken(std::string_view token, std::vector<float>& sum, int64_t& rows, std::vector<int32_t>& hashes);
  void findSubwords(std::string_view token, std::vector<int32_t>& rows) const;
  void descend(int32_t k, float threshold, int32_t node, float score, const float* hidden, std::vector<Prediction>& best) const;
  void outputs(const float* hidden, std::vector<float>& out) const;

  MappedFile file_;
  int32_t dim_ = 0, wordNgrams_ = 0, bucket_ = 0, minn_ = 0, maxn_ = 0, numWords_ = 0;
  Loss loss_ = Loss::softmax;
  int64_t pruned_ = -1;
  std::vector<std::string_view> words_, labels_;
  std::vector<int64_t> labelCounts_;
  std::vector<int32_t> slots_;     // open addressing: word number + 1, 0 free
  struct Kept { int32_t bucket = -1, row = -1; };
  std::vector<Kept> kept_;         // open addressing, mostly free: buckets that were not pruned and their rows behind the words
  TokenRows known_;
  FileMatrix input_, output_;
  std::vector<Node> tree_;
};

}  // namespace perennial
