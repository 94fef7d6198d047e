import { AppError, type Clock, type Ids } from '@tidegate/kernel';
import type { Documents, Execute, Projection } from '@tidegate/store';
import type { Archive } from '../archive/archive.port.ts';
import type { AuditErrorCode } from '../errors.ts';
import type { LogAppender } from '../log/append.handler.ts';
import type { LogReader } from '../log/read.handler.ts';
import { foldPeaks, root } from '../tree/merkle.ts';
import {
  decide,
  evolve,
  initial,
  isSealDue,
  LOG_NAME,
  type Seal,
  type Sealed,
  type SealPolicy,
  type SealTree,
  signedBytes,
} from './seal.ts';
import type { SigningKey } from './signing-key.file.ts';

export interface SealOptions {
  /** Source of the command and actor: the service's name. */
  readonly service: string;
  readonly execute: Execute;
  readonly documents: Documents<Sealed>;
  /** Id: the log's name, version: the size. */
  readonly history: Projection<Seal>;
  readonly appender: LogAppender;
  readonly reader: LogReader;
  readonly archive: Archive;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly policy: SealPolicy;
}

const PAGE = 50;

/** Seals the log and archives what is sealed. Used by the one writer of the log alone. */
export class Sealer {
  readonly #options: SealOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #lastSealAt: number;
  /** The size of the newest seal that history and archive have. */
  #settledAt: number | undefined;

  constructor(options: SealOptions) {
    this.#options = options;
    this.#lastSealAt = options.clock.now();
  }

  /** Seals all that is in the log, and archives it; the newest seal, none while the log is empty. */
  seal(): Promise<Seal | undefined> {
    return this.#inTurn(() => this.#seal());
  }

  /** The same, if the policy says that it is time; else archives what an earlier call could not. */
  sealIfDue(): Promise<void> {
    return this.#inTurn(async () => {
      const { appender, clock, policy } = this.#options;
      const { size } = (await appender.state()).frontier;
      if (size === this.#settledAt) return;
      const sealed = (await this.#newest())?.size ?? 0;
      const sinceMs = clock.now() - this.#lastSealAt;
      if (isSealDue(policy, { by: size - sealed, sinceMs })) await this.#seal();
      else if (sealed !== this.#settledAt) await this.#archiveSealed();
    });
  }

  /** The newest seal, archived or about to be. */
  sealed(): Promise<Seal | undefined> {
    return this.#newest();
  }

  /** Takes a seal of this log over that the store has lost: it is in the archive. */
  adopt(seal: Seal): Promise<void> {
    return this.#inTurn(async () => {
      const newest = await this.#newest();
      if (seal.size > (newest?.size ?? 0)) await this.#save(seal, this.#options.clock.now());
      await this.#remember(seal);
    });
  }

  async #seal(): Promise<Seal | undefined> {
    const { appender, clock, key } = this.#options;
    const { frontier, cursors: _, ...times } = await appender.state();
    if (frontier.size === 0) return undefined;
    const now = clock.now();
    const head = {
      log: LOG_NAME,
      size: frontier.size,
      root: root(frontier).toString('base64'),
      ...times,
      sealedAt: now,
      keyId: key.id,
    };
    await this.#keepHistory();
    await this.#save({ ...head, signature: key.sign(signedBytes(head)) }, now);
    this.#lastSealAt = now;
    await this.#archiveSealed();
    return this.#newest();
  }

  async #save(seal: Seal, at: number): Promise<void> {
    const { documents, execute, ids, service } = this.#options;
    const id = ids.next();
    const command: SealTree = {
      type: 'SealTree',
      data: seal,
      metadata: { id, source: service, at, actor: service, correlationId: id },
    };
    const { answer } = await execute(
      { documents, decider: { initial, decide, evolve }, ticks: ['SealTree'] },
      LOG_NAME,
      command,
    );
    if (answer.outcome === 'refused') throw damaged(answer.message);
  }

  async #newest(): Promise<Seal | undefined> {
    const state = (await this.#options.documents.load(LOG_NAME))?.state;
    return state?.status === 'sealed' ? state.seal : undefined;
  }

  /** A crash may have come between a seal and its entry in the history. Safe to repeat. */
  async #keepHistory(): Promise<void> {
    const newest = await this.#newest();
    if (newest) await this.#remember(newest);
  }

  async #remember(seal: Seal): Promise<void> {
    const { size, sealedAt } = seal;
    await this.#options.history.append([
      { id: LOG_NAME, version: size, key: String(size), at: sealedAt, record: seal },
    ]);
  }

  /** Brings history and archive to where the newest seal is; does nothing when they are there. */
  async #archiveSealed(): Promise<void> {
    const { archive, history, reader } = this.#options;
    const newest = await this.#newest();
    if (!newest) return;
    await this.#keepHistory();
    let from = await this.#archivedSize(newest);
    while (from < newest.size) {
      for (const { record: seal } of await history.read(LOG_NAME, { after: from, limit: PAGE })) {
        const peaks = (await reader.peaks(seal.size)).map((peak) => peak.toString('base64'));
        await archive.add({ seal, peaks, from }, reader.lines({ from, to: seal.size }));
        from = seal.size;
      }
    }
    this.#settledAt = newest.size;
  }

  /** Thrown AUDIT_ARCHIVE_DIFFERS when the archive does not end in what this log begins with. */
  async #archivedSize(newest: Seal): Promise<number> {
    const { archive, reader } = this.#options;
    const archived = await archive.newest();
    if (!archived) return 0;
    const isOurs =
      archived.size <= newest.size &&
      foldPeaks(await reader.peaks(archived.size)).toString('base64') === archived.root;
    if (isOurs) return archived.size;
    throw new AppError<AuditErrorCode>(
      'AUDIT_ARCHIVE_DIFFERS',
      `The archive ends at ${archived.size} records with a root that is not this log's: it belongs to another log, ` +
        'or that log was changed. Keep it, and give AUDIT_ARCHIVE_DIR a new folder.',
    );
  }

  /** One after another: two seals at once would write the same files. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined); // told to whoever asked
    return mine;
  }
}

const damaged = (message: string): AppError<AuditErrorCode> =>
  new AppError('AUDIT_LOG_DAMAGED', message);
