import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadModules, moduleDependencies } from './modules.ts';

const moduleText = (depends: string): string => `ELF\0license=GPL\0depends=${depends}\0name=x\0`;

async function kernel(context: TestContext, modules: Record<string, string>, builtIn = ''): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'modules-'));
  context.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'kernel/net'), { recursive: true });
  await writeFile(path.join(folder, 'modules.builtin'), builtIn);
  for (const [name, depends] of Object.entries(modules)) {
    await writeFile(path.join(folder, 'kernel/net', `${name}.ko`), moduleText(depends));
  }
  return folder;
}

test('the dependencies of a module', () => {
  assert.deepEqual(moduleDependencies(Buffer.from(moduleText('net_failover,virtio-ring'))), [
    'net_failover',
    'virtio_ring',
  ]);
  assert.deepEqual(moduleDependencies(Buffer.from(moduleText(''))), []);
  assert.deepEqual(moduleDependencies(Buffer.from('no such field')), []);
});

test('a module comes after what it needs, once, and without what the kernel has', async (context) => {
  const folder = await kernel(
    context,
    { virtio_net: 'net_failover,failover', net_failover: 'failover', failover: '', 'virtio-rng': 'rng-core' },
    'kernel/drivers/char/hw_random/rng-core.ko\n',
  );
  const loaded = await loadModules(folder, ['virtio_net', 'virtio_rng', 'virtio_net']);
  assert.deepEqual(
    loaded.map(({ name }) => name),
    ['failover', 'net_failover', 'virtio_net', 'virtio_rng'],
  );
});

test('a module that the kernel lacks is named', async (context) => {
  const folder = await kernel(context, { overlay: 'missing_one' });
  await assert.rejects(loadModules(folder, ['overlay']), { code: 'asset-invalid', message: /missing_one/ });
});
