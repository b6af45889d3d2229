/** GGUF files, the format of llama.cpp: metadata and tensors in and out. What they mean stands in tokenizer/gguf and model/gguf. */
export { dequantize, isQuantized, type QuantizedType } from "./dequantize.ts";
export { type GgufHeader, isGgufPath, readFloats, readGgufHeader, type TensorInfo } from "./header.ts";
export { Keys, shortest } from "./keys.ts";
export { quantizeQ8, type WrittenType } from "./quantize.ts";
export { dtypeOf, type GgufReader, openGguf } from "./read.ts";
export { type TensorType, type TensorTypeName, tensorTypes } from "./tensor-types.ts";
export type { Metadata, MetadataValue } from "./values.ts";
export { type WrittenMetadata, type WrittenTensor, type WrittenValue, writeGguf } from "./write.ts";
