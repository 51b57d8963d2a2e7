/** What is to be reached, and what a run says about it: every figure beside another of the same run. */
import type { Figure, Verdict } from './report.ts';

export interface Target {
  readonly target: string;
  /** Names of figures, with `*` for the template. */
  readonly of: string;
  readonly to?: string;
  readonly wanted: string;
  readonly judge?: (of: number, to: number) => boolean;
}

const bareReport = 'reported';
const atMost =
  (ratio: number) =>
  (of: number, to: number): boolean =>
    of <= ratio * to;

/** A queue, a registry and a proxy around the restore may take this much. */
const aroundRestoreMs = 10;

export const targets: readonly Target[] = [
  {
    target: 'wake, golden on the node: api call received to VM running',
    ...{ of: '* wake running', to: '* raw pooled wake running', wanted: `≤ raw + ${aroundRestoreMs} ms` },
    judge: (of, to) => of <= to + aroundRestoreMs,
  },
  {
    target: 'the same, to the first answer at the client',
    ...{ of: '* wake first answer', to: '* raw pooled wake first answer', wanted: '≤ 1.25 ×' },
    judge: atMost(1.25),
  },
  {
    target: 'the same beside a raw restore that starts its processes',
    ...{ of: '* wake first answer', to: '* raw started wake first answer', wanted: bareReport },
  },
  {
    target: 'wake on the other node',
    ...{ of: '* wake other node first answer', to: '* wake same node first answer', wanted: '≤ 1.1 ×' },
    judge: atMost(1.1),
  },
  {
    target: 'frozen time in a suspend',
    ...{ of: '* suspend frozen', to: '* raw suspend frozen', wanted: bareReport },
  },
  {
    target: 'suspend to durable, local folder',
    ...{ of: '* suspend durable', to: '* raw suspend durable', wanted: bareReport },
  },
  {
    target: 'bytes shipped per suspend',
    ...{ of: '* suspend bytes', to: '* raw suspend bytes', wanted: bareReport },
  },
];

/** One verdict per target and template; targets whose figures were not measured are left out. */
export function verdictsOf(figures: readonly Figure[], templates: readonly string[]): Verdict[] {
  const medians = new Map(figures.map(({ name, median }) => [name, median]));
  return templates.flatMap((template) =>
    targets.flatMap((target) => verdictOf(target, template, (name) => medians.get(name))),
  );
}

function verdictOf(
  { target, wanted, judge, ...names }: Target,
  template: string,
  medianOf: (name: string) => number | undefined,
): Verdict[] {
  const named = (name: string): string => name.replace('*', template);
  const of = medianOf(named(names.of));
  const to = names.to === undefined ? undefined : medianOf(named(names.to));
  if (of === undefined || (names.to !== undefined && to === undefined)) return [];
  return [
    {
      ...{ target, of: named(names.of), wanted },
      ...(names.to !== undefined && { to: named(names.to) }),
      ...(to !== undefined && to > 0 && { ratio: of / to }),
      ...(judge !== undefined && { reached: judge(of, to ?? 0) }),
    },
  ];
}
