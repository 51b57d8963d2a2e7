/** A kept error as those of the namespace may read it. */
import { inPublicWords } from '../../shared/actor/namespace.ts';
import { serializedErrorSchema, type SerializedError } from '../../shared/errors/dormouse-error.ts';

export const publicError = (error: SerializedError, namespace: string): SerializedError =>
  serializedErrorSchema.parse(JSON.parse(inPublicWords(JSON.stringify(error), namespace)));
