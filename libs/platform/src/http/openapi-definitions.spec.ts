import { expect, it } from '@jest/globals';
import { withSharedDefinitions } from './openapi-definitions.ts';

const json = (name: string) => ({
  anyOf: [{ type: 'string' }, { type: 'array', items: { $ref: `#/definitions/${name}` } }],
});
const body = (name: string, definitions: object) => ({
  properties: { settings: { $ref: `#/definitions/${name}` } },
  definitions,
});
const shared = (name: string) => ({ $ref: `#/components/schemas/${name}` });

it('leaves a document alone that has none', () => {
  const document = { paths: { '/a': { get: { definitions: 'no schema' } } } };
  expect(withSharedDefinitions(document)).toEqual(document);
});

it('puts a definition where its references look for it, and equal ones only once', () => {
  const document = {
    components: { securitySchemes: {} },
    paths: {
      '/a': body('one', { one: json('one') }),
      '/b': body('two', { two: json('two') }),
    },
  };
  expect(withSharedDefinitions(document)).toEqual({
    components: {
      securitySchemes: {},
      schemas: { Json: { anyOf: [{ type: 'string' }, { type: 'array', items: shared('Json') }] } },
    },
    paths: {
      '/a': { properties: { settings: shared('Json') } },
      '/b': { properties: { settings: shared('Json') } },
    },
  });
});

it('tells different ones apart, by their titles where they have one', () => {
  const titled = { title: 'Condition', not: { $ref: '#/definitions/x' } };
  const document = {
    a: body('x', { x: titled }),
    b: body('x', { x: { title: 'Condition', items: { $ref: '#/definitions/x' } } }),
    c: body('x', { x: json('x') }),
  };
  expect(withSharedDefinitions(document)).toMatchObject({
    a: { properties: { settings: shared('Condition') } },
    b: { properties: { settings: shared('Condition2') } },
    c: { properties: { settings: shared('Json') } },
  });
});
