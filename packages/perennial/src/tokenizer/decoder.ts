/** `decoder` of tokenizer.json: token strings → pieces of text, which are joined. */
import { charactersToBytes } from "./byte-characters.ts";
import type { Reader } from "./reader.ts";
import { oneCharacter, readMetaspace } from "./steps.ts";

export type Decoder = (tokens: readonly string[]) => string[];

/** U+FFFD for what is no UTF-8; a byte-order mark stays. */
export const decodeUtf8 = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

export function readDecoder(step: Reader): Decoder {
  const type = step.string("type");
  switch (type) {
    case "Sequence": {
      const decoders = step.objects("decoders").map(readDecoder);
      return (tokens) => decoders.reduce<string[]>((pieces, decoder) => decoder(pieces), [...tokens]);
    }
    case "ByteLevel":
      return (tokens) => [decodeUtf8(Buffer.concat(tokens.map((token) => charactersToBytes(token) ?? Buffer.from(token, "utf8"))))];
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Strip":
      return strip(oneCharacter(step, "content"), step.count("start"), step.count("stop"));
    case "Replace": {
      const pattern = step.object("pattern");
      if (!pattern.has("String")) throw step.wrong("pattern", "a text: regular expressions are not supported in decoders");
      const text = pattern.string("String");
      const content = step.string("content");
      return (tokens) => tokens.map((token) => token.replaceAll(text, () => content));
    }
    case "Metaspace": {
      const { mark, prepend } = readMetaspace(step);
      return (tokens) =>
        tokens.map((token, i) => (i === 0 && prepend !== "never" ? token.replaceAll(mark, "") : token.replaceAll(mark, () => " ")));
    }
    case "WordPiece": {
      const prefix = step.string("prefix");
      const clean = step.boolean("cleanup") ? cleanUp : (text: string) => text;
      return (tokens) =>
        tokens.map((token, i) => clean(i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`));
    }
    case "BPEDecoder": {
      const suffix = step.string("suffix");
      return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? "" : " "));
    }
    case "CTC": {
      const pad = step.string("pad_token");
      const delimiter = step.string("word_delimiter_token");
      const cleanup = step.boolean("cleanup");
      return (tokens) =>
        tokens
          .filter((token, i) => i === 0 || token !== tokens[i - 1])
          .map((token) => token.replaceAll(pad, ""))
          .map((token) => (cleanup ? cleanUp(token).replaceAll(delimiter, " ") : token))
          .filter((token) => token !== "");
    }
    default:
      throw step.wrong("type", "a supported decoder");
  }
}

/** Runs of <0xNN> tokens become text; a run that is no UTF-8 becomes one U+FFFD for each of its bytes. */
function byteFallback(tokens: readonly string[]): string[] {
  const pieces: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      pieces.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)));
    } catch {
      pieces.push(...bytes.map(() => "\ufffd"));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const found = /^<0x([0-9a-fA-F]{2})>$/.exec(token);
    if (found) {
      bytes.push(Number.parseInt(found[1]!, 16));
    } else {
      flush();
      pieces.push(token);
    }
  }
  flush();
  return pieces;
}

/** Takes up to `start` characters `content` off the front of each token and up to `stop` off its end. */
function strip(content: string, start: number, stop: number): Decoder {
  return (tokens) =>
    tokens.map((token) => {
      const chars = Array.from(token);
      let begin = 0;
      while (begin < Math.min(start, chars.length) && chars[begin] === content) begin++;
      let end = chars.length;
      while (chars.length - end < stop && end > begin && chars[end - 1] === content) end--;
      return chars.slice(begin, end).join("");
    });
}

function cleanUp(text: string): string {
  return text
    .replaceAll(" .", ".")
    .replaceAll(" ?", "?")
    .replaceAll(" !", "!")
    .replaceAll(" ,", ",")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" do not", " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}
