/** `dormouse completion`: a script for the shell, made from the table of commands; it asks nobody when a key is pressed. */
import { commonOptions } from '../arguments.ts';
import { UsageError, type Command } from '../command.ts';
import { programs } from '../programs.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `all` is only read when it runs: this command is in the table itself. */
export const completionOf = (all: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: `Print the completion script of a shell: ${shells.join(', ')}`,
  positionals: ['<shell>'],
  example: 'dormouse completion bash > /etc/bash_completion.d/dormouse',
  run({ arguments: args, terminal }) {
    const shell = args.required('shell');
    const words = wordsAfter(all());
    if (shell === 'bash') terminal.line(bash(words));
    else if (shell === 'zsh') terminal.line(`autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`);
    else if (shell === 'fish') terminal.line(fish(words));
    else throw new UsageError(`there is completion for ${shells.join(', ')}, not for ${shell}`);
    return Promise.resolve(0);
  },
});

/** What may follow the words before it; `''` is the beginning. */
export function wordsAfter(commands: readonly Command[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  const add = (before: string, ...words: string[]): void => {
    const known = found.get(before) ?? new Set();
    for (const word of words) known.add(word);
    found.set(before, known);
  };
  for (const { name } of programs) add('', name);
  for (const { name, options = {} } of commands) {
    const [first = '', second] = name.split(' ');
    add('', first);
    if (second !== undefined) add(first, second);
    add(name, ...Object.keys({ ...options, ...commonOptions }).map((option) => `--${option}`));
  }
  return new Map([...found].map(([before, words]) => [before, [...words].sort()]));
}

function bash(words: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...words].map(([before, after]) => `    ${JSON.stringify(before)}) words="${after.join(' ')}" ;;`);
  return `_dormouse() {
  local words="" before="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) before="\${before:+$before }$word" ;; esac
  done
  # Behind the command stand ids and paths: take words away until a command is left.
  while :; do
    case "$before" in
${cases.join('\n')}
    esac
    [ -n "$words" ] || [ -z "$before" ] && break
    case "$before" in *" "*) before="\${before% *}" ;; *) break ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _dormouse dormouse`;
}

function fish(words: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...words].flatMap(([before, after]) => {
    const [first = '', second] = before.split(' ');
    const seen = [first, second].filter((word) => word !== undefined && word !== '');
    const when =
      seen.length === 0
        ? '__fish_use_subcommand'
        : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return after.map((word) =>
      word.startsWith('--')
        ? `complete -c dormouse -n '${when}' -l ${word.slice(2)}`
        : `complete -c dormouse -f -n '${when}' -a ${word}`,
    );
  });
  return lines.join('\n');
}
