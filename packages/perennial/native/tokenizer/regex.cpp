#include "regex.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "unicode.h"

namespace perennial {

namespace {

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;  // sorted, disjoint, inclusive
constexpr uint32_t kLast = 0x10ffff;

Ranges sorted(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges out;
  for (auto [first, last] : ranges) {
    if (!out.empty() && first <= out.back().second + 1) out.back().second = std::max(out.back().second, last);
    else out.emplace_back(first, last);
  }
  return out;
}

Ranges complement(const Ranges& ranges) {
  Ranges out;
  uint32_t from = 0;
  for (auto [first, last] : ranges) {
    if (first > from) out.emplace_back(from, first - 1);
    from = last + 1;
  }
  if (from <= kLast) out.emplace_back(from, kLast);
  return out;
}

template <typename Test>
Ranges collect(Test&& test) {
  Ranges out;
  for (uint32_t cp = 0; cp <= kLast; cp++) {
    if (!test(cp)) continue;
    if (!out.empty() && out.back().second + 1 == cp) out.back().second = cp;
    else out.emplace_back(cp, cp);
  }
  return out;
}

}  // namespace

CharacterSet::CharacterSet(std::span<const int32_t> program) {
  std::vector<Ranges> stack;
  const auto pop = [&] {
    if (stack.empty()) throw std::invalid_argument("character set: stack underflow");
    auto top = std::move(stack.back());
    stack.pop_back();
    return top;
  };
  const auto argument = [&](size_t i) {
    if (i >= program.size()) throw std::invalid_argument("character set: program ends early");
    return static_cast<uint32_t>(program[i]);
  };
  for (size_t i = 0; i < program.size();) {
    switch (program[i]) {
      case 0: {
        const uint32_t first = argument(i + 1), last = argument(i + 2);
        if (first > last || last > kLast) throw std::invalid_argument("character set: bad range");
        stack.push_back({{first, last}});
        i += 3;
        break;
      }
      case 1: {
        const uint32_t mask = argument(i + 1);
        stack.push_back(collect([&](uint32_t cp) { return mask >> unicode::category(cp) & 1; }));
        i += 2;
        break;
      }
      case 2:
        stack.push_back(collect([](uint32_t cp) { return unicode::isSpace(cp); }));
        i++;
        break;
      case 6:
        stack.push_back(collect([](uint32_t cp) { return unicode::isWord(cp); }));
        i++;
        break;
      case 3:
        stack.push_back(complement(pop()));
        i++;
        break;
      case 4: {
        auto right = pop(), left = pop();
        left.insert(left.end(), right.begin(), right.end());
        stack.push_back(sorted(std::move(left)));
        i++;
        break;
      }
      case 5: {
        auto right = complement(pop()), left = complement(pop());
        left.insert(left.end(), right.begin(), right.end());
        stack.push_back(complement(sorted(std::move(left))));
        i++;
        break;
      }
      default:
        throw std::invalid_argument("character set: unknown operation");
    }
  }
  const Ranges ranges = pop();
  if (!stack.empty()) throw std::invalid_argument("character set: values left over");

  std::map<std::vector<uint32_t>, uint16_t> known;
  index_.resize((kLast >> 8) + 1);
  size_t r = 0;
  for (uint32_t page = 0; page <= kLast >> 8; page++) {
    std::vector<uint32_t> block(8, 0);
    const uint32_t low = page << 8, high = low | 255;
    while (r < ranges.size() && ranges[r].second < low) r++;
    for (size_t k = r; k < ranges.size() && ranges[k].first <= high; k++)
      for (uint32_t cp = std::max(low, ranges[k].first), last = std::min(high, ranges[k].second); cp <= last; cp++)
        block[cp >> 5 & 7] |= 1u << (cp & 31);
    const auto [entry, isNew] = known.try_emplace(block, static_cast<uint16_t>(known.size()));
    if (isNew) blocks_.insert(blocks_.end(), block.begin(), block.end());
    index_[page] = entry->second;
  }
  const uint32_t* first = &blocks_[index_[0] * 8];
  ascii_[0] = first[0] | static_cast<uint64_t>(first[1]) << 32;
  ascii_[1] = first[2] | static_cast<uint64_t>(first[3]) << 32;
}

Regex::Regex(std::span<const int32_t> program, std::vector<CharacterSet> sets)
    : program_(program.begin(), program.end()), sets_(std::move(sets)) {
  verify(0, program_.size(), 0);
}

// Every instruction, its arguments and every target lie inside the (sub)program, which ends with `match`.
void Regex::verify(size_t pc, size_t end, int depth) const {
  const auto bad = [] { throw std::invalid_argument("regular expression: program is not well formed"); };
  if (depth > 64 || pc >= end || program_[end - 1] != match) bad();
  const size_t begin = pc;
  const auto isSet = [&](int32_t k) { return k >= 0 && static_cast<size_t>(k) < sets_.size(); };
  const auto isTarget = [&](int32_t t) { return t >= static_cast<int32_t>(begin) && t < static_cast<int32_t>(end); };
  static constexpr int sizes[] = {1, 2, 3, 2, 5, 2, 4, 2};
  while (pc < end) {
    const int32_t op = program_[pc];
    if (op < match || op > atomic || pc + sizes[op] > end) bad();
    const int32_t* a = &program_[pc + 1];
    const size_t next = pc + sizes[op];
    if (op == set && !isSet(a[0])) bad();
    if (op == split && !(isTarget(a[0]) && isTarget(a[1]))) bad();
    if (op == jump && !isTarget(a[0])) bad();
    if (op == run && !(isSet(a[0]) && a[1] >= 0 && (a[2] == -1 || a[2] >= a[1]) && a[3] >= 0 && a[3] <= 2)) bad();
    if (op == assertion && (a[0] < 0 || a[0] > noWordBoundary)) bad();
    if (op == look || op == atomic) {
      const int32_t target = op == look ? a[2] : a[0];
      if (!isTarget(target) || static_cast<size_t>(target) <= next) bad();
      verify(next, target, depth + 1);
      pc = target;
    } else {
      pc = next;
    }
  }
}

const char* Regex::matchAt(int32_t pc, const char* p, Search& search) const {
  const size_t base = search.stack.size();
  const char* const end = search.end;
  const auto isWordAt = [&](const char* q) { return q < end && unicode::isWord(unicode::peek(q)); };
  const auto isWordBefore = [&](const char* q) { return q > search.begin && unicode::isWord(unicode::peek(unicode::before(q))); };
  for (;;) {
    if (--search.steps < 0) throw std::runtime_error("regular expression: too much backtracking on this text");
    bool ok = true;
    const int32_t* a = &program_[pc + 1];
    switch (program_[pc]) {
      case match:
        search.stack.resize(base);
        return p;
      case set: {
        const char* q = p;
        if (p < end && sets_[a[0]].has(unicode::next(q))) {
          p = q;
          pc += 2;
        } else {
          ok = false;
        }
        break;
      }
      case split:
        search.stack.push_back({a[1], p, nullptr, 0});
        pc = a[0];
        break;
      case jump:
        pc = a[0];
        break;
      case run: {
        const CharacterSet& chars = sets_[a[0]];
        int32_t count = 0;
        const int32_t wanted = a[3] == 1 ? a[1] : a[2];
        const char* least = a[1] == 0 ? p : nullptr;
        while (p < end && count != wanted) {
          const char* q = p;
          if (!chars.has(unicode::next(q))) break;
          p = q;
          if (++count == a[1]) least = p;
        }
        if (count < a[1]) {
          ok = false;
        } else {
          if (a[3] == 0 && p > least) search.stack.push_back({pc + 5, p, least, 0});
          if (a[3] == 1 && a[2] != a[1]) search.stack.push_back({-pc - 1, p, nullptr, a[2] == -1 ? -1 : a[2] - a[1]});
          pc += 5;
        }
        break;
      }
      case assertion: {
        switch (a[0]) {
          case lineBegin: ok = p == search.begin || p[-1] == '\n'; break;
          case lineEnd: ok = p == end || *p == '\n'; break;
          case textBegin: ok = p == search.begin; break;
          case textEnd: ok = p == end; break;
          case textEndOrNewline: ok = p == end || (p + 1 == end && *p == '\n'); break;
          case wordBoundary: ok = isWordBefore(p) != isWordAt(p); break;
          default: ok = isWordBefore(p) == isWordAt(p);
        }
        pc += 2;
        break;
      }
      case look: {  // kind: 0 ahead, 1 not ahead, 2 behind, 3 not behind; characters to step back; continuation
        const char* from = p;
        bool inside = true;
        for (int32_t i = 0; i < a[1] && inside; i++) {
          if (from == search.begin) inside = false;
          else from = unicode::before(from);
        }
        const char* found = inside ? matchAt(pc + 4, from, search) : nullptr;
        ok = (found != nullptr) == (a[0] == 0 || a[0] == 2);
        pc = a[2];
        break;
      }
      case atomic: {
        const char* found = matchAt(pc + 2, p, search);
        ok = found != nullptr;
        p = found;
        pc = a[0];
        break;
      }
    }
    while (!ok) {
      if (search.stack.size() == base) return nullptr;
      Frame& frame = search.stack.back();
      if (frame.least != nullptr) {  // a greedy run gives one character back
        p = frame.pos = unicode::before(frame.pos);
        pc = frame.pc;
        if (frame.pos == frame.least) search.stack.pop_back();
        ok = true;
      } else if (frame.pc < 0) {  // a lazy run takes one more
        const int32_t at = -frame.pc - 1;
        const char* q = frame.pos;
        if (frame.more != 0 && q < end && sets_[program_[at + 1]].has(unicode::next(q))) {
          p = frame.pos = q;
          if (frame.more > 0) frame.more--;
          pc = at + 5;
          ok = true;
        } else {
          search.stack.pop_back();
        }
      } else {
        p = frame.pos;
        pc = frame.pc;
        search.stack.pop_back();
        ok = true;
      }
    }
  }
}

std::pair<int64_t, int64_t> Regex::find(std::string_view text, size_t from) const {
  thread_local std::vector<Frame> stack;
  stack.clear();
  // Linear patterns need a few steps a byte; this bound only stops exponential ones.
  Search search{text.data(), text.data() + text.size(), stack, static_cast<int64_t>(text.size()) * 1000 + 10'000'000};
  for (const char* p = text.data() + from;;) {
    if (const char* stop = matchAt(0, p, search)) return {p - search.begin, stop - search.begin};
    if (p >= search.end) return {-1, -1};
    p += unicode::lengthOf(static_cast<uint8_t>(*p));
  }
}

}  // namespace perennial
