/** The verbs, in the order of their use. A new one is a file in `verbs/` and a row here. */
import type { Verb } from "./verb.ts";

export interface Row {
  name: string;
  summary: string;
  load: () => Promise<{ default: Verb }>;
}

export const verbs: readonly Row[] = [
  { name: "quickstart", summary: "see in five minutes what this is for", load: () => import("./verbs/quickstart.ts") },
  { name: "doctor", summary: "describe and measure the installation", load: () => import("./verbs/doctor.ts") },
  { name: "init", summary: "write a recipe to start from", load: () => import("./verbs/init.ts") },
  { name: "plan", summary: "find the mixture for a budget: pilots, laws, a recipe", load: () => import("./verbs/plan.ts") },
  { name: "train", summary: "run a recipe, or plan it with --dry-run", load: () => import("./verbs/train.ts") },
  {
    name: "evaluate",
    summary: "bits per byte of a model on text, or its scores on benchmark tasks",
    load: () => import("./verbs/evaluate.ts"),
  },
  { name: "generate", summary: "continue a prompt", load: () => import("./verbs/generate.ts") },
  { name: "corpus", summary: "make training text from a crawl", load: () => import("./verbs/corpus.ts") },
  { name: "tokenizer", summary: "learn or extend a tokenizer, or see what text costs", load: () => import("./verbs/tokenizer.ts") },
  { name: "merge", summary: "one model from several of the same shape", load: () => import("./verbs/merge.ts") },
  { name: "adapter", summary: "LoRA adapters into models, and what they change", load: () => import("./verbs/adapter.ts") },
  { name: "select", summary: "choose the text of a pool that is most like a reference", load: () => import("./verbs/select.ts") },
  { name: "schedule", summary: "draw the learning rate of a recipe or a schedule", load: () => import("./verbs/schedule.ts") },
  { name: "runs", summary: "list the runs", load: () => import("./verbs/runs.ts") },
  { name: "show", summary: "tell what one run did", load: () => import("./verbs/show.ts") },
  { name: "compare", summary: "put runs side by side", load: () => import("./verbs/compare.ts") },
  { name: "lineage", summary: "tell where a model comes from and what came of it", load: () => import("./verbs/lineage.ts") },
  { name: "import", summary: "turn a GGUF file into a model folder", load: () => import("./verbs/import.ts") },
  { name: "export", summary: "write a model for other tools: a folder or a GGUF file", load: () => import("./verbs/export.ts") },
  { name: "report", summary: "write the report of a run: HTML, Markdown, JSON", load: () => import("./verbs/report.ts") },
  { name: "reproduce", summary: "put a published claim to the test on real text", load: () => import("./verbs/reproduce.ts") },
];
