/** The program of a capture process (capture-process.ts): one request, one answer, and its end. It imports little: an actor waits. */
import { serializeError } from '../../../../shared/errors/dormouse-error.ts';
import { behindOthers, giveProcess } from './capture-priority.ts';
import type { CaptureAnswer, CaptureRequest } from './capture-process.ts';
import { writeMemoryPart } from './memory-part.ts';

/** Whoever started this kills it when it is to end early. */
const never = new AbortController().signal;

async function answerTo({ source, target }: CaptureRequest): Promise<CaptureAnswer> {
  // Not before: a busy machine would be long over the start of a program.
  await giveProcess(process.pid, behindOthers);
  try {
    return { part: await writeMemoryPart(source, target, never) };
  } catch (error) {
    return { failure: serializeError(error) };
  }
}

process.once('message', (request: CaptureRequest) => {
  void answerTo(request).then((answer) => process.send?.(answer));
});
