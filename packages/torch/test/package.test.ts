/** The package as `npm pack` ships it, in a folder that knows nothing of this repository. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** A libtorch of a version header and empty libraries, which is all that the set-up looks at. */
function fakeLibtorch(folder: string) {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write(
    "include/torch/headeronly/version.h",
    "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n#define TORCH_VERSION_PATCH 1\n",
  );
  write("include/ATen/ATen.h", "#error C++17 or later\n");
  for (const name of ["torch_cpu", "c10"]) write(`lib/lib${name}.${process.platform === "darwin" ? "dylib" : "so"}`, "");
  return folder;
}

/** A compiler that says its name and makes an empty file of whatever it is asked for. */
function fakeCompiler(folder: string) {
  const path = join(folder, "c++");
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo "fake c++ 1.0"; exit 0; }
while [ $# -gt 1 ]; do [ "$1" = -o ] && : >"$2"; shift; done
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

test("the tarball alone sets itself up, says when nothing is to do, and names the command while it is not set up", () => {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  const packed = execFileSync(
    "npm",
    ["pack", "--silent", "--ignore-scripts", "--workspace", "packages/torch", "--pack-destination", folder],
    {
      cwd: repository,
      encoding: "utf8",
    },
  );
  execFileSync("tar", ["-xzf", join(folder, packed.trim()), "-C", folder]);
  const installed = join(folder, "node_modules/@perennial/torch");
  cpSync(join(folder, "package"), installed, { recursive: true });
  // What npm would install beside it.
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies))
    cpSync(join(repository, "node_modules", name), join(folder, "node_modules", name), { recursive: true });

  const env = { ...process.env, LIBTORCH: fakeLibtorch(join(folder, "libtorch")), CXX: fakeCompiler(folder) };
  const call = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(installed, "bin/perennial-torch.js"), ...args], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  expect(call("setup", "--help").stdout).toContain("--system-libtorch");
  expect(call("setup", "--nonsense")).toMatchObject({ status: 1, stderr: expect.stringContaining("npx perennial-torch setup --help") });

  const first = call("setup");
  expect(first.stderr).toBe("");
  expect(first.stdout).toContain(`2.9.1 from $LIBTORCH, ${env.LIBTORCH}`);
  expect(first.stdout).toMatch(/torch\.node: \d+ files compiled with fake c\+\+ 1\.0/);
  expect(existsSync(join(installed, "build/torch.node"))).toBe(true);
  expect(call("setup").stdout).toMatch(/native addons +up to date/);
  expect(call("setup", "--quiet")).toEqual({ status: 0, stdout: "", stderr: "" });

  // Sources and declarations travel, tests and what was built here do not.
  expect(existsSync(join(installed, "src/index.ts"))).toBe(true);
  expect(existsSync(join(folder, "package/build"))).toBe(false);
  expect(existsSync(join(installed, "src/install/load.test.ts"))).toBe(false);
  expect(existsSync(join(installed, "LICENSE"))).toBe(true);
  rmSync(folder, { recursive: true });
});
