/** Content hashes: the same bytes give the same artifact wherever they lie. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface Content {
  /** SHA-256 in hexadecimal. */
  hash: string;
  bytes: number;
}

export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A file's bytes, or a folder as the sorted list of `hash  relative/name` lines. Hidden files and `except` do not count. */
export async function hashPath(path: string, except: ReadonlySet<string> = new Set()): Promise<Content> {
  return (await stat(path)).isDirectory() ? hashFolder(path, except) : hashFile(path);
}

async function hashFile(path: string): Promise<Content> {
  const hash = createHash("sha256");
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  await pipeline(input, hash);
  return { hash: hash.digest("hex"), bytes: input.bytesRead };
}

async function hashFolder(folder: string, except: ReadonlySet<string>): Promise<Content> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/\\/g, "/").replace(/^\/+/, ""))
    .filter((name) => !except.has(name) && !name.split("/").some((part) => part.startsWith(".")))
    .sort();
  const lines: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const content = await hashFile(join(folder, name));
    lines.push(`${content.hash}  ${name}\n`);
    bytes += content.bytes;
  }
  return { hash: hashText(lines.join("")), bytes };
}
