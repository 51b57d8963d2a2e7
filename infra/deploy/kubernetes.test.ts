import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { settings } from '../../shared/config/environment.ts';
import { installPythonPackage } from '../servers/python-package.ts';
import { workerAllocator } from '../stack/processes.ts';

const folder = fileURLToPath(new URL('./kubernetes', import.meta.url));
const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
const scratch = await mkdtemp(path.join(tmpdir(), 'dormouse-kubernetes-'));
after(() => rm(scratch, { recursive: true, force: true }));

const container = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
});
const workload = z.object({
  kind: z.enum(['Deployment', 'DaemonSet', 'StatefulSet']),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({ enableServiceLinks: z.literal(false), containers: z.array(container).min(1) }),
    }),
  }),
});
const named = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) });
const withData = z.object({
  data: z.record(z.string(), z.string()).optional(),
  stringData: z.record(z.string(), z.string()).optional(),
});

const objects = (
  await Promise.all(files.map(async (name) => parseAllDocuments(await readFile(path.join(folder, name), 'utf8'))))
)
  .flat()
  .map((document): unknown => document.toJS());
const workloads = objects.filter((object) => /^(Deployment|DaemonSet|StatefulSet)$/.test(named.parse(object).kind));

async function validate(file: string) {
  const python = await installPythonPackage('kubernetes-validate');
  return execa('python3', ['-m', 'kubernetes_validate', '--strict', file], {
    env: { PYTHONPATH: python },
    reject: false,
    all: true,
  });
}

for (const name of files) {
  test(`${name} is what Kubernetes expects`, async () => {
    const verdict = await validate(path.join(folder, name));
    assert.equal(verdict.exitCode, 0, verdict.all);
  });
}

test('the validator finds a wrong field', async () => {
  const file = path.join(scratch, 'wrong.yaml');
  const api = await readFile(path.join(folder, 'api.yaml'), 'utf8');
  await writeFile(file, api.replace('replicas: 2', 'replicas: two'));
  assert.notEqual((await validate(file)).exitCode, 0);
});

test('every file is in the kustomization, the secret under the name it is copied to', async () => {
  const [document] = parseAllDocuments(await readFile(path.join(folder, 'kustomization.yaml'), 'utf8'));
  const { resources } = z.object({ resources: z.array(z.string()) }).parse(document?.toJS());
  const expected = files.map((name) => (name === 'secret.example.yaml' ? 'secret.yaml' : name));
  assert.deepEqual([...resources].sort(), expected.sort());
});

test('workloads select their own pods, and no Service adds names to their environment', () => {
  assert.equal(workloads.length, 3);
  for (const object of workloads) {
    const { spec } = workload.parse(object);
    for (const [key, value] of Object.entries(spec.selector.matchLabels)) {
      assert.equal(spec.template.metadata.labels[key], value);
    }
  }
});

test('no image names a host', () => {
  for (const object of workloads) {
    for (const { image } of workload.parse(object).spec.template.spec.containers) assert.match(image, /^[a-z]+$/);
  }
});

test('a worker gives freed memory back here as in the local stack', () => {
  const worker = workloads.map((object) => workload.parse(object)).find(({ kind }) => kind === 'DaemonSet');
  const env = worker?.spec.template.spec.containers.flatMap((one) => one.env) ?? [];
  const set = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  assert.deepEqual({ ...set, ...workerAllocator }, set);
});

test('every DORMOUSE_ setting exists', () => {
  const fromPods = workloads.flatMap((object) =>
    workload.parse(object).spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name)),
  );
  const fromMaps = objects.flatMap((object) => {
    const { data, stringData } = withData.parse(object);
    return Object.keys({ ...data, ...stringData });
  });
  const names = [...fromPods, ...fromMaps].filter((name) => name.startsWith('DORMOUSE_'));
  assert.ok(names.length > 8);
  for (const name of names) assert.ok(Object.hasOwn(settings, name), `${name} is no setting`);
});
