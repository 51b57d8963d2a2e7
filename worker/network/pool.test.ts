import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createGuestStandIn, endChild, type GuestStandIn } from './guest-stand-in.ts';
import { createNetworkPool, type NetworkPool, type NetworkSlot } from './pool.ts';
import { listNetworks, sweepNetworks } from './sweep.ts';

const log = createLogger('error', { test: 'network' });
const owner = `t${randomInt(36 ** 5).toString(36)}`;
const options = { timeout: 60_000 };
const nothing = { interfaces: [], namespaces: [] };
const forwarding = '/proc/sys/net/ipv4/ip_forward';
const forwardingBefore = await readFile(forwarding, 'utf8');
after(async () => {
  await sweepNetworks(owner);
  await writeFile(forwarding, forwardingBefore);
});

const ruleset = async (): Promise<string> => (await execa('nft', ['list', 'ruleset'])).stdout;

async function poolFor(t: TestContext, size: number): Promise<NetworkPool> {
  const pool = await createNetworkPool({ owner, size, log });
  t.after(() => pool[Symbol.asyncDispose]());
  return pool;
}

async function slotFor(t: TestContext, pool: NetworkPool, allow: string[] = []): Promise<NetworkSlot> {
  return pool.acquire({ egress: { allow }, signal: t.signal });
}

async function guestFor(t: TestContext, slot: NetworkSlot): Promise<GuestStandIn> {
  const guest = await createGuestStandIn(slot);
  t.after(() => guest[Symbol.asyncDispose]());
  return guest;
}

async function until(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!condition()) await delay(5, undefined, { signal });
}

/** A server that tells its client whom it sees. */
const echoPeer = (port: number, address: string): string => `
  require('node:net').createServer((c) => c.on('error', () => {}).end(c.remoteAddress)).listen(${port}, '${address}', () => console.log('up'))`;

/** Prints `connected`, or why not, after at most `limitMs`. */
const dial = (port: number, address: string, limitMs = 700): string => `
  const socket = require('node:net').connect(${port}, '${address}');
  const end = (word) => { console.log(word); process.exit(); };
  socket.on('connect', () => end('connected')).on('error', (error) => end(error.code));
  setTimeout(() => end('nothing'), ${limitMs});`;

async function readFrom(address: string, port: number): Promise<string> {
  return text(net.connect(port, address).setTimeout(5000));
}

test('every TCP port of a slot is the guest’s, and the guest sees its gateway as the peer', options, async (t) => {
  const pool = await poolFor(t, 0);
  await using slot = await slotFor(t, pool);
  const guest = await guestFor(t, slot);
  for (const port of [80, 47_321]) {
    assert.equal(await guest.run(echoPeer(port, '169.254.9.2')), 'up');
    assert.equal(await readFrom(slot.address, port), '169.254.9.1');
  }
});

test('two slots have the same guest address and do not mix', options, async (t) => {
  const pool = await poolFor(t, 0);
  const slots = await Promise.all([slotFor(t, pool), slotFor(t, pool)]);
  for (const [index, slot] of slots.entries()) {
    const guest = await guestFor(t, slot);
    const server = `require('node:net').createServer((c) => c.end('guest ${index}')).listen(80, () => console.log('up'))`;
    assert.equal(await guest.run(server), 'up');
  }
  assert.deepEqual(await Promise.all(slots.map((slot) => readFrom(slot.address, 80))), ['guest 0', 'guest 1']);
});

test('a guest without egress reaches nothing of the host, no neighbour and no other guest', options, async (t) => {
  await using outside = await createOutside();
  const server = net.createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const pool = await poolFor(t, 0);
  await using slot = await slotFor(t, pool);
  await using other = await slotFor(t, pool);
  const [guest, otherGuest] = [await guestFor(t, slot), await guestFor(t, other)];
  await otherGuest.run(echoPeer(80, '0.0.0.0'));
  assert.equal(await readFrom(other.address, 80), '169.254.9.1', 'the other guest is there');
  assert.equal(await guest.run(dial(port, hostAddressOf(slot))), 'nothing');
  assert.equal(await guest.run(dial(port, '169.254.9.1')), 'nothing');
  assert.equal(await guest.run(dial(outside.port, outside.address)), 'nothing');
  assert.equal(await guest.run(dial(80, other.address)), 'nothing');
});

test('egress opens the networks it names and no others', options, async (t) => {
  await using outside = await createOutside();
  const pool = await poolFor(t, 0);
  await using slot = await slotFor(t, pool, ['198.51.100.0/24']);
  const guest = await guestFor(t, slot);
  assert.equal(await guest.run(dial(outside.port, outside.address, 5000)), 'connected');
  await using elsewhere = await slotFor(t, pool, ['203.0.113.0/24']);
  const narrowGuest = await guestFor(t, elsewhere);
  assert.equal(await narrowGuest.run(dial(outside.port, outside.address)), 'nothing');
});

test('egress to everywhere includes neither other guests nor the host, unless named as a /32', options, async (t) => {
  const server = net.createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  await using outside = await createOutside();
  const pool = await poolFor(t, 0);
  await using other = await slotFor(t, pool);
  const otherGuest = await guestFor(t, other);
  await otherGuest.run(echoPeer(80, '0.0.0.0'));
  await using wide = await slotFor(t, pool, ['0.0.0.0/0']);
  const guest = await guestFor(t, wide);
  assert.equal(await guest.run(dial(outside.port, outside.address, 5000)), 'connected');
  assert.equal(await guest.run(dial(80, other.address)), 'nothing');
  assert.equal(await guest.run(dial(port, outside.hostAddress)), 'nothing');
  await using named = await slotFor(t, pool, [`${outside.hostAddress}/32`]);
  const namedGuest = await guestFor(t, named);
  assert.equal(await namedGuest.run(dial(port, outside.hostAddress, 5000)), 'connected');
});

test('a neighbour that routes through the host does not reach a guest', options, async (t) => {
  await using outside = await createOutside();
  const pool = await poolFor(t, 0);
  await using slot = await slotFor(t, pool, ['203.0.113.0/24']); // turns on forwarding
  const guest = await guestFor(t, slot);
  assert.equal(await guest.run(echoPeer(80, '0.0.0.0')), 'up');
  assert.equal(await outside.run(dial(80, slot.address)), 'nothing');
});

test('the pool keeps slots ready, refills, and destroys a released one', options, async (t) => {
  const pool = await poolFor(t, 2);
  await until(() => pool.ready === 2, t.signal);
  const slot = await slotFor(t, pool);
  const tap = await execa('nsenter', [`--net=${slot.namespacePath}`, 'ip', '-details', 'link', 'show', slot.tapName]);
  assert.match(tap.stdout, /tun type tap .*persist on/);
  await until(() => pool.ready === 2, t.signal);
  assert.equal((await listNetworks(owner)).namespaces.length, 3);
  await slot[Symbol.asyncDispose]();
  await slot[Symbol.asyncDispose]();
  const left = await listNetworks(owner);
  assert.equal(left.namespaces.includes(slot.namespace), false);
  assert.deepEqual([left.namespaces.length, left.interfaces.length], [2, 2]);
});

test('disposing the pool leaves nothing, not even of slots in use', options, async (t) => {
  const pool = await createNetworkPool({ owner, size: 2, log });
  await slotFor(t, pool, ['203.0.113.0/24']);
  assert.match(await ruleset(), new RegExp(`table inet dormouse_${owner} `));
  await pool[Symbol.asyncDispose]();
  assert.deepEqual(await listNetworks(owner), nothing);
  assert.doesNotMatch(await ruleset(), new RegExp(owner));
  await assert.rejects(slotFor(t, pool), { code: 'shutting-down' });
});

test('an aborted acquire leaves nothing', options, async (t) => {
  const pool = await poolFor(t, 0);
  const controller = new AbortController();
  const acquiring = pool.acquire({ egress: { allow: [] }, signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(acquiring, /enough/);
  assert.deepEqual(await listNetworks(owner), nothing);
});

test('sweep removes what a killed process left', options, async () => {
  const program = `
    import { createNetworkPool } from ${JSON.stringify(new URL('pool.ts', import.meta.url).href)};
    import { createLogger } from ${JSON.stringify(new URL('../../shared/telemetry/logger.ts', import.meta.url).href)};
    const pool = await createNetworkPool({ owner: '${owner}', size: 1, log: createLogger('error', {}) });
    await pool.acquire({ egress: { allow: ['203.0.113.0/24'] }, signal: AbortSignal.timeout(20000) });
    while (pool.ready < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    console.log('ready');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const left = await listNetworks(owner);
  assert.deepEqual([left.namespaces.length, left.interfaces.length], [2, 2]);
  assert.deepEqual(await sweepNetworks(owner), left);
  assert.deepEqual(await listNetworks(owner), nothing);
  assert.doesNotMatch(await ruleset(), new RegExp(owner));
  assert.deepEqual(await sweepNetworks(owner), nothing, 'a second sweep finds nothing and is no error');
});

test('wrong input is refused before any command runs', options, async (t) => {
  for (const wrong of ['', 'UPPER', 'toolonggg', 'a;b', '-a']) {
    await assert.rejects(createNetworkPool({ owner: wrong, size: 0, log }), { code: 'invalid-input' });
    await assert.rejects(sweepNetworks(wrong), { code: 'invalid-input' });
  }
  const pool = await poolFor(t, 0);
  for (const wrong of ['10.0.0.0', '10.0.0.0/33', 'example.com', '::/0', '0.0.0.0/0 accept']) {
    await assert.rejects(slotFor(t, pool, [wrong]), { code: 'invalid-input' });
  }
});

test('a tool that fails is a network-failed with its words', options, async () => {
  const missing = '/run/netns/dm-none-0';
  const { runNetworkCommand } = await import('./network-command.ts');
  await assert.rejects(
    runNetworkCommand({ command: ['nsenter', `--net=${missing}`, '--', 'true'] }),
    (error: unknown) => {
      assert.ok(error instanceof DormouseError);
      assert.equal(error.code, 'network-failed');
      assert.match(error.message, /dm-none-0/);
      return true;
    },
  );
  await assert.rejects(runNetworkCommand({ command: ['no-such-tool'] }), /Install the Debian packages/);
});

/** The host's end of a slot is the even neighbour of its address. */
const hostAddressOf = (slot: NetworkSlot): string => slot.address.replace(/\d+$/, (last) => String(Number(last) - 1));

interface Outside extends AsyncDisposable {
  readonly address: string;
  readonly hostAddress: string;
  readonly port: number;
  run(source: string): Promise<string>;
}

/** A neighbour of the host on a network of its own, with a server; it routes 198.18.0.0/15 through the host. */
async function createOutside(): Promise<Outside> {
  const [namespace, link] = [`${owner}-outside`, `${owner}-out`];
  const [address, hostAddress, port] = ['198.51.100.2', '198.51.100.1', 8099];
  await execa('ip', ['netns', 'add', namespace]);
  await execa('ip', ['-batch', '-'], {
    input: `link add ${link} type veth peer name eth0 netns ${namespace}
address add ${hostAddress}/30 dev ${link}
link set ${link} up\n`,
  });
  await execa('ip', ['-n', namespace, '-batch', '-'], {
    input: `link set lo up\naddress add ${address}/30 dev eth0\nlink set eth0 up
route add 198.18.0.0/15 via ${hostAddress}\n`,
  });
  const inside = (source: string) =>
    spawn('ip', ['netns', 'exec', namespace, 'setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const server = inside(echoPeer(port, '0.0.0.0'));
  await once(server.stdout, 'data');
  return {
    address,
    hostAddress,
    port,
    run: async (source) => (await text(inside(source).stdout)).trim(),
    [Symbol.asyncDispose]: async () => {
      await endChild(server);
      await execa('ip', ['link', 'delete', link]);
      await execa('ip', ['netns', 'delete', namespace]);
    },
  };
}
