/** Documents of a verb as a file, by its ending, or as JSON lines on standard output. */
import { resolve } from "node:path";
import { FieldError } from "perennial";
import type { Document } from "perennial/corpus";
import type { Effects } from "./effects.ts";

export const OUTPUT_HELP = "file for the documents: .jsonl, .jsonl.gz, .jsonl.zst or .parquet; default: JSON lines on standard output";

/** Complete, or not there at all. Returns the number of documents. */
export async function writeDocuments(output: string | undefined, documents: AsyncIterable<Document>, effects: Effects): Promise<number> {
  if (output === undefined) {
    let count = 0;
    for await (const document of documents) {
      effects.out(`${JSON.stringify(document)}\n`);
      count++;
    }
    return count;
  }
  const { writeJsonl, writeParquet } = await import("perennial/corpus/formats");
  const path = resolve(effects.cwd, output);
  if (path.endsWith(".parquet")) return writeParquet(path, documents);
  if (!/\.jsonl(\.gz|\.zst)?$/.test(path))
    throw new FieldError("CORPUS_OUTPUT", {
      at: "--output",
      expected: "the ending .jsonl, .jsonl.gz, .jsonl.zst or .parquet",
      received: output,
    });
  return writeJsonl(path, documents);
}

/** Counts by reason, for one line at the end. */
export class Reasons {
  private readonly counts = new Map<string, number>();

  add(reason: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return [...this.counts]
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(", ");
  }
}

/** `LABEL=PATH` options, e.g. `eus_Latn=wiki.jsonl`; the same label twice adds a path. */
export function labeledPath(written: string, all: Record<string, string[]>): Record<string, string[]> {
  const [, label, path] = /^([a-z]{2,3}_[A-Z][a-z]{3})=(.+)$/.exec(written) ?? [];
  if (label === undefined)
    throw new FieldError("CORPUS_OPTION", {
      at: "LABEL=PATH",
      expected: "a label and a path, e.g. kab_Latn=wiki.jsonl",
      received: written,
    });
  return { ...all, [label]: [...(all[label] ?? []), path!] };
}
