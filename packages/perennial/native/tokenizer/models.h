// The models of tokenizer.json: a piece of text (a pre-token) → token ids. Immutable after construction, so that all
// threads share one; what a thread needs for itself is in its Workspace.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hash.h"
#include "piece-cache.h"

namespace perennial {

struct Workspace {
  PieceCache cache;
  std::vector<uint32_t> symbols, next, previous, ranks, results;
  std::vector<std::array<uint32_t, 3>> heap;
  std::vector<double> scores;
  std::string text;
};

class Model {
 public:
  virtual ~Model() = default;
  /** Appends the ids of `piece`, which is valid UTF-8 and not empty. Context-free: equal pieces have equal ids. */
  virtual void encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const = 0;
};

/** The vocabulary as TypeScript hands it over: token i is bytes[ends[i-1], ends[i]). */
struct Tokens {
  std::string bytes;
  std::vector<uint32_t> ends;
  std::vector<int32_t> ids;
  std::string_view at(size_t i) const {
    const uint32_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(bytes).substr(begin, ends[i] - begin);
  }
  size_t size() const { return ids.size(); }
};

struct BpeOptions {
  bool byteLevel = false;  // tokens are raw bytes and every byte is a token
  bool fuseUnk = false, byteFallback = false, ignoreMerges = false;
  int32_t unkId = -1;
  std::string prefix, suffix;
  bool cutBeforeBlankMark = false;  // no merge crosses a U+2581 that follows another character (TypeScript checks the merges)
};

/** Byte-pair encoding: the merge of lowest rank first, the leftmost among equals.
 *  Short pieces scan all pairs for every merge; long ones keep the pairs in a heap, O(n log n). */
class Bpe final : public Model {
 public:
  Bpe(Tokens tokens, const std::vector<int32_t>& merges, BpeOptions options);
  void encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const override;

 private:
  struct Merge {
    uint32_t rank, id;
  };
  void encodePart(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const;
  void symbolsOf(std::string_view piece, Workspace& workspace) const;
  void mergeShort(Workspace& workspace) const;
  void mergeLong(Workspace& workspace) const;
  const Merge* mergeOf(uint32_t a, uint32_t b) const { return merges_.find(pairKey(a, b)); }

  Tokens tokens_;
  Vocabulary vocabulary_;
  FlatMap<Merge> merges_;
  BpeOptions options_;
  std::array<int32_t, 256> byteIds_{};
  FlatMap<int32_t> characterIds_;
};

/** Unigram language model: the segmentation of highest total score (Viterbi over a trie of bytes).
 *  An unknown character costs 10 more than the worst token; neighboring unknown ones are one token. */
class Unigram final : public Model {
 public:
  Unigram(Tokens tokens, std::vector<double> scores, int32_t unkId, bool byteFallback);
  void encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const override;

 private:
  void emit(std::string_view text, std::vector<int32_t>& out) const;

  Tokens tokens_;
  Vocabulary vocabulary_;
  std::vector<double> scores_;
  FlatMap<uint32_t> edges_;         // node << 8 | byte → node
  std::vector<int32_t> idAtNode_;   // −1: no token ends here
  std::array<int32_t, 256> byteIds_{};
  double unkScore_ = 0;
  int32_t unkId_;
  bool byteFallback_;
};

/** Greedy longest match first, as BERT does it. */
class WordPiece final : public Model {
 public:
  WordPiece(Tokens tokens, int32_t unkId, std::string prefix, size_t maxCharacters);
  void encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const override;

 private:
  Tokens tokens_;
  Vocabulary vocabulary_;
  int32_t unkId_;
  std::string prefix_;
  size_t maxCharacters_, maxTokenBytes_ = 0;
};

class WordLevel final : public Model {
 public:
  WordLevel(Tokens tokens, int32_t unkId);
  void encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& out) const override;

 private:
  Tokens tokens_;
  Vocabulary vocabulary_;
  int32_t unkId_;
};

}  // namespace perennial
