/** `normalizer` and `pre_tokenizer` of tokenizer.json → the steps of the native pipeline. A part that is not supported is an error. */
import type { Behavior, NormalizerStep, Pattern, PreTokenizerStep } from "./native.ts";
import type { Reader } from "./reader.ts";
import { compileRegex, RegexError } from "./regex.ts";

const BEHAVIORS: readonly Behavior[] = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** GPT-2's own pattern, which ByteLevel with `use_regex` applies. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const cl100kPattern = (digits: string) =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const o200kPattern = (digits: string, contractions: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${contractions}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${contractions}|${digits}${REST}`;

export const LLAMA3_PATTERN = cl100kPattern("\\p{N}{1,3}");
export const QWEN2_PATTERN = cl100kPattern("\\p{N}");
export const O200K_PATTERN = o200kPattern("\\p{N}{1,3}", `${CONTRACTIONS}?`);
export const TEKKEN_PATTERN = o200kPattern("\\p{N}", "");

/** Patterns with a hand-written matcher (native/tokenizer/matchers.h). */
export const KNOWN_PATTERNS: ReadonlyMap<string, PreTokenizerStep> = new Map<string, PreTokenizerStep>([
  [GPT2_PATTERN, { type: "Known", family: "gpt2", digits: 0, contractions: true }],
  [
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    { type: "Known", family: "gpt2", digits: 0, contractions: true },
  ],
  [LLAMA3_PATTERN, { type: "Known", family: "cl100k", digits: 3, contractions: true }],
  [QWEN2_PATTERN, { type: "Known", family: "cl100k", digits: 1, contractions: true }],
  [O200K_PATTERN, { type: "Known", family: "o200k", digits: 3, contractions: true }],
  [TEKKEN_PATTERN, { type: "Known", family: "o200k", digits: 1, contractions: false }],
]);

/** { "String": … } or { "Regex": … }. */
function readPattern(step: Reader): { text: string; pattern: Pattern; isRegex: boolean } {
  const given = step.object("pattern");
  const isRegex = given.has("Regex");
  const text = given.string(isRegex ? "Regex" : "String");
  if (text === "") throw given.wrong(isRegex ? "Regex" : "String", "a pattern that is not empty");
  if (!isRegex) return { text, isRegex, pattern: { literal: text } };
  try {
    return { text, isRegex, pattern: { regex: compileRegex(text) } };
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw given.wrong("Regex", `a supported regular expression (this one has ${error.message})`);
  }
}

export function readNormalizers(step: Reader): NormalizerStep[] {
  const type = step.string("type");
  switch (type) {
    case "Sequence":
      return step.objects("normalizers").flatMap(readNormalizers);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
    case "Lowercase":
    case "StripAccents":
    case "Nmt":
    case "ByteLevel":
      return [{ type }];
    case "Strip":
      return [{ type, left: step.boolean("strip_left"), right: step.boolean("strip_right") }];
    case "Prepend":
      return [{ type, text: step.string("prepend") }];
    case "Replace":
      return [{ type, content: step.string("content"), ...readPattern(step).pattern }];
    case "Precompiled":
      return [{ type, map: Buffer.from(step.string("precompiled_charsmap"), "base64") }];
    case "BertNormalizer": {
      const lowercase = step.boolean("lowercase");
      return [
        {
          type: "Bert",
          cleanText: step.boolean("clean_text"),
          handleChineseChars: step.boolean("handle_chinese_chars"),
          stripAccents: step.boolean("strip_accents", lowercase),
          lowercase,
        },
      ];
    }
    default:
      throw step.wrong("type", "a supported normalizer");
  }
}

export function readPreTokenizers(step: Reader): PreTokenizerStep[] {
  const type = step.string("type");
  switch (type) {
    case "Sequence":
      return step.objects("pretokenizers").flatMap(readPreTokenizers);
    case "ByteLevel": {
      const steps: PreTokenizerStep[] = [];
      if (step.boolean("add_prefix_space")) steps.push({ type: "PrefixSpace" });
      if (step.boolean("use_regex", true)) steps.push(KNOWN_PATTERNS.get(GPT2_PATTERN)!);
      return [...steps, { type: "ByteCharacters" }];
    }
    case "Split": {
      const { text, pattern, isRegex } = readPattern(step);
      const behavior = step.oneOf("behavior", BEHAVIORS);
      const invert = step.boolean("invert");
      const known = isRegex ? KNOWN_PATTERNS.get(text) : undefined;
      // These patterns match every character, so with `Removed` inverted, matches are what is kept: the same pieces.
      if (known && ((behavior === "Isolated" && !invert) || (behavior === "Removed" && invert))) return [known];
      return [{ type: "Pattern", behavior, invert, ...pattern }];
    }
    case "Digits":
      return [{ type, individual: step.boolean("individual_digits") }];
    case "Punctuation":
      return [{ type, behavior: step.oneOf("behavior", BEHAVIORS, "Isolated") }];
    case "Whitespace":
      return [{ type: "Words" }];
    case "WhitespaceSplit":
      return [{ type: "Blanks" }];
    case "BertPreTokenizer":
      return [{ type: "Bert" }];
    case "CharDelimiterSplit":
      return [{ type: "Delimiter", character: oneCharacter(step, "delimiter") }];
    case "FixedLength": {
      const length = step.count("length", 5);
      if (length < 1) throw step.wrong("length", "a number above 0");
      return [{ type, length }];
    }
    case "Metaspace":
      return [readMetaspace(step)];
    default:
      throw step.wrong("type", "a supported pre-tokenizer");
  }
}

export function readMetaspace(step: Reader): PreTokenizerStep & { type: "Metaspace" } {
  let prepend = step.oneOf("prepend_scheme", ["always", "first", "never"] as const, "always");
  if (step.raw("add_prefix_space") === false) {
    if (step.has("prepend_scheme") && prepend !== "never") throw step.wrong("prepend_scheme", "never, as add_prefix_space is false");
    prepend = "never";
  }
  return { type: "Metaspace", mark: oneCharacter(step, "replacement"), prepend, split: step.boolean("split", true) };
}

export function oneCharacter(step: Reader, key: string): string {
  const text = step.string(key);
  if (Array.from(text).length !== 1) throw step.wrong(key, "one character");
  return text;
}
