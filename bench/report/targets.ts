/** What is to be reached, and what a run says about it: every figure beside another of the same run. */
import type { TemplateName } from '../config.ts';
import type { Figure, Verdict } from './report.ts';

export interface Target {
  readonly target: string;
  /** Names of figures, with `*` for the template; without it, the figure is the whole platform's. */
  readonly of: string;
  readonly to?: string;
  /** Of this template alone. */
  readonly template?: TemplateName;
  readonly wanted: string;
  readonly judge?: (of: number, to: number) => boolean;
}

type Judged = Pick<Target, 'wanted' | 'judge'>;

const reported: Judged = { wanted: 'reported' };
const atMost = (ratio: number): Judged => ({ wanted: `≤ ${ratio} ×`, judge: (of, to) => of <= ratio * to });
const atLeast = (ratio: number): Judged => ({ wanted: `≥ ${ratio} ×`, judge: (of, to) => of >= ratio * to });
const adds = (ms: number): Judged => ({ wanted: `adds ≤ ${ms} ms`, judge: (of, to) => of <= to + ms });
const below = (limit: number, unit: string): Judged => ({ wanted: `≤ ${limit} ${unit}`, judge: (of) => of <= limit });
const belowKB = (limit: number): Judged => ({ wanted: `≤ ${limit} KB`, judge: (of) => of <= limit * 1000 });

const bareWake = '* raw pooled wake first answer';
const wake = '* wake first answer';

export const targets: readonly Target[] = [
  {
    target: 'wake, golden on the node: api call received to VM running',
    ...{ of: '* wake running', to: '* raw pooled wake running', ...adds(10) },
  },
  { target: 'the same, to the first answer at the client', of: wake, to: bareWake, ...atMost(1.25) },
  {
    target: 'the same beside a raw restore that starts its processes',
    ...{ of: wake, to: '* raw started wake first answer', ...reported },
  },
  {
    target: 'wake on the other node, golden there',
    ...{ of: '* wake other node first answer', to: '* wake same node first answer', ...atMost(1.1) },
  },
  {
    target: 'first wake on a node that has only the image',
    ...{ of: '* bare node first answer', to: wake, ...reported },
  },
  {
    target: 'first start of a new template',
    ...{ of: '* cold start first answer', to: '* raw boot first answer', ...atMost(0.35) },
  },
  { target: 'new actor of a ready template, first call', of: '* new actor first answer', to: wake, ...atMost(1.05) },
  {
    target: 'the same, of a call that the program had answered before',
    ...{ of: '* new actor probe first answer', to: '* wake probe first answer', ...reported },
  },
  ...perTemplate('frozen time in a suspend', '* suspend frozen', '* raw suspend frozen', {
    counter: below(40, 'ms'),
    'node-counter': below(80, 'ms'),
  }),
  {
    target: 'suspend to durable, local folder',
    ...{ of: '* suspend durable', to: '* raw suspend durable', ...below(120, 'ms') },
  },
  {
    target: 'suspend to durable, S3 on loopback',
    ...{ of: '* s3 suspend durable', to: '* raw suspend durable', ...below(150, 'ms') },
  },
  ...perTemplate('bytes shipped per suspend', '* suspend bytes', '* raw suspend bytes', {
    counter: belowKB(160),
    'node-counter': belowKB(1000),
  }),
  ...[16, 64].map((mebibytes) => ({
    target: `bytes shipped after ${mebibytes} MiB of random bytes were written`,
    of: `* ${mebibytes} MiB written suspend bytes`,
    to: `* ${mebibytes} MiB of random bytes`,
    ...atMost(1.1),
  })),
  ...['guest', 'plain server'].flatMap((server): Target[] => [
    {
      target: `hot call, ${server}: through api and ingress beside a direct call`,
      ...{ of: `* hot call, ${server}, platform p50`, to: `* hot call, ${server}, direct p50`, ...adds(0.6) },
    },
    {
      // 0.6 ms where two plain hops add 0.16 ms.
      target: `hot call, ${server}: the same beside what two plain hops add`,
      of: `* hot call, ${server}, platform adds`,
      to: `* hot call, ${server}, two hops add`,
      ...atMost(3.75),
    },
    {
      target: `hot call, ${server}: throughput beside two plain proxy hops`,
      of: `* hot call, ${server}, platform throughput`,
      to: `* hot call, ${server}, two hops throughput`,
      ...atLeast(0.6),
    },
  ]),
  { target: 'VMM beside its guest’s memory', of: '* VMM beside it', to: '* guest memory', ...reported },
  { target: 'virtiofsd beside its guest’s memory', of: '* virtiofsd beside it', to: '* guest memory', ...reported },
  ...['own pages', 'program'].map((what) => ({
    target: `guest agent within its guest’s memory: ${what}`,
    ...{ of: `* guest agent, ${what}`, to: '* guest memory', ...reported },
  })),
  ...['first start', 'node start', 'node start again', 'walk', 'walk again', 'walk after wake'].map((what) => ({
    target: `files of the image kept by the guest: ${what}`,
    ...{ of: `* files, cache always, ${what}`, to: `* files, cache auto, ${what}`, ...reported },
  })),
  ...['golden packed', 'frozen after walks', 'bytes after walks', 'wake after walks'].map((what) => ({
    target: `the same: ${what}`,
    ...{ of: `* files, cache always, ${what}`, to: `* files, cache auto, ${what}`, ...reported },
  })),
  ...['wake', 'call p50', 'program', 'memory after the wake', 'memory after programs'].map((what) => ({
    target: `translated code bounded: ${what}`,
    ...{ of: `* vmm, code below 128 MiB, ${what}`, to: `* vmm, no settings, ${what}`, ...reported },
  })),
  { target: 'CPU with many actors asleep', of: 'idle CPU, sleeping actors', to: 'idle CPU, no actors', ...reported },
  ...[2, 4, 8].map((count) => ({
    target: `${count} wakes at once, until all have answered`,
    ...{ of: `* ${count} at once, all`, to: '* 1 at once, all', ...reported },
  })),
  {
    target: 'p99 of a hot actor while a large one suspends',
    ...{ of: '* hot p99, a large actor suspends', to: '* hot p99, quiet', ...atMost(2) },
  },
];

function perTemplate(target: string, of: string, to: string, judged: Readonly<Record<TemplateName, Judged>>): Target[] {
  const names = Object.keys(judged) as TemplateName[];
  return names.map((template) => ({ target, of, to, template, ...judged[template] }));
}

/** One verdict per target and template; targets whose figures were not measured are left out. */
export function verdictsOf(figures: readonly Figure[], templates: readonly string[]): Verdict[] {
  const medians = new Map(figures.map(({ name, median }) => [name, median]));
  const medianOf = (name: string): number | undefined => medians.get(name);
  return targets.flatMap((target) => {
    if (!target.of.includes('*')) return verdictOf(target, '', medianOf);
    const mine = templates.filter((template) => (target.template ?? template) === template);
    return mine.flatMap((template) => verdictOf(target, template, medianOf));
  });
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
