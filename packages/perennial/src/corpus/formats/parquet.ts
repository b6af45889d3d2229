import { type FileMetaData, toJson } from "hyparquet";
import { FieldError, nearest } from "../../errors.ts";
import type { InputFile } from "./inputs.ts";
import { readParquetRows } from "./parquet-rows.ts";
import type { RecordOptions } from "./read-documents.ts";
import { documentFromObject, type ReadRecord, rejected } from "./record.ts";

/** The documents of a Parquet file. A row group that does not decode is set aside as a whole and counted with its rows; the groups after it are read. */
export async function* readParquet(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  const groups = readParquetRows(file.path, options, (metadata) => checkTextColumn(metadata, file, options.textField));
  for await (const { rowStart, rows, problem } of groups) {
    if (problem !== undefined) {
      yield [rejected({ file: file.path, line: rowStart + 1 }, "damaged-file", { detail: problem })];
      continue;
    }
    yield rows.map((row, index) => {
      const place = { file: file.path, line: rowStart + index + 1, offset: rowStart + index };
      if (row[options.textField] instanceof Error) return rejected(place, "invalid-utf-8");
      for (const key of Object.keys(row)) if (row[key] === null || row[key] === undefined || row[key] instanceof Error) delete row[key];
      return documentFromObject(toJson(row), place, options);
    });
  }
}

function checkTextColumn(metadata: FileMetaData, file: InputFile, textField: string): void {
  const columns = metadata.schema.slice(1).map((element) => element.name);
  if (columns.includes(textField)) return;
  const near = nearest(textField, columns);
  throw new FieldError("PARQUET_COLUMN", {
    at: `${file.path} column "${textField}"`,
    expected: `one of its columns: ${columns.join(", ")}`,
    todo: near === undefined ? "name the column that holds the text as textField" : `write textField: "${near}" if that is meant`,
  });
}
