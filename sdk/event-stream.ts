/** Server-sent events as the HTML standard writes them: fields by line, an event ends at an empty line. */

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** The events of a body, until it ends. A half event at the end is dropped, as the standard wants it. */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  let lines: string[] = [];
  for await (const line of linesOf(body)) {
    if (line !== '') {
      lines.push(line);
      continue;
    }
    const event = parseEvent(lines);
    lines = [];
    if (event !== undefined) yield event;
  }
}

/** Undefined for a comment that keeps the connection alive. A block of nothing but an `id` moves a reader's place. */
function parseEvent(lines: readonly string[]): ServerSentEvent | undefined {
  const data: string[] = [];
  let event = 'message';
  let id: string | undefined;
  for (const line of lines) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
  return data.length === 0 && id === undefined ? undefined : { event, data: data.join('\n'), id };
}

/** A carriage return at the end of a chunk may be half of a line end, so it waits for the next chunk. */
const lineEnd = /\r\n|\n|\r(?!$)/;

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunksOf(body)) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(lineEnd);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest.endsWith('\r')) yield rest.slice(0, -1);
}

/** Not `for await` over the body itself: not every browser can. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
