# Helpers for the scripts beside this file, which source it.
# shellcheck shell=bash

# Prints a heading.
section() {
    printf '\n== %s\n' "$1"
}

# Prints one clear line and ends the script.
fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo where that asks for no password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Whether packages can be installed here without asking anybody.
can_install_packages() {
    command -v apt-get >/dev/null && as_root true
}

# Brings the list of packages up to date, quietly.
update_package_list() {
    as_root apt-get update -qq >/dev/null
}

# Installs packages of the distribution by name; says something only when it fails.
install_packages() {
    local log
    log=$(mktemp)
    printf 'installing %s\n' "$*" >&2
    if ! as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# Whether version $1 is $2 or later.
version_at_least() {
    printf '%s\n%s\n' "$2" "$1" | sort -C -V
}
