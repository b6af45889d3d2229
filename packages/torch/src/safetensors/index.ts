/** Reading and writing safetensors files, single and sharded. */
export { SafetensorsError } from "./header.ts";
export { openSafetensors, type SafetensorsReader } from "./read.ts";
export { type Tensors, writeSafetensors, writeSharded } from "./write.ts";
