/** Replay of what training has seen, from a buffer on the disk; with Reptile it is meta-experience replay (MER). */
import { z } from "zod";
import { count } from "./units.ts";

const reptileSchema = z.strictObject({
  everySteps: z.int().min(1).default(500).describe("optimizer steps between interpolations; about a 24th of a stage"),
  interpolation: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("weights ← anchor + interpolation · (weights − anchor); short runs need more, e.g. 0.5; 1 changes nothing"),
  flushAtStageEnd: z.boolean().default(false).describe("whether the steps behind the last whole window are interpolated as well"),
});

export const experienceSchema = z
  .strictObject({
    share: z
      .number()
      .min(0)
      .lt(1)
      .default(0.25)
      .describe("fraction of each step's sequences that is drawn from the buffer; 0: none, for Reptile alone"),
    buffer: z
      .enum(["reservoir", "window"])
      .default("reservoir")
      .describe("reservoir: an even sample of everything seen; window: the newest"),
    bufferTokens: count(1).nullable().default(null).describe("size of the buffer on the disk; null: everything stays"),
    startStep: z.int().min(0).default(50).describe("steps of the run before the first replay, while the buffer fills"),
    keepBuffer: z
      .boolean()
      .optional()
      .describe("whether the buffer stays when the run has finished, so that another may go on from its trunk"),
    reptile: reptileSchema.nullable().default(null).describe("gradient alignment across the steps; null: replay alone"),
  })
  .superRefine(({ buffer, bufferTokens }, context) => {
    if (buffer === "window" && bufferTokens === null)
      context.addIssue({ code: "custom", path: ["bufferTokens"], message: "the size of the window" });
  });
