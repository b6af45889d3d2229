/** Fetches the pinned libtorch into the user's cache: downloads the wheels with pip, unpacks what is needed, deletes the wheels. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { cachedRoot, hasNvidiaGpu, PINNED_VERSION } from "./libtorch.mjs";
import { withLock } from "./lock.mjs";
import { installPackages } from "./packages.mjs";
import { run, tail } from "./process.mjs";
import { SetupError } from "./say.mjs";
import { requirements, WHEEL_PYTHON, wheelsFor } from "./wheels.mjs";

const ANOTHER_LIBTORCH = "export LIBTORCH=<folder with include/ and lib/> (2.6 or newer), or pip install torch into the python3 on PATH";

const REMOVE = { recursive: true, force: true, maxRetries: 3 };

/** What the wheels and what is unpacked from them need at the same time, rounded up. */
const NEEDED_GIB = { cpu: 1.3, cuda: 7 };

/**
 * @returns {Promise<string>} the folder, complete
 */
export async function fetchLibtorch() {
  const device = hasNvidiaGpu() ? "cuda" : "cpu";
  const root = cachedRoot(device);
  const target = dirname(root);
  await withLock(`${target}.lock`, "the download of libtorch", async () => {
    if (existsSync(root)) return;
    const platform = `${process.platform}-${process.arch}`;
    const wheels = wheelsFor(device, platform);
    if (wheels.length === 0 || isMusl())
      throw new SetupError(`PyPI has no torch ${PINNED_VERSION} for ${platform}${isMusl() ? " with musl" : ""}.`, ANOTHER_LIBTORCH);

    // One place for what is under way: a wheel that arrived whole is not fetched again after an interruption.
    const partial = `${target}.partial`;
    mkdirSync(partial, { recursive: true });
    for (const name of readdirSync(partial)) if (name.startsWith("tree-")) rmSync(join(partial, name), REMOVE);
    // A name of its own: the unzipping child of a killed set-up may live on, and must not write into ours.
    const tree = mkdtempSync(join(partial, "tree-"));
    chmodSync(tree, 0o755);
    demandSpace(partial, NEEDED_GIB[device]);
    writeFileSync(join(partial, "requirements.txt"), requirements(wheels, platform));
    const python = await findPip();
    await download(python, partial, platform);
    for (const wheel of readdirSync(join(partial, "wheels")).sort()) await unpack(python, join(partial, "wheels", wheel), tree, device);
    renameSync(tree, target);
    rmSync(partial, REMOVE);
  });
  return root;
}

/**
 * pip checks every hash itself, and fetches a damaged file anew.
 * @param {string} python
 * @param {string} folder
 * @param {string} platform
 */
async function download(python, folder, platform) {
  const args = [
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--disable-pip-version-check",
  ];
  const tags = platformTags(platform).flatMap((tag) => ["--platform", tag]);
  const files = [
    "--python-version",
    WHEEL_PYTHON,
    ...tags,
    "--dest",
    join(folder, "wheels"),
    "--requirement",
    join(folder, "requirements.txt"),
  ];
  const env = { ...process.env, PIP_REQUIRE_VIRTUALENV: "0" };
  const finished = await run(python, [...args, ...files], { env, show: true });
  if (finished.status === 0) return;
  if (/DO NOT MATCH THE HASHES/.test(finished.stderr)) {
    throw new SetupError(
      `A downloaded wheel is not the one that PyPI publishes; nothing of it was used.\n${tail(finished)}`,
      "check what stands between this machine and PyPI (python3 -m pip config list)",
    );
  }
  throw new SetupError(
    `pip could not download libtorch ${PINNED_VERSION}:\n${tail(finished)}`,
    `check the network and the index (python3 -m pip config list); or ${ANOTHER_LIBTORCH}`,
  );
}

/**
 * pip wants every tag that will do, spelled out, once it is told a platform at all.
 * @param {string} platform
 */
function platformTags(platform) {
  if (platform === "darwin-arm64") return ["macosx_14_0_arm64", "macosx_11_0_arm64"];
  const machine = platform === "linux-arm64" ? "aarch64" : "x86_64";
  const OLDEST_GLIBC = 5;
  const NEWEST_GLIBC = 28;
  const versions = Array.from({ length: NEWEST_GLIBC - OLDEST_GLIBC + 1 }, (_, i) => `manylinux_2_${OLDEST_GLIBC + i}_${machine}`);
  return [...versions, `manylinux2014_${machine}`];
}

/** Which members of a wheel a machine without a GPU needs. */
const CPU_MEMBERS =
  "torch/include/|torch/lib/lib(?!torch[.]|torch_global|torch_python|shm|.*(cuda|nvshmem|nvrtc))[^/]*$|torch[.]libs/|nvidia/cu[0-9]+/lib/lib(cudart|cupti)[.]so";

/** And what a GPU adds: every library of the wheels. */
const CUDA_MEMBERS = "torch/(include|lib)/|nvidia/";

const UNZIP = `
import re, sys, zipfile
wheel, folder, members = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if re.match(members, name)])`;

/**
 * @param {string} python
 * @param {string} wheel
 * @param {string} folder
 * @param {"cpu" | "cuda"} device
 */
async function unpack(python, wheel, folder, device) {
  const finished = await run(python, ["-c", UNZIP, wheel, folder, device === "cpu" ? CPU_MEMBERS : CUDA_MEMBERS]);
  if (finished.status !== 0)
    throw new SetupError(
      `${basename(wheel)} could not be unpacked into ${folder}:\n${tail(finished, 1)}`,
      "free some space there, or export PERENNIAL_CACHE=<folder on another disk>",
    );
}

/** A python3 that has pip; installed where that is allowed. */
async function findPip() {
  for (const attempt of ["as it is", "after installing"]) {
    for (const python of ["python3", "/usr/bin/python3"]) {
      if ((await run(python, ["-m", "pip", "--version"])).status === 0) return python;
    }
    if (attempt === "as it is")
      await installPackages("python3 with pip, which fetches libtorch", {
        debian: ["python3", "python3-pip"],
        fedora: ["python3-pip"],
        macos: "brew install python",
      });
  }
  throw new SetupError("python3 has no pip.", `python3 -m ensurepip; or ${ANOTHER_LIBTORCH}`);
}

/**
 * @param {string} folder
 * @param {number} neededGib
 */
function demandSpace(folder, neededGib) {
  const { bavail, bsize } = statfsSync(folder);
  const freeGib = (bavail * bsize) / 2 ** 30;
  if (freeGib >= neededGib) return;
  throw new SetupError(
    `Fetching libtorch needs ${neededGib} GiB in ${dirname(folder)}, ${freeGib.toFixed(1)} GiB are free.`,
    "free some space there, or export PERENNIAL_CACHE=<folder on another disk>",
  );
}

function isMusl() {
  if (process.platform !== "linux") return false;
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime === undefined;
}
