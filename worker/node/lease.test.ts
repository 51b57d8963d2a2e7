import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { execa } from 'execa';
import { until } from '../../shared/process/until.ts';
import { openRedisRegistry } from '../../shared/registry/redis/driver.ts';
import type { NodeRecord } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { monotonicMs } from '../watchdog/order.ts';
import { takeLease, type LeaseGuard } from './lease.ts';

const leaseMs = 1000;
const log = createLogger('silent', {});
const soon = (what: string) => ({ signal: AbortSignal.timeout(10_000), everyMs: 5, what });

const recordOf = (id: string): NodeRecord => ({
  id,
  bootId: randomUUID(),
  state: 'ready',
  ingressUrl: 'http://127.0.0.1:1',
  runtime: {
    arch: 'amd64',
    vmm: 'qemu',
    vmmVersion: '10',
    accelerator: 'tcg',
    machine: 'q35',
    cpuModel: 'max',
    kernel: '6',
    agent: 'a',
  },
  slots: 1,
  memoryMiB: 1024,
  startedAt: new Date().toISOString(),
});

/** Writes down each turn with its time. */
function recordingGuard() {
  const turns: { readonly turn: 'renewed' | 'freeze' | 'lift'; readonly at: number }[] = [];
  const note = (turn: 'renewed' | 'freeze' | 'lift', at = monotonicMs()): void => void turns.push({ turn, at });
  const times = (turn: string): number => turns.filter((each) => each.turn === turn).length;
  const guard: LeaseGuard = {
    renewed: (atMs) => {
      note('renewed', atMs);
      return Promise.resolve(true);
    },
    freeze: () => note('freeze'),
    lift: (atMs) => {
      note('lift', atMs);
      return Promise.resolve();
    },
  };
  return { guard, turns, times };
}

suite('lease', () => {
  let folder: string;
  let redis: ReturnType<typeof startRedis>;
  let registry: Registry;

  const startRedis = (socket: string) =>
    execa(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'redis-server', '--port', '0', '--unixsocket', socket, '--save', ''],
      { reject: false, cwd: folder },
    );
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dormouse-lease-'));
    const socket = path.join(folder, 'redis.sock');
    redis = startRedis(socket);
    registry = openRedisRegistry(socket, log);
    await until(
      () =>
        registry.ping().then(
          () => true,
          () => false,
        ),
      soon('Redis'),
    );
  });
  after(async () => {
    await registry.close();
    redis.kill('SIGKILL');
    await redis;
    await rm(folder, { recursive: true });
  });

  const hold = (record: NodeRecord, guard: LeaseGuard, over: Partial<Registry> = {}, holdMs = 60_000) =>
    takeLease({ ...registry, ...over }, { record, leaseMs, deadBootId: undefined, holdMs }, guard, log);
  const leaseLeftMs = async (id: string): Promise<number> => (await registry.getNode(id))?.leaseMs ?? 0;

  test('it is renewed for longer than it lasts, and given back', async () => {
    const record = recordOf('steady');
    const { guard, times } = recordingGuard();
    {
      await using _lease = await hold(record, guard);
      await until(() => times('renewed') > 6, soon('six renewals'));
      assert.ok((await leaseLeftMs('steady')) > leaseMs / 2);
      assert.equal(times('freeze'), 0);
    }
    assert.equal(await leaseLeftMs('steady'), 0);
  });

  test('Redis stops for longer than the lease: frozen well before its end, lifted once it is had again', async () => {
    const record = recordOf('stopped');
    const { guard, turns, times } = recordingGuard();
    await using lease = await hold(record, guard);
    await until(() => times('renewed') > 1, soon('a renewal'));
    redis.kill('SIGSTOP');
    await until(() => times('freeze') === 1, soon('the freeze'));
    const frozenAt = turns.find(({ turn }) => turn === 'freeze')?.at ?? 0;
    const renewedAt = turns.findLast(({ turn }) => turn === 'renewed')?.at ?? 0;
    assert.ok(frozenAt - renewedAt < leaseMs * 0.8, `frozen ${frozenAt - renewedAt} ms after the last renewal`);
    await until(() => monotonicMs() > renewedAt + leaseMs * 1.3, soon('the end of the lease'));
    assert.equal(times('lift'), 0);
    redis.kill('SIGCONT');
    await until(() => times('lift') === 1, soon('the lift'));
    assert.ok((await leaseLeftMs('stopped')) > 0);
    await until(() => turns.at(-1)?.turn === 'renewed', soon('renewals afterwards'));
    assert.equal(await Promise.race([lease.lost, Promise.resolve('held')]), 'held');
  });

  test('a registry that forgot the lease: frozen at once, then lifted', async () => {
    const record = recordOf('forgotten');
    const { guard, turns, times } = recordingGuard();
    await using _lease = await hold(record, guard);
    await registry.releaseLease('forgotten', record.bootId);
    await until(() => times('lift') === 1, soon('the lift'));
    assert.deepEqual(
      turns.map(({ turn }) => turn).filter((turn) => turn !== 'renewed'),
      ['freeze', 'lift'],
    );
  });

  test('a node that comes back too late finds itself declared over, and never holds a lease again', async () => {
    const record = recordOf('late');
    const { guard, times } = recordingGuard();
    const silence = Promise.withResolvers<undefined>();
    let cut = false;
    const reached = async (): Promise<void> => {
      if (cut) await silence.promise;
    };
    const over: Partial<Registry> = {
      renewLease: (...given) => reached().then(() => registry.renewLease(...given)),
      retakeLease: (...given) => reached().then(() => registry.retakeLease(...given)),
    };
    await using lease = await hold(record, guard, over);
    cut = true;
    assert.equal(await registry.declareNodeOver('late'), false, 'not while it holds its lease');
    await until(() => registry.declareNodeOver('late'), soon('the end of its lease'));
    assert.equal(times('freeze'), 1, 'it had frozen before anybody could declare it over');
    cut = false;
    silence.resolve(undefined);
    assert.match(await lease.lost, /over/);
    assert.equal(times('lift'), 0);
    assert.equal(await leaseLeftMs('late'), 0);
  });

  test('a lease that does not come back within the limit is lost', async () => {
    const record = recordOf('alone');
    const { guard } = recordingGuard();
    const fail = () => Promise.reject(new Error('cut off'));
    await using lease = await hold(record, guard, { renewLease: fail, retakeLease: fail }, 300);
    assert.match(await lease.lost, /within 300 ms/);
  });

  test('VMs that the watchdog stopped behind our back are frozen in order, and lifted', async () => {
    const record = recordOf('disturbed');
    const { guard, turns } = recordingGuard();
    let disturbed = true;
    const renewed = async (atMs: number): Promise<boolean> => {
      await guard.renewed(atMs);
      const undisturbed = turns.length !== 2 || !disturbed;
      if (!undisturbed) disturbed = false;
      return undisturbed;
    };
    await using _lease = await hold(record, { ...guard, renewed });
    await until(() => turns.some(({ turn }) => turn === 'lift'), soon('the lift'));
    assert.deepEqual(
      turns.slice(2, 4).map(({ turn }) => turn),
      ['freeze', 'lift'],
    );
  });
});
