/** Opens a tokenizer: a model folder, a tokenizer.json by itself, or the one in a GGUF file. */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FieldError, PerennialError } from "../errors.ts";
import { isGgufPath, readGgufHeader } from "../gguf/header.ts";
import { EXTENSION_FILE } from "./extension-file.ts";
import { readGgufTokenizer } from "./gguf/index.ts";
import { JsonTokenizer, type Roles } from "./json-tokenizer.ts";

/** Files of a model folder that belong to its tokenizer and are saved with it, unchanged. */
export const TOKENIZER_FILES: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "tokenizer.model",
  "spiece.model",
  "sentencepiece.bpe.model",
  "chat_template.jinja",
  EXTENSION_FILE,
];

/** Reads `tokenizer.json` and, beside it, which tokens have which role. Throws a FieldError that names what cannot be used. */
export async function loadTokenizer(path: string): Promise<JsonTokenizer> {
  if (isGgufPath(path)) return readGgufTokenizer(readGgufHeader(path));
  const folder = await isFolder(path);
  const file = folder ? join(path, "tokenizer.json") : path;
  const root = dirname(file);
  const files = new Map<string, Uint8Array>();
  const main = await read(file);
  if (main === undefined)
    throw new PerennialError(
      "TOKENIZER_MISSING",
      `${file}: there is no such file. Give a folder that has a tokenizer.json; where a model has only tokenizer.model or vocab.txt, \`transformers\` writes it with AutoTokenizer.from_pretrained(…).save_pretrained(…).`,
    );
  files.set("tokenizer.json", main);
  // A tokenizer.json under another name stands alone.
  if (basename(file) !== "tokenizer.json") return new JsonTokenizer(files, {}, file);
  for (const name of TOKENIZER_FILES.slice(1)) {
    const content = await read(join(root, name));
    if (content !== undefined) files.set(name, content);
  }
  return new JsonTokenizer(files, await readRoles(root, files), file);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readRoles(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<Roles> {
  const config = object(files.get("tokenizer_config.json"), join(root, "tokenizer_config.json"));
  const map = object(files.get("special_tokens_map.json"), join(root, "special_tokens_map.json"));
  const generation = object(await read(join(root, "generation_config.json")), join(root, "generation_config.json"));
  const role = (name: string) => content(config[name]) ?? content(map[name]);
  const ends = generation.eos_token_id;
  return {
    bos: role("bos_token"),
    eos: role("eos_token"),
    pad: role("pad_token"),
    unk: role("unk_token"),
    endIds: (Array.isArray(ends) ? ends : [ends]).filter((id): id is number => Number.isInteger(id) && id >= 0),
  };
}

function object(bytes: Uint8Array | undefined, at: string): Record<string, unknown> {
  if (bytes === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new FieldError("TOKENIZER_JSON", { at, expected: `JSON (${cause instanceof Error ? cause.message : cause})` }, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FieldError("TOKENIZER_JSON", { at, expected: "an object", received: value });
  return value as Record<string, unknown>;
}

/** "token" or { "content": "token" }. */
function content(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value && typeof value.content === "string") return value.content;
  return undefined;
}
