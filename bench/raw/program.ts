/** One more program in a raw guest's container, through its agent. Failure: `internal` when it does not end with 0. */
import { connectAgent } from '../../worker/guest/agent-client.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** The agent says that a program is over a moment before its session is. */
const settleLimitMs = 1000;

export async function runProgram(
  agentSocket: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const agent = connectAgent(agentSocket);
  const call = agent.sessions.exec();
  const hangUp = (): void => call.cancel();
  signal.addEventListener('abort', hangUp, { once: true });
  let [printed, exitCode] = ['', -1];
  try {
    const place = { container: '', environment: [], workingFolder: '', terminal: false, size: undefined };
    call.write({ start: { ...place, command: [...command] } });
    call.end({ inputEnded: true });
    for await (const reply of call as AsyncIterable<{ output?: Buffer; errorOutput?: Buffer; exitCode?: number }>) {
      printed += (reply.output ?? reply.errorOutput ?? '').toString();
      exitCode = reply.exitCode ?? exitCode;
    }
    await agent.settled(settleLimitMs);
  } finally {
    signal.removeEventListener('abort', hangUp);
    agent.close();
  }
  if (exitCode !== 0)
    throw new DormouseError('internal', `raw harness: ${command[0]} ended with ${exitCode}: ${printed}`);
  return printed;
}
