/** Language models: configuration, architecture, weights in and out, generation, cost. */
export {
  type Alibi,
  type DecoderConfig,
  decoderConfig,
  type FreshConfig,
  type HuggingFaceConfig,
  type LayerLayout,
  windowOf,
} from "./config.ts";
export { checkMemory, countParameters, type MemoryEstimate, type ParameterCount, trainingFlopsPerToken, trainingMemory } from "./cost.ts";
export { Decoder, type DecoderInput } from "./decoder.ts";
export { supportedModelTypes, weightsOf } from "./families/index.ts";
export { llamaWeights } from "./families/llama.ts";
export { type LoadedModel, loadModel, type SaveOptions, savedTensors, saveModel } from "./folder.ts";
export { type GenerateOptions, generate } from "./generate.ts";
export { type GgufExport, type GgufExportOptions, writeGgufModel } from "./gguf/export.ts";
export { formatConfig, fromHuggingFace, toHuggingFace } from "./hugging-face.ts";
export { KeyValueCache } from "./key-value-cache.ts";
export { DecoderLayer } from "./layers.ts";
export { type ModelFiles, type ModelFolder, openModelFiles, openModelFolder, openWeights, placeOf, readConfig } from "./open.ts";
export { type Rope, type RopeScaling, ropeFrequencies, ropeTable } from "./rope.ts";
export { toTheirs, type WeightLayout, type WeightPlace, type WeightTable, weightTable } from "./weights.ts";
