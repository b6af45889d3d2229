// The tokenizer's functions for JavaScript. The description that `tokenizerCreate` reads is written by
// src/tokenizer/compile.ts, which has checked it; what is wrong here all the same is an error, never a crash.
#include "../binding.h"

#include <algorithm>
#include <map>

#include "../registry.h"
#include "pipeline.h"
#include "trainer.h"

namespace perennial {

namespace {

constexpr napi_type_tag kPipelineTag = {0x7065726e5f746f6bull, 0x656e697a65720001ull};
constexpr napi_type_tag kTrainerTag = {0x7065726e5f627065ull, 0x747261696e650002ull};

std::string text(napi_env env, napi_value object, const char* name) { return toString(env, required(env, object, name), name); }
bool flag(napi_env env, napi_value object, const char* name) { return toBool(env, required(env, object, name), name); }
int32_t integer(napi_env env, napi_value object, const char* name) {
  return static_cast<int32_t>(toNumber(env, required(env, object, name), name));
}
std::vector<int32_t> integers(napi_env env, napi_value value, const char* what) {
  const auto span = typedArray<const int32_t>(env, value, napi_int32_array, what);
  return {span.begin(), span.end()};
}

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { check(env, napi_open_handle_scope(env, &scope_), "cannot open a scope"); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

template <typename Each>
void forEach(napi_env env, napi_value array, Each&& each) {
  const uint32_t length = arrayLength(env, array);
  for (uint32_t i = 0; i < length; i++) {
    const HandleScope scope(env);
    each(element(env, array, i));
  }
}

Tokens readTokens(napi_env env, napi_value value) {
  Tokens tokens;
  const auto bytes = bytesOf(env, required(env, value, "bytes"));
  tokens.bytes.assign(bytes.begin(), bytes.end());
  const auto ends = typedArray<const uint32_t>(env, required(env, value, "ends"), napi_uint32_array, "ends: expected a Uint32Array");
  tokens.ends.assign(ends.begin(), ends.end());
  tokens.ids = integers(env, required(env, value, "ids"), "ids: expected an Int32Array");
  if (tokens.ends.size() != tokens.ids.size() || !std::is_sorted(tokens.ends.begin(), tokens.ends.end()) ||
      (!tokens.ends.empty() && tokens.ends.back() > tokens.bytes.size()) ||
      std::any_of(tokens.ids.begin(), tokens.ids.end(), [](int32_t id) { return id < 0; }))
    throw ArgumentError("model.vocab: bytes, ends and ids do not fit together");
  return tokens;
}

std::unique_ptr<Model> readModel(napi_env env, napi_value value) {
  const std::string type = text(env, value, "type");
  Tokens tokens = readTokens(env, required(env, value, "vocab"));
  const int32_t unkId = integer(env, value, "unkId");
  if (type == "bpe") {
    BpeOptions options;
    options.byteLevel = flag(env, value, "byteLevel");
    options.fuseUnk = flag(env, value, "fuseUnk");
    options.byteFallback = flag(env, value, "byteFallback");
    options.ignoreMerges = flag(env, value, "ignoreMerges");
    options.cutBeforeBlankMark = flag(env, value, "cutBeforeBlankMark");
    options.unkId = unkId;
    options.prefix = text(env, value, "prefix");
    options.suffix = text(env, value, "suffix");
    const auto merges = integers(env, required(env, value, "merges"), "model.merges: expected an Int32Array");
    return std::make_unique<Bpe>(std::move(tokens), merges, std::move(options));
  }
  if (type == "unigram") {
    const auto scores = typedArray<const double>(env, required(env, value, "scores"), napi_float64_array, "scores: expected a Float64Array");
    if (scores.size() != tokens.size()) throw ArgumentError("model.vocab: one score for each token is needed");
    if (unkId >= static_cast<int32_t>(tokens.size())) throw ArgumentError("model.unk_id lies beyond the vocabulary");
    return std::make_unique<Unigram>(std::move(tokens), std::vector<double>(scores.begin(), scores.end()), unkId, flag(env, value, "byteFallback"));
  }
  if (type == "wordpiece")
    return std::make_unique<WordPiece>(std::move(tokens), unkId, text(env, value, "prefix"), static_cast<size_t>(integer(env, value, "maxCharacters")));
  if (type == "wordlevel") return std::make_unique<WordLevel>(std::move(tokens), unkId);
  throw ArgumentError("model.type is unknown: " + type);
}

/** { regex: { program, sets } } or { literal }. */
std::shared_ptr<Regex> readRegex(napi_env env, napi_value value) {
  const auto given = property(env, value, "regex");
  if (!given) return nullptr;
  std::vector<CharacterSet> sets;
  forEach(env, required(env, *given, "sets"), [&](napi_value set) { sets.emplace_back(integers(env, set, "a character set: expected an Int32Array")); });
  return std::make_shared<Regex>(integers(env, required(env, *given, "program"), "a regex program: expected an Int32Array"), std::move(sets));
}
std::string readLiteral(napi_env env, napi_value value) {
  const auto given = property(env, value, "literal");
  std::string literal = given ? toString(env, *given, "literal") : std::string();
  if (!property(env, value, "regex") && literal.empty()) throw ArgumentError("a pattern is neither a regex nor a text");
  return literal;
}

Normalizer readNormalizer(napi_env env, napi_value value) {
  const std::string type = text(env, value, "type");
  if (type == "NFC") return normalizers::UnicodeForm{unicode::Form::nfc};
  if (type == "NFD") return normalizers::UnicodeForm{unicode::Form::nfd};
  if (type == "NFKC") return normalizers::UnicodeForm{unicode::Form::nfkc};
  if (type == "NFKD") return normalizers::UnicodeForm{unicode::Form::nfkd};
  if (type == "Lowercase") return normalizers::Lowercase{};
  if (type == "StripAccents") return normalizers::StripAccents{};
  if (type == "Nmt") return normalizers::Nmt{};
  if (type == "ByteLevel") return normalizers::ByteLevel{};
  if (type == "Strip") return normalizers::Strip{flag(env, value, "left"), flag(env, value, "right")};
  if (type == "Prepend") return normalizers::Prepend{text(env, value, "text")};
  if (type == "Replace") return normalizers::Replace{readLiteral(env, value), readRegex(env, value), text(env, value, "content")};
  if (type == "Precompiled") {
    const auto blob = bytesOf(env, required(env, value, "map"));
    return normalizers::Precompiled{std::make_shared<CharacterMap>(std::string_view(reinterpret_cast<const char*>(blob.data()), blob.size()))};
  }
  if (type == "Bert")
    return normalizers::Bert{flag(env, value, "cleanText"), flag(env, value, "handleChineseChars"), flag(env, value, "stripAccents"),
                             flag(env, value, "lowercase")};
  throw ArgumentError("normalizer.type is unknown: " + type);
}

Behavior readBehavior(napi_env env, napi_value value) {
  static const std::map<std::string, Behavior> names = {{"Removed", Behavior::removed},
                                                        {"Isolated", Behavior::isolated},
                                                        {"MergedWithPrevious", Behavior::mergedWithPrevious},
                                                        {"MergedWithNext", Behavior::mergedWithNext},
                                                        {"Contiguous", Behavior::contiguous}};
  const std::string name = text(env, value, "behavior");
  const auto found = names.find(name);
  if (found == names.end()) throw ArgumentError("behavior is unknown: " + name);
  return found->second;
}

Step readStep(napi_env env, napi_value value) {
  const std::string type = text(env, value, "type");
  if (type == "Known") {
    const std::string name = text(env, value, "family");
    const Family family = name == "gpt2" ? Family::gpt2 : name == "cl100k" ? Family::cl100k : Family::o200k;
    return steps::Known{family, integer(env, value, "digits"), flag(env, value, "contractions")};
  }
  if (type == "Pattern") return steps::Pattern{readRegex(env, value), readLiteral(env, value), readBehavior(env, value), flag(env, value, "invert")};
  if (type == "Digits") return steps::Digits{flag(env, value, "individual")};
  if (type == "Punctuation") return steps::Punctuation{readBehavior(env, value)};
  if (type == "Blanks") return steps::Blanks{};
  if (type == "Words") return steps::Words{};
  if (type == "Bert") return steps::Bert{};
  if (type == "Delimiter") {
    const std::string delimiter = text(env, value, "character");
    if (delimiter.empty()) throw ArgumentError("delimiter is empty");
    return steps::Delimiter{unicode::peek(delimiter.data())};
  }
  if (type == "FixedLength") return steps::FixedLength{static_cast<size_t>(std::max(1, integer(env, value, "length")))};
  if (type == "Metaspace") {
    const std::string scheme = text(env, value, "prepend"), mark = text(env, value, "mark");
    if (mark.empty()) throw ArgumentError("replacement is empty");
    return steps::Metaspace{mark, scheme == "always" ? Prepend::always : scheme == "first" ? Prepend::first : Prepend::never, flag(env, value, "split")};
  }
  if (type == "PrefixSpace") return steps::PrefixSpace{};
  if (type == "ByteCharacters") return steps::ByteCharacters{};
  throw ArgumentError("pre_tokenizer.type is unknown: " + type);
}

napi_value create(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    napi_value description = arguments[0];
    std::vector<AddedToken> added;
    forEach(env, required(env, description, "added"), [&](napi_value token) {
      added.push_back({text(env, token, "content"), integer(env, token, "id"), flag(env, token, "singleWord"), flag(env, token, "lstrip"),
                       flag(env, token, "rstrip"), flag(env, token, "normalized"), flag(env, token, "special")});
    });
    std::vector<Normalizer> normalizers;
    forEach(env, required(env, description, "normalizers"), [&](napi_value value) { normalizers.push_back(readNormalizer(env, value)); });
    std::vector<Step> chain;
    forEach(env, required(env, description, "steps"), [&](napi_value value) { chain.push_back(readStep(env, value)); });
    auto pipeline = std::make_shared<Pipeline>(std::move(added), std::move(normalizers), std::move(chain),
                                               readModel(env, required(env, description, "model")),
                                               integers(env, required(env, description, "prefix"), "prefix: expected an Int32Array"),
                                               integers(env, required(env, description, "suffix"), "suffix: expected an Int32Array"));
    return newHandle<Pipeline>(env, kPipelineTag, std::move(pipeline));
  });
}

std::shared_ptr<Pipeline> pipelineOf(napi_env env, napi_value value) { return fromHandle<Pipeline>(env, value, kPipelineTag, "expected a tokenizer"); }

/** Texts of a batch: strings are copied; bytes are copied too where the work outlives the call. */
class Texts {
 public:
  Texts(napi_env env, napi_value array, bool keepBytes) {
    struct Part {
      const char* data;  // null: in the arena
      size_t begin, size;
    };
    std::vector<Part> parts;
    parts.reserve(arrayLength(env, array));
    forEach(env, array, [&](napi_value value) {
      if (typeOf(env, value) == napi_string) {
        size_t length = 0;
        check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length), "expected a text");
        const size_t begin = arena_.size();
        if (arena_.capacity() < begin + length + 1) arena_.reserve(std::max(begin + length + 1, arena_.capacity() * 2));
        arena_.resize(begin + length + 1);
        check(env, napi_get_value_string_utf8(env, value, arena_.data() + begin, length + 1, &length), "expected a text");
        arena_.resize(begin + length);
        parts.push_back({nullptr, begin, length});
      } else {
        const auto bytes = bytesOf(env, value, "expected texts: strings or Uint8Arrays");
        const auto* data = reinterpret_cast<const char*>(bytes.data());
        parts.push_back({keepBytes ? nullptr : data, arena_.size(), bytes.size()});
        if (keepBytes) arena_.append(data, bytes.size());
      }
    });
    views.reserve(parts.size());
    for (const Part& part : parts) views.emplace_back(part.data ? part.data : arena_.data() + part.begin, part.size);
  }
  std::vector<std::string_view> views;

 private:
  std::string arena_;
};

/** A single text; a string's UTF-8 is written into a buffer that is used again and again. */
std::string_view oneText(napi_env env, napi_value value) {
  if (typeOf(env, value) != napi_string) {
    const auto bytes = bytesOf(env, value, "expected a text: a string or a Uint8Array");
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  thread_local std::string buffer;
  size_t length = 0;
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length), "expected a text");
  buffer.resize(length);
  check(env, napi_get_value_string_utf8(env, value, buffer.data(), length + 1, &length), "expected a text");
  return buffer;
}

napi_value encode(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto pipeline = pipelineOf(env, arguments[0]);
    const EncodeOptions options{toBool(env, arguments[2]), toBool(env, arguments[3])};
    std::vector<int32_t> ids;
    Pipeline::Lease scratch(*pipeline);
    pipeline->encode(oneText(env, arguments[1]), options, *scratch, ids);
    return newTypedArray<int32_t>(env, napi_int32_array, ids);
  });
}

struct Batch {
  std::vector<std::vector<int32_t>> parts;
  std::vector<uint32_t> counts;
};

/** { ids: Int32Array, offsets: Float64Array }: text i has ids[offsets[i], offsets[i+1]). */
napi_value toObject(napi_env env, const Batch& batch) {
  size_t total = 0;
  for (const auto& part : batch.parts) total += part.size();
  void* data = nullptr;
  napi_value buffer = newArrayBuffer(env, total * sizeof(int32_t), &data), ids, offsets;
  auto* to = static_cast<int32_t*>(data);
  for (const auto& part : batch.parts) to = std::copy(part.begin(), part.end(), to);
  check(env, napi_create_typedarray(env, napi_int32_array, total, buffer, 0, &ids), "cannot create a typed array");
  buffer = newArrayBuffer(env, (batch.counts.size() + 1) * sizeof(double), &data);
  auto* offset = static_cast<double*>(data);
  offset[0] = 0;
  for (size_t i = 0; i < batch.counts.size(); i++) offset[i + 1] = offset[i] + batch.counts[i];
  check(env, napi_create_typedarray(env, napi_float64_array, batch.counts.size() + 1, buffer, 0, &offsets), "cannot create a typed array");
  napi_value result = newObject(env);
  set(env, result, "ids", ids);
  set(env, result, "offsets", offsets);
  return result;
}

napi_value encodeBatch(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto pipeline = pipelineOf(env, arguments[0]);
    const EncodeOptions options{toBool(env, arguments[2]), toBool(env, arguments[3])};
    const auto threads = static_cast<unsigned>(std::clamp(toNumber(env, arguments[4]), 1.0, 1024.0));
    const bool asynchronous = toBool(env, arguments[5]);
    auto texts = std::make_shared<Texts>(env, arguments[1], asynchronous);
    auto batch = std::make_shared<Batch>();
    const auto work = [=] { batch->parts = pipeline->encodeBatch(texts->views, options, threads, batch->counts); };
    if (asynchronous) return promise(env, work, [batch](napi_env done) { return toObject(done, *batch); });
    work();
    return toObject(env, *batch);
  });
}

napi_value normalize(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto pipeline = pipelineOf(env, arguments[0]);
    return newString(env, pipeline->normalized(unicode::repaired(oneText(env, arguments[1]))));
  });
}

napi_value pieces(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto pipeline = pipelineOf(env, arguments[0]);
    Pipeline::Lease scratch(*pipeline);
    napi_value result;
    check(env, napi_create_array(env, &result), "cannot create an array");
    uint32_t count = 0;
    pipeline->pieces(std::string(oneText(env, arguments[1])), *scratch, [&](std::string_view piece) {
      check(env, napi_set_element(env, result, count++, newString(env, std::string(piece))), "cannot fill an array");
    });
    return result;
  });
}

napi_value encodePiece(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto pipeline = pipelineOf(env, arguments[0]);
    const std::string_view piece = oneText(env, arguments[1]);
    std::vector<int32_t> ids;
    Pipeline::Lease scratch(*pipeline);
    if (!piece.empty()) pipeline->encodePiece(piece, *scratch, ids);
    return newTypedArray<int32_t>(env, napi_int32_array, ids);
  });
}

std::shared_ptr<Trainer> trainerOf(napi_env env, napi_value value) { return fromHandle<Trainer>(env, value, kTrainerTag, "expected a trainer"); }

napi_value trainerCreate(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto maxWords = static_cast<size_t>(std::max(1.0, toNumber(env, arguments[1])));
    return newHandle<Trainer>(env, kTrainerTag, std::make_shared<Trainer>(pipelineOf(env, arguments[0]), maxWords, toBool(env, arguments[2])));
  });
}

napi_value trainerFeed(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto trainer = trainerOf(env, arguments[0]);
    auto texts = std::make_shared<Texts>(env, arguments[1], true);
    const auto threads = static_cast<unsigned>(std::clamp(toNumber(env, arguments[2]), 1.0, 1024.0));
    const bool isProtected = toBool(env, arguments[3]);
    return promise(
        env, [=] { trainer->feed(texts->views, threads, isProtected); },
        [](napi_env done) {
          napi_value nothing;
          check(done, napi_get_undefined(done, &nothing), "cannot return");
          return nothing;
        });
  });
}

napi_value trainerCharacters(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto characters = trainerOf(env, arguments[0])->characters();
    std::vector<uint32_t> codePoints;
    std::vector<double> counts;
    std::vector<uint8_t> isProtected;
    for (const auto& character : characters) {
      codePoints.push_back(character.codePoint);
      counts.push_back(static_cast<double>(character.count));
      isProtected.push_back(character.isProtected);
    }
    napi_value result = newObject(env);
    set(env, result, "codePoints", newTypedArray<uint32_t>(env, napi_uint32_array, codePoints));
    set(env, result, "counts", newTypedArray<double>(env, napi_float64_array, counts));
    set(env, result, "isProtected", newTypedArray<uint8_t>(env, napi_uint8_array, isProtected));
    return result;
  });
}

/** Tokens by id; an id without one is empty. */
std::vector<std::string> tokensById(napi_env env, napi_value value) {
  const Tokens tokens = readTokens(env, value);
  std::vector<std::string> byId;
  for (size_t i = 0; i < tokens.size(); i++) {
    const auto id = static_cast<size_t>(tokens.ids[i]);
    if (id > 1u << 28) throw ArgumentError("a token id is larger than 2^28");
    if (byId.size() <= id) byId.resize(id + 1);
    byId[id] = tokens.at(i);
  }
  return byId;
}

std::vector<bool> inertOf(napi_env env, napi_value given) {
  std::vector<bool> inert;
  for (const int32_t id : integers(env, required(env, given, "inertIds"), "inertIds: expected an Int32Array")) {
    if (id < 0) throw ArgumentError("inertIds: expected ids");
    if (inert.size() <= static_cast<size_t>(id)) inert.resize(static_cast<size_t>(id) + 1);
    inert[static_cast<size_t>(id)] = true;
  }
  return inert;
}

std::shared_ptr<Pipeline> symbolsOf(napi_env env, napi_value given) {
  const auto value = property(env, given, "symbols");
  return value ? pipelineOf(env, *value) : nullptr;
}

void setStats(napi_env env, napi_value result, const Trainer::Stats& stats) {
  set(env, result, "words", newNumber(env, static_cast<double>(stats.words)));
  set(env, result, "differentWords", newNumber(env, static_cast<double>(stats.differentWords)));
  set(env, result, "forgottenWords", newNumber(env, static_cast<double>(stats.forgotten)));
}

napi_value trainerTrain(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto trainer = trainerOf(env, arguments[0]);
    napi_value given = arguments[1];
    auto options = std::make_shared<TrainOptions>();
    options->symbols = symbolsOf(env, given);
    options->inert = inertOf(env, given);
    options->tokens = tokensById(env, required(env, given, "tokens"));
    options->byteIds = integers(env, required(env, given, "byteIds"), "byteIds: expected an Int32Array");
    if (!options->byteIds.empty() && options->byteIds.size() != 256) throw ArgumentError("byteIds: expected 256 ids");
    for (const int32_t id : options->byteIds)
      if (id < 0 || static_cast<size_t>(id) >= options->tokens.size()) throw ArgumentError("byteIds: an id is no token");
    options->vocabSize = static_cast<size_t>(toNumber(env, required(env, given, "vocabSize")));
    options->numTokens = static_cast<size_t>(toNumber(env, required(env, given, "numTokens")));
    options->minFrequency = static_cast<uint64_t>(toNumber(env, required(env, given, "minFrequency")));
    options->keepOld = flag(env, given, "keepOld");
    auto trained = std::make_shared<Trained>();
    auto stats = std::make_shared<Trainer::Stats>();
    return promise(
        env,
        [=] {
          *trained = trainer->trainBpe(*options);
          *stats = trainer->stats();
        },
        [trained, stats](napi_env done) {
          std::string bytes;
          std::vector<uint32_t> ends;
          for (const auto& token : trained->tokens) {
            bytes += token;
            ends.push_back(static_cast<uint32_t>(bytes.size()));
          }
          const std::vector<uint8_t> raw(bytes.begin(), bytes.end());
          const std::vector<double> counts(trained->counts.begin(), trained->counts.end());
          napi_value result = newObject(done);
          set(done, result, "merges", newTypedArray<int32_t>(done, napi_int32_array, trained->merges));
          set(done, result, "counts", newTypedArray<double>(done, napi_float64_array, counts));
          set(done, result, "bytes", newTypedArray<uint8_t>(done, napi_uint8_array, raw));
          set(done, result, "ends", newTypedArray<uint32_t>(done, napi_uint32_array, ends));
          setStats(done, result, *stats);
          return result;
        });
  });
}

napi_value trainerTrainUnigram(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments arguments(env, info);
    const auto trainer = trainerOf(env, arguments[0]);
    napi_value given = arguments[1];
    auto options = std::make_shared<UnigramOptions>();
    options->symbols = symbolsOf(env, given);
    options->inert = inertOf(env, given);
    options->tokens = tokensById(env, required(env, given, "tokens"));
    const Tokens known = readTokens(env, required(env, given, "known"));
    for (size_t i = 0; i < known.size(); i++) options->known.emplace(known.at(i));
    options->numPieces = static_cast<size_t>(toNumber(env, required(env, given, "numPieces")));
    options->maxSymbols = static_cast<size_t>(toNumber(env, required(env, given, "maxSymbols")));
    options->minFrequency = static_cast<uint64_t>(toNumber(env, required(env, given, "minFrequency")));
    options->keepOld = flag(env, given, "keepOld");
    options->threads = static_cast<unsigned>(std::clamp(toNumber(env, required(env, given, "threads")), 1.0, 1024.0));
    auto trained = std::make_shared<TrainedUnigram>();
    auto stats = std::make_shared<Trainer::Stats>();
    return promise(
        env,
        [=] {
          *trained = trainer->trainUnigram(*options);
          *stats = trainer->stats();
        },
        [trained, stats](napi_env done) {
          napi_value result = newObject(done);
          set(done, result, "symbols", newTypedArray<uint32_t>(done, napi_uint32_array, trained->symbols));
          set(done, result, "ends", newTypedArray<uint32_t>(done, napi_uint32_array, trained->ends));
          set(done, result, "scores", newTypedArray<double>(done, napi_float64_array, trained->scores));
          set(done, result, "counts", newTypedArray<double>(done, napi_float64_array, trained->counts));
          set(done, result, "symbolScores", newTypedArray<double>(done, napi_float64_array, trained->symbolScores));
          set(done, result, "logLikelihood", newNumber(done, trained->logLikelihood));
          setStats(done, result, *stats);
          return result;
        });
  });
}

void registerTokenizer(napi_env env, napi_value exports) {
  exportFunction(env, exports, "tokenizerCreate", create);
  exportFunction(env, exports, "tokenizerEncode", encode);
  exportFunction(env, exports, "tokenizerEncodeBatch", encodeBatch);
  exportFunction(env, exports, "tokenizerNormalize", normalize);
  exportFunction(env, exports, "tokenizerPieces", pieces);
  exportFunction(env, exports, "tokenizerEncodePiece", encodePiece);
  exportFunction(env, exports, "trainerCreate", trainerCreate);
  exportFunction(env, exports, "trainerFeed", trainerFeed);
  exportFunction(env, exports, "trainerCharacters", trainerCharacters);
  exportFunction(env, exports, "trainerTrain", trainerTrain);
  exportFunction(env, exports, "trainerTrainUnigram", trainerTrainUnigram);
}

const Unit unit(registerTokenizer);

}  // namespace

}  // namespace perennial
