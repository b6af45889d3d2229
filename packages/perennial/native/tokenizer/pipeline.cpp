#include "pipeline.h"

#include <atomic>
#include <exception>
#include <thread>

namespace perennial {

Pipeline::Pipeline(std::vector<AddedToken> added, std::vector<Normalizer> normalizers, std::vector<Step> chain, std::unique_ptr<Model> model,
                   std::vector<int32_t> prefix, std::vector<int32_t> suffix)
    : normalizers_(std::move(normalizers)),
      preTokenizer_(std::move(chain)),
      model_(std::move(model)),
      prefix_(std::move(prefix)),
      suffix_(std::move(suffix)) {
  for (const AddedToken& token : added) {
    if (token.normalized) normalizedFinder_.add(normalized(token.content), token);
    else rawFinder_.add(token.content, token);
  }
}

std::string_view Pipeline::normalize(std::string_view text, Scratch& scratch, bool* atStart) const {
  size_t target = 0;
  std::string first;
  for (const Normalizer& normalizer : normalizers_) {
    // As in the reference, a text whose first character was dropped no longer begins at its start.
    if (atStart != nullptr && !text.empty() && apply(normalizer, text.substr(0, unicode::lengthOf(static_cast<uint8_t>(text[0]))), first) && first.empty())
      *atStart = false;
    if (!apply(normalizer, text, scratch.normalized[target])) continue;
    text = scratch.normalized[target];
    target = 1 - target;
  }
  return text;
}

std::string Pipeline::normalized(std::string_view text) const {
  Scratch scratch;
  return std::string(normalize(text, scratch));
}

void Pipeline::encode(std::string_view text, const EncodeOptions& options, Scratch& scratch, std::vector<int32_t>& out) const {
  std::string clean;
  if (!unicode::isValid(text)) text = clean = unicode::repaired(text);
  if (options.addSpecialTokens) out.insert(out.end(), prefix_.begin(), prefix_.end());
  const auto emit = [&](std::string_view piece) { model_->encode(piece, scratch.model, out); };
  const auto onToken = [&](int32_t id) { out.push_back(id); };
  const auto onSection = [&](size_t begin, size_t end) {
    bool atStart = begin == 0;
    const std::string_view section = normalize(text.substr(begin, end - begin), scratch, &atStart);
    const auto onText = [&](size_t from, size_t to) {
      preTokenizer_.run(section.substr(from, to - from), atStart && from == 0, scratch.steps, emit);
    };
    if (normalizedFinder_.empty()) onText(0, section.size());
    else normalizedFinder_.split(section, options.splitSpecialTokens, onText, onToken);
  };
  if (rawFinder_.empty()) {
    if (!text.empty()) onSection(0, text.size());
  } else {
    rawFinder_.split(text, options.splitSpecialTokens, onSection, onToken);
  }
  if (options.addSpecialTokens) out.insert(out.end(), suffix_.begin(), suffix_.end());
}

std::vector<std::vector<int32_t>> Pipeline::encodeBatch(const std::vector<std::string_view>& texts, const EncodeOptions& options,
                                                        unsigned threads, std::vector<uint32_t>& counts) const {
  // Tasks of about 128 KiB of neighboring texts, so that short texts do not pay for the handing out.
  constexpr size_t kTaskBytes = 128 << 10;
  std::vector<size_t> starts;
  size_t bytes = kTaskBytes;
  for (size_t i = 0; i < texts.size(); i++) {
    if (bytes >= kTaskBytes) {
      starts.push_back(i);
      bytes = 0;
    }
    bytes += texts[i].size() + 64;
  }
  starts.push_back(texts.size());
  counts.assign(texts.size(), 0);
  std::vector<std::vector<int32_t>> results(starts.size() - 1);
  parallel(results.size(), threads, [&](size_t task) {
    Lease scratch(*this);
    auto& ids = results[task];
    size_t total = 0;
    for (size_t i = starts[task]; i < starts[task + 1]; i++) total += texts[i].size();
    ids.reserve(total / 3 + 64);
    for (size_t i = starts[task]; i < starts[task + 1]; i++) {
      const size_t before = ids.size();
      encode(texts[i], options, *scratch, ids);
      counts[i] = static_cast<uint32_t>(ids.size() - before);
    }
  });
  return results;
}

std::unique_ptr<Scratch> Pipeline::take() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto scratch = std::move(idle_.back());
      idle_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<Scratch>();
}

void Pipeline::put(std::unique_ptr<Scratch> scratch) const noexcept {
  try {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  } catch (...) {  // a lost cache is no loss
  }
}

void parallel(size_t count, unsigned threads, const std::function<void(size_t)>& task) {
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) {
      try {
        task(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(count);
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned t = 1; t < threads && t < count; t++) {
    try {
      helpers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // no more threads to be had: fewer do the same work
    }
  }
  work();
  for (auto& helper : helpers) helper.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace perennial
