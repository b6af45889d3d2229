import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findLibtorch, InstallationError, loadNative } from "./index.ts";

/** A build folder with a libtorch that consists of a version header, and an addon that is no addon. */
function fakeBuild({ built, present }: { built: string; present: string | undefined }) {
  const root = mkdtempSync(join(tmpdir(), "installation-"));
  const include = join(root, "include");
  if (present !== undefined) {
    const [major, minor, patch] = present.split(".");
    mkdirSync(join(include, "torch/headeronly"), { recursive: true });
    const text = `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`;
    writeFileSync(join(include, "torch/headeronly/version.h"), text);
  }
  const libtorch = { root, include, lib: join(root, "lib"), version: built, source: "cache" };
  writeFileSync(join(root, "config.json"), JSON.stringify({ libtorch, tried: [{ place: "$LIBTORCH", found: "not set" }] }));
  writeFileSync(join(root, "torch.node"), "not a library");
  return root;
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InstallationError);
    return (error as Error).message;
  }
  throw new Error("Expected an InstallationError");
}

test("without a build the error says where it looked and what to type", () => {
  const folder = mkdtempSync(join(tmpdir(), "installation-"));
  const message = messageOf(() => loadNative(folder));
  expect(message).toContain(`Could not load libtorch (${process.platform} ${process.arch}).`);
  expect(message).toContain(`no ${join(folder, "config.json")}`);
  expect(message).toContain("tried $LIBTORCH");
  expect(message).toContain("npm run setup");
  expect(findLibtorch(folder)).toMatchObject({ addonExists: false, libtorch: undefined });
});

test("a libtorch that was exchanged under the addon is refused before it is loaded", () => {
  const folder = fakeBuild({ built: "2.15.0", present: "2.6.1" });
  expect(messageOf(() => loadNative(folder))).toContain(`built for libtorch 2.15.0, but ${folder} now holds 2.6.1`);
});

test("the loader's own reason is passed on, and what is gone is named", () => {
  const folder = fakeBuild({ built: "2.15.0", present: undefined });
  const message = messageOf(() => loadNative(folder));
  expect(message).toMatch(/tried the addon +.*torch\.node/);
  expect(message).toMatch(/libtorch_cpu\.(so|dylib) is gone/);
  expect(findLibtorch(folder)).toMatchObject({ addonExists: true, presentVersion: undefined });
});

test("the addon of this build loads", () => {
  expect(loadNative()).toHaveProperty("call");
  const { libtorch, presentVersion } = findLibtorch();
  expect(presentVersion).toBe(libtorch?.version);
});
