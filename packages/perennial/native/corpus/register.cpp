// What the corpus stage asks of C++, as functions on the addon. TypeScript face: src/corpus/native.ts.
#include "../binding.h"
#include "../registry.h"
#include "fasttext.h"
#include "fold.h"
#include "minhash.h"
#include "records.h"
#include "xxh64.h"

#include <algorithm>

namespace perennial {

namespace {

constexpr napi_type_tag kFastTextTag = {0x1d7a90c4be5f2386, 0xe3f58c6d0b914a27};
constexpr napi_type_tag kFoldTag = {0x8a1c5e0f7d3b4c21, 0x9d2e6f10b7a45c38};
constexpr napi_type_tag kMinHashTag = {0x4f60b8a2c9d7e153, 0xb1c3d5e7f9082a46};

std::u16string utf16(napi_env env, napi_value value) {
  size_t length = 0;
  check(env, napi_get_value_string_utf16(env, value, nullptr, 0, &length), "expected a string");
  std::u16string text(length, u'\0');
  check(env, napi_get_value_string_utf16(env, value, text.data(), length + 1, &length), "expected a string");
  return text;
}

/// The elements of a BigUint64Array that has at least `minLength` of them.
uint64_t* words64(napi_env env, napi_value value, size_t minLength) {
  const auto words = typedArray<uint64_t>(env, value, napi_biguint64_array, "expected a BigUint64Array");
  if (words.size() < minLength) throw ArgumentError("expected a BigUint64Array of " + std::to_string(minLength) + " elements or more");
  return words.data();
}

/// [[path, offset, bytes], …]
std::vector<Run> runsOf(napi_env env, napi_value array) {
  std::vector<Run> runs(arrayLength(env, array));
  for (uint32_t i = 0; i < runs.size(); ++i) {
    const napi_value run = element(env, array, i);
    runs[i] = {toString(env, element(env, run, 0)), static_cast<uint64_t>(toNumber(env, element(env, run, 1))),
               static_cast<uint64_t>(toNumber(env, element(env, run, 2)))};
  }
  return runs;
}

/// The words of `text`: folded, or as they are.
const std::string& wordsOf(napi_env env, napi_value fold, napi_value text, bool folding) {
  thread_local std::string words;
  words.clear();
  if (folding) fromHandle<FoldTable>(env, fold, kFoldTag, "expected a fold table")->fold(utf16(env, text), words);
  else toUtf8(utf16(env, text), words);
  return words;
}

/// createFold(entries: Uint32Array, pool: string)
napi_value createFold(napi_env env, const Arguments& given) {
  const auto entries = typedArray<uint32_t>(env, given[0], napi_uint32_array, "expected a Uint32Array");
  return newHandle(env, kFoldTag, std::make_shared<FoldTable>(std::vector<uint32_t>(entries.begin(), entries.end()), utf16(env, given[1])));
}

/// foldWords(fold, text): the words, separated by single spaces
napi_value foldWords(napi_env env, const Arguments& given) { return newString(env, wordsOf(env, given[0], given[1], true)); }

/// createMinHash(shingleSize, numBands, hashesPerBand, seed, hashBits)
napi_value createMinHash(napi_env env, const Arguments& given) {
  const auto number = [&](size_t i) { return static_cast<uint32_t>(toNumber(env, given[i])); };
  return newHandle(env, kMinHashTag, std::make_shared<MinHash>(MinHashShape{number(0), number(1), number(2), number(3), number(4)}));
}

/// minHashSignature(minHash, fold, text, folding, out: BigUint64Array): number of shingles
napi_value minHashSignature(napi_env env, const Arguments& given) {
  const auto hasher = fromHandle<MinHash>(env, given[0], kMinHashTag, "expected a MinHash");
  const auto& words = wordsOf(env, given[1], given[2], toBool(env, given[3]));
  return newNumber(env, static_cast<double>(hasher->signature(words, words64(env, given[4], hasher->numHashes()))));
}

/// minHashBandKeys(minHash, fold, text, folding, nameSpace, out: BigUint64Array): number of shingles
napi_value minHashBandKeys(napi_env env, const Arguments& given) {
  const auto hasher = fromHandle<MinHash>(env, given[0], kMinHashTag, "expected a MinHash");
  const auto& words = wordsOf(env, given[1], given[2], toBool(env, given[3]));
  return newNumber(env, static_cast<double>(hasher->bandKeys(words, toString(env, given[4]), words64(env, given[5], 2 * hasher->numBands()))));
}

/// contentKey(text, nameSpace, out: BigUint64Array): bytes of the text; 128 bits of its UTF-8 form go to `out`
napi_value contentKey(napi_env env, const Arguments& given) {
  std::string text;
  toUtf8(utf16(env, given[0]), text);
  const std::string nameSpace = toString(env, given[1]);
  const uint64_t space = xxh64(nameSpace.data(), nameSpace.size());
  uint64_t* out = words64(env, given[2], 2);
  out[0] = xxh64(text.data(), text.size(), space);
  out[1] = xxh64(text.data(), text.size(), ~space);
  return newNumber(env, static_cast<double>(text.size()));
}

/// sortRecords(records: BigUint64Array, count, wordsPerRecord)
napi_value sortRecordsInPlace(napi_env env, const Arguments& given) {
  const auto count = static_cast<size_t>(toNumber(env, given[1])), width = static_cast<size_t>(toNumber(env, given[2]));
  sortRecords(words64(env, given[0], count * width), count, width);
  return newNumber(env, static_cast<double>(count));
}

/// mergeRecordRuns(runs, wordsPerRecord, bufferBytes, outputPath, pairsPath, unique): [records, pairs] as a Float64Array
napi_value mergeRecordRuns(napi_env env, const Arguments& given) {
  const MergeCounts counts = mergeRuns({runsOf(env, given[0]), static_cast<size_t>(toNumber(env, given[1])), static_cast<size_t>(toNumber(env, given[2])),
                                        toString(env, given[3]), toString(env, given[4]), toBool(env, given[5])});
  const double both[2] = {static_cast<double>(counts.records), static_cast<double>(counts.pairs)};
  return newTypedArray<double>(env, napi_float64_array, both);
}

/// openFastText(path)
napi_value openFastText(napi_env env, const Arguments& given) { return newHandle(env, kFastTextTag, std::make_shared<FastText>(toString(env, given[0]))); }

/// fastTextLabels(model): the labels without their prefix, one per line
napi_value fastTextLabels(napi_env env, const Arguments& given) {
  const auto model = fromHandle<FastText>(env, given[0], kFastTextTag, "expected a fastText model");
  std::string lines;
  for (int32_t i = 0; i < model->numLabels(); ++i) (i == 0 ? lines : lines += '\n') += model->label(i);
  return newString(env, lines);
}

/// fastTextPredict(model, text, threshold, labels: Int32Array, scores: Float32Array): how many were written, best first
napi_value fastTextPredict(napi_env env, const Arguments& given) {
  const auto model = fromHandle<FastText>(env, given[0], kFastTextTag, "expected a fastText model");
  const auto labels = typedArray<int32_t>(env, given[3], napi_int32_array, "expected an Int32Array");
  const auto scores = typedArray<float>(env, given[4], napi_float32_array, "expected a Float32Array");
  const auto k = static_cast<int32_t>(std::min<size_t>({labels.size(), scores.size(), static_cast<size_t>(model->numLabels())}));
  const auto best = model->predict(toString(env, given[1]), k, static_cast<float>(toNumber(env, given[2])));
  for (size_t i = 0; i < best.size(); ++i) labels[i] = best[i].label, scores[i] = best[i].score;
  return newNumber(env, static_cast<double>(best.size()));
}

template <napi_value (*F)(napi_env, const Arguments&)>
napi_value call(napi_env env, napi_callback_info info) {
  return guarded(env, [&] { return F(env, Arguments(env, info)); });
}

void registerCorpus(napi_env env, napi_value exports) {
  exportFunction(env, exports, "openFastText", call<openFastText>);
  exportFunction(env, exports, "fastTextLabels", call<fastTextLabels>);
  exportFunction(env, exports, "fastTextPredict", call<fastTextPredict>);
  exportFunction(env, exports, "createFold", call<createFold>);
  exportFunction(env, exports, "foldWords", call<foldWords>);
  exportFunction(env, exports, "createMinHash", call<createMinHash>);
  exportFunction(env, exports, "minHashSignature", call<minHashSignature>);
  exportFunction(env, exports, "minHashBandKeys", call<minHashBandKeys>);
  exportFunction(env, exports, "contentKey", call<contentKey>);
  exportFunction(env, exports, "sortRecords", call<sortRecordsInPlace>);
  exportFunction(env, exports, "mergeRecordRuns", call<mergeRecordRuns>);
}

const Unit unit(registerCorpus);

}  // namespace

}  // namespace perennial
