import type { TokenizeProgress } from "../data/index.ts";
import type { StepReport } from "../train/loop.ts";

/** What a run tells while it works. Whoever listens decides what to show. */
export type RunEventMessage =
  | { readonly kind: "variant"; readonly variant: string; readonly folder: string; readonly runId: string; readonly totalSteps: number }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "tokenizing"; readonly corpus: string; readonly progress: TokenizeProgress }
  | { readonly kind: "stage"; readonly name: string; readonly steps: number; readonly tokens: number }
  | {
      readonly kind: "step";
      readonly stage: string;
      readonly report: StepReport;
      /** Steps of the run finished, and in all. */
      readonly step: number;
      readonly totalSteps: number;
      readonly tokensPerSecond: number;
      readonly modelFlopsUtilization: number;
      readonly memoryBytes: number;
      readonly secondsLeft: number;
    }
  | {
      readonly kind: "measured";
      readonly step: number;
      readonly moment: "before" | "during" | "after";
      readonly bitsPerByte: ReadonlyMap<string, number>;
      /** Set when the average of the weights was measured, beside them. */
      readonly of?: "average";
    }
  | { readonly kind: "sample"; readonly label: string; readonly prompt: string; readonly text: string }
  | { readonly kind: "checkpoint"; readonly step: number; readonly folder: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "finished"; readonly variant: string; readonly modelFolder: string };

export type Listener = (message: RunEventMessage) => void;
