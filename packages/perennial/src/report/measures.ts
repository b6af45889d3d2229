/** The measures of `continual.ts` in words and cells, the same in HTML and Markdown. */
import { formatCount } from "../recipe/index.ts";
import type { SequenceMeasures, StabilityGapMeasures } from "./continual.ts";
import { number, signed } from "./figures.ts";

export const SEQUENCE_NOTE =
  "Each stage's own text is a task. ACC: mean bits per byte over the tasks in the end, lower is better. BWT: change of a task since its own stage, below 0 is forgetting. FWT: what earlier stages did for a task in advance, above 0 is help. Forgetting: distance from each task's best before, below 0 is better than ever. All in bits per byte.";
export const SEQUENCE_HEAD = ["tasks", "ACC", "BWT", "FWT", "forgetting"] as const;

export const sequenceCells = (measures: SequenceMeasures): string[] => [
  measures.tasks.join(", "),
  number(measures.averageBitsPerByte),
  signed(measures.backwardTransfer),
  signed(measures.forwardTransfer),
  signed(measures.forgetting),
];

export const GAP_NOTE =
  "When a stage begins, old text often gets worse at first and then recovers. Depth: how much worse at the deepest, in bits per byte; at: tokens of the stage until then; recovered: tokens until the value at the start was reached again; area: bits per byte times tokens.";
export const GAP_HEAD = ["stage", "old text", "depth", "at", "recovered", "area"] as const;

export const gapCells = ({ stage, corpus, depth, location, recovery, area }: StabilityGapMeasures): string[] => [
  stage,
  corpus,
  number(depth),
  location === null ? "–" : formatCount(location),
  recovery === null ? (location === null ? "–" : "no") : formatCount(recovery),
  formatCount(Math.round(area)),
];
