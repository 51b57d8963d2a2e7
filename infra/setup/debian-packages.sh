# Debian packages: what the stack starts (redis-server), what a node uses (nftables, iproute2, skopeo, umoci, …), what
# the asset assembler needs (the archive's keyring, decompressors), and what only tests use.

STACK_PACKAGES='redis-server nftables iproute2 util-linux procps skopeo umoci
  debian-archive-keyring ca-certificates xz-utils zstd tar curl'
TEST_PACKAGES='docker-registry chromium git systemd prometheus'
# Only where the Python on the PATH has no pip of its own.
PIP_PACKAGES='python3 python3-pip'
# Packages that would run a daemon of their own, now and at each boot. Dormouse starts these programs itself.
DAEMONS='redis-server docker-registry prometheus'
POLICY=/usr/sbin/policy-rc.d
SAVED_POLICY=/usr/sbin/policy-rc.d.before-dormouse

# One install at a time on the machine, whichever clone asks: they share the policy file.
INSTALL_LOCK=/run/lock/dormouse-install.lock

install_debian_packages() {
  wanted=$STACK_PACKAGES
  [ "$1" = yes ] && wanted="$wanted $TEST_PACKAGES"
  [ "$1" = no ] || python3 -m pip --version >/dev/null 2>&1 || wanted="$wanted $PIP_PACKAGES"
  [ -n "$(missing_packages $wanted)" ] || [ -e $SAVED_POLICY ] || return 0
  exec 8>$INSTALL_LOCK
  flock -w 1800 8 || fail 'another Dormouse set-up has been installing packages for 30 minutes' 'Stop it, then run this again.'
  restore_policy # of a set-up that was killed half-way
  missing=$(missing_packages $wanted)
  [ -z "$missing" ] || install_missing "$missing"
  exec 8>&-
}

install_missing() {
  long_step "2/$steps Debian package lists" apt_get update ||
    fail 'apt-get update failed' 'Check /etc/apt/sources.list* and the network, then run this again.'
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  forbid_daemons
  long_step "2/$steps Debian packages:$1" apt_get install $1 ||
    fail 'apt-get install failed' "Run \`apt-get install$1\` by hand to see why, then run this again."
  restore_policy
  trap - EXIT INT TERM HUP
  disable_daemons "$1"
}

apt_get() {
  apt_verb=$1
  shift
  [ "$apt_verb" = update ] || set -- --yes --no-install-recommends "$@"
  # The lock timeout waits for unattended upgrades, which hold the lock for minutes on a machine's first boot.
  DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$apt_verb" "$@" </dev/null 8>&- 9>&-
}

missing_packages() {
  present=" $(dpkg-query --show --showformat '${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true) "
  for package in "$@"; do
    case $present in
      *" installed=$package "*) ;;
      *) printf ' %s' "$package" ;;
    esac
  done
}

# policy-rc.d is Debian's switch for "install, but start no service". Someone else's is kept and put back.
forbid_daemons() {
  if [ -e $POLICY ]; then mv $POLICY $SAVED_POLICY; else printf '' >$SAVED_POLICY; fi
  printf '#!/bin/sh\n# written by the Dormouse set-up for the time of one apt-get install\nexit 101\n' >$POLICY
  chmod 755 $POLICY
}

# An empty saved file says that there was none.
restore_policy() {
  [ -e $SAVED_POLICY ] || return 0
  if [ -s $SAVED_POLICY ]; then mv $SAVED_POLICY $POLICY; else rm -f $POLICY $SAVED_POLICY; fi
}

# Only for a package that this run installed: a daemon that was there before belongs to the machine.
disable_daemons() {
  [ -d /run/systemd/system ] || return 0
  for daemon in $DAEMONS; do
    case "$1 " in
      *" $daemon "*) systemctl disable --quiet "$daemon" || say "could not disable $daemon.service; it may start at boot" ;;
    esac
  done
}
