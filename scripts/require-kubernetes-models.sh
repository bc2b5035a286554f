#!/usr/bin/env bash
# Makes sure that the types of the Gateway API and of the Prometheus operator are here, by which custom
# resources are judged; prints the folder that they are in.
#
# They come from their npm packages into target/tools; nothing outside this folder is changed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly WANTED=(@kubernetes-models/gateway-api@2.0.0 @kubernetes-models/prometheus-operator@6.0.0)
# A folder of its own: npm takes away what it did not install itself.
readonly TOOLS="$PWD/target/tools/kubernetes-models"

if [ "$(cat "$TOOLS/installed.txt" 2>/dev/null)" != "${WANTED[*]}" ]; then
    if ! command -v npm >/dev/null; then
        can_install_packages || fail 'npm is missing: install it (Debian: nodejs npm)'
        update_package_list
        install_packages nodejs npm
    fi
    printf 'installing %s\n' "${WANTED[*]}" >&2
    rm -rf "$TOOLS"
    mkdir -p "$TOOLS"
    npm install --prefix "$TOOLS" --no-save --ignore-scripts --no-audit --no-fund \
        --loglevel=error "${WANTED[@]}" >&2 </dev/null
    printf '%s\n' "${WANTED[*]}" >"$TOOLS/installed.txt"
fi
printf '%s\n' "$TOOLS"
