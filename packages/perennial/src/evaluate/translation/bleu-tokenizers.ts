/**
 * The tokenizers of BLEU, as sacreBLEU 2.6.0 has them. Each returns tokens without whitespace inside.
 *   13a   mteval-v13a: Western punctuation, HTML entities decoded     intl  mteval-v14: \p{P} and \p{S}
 *   zh    Chinese characters one by one, the rest as 13a               char  every code point             none  words only
 * Property tables (`\p{…}`, letter case) are those of the engine's Unicode version.
 */
import { trim, words } from "../text/whitespace.ts";

export type BleuTokenizer = "13a" | "intl" | "zh" | "char" | "none";

export const bleuTokenizers: Readonly<Record<BleuTokenizer, (segment: string) => string[]>> = {
  "13a": (segment) => splitWestern(` ${decodeEntities(segment.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " "))} `),
  intl: (segment) =>
    words(
      segment
        .replace(/(\P{N})(\p{P})/gu, "$1 $2 ")
        .replace(/(\p{P})(\P{N})/gu, " $1 $2")
        .replace(/\p{S}/gu, " $& "),
    ),
  zh: (segment) => splitWestern(trim(segment).replace(CHINESE, " $& ")),
  char: (segment) => words([...segment].join(" ")),
  none: words,
};

/** Four global substitutions, each on the result of the one before. `'`, `,`, `-` and `.` are not among the characters of the first. */
function splitWestern(line: string): string[] {
  return words(
    line
      .replace(/[{-~[-` -&(-+:-@/]/gu, " $& ")
      .replace(/([^0-9])([.,])/gu, "$1 $2 ")
      .replace(/([.,])([^0-9])/gu, " $1 $2")
      .replace(/([0-9])(-)/gu, "$1 $2 "),
  );
}

function decodeEntities(line: string): string {
  if (!line.includes("&")) return line;
  return line.replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
}

/**
 * "Chinese" as the reference has it. Its two ranges for the supplementary planes are malformed and match U+2001–2A6D and U+2F81–2FA1
 * instead, while real supplementary characters stay together: kept, because scores must agree.
 */
const CHINESE =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u33ff\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/gu;
