import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CancelMigration,
  type MigrationAction,
  PauseMigration,
  RunMigration,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { AppError, sequentialIds, type Clock } from '@tidegate/kernel';
import type { Migration, Row } from '@tidegate/migration';
import { createExecute, createOutbox, type FaultPoint, type Faults } from '@tidegate/store';
import { Crash, crashAt, memoryPublish, memoryStore, noFaults } from '@tidegate/store/testing';
import { createJournals } from '../journal/journal.handler.ts';
