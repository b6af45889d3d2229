import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { writeFileAtomic } from "./atomic.ts";
import type { InputFile } from "./inputs.ts";

/**
 * One SHA-256 over the contents of all files in their order; names do not count. With `cachePath`, a file whose size and times are those
 * of the last call is not read again.
 */
export async function hashInputs(files: readonly InputFile[], cachePath?: string): Promise<string> {
  const known = cachePath === undefined ? {} : readCache(cachePath);
  const now: Record<string, string> = {};
  const all = createHash("sha256");
  for (const { path } of files) {
    const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
    const key = [resolve(path), size, mtimeNs, ctimeNs, ino].join("|");
    now[key] = known[key] ?? (await hashFile(path));
    all.update(now[key]);
  }
  if (cachePath !== undefined) writeFileAtomic(cachePath, JSON.stringify({ ...known, ...now }));
  return all.digest("hex");
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

function readCache(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  } catch {
    return {}; // absent or damaged: every file is read again
  }
}
