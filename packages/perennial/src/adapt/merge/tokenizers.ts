/** Do models speak of the same tokens? Row i of an embedding can only be merged with row i of the same token. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../../errors.ts";
import { BYTE_TOKENIZER_CLASS } from "../../tokenizer/index.ts";

export interface Vocabulary {
  readonly tokens: ReadonlyMap<number, string>;
  /** How text is cut, as far as tokens do not say it: merges, scores, normalizer, pre-tokenizer. */
  readonly cutting: string;
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Record<string, number> | [string, number][]; readonly merges?: (string | string[])[] };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
}

/** From `tokenizer.json` alone; "bytes" where there is none and bytes are the tokens; null where a folder has none that can be read. */
export function vocabularyOf(folder: string): Vocabulary | "bytes" | null {
  const path = join(folder, "tokenizer.json");
  if (!existsSync(path)) {
    const config = join(folder, "tokenizer_config.json");
    return existsSync(config) && readFileSync(config, "utf8").includes(`"${BYTE_TOKENIZER_CLASS}"`) ? "bytes" : null;
  }
  let json: TokenizerJson;
  try {
    json = JSON.parse(readFileSync(path, "utf8")) as TokenizerJson;
  } catch (error) {
    throw new FieldError("TOKENIZER_JSON", { at: path, expected: `JSON (${(error as Error).message})` }, { cause: error });
  }
  const { vocab = {}, merges = [] } = json.model ?? {};
  const tokens = new Map(
    Array.isArray(vocab) ? vocab.map(([token], id) => [id, token]) : Object.entries(vocab).map(([token, id]) => [id, token]),
  );
  for (const { id, content } of json.added_tokens ?? []) tokens.set(id, content);
  const scores = Array.isArray(vocab) ? vocab.map(([, score]) => score) : [];
  const ranks = merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  return { tokens, cutting: JSON.stringify([ranks, scores, json.normalizer ?? null, json.pre_tokenizer ?? null]) };
}

export interface VocabularyDifference {
  /** Ids that stand for different tokens. */
  readonly conflicts: readonly number[];
  /** Ids that only one of both knows. */
  readonly oneSided: readonly number[];
  readonly example: string;
  readonly sameCutting: boolean;
}

/** Undefined where they are the same. */
export function compareVocabularies(a: Vocabulary | "bytes", b: Vocabulary | "bytes"): VocabularyDifference | undefined {
  if (a === "bytes" || b === "bytes")
    return a === b ? undefined : { conflicts: [0], oneSided: [], example: "one of both has bytes for tokens", sameCutting: false };
  const conflicts: number[] = [];
  const oneSided: number[] = [];
  for (const id of new Set([...a.tokens.keys(), ...b.tokens.keys()])) {
    const [x, y] = [a.tokens.get(id), b.tokens.get(id)];
    if (x === y) continue;
    (x === undefined || y === undefined ? oneSided : conflicts).push(id);
  }
  const sameCutting = a.cutting === b.cutting;
  if (conflicts.length + oneSided.length === 0 && sameCutting) return undefined;
  const id = conflicts[0] ?? oneSided[0];
  const shown = (tokens: ReadonlyMap<number, string>) => (tokens.has(id!) ? JSON.stringify(tokens.get(id!)) : "nothing");
  const example = id === undefined ? "" : `id ${id} is ${shown(a.tokens)} there and ${shown(b.tokens)} here`;
  return { conflicts, oneSided, example, sameCutting };
}
