// The whole way from text to ids: added tokens, normalizers, pre-tokenizers, model, special tokens around it.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "added-tokens.h"
#include "models.h"
#include "normalizer.h"
#include "pre-tokenizer.h"

namespace perennial {

/** What one thread needs for itself; lent by the pipeline, so that caches stay warm between calls. */
struct Scratch {
  Workspace model;
  std::deque<std::string> steps;
  std::string normalized[2];
};

struct EncodeOptions {
  bool addSpecialTokens = true;
  bool splitSpecialTokens = false;  // text that looks like a special token stays text
};

class Pipeline {
 public:
  Pipeline(std::vector<AddedToken> added, std::vector<Normalizer> normalizers, std::vector<Step> chain, std::unique_ptr<Model> model,
           std::vector<int32_t> prefix, std::vector<int32_t> suffix);

  /** Appends the ids of one text. Ill-formed UTF-8 is read as U+FFFD (unicode::repaired). */
  void encode(std::string_view text, const EncodeOptions& options, Scratch& scratch, std::vector<int32_t>& out) const;

  /** The pre-tokens of a text without regard to added tokens, as trainers count them. */
  template <typename Sink>
  void pieces(std::string_view text, Scratch& scratch, Sink&& sink) const {
    if (text.empty()) return;
    std::string clean;
    if (!unicode::isValid(text)) text = clean = unicode::repaired(text);
    preTokenizer_.run(normalize(text, scratch), true, scratch.steps, sink);
  }

  /** The ids of one pre-token. */
  void encodePiece(std::string_view piece, Scratch& scratch, std::vector<int32_t>& out) const { model_->encode(piece, scratch.model, out); }

  std::string normalized(std::string_view text) const;

  /** Encodes texts on up to `threads` threads; counts[i] becomes the number of ids of text i. */
  std::vector<std::vector<int32_t>> encodeBatch(const std::vector<std::string_view>& texts, const EncodeOptions& options, unsigned threads,
                                                std::vector<uint32_t>& counts) const;

  class Lease {
   public:
    explicit Lease(const Pipeline& pipeline) : pipeline_(pipeline), scratch_(pipeline.take()) {}
    ~Lease() { pipeline_.put(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Scratch& operator*() { return *scratch_; }

   private:
    const Pipeline& pipeline_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  std::unique_ptr<Scratch> take() const;
  void put(std::unique_ptr<Scratch> scratch) const noexcept;
  std::string_view normalize(std::string_view text, Scratch& scratch, bool* atStart = nullptr) const;

  AddedTokenFinder rawFinder_, normalizedFinder_;
  std::vector<Normalizer> normalizers_;
  PreTokenizer preTokenizer_;
  std::unique_ptr<Model> model_;
  std::vector<int32_t> prefix_, suffix_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;
};

/** Runs task(0 … count−1) on up to `threads` threads, this one included; rethrows the first exception. */
void parallel(size_t count, unsigned threads, const std::function<void(size_t)>& task);

}  // namespace perennial
