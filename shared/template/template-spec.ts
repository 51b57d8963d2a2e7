/** A template's specification: what a user posts, checked in full before anything is stored. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { containerNameSchema, templateNameSchema } from '../actor/names.ts';
import { qualifiedNameSchema } from '../actor/namespace.ts';

const noNul = (text: string): boolean => !text.includes('\0');
const argument = z.string().max(8192).refine(noNul, 'may not contain a NUL byte');
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

const absolutePath = z
  .string()
  .max(1024)
  .regex(/^\/[\x21-\x7e]*$/, 'an absolute path of printable ASCII');
const otherPort = z
  .number()
  .int()
  .min(1)
  .max(65535)
  .optional()
  .meta({ description: 'That of the container, unless given' });

const readinessSchema = z
  .strictObject({
    path: absolutePath
      .optional()
      .meta({ description: 'A GET of it must answer 200 to 399; without it a connection to the port suffices' }),
    port: otherPort,
    intervalMs: z
      .number()
      .int()
      .min(20)
      .max(10_000)
      .default(100)
      .meta({ description: 'Between two attempts; shorter while nobody listens' }),
  })
  .meta({ description: 'When a container counts as ready' });

const warmUpSchema = z
  .strictObject({
    paths: z
      .array(absolutePath)
      .min(1)
      .max(16)
      .meta({ description: 'A GET of each, in order, must answer 200 to 399' }),
    times: z.number().int().min(1).max(100).default(1).meta({ description: 'How often the list is gone through' }),
    port: otherPort,
  })
  .meta({ description: 'Calls before the golden is captured; what they change is in each new actor' });

const containerSchema = z.strictObject({
  name: containerNameSchema,
  image: z
    .string()
    .min(1)
    .max(1024)
    .meta({ description: 'docker://host/name@sha256:…, oci:<dir>:<tag> or dir:<path>' }),
  command: z
    .array(argument)
    .min(1)
    .max(256)
    .optional()
    .meta({ description: 'Instead of the entry point of the image' }),
  args: z.array(argument).max(256).optional().meta({ description: 'Instead of the command of the image' }),
  env: z
    .record(z.string().regex(environmentName, 'an environment variable name'), argument)
    .default({})
    .meta({ description: 'Over the environment of the image' }),
  cwd: z.string().max(4096).startsWith('/').refine(noNul).optional(),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?$/, 'user, user:group, uid or uid:gid')
    .optional(),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .meta({ description: 'Where it listens; calls go to that of the first container that has one' }),
  readiness: readinessSchema.optional(),
  warmUp: warmUpSchema.optional(),
  limits: z
    .strictObject({
      memoryMiB: z.number().int().min(4).optional(),
      pids: z.number().int().min(1).max(100_000).optional(),
      cpus: z.number().min(0.01).max(64).optional(),
    })
    .optional(),
  upperMiB: z
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: 'The most that it may write; what is written lies in guest memory' }),
});
export type ContainerSpec = z.infer<typeof containerSchema>;

const ipv4Cidr = z.cidrv4();

export const templateSpecSchema = z
  .strictObject({
    /** Qualified: equal specifications in two namespaces are two templates, with a revision and a golden each. */
    name: qualifiedNameSchema,
    containers: z.array(containerSchema).min(1).max(16),
    memoryMiB: z.number().int().min(128).max(65_536).default(256).meta({ description: 'Of the VM' }),
    vcpus: z.number().int().min(1).max(16).default(1),
    idleTimeoutMs: z
      .number()
      .int()
      .min(1000)
      .max(86_400_000)
      .default(60_000)
      .meta({ description: 'Without a call for so long, an actor goes to sleep' }),
    wakeTimeoutMs: z
      .number()
      .int()
      .min(1000)
      .max(300_000)
      .default(30_000)
      .meta({ description: 'The longest that a call waits for a wake' }),
    maxPendingRequests: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .meta({ description: 'Calls that may wait for one wake; more are refused' }),
    retainGenerations: z.number().int().min(1).max(100).default(3).meta({ description: 'Snapshots that are kept' }),
    egress: z
      .strictObject({
        allow: z.array(ipv4Cidr).max(64).default([]).meta({ description: 'IPv4 networks, as 198.51.100.0/24' }),
      })
      .default({ allow: [] })
      .meta({ description: 'What its actors may reach; nothing unless given' }),
    sandboxClass: z.literal('microvm').default('microvm'),
  })
  .superRefine((spec, context) => {
    const names = spec.containers.map((container) => container.name);
    if (new Set(names).size !== names.length) {
      context.addIssue({ code: 'custom', path: ['containers'], message: 'two containers have the same name' });
    }
    const ports = spec.containers.flatMap((container) => container.port ?? []);
    if (new Set(ports).size !== ports.length) {
      context.addIssue({
        code: 'custom',
        path: ['containers'],
        message: 'containers share one network: two have the same port',
      });
    }
    spec.containers.forEach((container, index) => {
      for (const asks of ['readiness', 'warmUp'] as const) {
        if (container[asks] !== undefined && (container[asks].port ?? container.port) === undefined) {
          context.addIssue({ code: 'custom', path: ['containers', index, asks, 'port'], message: 'needs a port' });
        }
      }
      const upperMiB = container.upperMiB ?? 0;
      if (upperMiB > spec.memoryMiB) {
        context.addIssue({
          code: 'custom',
          path: ['containers', index, 'upperMiB'],
          message: 'is larger than memoryMiB',
        });
      }
    });
  });
export type TemplateSpec = z.infer<typeof templateSpecSchema>;

/** As a user posts it: the name alone. */
export const postedTemplateSchema = templateSpecSchema.safeExtend({ name: templateNameSchema });

/** The port that invocations reach: that of the first container that has one. */
export const doorPort = (spec: TemplateSpec): number | undefined =>
  spec.containers.find((container) => container.port !== undefined)?.port;

/** A template's revision: the digest of its specification, the same for the same JSON in any order of keys. */
export function revisionOf(spec: TemplateSpec): string {
  return createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 32);
}

/** JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
