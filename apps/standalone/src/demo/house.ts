/** The services of a demo, however they run. */
export interface House {
  /** By the service's name, of each replica. */
  readonly urls: Readonly<Record<string, readonly string[]>>;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** A Prometheus that scrapes the example; without it the gatekeeper does. */
  readonly prometheus?: string;
  /** What they run on, in words. */
  readonly description: string;
  stop(): Promise<void>;
}

export interface HouseOptions {
  readonly folder: string;
  /** Where the example will answer. */
  readonly examplePort: number;
  /** Called when a service hangs, or is gone. */
  readonly endProcess: (reason: string) => void;
}
