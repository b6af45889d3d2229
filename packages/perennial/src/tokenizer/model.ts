/** `model` of tokenizer.json → the native model and the table of its tokens. */
import { byteCharacters, charactersToBytes } from "./byte-characters.ts";
import { type ModelDescription, packTokens } from "./native.ts";
import { Reader } from "./reader.ts";

export interface ModelParts {
  readonly description: ModelDescription;
  /** In the order of the file. */
  readonly idOfToken: ReadonlyMap<string, number>;
  readonly unkToken: string | undefined;
}

const BLANK_MARK = "▁";
/** Above it a table with one row an id would not fit; real vocabularies end below 2²⁰. */
const MAX_ID = 2 ** 26;

/** `byteLevel`: the pre-tokenizer ends with a mapping of bytes to characters, which the model may do without. */
export function readModel(model: Reader, byteLevel: boolean): ModelParts {
  switch (model.has("type") ? model.string("type") : guessType(model)) {
    case "BPE":
      return readBpe(model, byteLevel);
    case "Unigram":
      return readUnigram(model);
    case "WordPiece": {
      const idOfToken = readVocabulary(model);
      const unkToken = model.string("unk_token");
      return {
        idOfToken,
        unkToken,
        description: {
          type: "wordpiece",
          vocab: packTokens([...idOfToken]),
          unkId: idOfToken.get(unkToken) ?? -1,
          prefix: model.string("continuing_subword_prefix"),
          maxCharacters: model.count("max_input_chars_per_word"),
        },
      };
    }
    case "WordLevel": {
      const idOfToken = readVocabulary(model);
      const unkToken = model.string("unk_token");
      return {
        idOfToken,
        unkToken,
        description: { type: "wordlevel", vocab: packTokens([...idOfToken]), unkId: idOfToken.get(unkToken) ?? -1 },
      };
    }
    default:
      throw model.wrong("type", "one of BPE, Unigram, WordPiece, WordLevel");
  }
}

/** Old files have no `type`. */
function guessType(model: Reader): string {
  if (Array.isArray(model.raw("vocab"))) return "Unigram";
  if (model.has("merges")) return "BPE";
  return model.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

function readVocabulary(model: Reader): Map<string, number> {
  const vocab = new Reader(model.raw("vocab"), model.where("vocab"));
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(model.raw("vocab") as object)) {
    if (!Number.isInteger(id) || id < 0 || id > MAX_ID) throw vocab.wrong(JSON.stringify(token), `an id from 0 to ${MAX_ID}`);
    ids.set(token, id);
  }
  return ids;
}

function readBpe(model: Reader, byteLevel: boolean): ModelParts {
  const dropout = model.raw("dropout") ?? 0;
  if (dropout !== 0) throw model.wrong("dropout", "null or 0", "set it to null: encoding is deterministic here");
  const idOfToken = readVocabulary(model);
  const prefix = model.string("continuing_subword_prefix", "");
  const suffix = model.string("end_of_word_suffix", "");
  const byteFallback = model.boolean("byte_fallback", false);
  const ignoreMerges = model.boolean("ignore_merges", false);
  const pairs = readMerges(model);
  const merges = new Int32Array(pairs.length * 3);
  pairs.forEach(([left, right], i) => {
    const result = left + right.slice(prefix.length);
    [left, right, result].forEach((token, k) => {
      const id = idOfToken.get(token);
      if (id === undefined) throw model.wrong("merges", `only tokens of the vocabulary (merge ${i + 1} needs ${JSON.stringify(token)})`);
      merges[i * 3 + k] = id;
    });
  });
  // Raw bytes are faster than characters that stand for them, and give the same ids where every byte is a token.
  const raw = byteLevel && prefix === "" && suffix === "" && !byteFallback && byteCharacters.every((character) => idOfToken.has(character));
  // Where every byte is a token nothing is unknown: some files name a token there that is none.
  const unkToken = (model.has("unk_token") && model.string("unk_token")) || undefined;
  const unkId = unkToken === undefined ? -1 : (idOfToken.get(unkToken) ?? (raw ? -1 : missing(model, "unk_token")));
  const tokens: [string | Uint8Array, number][] = [];
  for (const [token, id] of idOfToken) {
    const bytes = raw ? charactersToBytes(token) : token;
    if (bytes !== undefined) tokens.push([bytes, id]);
  }
  const mergesAcross = pairs.some(([left, right]) => right.startsWith(BLANK_MARK) && !left.endsWith(BLANK_MARK));
  return {
    idOfToken,
    unkToken,
    description: {
      type: "bpe",
      vocab: packTokens(tokens),
      merges,
      unkId,
      byteLevel: raw,
      fuseUnk: model.boolean("fuse_unk", false),
      byteFallback,
      ignoreMerges,
      cutBeforeBlankMark: !raw && !ignoreMerges && !mergesAcross && prefix === "" && suffix === "" && idOfToken.has(BLANK_MARK),
      prefix,
      suffix,
    },
  };
}

/** Pairs, or in older files "left right" lines. */
function readMerges(model: Reader): [string, string][] {
  const pairs: [string, string][] = [];
  model.array("merges").forEach((merge, i) => {
    if (typeof merge === "string" && merge.startsWith("#version")) return;
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || typeof pair[1] !== "string")
      throw model.wrong("merges", `pairs of tokens (number ${i + 1} is none)`);
    pairs.push([pair[0], pair[1]]);
  });
  return pairs;
}

function readUnigram(model: Reader): ModelParts {
  const tokens: [string, number][] = [];
  const scores: number[] = [];
  model.array("vocab").forEach((entry, i) => {
    if (!Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "number")
      throw model.wrong("vocab", `pairs of token and score (number ${i + 1} is none)`);
    tokens.push([entry[0], i]);
    scores.push(entry[1]);
  });
  const unkId = model.has("unk_id") ? model.count("unk_id") : -1;
  if (unkId >= tokens.length) throw model.wrong("unk_id", `an id below ${tokens.length}`);
  return {
    idOfToken: new Map(tokens),
    unkToken: tokens[unkId]?.[0],
    description: {
      type: "unigram",
      vocab: packTokens(tokens),
      scores: Float64Array.from(scores),
      unkId,
      byteFallback: model.boolean("byte_fallback", false),
    },
  };
}

function missing(model: Reader, key: string): never {
  throw model.wrong(key, "a token of the vocabulary");
}
