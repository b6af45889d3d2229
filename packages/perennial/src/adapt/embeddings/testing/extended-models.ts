/** Tiny models of every family with a vocabulary of characters, extended by Basque: the reference loads the same ones. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { manualSeed } from "@perennial/torch";
import { loadModel } from "../../../model/index.ts";
import { extendTokenizer, JsonTokenizer } from "../../../tokenizer/index.ts";
import { quickstartTexts } from "../../../tokenizer/testing/extended-kinds.ts";
import { initializers, resizeModel } from "../index.ts";

const models = fileURLToPath(new URL("../../../model/golden/", import.meta.url));
export const FAMILIES = readdirSync(models).sort();

const CHARACTERS = "▁abcdefghijklmnopqrstuvwxyz.,-:;()'\"!?/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ@#$%&*+<=>[]_{|}~";

/** `size` tokens: special ones, then characters. */
function characterTokenizer(size: number): JsonTokenizer {
  const special = ["<pad>", "<s>", "</s>", "<unk>"];
  const vocab = Object.fromEntries([...special, ...CHARACTERS].slice(0, size).map((token, id) => [token, id]));
  const json = {
    version: "1.0",
    added_tokens: special.map((content, id) => ({
      id,
      content,
      special: true,
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
    })),
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    decoder: { type: "Replace", pattern: { String: "▁" }, content: " " },
    model: { type: "BPE", vocab, merges: [], unk_token: "<unk>", fuse_unk: false },
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<s>",
    eos_token: "</s>",
    pad_token: "<pad>",
    unk_token: "<unk>",
  };
  const file = (content: object) => Buffer.from(JSON.stringify(content));
  return new JsonTokenizer(
    new Map([
      ["tokenizer.json", file(json)],
      ["tokenizer_config.json", file(config)],
    ]),
    { bos: "<s>", eos: "</s>", pad: "<pad>", unk: "<unk>" },
  );
}

export async function extendedModel(name: string) {
  const loaded = loadModel(`${models}${name}`);
  const old = characterTokenizer(loaded.model.config.vocabSize);
  const { tokenizer } = await extendTokenizer(old, quickstartTexts("basque"), { newTokens: 60 });
  manualSeed(0);
  const resized = resizeModel(loaded.model, old, tokenizer, { initializer: initializers["random-normal"], seed: 7 });
  return { model: resized, rawConfig: loaded.rawConfig, tokenizer, old, original: loaded.model };
}

export const COMPARED_TEXT = "eta orriaren hizkuntza aldatzeko";
