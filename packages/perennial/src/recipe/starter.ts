/** The recipe that `perennial init` writes: short, commented, and one that teaches while it works. */
export function starterRecipe(schemaPath: string): string {
  return `# yaml-language-server: $schema=${schemaPath}
# Teach a model a new language without losing the old one. All fields: docs/recipe-reference.md
name: my-language

# A Hugging Face model folder to continue from.
model: ./models/base

corpora:
  old: { path: ./data/old/*.jsonl.zst, language: en } # text like what the model was trained on
  new: { path: ./data/new/*.jsonl.zst, language: xx } # JSONL, Parquet or plain text, .gz or .zst

# Shared by all stages. Counts may carry k, M or G.
train:
  tokens: 20M
  sequenceLength: 512
  microBatchSize: 8

# One after the other; each continues from the one before.
stages:
  - name: new
    mixture:
      sources:
        - corpus: new
      # Old text within the same budget: 0.05 for a related domain, 0.25 for another language.
      replay: { corpora: [old], share: 0.25 }

evaluate:
  everySteps: 100 # held-out bits per byte of both corpora

generate:
  prompts:
    - { label: old, prompt: "The" }

# What would have happened without replay? The same budget, in the same call.
baselines:
  - name: naive
    set:
      stages.*.mixture.replay: null
`;
}
