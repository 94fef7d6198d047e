import { ApiOperation } from '@nestjs/swagger';

/** What a route does, in the API's document. */
export const Describe = (summary: string, description?: string): MethodDecorator =>
  ApiOperation({ summary, ...(description === undefined ? {} : { description }) });
