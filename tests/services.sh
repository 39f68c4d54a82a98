#!/bin/sh
# What the tests of ssh and databases need beside Python: sshd, ssh, PostgreSQL's server and psql.
# As root on Debian they are installed; where they cannot be, this says so and those tests are left out.
has() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1 && return 0
    for found in /usr/lib/postgresql/*/bin/"$1"; do [ -x "$found" ] && return 0; done
    return 1
}
missing=""
has sshd || missing="$missing openssh-server"
has ssh || missing="$missing openssh-client"
has initdb || missing="$missing postgresql"
has psql || missing="$missing postgresql-client"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing for the tests"
    # In run level 1 a package starts no service.
    export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "left out are the tests that need$missing (Debian's package names): install them to run all" >&2
