/** What is used of it here; it brings no types. */
declare module 'migrate-mongo' {
  export const config: { set(config: object): void };
  export const database: {
    connect(): Promise<{
      db: { dropCollection(name: string): Promise<unknown> };
      client: { close(): Promise<void> };
    }>;
  };
  export function up(db: object, client: object): Promise<readonly string[]>;
}
