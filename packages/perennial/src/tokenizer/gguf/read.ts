/** The tokenizer in a GGUF file's metadata → tokenizer.json and tokenizer_config.json. */
import type { GgufHeader } from "../../gguf/header.ts";
import { Keys } from "../../gguf/keys.ts";
import { JsonTokenizer, type Roles } from "../json-tokenizer.ts";
import { addedTokens, chatTemplateOf, type Vocabulary, vocabularyOf } from "./metadata.ts";
import { preTokenizations } from "./pre-tokenizers.ts";
import { mergesOf } from "./scores.ts";
import { storedTokenizer } from "./stored.ts";

/**
 * Gives llama.cpp's ids. A stored tokenizer.json is taken as it is when it says the same as the other entries.
 * Errors: FieldError with the file and the key that is missing or cannot be used.
 */
export function readGgufTokenizer(header: GgufHeader): JsonTokenizer {
  const keys = new Keys(header);
  const vocabulary = vocabularyOf(keys);
  const roles: Roles = {
    bos: vocabulary.roles.bos?.token,
    eos: vocabulary.roles.eos?.token,
    pad: vocabulary.roles.padding?.token,
    unk: vocabulary.roles.unknown?.token,
    endIds: [vocabulary.roles.eos, vocabulary.roles.eot, vocabulary.roles.eom].flatMap((role) => (role === undefined ? [] : [role.id])),
  };
  const config = Buffer.from(`${JSON.stringify(tokenizerConfig(vocabulary, keys), null, 2)}\n`);
  const make = (json: Uint8Array) =>
    new JsonTokenizer(
      new Map([
        ["tokenizer.json", json],
        ["tokenizer_config.json", config],
      ]),
      roles,
      `${header.path} tokenizer`,
    );
  return storedTokenizer(keys, make) ?? make(Buffer.from(JSON.stringify(tokenizerJson(vocabulary, keys))));
}

function tokenizerJson(vocabulary: Vocabulary, keys: Keys): object {
  const parts = vocabulary.model === "gpt2" ? byteLevel(vocabulary, keys) : sentencePiece(vocabulary, keys);
  const { pre_tokenizer, model, normalizer, decoder, addBos } = parts;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer,
    pre_tokenizer,
    post_processor: around(vocabulary, keys, addBos),
    decoder,
    model,
  };
}

function byteLevel({ tokens }: Vocabulary, keys: Keys) {
  const name = keys.string("tokenizer.ggml.pre", "default");
  const found = preTokenizations.find(({ names }) => names.includes(name));
  if (found === undefined) {
    const known = preTokenizations.flatMap(({ names }) => names).join(", ");
    throw keys.wrong("tokenizer.ggml.pre", `one of ${known}`, "take the tokenizer.json of the original model");
  }
  const [first] = found.steps;
  return {
    addBos: found.addBos,
    normalizer: null,
    pre_tokenizer: found.steps.length === 1 ? first! : { type: "Sequence", pretokenizers: found.steps },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: found.ignoreMerges,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: keys.strings("tokenizer.ggml.merges").map((merge) => {
        // A first part may begin with the blank itself, in files that do not map bytes.
        const blank = merge.indexOf(" ", 1);
        return [merge.slice(0, blank), merge.slice(blank + 1)];
      }),
    },
  };
}

function sentencePiece(vocabulary: Vocabulary, keys: Keys) {
  const { tokens, types, roles } = vocabulary;
  const prefixed = keys.flag("tokenizer.ggml.add_space_prefix", true);
  const scores = keys.numbers("tokenizer.ggml.scores", types.length);
  if (scores === undefined) throw keys.wrong("tokenizer.ggml.scores", "a score for each token");
  const mark = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const allBytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  return {
    addBos: true,
    normalizer: prefixed ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, mark] } : mark,
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefixed ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: roles.unknown?.token ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: allBytes.every((token) => ids.has(token)),
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: mergesOf(ids, scores),
    },
  };
}

/** The tokens before and behind a text. */
function around({ roles, model }: Vocabulary, keys: Keys, addBosByDefault: boolean): object | null {
  const { bos, eos } = roles;
  const before = keys.flag("tokenizer.ggml.add_bos_token", addBosByDefault) && bos !== undefined ? [bos] : [];
  const behind = keys.flag("tokenizer.ggml.add_eos_token", false) && eos !== undefined ? [eos] : [];
  if (before.length + behind.length === 0)
    return model === "gpt2" ? { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true } : null;
  const special = ({ token }: { token: string }) => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = (id: "A" | "B") => [...before.map(special), { Sequence: { id, type_id: 0 } }, ...behind.map(special)];
  return {
    type: "TemplateProcessing",
    single: text("A"),
    pair: [...text("A"), ...text("B")],
    special_tokens: Object.fromEntries([...before, ...behind].map(({ token, id }) => [token, { id: token, ids: [id], tokens: [token] }])),
  };
}

function tokenizerConfig({ roles }: Vocabulary, keys: Keys): object {
  const token = (name: string, role: { token: string } | undefined) => (role === undefined ? {} : { [`${name}_token`]: role.token });
  const length = keys.optionalNumber(`${keys.string("general.architecture", "")}.context_length`);
  const template = chatTemplateOf(keys);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    ...(length === undefined ? {} : { model_max_length: length }),
    ...token("bos", roles.bos),
    ...token("eos", roles.eos),
    ...token("unk", roles.unknown),
    ...token("pad", roles.padding),
    ...(template === undefined ? {} : { chat_template: template }),
  };
}
