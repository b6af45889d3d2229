/** The addon of this package: its flags, and where it ends up. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { packageFolder } from "./config.mjs";
import { sharedLibrary } from "./libtorch.mjs";

/** @typedef {import("./compile.mjs").Addon} Addon */
/** @typedef {import("./libtorch.mjs").Libtorch} Libtorch */

/** What every addon is compiled with. N-API 9 is what Node 20 has. Looked up when asked: the headers are an npm package, which may come late. */
export const napiFlags = () => [
  "-fPIC",
  "-fvisibility=hidden",
  "-Wall",
  "-DNAPI_VERSION=9",
  "-isystem",
  join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include"),
];

/**
 * @param {Libtorch} libtorch
 * @returns {Addon}
 */
export function torchAddon({ include, lib, version }) {
  return {
    name: "torch.node",
    against: version,
    sources: join(packageFolder, "native"),
    output: join(packageFolder, "build/torch.node"),
    compileFlags: [
      `-std=${cppStandard(include)}`,
      "-O2",
      "-pthread",
      ...napiFlags(),
      "-DUSE_C10D_GLOO",
      `-D_GLIBCXX_USE_CXX11_ABI=${usesCxx11Abi(lib) ? 1 : 0}`,
      // Naming a folder that the compiler searches anyway moves it to the front, where the C++ library does not expect it.
      ...(include === "/usr/include" ? [] : ["-isystem", include]),
      "-isystem",
      join(include, "torch/csrc/api/include"),
    ],
    linkFlags: [
      `-L${lib}`,
      `-Wl,-rpath,${lib}`,
      ...(process.platform === "linux" ? ["-Wl,--no-as-needed"] : []),
      "-ltorch_cpu",
      "-lc10",
      "-pthread",
    ],
  };
}

/**
 * The headers say themselves which standard they demand.
 * @param {string} include
 */
function cppStandard(include) {
  return readFileSync(join(include, "ATen/ATen.h"), "utf8").includes("C++20 or later") ? "c++20" : "c++17";
}

/**
 * Some wheels up to 2.6 were built with the old ABI of std::string; the name of an exported constructor tells.
 * @param {string} lib
 */
function usesCxx11Abi(lib) {
  return !readFileSync(join(lib, sharedLibrary("c10"))).includes("_ZN3c105ErrorC1ENS_14SourceLocationESs");
}
