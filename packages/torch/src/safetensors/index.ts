/** Reading and writing safetensors files, single and sharded. */
export type { FileSummary } from "../native.ts";
export { SafetensorsError } from "./header.ts";
export { type OpenOptions, openSafetensors, type SafetensorsReader } from "./read.ts";
export { SafetensorsWriter, type WrittenEntry } from "./stream.ts";
export { checksumFile, type Tensors, writeSafetensors, writeSafetensorsInBackground, writeSharded } from "./write.ts";
