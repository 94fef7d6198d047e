import { AppError } from '@tidegate/kernel';

/** The services' HTTP APIs, as any client uses them, one replica after the other. Thrown DEMO_REFUSED with the service's own sentence. */
export interface Api {
  get<T>(service: string, path: string): Promise<T>;
  put<T>(service: string, path: string, body: unknown): Promise<T>;
  post<T>(service: string, path: string, body?: unknown): Promise<T>;
}

export function createApi(urls: Readonly<Record<string, readonly string[]>>, key: string): Api {
  let calls = 0;
  const urlOf = (service: string): string | undefined => {
    const replicas = urls[service] ?? [];
    calls += 1;
    return replicas[calls % replicas.length];
  };
  const call = async <T>(
    method: string,
    service: string,
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const isText = typeof body === 'string';
    const response = await fetch(`${urlOf(service)}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isText ? 'application/yaml' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new AppError('DEMO_REFUSED', `${method} ${service}${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    get: (service, path) => call('GET', service, path),
    put: (service, path, body) => call('PUT', service, path, body),
    post: (service, path, body) => call('POST', service, path, body),
  };
}
