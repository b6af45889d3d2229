/** What a GGUF file's metadata says of its tokens. */
import type { Keys } from "../../gguf/keys.ts";

/** `tokenizer.ggml.token_type`. */
export const [NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE] = [1, 2, 3, 4, 5, 6] as const;

/** Where a file may carry the tokenizer.json that it was made from. */
export const STORED = "tokenizer.huggingface.json";

export const roleNames = ["bos", "eos", "eot", "eom", "unknown", "padding", "mask", "seperator"] as const; // sic
export type RoleName = (typeof roleNames)[number];
export interface Role {
  readonly id: number;
  readonly token: string;
}

export interface Vocabulary {
  /** Byte-level merges, or pieces with scores. */
  readonly model: "gpt2" | "llama";
  /** Without the names that only fill up the rows of the embedding. */
  readonly tokens: readonly string[];
  /** Of all rows. */
  readonly types: readonly number[];
  readonly roles: Readonly<Partial<Record<RoleName, Role>>>;
}

/** Rows of the embedding that no token has are called so. */
export const fillerName = (id: number): string => `[PAD${id}]`;

export function vocabularyOf(keys: Keys): Vocabulary {
  const model = keys.string("tokenizer.ggml.model");
  if (model !== "gpt2" && model !== "llama")
    throw keys.wrong("tokenizer.ggml.model", "gpt2 or llama", "give the tokenizer.json of the original model instead");
  const all = keys.strings("tokenizer.ggml.tokens");
  const types = keys.numbers("tokenizer.ggml.token_type", all.length) ?? all.map(() => NORMAL);
  let used = all.length;
  while (used > 0 && types[used - 1] === UNUSED && all[used - 1] === fillerName(used - 1)) used--;
  const tokens = all.slice(0, used).map((token, id) => (token === "" ? `[EMPTY_${id}]` : token));
  if (new Set(tokens).size !== tokens.length) throw keys.wrong("tokenizer.ggml.tokens", "no token twice");
  const roles: Partial<Record<RoleName, Role>> = {};
  for (const name of roleNames) {
    // Where a file of pieces is silent, SentencePiece's own numbers hold.
    const byDefault = model === "llama" ? ({ unknown: 0, bos: 1, eos: 2 } as Partial<Record<RoleName, number>>)[name] : undefined;
    const id = keys.optionalNumber(`tokenizer.ggml.${name}_token_id`) ?? byDefault;
    const token = id === undefined ? undefined : tokens[id];
    if (id !== undefined && token !== undefined) roles[name] = { id, token };
  }
  return { model, tokens, types, roles };
}

/** `added_tokens` of tokenizer.json: found in a text before anything else is. */
export function addedTokens({ tokens, types }: Vocabulary): object[] {
  return tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL || types[id] === UNKNOWN;
    if (!special && types[id] !== USER_DEFINED) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

type ChatTemplate = string | readonly { name: string; template: string }[];

const TEMPLATE = "tokenizer.chat_template";

export function chatTemplateOf(keys: Keys): ChatTemplate | undefined {
  if (!keys.has(TEMPLATE)) return undefined;
  const template = keys.string(TEMPLATE);
  if (!keys.has("tokenizer.chat_templates")) return template;
  const named = keys.strings("tokenizer.chat_templates").map((name) => ({ name, template: keys.string(`${TEMPLATE}.${name}`) }));
  return [{ name: "default", template }, ...named];
}

export function* chatTemplateEntries(template: ChatTemplate): Iterable<readonly [string, string | readonly string[]]> {
  const all = typeof template === "string" ? [{ name: "default", template }] : template;
  const named = all.filter(({ name }) => name !== "default");
  for (const { name, template: text } of all) yield [name === "default" ? TEMPLATE : `${TEMPLATE}.${name}`, text];
  if (named.length > 0) yield ["tokenizer.chat_templates", named.map(({ name }) => name)];
}
