import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { serverSentEvents, type ServerSentEvent } from './event-stream.ts';

/** The same text, cut into pieces of `size` bytes. */
async function parse(text: string, size: number): Promise<ServerSentEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.slice(n * size, (n + 1) * size),
  );
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(ReadableStream.from(pieces))) events.push(event);
  return events;
}

const stream =
  ': hello\n\nevent: actor\nid: 7\ndata: {"a":\ndata:"é"}\n\nevent: crlf\r\ndata\r\n\r\ndata: last\r\rdata: cut off';
const expected = [
  { event: 'actor', data: '{"a":\n"é"}', id: '7' },
  { event: 'crlf', data: '', id: undefined },
  { event: 'message', data: 'last', id: undefined },
];

suite('server-sent events', () => {
  for (const size of [1, 2, 3, 7, 1000]) {
    test(`are read in pieces of ${size} bytes`, async () => assert.deepEqual(await parse(stream, size), expected));
  }

  test('where a body is cut into pieces makes no difference, whatever is in it', async () => {
    const pieces = fc.constantFrom(
      'data: x',
      'data:',
      'event: é',
      'id: 1',
      ': c',
      'nonsense',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '𝄞',
    );
    const texts = fc.array(pieces, { maxLength: 12 }).map((found) => found.join(''));
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (text, size) => {
        assert.deepEqual(await parse(text, size), await parse(text, 10_000));
      }),
    );
  });

  test('an event whose last line end is the last byte is not lost', async () => {
    assert.deepEqual(await parse('data: x\r\r', 100), [{ event: 'message', data: 'x', id: undefined }]);
  });
});
