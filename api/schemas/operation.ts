/** Operations as the API shows them. */
import { z } from 'zod';
import { nameOf, namespaceOf } from '../../shared/actor/namespace.ts';
import { operationSchema, type Operation } from '../../shared/registry/records.ts';
import { publicError } from './public-error.ts';

export const operationView = operationSchema
  .extend({ namespace: z.string().optional().meta({ description: 'Of its target; none of the registry' }) })
  .meta({ id: 'Operation', description: 'What became of a job' });
export type OperationView = z.infer<typeof operationView>;

/** The namespace of what it is about; undefined when that is the platform. */
export const namespaceOfOperation = ({ kind, target }: Operation): string | undefined =>
  kind === 'rebuild' ? undefined : namespaceOf(target);

export function viewOfOperation(operation: Operation): OperationView {
  const namespace = namespaceOfOperation(operation);
  if (namespace === undefined) return operation;
  const { error, target, ...shown } = operation;
  return {
    ...{ ...shown, target: nameOf(target), namespace },
    ...(error !== undefined && { error: publicError(error, namespace) }),
  };
}
