/** `dormouse actor suspend|pause|resume|delete`: jobs, which `--wait` follows to their end. */
import type { Command } from '../command.ts';
import { followOperation, waitOptions } from './follow-operation.ts';

export const suspendActor: Command = {
  name: 'actor suspend',
  summary: 'Put an actor to sleep: its state goes to the store, its VM ends',
  positionals: ['<id>'],
  options: waitOptions,
  example: 'dormouse actor suspend alice --wait',
  async run(context) {
    await followOperation(context, await context.client.actors.suspend(context.arguments.required('id')));
    return 0;
  },
};

export const pauseActor: Command = {
  name: 'actor pause',
  summary: 'Keep an actor on its node without a VM: fast, not durable until it is suspended',
  positionals: ['<id>'],
  options: waitOptions,
  example: 'dormouse actor pause alice --wait',
  async run(context) {
    await followOperation(context, await context.client.actors.pause(context.arguments.required('id')));
    return 0;
  },
};

export const resumeActor: Command = {
  name: 'actor resume',
  summary: 'Wake an actor, on any node or on a named one',
  positionals: ['<id>'],
  options: { node: { type: 'string', value: 'id', help: 'where to run it' }, ...waitOptions },
  example: 'dormouse actor resume alice --node node-2 --wait',
  async run(context) {
    const { client, arguments: args } = context;
    await followOperation(context, await client.actors.resume(args.required('id'), { node: args.option('node') }));
    return 0;
  },
};

export const deleteActor: Command = {
  name: 'actor delete',
  summary: 'Delete an actor and everything stored of it, also while it runs',
  positionals: ['<id>'],
  options: waitOptions,
  example: 'dormouse actor delete alice --wait',
  async run(context) {
    await followOperation(context, await context.client.actors.delete(context.arguments.required('id')));
    return 0;
  },
};
