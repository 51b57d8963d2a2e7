/**
 * What the guest agent takes of its guest's memory. It has no word for that; so a container that shares the guest's
 * process namespace is asked for `/proc/self/status`, which the agent reads, and which is then its own.
 */
import { connectAgent } from '../../worker/guest/agent-client.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { bootRaw } from './boot.ts';
import type { RawGuest } from './guest.ts';

export interface AgentMemory {
  /** Its heap and stacks: what it may dirty, and what a snapshot then carries. */
  readonly anonymousBytes: number;
  /** Its program, as far as it has run. */
  readonly programBytes: number;
}

/** Boots a VM for it: containers are started, one session is open, nothing has happened since. */
export async function agentMemory(guest: RawGuest, signal: AbortSignal): Promise<AgentMemory> {
  const { vm } = await bootRaw({ ...guest, ociConfigJson: amongTheGuestsProcesses(guest.ociConfigJson) }, signal);
  await using _ended = vm;
  const status = await readGuestFile(vm.agentSocket, '/proc/self/status', signal);
  if (!status.startsWith('Name:\tguest-agent'))
    throw new DormouseError('internal', `raw harness: not the agent's own status: ${status.slice(0, 80)}`);
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { anonymousBytes: bytesOf('RssAnon'), programBytes: bytesOf('RssFile') + bytesOf('RssShmem') };
}

function amongTheGuestsProcesses(ociConfigJson: string): string {
  const config = JSON.parse(ociConfigJson) as { linux: { namespaces: { type: string }[] } };
  const namespaces = config.linux.namespaces.filter(({ type }) => type !== 'pid');
  return JSON.stringify({ ...config, linux: { ...config.linux, namespaces } });
}

async function readGuestFile(agentSocket: string, path: string, signal: AbortSignal): Promise<string> {
  const agent = connectAgent(agentSocket);
  const call = agent.sessions.readFile({ container: '', path });
  const hangUp = (): void => call.cancel();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    let text = '';
    for await (const { chunk } of call as AsyncIterable<{ chunk?: Buffer }>) text += chunk?.toString() ?? '';
    return text;
  } finally {
    signal.removeEventListener('abort', hangUp);
    agent.close();
  }
}
