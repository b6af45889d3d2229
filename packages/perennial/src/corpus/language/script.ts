/**
 * The script of a text, as ISO 15924 code, by Unicode's Script property: the one that most of its characters have. Characters of Common and
 * Inherited scripts (digits, punctuation, combining marks) do not count. Han with kana is `Jpan`; other Han stays `Hani`, which of Hans and
 * Hant it is cannot be seen in single characters.
 */

/** Scripts in the order of their share of the web; those that the engine's Unicode does not know are passed over. */
const SCRIPTS =
  "Latn Cyrl Hani Arab Hira Kana Hang Grek Hebr Thai Deva Beng Taml Telu Gujr Guru Knda Mlym Orya Sinh Mymr Khmr Laoo Tibt Geor Armn Ethi Mong Cher Cans Thaa Syrc Nkoo Tfng Vaii Yiii Bopo Copt Goth Java Sund Bali Cham Lana Talu Tale Tavt Olck Mtei Limb Lepc Bugi Batk Rjng Kali Saur Sylo Tglg Hano Buhd Tagb Phag Adlm Bamu Mend Plrd Rohg Newa Osge Hmnp Hmng Wcho Nagm Gonm Gong Cakm Shrd Takr Modi Tirh Sidd Khoj Sind Mahj Kthi Mult Brah Khar Runr Ogam Ital Cprt Linb Lina Xsux Egyp Phnx Armi Avst Sarb Narb Mand Samr Lydi Lyci Cari Glag Perm Elba Aghb Hluw Mero Merc Orkh Sogd Sogo Phli Phlp Prti Palm Nbat Hatr Chrs Elym Bass Medf Dsrt Shaw Dupl Bhks Gran Ahom Marc Maka Nand Dogr Soyo Zanb Diak Yezi Kits Vith Tnsa Toto Cpmn Ougr Mani Tang Nshu Sgnw Pauc Sora Ugar Xpeo Kawi Hung".split(
    " ",
  );

const TABLE_SIZE = 0x20000;
/** Of no script of its own. */
const COMMON = 0;
const UNKNOWN = 255;
const HAN = SCRIPTS.indexOf("Hani") + 1;
const HANGUL = SCRIPTS.indexOf("Hang") + 1;

/** Index into `SCRIPTS`, from 1, by code point; filled in as characters are met. */
let table: Uint8Array | undefined;

function scriptTable(): Uint8Array {
  if (table) return table;
  table = new Uint8Array(TABLE_SIZE).fill(UNKNOWN);
  table.fill(HAN, 0x3400, 0x4dc0).fill(HAN, 0x4e00, 0xa000).fill(HANGUL, 0xac00, 0xd7a4);
  table.fill(COMMON, 0, 0x41).fill(COMMON, 0xd800, 0xe000);
  return table;
}

const patterns: (RegExp | undefined)[] = [];

function scriptOf(code: number): number {
  const character = String.fromCodePoint(code);
  if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(character)) return COMMON;
  return SCRIPTS.findIndex((_, i) => patternOf(i)?.test(character)) + 1;
}

function patternOf(index: number): RegExp | undefined {
  if (index in patterns) return patterns[index];
  try {
    patterns[index] = new RegExp(`\\p{Script=${SCRIPTS[index]}}`, "u");
  } catch {
    patterns[index] = undefined; // this engine's Unicode does not have it
  }
  return patterns[index];
}

/** Characters looked at: enough for a majority, whatever the length of the text. */
const MAX_CHARACTERS = 20_000;

/** How many characters of each script the beginning of a text has. */
export function scriptCounts(text: string, maxCharacters = MAX_CHARACTERS): Map<string, number> {
  const scripts = scriptTable();
  const counts = new Uint32Array(UNKNOWN);
  const end = Math.min(text.length, maxCharacters);
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i);
    const code = unit >= 0xd800 && unit < 0xdc00 ? text.codePointAt(i)! : unit;
    if (code > 0xffff) i++;
    let index: number = code < 0x40000 ? HAN : COMMON;
    if (code < TABLE_SIZE) {
      index = scripts[code]!;
      if (index === UNKNOWN) index = scripts[code] = scriptOf(code);
    }
    counts[index]!++;
  }
  return new Map(SCRIPTS.flatMap((name, i) => (counts[i + 1]! > 0 ? [[name, counts[i + 1]!] as const] : [])));
}

/** The script that most characters of a text have; `Zyyy` when it has no letters. */
export function dominantScript(text: string): string {
  const counts = scriptCounts(text);
  const kana = (counts.get("Hira") ?? 0) + (counts.get("Kana") ?? 0);
  // Japanese prose is a third to a half kana; a Chinese text may quote a few.
  if (kana > 0 && kana * 10 >= (counts.get("Hani") ?? 0)) {
    counts.set("Jpan", kana + (counts.get("Hani") ?? 0));
    for (const part of ["Hira", "Kana", "Hani"]) counts.delete(part);
  }
  let best = "Zyyy";
  let most = 0;
  for (const [name, count] of counts) if (count > most) [best, most] = [name, count];
  return best;
}
