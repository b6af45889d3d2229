// The pre-tokenizers of tokenizer.json as a chain of steps. Every step receives a piece of text and hands smaller pieces
// to the next one, depth first, so that nothing is materialized and order is kept.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "matchers.h"
#include "normalizer.h"
#include "regex.h"
#include "unicode.h"

namespace perennial {

enum class Behavior : uint8_t { removed, isolated, mergedWithPrevious, mergedWithNext, contiguous };
enum class Family : uint8_t { gpt2, cl100k, o200k };
enum class Prepend : uint8_t { never, first, always };

namespace steps {
/** A pattern with a hand-written matcher; matches and what lies between them are pieces. */
struct Known { Family family; int digits; bool contractions; };
struct Pattern { std::shared_ptr<Regex> regex; std::string literal; Behavior behavior; bool invert; };
struct Digits { bool individual; };
struct Punctuation { Behavior behavior; };
struct Blanks {};                          // WhitespaceSplit
struct Words {};                           // Whitespace: \w+|[^\w\s]+
struct Bert {};
struct Delimiter { uint32_t character; };
struct FixedLength { size_t length; };
struct Metaspace { std::string mark; Prepend prepend; bool split; };
struct PrefixSpace {};                     // ByteLevel.add_prefix_space
struct ByteCharacters {};                  // ByteLevel's mapping, where the model does not work on raw bytes
}  // namespace steps

using Step = std::variant<steps::Known, steps::Pattern, steps::Digits, steps::Punctuation, steps::Blanks, steps::Words, steps::Bert,
                          steps::Delimiter, steps::FixedLength, steps::Metaspace, steps::PrefixSpace, steps::ByteCharacters>;

class PreTokenizer {
 public:
  explicit PreTokenizer(std::vector<Step> chain) : steps_(std::move(chain)) {}

  /** `scratch` belongs to the calling thread; `atStart`: the piece begins where the whole text begins. */
  template <typename Sink>
  void run(std::string_view piece, bool atStart, std::deque<std::string>& scratch, Sink&& sink) const {
    if (scratch.size() < steps_.size()) scratch.resize(steps_.size());
    Runner<Sink> runner{steps_, scratch, sink};
    runner.enter(0, piece, atStart);
  }

 private:
  template <typename Sink>
  struct Runner {
    const std::vector<Step>& steps;
    std::deque<std::string>& scratch;
    Sink& sink;

    void enter(size_t index, std::string_view piece, bool atStart) {
      if (piece.empty()) return;
      if (index == steps.size()) sink(piece);
      else std::visit([&](const auto& step) { apply(step, index, piece, atStart); }, steps[index]);
    }

    /** The piece [begin, end) of `whole`. */
    void part(size_t index, std::string_view whole, const char* begin, const char* end, bool atStart) {
      enter(index + 1, std::string_view(begin, end - begin), atStart && begin == whole.data());
    }

    void apply(const steps::Known& step, size_t index, std::string_view piece, bool atStart) {
      const char* const end = piece.data() + piece.size();
      const auto cut = [&](auto&& match) {
        for (const char* p = piece.data(); p < end;) {
          const char* const stop = match(p);
          if (index + 1 == steps.size()) sink(std::string_view(p, stop - p));
          else part(index, piece, p, stop, atStart);
          p = stop;
        }
      };
      if (step.family == Family::gpt2) cut([&](const char* p) { return matchGpt2(p, end); });
      else if (step.family == Family::cl100k) cut([&](const char* p) { return matchCl100k(p, end, step.digits); });
      else cut([&](const char* p) { return matchO200k(p, end, step.digits, step.contractions); });
    }

    struct Range {
      const char *begin, *end;
      bool matched;
    };

    /** What the reference's NormalizedString::split does with its matches. */
    void split(std::vector<Range>& ranges, Behavior behavior, size_t index, std::string_view piece, bool atStart) {
      if (behavior == Behavior::mergedWithNext) {
        std::vector<Range> merged;
        bool previous = false;
        for (size_t i = ranges.size(); i-- > 0;) {
          const Range& range = ranges[i];
          if (range.matched && !previous && !merged.empty()) merged.back().begin = range.begin;
          else merged.push_back(range);
          previous = range.matched;
        }
        for (size_t i = merged.size(); i-- > 0;) part(index, piece, merged[i].begin, merged[i].end, atStart);
        return;
      }
      if (behavior == Behavior::mergedWithPrevious || behavior == Behavior::contiguous) {
        size_t size = 0;
        bool previous = false;
        for (const Range range : ranges) {
          const bool joins = behavior == Behavior::contiguous ? range.matched == previous : range.matched && !previous;
          if (joins && size > 0) ranges[size - 1].end = range.end;
          else ranges[size++] = range;
          previous = range.matched;
        }
        ranges.resize(size);
      }
      for (const Range& range : ranges)
        if (behavior != Behavior::removed || !range.matched) part(index, piece, range.begin, range.end, atStart);
    }

    template <typename Test>
    void splitCharacters(Test&& test, Behavior behavior, size_t index, std::string_view piece, bool atStart) {
      std::vector<Range> ranges;
      const char *p = piece.data(), *end = p + piece.size(), *open = p;
      while (p < end) {
        const char* const begin = p;
        if (!test(unicode::next(p))) continue;
        if (open < begin) ranges.push_back({open, begin, false});
        ranges.push_back({begin, p, true});
        open = p;
      }
      if (open < end) ranges.push_back({open, end, false});
      split(ranges, behavior, index, piece, atStart);
    }

    void apply(const steps::Pattern& step, size_t index, std::string_view piece, bool atStart) {
      std::vector<Range> ranges;
      const char *begin = piece.data(), *end = begin + piece.size(), *open = begin;
      const auto found = [&](const char* from, const char* to) {
        if (open < from) ranges.push_back({open, from, step.invert});
        ranges.push_back({from, to, !step.invert});
        open = to;
      };
      if (step.regex) {
        for (size_t from = 0; from <= piece.size();) {
          const auto [first, last] = step.regex->find(piece, from);
          if (first < 0) break;
          found(begin + first, begin + last);
          from = last > first ? last : last + (begin + last < end ? unicode::lengthOf(static_cast<uint8_t>(begin[last])) : 1);
        }
      } else {
        for (size_t at = 0; (at = piece.find(step.literal, at)) != std::string_view::npos; at += step.literal.size())
          found(begin + at, begin + at + step.literal.size());
      }
      if (open < end) ranges.push_back({open, end, step.invert});
      split(ranges, step.behavior, index, piece, atStart);
    }

    void apply(const steps::Digits& step, size_t index, std::string_view piece, bool atStart) {
      splitCharacters([](uint32_t cp) { return unicode::isNumeric(cp); }, step.individual ? Behavior::isolated : Behavior::contiguous, index,
                      piece, atStart);
    }
    void apply(const steps::Punctuation& step, size_t index, std::string_view piece, bool atStart) {
      splitCharacters([](uint32_t cp) { return unicode::isPunctuation(cp); }, step.behavior, index, piece, atStart);
    }
    void apply(const steps::Blanks&, size_t index, std::string_view piece, bool atStart) {
      splitCharacters([](uint32_t cp) { return unicode::isSpace(cp); }, Behavior::removed, index, piece, atStart);
    }
    void apply(const steps::Delimiter& step, size_t index, std::string_view piece, bool atStart) {
      splitCharacters([&](uint32_t cp) { return cp == step.character; }, Behavior::removed, index, piece, atStart);
    }
    void apply(const steps::Words&, size_t index, std::string_view piece, bool atStart) {
      const char *p = piece.data(), *end = p + piece.size();
      while (p < end) {
        const char* const begin = p;
        const uint32_t cp = unicode::next(p);
        const bool word = unicode::isWord(cp);
        if (!word && unicode::isSpace(cp)) continue;
        for (const char* q = p; q < end; p = q) {
          const uint32_t other = unicode::next(q);
          if (word ? !unicode::isWord(other) : unicode::isWord(other) || unicode::isSpace(other)) break;
        }
        part(index, piece, begin, p, atStart);
      }
    }
    void apply(const steps::Bert&, size_t index, std::string_view piece, bool atStart) {
      const char *p = piece.data(), *end = p + piece.size(), *open = p;
      while (p < end) {
        const char* const begin = p;
        const uint32_t cp = unicode::next(p);
        const bool space = unicode::isSpace(cp);
        if (!space && !unicode::isPunctuation(cp)) continue;
        if (open < begin) part(index, piece, open, begin, atStart);
        if (!space) part(index, piece, begin, p, atStart);
        open = p;
      }
      if (open < end) part(index, piece, open, end, atStart);
    }
    void apply(const steps::FixedLength& step, size_t index, std::string_view piece, bool atStart) {
      const char *p = piece.data(), *end = p + piece.size();
      while (p < end) {
        const char* const begin = p;
        for (size_t i = 0; i < step.length && p < end; i++) unicode::next(p);
        part(index, piece, begin, p, atStart);
      }
    }
    void apply(const steps::Metaspace& step, size_t index, std::string_view piece, bool atStart) {
      std::string& text = scratch[index];
      text.clear();
      const bool begins = piece.starts_with(step.mark) || piece[0] == ' ';
      if (!begins && (step.prepend == Prepend::always || (step.prepend == Prepend::first && atStart))) text += step.mark;
      for (const char c : piece) {
        if (c == ' ') text += step.mark;
        else text.push_back(c);
      }
      const std::string_view whole = text;
      if (!step.split) return part(index, whole, whole.data(), whole.data() + whole.size(), atStart);
      for (size_t begin = 0; begin < whole.size();) {
        size_t stop = whole.find(step.mark, begin + 1);
        if (stop == std::string_view::npos) stop = whole.size();
        part(index, whole, whole.data() + begin, whole.data() + stop, atStart);
        begin = stop;
      }
    }
    void apply(const steps::PrefixSpace&, size_t index, std::string_view piece, bool atStart) {
      if (piece[0] == ' ') return enter(index + 1, piece, atStart);
      std::string& text = scratch[index];
      text.assign(1, ' ');
      text.append(piece);
      enter(index + 1, text, atStart);
    }
    void apply(const steps::ByteCharacters&, size_t index, std::string_view piece, bool atStart) {
      std::string& text = scratch[index];
      text.clear();
      appendByteCharacters(piece, text);
      enter(index + 1, text, atStart);
    }
  };

  std::vector<Step> steps_;
};

}  // namespace perennial
