/** Runs that begin where another one stood: the next text on the same trunk, and branches that are annealed to ship. */
import { z } from "zod";
import { count } from "./units.ts";

export const trunkSchema = z.strictObject({
  run: z.string().min(1).describe("folder of the run to go on from, relative to the recipe, e.g. runs/january/main"),
  step: count(1).optional().describe("step of that run whose checkpoint is the beginning; its newest one when nothing is said"),
});

export const branchSchema = z.strictObject({
  name: z.string().min(1).describe("what the branch is called in reports, e.g. ship; the variant's folder"),
  from: z.string().min(1).default("main").describe("the variant whose trunk it leaves: main, or the name of a baseline"),
  step: count(1).optional().describe("step of the run after which it leaves; this or stage"),
  stage: z.string().min(1).optional().describe("name of the stage after whose last step it leaves; this or step"),
  annealingSteps: count(1).optional().describe("steps over which the rate is annealed; those of the schedule when nothing is said"),
});

export type BranchSpec = Omit<z.output<typeof branchSchema>, "name">;
