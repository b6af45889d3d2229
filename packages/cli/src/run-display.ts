/** What people see while a recipe runs: the messages of a run as progress, notes and results. */
import type { Listener } from "perennial/run";
import type { Effects } from "./effects.ts";
import type { Progress } from "./progress.ts";
import { printable } from "./text.ts";

export function displayRun(progress: Progress, effects: Effects): Listener {
  let tokenizingShownAt = 0;
  return (message) => {
    switch (message.kind) {
      case "variant":
        return progress.note(`── ${printable(message.variant)} (${message.runId})`, message);
      case "note":
        return progress.note(message.text);
      case "tokenizing": {
        // Every second at the most: a corpus is thousands of batches.
        const { documents, tokens, bytesRead, totalBytes } = message.progress;
        const done = bytesRead >= totalBytes;
        if (!done && effects.now() - tokenizingShownAt < 1000) return;
        tokenizingShownAt = effects.now();
        const percent = totalBytes === 0 ? 100 : Math.floor((100 * bytesRead) / totalBytes);
        return progress.note(`tokenizing ${printable(message.corpus)}: ${documents} documents, ${tokens} tokens, ${percent} %`);
      }
      case "stage":
        return progress.note(`stage ${printable(message.name)}: ${message.steps} steps, ${message.tokens} tokens`);
      case "step": {
        const { report, step, totalSteps, stage, tokensPerSecond, modelFlopsUtilization, memoryBytes } = message;
        const { loss, learningRate, gradNorm } = report;
        return progress.step({
          step,
          totalSteps,
          stage,
          loss,
          learningRate,
          gradNorm,
          tokensPerSecond,
          modelFlopsUtilization,
          memoryBytes,
        });
      }
      case "measured": {
        const values = [...message.bitsPerByte].map(([corpus, value]) => `${printable(corpus)} ${value.toFixed(3)}`).join(" · ");
        return progress.note(
          `${message.moment === "during" ? `step ${message.step}` : message.moment}: bits per byte${message.of === undefined ? "" : `, ${message.of} of weights`} ${values}`,
          {
            ...(message.of === undefined ? {} : { of: message.of }),
            bitsPerByte: Object.fromEntries(message.bitsPerByte),
          },
        );
      }
      case "sample":
        return progress.note(`${printable(message.label)}: ${printable(message.prompt)}▸${printable(message.text)}`);
      case "checkpoint":
        return progress.note(`saved ${message.folder}`);
      case "warning":
        progress.end();
        return effects.err(`perennial: ${message.text}\n`);
      case "finished":
        progress.end();
        return progress.note(`model in ${message.modelFolder}`);
    }
  };
}
