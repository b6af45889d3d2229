/** Texts that a tokenizer is learnt from or measured on. */
import { resolve } from "node:path";
import type { Effects } from "../../effects.ts";

export interface NamedText {
  readonly name: string;
  readonly path: string;
}

/** `name=path`, or a path that is its own name. */
export const namedTexts = (written: readonly string[], cwd: string): NamedText[] =>
  written.map((text) => {
    const named = /^([\w-]+)=(.+)$/.exec(text);
    return { name: named?.[1] ?? text, path: resolve(cwd, named?.[2] ?? text) };
  });

const INTERVAL = 200; // milliseconds between two lines
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Passes texts on and tells how many they were: one live line on a terminal, one at the end elsewhere. */
export async function* countTexts(texts: AsyncIterable<string>, effects: Effects, what: string): AsyncGenerator<string> {
  let [count, bytes, last] = [0, 0, Number.NEGATIVE_INFINITY];
  const line = () => `${what}: ${count} documents, ${megabytes(bytes)}`;
  try {
    for await (const text of texts) {
      count++;
      bytes += Buffer.byteLength(text);
      if (effects.isTTY && effects.now() - last >= INTERVAL) {
        last = effects.now();
        effects.err(`\r\u001b[K${line()}`);
      }
      yield text;
    }
  } finally {
    // Also where the reader had enough.
    effects.err(effects.isTTY ? `\r\u001b[K${line()}\n` : `${line()}\n`);
  }
}

/** Bytes of text that are measured at most. */
const SAMPLE_BYTES = 4e6;
const SAMPLE_EVERY = 10;

/** Every tenth document of a stream, within bounds; of fewer than ten documents all. */
export class Sample {
  private readonly tenth: string[] = [];
  private readonly first: string[] = [];
  private bytes = 0;
  private count = 0;

  get texts(): readonly string[] {
    return this.tenth.length > 0 ? this.tenth : this.first;
  }

  /** Of documents that were not passed on. */
  get isHeldOut(): boolean {
    return this.holdOut && this.tenth.length > 0;
  }

  private readonly holdOut: boolean;

  /** `holdOut`: what is in the sample is not passed on, so that it can tell how text does that nothing was learnt from. */
  constructor(holdOut: boolean) {
    this.holdOut = holdOut;
  }

  async *take(texts: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const text of texts) {
      const chosen = ++this.count % SAMPLE_EVERY === 0 && this.bytes < SAMPLE_BYTES;
      if (chosen) {
        this.tenth.push(text);
        this.bytes += text.length;
      } else if (this.count < SAMPLE_EVERY) this.first.push(text);
      if (!chosen || !this.holdOut) yield text;
    }
  }
}
