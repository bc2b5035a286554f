#!/usr/bin/env bash
# Makes sure that PostgreSQL 15 or later is here; prints its version and where its programs are.
#
# The tests start clusters of their own with `initdb`, in temporary folders. So a package brings
# the programs only: the cluster that it would otherwise create and start is switched off.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

readonly OLDEST=15
readonly CLUSTER_SETTINGS=/etc/postgresql-common/createcluster.conf

# Prints the folder of the newest PostgreSQL that will do.
find_postgres() {
    local initdb folder version
    initdb=$(command -v initdb || true)
    for folder in "$(dirname "$(readlink -f "${initdb:-/nowhere/initdb}")")" \
        /usr/lib/postgresql/*/bin; do
        if [ ! -x "$folder/initdb" ] || [ ! -x "$folder/postgres" ]; then
            continue
        fi
        version=$("$folder/initdb" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')
        if version_at_least "$version" "$OLDEST"; then
            printf '%s %s\n' "$version" "$folder"
        fi
    done | sort -V | tail -n 1
}

# Prints the oldest package that will do: the one nearest to what the project promises.
find_package() {
    apt-cache --names-only search '^postgresql-[0-9]+$' |
        sed 's/^postgresql-\([0-9]*\) .*/\1/' | sort -n |
        awk -v oldest="$OLDEST" '$1 >= oldest && !done { print "postgresql-" $1; done = 1 }'
}

# Keeps a package from creating and starting a cluster; settings that are there already win.
switch_off_main_cluster() {
    [ -e "$CLUSTER_SETTINGS" ] && return
    as_root mkdir -p "$(dirname "$CLUSTER_SETTINGS")"
    printf 'create_main_cluster = false\n' | as_root tee "$CLUSTER_SETTINGS" >/dev/null
}

found=$(find_postgres)
if [ -z "$found" ]; then
    can_install_packages ||
        fail "PostgreSQL $OLDEST or later is missing: install its server (Debian: postgresql-$OLDEST)"
    update_package_list
    package=$(find_package)
    [ -n "$package" ] ||
        fail "no package of PostgreSQL $OLDEST or later here: install its server"
    switch_off_main_cluster
    install_packages "$package"
    found=$(find_postgres)
    [ -n "$found" ] || fail "$package is installed, but its initdb cannot be found"
fi
printf 'PostgreSQL %s in %s\n' "${found%% *}" "${found#* }"
