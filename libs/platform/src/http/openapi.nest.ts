import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

interface Described {
  readonly name: string;
  readonly description: string;
}

/** `/openapi.json`, and `/docs` to read and try it. */
export function describeApi(app: NestFastifyApplication, { name, description }: Described): void {
  const config = new DocumentBuilder()
    .setTitle(`Tidegate ${name}`)
    .setDescription(description)
    .setVersion('1')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
  });
}
