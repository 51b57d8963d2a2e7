import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { errorIn, metadataOf, refusalIn } from '../../shared/node-service/contract.ts';
import type { ExecReply, LogsReply, WriteFileReply } from '../../shared/proto/gen/agent.ts';
import { NodeServiceClient, type KeptLogsRequest } from '../../shared/proto/gen/node.ts';
import { createLogger } from '../../shared/telemetry/logger.ts';
import { createActivationTable, type Activation, type ActivationTable } from '../activation/activation.ts';
import { createGate } from '../ingress/gate.ts';
import { collectLogs } from '../logs/collector.ts';
import { startNodeService, type NodeService } from './server.ts';
import { startStandInAgent, type StandInAgent } from './stand-in-agent.ts';

const epoch = '1.7';
const start = {
  command: ['echo'],
  container: '',
  environment: [],
  workingFolder: '',
  terminal: false,
  size: undefined,
};

async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!reached()) {
    assert.ok(performance.now() < deadline, 'it did not come to that');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function all<Message>(stream: AsyncIterable<unknown>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message as Message);
  return messages;
}

suite('the node service', () => {
  let agent: StandInAgent;
  let service: NodeService;
  let client: NodeServiceClient;
  let table: ActivationTable;
  let activation: Activation;
  let mayAnswer = true;
  before(async () => {
    table = createActivationTable();
    const door = { table, admits: () => mayAnswer, trusts: (pass: string | undefined) => pass === 'pass' };
    service = await startNodeService('127.0.0.1', door, (id) =>
      id === 'sleeper'
        ? Promise.resolve([{ sequence: 1n, unixNanos: 1n, container: 'main', isError: false, text: 'kept' }])
        : Promise.reject(new DormouseError('encryption-key-missing', 'no key')),
    );
    client = new NodeServiceClient(new URL(service.url).host, credentials.createInsecure());
  });
  beforeEach(async () => {
    mayAnswer = true;
    agent = await startStandInAgent();
    const { sessions } = agent;
    const logs = collectLogs(sessions, createLogger('silent', {}));
    logs.release();
    activation = {
      ...{ identity: { id: 'alice' }, epoch, sandbox: { sessions } },
      ...{ gate: createGate(), logs, connections: new Agent(), quietUntil: 0 },
    } as unknown as Activation;
    table.add(activation);
  });
  afterEach(() => {
    activation.logs.end();
    table.remove(activation);
    agent[Symbol.dispose]();
  });
  after(async () => {
    client.close();
    await service[Symbol.asyncDispose]();
  });

  const to = (actorId = 'alice', at = epoch, pass: string | undefined = 'pass') =>
    metadataOf({ pass, actorId, epoch: at });
  const failureOf = (stream: AsyncIterable<unknown>): Promise<ServiceError> =>
    all(stream).then(
      () => assert.fail('it did not fail'),
      (error: unknown) => error as ServiceError,
    );

  test('a call for another activation, or at the wrong moment, is refused and reaches no guest', async () => {
    assert.equal(refusalIn(await failureOf(client.exec(to('bob')))), 'unknown-actor');
    assert.equal(refusalIn(await failureOf(client.exec(to('alice', '1.6')))), 'stale-epoch');
    assert.equal(refusalIn(await failureOf(client.logs({ follow: false }, to('alice', '1.8')))), 'stale-epoch');
    mayAnswer = false;
    const read = { container: '', path: '/x' };
    assert.equal(refusalIn(await failureOf(client.readFile(read, to()))), 'draining');
    mayAnswer = true;
    await activation.gate.drain(0);
    assert.equal(refusalIn(await failureOf(client.readFile(read, to()))), 'draining');
    assert.equal(agent.programs, 0);
  });

  test('whoever has no pass is refused, whatever the call, and reaches no guest', async () => {
    const read = { container: '', path: '/x' };
    const wrong = to('alice', epoch, 'pas');
    const none = metadataOf({ pass: undefined, actorId: 'alice', epoch });
    for (const metadata of [wrong, none]) {
      const failures = [
        client.exec(metadata),
        client.readFile(read, metadata),
        client.logs({ follow: false }, metadata),
      ];
      for (const failure of await Promise.all(failures.map(failureOf))) {
        assert.deepEqual([failure.code, refusalIn(failure)], [status.UNAUTHENTICATED, 'unknown-caller']);
      }
      const written = await new Promise<ServiceError | null>((resolve) => client.writeFile(metadata, resolve).end());
      assert.equal(refusalIn(written), 'unknown-caller');
    }
    assert.equal(activation.gate.inside, 0);
    assert.equal(agent.programs, 0);
  });

  test('lines that the store keeps of any actor are opened for whoever has the pass', async () => {
    const uid = '01234567-89ab-4cde-8f01-23456789abcd';
    const [reply] = await all<LogsReply>(client.keptLogs({ actorId: 'sleeper', uid }, to('sleeper', '')));
    assert.deepEqual(
      reply?.lines.map(({ text }) => text),
      ['kept'],
    );
    const codeOf = async (request: KeptLogsRequest): Promise<string> =>
      errorIn(await failureOf(client.keptLogs(request, to('sleeper', '')))).code;
    assert.equal(await codeOf({ actorId: 'other', uid }), 'encryption-key-missing');
    assert.equal(await codeOf({ actorId: '-team.other', uid }), 'encryption-key-missing', 'one of a namespace as well');
    assert.equal(await codeOf({ actorId: 'sleeper', uid: '../templates' }), 'invalid-input');
    const stranger = client.keptLogs({ actorId: 'sleeper', uid }, to('sleeper', '', 'another'));
    assert.equal(refusalIn(await failureOf(stranger)), 'unknown-caller');
  });

  test('a program is relayed both ways, and holds the activation until its end', async () => {
    const call = client.exec(to());
    const replies = all<ExecReply>(call);
    call.write({ start });
    call.write({ input: Buffer.from('hello') });
    await until(() => agent.programs === 1);
    assert.equal(activation.gate.inside, 1);
    call.write({ inputEnded: true });
    const [output, end] = await replies;
    assert.deepEqual([output?.output?.toString(), end?.exitCode], ['hello', 4]);
    call.end();
    await until(() => activation.gate.inside === 0);
  });

  test('what the guest refuses keeps its code', async () => {
    const call = client.exec(to());
    const failure = failureOf(call);
    call.write({ start: { ...start, command: ['missing'] } });
    const { code, message } = errorIn(await failure);
    assert.deepEqual([code, message], ['exec-failed', 'no such program']);
    await until(() => activation.gate.inside === 0);
  });

  test('a guest whose channel is closed is told as such, and nothing pins the activation', async () => {
    const closed = (): never => {
      throw new DormouseError('guest-unreachable', 'its channel is closed');
    };
    Object.assign(activation.sandbox, { sessions: { exec: closed, readFile: closed, writeFile: closed } });
    assert.equal(errorIn(await failureOf(client.exec(to()))).code, 'guest-unreachable');
    assert.equal(
      errorIn(await failureOf(client.readFile({ container: '', path: '/x' }, to()))).code,
      'guest-unreachable',
    );
    const code = await new Promise((resolve) => {
      client.writeFile(to(), (error) => resolve(errorIn(error).code)).end();
    });
    assert.equal(code, 'guest-unreachable');
    assert.equal(activation.gate.inside, 0);
  });

  test('a suspend that waits no longer ends the program and says so; a caller that leaves ends it, too', async () => {
    const cut = client.exec(to());
    const failure = failureOf(cut);
    cut.write({ start });
    await until(() => agent.programs === 1);
    assert.equal(await activation.gate.drain(10), 'cut');
    assert.equal(errorIn(await failure).code, 'session-ended');
    await until(() => agent.programs === 0 && activation.gate.inside === 0);
    activation.gate.reopen();
    const left = client.exec(to());
    const leaving = failureOf(left);
    left.write({ start });
    await until(() => agent.programs === 1);
    left.cancel();
    await leaving;
    await until(() => agent.programs === 0 && activation.gate.inside === 0);
  });

  test('a file goes in whole, and one that breaks off does not', async () => {
    const write = (done: (error: ServiceError | null, reply?: WriteFileReply) => void) => client.writeFile(to(), done);
    const reply = await new Promise<WriteFileReply | undefined>((resolve, reject) => {
      const call = write((error, answer) => (error === null ? resolve(answer) : reject(error)));
      for (const text of ['one ', 'two']) call.write({ chunk: Buffer.from(text) });
      call.end();
    });
    assert.deepEqual([reply?.writtenBytes, agent.written], [7n, 'one two']);
    await new Promise<void>((resolve) => {
      const call = write((error) => {
        assert.ok(error);
        resolve();
      });
      call.write({ chunk: Buffer.from('half') }, () => call.cancel());
    });
    await until(() => activation.gate.inside === 0);
    assert.equal(agent.written, 'one two');
  });

  test('log readers keep nobody awake, share one stream of the guest, and end after the last line', async () => {
    agent.say('one');
    const texts = async (follow: boolean) =>
      (await all<LogsReply>(client.logs({ follow }, to()))).flatMap(({ lines }) => lines.map(({ text }) => text));
    assert.deepEqual(await texts(false), ['one']);
    const following = Promise.all([texts(true), texts(true)]);
    await until(() => activation.logs.lines().length === 1);
    agent.say('two');
    await until(() => activation.logs.lines().length === 2);
    assert.equal(activation.gate.inside, 0);
    activation.logs.hold();
    agent.say('three');
    agent.quiesce();
    await agent.settled(10_000);
    activation.logs.end();
    assert.deepEqual(await following, [
      ['one', 'two', 'three'],
      ['one', 'two', 'three'],
    ]);
  });
});
