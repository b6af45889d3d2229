/** A tokenizer → the metadata of a GGUF file. Errors: what llama.cpp cannot do as this tokenizer does it. */
import { FieldError } from "../../errors.ts";
import type { WrittenMetadata, WrittenValue } from "../../gguf/write.ts";
import { byteCharacters } from "../byte-characters.ts";
import { ByteTokenizer } from "../byte-tokenizer.ts";
import { JsonTokenizer } from "../json-tokenizer.ts";
import { Reader } from "../reader.ts";
import { readPreTokenizers } from "../steps.ts";
import type { Tokenizer } from "../tokenizer.ts";
import { BYTE, CONTROL, chatTemplateEntries, fillerName, NORMAL, STORED, UNKNOWN, UNUSED, USER_DEFINED } from "./metadata.ts";
import { preTokenizations } from "./pre-tokenizers.ts";
import { scoresOf } from "./scores.ts";

/** `rows`: of the embedding; those without a token get a name of their own. */
export function tokenizerEntries(tokenizer: Tokenizer, rows: number): WrittenMetadata {
  const { bos, eos, pad, unk } = tokenizer.specialTokens;
  const entries = new Map<string, WrittenValue>(vocabularyEntries(tokenizer, rows));
  const roles = { bos, eos, eot: tokenizer.endIds.find((id) => id !== eos), unknown: unk, padding: pad };
  for (const [role, id] of Object.entries(roles)) if (id !== undefined) entries.set(`tokenizer.ggml.${role}_token_id`, id);
  if (tokenizer instanceof JsonTokenizer) {
    entries.set(STORED, Buffer.from(tokenizer.files.get("tokenizer.json")!).toString("utf8"));
    const template = chatTemplate(tokenizer);
    if (template !== undefined) for (const [key, value] of chatTemplateEntries(template)) entries.set(key, value);
  }
  return entries;
}

/** The entries that decide the ids of a text. */
export function vocabularyEntries(tokenizer: Tokenizer, rows: number): WrittenMetadata {
  if (tokenizer instanceof ByteTokenizer) return byteEntries(tokenizer, rows);
  if (!(tokenizer instanceof JsonTokenizer))
    throw new FieldError("EXPORT_GGUF", { at: "tokenizer", expected: "a tokenizer.json or bytes", received: typeof tokenizer });
  const root = new Reader(tokenizer.json, "tokenizer.json");
  const model = root.object("model");
  const type = model.string("type", "BPE");
  if (type !== "BPE")
    throw model.wrong("type", "BPE, which is all that llama.cpp's decoders can use", "keep this model as a Hugging Face folder");
  for (const affix of ["continuing_subword_prefix", "end_of_word_suffix"])
    if (model.string(affix, "") !== "") throw model.wrong(affix, "nothing, for GGUF");
  const byteLevel = root.has("pre_tokenizer") && steps(root.raw("pre_tokenizer")).some((step) => step.type === "ByteCharacters");
  return new Map<string, WrittenValue>([
    ...(byteLevel ? byteLevelEntries(tokenizer, root, model, rows) : pieceEntries(tokenizer, root, model, rows)),
    ...aroundEntries(tokenizer, root),
  ]);
}

const steps = (json: unknown) => readPreTokenizers(new Reader(json, "pre_tokenizer"));
function byteLevelEntries(tokenizer: JsonTokenizer, root: Reader, model: Reader, rows: number): [string, WrittenValue][] {
  // llama.cpp has no normalization; NFC changes what is not in that form already, which is rare enough to be let go.
  if (root.has("normalizer") && root.object("normalizer").string("type") !== "NFC")
    throw root.wrong("normalizer", "none, or NFC, for GGUF", "keep this model as a Hugging Face folder");
  const ignoreMerges = model.boolean("ignore_merges", false);
  const given = JSON.stringify(steps(root.raw("pre_tokenizer")));
  const same = preTokenizations.filter(({ steps: known }) => JSON.stringify(steps({ type: "Sequence", pretokenizers: known })) === given);
  const found = same.find((one) => one.ignoreMerges === ignoreMerges);
  if (found === undefined)
    throw same.length > 0
      ? model.wrong("ignore_merges", `${!ignoreMerges}, as llama.cpp has it with this pre_tokenizer`)
      : root.wrong("pre_tokenizer", "one that llama.cpp knows by name (tokenizer.ggml.pre)", "keep this model as a Hugging Face folder");
  return [
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", found.names[0]!],
    ...tokenEntries(tokenizer, rows, () => NORMAL),
    ["tokenizer.ggml.merges", mergePairs(model).map(([left, right]) => `${left} ${right}`)],
  ];
}

function pieceEntries(tokenizer: JsonTokenizer, root: Reader, model: Reader, rows: number): [string, WrittenValue][] {
  const vocabulary = new Map(Object.entries(model.raw("vocab") as Record<string, number>));
  const { scores, missing } = scoresOf(vocabulary, mergePairs(model));
  if (missing !== undefined)
    throw model.wrong(
      "merges",
      `a merge of ${missing.map((part) => JSON.stringify(part)).join(" and ")}, as SentencePiece has it, which is how llama.cpp reads a tokenizer of pieces`,
      "keep this model as a Hugging Face folder",
    );
  const all = new Float32Array(rows).fill(-scores.length);
  all.set(scores.subarray(0, rows));
  return [
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.add_space_prefix", prefixesBlank(root)],
    ...tokenEntries(tokenizer, rows, (token) => (/^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : NORMAL)),
    ["tokenizer.ggml.scores", all],
  ];
}

/** Whether a blank is put before a text. Errors: any other way of preparing a text than turning its blanks into marks. */
function prefixesBlank(root: Reader): boolean {
  const normalizers = flat(root, "normalizer", "normalizers");
  const preTokenizers = flat(root, "pre_tokenizer", "pretokenizers");
  const isMark = (step: Reader) =>
    step.string("type") === "Replace" && step.object("pattern").raw("String") === " " && step.raw("content") === "▁";
  const isPrepend = (step: Reader) => step.string("type") === "Prepend" && step.raw("prepend") === "▁";
  const isMetaspace = (step: Reader) =>
    step.string("type") === "Metaspace" && step.raw("replacement") === "▁" && step.raw("split") === false;
  // Nothing is left of the blanks by then.
  const cutting = preTokenizers.filter((step) => !(step.string("type") === "Split" && step.object("pattern").raw("String") === " "));
  const [first, second, ...more] = normalizers;
  if (cutting.length === 0 && first !== undefined && more.length === 0) {
    if (isMark(first) && second === undefined) return false;
    if (isPrepend(first) && second !== undefined && isMark(second)) return true;
  }
  const [metaspace] = cutting;
  if (normalizers.length === 0 && cutting.length === 1 && metaspace !== undefined && isMetaspace(metaspace))
    return metaspace.raw("prepend_scheme") !== "never";
  throw root.wrong(
    normalizers.length > 0 ? "normalizer" : "pre_tokenizer",
    "blanks turned into ▁ and nothing else, for GGUF",
    "keep this model as a Hugging Face folder",
  );
}

/** Sequences taken apart. */
function flat(parent: Reader, key: string, inside: string): Reader[] {
  if (!parent.has(key)) return [];
  const step = parent.object(key);
  return step.string("type") === "Sequence" ? step.objects(inside) : [step];
}

function mergePairs(model: Reader): [string, string][] {
  return model.array("merges").map((merge) => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : (merge as string[]);
    return [left, right];
  });
}

function tokenEntries(tokenizer: JsonTokenizer, rows: number, typeOf: (token: string) => number): [string, WrittenValue][] {
  if (tokenizer.vocabSize > rows)
    throw new FieldError("MODEL_SIZES", {
      at: "tokenizer",
      expected: `at most ${rows} tokens, as the model has rows`,
      received: tokenizer.vocabSize,
    });
  const added = new Map(tokenizer.description.added.map((token) => [token.id, token.special ? CONTROL : USER_DEFINED]));
  const tokens: string[] = [];
  const types = new Int32Array(rows);
  for (let id = 0; id < rows; id++) {
    const token = tokenizer.idToToken(id);
    tokens.push(token ?? fillerName(id));
    types[id] =
      token === undefined ? UNUSED : id === tokenizer.specialTokens.unk && added.has(id) ? UNKNOWN : (added.get(id) ?? typeOf(token));
  }
  return [
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
  ];
}

/** Whether a text is put between bos and eos. Errors: other tokens around it. */
function aroundEntries({ description, specialTokens: { bos, eos } }: JsonTokenizer, root: Reader): [string, WrittenValue][] {
  const { prefix, suffix } = description;
  const is = (ids: Int32Array, id: number | undefined) => ids.length === 0 || (ids.length === 1 && ids[0] === id);
  if (!is(prefix, bos) || !is(suffix, eos))
    throw root.wrong(
      "post_processor",
      "bos before a text, eos behind it, or nothing, for GGUF",
      "keep this model as a Hugging Face folder",
    );
  return [
    ["tokenizer.ggml.add_bos_token", prefix.length > 0],
    ["tokenizer.ggml.add_eos_token", suffix.length > 0],
  ];
}

/** Bytes as a byte-level vocabulary without merges. */
function byteEntries(tokenizer: ByteTokenizer, rows: number): WrittenMetadata {
  const ofByte = (id: number) => byteCharacters[id - (tokenizer.vocabSize - 256)];
  const names = ["<pad>", "</s>", "<unk>"];
  return new Map<string, WrittenValue>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "gpt-2"],
    ["tokenizer.ggml.tokens", Array.from({ length: rows }, (_, id) => names[id] ?? ofByte(id) ?? fillerName(id))],
    [
      "tokenizer.ggml.token_type",
      Int32Array.from({ length: rows }, (_, id) => (id < names.length ? CONTROL : id < tokenizer.vocabSize ? NORMAL : UNUSED)),
    ],
    ["tokenizer.ggml.merges", []],
    ["tokenizer.ggml.add_bos_token", false],
    ["tokenizer.ggml.add_eos_token", false],
  ]);
}

/** Of the files that belong to a tokenizer. */
function chatTemplate({ files }: JsonTokenizer): Parameters<typeof chatTemplateEntries>[0] | undefined {
  const text = (name: string) => (files.has(name) ? Buffer.from(files.get(name)!).toString("utf8") : undefined);
  const alone = text("chat_template.jinja");
  if (alone !== undefined) return alone;
  const config = new Reader(JSON.parse(text("tokenizer_config.json") ?? "{}"), "tokenizer_config.json");
  if (!config.has("chat_template")) return undefined;
  if (typeof config.raw("chat_template") === "string") return config.string("chat_template");
  return config.objects("chat_template").map((one) => ({ name: one.string("name"), template: one.string("template") }));
}
