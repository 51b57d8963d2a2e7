/** Every failure inside the framework becomes a problem document: ours, its own, those of schemas, and unknown routes. */
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { DormouseError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { problemOf } from '../http/problem.ts';

/** The framework's errors that a caller can cause. */
const ofFramework: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-input',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid-input',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-input',
  FST_ERR_BAD_URL: 'invalid-input',
};

export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((cause: FastifyError, request, reply) => {
    const error = translate(cause);
    if (error.code === 'internal') request.log.error({ err: cause }, 'request failed');
    return sendProblem(error, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    return sendProblem(new DormouseError('route-not-found', `no route ${request.method} ${path}`), request, reply);
  });
}

function sendProblem(error: DormouseError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = problemOf(error, request.id, request.namespace);
  // As text: a problem is not checked against the schema of the route it stands in for.
  return reply.code(status).headers(headers).serializer(String).send(JSON.stringify(body));
}

export function translate(cause: FastifyError): DormouseError {
  if (hasZodFastifySchemaValidationErrors(cause)) {
    const place = cause.validationContext ?? 'request';
    const errors = cause.validation.map(({ instancePath, message }) => ({
      field: [place, ...instancePath.split('/').filter((part) => part !== '')].join('.'),
      message: message ?? 'is not valid',
    }));
    const words = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
    return new DormouseError('invalid-input', words, { errors, cause });
  }
  const code = ofFramework[cause.code];
  if (code !== undefined) return new DormouseError(code, cause.message, { cause });
  if (cause instanceof SyntaxError && cause.statusCode === 400) {
    return new DormouseError('invalid-input', 'the body is not valid JSON', { cause });
  }
  // Whatever else the framework blames on the caller, as a QUERY request without a body.
  if (isOfFramework(cause)) return new DormouseError('invalid-input', cause.message, { cause });
  return toDormouseError(cause);
}

const isOfFramework = ({ code, statusCode }: Partial<FastifyError>): boolean =>
  code?.startsWith('FST_') === true && statusCode !== undefined && statusCode >= 400 && statusCode < 500;
