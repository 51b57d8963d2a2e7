#!/bin/sh
# Makes a fresh Debian 12 or 13 machine ready for `npm start` (or, with --test, for `npm test`), from a fresh clone and
# with nothing but a Node of its own. Every part can tell that it is already done, so a second run only looks.
# Part one, in sh because there may be no usable Node yet: the machine, Debian packages, node_modules.
# Part two, infra/setup/main.ts with the Node that part one brought: asset sets, template images, test servers.
# Two set-ups of one clone wait for each other. On failure: one line that says what failed and how to mend it, exit 1.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)
cd "$root"
. infra/setup/say.sh
. infra/setup/machine.sh
. infra/setup/debian-packages.sh
. infra/setup/node-modules.sh

with_tests=no
for argument in "$@"; do
  case $argument in
    --test) with_tests=yes ;;
    *) fail "unknown argument $argument" 'The set-up knows only --test.' ;;
  esac
done

# Steps 1 to 3 are here, the rest in main.ts, which counts the same way.
[ "$with_tests" = yes ] && steps=8 || steps=5

check_machine

# The lock lives as long as descriptor 9 is open in this shell or in a child: it ends with us, however we end.
mkdir -p .cache
exec 9>.cache/setup.lock
if ! flock -n 9; then
  say 'another set-up of this clone is running; waiting for it'
  flock -w 3600 9 || fail 'the other set-up did not end within an hour' 'Stop it, then run this again.'
fi

install_debian_packages "$with_tests"
install_node_modules

[ "$with_tests" = yes ] && set -- --test || set --
exec node_modules/.bin/node infra/setup/main.ts "$@"
