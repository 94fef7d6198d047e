import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { withSharedDefinitions } from './openapi-definitions.ts';
import type { FastRoute } from './fast-route.ts';
import { openApi } from './parameters.nest.ts';

interface Described {
  readonly name: string;
  readonly description: string;
}

/** `/openapi.json`, and `/docs` to read and try it. */
export function describeApi(
  app: NestFastifyApplication,
  { name, description }: Described,
  routes: readonly FastRoute[],
): void {
  const config = new DocumentBuilder()
    .setTitle(`Tidegate ${name}`)
    .setDescription(description)
    .setVersion('1')
    .addBearerAuth()
    .build();
  const describe = (): OpenAPIObject => {
    const document = SwaggerModule.createDocument(app, config);
    for (const route of routes) document.paths[route.path] = { post: operationOf(route) };
    return withSharedDefinitions(document);
  };
  SwaggerModule.setup('docs', app, describe, { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['post']> & { 'x-role': string };

function operationOf({ path, role, summary, body }: FastRoute): Operation {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path' as const,
    required: true,
    schema: { type: 'string' as const },
  }));
  return {
    summary,
    parameters,
    security: [{ bearer: [] }],
    'x-role': role,
    requestBody: { content: { 'application/json': { schema: openApi(body, 'input') } } },
    responses: { 200: { description: '' } },
  };
}
