#include "fasttext.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace perennial {

namespace {

constexpr int32_t kMagic = 793712314;
constexpr int32_t kSupervised = 3;
constexpr std::string_view kEndOfLine = "</s>";
constexpr std::string_view kLabelPrefix = "__label__";
constexpr int32_t kMaxDim = 1 << 16;
constexpr int32_t kMaxBucket = 1 << 28;
/// Numbers of a quantized matrix up to which it is written out once (64 MB), which makes adding rows several times faster.
constexpr int64_t kMaxExpanded = 1 << 24;

/// The original's hash: FNV-1a, with bytes widened as signed.
struct Fnv {
  uint32_t value = 2166136261u;
  void add(char byte) { value = (value ^ static_cast<uint32_t>(static_cast<int8_t>(byte))) * 16777619u; }
  void add(std::string_view text) { for (char byte : text) add(byte); }
};

bool isContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }
bool isSeparator(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == '\0'; }

/// The original's logarithm; its scores are exp of a sum of these, so that they can exceed 1 a little.
float safeLog(float x) { return static_cast<float>(std::log(x + 1e-5)); }

/// The original looks the logistic function up in 512 steps from −8 to 8.
float steppedSigmoid(float x) {
  if (x < -8) return 0;
  if (x > 8) return 1;
  const auto step = static_cast<int64_t>((x + 8) * 512 / 8 / 2);
  return static_cast<float>(1.0 / (1.0 + std::exp(-(static_cast<float>(step * 2 * 8) / 512 - 8))));
}

bool better(const Prediction& a, const Prediction& b) { return a.score > b.score; }

void offer(std::vector<Prediction>& best, int32_t k, Prediction candidate) {
  best.push_back(candidate);
  std::push_heap(best.begin(), best.end(), better);
  if (best.size() > static_cast<size_t>(k)) {
    std::pop_heap(best.begin(), best.end(), better);
    best.pop_back();
  }
}

bool tooLow(const std::vector<Prediction>& best, int32_t k, float score) {
  return best.size() == static_cast<size_t>(k) && score < best.front().score;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int code = file < 0 ? errno : EINVAL;
    if (file >= 0) ::close(file);
    throw std::runtime_error("Cannot open " + path + ": " + std::strerror(code));
  }
  size_ = static_cast<size_t>(status.st_size);
  void* mapped = size_ == 0 ? nullptr : ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) throw std::runtime_error("Cannot map " + path + ": " + std::strerror(errno));
  data_ = static_cast<const uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

/// Reads from a mapped file; going past its end is an error that says where.
class ByteCursor {
 public:
  ByteCursor(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  template <typename T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }

  const uint8_t* take(uint64_t bytes) {
    if (bytes > size_ - at_) fail("ends too early");
    const uint8_t* from = data_ + at_;
    at_ += bytes;
    return from;
  }

  std::string_view zeroTerminated() {
    const auto* from = reinterpret_cast<const char*>(data_ + at_);
    const void* end = at_ < size_ ? std::memchr(from, 0, size_ - at_) : nullptr;
    if (!end) fail("has a word without an end");
    const size_t length = static_cast<const char*>(end) - from;
    at_ += length + 1;
    return {from, length};
  }

  /// A count or size, refused unless it is in [low, high].
  template <typename T>
  T between(T low, T high, const char* what) {
    const T value = read<T>();
    if (value < low || value > high) fail(std::string("has ") + std::to_string(value) + " for " + what);
    return value;
  }

  [[noreturn]] void fail(const std::string& what) const { throw std::runtime_error("The fastText model " + what + " (byte " + std::to_string(at_) + ")"); }

  size_t size() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

void ProductQuantizer::load(ByteCursor& in, int64_t columns) {
  const auto dim = in.between<int32_t>(1, kMaxDim, "a quantizer's width");
  parts = in.between<int32_t>(1, dim, "quantizer parts");
  width = in.between<int32_t>(1, dim, "numbers per part");
  lastWidth = in.between<int32_t>(1, width, "numbers in the last part");
  if (dim != columns || int64_t(parts - 1) * width + lastWidth != dim) in.fail("has quantizer parts that do not add up");
  centroids = reinterpret_cast<const FileFloat*>(in.take(sizeof(float) * 256ull * dim));
}

void FileMatrix::load(ByteCursor& in, bool quantized) {
  const bool normQuantized = quantized && in.read<uint8_t>() != 0;
  rows_ = in.between<int64_t>(0, std::numeric_limits<int32_t>::max(), "rows");
  columns_ = in.between<int64_t>(1, kMaxDim, "columns");
  if (!quantized) {
    dense_ = reinterpret_cast<const FileFloat*>(in.take(sizeof(float) * static_cast<uint64_t>(rows_) * columns_));
    return;
  }
  const auto codes = in.between<int32_t>(0, std::numeric_limits<int32_t>::max(), "codes");
  codes_ = in.take(codes);
  quantizer_.load(in, columns_);
  if (int64_t(codes) != rows_ * quantizer_.parts) in.fail("has a number of codes that does not fit its rows");
  if (normQuantized) {
    normCodes_ = in.take(rows_);
    normQuantizer_.load(in, 1);
  }
  if (rows_ * columns_ > kMaxExpanded) return;
  std::vector<float> expanded(rows_ * columns_, 0);
  for (int64_t row = 0; row < rows_; ++row) addRowTo(row, expanded.data() + row * columns_);
  expanded_ = std::move(expanded);
  dense_ = expanded_.data();
}

void FileMatrix::addRowTo(int64_t row, float* sum) const {
  if (dense_) {
    const FileFloat* numbers = dense_ + row * columns_;
    for (int64_t i = 0; i < columns_; ++i) sum[i] += numbers[i];
    return;
  }
  const float norm = normCodes_ ? *normQuantizer_.centroid(0, normCodes_[row]) : 1.0f;
  const uint8_t* codes = codes_ + row * quantizer_.parts;
  for (int32_t part = 0; part < quantizer_.parts; ++part) {
    const FileFloat* numbers = quantizer_.centroid(part, codes[part]);
    const int32_t width = part == quantizer_.parts - 1 ? quantizer_.lastWidth : quantizer_.width;
    float* to = sum + part * quantizer_.width;
    for (int32_t i = 0; i < width; ++i) to[i] += norm * numbers[i];
  }
}

void FileMatrix::addRowsTo(std::span<const int32_t> rows, float* sum) const {
  constexpr int kUsualColumns = 16;  // of lid.176: the sum stays in registers
  if (!dense_ || columns_ != kUsualColumns) {
    for (int32_t row : rows) addRowTo(row, sum);
    return;
  }
  float lanes[kUsualColumns];
  std::copy_n(sum, kUsualColumns, lanes);
  for (int32_t row : rows) {
    const FileFloat* numbers = dense_ + int64_t(row) * kUsualColumns;
    for (int i = 0; i < kUsualColumns; ++i) lanes[i] += numbers[i];
  }
  std::copy_n(lanes, kUsualColumns, sum);
}

float FileMatrix::dotRow(int64_t row, const float* vector) const {
  if (dense_) {
    const FileFloat* numbers = dense_ + row * columns_;
    float lanes[16] = {};  // independent sums, so that the compiler may use vectors
    int64_t i = 0;
    for (; i + 16 <= columns_; i += 16)
      for (int lane = 0; lane < 16; ++lane) lanes[lane] += numbers[i + lane] * vector[i + lane];
    float sum = 0;
    for (float lane : lanes) sum += lane;
    for (; i < columns_; ++i) sum += numbers[i] * vector[i];
    return sum;
  }
  const float norm = normCodes_ ? *normQuantizer_.centroid(0, normCodes_[row]) : 1.0f;
  const uint8_t* codes = codes_ + row * quantizer_.parts;
  float sum = 0;
  for (int32_t part = 0; part < quantizer_.parts; ++part) {
    const FileFloat* numbers = quantizer_.centroid(part, codes[part]);
    const int32_t width = part == quantizer_.parts - 1 ? quantizer_.lastWidth : quantizer_.width;
    const float* from = vector + part * quantizer_.width;
    for (int32_t i = 0; i < width; ++i) sum += from[i] * numbers[i];
  }
  return sum * norm;
}

FastText::FastText(const std::string& path) : file_(path) {
  ByteCursor in(file_.data(), file_.size());
  if (in.read<int32_t>() != kMagic) in.fail("does not begin as one");
  const auto version = in.between<int32_t>(11, 12, "its version");
  dim_ = in.between<int32_t>(1, kMaxDim, "its dimension");
  in.take(4 * sizeof(int32_t));  // window, epochs, minCount, negatives: training only
  wordNgrams_ = in.read<int32_t>();
  loss_ = static_cast<Loss>(in.between<int32_t>(1, 4, "its loss"));
  if (in.read<int32_t>() != kSupervised) in.fail("is not a classifier");
  bucket_ = in.between<int32_t>(0, kMaxBucket, "buckets");
  minn_ = in.read<int32_t>();
  maxn_ = version == 11 ? (in.read<int32_t>(), 0) : in.read<int32_t>();
  in.take(sizeof(int32_t) + sizeof(double));  // learning rate updates, sampling: training only
  loadDictionary(in);
  const bool quantized = in.read<uint8_t>() != 0;
  if (!quantized && pruned_ >= 0) in.fail("is pruned but not quantized");
  input_.load(in, quantized);
  const bool outputQuantized = in.read<uint8_t>() != 0;
  output_.load(in, quantized && outputQuantized);
  const int64_t bucketRows = pruned_ >= 0 ? pruned_ : bucket_;
  if (input_.columns() != dim_ || output_.columns() != dim_) in.fail("has matrices of another width");
  if (input_.rows() < numWords_ + bucketRows) in.fail("has too few input rows");
  if (output_.rows() < numLabels()) in.fail("has too few output rows");
  if (numLabels() == 0) in.fail("has no label");
  if (loss_ == Loss::hierarchicalSoftmax) buildTree(labelCounts_);
}

void FastText::loadDictionary(ByteCursor& in) {
  const auto most = static_cast<int32_t>(std::min<size_t>(in.size() / 10, std::numeric_limits<int32_t>::max()));  // an entry takes 10 bytes or more
  const auto size = in.between<int32_t>(0, most, "words");
  numWords_ = in.between<int32_t>(0, size, "words that are no labels");
  const auto numLabels = in.between<int32_t>(0, size, "labels");
  if (numWords_ + numLabels != size) in.fail("has words that are neither words nor labels");
  in.read<int64_t>();  // tokens seen in training
  pruned_ = in.read<int64_t>();
  words_.reserve(numWords_);
  for (int32_t i = 0; i < size; ++i) {
    const std::string_view word = in.zeroTerminated();
    const auto count = in.read<int64_t>();
    const bool isLabel = in.between<int8_t>(0, 1, "a kind of word") == 1;
    if (isLabel != (i >= numWords_)) in.fail("does not have its words before its labels");
    if (isLabel) {
      labels_.push_back(word.starts_with(kLabelPrefix) ? word.substr(kLabelPrefix.size()) : word);
      labelCounts_.push_back(count);
    } else {
      words_.push_back(word);
    }
  }
  size_t slots = 16;
  while (slots < 2 * words_.size()) slots *= 2;
  slots_.assign(slots, 0);
  for (int32_t i = 0; i < numWords_; ++i) {
    Fnv hash;
    hash.add(words_[i]);
    size_t slot = hash.value & (slots - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = i + 1;
  }
  if (pruned_ < 0) return;
  if (pruned_ > static_cast<int64_t>(in.size() / 8)) in.fail("has more kept buckets than bytes");
  size_t places = 16;
  while (places < 4 * static_cast<size_t>(pruned_)) places *= 2;
  kept_.assign(places, Kept{});
  for (int64_t i = 0; i < pruned_; ++i) {
    const auto from = in.between<int32_t>(0, bucket_ - 1, "a bucket");
    const auto row = in.between<int32_t>(0, static_cast<int32_t>(pruned_ - 1), "a bucket's row");
    kept_[keptSlot(from)] = {from, row};
  }
}

/// Where a bucket stands, or would.
size_t FastText::keptSlot(int32_t bucket) const {
  const size_t mask = kept_.size() - 1;
  size_t slot = (static_cast<uint32_t>(bucket) * 0x9E3779B1u >> 7) & mask;
  while (kept_[slot].bucket >= 0 && kept_[slot].bucket != bucket) slot = (slot + 1) & mask;
  return slot;
}

/// Huffman tree over label counts, which stand in falling order; the root is the last node, leaves are labels.
void FastText::buildTree(const std::vector<int64_t>& counts) {
  const int32_t leaves = numLabels();
  tree_.assign(2 * leaves - 1, Node{-1, -1, static_cast<int64_t>(1e15)});
  for (int32_t i = 0; i < leaves; ++i) tree_[i].count = counts[i];
  int32_t leaf = leaves - 1, node = leaves;
  for (int32_t i = leaves; i < 2 * leaves - 1; ++i) {
    int32_t least[2];
    for (int32_t& one : least) one = leaf >= 0 && tree_[leaf].count < tree_[node].count ? leaf-- : node++;
    if (least[0] >= i || least[1] >= i) throw std::runtime_error("The fastText model has label counts that make no tree");
    tree_[i] = {least[0], least[1], static_cast<int64_t>(static_cast<uint64_t>(tree_[least[0]].count) + static_cast<uint64_t>(tree_[least[1]].count))};
  }
}

int32_t FastText::wordId(std::string_view word, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask)
    if (words_[slots_[slot] - 1] == word) return slots_[slot] - 1;
  return -1;
}

/// The input row of a hashed feature, or −1 when it was pruned.
int64_t FastText::bucketRow(uint64_t hash) const {
  if (bucket_ == 0 || pruned_ == 0) return -1;
  // Subword hashes have 32 bits, and dividing those is much quicker.
  const auto bucket = static_cast<int32_t>(hash >> 32 ? hash % static_cast<uint64_t>(bucket_) : static_cast<uint32_t>(hash) % static_cast<uint32_t>(bucket_));
  if (pruned_ < 0) return int64_t(numWords_) + bucket;
  const int32_t row = kept_[keptSlot(bucket)].row;
  return row < 0 ? -1 : int64_t(numWords_) + row;
}

/// Character n-grams of `<token>`, minn to maxn code points long, but no lone `<` or `>`.
void FastText::findSubwords(std::string_view token, std::vector<int32_t>& rows) const {
  thread_local std::string word;
  word.assign(1, '<').append(token).append(1, '>');
  for (size_t i = 0; i < word.size(); ++i) {
    if (isContinuation(word[i])) continue;
    Fnv hash;
    size_t j = i;
    for (int32_t n = 1; j < word.size() && n <= maxn_; ++n) {
      hash.add(word[j++]);
      while (j < word.size() && isContinuation(word[j])) hash.add(word[j++]);
      if (n < minn_ || (n == 1 && (i == 0 || j == word.size()))) continue;
      const int64_t row = bucketRow(hash.value);
      if (row >= 0) rows.push_back(static_cast<int32_t>(row));
    }
  }
}

void FastText::addToken(std::string_view token, std::vector<float>& sum, int64_t& rows, std::vector<int32_t>& hashes) {
  thread_local std::vector<int32_t> found;
  Fnv hash;
  hash.add(token);
  std::span<const int32_t> all;
  if (const auto known = known_.find(token, hash.value)) {
    all = *known;
  } else {
    found.clear();
    const int32_t id = wordId(token, hash.value);
    if (id < 0 && token.starts_with(kLabelPrefix)) return;
    if (id >= 0) found.push_back(id);
    if (maxn_ > 0 && token != kEndOfLine) findSubwords(token, found);
    known_.add(token, hash.value, found);
    all = found;
  }
  input_.addRowsTo(all, sum.data());
  rows += static_cast<int64_t>(all.size());
  hashes.push_back(static_cast<int32_t>(hash.value));
}

std::vector<Prediction> FastText::predict(std::string_view text, int32_t k, float threshold) {
  thread_local std::vector<float> hidden, out;
  thread_local std::vector<int32_t> hashes;
  hidden.assign(dim_, 0);
  hashes.clear();
  int64_t rows = 0;
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && isSeparator(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && !isSeparator(text[at])) ++at;
    const std::string_view token = text.substr(begin, at - begin);
    if (token == kEndOfLine) break;  // the original reads no further
    if (!token.empty()) addToken(token, hidden, rows, hashes);
  }
  addToken(kEndOfLine, hidden, rows, hashes);
  for (size_t i = 0; i < hashes.size(); ++i) {
    uint64_t hash = static_cast<uint64_t>(int64_t(hashes[i]));
    for (size_t j = i + 1; j < hashes.size() && j < i + static_cast<size_t>(std::max(wordNgrams_, 0)); ++j) {
      hash = hash * 116049371 + static_cast<uint64_t>(int64_t(hashes[j]));
      const int64_t row = bucketRow(hash);
      if (row < 0) continue;
      input_.addRowTo(row, hidden.data());
      ++rows;
    }
  }
  std::vector<Prediction> best;
  if (rows == 0 || k < 1) return best;
  const auto scale = static_cast<float>(1.0 / rows);
  for (float& number : hidden) number *= scale;
  if (loss_ == Loss::hierarchicalSoftmax) {
    descend(k, threshold, static_cast<int32_t>(tree_.size()) - 1, 0, hidden.data(), best);
  } else {
    outputs(hidden.data(), out);
    for (int32_t label = 0; label < numLabels(); ++label) {
      if (out[label] < threshold) continue;
      const float score = safeLog(out[label]);
      if (!tooLow(best, k, score)) offer(best, k, {score, label});
    }
  }
  std::sort_heap(best.begin(), best.end(), better);
  for (auto& prediction : best) prediction.score = std::exp(prediction.score);
  return best;
}

void FastText::descend(int32_t k, float threshold, int32_t node, float score, const float* hidden, std::vector<Prediction>& best) const {
  // Iterative: a hostile file can make the tree as deep as it has labels.
  struct Branch { int32_t node; float score; };
  std::vector<Branch> open{{node, score}};
  const float least = safeLog(threshold);
  while (!open.empty()) {
    const Branch branch = open.back();
    open.pop_back();
    if (branch.score < least || tooLow(best, k, branch.score)) continue;
    const Node& at = tree_[branch.node];
    if (at.left < 0) {
      offer(best, k, {branch.score, branch.node});
      continue;
    }
    const auto right = static_cast<float>(1.0 / (1.0 + std::exp(-output_.dotRow(branch.node - numLabels(), hidden))));
    open.push_back({at.right, branch.score + safeLog(right)});
    open.push_back({at.left, branch.score + safeLog(static_cast<float>(1.0 - right))});
  }
}

void FastText::outputs(const float* hidden, std::vector<float>& out) const {
  out.resize(numLabels());
  for (int32_t label = 0; label < numLabels(); ++label) out[label] = output_.dotRow(label, hidden);
  if (loss_ != Loss::softmax) {
    for (float& number : out) number = steppedSigmoid(number);
    return;
  }
  const float most = *std::max_element(out.begin(), out.end());
  float sum = 0;
  for (float& number : out) sum += number = std::exp(number - most);
  for (float& number : out) number /= sum;
}

}  // namespace perennial
