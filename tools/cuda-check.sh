#!/usr/bin/env bash
# Builds, tests and measures the engine on a machine with an NVIDIA GPU, in one call:
#   tools/cuda-check.sh             set-up (fetches the CUDA libraries where they are missing), device tests, measurements
#   tools/cuda-check.sh --dry-run   on any machine: builds, type checks, runs the tests and the measuring code on the CPU
# PEER_PYTHON=<python with a CUDA torch> sets PyTorch, eager and compiled, beside it. Without a GPU it says so and ends with code 3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tests="packages/torch packages/perennial/src/model packages/perennial/src/train"
run() { node --conditions source --import tsx "$@"; }

case "${1:-}" in
--dry-run)
  node tools/build-native.mjs torch
  # The CUDA parts are called by name: where a libtorch_cuda lies beside, each name is looked up in it (of a constructor that changed, one is there).
  lib=$(node -p 'JSON.parse(require("fs").readFileSync("packages/torch/build/config.json")).libtorch.lib')
  cuda=${CUDA_LIBRARY:-$lib/libtorch_cuda.so}
  if [ -e "$cuda" ]; then
    nm -D --defined-only "$cuda" | awk '{ print $3 }' | sort -u >"${TMPDIR:-/tmp}/cuda-symbols.$$"
    trap 'rm -f "${TMPDIR:-/tmp}/cuda-symbols.$$"' EXIT
    for name in $(grep -oh '_ZN[A-Za-z0-9_]*\(CUDAGraph\|ProcessGroupNCCL\)[A-Za-z0-9_]*' packages/torch/native/*.cpp | sort -u); do
      if grep -qx "$name" "${TMPDIR:-/tmp}/cuda-symbols.$$"; then echo "found    $name"; else echo "absent   $name"; fi
    done
  fi
  npx tsc -p tsconfig.check.json
  npx vitest run packages/torch/test/cuda.test.ts packages/perennial/src/model/device.test.ts
  run tools/cuda-check/bench.ts --dry-run
  ;;
"")
  if ! [ -e /dev/nvidia0 ] && ! [ -e /proc/driver/nvidia/version ] && ! [ -e /usr/lib/wsl/lib/libcuda.so.1 ]; then
    echo "no NVIDIA GPU here: nothing was checked (--dry-run checks what can be)" >&2
    exit 3
  fi
  node tools/setup.mjs
  run --eval 'import("@perennial/torch").then(({ cuda }) => { if (!cuda.isAvailable()) { console.error("CUDA cannot be used: " + cuda.unavailableBecause()); process.exit(3); } })'
  npx vitest run $tests
  run tools/cuda-check/bench.ts
  ;;
*)
  sed -n 2,6p "$0" >&2
  exit 2
  ;;
esac
