import { appendFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { FaultPoint, Faults } from '@tidegate/store';

/** What is to happen to whichever process of a service comes there. */
export interface Fault {
  readonly point: FaultPoint;
  /** A regular expression on `collection/id`. */
  readonly document: string;
  /** The nth time that one of them does since the fault was armed. */
  readonly nth: number;
  /** That it sends to itself. */
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** Arms it for all processes that look into this file. */
export function arm(file: string, fault: Fault): void {
  rmSync(passedFile(file), { force: true });
  writeFileSync(`${file}.new`, JSON.stringify(fault));
  renameSync(`${file}.new`, file);
}

/** Where the process with this id leaves what it has reached. */
export const reachedFile = (file: string, pid: number): string => `${file}.${pid}`;

/** One byte for each time that a process came to the point. */
const passedFile = (file: string): string => `${file}.passed`;

/** Looks at every point whether a fault is armed in the file, and takes it when its time has come: no other process does then. */
export const faultsIn = (file: string): Faults => ({
  at(point, document) {
    const fault = armedIn(file);
    if (fault?.point !== point || !new RegExp(fault.document).test(document)) return;
    appendFileSync(passedFile(file), '.');
    if (statSync(passedFile(file)).size >= fault.nth && isTaken(file))
      process.kill(process.pid, fault.signal);
  },
});

function armedIn(file: string): Fault | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Fault;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isTaken(file: string): boolean {
  try {
    renameSync(file, reachedFile(file, process.pid));
    return true;
  } catch (error) {
    if (isMissing(error)) return false; // another process has it
    throw error;
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
