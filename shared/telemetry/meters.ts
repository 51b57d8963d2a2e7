/** The metrics of one process (metrics.ts), and the process metrics of prom-client, in a registry of their own. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metrics, type LabelsOf, type MetricFacts, type MetricName, type NameOf } from './metrics.ts';

export interface Meters {
  count<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends NameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>, seconds: number): void;
  /** The gauge is read at each scrape, by the last reader it got. A reading that fails is left out. */
  read(name: NameOf<'gauge'>, value: () => number | Promise<number>): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** From a hot call within a machine to a first pull of an image. */
const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A counter or histogram of prom-client, as far as it is used here. */
interface Instrument {
  inc?(labels: Readonly<Record<string, string>>, by: number): void;
  observe?(labels: Readonly<Record<string, string>>, value: number): void;
}

export function createMeters(owner: 'api' | 'worker'): Meters {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = new Map<MetricName, Instrument>();
  for (const name of Object.keys(metrics) as MetricName[]) {
    const { kind, of, labels, help }: MetricFacts = metrics[name];
    if (kind === 'gauge' || (of !== 'both' && of !== owner)) continue;
    const options = { name, help, labelNames: labels, registers: [registry] };
    if (kind === 'counter') instruments.set(name, new Counter(options));
    else instruments.set(name, new Histogram({ ...options, buckets: bucketsSeconds }));
  }
  return {
    count: (name, labels, by = 1) => instruments.get(name)?.inc?.(labels, by),
    observe: (name, labels, seconds) => instruments.get(name)?.observe?.(labels, seconds),
    read: (name, value) => addGauge(registry, name, value),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function addGauge(registry: Registry, name: NameOf<'gauge'>, value: () => number | Promise<number>): void {
  registry.removeSingleMetric(name);
  new Gauge({
    name,
    help: metrics[name].help,
    registers: [registry],
    async collect() {
      try {
        this.set(await value());
      } catch {
        this.remove();
      }
    },
  });
}
