/** `dormouse actor list|show|wait|generations`: what there is, without changing it. */
import type { Actor, ActorState } from '../../sdk/actor-shapes.ts';
import { allNamespaces, positiveNumber } from '../arguments.ts';
import { UsageError, type Command } from '../command.ts';
import { age } from '../table.ts';
import { timeoutMs } from './follow-operation.ts';
import { namespaceColumn } from './namespace-column.ts';
import { showActorOn } from './show-actor.ts';

/** A screenful or two; a list can hold a million. */
const defaultLimit = 100;
/** The most the client asks for at once. */
const pageLimit = 100;

export const listActors: Command = {
  name: 'actor list',
  summary: 'List actors, all or by state, template or label',
  options: {
    state: { type: 'string', value: 'state', help: 'only those in this state' },
    template: { type: 'string', short: 't', value: 'name', help: 'only those of this template' },
    label: { type: 'string', short: 'l', value: 'name[=value]', help: 'only those with this label' },
    limit: { type: 'string', value: 'number', help: `at most that many (${defaultLimit})` },
    ...allNamespaces,
  },
  example: 'dormouse actor list --state running --label team=blue',
  async run({ client, arguments: args, terminal }) {
    const limit = Math.ceil(positiveNumber(args, 'limit') ?? defaultLimit);
    const filter = {
      state: args.option('state') as ActorState | undefined,
      template: args.option('template'),
      label: args.option('label'),
    };
    const actors: Actor[] = [];
    // One more than is shown tells whether there are more.
    for await (const actor of client.actors.list({ ...filter, limit: Math.min(limit + 1, pageLimit) })) {
      actors.push(actor);
      if (actors.length > limit) break;
    }
    terminal.list(actors.slice(0, limit), [
      ['ACTOR', (actor) => actor.id],
      ...namespaceColumn(actors),
      ['TEMPLATE', (actor) => actor.template],
      ['STATE', (actor) => actor.state],
      ['FOR', (actor) => age(actor.since)],
      ['NODE', (actor) => (actor.state === 'suspended' ? undefined : actor.node)],
      ['GENERATION', (actor) => actor.generation],
      ['LABELS', (actor) => actor.labels],
    ]);
    if (actors.length > limit) terminal.say(`there are more: --limit shows more than ${limit}`);
    return 0;
  },
};

export const showActor: Command = {
  name: 'actor show',
  summary: 'Show one actor',
  positionals: ['<id>'],
  example: 'dormouse actor show alice -o json',
  async run({ client, arguments: args, terminal }) {
    showActorOn(terminal, await client.actors.get(args.required('id')));
    return 0;
  },
};

export const waitForActor: Command = {
  name: 'actor wait',
  summary: 'Return when an actor is in a state',
  positionals: ['<id>'],
  options: {
    state: { type: 'string', value: 'state', help: 'the state to wait for (required)' },
    timeout: { type: 'string', value: 'seconds', help: 'how long to wait (60)' },
  },
  example: 'dormouse actor wait alice --state suspended --timeout 120',
  async run(context) {
    const { client, arguments: args, terminal } = context;
    const state = args.option('state');
    if (state === undefined) throw new UsageError('--state is missing');
    const options = { timeoutMs: timeoutMs(context), signal: context.signal };
    showActorOn(terminal, await client.actors.wait(args.required('id'), state as ActorState, options));
    return 0;
  },
};

export const listGenerations: Command = {
  name: 'actor generations',
  summary: 'List the kept snapshots of an actor',
  positionals: ['<id>'],
  example: 'dormouse actor generations alice',
  async run({ client, arguments: args, terminal }) {
    terminal.list(await client.actors.generations(args.required('id')), [
      ['GENERATION', (kept) => kept.generation],
      ['KIND', (kept) => kept.kind],
      ['NODE', (kept) => kept.node],
      ['CAPTURED', (kept) => kept.capturedAt],
      ['SIZES', (kept) => kept.sizes],
    ]);
    return 0;
  },
};
