import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Rejection, RejectionReason } from "./record.ts";

/** Counts broken records by reason and, given a path, writes each as a line of JSON. The file is made at the first one. */
export class Rejections {
  readonly counts: Partial<Record<RejectionReason, number>> = {};
  total = 0;
  private readonly path: string | undefined;
  private descriptor: number | undefined;

  constructor(path?: string) {
    this.path = path;
  }

  add(rejection: Rejection): void {
    this.total++;
    this.counts[rejection.reason] = (this.counts[rejection.reason] ?? 0) + 1;
    if (this.path === undefined) return;
    if (this.descriptor === undefined) {
      mkdirSync(dirname(this.path), { recursive: true });
      this.descriptor = openSync(this.path, "w");
    }
    writeSync(this.descriptor, `${JSON.stringify(rejection)}\n`);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
