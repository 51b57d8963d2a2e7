/** `dormouse template …`: the recipes that actors are made from. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { Template, TemplateSpec } from '../../sdk/templates.ts';
import type { Command, Context } from '../command.ts';
import { allNamespaces } from '../arguments.ts';
import { age } from '../table.ts';
import { timeoutMs } from './follow-operation.ts';
import { namespaceColumn } from './namespace-column.ts';

export const applyTemplate: Command = {
  name: 'template apply',
  summary: 'Add a template from a JSON or YAML file ("-": standard input); the same one again changes nothing',
  positionals: ['<file>'],
  options: {
    wait: { type: 'boolean', help: 'return when it is ready' },
    timeout: { type: 'string', value: 'seconds', help: 'how long --wait waits (600)' },
  },
  example: 'dormouse template apply counter.json --wait',
  async run(context) {
    const specification = await readSpecification(context.arguments.required('file'));
    const applied = await context.client.templates.apply(specification);
    show(context, context.arguments.flag('wait') ? await waitReady(context, applied.name) : applied);
    return 0;
  },
};

const waitReady = (context: Context, name: string): Promise<Template> =>
  context.client.templates.waitReady(name, {
    timeoutMs: timeoutMs(context),
    signal: context.signal,
    onProgress: ({ state, since }) => context.terminal.progress(`template ${name}: ${state}`, age(since)),
  });

/** Only that it can be read is checked here (JSON is YAML): the api checks the rest and names each field. */
async function readSpecification(file: string): Promise<TemplateSpec> {
  const source = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  try {
    return parse(source) as TemplateSpec;
  } catch (cause) {
    throw new Error(`${file} is neither JSON nor YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

export const listTemplates: Command = {
  name: 'template list',
  summary: 'List the templates',
  options: allNamespaces,
  example: 'dormouse template list',
  async run({ client, terminal }) {
    const templates: Template[] = [];
    for await (const template of client.templates.list()) templates.push(template);
    terminal.list(templates, [
      ['TEMPLATE', (template) => template.name],
      ...namespaceColumn(templates),
      ['STATE', (template) => template.state],
      ['AGE', (template) => age(template.createdAt)],
      ['IMAGES', (template) => template.spec.containers.map((container) => container.image).join(' ')],
      ['ERROR', (template) => template.error?.code],
    ]);
    return 0;
  },
};

export const showTemplate: Command = {
  name: 'template show',
  summary: 'Show one template, with the reason when it failed',
  positionals: ['<name>'],
  example: 'dormouse template show counter',
  async run(context) {
    show(context, await context.client.templates.get(context.arguments.required('name')));
    return 0;
  },
};

export const deleteTemplate: Command = {
  name: 'template delete',
  summary: 'Delete a template that no actor uses',
  positionals: ['<name>'],
  example: 'dormouse template delete counter',
  async run({ client, arguments: args, terminal }) {
    const name = args.required('name');
    await client.templates.delete(name);
    terminal.say(`template ${name} is deleted`);
    return 0;
  },
};

function show({ terminal }: Context, template: Template): void {
  const { name, namespace, revision, state, since, spec, error } = template;
  const containers = Object.fromEntries(spec.containers.map((container) => [container.name, container.image]));
  terminal.show(template, {
    template: name,
    namespace,
    revision,
    state,
    since,
    containers,
    memoryMiB: spec.memoryMiB,
    idleTimeoutMs: spec.idleTimeoutMs,
    error: error && `${error.code}: ${error.message}`,
    details: error?.details,
  });
}
