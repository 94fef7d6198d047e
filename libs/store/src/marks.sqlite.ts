import type { DatabaseSync } from 'node:sqlite';
import type { Answer } from '@tidegate/kernel';
import { forgottenUpTo, remember } from './document.ts';
import type { Mark } from './documents.port.ts';

/** How many are kept in memory, of the documents used last: about 10 MB. */
const IN_MEMORY = 50_000;

/**
 * The handled marks of all documents: a row each, so that a save writes one and not all 256. Those of the documents
 * used last are kept in memory: no other process can change the file, and `forget` follows each rollback.
 */
export class Marks {
  readonly #recent = new Map<number, readonly Mark[]>();
  readonly #sql;
  readonly #most: number;
  #count = 0;

  constructor(database: DatabaseSync, most = IN_MEMORY) {
    this.#most = most;
    this.#sql = {
      read: database.prepare(
        `SELECT json_group_array(json_array(source, message, json(answer)) ORDER BY seq) AS marks
         FROM marks WHERE head = ?`,
      ),
      write: database.prepare(
        'INSERT INTO marks (head, seq, source, message, answer) VALUES (?, ?, ?, ?, ?)',
      ),
      drop: database.prepare('DELETE FROM marks WHERE head = ? AND seq <= ?'),
    };
  }

  /** Oldest first. */
  of(head: number): readonly Mark[] {
    const marks = this.#recent.get(head) ?? this.#read(head);
    this.#keep(head, marks);
    return marks;
  }

  /** Inside a transaction: `seq` counts the marks of one document. Returns those it has then. */
  add(head: number, seq: number, mark: Mark): readonly Mark[] {
    const marks = remember(this.of(head), mark);
    this.#sql.write.run(head, seq, mark.source, mark.id, JSON.stringify(mark.answer));
    this.#sql.drop.run(head, forgottenUpTo(seq));
    this.#keep(head, marks);
    return marks;
  }

  /** What was rolled back may be in memory. */
  forget(): void {
    this.#recent.clear();
    this.#count = 0;
  }

  #read(head: number): readonly Mark[] {
    const text = String(this.#sql.read.get(head)?.['marks']);
    return (JSON.parse(text) as [string, string, Answer][]).map(([source, id, answer]) => ({
      source,
      id,
      answer,
    }));
  }

  #keep(head: number, marks: readonly Mark[]): void {
    this.#drop(head);
    this.#recent.set(head, marks);
    this.#count += marks.length;
    for (const oldest of this.#recent.keys()) {
      if (this.#count <= this.#most || oldest === head) return;
      this.#drop(oldest);
    }
  }

  #drop(head: number): void {
    this.#count -= this.#recent.get(head)?.length ?? 0;
    this.#recent.delete(head);
  }
}
