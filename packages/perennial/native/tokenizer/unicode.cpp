#include "unicode.h"

#include <algorithm>

namespace perennial::unicode {

void append(std::string& out, uint32_t cp) {
  if (cp < 0x80) {
    out.push_back(static_cast<char>(cp));
  } else if (cp < 0x800) {
    const char bytes[] = {static_cast<char>(0xc0 | cp >> 6), static_cast<char>(0x80 | (cp & 0x3f))};
    out.append(bytes, 2);
  } else if (cp < 0x10000) {
    const char bytes[] = {static_cast<char>(0xe0 | cp >> 12), static_cast<char>(0x80 | (cp >> 6 & 0x3f)), static_cast<char>(0x80 | (cp & 0x3f))};
    out.append(bytes, 3);
  } else {
    const char bytes[] = {static_cast<char>(0xf0 | cp >> 18), static_cast<char>(0x80 | (cp >> 12 & 0x3f)),
                          static_cast<char>(0x80 | (cp >> 6 & 0x3f)), static_cast<char>(0x80 | (cp & 0x3f))};
    out.append(bytes, 4);
  }
}

namespace {

/** Length of the well-formed sequence at `p`, or minus the length of the maximal ill-formed part. */
int sequence(const uint8_t* p, const uint8_t* end) {
  const uint8_t lead = *p;
  if (lead < 0x80) return 1;
  int length;
  uint8_t low = 0x80, high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return -1;
  }
  for (int i = 1; i < length; i++) {
    if (p + i >= end || p[i] < low || p[i] > high) return -i;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

const uint8_t* firstInvalid(const uint8_t* p, const uint8_t* end) {
  while (p < end) {
    uint64_t word;
    while (end - p >= 8) {
      std::memcpy(&word, p, 8);
      if (word & 0x8080808080808080ull) break;
      p += 8;
    }
    if (p == end) break;
    const int length = sequence(p, end);
    if (length < 0) return p;
    p += length;
  }
  return end;
}

}  // namespace

bool isValid(std::string_view text) {
  const auto* begin = reinterpret_cast<const uint8_t*>(text.data());
  return firstInvalid(begin, begin + text.size()) == begin + text.size();
}

std::string repaired(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const auto* end = p + text.size();
  std::string out;
  out.reserve(text.size() + 16);
  while (p < end) {
    const auto* bad = firstInvalid(p, end);
    out.append(reinterpret_cast<const char*>(p), bad - p);
    if (bad == end) break;
    out.append("\xef\xbf\xbd");
    p = bad - sequence(bad, end);
  }
  return out;
}

uint32_t lowered(uint32_t cp) {
  if (cp < 0x80) return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
  size_t low = 0, high = std::size(kLower) / 2;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (kLower[middle * 2] < cp) low = middle + 1;
    else high = middle;
  }
  return low < std::size(kLower) / 2 && kLower[low * 2] == cp ? kLower[low * 2 + 1] : cp;
}

void lowercase(std::string_view text, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (const char *p = text.data(), *end = p + text.size(); p < end;) {
    const uint32_t cp = next(p);
    append(out, lowered(cp == 0x130 ? 'i' : cp));
    if (cp == 0x130) append(out, 0x307);
  }
}

namespace {

constexpr uint32_t kSBase = 0xac00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11a7, kLCount = 19, kVCount = 21, kTCount = 28,
                   kNCount = kVCount * kTCount, kSCount = kLCount * kNCount;

uint16_t decompositionOf(uint32_t cp) { return kDecompositionBlocks[kDecompositionIndex[cp >> 8] * 256 + (cp & 255)]; }
uint8_t combiningOf(uint32_t cp) { return kCombiningBlocks[kCombiningIndex[cp >> 8] * 256 + (cp & 255)]; }
bool isSyllable(uint32_t cp) { return cp - kSBase < kSCount; }

void decompose(uint32_t cp, bool compatible, std::vector<uint32_t>& out) {
  if (isSyllable(cp)) {
    const uint32_t s = cp - kSBase;
    out.push_back(kLBase + s / kNCount);
    out.push_back(kVBase + s % kNCount / kTCount);
    if (s % kTCount != 0) out.push_back(kTBase + s % kTCount);
    return;
  }
  const uint16_t* entry = &kDecompositionEntries[decompositionOf(cp) * 4 + (compatible ? 2 : 0)];
  if (entry[1] == 0) out.push_back(cp);
  else out.insert(out.end(), kDecompositionPool + entry[0], kDecompositionPool + entry[0] + entry[1]);
}

uint32_t composed(uint32_t first, uint32_t second) {
  if (first - kLBase < kLCount && second - kVBase < kVCount) return kSBase + ((first - kLBase) * kVCount + (second - kVBase)) * kTCount;
  if (isSyllable(first) && (first - kSBase) % kTCount == 0 && second - kTBase - 1 < kTCount - 1) return first + (second - kTBase);
  size_t low = 0, high = std::size(kCompositions) / 3;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const uint32_t* entry = &kCompositions[middle * 3];
    if (entry[0] < first || (entry[0] == first && entry[1] < second)) low = middle + 1;
    else high = middle;
  }
  const uint32_t* entry = &kCompositions[low * 3];
  return low < std::size(kCompositions) / 3 && entry[0] == first && entry[1] == second ? entry[2] : 0;
}

/** Canonical ordering: runs of marks are sorted by class, stably. */
void reorder(std::vector<uint32_t>& points) {
  for (size_t i = 0; i < points.size();) {
    if (combiningOf(points[i]) == 0) {
      i++;
      continue;
    }
    size_t end = i + 1;
    while (end < points.size() && combiningOf(points[end]) != 0) end++;
    std::stable_sort(points.begin() + i, points.begin() + end, [](uint32_t a, uint32_t b) { return combiningOf(a) < combiningOf(b); });
    i = end;
  }
}

void compose(std::vector<uint32_t>& points) {
  constexpr size_t none = SIZE_MAX;
  size_t starter = none, size = 0;
  int lastClass = -1;  // class of the last kept mark after the starter; -1: none
  for (size_t i = 0; i < points.size(); i++) {
    const uint32_t cp = points[i];
    const int cls = combiningOf(cp);
    if (starter != none && lastClass < cls) {
      if (const uint32_t whole = composed(points[starter], cp)) {
        points[starter] = whole;
        continue;
      }
    }
    points[size] = cp;
    if (cls == 0) {
      starter = size;
      lastClass = -1;
    } else {
      lastClass = cls;
    }
    size++;
  }
  points.resize(size);
}

/** A character before which the form never changes anything, and that stays as it is when nothing follows. */
bool isInert(Form form, uint32_t cp) {
  if (cp < 0x80) return true;
  switch (form) {
    case Form::nfc:
      return !(property(cp) & kNfcUnsafe);
    case Form::nfkc:
      return !(property(cp) & kNfcUnsafe) && decompositionOf(cp) == 0;
    default:
      return decompositionOf(cp) == 0 && combiningOf(cp) == 0 && !isSyllable(cp);
  }
}

}  // namespace

bool normalize(Form form, std::string_view text, std::string& out) {
  const bool compatible = form == Form::nfkc || form == Form::nfkd;
  const bool composes = form == Form::nfc || form == Form::nfkc;
  const char *begin = text.data(), *end = begin + text.size();
  const char *p = begin, *copied = begin, *lastInert = begin;  // lastInert: start of the last inert character
  bool changed = false;
  std::vector<uint32_t> points;
  while (p < end) {
    const char* here = p;
    if (static_cast<uint8_t>(*p) < 0x80 || isInert(form, peek(p))) {
      lastInert = here;
      p += lengthOf(static_cast<uint8_t>(*p));
      continue;
    }
    // From the inert character before (it may take a mark) up to the next one.
    const char* from = std::max(lastInert, copied);
    points.clear();
    for (const char* q = from; q < here;) decompose(next(q), compatible, points);
    while (p < end) {
      const char* q = p;
      const uint32_t cp = next(q);
      if (isInert(form, cp)) break;
      decompose(cp, compatible, points);
      p = q;
    }
    reorder(points);
    if (composes) compose(points);
    if (!changed) {
      out.clear();
      out.reserve(text.size() + 32);
      changed = true;
    }
    out.append(copied, from - copied);
    for (uint32_t cp : points) append(out, cp);
    copied = p;
    lastInert = p;
  }
  if (changed) out.append(copied, end - copied);
  return changed;
}

}  // namespace perennial::unicode
