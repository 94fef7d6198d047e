import { Body, createParamDecorator, type ExecutionContext, Param, Query } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { condition } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ZodPipe } from './zod-pipe.nest.ts';

type Schema = NonNullable<Extract<Parameters<typeof ApiParam>[0], { schema: unknown }>['schema']>;

export const openApi = (schema: z.ZodType, io: 'input' | 'output'): Schema =>
  z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (Object.is(zodSchema, condition)) jsonSchema.title = 'Condition';
    },
  }) as Schema;

/** The JSON body, read by the schema, and documented. No body counts as `{}`. */
export const ZodBody = (schema: z.ZodType): ParameterDecorator =>
  both(Body(new ZodPipe(schema, 'body')), () => [ApiBody({ schema: openApi(schema, 'input') })]);

/** The query, read by the schema, and documented. */
export const ZodQuery = (schema: z.ZodObject): ParameterDecorator =>
  both(Query(new ZodPipe(schema, 'query')), () => {
    const { properties = {}, required = [] } = z.toJSONSchema(schema, {
      target: 'openapi-3.0',
      io: 'input',
      unrepresentable: 'any',
    });
    return Object.entries(properties).map(([name, property]) =>
      ApiQuery({ name, required: required.includes(name), schema: property as Schema }),
    );
  });

/** One parameter of the path, read by the schema, and documented. */
export const ZodParam = (name: string, schema: z.ZodType): ParameterDecorator =>
  both(Param(name, new ZodPipe(schema, { path: name })), () => [
    ApiParam({ name, schema: openApi(schema, 'input') }),
  ]);

const TEXT_TYPES = ['application/yaml', 'text/yaml', 'application/x-yaml', 'text/plain'];

const Text = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (typeof body === 'string') return body;
  throw new AppError('BODY_TYPE_UNSUPPORTED', `The body must be ${TEXT_TYPES.join(' or ')}.`);
});

/** The body as a string: YAML or plain text. Thrown BODY_TYPE_UNSUPPORTED for anything else. */
export const TextBody = (): ParameterDecorator =>
  both(Text(), () => [ApiConsumes(...TEXT_TYPES), ApiBody({ schema: { type: 'string' } })]);

/** Documents an answer; it is not checked. */
export const ApiAnswer = (status: number, schema: z.ZodType, description = ''): MethodDecorator =>
  ApiResponse({ status, description, schema: openApi(schema, 'output') });

/** Documents a body that the route reads itself. */
export const ApiBodyOf = (schema: z.ZodType): MethodDecorator =>
  ApiBody({ schema: openApi(schema, 'input') });

/** A parameter decorator that also documents the method it stands in. */
function both(
  parameter: ParameterDecorator,
  document: () => MethodDecorator[],
): ParameterDecorator {
  return (target, key, index) => {
    parameter(target, key, index);
    const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
    if (key === undefined || method === undefined)
      throw new TypeError('This decorator belongs to a parameter of a method.');
    for (const decorate of document()) decorate(target, key, method);
  };
}
