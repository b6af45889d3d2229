/**
 * How far a text compresses as text of its length and script usually does. Lowercase, every digit → 1, UTF-8, zstd at its default
 * level: c = round1(100 · (1 − compressed/raw)) percent; y = the expected c for that many raw bytes; d = |c − y|:
 *   d ≤ 10 → 10 · 10 … 15 falls to 7 · 15 … 20 falls to 0
 * The expected curves are samples of the reference's, linear in between and constant outside.
 */
import { zstdWasm } from "../formats/zstd.ts";
import { interpolate, round1 } from "./round.ts";

type Curve = readonly (readonly [bytes: number, percent: number])[];

const curve = (samples: string): Curve => samples.split(" ").map((sample) => sample.split(":").map(Number) as [number, number]);

const GROUP_A = curve(
  "500:39.4 1000:46 2000:52.5 3000:55.6 5000:58.8 7500:60.7 10000:61.9 15000:63.6 20000:64.5 30000:65.5 50000:66.9 75000:67.7 100000:69 150000:71.3 180000:72.8",
);
const GROUP_B = curve(
  "500:59.1 1000:61.3 2000:65.6 3000:68.6 5000:71.4 7500:73 10000:73.9 15000:75.1 20000:75.8 30000:76.6 50000:77.5 75000:78.1 100000:78.4 150000:78.9 250000:79.8",
);
const GROUP_C = curve(
  "1000:52.5 2000:58.8 3000:61.6 5000:64.3 7500:65.8 10000:66.6 15000:68 20000:69.2 30000:70.3 50000:71 100000:71.5 180000:72.1",
);
const GROUP_D = curve("1000:28.8 2000:36.2 3000:39.1 5000:43.2 7500:45.4 10000:47.2 15000:49 20000:49.8 30000:51 50000:53.7 75000:57.3");

const GROUPS: readonly (readonly [Curve, string])[] = [
  [GROUP_B, "Deva Beng Telu Tibt Geor Gujr Khmr Knda Laoo Mlym Mymr Orya Sinh Taml Thai Olck"],
  [GROUP_C, "Arab Armn Ethi Guru Hebr"],
  [GROUP_D, "Hans Hant Hani"],
];

const PENALTY: readonly (readonly [distance: number, score: number])[] = [
  [10, 10],
  [15, 7],
  [20, 0],
];

/** Expected percent that a text of a script saves when compressed. Latin, Cyrillic, Greek, Hangul, Japanese and all others: one curve. */
export function expectedCompression(script: string, bytes: number): number {
  const curve = GROUPS.find(([, scripts]) => scripts.split(" ").includes(script))?.[0] ?? GROUP_A;
  return interpolate(curve, bytes);
}

const encoder = new TextEncoder();

export function informativeness(text: string, script: string, compressedBytes: (bytes: Uint8Array) => number): number {
  const bytes = encoder.encode(text.toLowerCase().replace(/\p{Nd}/gu, "1"));
  const raw = Math.max(1, bytes.length);
  const compression = round1((1 - compressedBytes(bytes) / raw) * 100);
  return round1(interpolate(PENALTY, Math.abs(compression - expectedCompression(script, raw))));
}

/** Size of a zstd frame at the default level. The library is WebAssembly everywhere, so that scores are the same everywhere. */
export async function openZstdSize(): Promise<(bytes: Uint8Array) => number> {
  const compress = await zstdWasm();
  return (bytes) => compress(bytes).length;
}
