import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type BasicType, fileWriter, parquetWriteRows } from "hyparquet-writer";
import type { Document } from "../document.ts";
import { syncFolder } from "./atomic.ts";

const COLUMNS: readonly { name: keyof Document; type: BasicType; nullable: boolean }[] = [
  { name: "id", type: "STRING", nullable: false },
  { name: "text", type: "STRING", nullable: false },
  { name: "url", type: "STRING", nullable: true },
  { name: "language", type: "STRING", nullable: true },
  { name: "languageScore", type: "DOUBLE", nullable: true },
  { name: "script", type: "STRING", nullable: true },
  { name: "clusterSize", type: "INT32", nullable: true },
  { name: "provenance", type: "JSON", nullable: false },
  { name: "metadata", type: "JSON", nullable: false },
  { name: "annotations", type: "JSON", nullable: false },
];

/** Writes all documents to one Parquet file (snappy), a row group at a time, and returns their number. Complete, or not there at all. */
export async function writeParquet(
  path: string,
  documents: AsyncIterable<Document> | Iterable<Document>,
  { rowGroupRows = 1000 }: { readonly rowGroupRows?: number } = {},
): Promise<number> {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  let count = 0;
  const rows = async function* () {
    for await (const document of documents) {
      count++;
      yield document;
    }
  };
  try {
    await parquetWriteRows({ writer: fileWriter(temporary), rows: rows(), columns: [...COLUMNS], rowGroupSize: rowGroupRows });
    const descriptor = openSync(temporary, "r+");
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return count;
}
