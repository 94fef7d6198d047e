import { checkAnswered } from './answered.oracle.ts';
import { Evidence } from './evidence.ts';
import { checkClosed } from './closed.oracle.ts';
import { checkEvidenced } from './evidenced.oracle.ts';
import { checkJudged } from './judged.oracle.ts';
import { checkMigrated } from './migrated.oracle.ts';
import { checkOrdered } from './ordered.oracle.ts';
import { checkRecorded } from './recorded.oracle.ts';
import { checkRelied } from './relied.oracle.ts';
import { checkRolledBack } from './rolled-back.oracle.ts';
import { checkUsers } from './users.oracle.ts';
import type { World } from './world.ts';

/** Holds a world that has come to rest to the promises. Rejects with a Violation. */
export async function checkPromises(world: World): Promise<void> {
  const evidence = new Evidence(world);
  checkRecorded(evidence);
  checkAnswered(evidence);
  await checkOrdered(evidence);
  checkRolledBack(evidence);
  checkEvidenced(evidence);
  checkJudged(evidence);
  checkUsers(evidence);
  checkRelied(evidence);
  checkClosed(evidence);
  checkMigrated(evidence);
}
