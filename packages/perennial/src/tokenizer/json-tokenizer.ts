/** A tokenizer read from Hugging Face's tokenizer.json; ids equal those of the reference implementation. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { FieldError } from "../errors.ts";
import { type Decoder, readDecoder } from "./decoder.ts";
import { readModel } from "./model.ts";
import { type AddedToken, type Description, type EncodedBatch, type PipelineHandle, type Text, tokenizerAddon } from "./native.ts";
import { readSurroundings } from "./post-processor.ts";
import { Reader } from "./reader.ts";
import { readNormalizers, readPreTokenizers } from "./steps.ts";
import type { DecodeOptions, EncodeOptions, SpecialTokens, Tokenizer } from "./tokenizer.ts";

export interface Roles {
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
  readonly pad?: string | undefined;
  readonly unk?: string | undefined;
  /** Ids that end a generation, besides eos. */
  readonly endIds?: readonly number[] | undefined;
}

export class JsonTokenizer implements Tokenizer {
  readonly vocabSize: number;
  /** Entries of the model itself: ids from here on are added tokens. */
  readonly modelSize: number;
  readonly specialTokens: SpecialTokens;
  readonly endIds: readonly number[];
  readonly hash: string;
  readonly description: Description;
  /** tokenizer.json as parsed. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Native handle, for trainers that count this tokenizer's pre-tokens. */
  readonly pipeline: PipelineHandle;
  /** What `save` writes: name → content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  private readonly roles: Roles;
  private readonly decoder: Decoder | undefined;
  private readonly ids: ReadonlyMap<string, number>;
  private readonly tokens: readonly (string | undefined)[];
  /** As the decoder is to see them: added tokens in their normalized form. */
  private readonly decodable: readonly (string | undefined)[];
  private readonly special: ReadonlySet<number>;

  /** `files`: name → content of every file to be saved again; `tokenizer.json` among them. `at` names it in errors. */
  constructor(files: ReadonlyMap<string, Uint8Array>, roles: Roles = {}, at = "tokenizer.json") {
    const bytes = files.get("tokenizer.json");
    if (bytes === undefined) throw new FieldError("TOKENIZER_MISSING", { at, expected: "a file tokenizer.json" });
    this.files = files;
    this.roles = roles;
    this.hash = createHash("sha256").update(bytes).digest("hex");
    const json = parse(bytes, at);
    const root = new Reader(json, at);
    this.json = json as Record<string, unknown>;
    if (root.has("version") && root.raw("version") !== "1.0") throw root.wrong("version", "1.0");

    const steps = root.has("pre_tokenizer") ? readPreTokenizers(root.object("pre_tokenizer")) : [];
    const endsInBytes = steps.at(-1)?.type === "ByteCharacters";
    const model = readModel(root.object("model"), endsInBytes);
    if (endsInBytes && model.description.type === "bpe" && model.description.byteLevel) steps.pop();
    const added = root.has("added_tokens") ? readAddedTokens(root, model.idOfToken) : [];
    const { prefix, suffix } = root.has("post_processor") ? readSurroundings(root.object("post_processor")) : { prefix: [], suffix: [] };
    this.description = {
      model: model.description,
      added,
      normalizers: root.has("normalizer") ? readNormalizers(root.object("normalizer")) : [],
      steps,
      prefix: Int32Array.from(prefix),
      suffix: Int32Array.from(suffix),
    };
    this.pipeline = tokenizerAddon().tokenizerCreate(this.description);
    this.decoder = root.has("decoder") ? readDecoder(root.object("decoder")) : undefined;

    const ids = new Map(model.idOfToken);
    const tokens: (string | undefined)[] = [];
    for (const [token, id] of model.idOfToken) tokens[id] = token;
    const decodable = [...tokens];
    for (const token of added) {
      ids.set(token.content, token.id);
      tokens[token.id] = token.content;
      decodable[token.id] = token.normalized ? tokenizerAddon().tokenizerNormalize(this.pipeline, token.content) : token.content;
    }
    this.ids = ids;
    this.tokens = tokens;
    this.decodable = decodable;
    this.special = new Set(added.filter((token) => token.special).map((token) => token.id));
    this.vocabSize = tokens.length;
    this.modelSize = model.idOfToken.size;
    const idOf = (role: string | undefined) => (role === undefined ? undefined : ids.get(role));
    this.specialTokens = { bos: idOf(roles.bos), eos: idOf(roles.eos), pad: idOf(roles.pad), unk: idOf(roles.unk ?? model.unkToken) };
    const ends = [this.specialTokens.eos, ...(roles.endIds ?? [])];
    this.endIds = [...new Set(ends.filter((id) => id !== undefined))];
  }

  encode(text: Text, options: EncodeOptions = {}): Int32Array {
    const { addSpecialTokens = true, splitSpecialTokens = false } = options;
    return tokenizerAddon().tokenizerEncode(this.pipeline, text, addSpecialTokens, splitSpecialTokens);
  }

  encodeBatch(texts: readonly Text[], options: EncodeOptions = {}): EncodedBatch {
    const { addSpecialTokens = true, splitSpecialTokens = false, threads = availableParallelism() } = options;
    return tokenizerAddon().tokenizerEncodeBatch(this.pipeline, texts, addSpecialTokens, splitSpecialTokens, threads, false);
  }

  encodeBatchAsync(texts: readonly Text[], options: EncodeOptions = {}): Promise<EncodedBatch> {
    const { addSpecialTokens = true, splitSpecialTokens = false, threads = availableParallelism() } = options;
    return tokenizerAddon().tokenizerEncodeBatch(this.pipeline, texts, addSpecialTokens, splitSpecialTokens, threads, true);
  }

  decode(ids: Iterable<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.decodable[id];
      if (token !== undefined && !(skipSpecialTokens && this.special.has(id))) tokens.push(token);
    }
    if (tokens.length === 0) return "";
    return this.decoder === undefined ? tokens.join(" ") : this.decoder(tokens).join("");
  }

  tokenToId(token: string): number | undefined {
    return this.ids.get(token);
  }

  idToToken(id: number): string | undefined {
    return this.tokens[id];
  }

  isSpecial(id: number): boolean {
    return this.special.has(id);
  }

  /** The pre-tokens of a text, after normalization, as the model receives them. */
  pieces(text: Text): string[] {
    return tokenizerAddon().tokenizerPieces(this.pipeline, text);
  }

  /** The model's ids of a pre-token as it is: no normalization, no cutting, no added tokens. */
  encodePiece(piece: Text): Int32Array {
    return tokenizerAddon().tokenizerEncodePiece(this.pipeline, piece);
  }

  /** A file that is saved with the tokenizer. */
  file(name: string): Uint8Array | undefined {
    return this.files.get(name);
  }

  /** The same roles and files with another tokenizer.json; files that list the old vocabulary once more are left out. */
  withVocabulary(json: object, files: Readonly<Record<string, object>> = {}): JsonTokenizer {
    const kept = [...this.files].filter(([name]) => !LISTS.has(name));
    const written = Object.entries({ ...files, "tokenizer.json": json }).map(([name, content]) => [name, formatJson(content)] as const);
    return new JsonTokenizer(new Map([...kept, ...written]), this.roles);
  }

  async save(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of this.files) await writeFile(join(folder, name), content);
  }
}

/** Files of older formats that list the vocabulary. */
const LISTS: ReadonlySet<string> = new Set([
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "tokenizer.model",
  "spiece.model",
  "sentencepiece.bpe.model",
]);

export const formatJson = (content: object): Uint8Array => Buffer.from(`${JSON.stringify(content, undefined, 1)}\n`);

function parse(bytes: Uint8Array, at: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FieldError("TOKENIZER_JSON", { at, expected: `JSON (${reason})` }, { cause });
  }
}

/** Ids as the reference gives them: a token that the model knows has the model's id, others follow in the file's order. */
function readAddedTokens(root: Reader, modelIds: ReadonlyMap<string, number>): AddedToken[] {
  const byContent = new Map<string, AddedToken>();
  let nextId = modelIds.size;
  for (const token of root.objects("added_tokens")) {
    const content = token.string("content");
    if (content === "") continue;
    const id = byContent.get(content)?.id ?? modelIds.get(content) ?? nextId++;
    if (token.count("id") !== id)
      throw token.wrong("id", `${id}, which this token has by the order of the vocabulary`, "renumber the added tokens without gaps");
    const special = token.boolean("special", false);
    byContent.set(content, {
      content,
      id,
      singleWord: token.boolean("single_word", false),
      lstrip: token.boolean("lstrip", false),
      rstrip: token.boolean("rstrip", false),
      normalized: token.boolean("normalized", !special),
      special,
    });
  }
  return [...byContent.values()];
}
