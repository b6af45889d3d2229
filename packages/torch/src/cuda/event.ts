/** Events: marks in a stream, to wait for and to measure between. */
import { begin, putWord, run } from "../call.ts";
import { native } from "../native.ts";
import type { Stream } from "./stream.ts";

const finalizer = new FinalizationRegistry<number>(release);

export class Event {
  private handle: number;

  /** `timing: false`: only for order; costs less. */
  constructor(options: { timing?: boolean } = {}) {
    begin();
    putWord(options.timing === false ? 0 : 1);
    this.handle = run(() => native.createEvent());
    finalizer.register(this, this.handle, this);
  }

  /** Happens when the work asked of `stream` so far is done. Returns the event. */
  record(stream: Stream): this {
    begin();
    putWord(this.liveHandle);
    stream.put();
    run(() => native.recordEvent());
    return this;
  }

  /** Whether it has happened. Does not wait. */
  isDone(): boolean {
    this.write();
    return run(() => native.queryEvent());
  }

  /** Waits until it has happened. */
  synchronize(): void {
    this.write();
    run(() => native.synchronizeEvent());
  }

  /** Milliseconds from this event to a later one, both with timing and both done. */
  elapsedMilliseconds(later: Event): number {
    this.write();
    putWord(later.liveHandle);
    return run(() => native.elapsedTime());
  }

  dispose(): void {
    if (this.handle < 0) return;
    finalizer.unregister(this);
    release(this.handle);
    this.handle = -1;
  }

  /** @internal */
  get liveHandle(): number {
    if (this.handle < 0) throw new Error("This Event was disposed of.");
    return this.handle;
  }

  private write(): void {
    begin();
    putWord(this.liveHandle);
  }
}

function release(handle: number): void {
  begin();
  putWord(handle);
  native.releaseEvent();
}
