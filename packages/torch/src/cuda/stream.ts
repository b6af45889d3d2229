/** Streams: queues of a device's work. What is asked of one runs in order; different ones run beside each other. */
import { begin, beginReading, putBits, putWord, run, takeBits, takeWord } from "../call.ts";
import { native } from "../native.ts";
import type { Tensor } from "../tensor.ts";
import { withIndex } from "./device.ts";
import { Event } from "./event.ts";

export class Stream {
  readonly deviceIndex: number;
  /** @internal libtorch's id of the stream. */
  readonly id: bigint;

  /** A stream of libtorch's pool, which it hands out in turn: after 32 of a priority the first comes again. */
  constructor(options: { device?: number; priority?: "normal" | "high" } = {}) {
    begin();
    putWord(options.device ?? -1);
    putWord(options.priority === "high" ? 1 : 0);
    run(() => native.newStream());
    [this.deviceIndex, this.id] = read();
  }

  /** The stream that work on the device goes to now. */
  static current(device?: number): Stream {
    withIndex(device, () => native.currentStream());
    return known(...read());
  }

  /** Whether everything asked of it is done. Does not wait. */
  isDone(): boolean {
    this.write();
    return run(() => native.queryStream());
  }

  /** Waits until everything asked of it is done. */
  synchronize(): void {
    this.write();
    run(() => native.synchronizeStream());
  }

  /** What is asked of this stream from now on waits for `event`; JavaScript does not. */
  waitFor(event: Event): void {
    begin();
    putWord(event.liveHandle);
    this.put();
    run(() => native.awaitEvent());
  }

  /** What is asked of this stream from now on waits for all that was asked of `other` before. */
  waitForStream(other: Stream): void {
    const event = new Event({ timing: false });
    event.record(other);
    this.waitFor(event);
    event.dispose();
  }

  /** @internal Appends device and id to the command buffer. */
  put(): void {
    putWord(this.deviceIndex);
    putBits(this.id);
  }

  private write(): void {
    begin();
    this.put();
  }
}

function read(): [deviceIndex: number, id: bigint] {
  beginReading();
  return [takeWord(), takeBits()];
}

/** A stream that libtorch has already. */
const known = (deviceIndex: number, id: bigint): Stream => Object.assign(Object.create(Stream.prototype) as Stream, { deviceIndex, id });

function exchange(stream: Stream): Stream {
  begin();
  stream.put();
  run(() => native.exchangeStream());
  return known(...read());
}

/**
 * Runs `body` with its work on `stream`. Tensors made on another stream may be read here only after
 * `stream.waitForStream(other)`; pass those that are freed before the work is done to `recordStream`.
 */
export function withStream<T>(stream: Stream, body: () => T): T {
  const device = native.currentDevice();
  const before = exchange(stream);
  try {
    return body();
  } finally {
    exchange(before);
    withIndex(device, () => native.setDevice());
  }
}

/** The tensor is used on `stream` as well: its memory is not given to others before the work asked of it so far is done. */
export function recordStream(tensor: Tensor, stream: Stream): void {
  begin();
  putWord(tensor.liveHandle);
  stream.put();
  run(() => native.recordStream());
}
