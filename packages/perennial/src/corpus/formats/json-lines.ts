/** Lines of JSON that we wrote ourselves: plain, gzip or zstd. A line that is none is an error that names the file. */
import { FieldError } from "../../errors.ts";
import { readChunks } from "./chunks.ts";
import { findInputs } from "./inputs.ts";
import { splitLines } from "./lines.ts";

const MAX_LINE_BYTES = 2 ** 30;

export async function* readJsonLines<T>(path: string): AsyncGenerator<T> {
  const [file] = findInputs([path]);
  for await (const lines of splitLines(readChunks(file!), MAX_LINE_BYTES))
    for (const { bytes, number } of lines) {
      let value: T;
      try {
        value = JSON.parse(Buffer.from(bytes ?? []).toString("utf8")) as T;
      } catch (cause) {
        throw new FieldError(
          "CORPUS_FILE",
          { at: `${path}:${number}`, expected: "a line of JSON", todo: "run the step that wrote the file again" },
          { cause },
        );
      }
      yield value;
    }
}
