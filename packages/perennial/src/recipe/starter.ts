/** The recipes that `perennial init` writes: short, commented, and such that they teach while they work. */
export interface StarterOptions {
  /** A Hugging Face model folder to continue from, as it stands in the recipe. */
  model?: string;
  /** No model to continue from: one is made, with a tokenizer of its own. */
  fresh?: boolean;
  sequenceLength?: number;
}

export function starterRecipe(schemaPath: string, options: StarterOptions = {}): string {
  const head = `# yaml-language-server: $schema=${schemaPath}\n`;
  return head + (options.fresh === true ? fresh() : continued(options));
}

/** JSON strings are YAML strings; plain where nothing needs a quote. */
const quoted = (text: string) => (/^[\w./][\w./-]*$/.test(text) ? text : JSON.stringify(text));

const continued = ({ model = "./models/base", sequenceLength = 512 }: StarterOptions) => `\
# Teach a model a new language without losing the old one. All fields: docs/recipe-reference.md
name: my-language

# A Hugging Face model folder to continue from.
model: ${quoted(model)}

corpora:
  old: { path: ./data/old/*.jsonl.zst, language: en } # text like what the model was trained on
  new: { path: ./data/new/*.jsonl.zst, language: xx } # JSONL, Parquet or plain text, .gz or .zst

# Shared by all stages. Counts may carry k, M or G.
train:
  tokens: 20M
  sequenceLength: ${sequenceLength}
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

const fresh = () => `\
# A small model from nothing but text. All fields: docs/recipe-reference.md
name: my-model

# About 8 million parameters: LLaMA's shape. What is not said here follows from it.
model: { hiddenSize: 256, numHiddenLayers: 6, numAttentionHeads: 4, maxPositionEmbeddings: 1024 }

# Learned from the corpora below. \`bytes\` needs no learning and fits every language.
tokenizer: { train: { vocabSize: 8192 } }

corpora:
  text: { path: ./data/*.jsonl.zst, language: xx } # JSONL, Parquet or plain text, .gz or .zst

# Counts may carry k, M or G.
train:
  tokens: 20M
  sequenceLength: 512
  microBatchSize: 8
  schedule: { schedule: cosine, maxLearningRate: 2.0e-3, minLearningRate: 2.0e-4, warmupSteps: 100 }

stages:
  - name: text
    mixture: { sources: [{ corpus: text }] }

evaluate:
  everySteps: 100 # bits per byte on held-out text

generate:
  prompts:
    - { label: text, prompt: "The" }
`;
