# How the shell part of the set-up talks: progress and failures on standard error, in the words main.ts uses too.

say() { printf '[setup] %s\n' "$1" >&2; }

# fail <what failed> <how to mend it>
fail() {
  printf '[setup] FAILED: %s\n[setup]   %s\n' "$1" "$2" >&2
  exit 1
}

# long_step <name> <command…>: says that it begins, shows its output, says how long it took.
# Its output goes to standard error: standard output of `npm start` belongs to the stack.
long_step() {
  step_name=$1
  shift
  step_began=$(date +%s)
  say "$step_name: …"
  "$@" >&2 || return 1
  say "$step_name: done in $(($(date +%s) - step_began)) s"
}
