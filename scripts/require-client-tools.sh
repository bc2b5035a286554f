#!/usr/bin/env bash
# Makes sure that what the example clients and the pages need is here: Python with venv, Node with npm,
# curl, jq, openssl.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

readonly OLDEST_PYTHON=3.10
readonly OLDEST_NODE=18

# Prints the names of the Debian packages of what is missing.
missing_packages() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || printf 'python3 python3-venv '
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        printf 'nodejs npm '
    fi
    command -v curl >/dev/null || printf 'curl '
    command -v jq >/dev/null || printf 'jq '
    command -v openssl >/dev/null || printf 'openssl '
}

read -ra packages <<<"$(missing_packages)"
if [ "${#packages[@]}" -gt 0 ]; then
    can_install_packages || fail "missing: install ${packages[*]} (names of Debian packages)"
    update_package_list
    install_packages "${packages[@]}"
    [ -z "$(missing_packages)" ] || fail "${packages[*]} were installed, but cannot be run"
fi

python=$(python3 -c 'import platform; print(platform.python_version())')
version_at_least "$python" "$OLDEST_PYTHON" ||
    fail "Python $python is too old: the examples need $OLDEST_PYTHON or later"
node=$(node --version)
version_at_least "${node#v}" "$OLDEST_NODE" ||
    fail "Node $node is too old: the examples need $OLDEST_NODE or later"
