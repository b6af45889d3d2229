/** `tokenizer.huggingface.json`, in which a file may carry the tokenizer.json that it was made from. */
import type { Keys } from "../../gguf/keys.ts";
import type { WrittenValue } from "../../gguf/write.ts";
import type { JsonTokenizer } from "../json-tokenizer.ts";
import { STORED } from "./metadata.ts";
import { vocabularyEntries } from "./write.ts";

/** Undefined where there is none, or where it does not say the same as the other entries, as when somebody changed those since. */
export function storedTokenizer(keys: Keys, make: (json: Uint8Array) => JsonTokenizer): JsonTokenizer | undefined {
  if (!keys.has(STORED)) return undefined;
  try {
    const tokenizer = make(Buffer.from(keys.string(STORED)));
    const rows = keys.strings("tokenizer.ggml.tokens").length;
    for (const [key, value] of vocabularyEntries(tokenizer, rows)) if (!same(value, keys.value(key))) return undefined;
    return tokenizer;
  } catch {
    // Not ours to repair: the other entries are complete without it.
    return undefined;
  }
}

function same(written: WrittenValue, read: unknown): boolean {
  if (typeof written !== "object" || "float32" in written) return written === read;
  if (typeof read !== "object" || read === null) return false;
  const [a, b] = [written as ArrayLike<unknown>, read as ArrayLike<unknown>];
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
