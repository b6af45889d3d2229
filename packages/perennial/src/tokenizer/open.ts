/** Opens whatever tokenizer a model folder was saved with: a tokenizer.json, bytes, which need none, or what a GGUF file says. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isGgufPath } from "../gguf/header.ts";
import { BYTE_TOKENIZER_CLASS, ByteTokenizer } from "./byte-tokenizer.ts";
import { loadTokenizer } from "./load.ts";
import type { Tokenizer } from "./tokenizer.ts";

export async function openTokenizerOf(modelFolder: string): Promise<Tokenizer> {
  if (isGgufPath(modelFolder)) return loadTokenizer(modelFolder);
  const config = join(modelFolder, "tokenizer_config.json");
  const isBytes =
    !existsSync(join(modelFolder, "tokenizer.json")) &&
    existsSync(config) &&
    readFileSync(config, "utf8").includes(`"${BYTE_TOKENIZER_CLASS}"`);
  return isBytes ? new ByteTokenizer() : loadTokenizer(modelFolder);
}
