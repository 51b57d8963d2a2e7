/** What a check of the doctor found, and how findings are printed. */

export interface Finding {
  readonly name: string;
  /** `note`: it works, though not as well as it could. `mend`: without it the platform does not start or does not run. */
  readonly verdict: 'ok' | 'note' | 'mend';
  readonly says: string;
  /** What to do about it. */
  readonly mend?: string;
}

export const ok = (name: string, says: string): Finding => ({ name, verdict: 'ok', says });
export const note = (name: string, says: string, mend: string): Finding => ({ name, verdict: 'note', says, mend });
export const broken = (name: string, says: string, mend: string): Finding => ({ name, verdict: 'mend', says, mend });

export function textOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, verdict, says, mend }) => [
    `${verdict.padEnd(4)}  ${name.padEnd(width)}  ${says}`,
    ...(mend === undefined ? [] : [`${' '.repeat(6)}${' '.repeat(width)}  → ${mend}`]),
  ]);
  const wrong = findings.filter(({ verdict }) => verdict === 'mend').length;
  const sum = wrong === 0 ? 'this machine can run the platform' : `${wrong} to mend`;
  return [...lines, '', sum].join('\n');
}
