#include "trainer.h"

#include <algorithm>
#include <atomic>
#include <queue>
#include <stdexcept>
#include <unordered_map>

#include "unicode.h"

namespace perennial {

namespace {

constexpr std::string_view kBlankMark = "\xe2\x96\x81";

template <typename Visit>
void cutAtBlankMarks(std::string_view piece, Visit&& visit) {
  size_t from = 0;
  while (from < piece.size()) {
    size_t cut = from;
    while (piece.substr(cut).starts_with(kBlankMark)) cut += kBlankMark.size();
    cut = std::min(piece.find(kBlankMark, cut), piece.size());
    visit(piece.substr(from, cut - from));
    from = cut;
  }
}

}  // namespace

void WordCounts::add(std::string_view word, uint64_t count) {
  if ((size_ + 1) * 2 > slots_.size()) grow();
  const uint64_t hash = hashBytes(word);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.count == 0) {
      slot = {count, arena_.size(), static_cast<uint32_t>(word.size()), tag};
      arena_.append(word);
      size_++;
      return;
    }
    if (slot.hash == tag && slot.length == word.size() && std::memcmp(arena_.data() + slot.offset, word.data(), word.size()) == 0) {
      slot.count += count;
      return;
    }
  }
}

bool WordCounts::contains(std::string_view word) const {
  const uint64_t hash = hashBytes(word);
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask; slots_[i].count > 0; i = (i + 1) & mask)
    if (std::string_view(arena_).substr(slots_[i].offset, slots_[i].length) == word) return true;
  return false;
}

void WordCounts::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.count == 0) continue;
    size_t i = hashBytes(std::string_view(arena_).substr(slot.offset, slot.length)) & mask;
    while (slots_[i].count != 0) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

uint64_t WordCounts::prune(uint64_t threshold) {
  WordCounts kept;
  uint64_t forgotten = 0;
  forEach([&](std::string_view word, uint64_t count) {
    if (count > threshold) kept.add(word, count);
    else forgotten += count;
  });
  *this = std::move(kept);
  return forgotten;
}

void Trainer::feed(const std::vector<std::string_view>& texts, unsigned threads, bool isProtected) {
  std::vector<std::unique_ptr<Table>> used(std::max(1u, threads));
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> words{0};
  parallel(used.size(), threads, [&](size_t lane) {
    {
      const std::lock_guard lock(mutex_);
      if (!isProtected && !tables_.empty()) {
        used[lane] = std::move(tables_.back());
        tables_.pop_back();
      } else {
        used[lane] = std::make_unique<Table>();
      }
    }
    Table& table = *used[lane];
    Pipeline::Lease scratch(*pipeline_);
    uint64_t count = 0;
    for (size_t i; (i = next.fetch_add(1)) < texts.size();) {
      const auto note = [&](std::string_view word) {
        table.words.add(word);
        count++;
      };
      pipeline_->pieces(texts[i], *scratch, [&](std::string_view piece) {
        if (cutAtBlankMarks_) cutAtBlankMarks(piece, note);
        else note(piece);
      });
      while (table.words.size() > maxWords_) table.forgotten += table.words.prune(++table.threshold);
    }
    words += count;
  });
  const std::lock_guard lock(mutex_);
  for (auto& table : used) {
    if (!table) continue;
    if (isProtected) table->words.forEach([&](std::string_view word, uint64_t count) { protected_.add(word, count); });
    else tables_.push_back(std::move(table));
  }
  if (!isProtected) words_ += words;
}

void Trainer::merge() {
  const std::lock_guard lock(mutex_);
  if (tables_.empty()) tables_.push_back(std::make_unique<Table>());
  while (tables_.size() > 1) {
    Table& into = *tables_.front();
    tables_.back()->words.forEach([&](std::string_view word, uint64_t count) { into.words.add(word, count); });
    into.forgotten += tables_.back()->forgotten;
    tables_.pop_back();
  }
}

Trainer::Stats Trainer::stats() {
  merge();
  return {words_, tables_.front()->words.size(), tables_.front()->forgotten};
}

std::vector<std::pair<std::string_view, uint64_t>> Trainer::sortedWords() {
  merge();
  std::vector<std::pair<std::string_view, uint64_t>> sorted;
  tables_.front()->words.forEach([&](std::string_view word, uint64_t count) { sorted.emplace_back(word, count); });
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

std::vector<CharacterCount> Trainer::characters() {
  merge();
  FlatMap<CharacterCount> found;
  const auto each = [&](std::string_view word, auto&& note) {
    for (const char *p = word.data(), *end = p + word.size(); p < end;) {
      const uint32_t codePoint = unicode::next(p);
      CharacterCount& character = found[codePoint];
      character.codePoint = codePoint;
      note(character);
    }
  };
  tables_.front()->words.forEach([&](std::string_view word, uint64_t count) { each(word, [&](CharacterCount& c) { c.count += count; }); });
  protected_.forEach([&](std::string_view word, uint64_t) { each(word, [&](CharacterCount& c) { c.isProtected = true; }); });
  std::vector<CharacterCount> all;
  found.forEach([&](uint64_t, const CharacterCount& character) {
    if (character.count > 0) all.push_back(character);
  });
  // The most frequent first, so that a choice of some is a prefix.
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.codePoint < b.codePoint; });
  return all;
}

namespace {

struct Candidate {
  int64_t count;
  uint64_t pair;       // left id << 32 | right id
  uint32_t positions;  // index of the list of words
};

struct Later {  // the largest count first, then the smallest pair
  bool operator()(const Candidate& a, const Candidate& b) const { return a.count != b.count ? a.count < b.count : a.pair > b.pair; }
};

}  // namespace

Trained Trainer::trainBpe(const TrainOptions& options) {
  const auto sorted = sortedWords();
  const Pipeline& pipeline = options.symbols ? *options.symbols : *pipeline_;
  Pipeline::Lease scratch(pipeline);
  std::vector<int32_t> ids;
  const auto symbolsOf = [&](std::string_view word) {
    ids.clear();
    if (options.byteIds.empty()) pipeline.encodePiece(word, *scratch, ids);
    else
      for (const char c : word) ids.push_back(options.byteIds[static_cast<uint8_t>(c)]);
    for (const int32_t id : ids)
      if (static_cast<size_t>(id) >= options.tokens.size()) throw std::invalid_argument("the tokenizer gives an id that is no token");
  };

  SymbolWords words;
  FlatMap<int64_t> pairCounts(1 << 16);
  FlatMap<uint32_t> waiting(1 << 12);  // pair → list of words, to be queued
  std::vector<std::vector<uint32_t>> positions;
  const auto note = [&](uint64_t pair, uint32_t word) {
    uint32_t& list = waiting[pair];
    if (list == 0) {
      positions.emplace_back();
      list = static_cast<uint32_t>(positions.size());
    }
    auto& entries = positions[list - 1];
    if (entries.empty() || entries.back() != word) entries.push_back(word);
  };
  FlatMap<bool> forbidden;
  if (options.keepOld)
    protected_.forEach([&](std::string_view word, uint64_t) {
      symbolsOf(word);
      for (size_t i = 0; i + 1 < ids.size(); i++) forbidden[pairKey(ids[i], ids[i + 1])] = true;
    });
  for (const auto& [word, count] : sorted) {
    symbolsOf(word);
    if (ids.size() < 2) continue;
    const auto index = static_cast<uint32_t>(words.size());
    words.add(ids, count);
    for (size_t i = 0; i + 1 < ids.size(); i++) {
      const uint64_t pair = pairKey(ids[i], ids[i + 1]);
      pairCounts[pair] += static_cast<int64_t>(count);
      note(pair, index);
    }
  }

  const auto inert = [&](uint32_t id) { return id < options.inert.size() && options.inert[id]; };
  std::priority_queue<Candidate, std::vector<Candidate>, Later> queue;
  const auto enqueue = [&] {
    waiting.forEach([&](uint64_t pair, uint32_t list) {
      const int64_t count = pairCounts[pair];
      if (count > 0 && forbidden.find(pair) == nullptr && !inert(static_cast<uint32_t>(pair >> 32)) && !inert(static_cast<uint32_t>(pair))) queue.push({count, pair, list - 1});
    });
    waiting = FlatMap<uint32_t>(16);
  };
  enqueue();

  std::unordered_map<std::string, int32_t> known;
  std::vector<std::string> tokens = options.tokens;
  for (size_t id = 0; id < tokens.size(); id++)
    if (!tokens[id].empty()) known.emplace(tokens[id], static_cast<int32_t>(id));
  const size_t firstNew = tokens.size();
  size_t numTokens = options.numTokens;

  Trained result;
  while (numTokens < options.vocabSize && !queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    const int64_t current = pairCounts[top.pair];
    if (top.count != current) {  // counts fall without notice; the entry goes back with its true one
      if (current > 0) queue.push({current, top.pair, top.positions});
      continue;
    }
    if (top.count < 1 || options.minFrequency > static_cast<uint64_t>(top.count)) break;
    const auto left = static_cast<uint32_t>(top.pair >> 32), right = static_cast<uint32_t>(top.pair);
    std::string text = tokens[left] + tokens[right];
    if (options.keepOld && protected_.contains(text)) continue;  // some vocabularies look whole words up before they merge
    const auto [entry, isNew] = known.try_emplace(text, static_cast<int32_t>(tokens.size()));
    const auto merged = static_cast<uint32_t>(entry->second);
    if (isNew) {
      tokens.push_back(std::move(text));
      numTokens++;
    }
    result.merges.insert(result.merges.end(), {static_cast<int32_t>(left), static_cast<int32_t>(right), static_cast<int32_t>(merged)});
    result.counts.push_back(static_cast<uint64_t>(top.count));

    const std::vector<uint32_t> where = std::move(positions[top.positions]);
    for (const uint32_t word : where) {
      uint32_t* symbols = &words.symbols[words.offsets[word]];
      const uint32_t length = words.lengths[word];
      const int64_t count = words.counts[word];
      uint32_t size = 0;
      for (uint32_t i = 0; i < length; i++) {
        if (symbols[i] != left || i + 1 >= length || symbols[i + 1] != right) {
          symbols[size++] = symbols[i];
          continue;
        }
        if (size > 0) {
          pairCounts[pairKey(symbols[size - 1], left)] -= count;
          const uint64_t pair = pairKey(symbols[size - 1], merged);
          pairCounts[pair] += count;
          note(pair, word);
        }
        if (i + 2 < length) {
          pairCounts[pairKey(right, symbols[i + 2])] -= count;
          const uint64_t pair = pairKey(merged, symbols[i + 2]);
          pairCounts[pair] += count;
          note(pair, word);
        }
        symbols[size++] = merged;
        i++;
      }
      words.lengths[word] = size;
    }
    enqueue();
  }
  result.tokens.assign(std::make_move_iterator(tokens.begin() + firstNew), std::make_move_iterator(tokens.end()));
  return result;
}

}  // namespace perennial
