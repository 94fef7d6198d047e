/** The services of a demo, however they run. */
export interface House {
  /** By the service's name, of each replica. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** What they run on, in words. */
  readonly description: string;
  stop(): Promise<void>;
}
