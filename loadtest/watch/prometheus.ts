/**
 * Reads the Prometheus text format far enough to follow the server's figures: one number per metric name, the sum over
 * its labels. Buckets of histograms are left out (their sums and counts are there); what cannot be read is skipped.
 */

export function parsePrometheus(text: string): Record<string, number> {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = samplePattern.exec(line) ?? [];
    if (name === undefined || name.endsWith('_bucket') || line.startsWith('#')) continue;
    const number = Number(value);
    if (Number.isFinite(number)) sums.set(name, (sums.get(name) ?? 0) + number);
  }
  return Object.fromEntries(sums);
}

/** Name, perhaps labels (whose quoted values may contain anything but a bare quote), value, perhaps a timestamp. */
const samplePattern = /^([A-Za-z_:][\w:]*)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s+(\S+)/;
