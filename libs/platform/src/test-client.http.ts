type Headers = Readonly<Record<string, string>>;

export interface TestAnswer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: globalThis.Headers;
  /** Parsed if it is JSON, else undefined. */
  readonly body: T;
  readonly text: string;
}

/** Speaks to a service over HTTP with one key. A string as body is sent as it is, as YAML unless the headers say otherwise. */
export class TestClient {
  readonly url: string;
  readonly key: string | undefined;

  constructor(url: string, key?: string) {
    this.url = url;
    this.key = key;
  }

  get<T = Record<string, unknown>>(path: string, headers?: Headers): Promise<TestAnswer<T>> {
    return this.request('GET', path, undefined, headers);
  }

  post<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Headers,
  ): Promise<TestAnswer<T>> {
    return this.request('POST', path, body, headers);
  }

  put<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Headers,
  ): Promise<TestAnswer<T>> {
    return this.request('PUT', path, body, headers);
  }

  delete<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Headers,
  ): Promise<TestAnswer<T>> {
    return this.request('DELETE', path, body, headers);
  }

  async request<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<TestAnswer<T>> {
    const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.key === undefined ? {} : { authorization: `Bearer ${this.key}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : undefined) as T,
      text,
    };
  }
}
