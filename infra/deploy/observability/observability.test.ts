import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parse } from 'yaml';
import { z } from 'zod';
import { createMeters } from '../../../shared/telemetry/meters.ts';
import { metrics, type MetricFacts } from '../../../shared/telemetry/metrics.ts';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const scratch = await mkdtemp(path.join(tmpdir(), 'dormouse-observability-'));
after(() => rm(scratch, { recursive: true, force: true }));

const dashboardSchema = z.object({
  panels: z
    .array(
      z.object({
        id: z.number(),
        title: z.string(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.object({ expr: z.string() })).min(1),
      }),
    )
    .min(1),
});
const alertsSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })).min(1) })).min(1),
});

const dashboard = dashboardSchema.parse(JSON.parse(await readFile(file('dashboard.json'), 'utf8')));
const alerts = alertsSchema.parse(parse(await readFile(file('alerts.yaml'), 'utf8')));
const rules = alerts.groups.flatMap((group) => group.rules);
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...rules.map(({ expr }) => expr),
];

/** Every series a process has, and the labels that can be asked for. */
async function knownSeries(): Promise<Map<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>([['up', []]]);
  for (const [name, { kind, labels }] of Object.entries(metrics) as [string, MetricFacts][]) {
    if (kind !== 'histogram') known.set(name, labels);
    else for (const end of ['bucket', 'count', 'sum']) known.set(`${name}_${end}`, [...labels, 'le']);
  }
  for (const [, name] of (await createMeters('worker').text()).matchAll(/^# TYPE ((?:process|nodejs)_\S+)/gm)) {
    known.set(name ?? '', []);
  }
  return known;
}

/** What Prometheus itself adds. */
const addedLabels = ['job', 'instance'];

test('dashboard and alerts name only metrics that exist, and labels these have', async () => {
  const known = await knownSeries();
  for (const expression of expressions) {
    const series = [...expression.matchAll(/\b((?:dormouse|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g)];
    assert.ok(series.length > 0, expression);
    const allowed = new Set(addedLabels);
    for (const [, name = '', selector = ''] of series) {
      const labels = known.get(name);
      assert.ok(labels, `${name} in: ${expression}`);
      for (const label of labels) allowed.add(label);
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
        assert.ok([...labels, ...addedLabels].includes(label), `label ${label} of ${name} in: ${expression}`);
      }
    }
    for (const [, list = ''] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(',')) assert.ok(allowed.has(label.trim()), `by (${list}) in: ${expression}`);
    }
  }
});

test('every metric of ours is on the dashboard', () => {
  const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
  for (const name of Object.keys(metrics)) assert.match(shown, new RegExp(`\\b${name}(_bucket|_count)?\\b`), name);
});

test('no panel of the dashboard lies on another', () => {
  const cells = new Set<string>();
  for (const { title, gridPos } of dashboard.panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!cells.has(`${x},${y}`), title);
        cells.add(`${x},${y}`);
      }
    }
  }
});

const check = (rulesFile: string) => execa('promtool', ['check', 'rules', rulesFile], { reject: false, all: true });

test('promtool takes the alerts, and every expression of the dashboard; it refuses a wrong one', async () => {
  const alertsVerdict = await check(file('alerts.yaml'));
  assert.equal(alertsVerdict.exitCode, 0, alertsVerdict.all);
  const recorded = dashboard.panels.flatMap(({ id, targets }) =>
    targets.map(({ expr }, index) => ({
      record: `panel${id}:target${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
    })),
  );
  const write = async (name: string, list: object[]): Promise<string> => {
    const target = path.join(scratch, name);
    await writeFile(target, JSON.stringify({ groups: [{ name: 'dashboard', rules: list }] })); // JSON is YAML
    return target;
  };
  const verdict = await check(await write('dashboard.yaml', recorded));
  assert.equal(verdict.exitCode, 0, verdict.all);
  const wrong = await check(await write('wrong.yaml', [{ record: 'x', expr: 'sum(rate(dormouse_wakes_total[1m])' }]));
  assert.notEqual(wrong.exitCode, 0);
});

interface Scene {
  readonly alert: string;
  readonly at: string;
  readonly series: Readonly<Record<string, string>>;
  /** Label sets with which it fires; none: it is silent. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const node = 'job="dormouse-worker", instance="w1"';
const scenes: readonly Scene[] = [
  {
    alert: 'DormouseWakesFail',
    at: '20m',
    series: {
      [`dormouse_wakes_total{start="warm", outcome="done", ${node}}`]: '0+9x30',
      [`dormouse_wakes_total{start="none", outcome="vmm-failed", ${node}}`]: '0+1x30',
    },
    fires: [{ severity: 'page' }],
  },
  {
    alert: 'DormouseWakesFail',
    at: '20m',
    series: {
      [`dormouse_wakes_total{start="warm", outcome="done", ${node}}`]: '0+99x30',
      [`dormouse_wakes_total{start="none", outcome="vmm-failed", ${node}}`]: '0+1x30',
    },
    fires: [],
  },
  {
    alert: 'DormouseNodeDoesNotServe',
    at: '5m',
    series: { [`dormouse_node_serves{${node}}`]: '1 0x10', 'dormouse_node_serves{instance="w2"}': '1x11' },
    fires: [{ severity: 'page', job: 'dormouse-worker', instance: 'w1' }],
  },
  {
    alert: 'DormouseNoLiveNode',
    at: '5m',
    series: { 'dormouse_nodes_live{instance="a1"}': '2 0x10', 'dormouse_nodes_live{instance="a2"}': '2 0x10' },
    fires: [{ severity: 'page' }],
  },
  {
    alert: 'DormouseStoreFails',
    at: '20m',
    series: {
      [`dormouse_store_request_seconds_count{operation="create", outcome="exists", ${node}}`]: '0+60x30',
      [`dormouse_store_request_seconds_count{operation="put", outcome="store-unavailable", ${node}}`]: '0+60x30',
    },
    fires: [{ severity: 'page', operation: 'put' }],
  },
];

test('alerts fire when they should, and only then', async () => {
  const tests = scenes.map(({ alert, at, series, fires }) => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    // The firing series themselves: their annotations are words for people.
    promql_expr_test: [
      {
        expr: `count without (alertstate, alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`,
        eval_time: at,
        exp_samples: fires.map((labels) => ({ labels: labelText(labels), value: 1 })),
      },
    ],
  }));
  const target = path.join(scratch, 'scenes.yaml');
  await writeFile(target, JSON.stringify({ rule_files: [file('alerts.yaml')], evaluation_interval: '1m', tests }));
  const verdict = await execa('promtool', ['test', 'rules', target], { reject: false, all: true });
  assert.equal(verdict.exitCode, 0, verdict.all);
});

const labelText = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}}`;
