/** A line without its end. `bytes` is undefined for a line longer than the limit, which is passed over without being held. */
export interface Line {
  readonly bytes: Uint8Array | undefined;
  /** From 1. */
  readonly number: number;
  /** Of its first byte, in the decompressed file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

const NEWLINE = 10;

/** Splits chunks at `\n`; at most one chunk and `maxLineBytes` are held at a time. Lines come in batches, one for each chunk. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Line[]> {
  let number = 1;
  let lineOffset = 0;
  let lineBytes = 0;
  let pieces: Uint8Array[] = [];

  const finish = (last: Uint8Array): Line => {
    const sizeBytes = lineBytes + last.length;
    const bytes = sizeBytes > maxLineBytes ? undefined : pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    const line = { bytes, number, offset: lineOffset, sizeBytes };
    number++;
    lineOffset += sizeBytes + 1;
    lineBytes = 0;
    pieces = [];
    return line;
  };

  for await (const chunk of chunks) {
    const batch: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      batch.push(finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    lineBytes += rest.length;
    if (lineBytes > maxLineBytes) pieces = [];
    else if (rest.length > 0) pieces.push(rest);
    if (batch.length > 0) yield batch;
  }
  if (lineBytes > 0) {
    const last = lineBytes > maxLineBytes ? undefined : Buffer.concat(pieces);
    yield [{ bytes: last, number, offset: lineOffset, sizeBytes: lineBytes }];
  }
}
