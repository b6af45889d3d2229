#!/usr/bin/env bash
# Builds and tests the engine against other versions of libtorch, each from the PyPI wheel of torch, in a clone of this checkout.
#   tools/check-libtorch.sh 2.6.0 2.10.0
# For Debian 13's own libtorch 2.6 (as root; needs debootstrap):
#   tools/check-libtorch.sh debian
# Prints one line per version: `libtorch VERSION: passed`. Everything is made in a temporary folder.
set -euo pipefail

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests="packages/torch/src/fused packages/torch/test/optimizers.test.ts packages/perennial/src/model"

check() { # name, folder of libtorch
  git clone --quiet "$root" "$work/clone"
  (
    cd "$work/clone"
    cp -a "$root/node_modules" .
    LIBTORCH=$2 node tools/build-native.mjs
    # Random streams and some golden values are those of the pinned version; these tests hold for every version.
    npx vitest run $tests
  )
  rm -rf "$work/clone"
  echo "libtorch $1: passed"
}

for version in "$@"; do
  if [ "$version" = debian ]; then
    debootstrap --include=libtorch-dev,g++,git,ca-certificates trixie "$work/debian"
    cp -a "$root" "$work/debian/perennial"
    cp "$(command -v node)" "$work/debian/usr/local/bin/node"
    chroot "$work/debian" sh -c "cd /perennial && rm -rf packages/*/build && node tools/setup.mjs --system-libtorch && npx vitest run $tests"
    echo "libtorch of Debian 13: passed"
  else
    python3 -m venv "$work/venv-$version"
    "$work/venv-$version/bin/pip" install --quiet "torch==$version" numpy
    check "$version" "$("$work/venv-$version/bin/python" -c 'import torch, os; print(os.path.dirname(torch.__file__))')"
    rm -rf "$work/venv-$version"
  fi
done
