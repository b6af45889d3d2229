export { findLibtorch, type Installation, type Libtorch, type Tried } from "./installation.ts";
export { InstallationError, loadNative } from "./load.ts";
