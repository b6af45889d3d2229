/**
 * How a document longer than the model's context is scored so that every token is predicted exactly once (lm-evaluation-harness). With n
 * tokens t₀ …, window L and c context tokens: the first window predicts t₀ … t_(min(L,n) − 1) from [prefix, t₀, …]; each next one predicts
 * the min(rest, L − c + 1) tokens that follow, its input being the L tokens that end one before the last predicted one.
 * c = 1 is the default of the field; a larger c gives lower perplexities that must not be compared with it.
 */
import { FieldError } from "../../errors.ts";

export interface RollingWindow {
  /** Positions of the input in [prefix, t₀, t₁, …]: `inputStart` … `inputEnd` − 1; 0 is the prefix token. */
  readonly inputStart: number;
  readonly inputEnd: number;
  /** The last positions of the input predict tokens `predictStart` … `predictEnd` − 1 of the document. */
  readonly predictStart: number;
  readonly predictEnd: number;
}

export function rollingWindows(numTokens: number, windowTokens: number, contextTokens = 1): RollingWindow[] {
  if (contextTokens < 1 || contextTokens > windowTokens)
    throw new FieldError("EVALUATE_WINDOW", {
      at: "contextTokens",
      expected: `from 1 to the window of ${windowTokens} tokens`,
      received: contextTokens,
    });
  const windows: RollingWindow[] = [];
  for (let predictStart = 0; predictStart < numTokens; ) {
    const room = predictStart === 0 ? windowTokens : windowTokens - contextTokens + 1;
    const predictEnd = Math.min(numTokens, predictStart + room);
    windows.push({ inputStart: Math.max(0, predictEnd - windowTokens), inputEnd: predictEnd, predictStart, predictEnd });
    predictStart = predictEnd;
  }
  return windows;
}
