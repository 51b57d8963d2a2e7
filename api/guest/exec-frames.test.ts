import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { channels, readFrame, writeFrame } from './exec-frames.ts';

const frame = (channel: number, text = ''): Buffer => writeFrame(channel, Buffer.from(text));

suite('frames of the exec WebSocket', () => {
  test('input, a new size and the end of the input are taken', () => {
    assert.deepEqual(readFrame(frame(channels.stdin, 'ls\n')), { input: Buffer.from('ls\n') });
    assert.deepEqual(readFrame(frame(channels.resize, '{"cols":80,"rows":24}')), { resize: { columns: 80, rows: 24 } });
    assert.deepEqual(readFrame(Buffer.from([channels.close, channels.stdin])), { inputEnded: true });
  });

  test('everything else is refused', () => {
    const wrong = [
      ...[Buffer.alloc(0), frame(channels.stdout, 'x'), frame(channels.status), frame(9)],
      ...[frame(channels.resize, '{'), frame(channels.resize, '{"cols":0,"rows":1}')],
      ...[Buffer.from([channels.close]), Buffer.from([channels.close, channels.stdout])],
    ];
    for (const each of wrong) assert.equal(readFrame(each), undefined, each.toString('hex'));
  });
});
