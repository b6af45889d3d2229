/** What is written down after every step. */
import type { AchievedShare } from "../mixture/index.ts";
import type { Recorder } from "../store/index.ts";
import { METRICS } from "../store/index.ts";
import type { StepReport } from "../train/loop.ts";
import type { Listener } from "./events.ts";

export interface StepRecorderOptions {
  readonly recorder: Recorder;
  readonly listen: Listener;
  readonly totalSteps: number;
  readonly peakFlops: number;
  readonly flopsPerToken: number;
  readonly stage: string;
}

export class StepRecorder {
  private readonly options: StepRecorderOptions;
  private readonly meter = new SpeedMeter();

  constructor(options: StepRecorderOptions) {
    this.options = options;
  }

  /** `step` and `tokens`: of the run, this step included. */
  record(step: number, tokens: number, report: StepReport, shares: Readonly<Record<string, AchievedShare>>): void {
    const { recorder, listen, totalSteps, peakFlops, flopsPerToken, stage } = this.options;
    const tokensPerSecond = this.meter.add(report.targetTokens, report.seconds);
    // The peak was measured at the start, perhaps at a busy moment: more than all of it says only that.
    const modelFlopsUtilization = Math.min(1, (tokensPerSecond * flopsPerToken) / peakFlops);
    const memoryBytes = process.memoryUsage.rss();
    const mixture = Object.entries(shares).flatMap(([name, { requestedShare, targetTokenShare, tokenShare, documentShare }]) => [
      [METRICS.requestedShare(name), requestedShare],
      [METRICS.achievedShare(name), targetTokenShare],
      [METRICS.achievedTokenShare(name), tokenShare],
      [METRICS.achievedDocumentShare(name), documentShare],
    ]);
    recorder.metrics(step, {
      [METRICS.loss]: report.loss,
      [METRICS.learningRate]: report.learningRate,
      [METRICS.gradNorm]: report.gradNorm,
      [METRICS.tokens]: tokens,
      [METRICS.tokensPerSecond]: tokensPerSecond,
      [METRICS.modelFlopsUtilization]: modelFlopsUtilization,
      [METRICS.dataWaitShare]: report.dataSeconds / report.seconds,
      [METRICS.memoryBytes]: memoryBytes,
      ...Object.fromEntries(mixture),
    });
    if (report.skipped !== undefined) {
      recorder.event(step, "skip", report.skipped.reason);
      listen({ kind: "warning", text: `${report.skipped.reason}; the update was left out` });
    }
    const secondsLeft = (totalSteps - step) * this.meter.secondsPerStep;
    listen({ kind: "step", stage, report, step, totalSteps, tokensPerSecond, modelFlopsUtilization, memoryBytes, secondsLeft });
  }
}

/** Tokens per second over the last steps, so that a pause for a measurement does not count. */
class SpeedMeter {
  private readonly window: { tokens: number; seconds: number }[] = [];
  secondsPerStep = 0;

  add(tokens: number, seconds: number): number {
    this.window.push({ tokens, seconds });
    if (this.window.length > 20) this.window.shift();
    const total = this.window.reduce((sum, step) => sum + step.seconds, 0);
    this.secondsPerStep = total / this.window.length;
    return this.window.reduce((sum, step) => sum + step.tokens, 0) / total;
  }
}
