/** What fsck prints: for people what is not in order and a table of counts, or everything as one JSON document. */
import { isDamage, verdicts, type Finding, type Verdict } from '../../shared/fsck/finding.ts';
import type { FsckArguments } from './arguments.ts';

export interface Report {
  add(finding: Finding, removed: boolean): void;
  /** Prints the summary; returns whether anything is damaged. */
  end(): boolean;
}

interface Tally {
  objects: number;
  bytes: number;
}
type Tallies = Record<Verdict | 'removed', Tally>;
type Print = (text: string) => void;

export function openReport(store: string, options: FsckArguments, print: Print): Report {
  const tallies = Object.fromEntries(
    [...verdicts, 'removed'].map((name) => [name, { objects: 0, bytes: 0 }]),
  ) as Tallies;
  const form = options.json ? jsonForm(store, print) : textForm(store, options.all, print);
  let damaged = false;
  const tally = (name: keyof Tallies, { sizeBytes = 0 }: Finding): void => {
    tallies[name].objects++;
    tallies[name].bytes += sizeBytes;
  };
  return {
    add(finding, removed) {
      damaged ||= isDamage(finding);
      tally(finding.verdict, finding);
      if (removed) tally('removed', finding);
      form.add(finding, removed);
    },
    end() {
      form.end(tallies, damaged);
      return damaged;
    },
  };
}

interface Form {
  add(finding: Finding, removed: boolean): void;
  end(tallies: Tallies, damaged: boolean): void;
}

/** Written piece by piece: a store may hold more objects than fit into memory. */
function jsonForm(store: string, print: Print): Form {
  let separator = `{"store":${JSON.stringify(store)},"objects":[\n`;
  return {
    add(finding, removed) {
      print(separator + JSON.stringify({ ...finding, ...(removed && { removed }) }));
      separator = ',\n';
    },
    end(tallies, damaged) {
      print(`${separator.startsWith('{') ? separator : ''}\n],"summary":${JSON.stringify({ damaged, ...tallies })}}\n`);
    },
  };
}

function textForm(store: string, all: boolean, print: Print): Form {
  return {
    add(finding, removed) {
      if (finding.verdict !== 'live' || all) print(`${lineOf(finding, removed)}\n`);
    },
    end(tallies, damaged) {
      const rows = Object.entries(tallies).map(
        ([name, { objects, bytes }]) => `${name.padEnd(8)} ${String(objects).padStart(9)} ${inMiB(bytes).padStart(12)}`,
      );
      const verdict = damaged ? 'the store is damaged' : 'no damage';
      print(
        [`\n${store}`, `${''.padEnd(8)} ${'objects'.padStart(9)} ${'MiB'.padStart(12)}`, ...rows, verdict, ''].join(
          '\n',
        ),
      );
    },
  };
}

function lineOf({ verdict, key, ageMs, reason }: Finding, removed: boolean): string {
  const age = verdict === 'orphan' && ageMs !== undefined ? `${Math.round(ageMs / 1000)} s old` : undefined;
  const facts = [age, reason, removed ? 'removed' : undefined].filter((fact) => fact !== undefined && fact !== '');
  return `${verdict.padEnd(8)} ${key}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}`;
}

const inMiB = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
