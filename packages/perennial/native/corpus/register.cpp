// What the corpus stage asks of C++, as functions on the addon. TypeScript face: src/corpus/native.ts.
#include <node_api.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "fold.h"
#include "minhash.h"
#include "records.h"
#include "xxh64.h"

namespace perennial {

namespace {

void check(napi_status status, const char* expected) {
  if (status != napi_ok) throw std::runtime_error(std::string("Expected ") + expected);
}

/// The arguments of a call, each with the name that an error message gives it.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kMax;
    check(napi_get_cb_info(env, info, &count, values_, nullptr, nullptr), "arguments");
  }

  std::u16string utf16(size_t i) const {
    size_t length = 0;
    check(napi_get_value_string_utf16(env_, values_[i], nullptr, 0, &length), "a string");
    std::u16string text(length, u'\0');
    check(napi_get_value_string_utf16(env_, values_[i], text.data(), length + 1, &length), "a string");
    return text;
  }

  std::string utf8(size_t i) const { return utf8Of(values_[i]); }

  double number(size_t i) const { return numberOf(values_[i], "a number"); }

  bool boolean(size_t i) const {
    bool value = false;
    check(napi_get_value_bool(env_, values_[i], &value), "a boolean");
    return value;
  }

  /// The memory of a typed array of `type` with at least `minLength` elements.
  template <typename T>
  T* array(size_t i, napi_typedarray_type type, size_t minLength, size_t* length = nullptr) const {
    napi_typedarray_type found;
    size_t count = 0;
    void* data = nullptr;
    check(napi_get_typedarray_info(env_, values_[i], &found, &count, &data, nullptr, nullptr), "a typed array");
    if (found != type || count < minLength) throw std::runtime_error("Expected a typed array of " + std::to_string(minLength) + " elements or more, of the right type");
    if (length) *length = count;
    return static_cast<T*>(data);
  }

  template <typename T>
  T& handle(size_t i, const napi_type_tag& tag) const {
    bool tagged = false;
    void* data = nullptr;
    if (napi_check_object_type_tag(env_, values_[i], &tag, &tagged) != napi_ok || !tagged || napi_get_value_external(env_, values_[i], &data) != napi_ok)
      throw std::runtime_error("Expected the handle that this addon made for it");
    return *static_cast<T*>(data);
  }

  /// [[path, offset, bytes], …]
  std::vector<Run> runs(size_t i) const {
    uint32_t count = 0;
    check(napi_get_array_length(env_, values_[i], &count), "an array of runs");
    std::vector<Run> runs(count);
    for (uint32_t r = 0; r < count; ++r) {
      napi_value run, path, offset, bytes;
      check(napi_get_element(env_, values_[i], r, &run), "a run");
      check(napi_get_element(env_, run, 0, &path), "a path");
      check(napi_get_element(env_, run, 1, &offset), "an offset");
      check(napi_get_element(env_, run, 2, &bytes), "a size");
      runs[r] = {utf8Of(path), static_cast<uint64_t>(numberOf(offset, "an offset")), static_cast<uint64_t>(numberOf(bytes, "a size"))};
    }
    return runs;
  }

 private:
  std::string utf8Of(napi_value value) const {
    size_t length = 0;
    check(napi_get_value_string_utf8(env_, value, nullptr, 0, &length), "a string");
    std::string text(length, '\0');
    check(napi_get_value_string_utf8(env_, value, text.data(), length + 1, &length), "a string");
    return text;
  }

  double numberOf(napi_value value, const char* expected) const {
    double number = 0;
    check(napi_get_value_double(env_, value, &number), expected);
    return number;
  }

  static constexpr size_t kMax = 8;
  napi_env env_;
  napi_value values_[kMax] = {};
};

using Function = napi_value (*)(napi_env, const Arguments&);

/// Runs `F`; a C++ exception becomes a JavaScript error.
template <Function F>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return F(env, Arguments(env, info));
  } catch (const std::exception& error) {
    napi_throw_error(env, "CORPUS_NATIVE", error.what());
    return nullptr;
  }
}

napi_value toJs(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result), "a number");
  return result;
}

napi_value toJs(napi_env env, const std::string& utf8) {
  napi_value result;
  check(napi_create_string_utf8(env, utf8.data(), utf8.size(), &result), "a string");
  return result;
}

template <typename T>
napi_value toHandle(napi_env env, std::unique_ptr<T> object, const napi_type_tag& tag) {
  napi_value result;
  check(napi_create_external(env, object.get(), [](napi_env, void* data, void*) { delete static_cast<T*>(data); }, nullptr, &result), "a handle");
  object.release();
  check(napi_type_tag_object(env, result, &tag), "a handle");
  return result;
}

constexpr napi_type_tag kFoldTag = {0x8a1c5e0f7d3b4c21, 0x9d2e6f10b7a45c38};
constexpr napi_type_tag kMinHashTag = {0x4f60b8a2c9d7e153, 0xb1c3d5e7f9082a46};

/// createFold(entries: Uint32Array, pool: string)
napi_value createFold(napi_env env, const Arguments& given) {
  size_t count = 0;
  const auto* entries = given.array<uint32_t>(0, napi_uint32_array, 1, &count);
  return toHandle(env, std::make_unique<FoldTable>(std::vector<uint32_t>(entries, entries + count), given.utf16(1)), kFoldTag);
}

/// foldWords(fold, text): the words, separated by single spaces
napi_value foldWords(napi_env env, const Arguments& given) {
  std::string words;
  given.handle<FoldTable>(0, kFoldTag).fold(given.utf16(1), words);
  return toJs(env, words);
}

/// createMinHash(shingleSize, numBands, hashesPerBand, seed, hashBits)
napi_value createMinHash(napi_env env, const Arguments& given) {
  const auto number = [&](size_t i) { return static_cast<uint32_t>(given.number(i)); };
  return toHandle(env, std::make_unique<MinHash>(MinHashShape{number(0), number(1), number(2), number(3), number(4)}), kMinHashTag);
}

/// The words of argument `i`: folded when argument `foldAt` is a fold, else as they are.
std::string& wordsOf(napi_env, const Arguments& given, size_t foldAt, size_t i, bool folding) {
  thread_local std::string words;
  words.clear();
  if (folding) given.handle<FoldTable>(foldAt, kFoldTag).fold(given.utf16(i), words);
  else toUtf8(given.utf16(i), words);
  return words;
}

/// minHashSignature(minHash, fold, text, folding, out: BigUint64Array): number of shingles
napi_value minHashSignature(napi_env env, const Arguments& given) {
  const auto& hasher = given.handle<MinHash>(0, kMinHashTag);
  auto* out = given.array<uint64_t>(4, napi_biguint64_array, hasher.numHashes());
  return toJs(env, static_cast<double>(hasher.signature(wordsOf(env, given, 1, 2, given.boolean(3)), out)));
}

/// minHashBandKeys(minHash, fold, text, folding, nameSpace, out: BigUint64Array): number of shingles
napi_value minHashBandKeys(napi_env env, const Arguments& given) {
  const auto& hasher = given.handle<MinHash>(0, kMinHashTag);
  auto* out = given.array<uint64_t>(5, napi_biguint64_array, 2 * hasher.numBands());
  return toJs(env, static_cast<double>(hasher.bandKeys(wordsOf(env, given, 1, 2, given.boolean(3)), given.utf8(4), out)));
}

/// contentKey(text, nameSpace, out: BigUint64Array): 128 bits of the text's UTF-8 form
napi_value contentKey(napi_env env, const Arguments& given) {
  std::string text;
  toUtf8(given.utf16(0), text);
  const std::string nameSpace = given.utf8(1);
  const uint64_t space = xxh64(nameSpace.data(), nameSpace.size());
  auto* out = given.array<uint64_t>(2, napi_biguint64_array, 2);
  out[0] = xxh64(text.data(), text.size(), space);
  out[1] = xxh64(text.data(), text.size(), ~space);
  return toJs(env, static_cast<double>(text.size()));
}

/// sortRecords(records: BigUint64Array, count, wordsPerRecord)
napi_value sortRecordsInPlace(napi_env env, const Arguments& given) {
  const auto count = static_cast<size_t>(given.number(1)), width = static_cast<size_t>(given.number(2));
  sortRecords(given.array<uint64_t>(0, napi_biguint64_array, count * width), count, width);
  return toJs(env, static_cast<double>(count));
}

/// mergeRecordRuns(runs, wordsPerRecord, bufferBytes, outputPath, pairsPath, unique): [records, pairs]
napi_value mergeRecordRuns(napi_env env, const Arguments& given) {
  const MergeCounts counts = mergeRuns({given.runs(0), static_cast<size_t>(given.number(1)), static_cast<size_t>(given.number(2)), given.utf8(3), given.utf8(4), given.boolean(5)});
  napi_value result;
  check(napi_create_array_with_length(env, 2, &result), "an array");
  check(napi_set_element(env, result, 0, toJs(env, static_cast<double>(counts.records))), "an element");
  check(napi_set_element(env, result, 1, toJs(env, static_cast<double>(counts.pairs))), "an element");
  return result;
}

template <Function F>
void define(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<F>, nullptr, &function), name);
  check(napi_set_named_property(env, exports, name, function), name);
}

}  // namespace

void registerCorpus(napi_env env, napi_value exports) {
  define<createFold>(env, exports, "createFold");
  define<foldWords>(env, exports, "foldWords");
  define<createMinHash>(env, exports, "createMinHash");
  define<minHashSignature>(env, exports, "minHashSignature");
  define<minHashBandKeys>(env, exports, "minHashBandKeys");
  define<contentKey>(env, exports, "contentKey");
  define<sortRecordsInPlace>(env, exports, "sortRecords");
  define<mergeRecordRuns>(env, exports, "mergeRecordRuns");
}

}  // namespace perennial
