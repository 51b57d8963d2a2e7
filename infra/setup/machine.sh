# What the machine must offer before anything is installed. Each check names what is missing and how to mend it.

# The first set-up takes about 2 GB (packages, two asset sets, images); actors need the rest. Later ones only need to run.
FIRST_SETUP_FREE_MB=4096
LATER_SETUP_FREE_MB=512
NODE_MAJOR=20

check_machine() {
  check_system
  check_node
  check_kernel_features
  check_disk
}

check_system() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s), not Linux" 'Run Dormouse on Debian 12 or 13, for example in a VM.'
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) fail "the architecture $(uname -m) is not supported" 'Use an x86_64 or aarch64 machine.' ;;
  esac
  [ "$(id -u)" = 0 ] || fail 'not running as root' 'Network namespaces and mounts need root: run it again with sudo.'
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    fail 'there is no apt-get' 'Use Debian 12 or 13: packages and the asset sets come from Debian.'
}

check_node() {
  command -v npm >/dev/null || fail 'there is no npm' 'Install Node.js 20 or newer together with npm.'
  version=$(node --version 2>/dev/null) || fail 'there is no Node.js' 'Install Node.js 20 or newer.'
  major=${version#v}
  [ "${major%%.*}" -ge $NODE_MAJOR ] || fail "Node.js $version is too old" "Install Node.js $NODE_MAJOR or newer."
}

check_kernel_features() {
  # Opening it is what tells whether the driver is there; -c first, because `<>` would make a missing file.
  { [ -c /dev/net/tun ] && (: <>/dev/net/tun) 2>/dev/null; } || fail 'the tap device /dev/net/tun cannot be opened' \
    'Run `modprobe tun`; in a container, start it with --device /dev/net/tun.'
  unshare --net --mount true 2>/dev/null || fail 'network and mount namespaces cannot be created' \
    'In a container, start it with --privileged (or CAP_SYS_ADMIN and CAP_NET_ADMIN).'
}

check_disk() {
  needed=$FIRST_SETUP_FREE_MB
  [ -e .cache/setup-complete ] && needed=$LATER_SETUP_FREE_MB
  free=$(df -Pm . | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$needed" ] || fail "only $free MB are free on the disk that holds $(pwd)" "Free at least $needed MB there."
}
