/**
 * Scalars as TensorBoard event files. A file is a row of records
 *   length u64 | masked CRC-32C of it u32 | data | masked CRC-32C of the data u32        little endian; mask(c) = rotr(c, 15) + 0xa282ead8
 * whose data are `Event` messages (tensorflow/core/util/event.proto), written here by hand:
 *   1 wall_time double · 2 step varint · 3 file_version string · 5 summary { 1 value { 1 tag · 2 simple_value float } } · 7 session_log { 1 status }
 * A session that starts at step s makes readers forget what earlier files hold from there on: a resumed run draws one line.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { METRICS } from "../store/index.ts";
import { crc32c } from "../train/crc32c.ts";
import type { Listener } from "./events.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const SESSION_START = 1;

export class EventFile {
  readonly path: string;
  private readonly file: number;
  private readonly clock: () => number;

  /** Opens a new file in `folder` for a run that goes on from `step`. `clock`: milliseconds since 1970. */
  constructor(folder: string, step: number, clock: () => number = Date.now) {
    mkdirSync(folder, { recursive: true });
    this.clock = clock;
    const seconds = String(Math.floor(clock() / 1000)).padStart(10, "0");
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}`);
    this.file = openSync(this.path, "wx");
    this.write(field(3, BYTES, Buffer.from("brain.Event:2")));
    if (step > 0) this.startSession(step + 1);
  }

  /** Readers forget what they have from `step` on. */
  startSession(step: number): void {
    this.write(Buffer.concat([field(2, VARINT, varint(step)), field(7, BYTES, field(1, VARINT, varint(SESSION_START)))]));
  }

  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const summary = Object.entries(values).map(([tag, value]) =>
      field(1, BYTES, Buffer.concat([field(1, BYTES, Buffer.from(tag)), field(2, FIXED32, float(value))])),
    );
    this.write(Buffer.concat([field(2, VARINT, varint(step)), field(5, BYTES, Buffer.concat(summary))]));
  }

  close(): void {
    closeSync(this.file);
  }

  private write(event: Buffer): void {
    const data = Buffer.concat([field(1, FIXED64, double(this.clock() / 1000)), event]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(data.length));
    const record = Buffer.concat([length, checksum(length), data, checksum(data)]);
    for (let at = 0; at < record.length; ) at += writeSync(this.file, record, at);
  }
}

/** Writes what a run tells: losses, rates and speeds of every step, and measurements. */
export function eventListener(file: EventFile): Listener {
  let last = 0;
  return (message) => {
    if (message.kind === "step") {
      const { step, report, tokensPerSecond, modelFlopsUtilization, memoryBytes } = message;
      if (step <= last) file.startSession(step); // rolled back
      last = step;
      file.scalars(step, {
        [METRICS.loss]: report.loss,
        [METRICS.learningRate]: report.learningRate,
        [METRICS.gradNorm]: report.gradNorm,
        [METRICS.tokensPerSecond]: tokensPerSecond,
        [METRICS.modelFlopsUtilization]: modelFlopsUtilization,
        [METRICS.memoryBytes]: memoryBytes,
      });
    } else if (message.kind === "measured") {
      const name = message.of === undefined ? "bitsPerByte" : `bitsPerByte/${message.of}`;
      file.scalars(message.step, Object.fromEntries([...message.bitsPerByte].map(([corpus, value]) => [`${name}/${corpus}`, value])));
    }
  };
}

/** Two files of one process in the same second have different names. */
let files = 0;

function checksum(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}

/** A field of a message: its key, for BYTES the length, and the value. */
function field(number: number, wire: number, value: Buffer): Buffer {
  const key = varint((number << 3) | wire);
  return wire === BYTES ? Buffer.concat([key, varint(value.length), value]) : Buffer.concat([key, value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
