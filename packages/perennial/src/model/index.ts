/** Language models: configuration, architecture, weights in and out, generation, cost. */
export {
  type DecoderConfig,
  decoderConfig,
  type FreshConfig,
  fromHuggingFace,
  type RopeScaling,
  readConfig,
  toHuggingFace,
} from "./config.ts";
export { checkMemory, countParameters, type MemoryEstimate, type ParameterCount, trainingFlopsPerToken, trainingMemory } from "./cost.ts";
export { Decoder, type DecoderInput, DecoderLayer } from "./decoder.ts";
export { type LoadedModel, loadModel, type SaveOptions, saveModel } from "./folder.ts";
export { type GenerateOptions, generate } from "./generate.ts";
export { KeyValueCache } from "./key-value-cache.ts";
export { applyRope, ropeFrequencies, ropeTable } from "./rope.ts";
export { llamaWeights, weightTable } from "./weights.ts";
