/**
 * The script of a text, as ISO 15924 code, by Unicode's Script property: the one that most of its characters have. Characters of Common and
 * Inherited scripts (digits, punctuation, combining marks) do not count. Han with kana is `Jpan`; other Han stays `Hani`, which of Hans and
 * Hant it is cannot be seen in single characters.
 */

/** Scripts in the order of their share of the web; all that Unicode has a property value for in the engine that runs this. */
const SCRIPTS =
  "Latn Cyrl Hani Arab Hira Kana Hang Grek Hebr Thai Deva Beng Taml Telu Gujr Guru Knda Mlym Orya Sinh Mymr Khmr Laoo Tibt Geor Armn Ethi Mong Cher Cans Thaa Syrc Nkoo Tfng Vaii Yiii Bopo Copt Goth Java Sund Bali Cham Lana Talu Tale Tavt Olck Mtei Beng Limb Lepc Bugi Batk Rjng Kali Saur Syl0 Sylo Tglg Hano Buhd Tagb Phag Adlm Bamu Mend Plrd Rohg Newa Osge Hmnp Hmng Wcho Nagm Gonm Gong Cakm Shrd Takr Modi Tirh Sidd Khoj Sind Mahj Kthi Mult Brah Khar Runr Ogam Ital Cprt Linb Lina Xsux Egyp Phnx Aram Armi Avst Sarb Narb Mand Samr Lydi Lyci Cari Glag Perm Elba Aghb Hluw Mero Merc Orkh Sogd Sogo Phli Phlp Prti Palm Nbat Hatr Chrs Elym Bass Medf Dsrt Shaw Dupl Bhks Gran Ahom Marc Maka Nand Dogr Soyo Zanb Diak Yezi Kits Vith Tnsa Toto Cpmn Ougr Mani Tang Nshu Sgnw Pauc Sora Ugar Xpeo Kawi Hung".split(
    " ",
  );

const TABLE_SIZE = 0x20000;
let table: { readonly names: readonly string[]; readonly indexes: Uint8Array } | undefined;

function scriptTable() {
  if (table) return table;
  // One string of all code points but the large one-script blocks, which are filled in directly.
  const indexes = new Uint8Array(TABLE_SIZE);
  const names = ["Zyyy"];
  let all = "";
  const codes: number[] = [];
  for (let code = 0x41; code < TABLE_SIZE; code++) {
    if (code === 0x3400) code = 0xa000;
    if (code === 0xac00) code = 0xd7b0;
    if (code === 0xd800) code = 0xf900;
    if (code === 0x17000) code = 0x18d00;
    const character = String.fromCodePoint(code);
    for (let i = 0; i < character.length; i++) codes.push(code);
    all += character;
  }
  for (const name of SCRIPTS) {
    let pattern: RegExp;
    try {
      pattern = new RegExp(`\\p{Script=${name}}+`, "gu");
    } catch {
      continue; // this engine's Unicode does not have it
    }
    const index = names.push(name) - 1;
    for (const { index: at, 0: stretch } of all.matchAll(pattern)) for (let i = 0; i < stretch.length; i++) indexes[codes[at + i]!] = index;
  }
  const fill = (name: string, from: number, to: number) => indexes.fill(names.indexOf(name), from, to);
  fill("Hani", 0x3400, 0x4dc0);
  fill("Hani", 0x4e00, 0xa000);
  fill("Hang", 0xac00, 0xd7a4);
  table = { names, indexes };
  return table;
}

/** Characters looked at: enough for a majority, whatever the length of the text. */
const MAX_CHARACTERS = 20_000;

/** How many characters of each script the beginning of a text has. */
export function scriptCounts(text: string, maxCharacters = MAX_CHARACTERS): Map<string, number> {
  const { names, indexes } = scriptTable();
  const counts = new Uint32Array(names.length);
  const end = Math.min(text.length, maxCharacters);
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i);
    const code = unit >= 0xd800 && unit < 0xdc00 ? text.codePointAt(i)! : unit;
    if (code > 0xffff) i++;
    const index = code < TABLE_SIZE ? indexes[code]! : code < 0x40000 ? names.indexOf("Hani") : 0;
    counts[index] = counts[index]! + 1;
  }
  return new Map(names.flatMap((name, index) => (index > 0 && counts[index]! > 0 ? [[name, counts[index]!] as const] : [])));
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
