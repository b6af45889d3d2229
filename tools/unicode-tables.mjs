/**
 * Writes packages/perennial/native/tokenizer/unicode_tables.inc: general categories and other character classes, case
 * mapping, decompositions, compositions, combining classes and grapheme-cluster classes. Classes come from
 * unicode-reference.json (what the reference tokenizers see), everything else from the Unicode data inside Node without
 * what the reference does not know. Run when the reference follows a newer Unicode: `node tools/unicode-tables.mjs`.
 *
 * JavaScript has no access to combining classes, but only their order matters: normalization swaps two neighboring marks
 * exactly when the class of the first is larger, so classes are found by sorting. Grapheme classes come from Intl.Segmenter.
 */
import { readFileSync, writeFileSync } from "node:fs";

const MAX = 0x110000;
const CATEGORIES = "Cn Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split(" ");
const WORD = 0x20;
const NFC_UNSAFE = 0x40;
const SPACE = 0x80;
// The second byte of a character.
const PUNCTUATION = 0x01;
const MARK = 0x02;
const CONTROL = 0x04;
const NUMERIC = 0x08;
const EXTENDS_CLUSTER = 0x10;
const BEGINS_CLUSTER = 0x20;
const BREAKS_CLUSTER = 0x40;

/** @param {number} cp */
const text = (cp) => String.fromCodePoint(cp);
/** @param {number} cp */
const isSurrogate = (cp) => cp >= 0xd800 && cp <= 0xdfff;
/** @param {string} string */
const codePoints = (string) => Array.from(string, (c) => /** @type {number} */ (c.codePointAt(0)));

/** @type {{ categories: [number, string][], punctuation: [number, number][], marks: [number, number][], controls: [number, number][], lacks: [number, number][] }} */
const reference = JSON.parse(readFileSync(new URL("unicode-reference.json", import.meta.url), "utf8"));

/** @param {[number, number][]} list */
const setOf = (list) => new Set(list.flatMap(([first, end]) => Array.from({ length: end - first + 1 }, (_, i) => first + i)));

const properties = new Uint8Array(MAX);
reference.categories.forEach(([first, category], i) => {
  properties.fill(CATEGORIES.indexOf(category), first, reference.categories[i + 1]?.[0] ?? MAX);
});
const word = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const space = /^\p{White_Space}$/u;
for (let cp = 0; cp < MAX; cp++) {
  if (properties[cp] === 0) continue;
  const c = text(cp);
  properties[cp] = (properties[cp] ?? 0) | (word.test(c) ? WORD : 0) | (space.test(c) ? SPACE : 0);
}
const lacks = setOf(reference.lacks);

// Decompositions and compositions; Hangul syllables are computed, not listed.
/** @type {number[]} */ const pool = [];
/** @type {number[][]} */ const entries = [[0, 0, 0, 0]];
const decompositionIndex = new Uint16Array(MAX);
/** @type {[number, number, number][]} */ const compositions = [];
const seconds = new Set();
for (let cp = 0x80; cp < MAX; cp++) {
  if (isSurrogate(cp) || (cp >= 0xac00 && cp <= 0xd7a3) || lacks.has(cp)) continue;
  const c = text(cp);
  const canonical = c.normalize("NFD");
  const compatible = c.normalize("NFKD");
  if (canonical === c && compatible === c) continue;
  const entry = [];
  for (const form of [canonical, compatible]) {
    const units = form === c ? [] : codePoints(form);
    entry.push(pool.length, units.length);
    pool.push(...units);
  }
  decompositionIndex[cp] = entries.push(entry) - 1;
  if (canonical !== c && c.normalize("NFC") === c) {
    const units = codePoints(canonical);
    const second = /** @type {number} */ (units.pop());
    const first = codePoints(String.fromCodePoint(...units).normalize("NFC"));
    if (first.length !== 1) throw new Error(`no single first for U+${cp.toString(16)}`);
    compositions.push([/** @type {number} */ (first[0]), second, cp]);
    seconds.add(second);
  }
}
compositions.sort((a, b) => a[0] - b[0] || a[1] - b[1]);

// Combining classes: U+0334 has the lowest class (1), U+0301 (230) and U+0316 (220) together find every other mark.
/** @param {number} a @param {number} b */
const swaps = (a, b) => (text(a) + text(b)).normalize("NFD") !== text(a).normalize("NFD") + text(b).normalize("NFD");
/** @type {number[]} */ const marks = [];
for (let cp = 0x300; cp < MAX; cp++) {
  if (isSurrogate(cp) || ((properties[cp] ?? 0) & 0x1f) === 0) continue;
  if (text(cp).normalize("NFD") !== text(cp)) continue; // its parts are marks themselves
  if (cp === 0x334 || swaps(cp, 0x334) || swaps(0x345, cp)) marks.push(cp);
}
/** @type {number[][]} */ const classes = [];
for (const mark of marks) {
  let low = 0;
  let high = classes.length;
  let found = false;
  while (low < high) {
    const middle = (low + high) >> 1;
    const representative = /** @type {number} */ (classes[middle]?.[0]);
    if (swaps(representative, mark)) high = middle;
    else if (swaps(mark, representative)) low = middle + 1;
    else {
      classes[middle]?.push(mark);
      found = true;
      break;
    }
  }
  if (!found) classes.splice(low, 0, [mark]);
}
const combining = new Uint8Array(MAX);
classes.forEach((members, rank) => {
  for (const cp of members) combining[cp] = rank + 1;
});
// A mark with a canonical decomposition has the class of its first part.
for (let cp = 0x300; cp < MAX; cp++) {
  const entry = entries[decompositionIndex[cp] ?? 0];
  if (entry && (entry[1] ?? 0) > 0) combining[cp] = combining[pool[entry[0] ?? 0] ?? 0] ?? 0;
}

for (let cp = 0x80; cp < MAX; cp++) {
  if (isSurrogate(cp)) continue;
  const jamo = (cp >= 0x1161 && cp <= 0x1175) || (cp >= 0x11a8 && cp <= 0x11c2);
  if (combining[cp] || seconds.has(cp) || jamo || (decompositionIndex[cp] && text(cp).normalize("NFC") !== text(cp)))
    properties[cp] = (properties[cp] ?? 0) | NFC_UNSAFE;
}

/** @type {[number, number][]} */ const lower = [];
for (let cp = 0; cp < MAX; cp++) {
  if (isSurrogate(cp)) continue;
  const mapped = codePoints(text(cp).toLowerCase());
  if (mapped.length === 1 && mapped[0] !== cp) lower.push([cp, /** @type {number} */ (mapped[0])]);
  if (mapped.length > 1 && cp !== 0x130) throw new Error(`unexpected long lower case of U+${cp.toString(16)}`);
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
/** @param {string} string */
const isOneCluster = (string) => [...segmenter.segment(string)].length === 1;
const punctuation = setOf(reference.punctuation);
const removableMarks = setOf(reference.marks);
const controls = setOf(reference.controls);
const numeric = /^\p{N}$/u;
const traits = new Uint8Array(MAX);
for (let cp = 0; cp < MAX; cp++) {
  if (isSurrogate(cp)) continue;
  const c = text(cp);
  traits[cp] =
    (punctuation.has(cp) ? PUNCTUATION : 0) |
    (removableMarks.has(cp) ? MARK : 0) |
    (controls.has(cp) ? CONTROL : 0) |
    (numeric.test(c) ? NUMERIC : 0) |
    (isOneCluster(`a${c}`) ? EXTENDS_CLUSTER : 0) |
    ((properties[cp] ?? 0) !== 0 && isOneCluster(`${c}a`) ? BEGINS_CLUSTER : 0) |
    (isOneCluster(`${c}\u0301`) ? 0 : BREAKS_CLUSTER);
}

/** Two-stage table: blocks of 256 shared by content. @param {Uint8Array | Uint16Array} values @param {string} name @param {string} type */
const twoStage = (values, name, type) => {
  const blocks = new Map();
  /** @type {number[]} */ const data = [];
  const index = [];
  for (let start = 0; start < MAX; start += 256) {
    const block = [...values.subarray(start, start + 256)];
    const key = block.join();
    if (!blocks.has(key)) {
      blocks.set(key, blocks.size);
      data.push(...block);
    }
    index.push(blocks.get(key));
  }
  return array("uint16_t", `${name}Index`, index) + array(type, `${name}Blocks`, data);
};
/** @param {string} type @param {string} name @param {number[]} values */
const array = (type, name, values) => {
  const lines = [];
  for (let i = 0; i < values.length; i += 32) lines.push(values.slice(i, i + 32).join(","));
  return `inline constexpr ${type} ${name}[] = {\n${lines.join(",\n")}};\n`;
};

const output = [
  `// Generated by tools/unicode-tables.mjs from Unicode ${process.versions.unicode}. Do not edit.\n`,
  `inline constexpr const char* kUnicodeVersion = "${process.versions.unicode}";\n`,
  twoStage(properties, "kProperty", "uint8_t"),
  twoStage(traits, "kTrait", "uint8_t"),
  twoStage(decompositionIndex, "kDecomposition", "uint16_t"),
  twoStage(combining, "kCombining", "uint8_t"),
  array("uint16_t", "kDecompositionEntries", entries.flat()),
  array("uint32_t", "kDecompositionPool", pool),
  array("uint32_t", "kCompositions", compositions.flat()),
  array("uint32_t", "kLower", lower.flat()),
].join("");
writeFileSync(new URL("../packages/perennial/native/tokenizer/unicode_tables.inc", import.meta.url), output);
console.log(
  `Unicode ${process.versions.unicode}: ${entries.length - 1} decompositions, ${compositions.length} compositions, ${classes.length} combining classes`,
);
