/**
 * Which `Intl.Segmenter` locale cuts a language into words, also for the languages that ICU does not know:
 *   (a) its own locale, if ICU has one;
 *   (b) the locale of its family in the same script: every family takes its largest covered language (families do not pass
 *       theirs on to the root) and hands it to the uncovered ones;
 *   (c) otherwise Latin and Cyrillic: the root rules (`und`);
 *   (d) otherwise: the largest covered language of the script, or the root rules when there is none.
 * Source: FineWeb2, arXiv 2506.20920, section on word tokenizers; a tree of depth one, with data sizes as its order.
 */
import { LANGUAGE_FAMILIES } from "./families.ts";

export interface WordLocale {
  /** BCP 47 language. */
  readonly locale: string;
  readonly because: "own" | "family" | "root" | "script";
}

/** For a label such as `kab_Latn`; an unknown label gets the root rules. */
export function wordLocale(label: string): WordLocale {
  const [code = "und", script = ""] = label.split("_");
  const own = supported(code);
  if (own !== undefined) return { locale: own, because: "own" };
  const families = familiesOf(script);
  const family = families.find(({ name, codes }) => name !== "-" && codes.includes(code));
  const ofFamily = family && firstSupported(family.codes);
  if (ofFamily !== undefined) return { locale: ofFamily, because: "family" };
  if (script === "Latn" || script === "Cyrl") return { locale: "und", because: "root" };
  const ofScript = firstSupported(families.flatMap(({ codes }) => codes));
  return ofScript === undefined ? { locale: "und", because: "root" } : { locale: ofScript, because: "script" };
}

/** The family of a language in a script, e.g. `Afro-Asiatic`; undefined for isolates and unknown languages. */
export function languageFamily(label: string): string | undefined {
  const [code = "und", script = ""] = label.split("_");
  return familiesOf(script).find(({ name, codes }) => name !== "-" && codes.includes(code))?.name;
}

interface Family {
  readonly name: string;
  readonly codes: readonly string[];
}

let table: Map<string, Family[]> | undefined;

function familiesOf(script: string): readonly Family[] {
  if (table === undefined) {
    table = new Map();
    for (const line of LANGUAGE_FAMILIES.trim().split("\n")) {
      const [key, name, codes] = line.split("|") as [string, string, string];
      const families = table.get(key) ?? [];
      families.push({ name, codes: codes.split(" ") });
      table.set(key, families);
    }
  }
  return table.get(script) ?? [];
}

function supported(code: string): string | undefined {
  if (!/^[a-z]{2,3}$/.test(code) || code === "und") return undefined;
  return Intl.Segmenter.supportedLocalesOf(Intl.getCanonicalLocales(code))[0];
}

function firstSupported(codes: readonly string[]): string | undefined {
  for (const code of codes) {
    const locale = supported(code);
    if (locale !== undefined) return locale;
  }
  return undefined;
}
