import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { repairMojibake } from "./mojibake.ts";
import { collapseSymbolLines } from "./symbol-lines.ts";

/** UTF-8 read as a code page; holes of windows-1252 become C1 controls, as in browsers (Node's own decoder takes it for ISO 8859-1). */
function misread(text: string, page: string): string {
  const decoder = new TextDecoder(page);
  const signs = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
  const character = (byte: number) => (page === "windows-1252" ? signs[byte - 0x80] : undefined) ?? decoder.decode(Uint8Array.of(byte));
  return [...new TextEncoder().encode(text)].map(character).join("");
}

const pages: { language: string; variant: string; text: string }[] = JSON.parse(
  readFileSync(new URL("../filter/golden/pages.json", import.meta.url), "utf8"),
);

test.each(pages.map(({ language, variant, text }, i) => [i, language, variant, text] as const))(
  "clean text stays: %i %s, %s",
  (_i, _language, _variant, text) => {
    expect(repairMojibake(text)).toBe(text);
  },
);

const real = pages.filter(({ variant }) => variant === "as it is");

// Through the Cyrillic page a single Latin letter ("Г©") looks like Russian.
test.each([
  ["windows-1252", []],
  ["windows-1251", ["fra_Latn", "deu_Latn", "tur_Latn", "vie_Latn"]],
  ["windows-1250", []],
])("whole pages read as %s come back, but for %j", (page, without: string[]) => {
  const wrong = real.filter(({ text }) => repairMojibake(misread(text, page)) !== text);
  expect([...new Set(wrong.map(({ language }) => language))]).toEqual(without);
});

test("text that was broken twice comes back", () => {
  for (const { text } of real.slice(0, 30)) expect(repairMojibake(misread(misread(text, "windows-1252"), "windows-1252"))).toBe(text);
});

test.each([
  ["cafÃ© crÃ¨me", "café crème"],
  ["Itâ€™s 20Â°C â€” 5â‚¬", "It’s 20°C — 5€"],
  ["Å¡koda, dÄ›ti", "škoda, děti"],
  ["HÃ”TEL Ã‰TÃ‰", "HÔTEL ÉTÉ"],
  ["Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "привет"],
  ["РїСЂРёРІРµС‚ РјРёСЂ", "привет мир"],
  ["æ—¥æœ¬èªž", "日本語"],
  ["à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡", "नमस्ते"],
  ["ðŸ˜€ ok", "😀 ok"],
  ["naÃƒÂ¯ve", "naïve"],
])("%s → %s", (broken, whole) => expect(repairMojibake(broken)).toBe(whole));

test.each([
  "LIBERTÉ\u00a0: la cité\u00a0», voilà\u00a0», FORÊT\u00a0!",
  "«\u00a0É\u00a0» et «\u00a0à\u00a0»",
  "„Ä“ ist ein Umlaut, Å–Ä",
  "AMANHû, disse. AMANHÔ",
  "Рік Сім Сєверодонецьк, РІЧКА «Рівне»",
  "3 × 4 = 12; ×” is a letter; ± 5 µm; ½",
  "ÐÑØß¿¡ ¢£¤¥ àáâãäå",
  "Bước, được, “thư mục” – Không",
  "€ 5,– · 20 °C",
])("stays: %s", (text) => expect(repairMojibake(text)).toBe(text));

test("clean characters beside broken ones stay", () => {
  expect(repairMojibake("été — Ã©tÃ© ☃ 日本")).toBe("été — été ☃ 日本");
});

// Golden values: tools/golden/filters.py, datatrove's SymbolLinesFormatter.
const golden: { text: string; symbolLines: string }[] = JSON.parse(
  readFileSync(new URL("../filter/golden/formatters.json", import.meta.url), "utf8"),
);
test.each(golden)("symbol lines as the reference: $text", ({ text, symbolLines }) => expect(collapseSymbolLines(text)).toBe(symbolLines));
