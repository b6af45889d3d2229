/** The decision record of a run, looked through: every document that was dropped, by which step and rule, with the numbers. */
import { existsSync } from "node:fs";
import { languageLabel } from "../document.ts";
import { readJsonLines } from "../formats/index.ts";
import type { DropLine } from "./drops.ts";
import { places, readPlan } from "./plan.ts";

export interface DropQuery {
  readonly step?: string;
  /** The filter, inside of the step `filter`. */
  readonly filter?: string;
  readonly reason?: string;
  readonly language?: string;
  /** Part of the address or the id. */
  readonly address?: string;
}

export async function* inspectDrops(folder: string, query: DropQuery = {}): AsyncGenerator<DropLine> {
  const { shards } = readPlan(folder);
  for (const index of shards.keys())
    for (const phase of ["read", "write"] as const) {
      const path = places.dropped(folder, phase, index);
      if (!existsSync(path)) continue;
      for await (const line of readJsonLines<DropLine>(path)) if (fits(line, query)) yield line;
    }
}

function fits(line: DropLine, { step, filter, reason, language, address }: DropQuery): boolean {
  const { dropped } = line;
  if (step !== undefined && dropped.step !== step) return false;
  if (filter !== undefined && dropped.filter !== filter) return false;
  if (reason !== undefined && dropped.reason !== reason) return false;
  if (language !== undefined && languageLabel(line) !== language) return false;
  return address === undefined || `${line.url ?? ""} ${line.id}`.includes(address);
}

export interface DropCount {
  readonly step: string;
  readonly filter: string | null;
  readonly reason: string;
  readonly language: string;
  documents: number;
}

/** How many documents each rule dropped of each language, most first. */
export async function countDrops(folder: string, query: DropQuery = {}): Promise<DropCount[]> {
  const counts = new Map<string, DropCount>();
  for await (const line of inspectDrops(folder, query)) {
    const { step, reason } = line.dropped;
    const filter = typeof line.dropped.filter === "string" ? line.dropped.filter : null;
    const language = languageLabel(line);
    const key = JSON.stringify([step, filter, reason, language]);
    const count = counts.get(key) ?? { step, filter, reason, language, documents: 0 };
    count.documents++;
    counts.set(key, count);
  }
  return [...counts.values()].sort((a, b) => b.documents - a.documents);
}
