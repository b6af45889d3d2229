/** Effects that only remember: for tests. */
import type { Effects } from "../effects.ts";

export interface MemoryEffects extends Effects {
  stdout: string;
  stderr: string;
  /** What `now` answers. */
  clock: number;
}

export function memoryEffects(overrides: Partial<Effects> = {}): MemoryEffects {
  const effects: MemoryEffects = {
    ...{ cwd: process.cwd(), env: {}, isTTY: false, color: false, columns: 100, stdout: "", stderr: "", clock: 0 },
    out: (text) => {
      effects.stdout += text;
    },
    err: (text) => {
      effects.stderr += text;
    },
    now: () => effects.clock,
    ...overrides,
  };
  return effects;
}
