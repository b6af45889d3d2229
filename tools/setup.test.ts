import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { type Addon, buildAddon, findCompiler, ownFlags } from "../packages/torch/setup/compile.mjs";
import { cachedRoot, compareVersions, findLibtorch, headerVersion, sharedLibrary } from "../packages/torch/setup/libtorch.mjs";
import { withLock } from "../packages/torch/setup/lock.mjs";
import { commandFor, installPackages } from "../packages/torch/setup/packages.mjs";
import { libtorchStep } from "../packages/torch/setup/steps.mjs";
import { requirements, WHEELS, wheelsFor } from "../packages/torch/setup/wheels.mjs";
import { dependenciesAreInstalled } from "./setup/npm.mjs";
import { repository } from "./setup/repository.mjs";

const temporary = () => mkdtempSync(join(tmpdir(), "setup-"));
const lastOf = <T>(items: readonly T[]) => items[items.length - 1];

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A folder that looks like a libtorch of this version from outside. */
function fakeLibtorch(version: string, root = temporary()) {
  const headers = join(root, "include/torch/csrc/api/include/torch");
  mkdirSync(headers, { recursive: true });
  mkdirSync(join(root, "lib"), { recursive: true });
  const parts = version.split(".").map((part, i) => `#define TORCH_VERSION_${["MAJOR", "MINOR", "PATCH"][i]} ${part}\n`);
  writeFileSync(join(headers, "version.h"), parts.join(""));
  writeFileSync(join(root, "lib", sharedLibrary("torch_cpu")), "");
  return root;
}

/** A PATH with nothing on it but a python3 that answers the question for torch with this folder. */
function fakePython(torchFolder: string) {
  const folder = temporary();
  writeFileSync(join(folder, "python3"), `#!/bin/sh\necho "${torchFolder}"\n`);
  chmodSync(join(folder, "python3"), 0o755);
  vi.stubEnv("PATH", folder);
}

test("versions are compared as numbers", () => {
  expect(compareVersions("2.15.0", "2.6")).toBeGreaterThan(0);
  expect(compareVersions("2.5.1", "2.6")).toBeLessThan(0);
  expect(compareVersions("2.6.0", "2.6")).toBe(0);
});

test("the version is read from the headers", () => {
  expect(headerVersion(join(fakeLibtorch("2.6.1"), "include"))).toBe("2.6.1");
  expect(headerVersion(temporary())).toBeUndefined();
});

test("$LIBTORCH comes before Python, Python before the cache", async () => {
  const [named, python] = [fakeLibtorch("2.7.0"), fakeLibtorch("2.8.0")];
  vi.stubEnv("PERENNIAL_CACHE", temporary());
  const cached = fakeLibtorch("2.15.0", cachedRoot());
  fakePython(python);
  vi.stubEnv("LIBTORCH", named);
  expect((await findLibtorch()).libtorch).toMatchObject({ root: named, version: "2.7.0", source: "$LIBTORCH" });
  vi.stubEnv("LIBTORCH", "");
  expect((await findLibtorch()).libtorch).toMatchObject({ root: python, version: "2.8.0", source: "Python" });
  vi.stubEnv("PATH", temporary());
  expect((await findLibtorch()).libtorch).toMatchObject({ root: cached, version: "2.15.0", source: "cache" });
});

test("a Python torch that is too old is passed over with its reason; a $LIBTORCH that is too old is refused", async () => {
  const old = fakeLibtorch("1.13.1");
  vi.stubEnv("PERENNIAL_CACHE", temporary());
  vi.stubEnv("LIBTORCH", "");
  fakePython(old);
  const { libtorch, tried } = await findLibtorch();
  expect(libtorch).toBeUndefined();
  expect(tried.map(({ place }) => place)).toEqual(["$LIBTORCH", "Python", "the cache"]);
  expect(tried[1]?.found).toBe(`found 1.13.1 in ${old}, 2.6 or newer is needed`);
  vi.stubEnv("LIBTORCH", old);
  await expect(findLibtorch()).rejects.toThrow(/found 1\.13\.1 in .*, 2\.6 or newer is needed\.\n.*unset LIBTORCH/);
});

test.runIf(process.platform === "linux" && !existsSync("/usr/include/torch"))(
  "a distribution's libtorch that is too old is refused before it is installed",
  async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const folder = temporary();
    const [log, script] = [join(folder, "log"), (output: string) => `#!/bin/sh\necho "${output}"\n`];
    writeFileSync(join(folder, "apt-cache"), script("libtorch-dev:\n  Installed: (none)\n  Candidate: 1.13.1+dfsg-4"));
    writeFileSync(join(folder, "apt-get"), `#!/bin/sh\necho called > ${log}\n`);
    for (const name of ["apt-cache", "apt-get"]) chmodSync(join(folder, name), 0o755);
    vi.stubEnv("PATH", folder);
    await expect(libtorchStep({ system: true })).rejects.toThrow(
      /libtorch-dev is 1\.13\.1, 2\.6 or newer is needed\.\n.*leave out --system-libtorch/,
    );
    expect(existsSync(log)).toBe(false);
  },
);

test("every wheel is pinned for both Linux machines, and pip is held to the hashes", () => {
  for (const { name, sha256 } of WHEELS) {
    expect(Object.keys(sha256), name).toEqual(expect.arrayContaining(["linux-x64", "linux-arm64"]));
    for (const hash of Object.values(sha256)) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  }
  const cpu = wheelsFor("cpu", "linux-x64");
  expect(cpu.map(({ name }) => name)).toEqual(["torch", "nvidia-cuda-cupti", "nvidia-cuda-runtime"]);
  expect(requirements(cpu, "linux-x64").trim().split("\n")[0]).toMatch(/^torch==2\.15\.0 --hash=sha256:[0-9a-f]{64}$/);
  expect(wheelsFor("cpu", "darwin-arm64").map(({ name }) => name)).toEqual(["torch"]);
  expect(wheelsFor("cpu", "win32-x64")).toEqual([]);
});

test("a lock admits one at a time", async () => {
  const path = join(temporary(), "lock");
  const log: string[] = [];
  vi.spyOn(console, "log").mockImplementation(() => {});
  const worker = (name: string) =>
    withLock(path, "the test", async () => {
      log.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push(`${name} out`);
    });
  await Promise.all([worker("a"), worker("b"), worker("c")]);
  expect(log.map((line) => line.split(" ")[1])).toEqual(["in", "out", "in", "out", "in", "out"]);
  expect(existsSync(path)).toBe(false);
});

test("a lock is released when the work fails, and taken over from a dead process or a silent machine", async () => {
  const path = join(temporary(), "lock");
  await expect(withLock(path, "the test", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  const ended = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
  for (const [holder, silentSeconds] of [
    [`${hostname()} ${ended}`, 3],
    ["another-machine 1", 60],
  ] as const) {
    writeFileSync(path, holder);
    const touched = new Date(Date.now() - silentSeconds * 1000);
    utimesSync(path, touched, touched);
    expect(await withLock(path, "the test", () => Promise.resolve("ran"))).toBe("ran");
  }
});

test("dependencies are installed when node_modules says what the lockfile says; only optional ones may be missing", () => {
  const folder = temporary();
  const write = (path: string, packages: object) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify({ packages }));
  };
  write("package-lock.json", { "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.0.0", optional: true } });
  expect(dependenciesAreInstalled(folder)).toBe(false);
  mkdirSync(join(folder, "node_modules/a"), { recursive: true });
  write("node_modules/.package-lock.json", { "node_modules/a": { version: "1.0.0" } });
  expect(dependenciesAreInstalled(folder)).toBe(true);
  write("node_modules/.package-lock.json", { "node_modules/a": { version: "0.9.0" } });
  expect(dependenciesAreInstalled(folder)).toBe(false);
});

test("a source's own flags are read from its leading comments, on x86-64 only", () => {
  const text = "// Dot products.\n// build: -mavx512f -mavx512bw\n#include <cstdint>\n// build: -Onot-here\n";
  expect(ownFlags(text, "x64")).toEqual(["-mavx512f", "-mavx512bw"]);
  expect(ownFlags(text, "arm64")).toEqual([]);
  expect(ownFlags("#include <cstdint>\n", "x64")).toEqual([]);
});

test("an addon is compiled once, then again only for what changed, and loads", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  // Under packages/, since that is where headers are watched; the folder is ignored by git.
  const folder = mkdtempSync(join(mkdtempParent(), "addon-"));
  const sources = join(folder, "native");
  mkdirSync(join(sources, "deep"), { recursive: true });
  writeFileSync(join(sources, "answer.h"), "inline int answer() { return 41; }\n");
  writeFileSync(join(sources, "deep/one.cpp"), '#include "../answer.h"\nint one() { return answer(); }\n');
  writeFileSync(
    join(sources, "addon.cpp"),
    `#include <node_api.h>
int one();
NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_int32(env, one(), &value);
  return value;
}
`,
  );
  const addon: Addon = {
    name: "test.node",
    against: "",
    sources,
    output: join(folder, "build/test.node"),
    compileFlags: ["-fPIC", "-DNAPI_VERSION=9", "-I", join(repository, "node_modules/node-api-headers/include")],
    linkFlags: [],
  };
  const compiler = await findCompiler();
  if (compiler === undefined) throw new Error("There is no compiler");
  const load = () => execFileSync(process.execPath, ["-p", `require(${JSON.stringify(addon.output)})`], { encoding: "utf8" }).trim();
  expect(await buildAddon(addon, compiler)).toEqual({ compiled: 2, linked: true });
  expect(load()).toBe("41");
  expect(await buildAddon(addon, compiler)).toEqual({ compiled: 0, linked: false });
  writeFileSync(join(sources, "answer.h"), "inline int answer() { return 42; }\n");
  expect(await buildAddon(addon, compiler)).toEqual({ compiled: 1, linked: true });
  expect(load()).toBe("42");
  expect(await buildAddon({ ...addon, against: "another library" }, compiler)).toEqual({ compiled: 2, linked: true });
  writeFileSync(join(sources, "deep/one.cpp"), "int one( {");
  await expect(buildAddon(addon, compiler)).rejects.toThrow(/deep\/one\.cpp does not compile:/);
  rmSync(folder, { recursive: true });
});

/** Inside the ignored build folder. */
function mkdtempParent() {
  const folder = join(repository, "packages/torch/build/test");
  mkdirSync(folder, { recursive: true });
  return folder;
}

const names = { debian: ["g++"], fedora: ["gcc-c++"], macos: "xcode-select --install" };

/** A PATH with an apt-get that notes what it was asked for and ends with `status`. */
function fakeApt(status: number) {
  const folder = temporary();
  const log = join(folder, "log");
  writeFileSync(join(folder, "apt-get"), `#!/bin/sh\necho "$@" >> ${log}\necho "E: no such luck" >&2\nexit ${status}\n`);
  chmodSync(join(folder, "apt-get"), 0o755);
  symlinkSync("/bin/sh", join(folder, "sh"));
  vi.stubEnv("PATH", folder);
  return log;
}

test.runIf(process.platform === "linux")("a package is installed where we may, else the command is named", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(process, "getuid").mockReturnValue(0);
  const log = fakeApt(0);
  await installPackages("C++ compiler", names);
  expect(lastOf(readFileSync(log, "utf8").trim().split("\n"))).toBe("install -y -qq --no-install-recommends g++");
  fakeApt(100);
  await expect(installPackages("C++ compiler", names)).rejects.toThrow(
    /apt-get could not install it:\nE: no such luck\n.*apt-get install -y g\+\+/,
  );
  vi.spyOn(process, "getuid").mockReturnValue(1000);
  const untouched = fakeApt(0);
  await expect(installPackages("C++ compiler", names)).rejects.toThrow("sudo apt-get update && sudo apt-get install -y g++");
  expect(existsSync(untouched)).toBe(false);
});

test.runIf(process.platform === "linux")("Fedora gets Fedora's command", () => {
  const folder = temporary();
  writeFileSync(join(folder, "dnf"), "");
  chmodSync(join(folder, "dnf"), 0o755);
  vi.stubEnv("PATH", folder);
  expect(commandFor(names)).toMatch(/dnf install -y gcc-c\+\+$/);
});

test("the scripts that are started by name are executable", () => {
  expect(statSync(join(repository, ".ci/run")).mode & 0o111).toBe(0o111);
});
