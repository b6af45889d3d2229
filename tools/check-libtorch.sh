#!/usr/bin/env bash
# Builds and tests the engine against other versions of libtorch, in a clone of this checkout (what is committed counts):
#   tools/check-libtorch.sh 2.9.1 …       the wheels of torch on PyPI, without their CUDA libraries
#   tools/check-libtorch.sh debian        Debian 13's libtorch-dev 2.6 in a root of its own; as root, needs debootstrap
# Prints one line per version, `libtorch VERSION: passed` or `failed`, and ends with the number of failures. Everything is made
# in a temporary folder (CHECK_FOLDER: in that one, and kept, so that a second run finds what the first has fetched and compiled).
set -uo pipefail

[ $# -gt 0 ] || { sed -n 2,6p "$0" >&2; exit 2; }
remove=
# What is mounted is let go of before anything is removed.
trap 'umount "$work/debian/proc" 2>/dev/null; [ -z "$remove" ] || rm -rf "$remove"' EXIT
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
if [ -n "${CHECK_FOLDER:-}" ]; then
  work=$CHECK_FOLDER
  mkdir -p "$work"
else
  work=$(mktemp -d)
  remove=$work
fi
# Golden values are the pinned version's, and the tests know it: those that another version need not meet are left out by themselves.
tests="packages/torch packages/perennial/src/model packages/perennial/src/train"

# The wheel of one version: headers and CPU libraries, and the two libraries of CUDA that libtorch_cpu asks for by name.
fetch() { # version, folder
  [ -e "$2/torch/lib/libtorch_cpu.so" ] && return
  mkdir -p "$2/wheels"
  local pip="python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11
    --platform manylinux_2_28_$(uname -m) --platform manylinux2014_$(uname -m) --platform manylinux_2_17_$(uname -m)
    --platform manylinux_2_27_$(uname -m) --dest $2/wheels"
  $pip "torch==$1" || return 1
  # shellcheck disable=SC2046
  $pip $(python3 - "$2" <<'PYTHON'
import glob, re, sys, zipfile
with zipfile.ZipFile(glob.glob(f"{sys.argv[1]}/wheels/torch-*.whl")[0]) as wheel:
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))).decode()
print(*(f"{name}=={version}" for name, version in re.findall(r"^Requires-Dist: (nvidia-cuda-(?:runtime|cupti)[\w-]*) ?\(?==([\w.]+)", metadata, re.M)))
PYTHON
  ) || return 1
  python3 - "$2" <<'PYTHON' || return 1
import glob, re, sys, zipfile
keep = re.compile(r"torch/include/|torch/lib/lib(?!torch[.]|torch_global|torch_python|shm|.*(cuda|nvshmem|nvrtc))[^/]*$|torch[.]libs/|nvidia/.*/lib/lib(cudart|cupti)[.]so")
for path in glob.glob(f"{sys.argv[1]}/wheels/*.whl"):
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(sys.argv[1], [name for name in wheel.namelist() if keep.match(name)])
PYTHON
  rm -r "$2/wheels"
}

clone() { # folder
  # What was compiled there before counts as long as nothing that it was made of has changed.
  rm -rf "$1.build"
  [ -e "$1/packages/torch/build" ] && mv "$1/packages/torch/build" "$1.build"
  rm -rf "$1"
  git clone --quiet "$root" "$1"
  [ -e "$1.build" ] && mv "$1.build" "$1/packages/torch/build"
  cp -a "$root/node_modules" "$1"
  # The text addon does not depend on libtorch, and was built here.
  [ -e "$root/packages/perennial/build" ] && cp -a "$root/packages/perennial/build" "$1/packages/perennial/"
}

# A libtorch of PyPI, on this machine.
check() { # version
  fetch "$1" "$work/libtorch-$1" || return 1
  clone "$work/clone-$1"
  (cd "$work/clone-$1" && LIBTORCH=$work/libtorch-$1/torch node tools/build-native.mjs torch && npx vitest run $tests)
}

check_debian() {
  local debian=$work/debian
  [ -e "$debian/usr/include/torch" ] ||
    debootstrap --variant=minbase --include=libtorch-dev,g++,git,ca-certificates trixie "$debian" || return 1
  clone "$debian/perennial"
  cp "$(command -v node)" "$debian/usr/local/bin/node"
  # A test packs the engine with npm.
  rm -rf "$debian/usr/local/lib/npm"
  cp -a "$(npm root -g)/npm" "$debian/usr/local/lib/npm"
  ln -sf ../lib/npm/bin/npm-cli.js "$debian/usr/local/bin/npm"
  mountpoint -q "$debian/proc" || mount -t proc proc "$debian/proc" || return 1
  # The tests run the sources: what the set-up says of the TypeScript build does not matter here.
  chroot "$debian" sh -c "cd /perennial && { node tools/setup.mjs --system-libtorch; node node_modules/vitest/vitest.mjs run $tests; }"
}

failures=0
for version in "$@"; do
  if [ "$version" = debian ]; then name="of Debian 13"; run=check_debian; else name=$version; run="check $version"; fi
  if $run; then echo "libtorch $name: passed"; else echo "libtorch $name: failed"; failures=$((failures + 1)); fi
done
exit "$failures"
