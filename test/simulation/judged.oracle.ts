import { type OutgoingMessage, readPlan, type Verdict } from '@tidegate/contracts';
import { isMissingData } from '@tidegate/gates';
import { type Evidence, orderOf, rolloutOf } from './evidence.ts';
import { gatekeeperAwayMs, OTHER } from './scenario.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P5', what);
};

/** Longest until a check is done that is due: processes, store and bus come back within this. */
const LATE_MS = 60_000;

interface Said {
  readonly guard: string;
  readonly step: string;
  readonly kind: string;
  readonly level: string;
  readonly reason: string;
  readonly message: string;
  readonly outcome: string;
  readonly page: boolean;
  readonly promotedBy?: string;
  readonly verdict?: Verdict;
  readonly verdicts: readonly Verdict[];
}
const said = ({ data }: OutgoingMessage) => data as Said;

/** What the guards say is what is done: breaches roll back, shadows do nothing, missing data let nothing pass. */
export function checkJudged(evidence: Evidence): void {
  const ids = new Set(evidence.of('RolloutStarted').map(rolloutOf));
  nothingPassesOnMissingData(evidence);
  everyBreachRollsBack(evidence);
  shadowsDoNothing(evidence);
  for (const id of ids) {
    if (id === undefined) continue;
    levelsTakeTurns(evidence, id);
    recoveryIsJudgedOnce(evidence, id);
  }
}

function nothingPassesOnMissingData(evidence: Evidence): void {
  for (const completed of evidence.of('StepCompleted')) {
    const { step, kind, promotedBy, verdicts } = said(completed);
    if (promotedBy !== undefined || (kind !== 'stage' && kind !== 'bake')) continue;
    const bad = verdicts.find(
      ({ shadow, outcome, reason }) => !shadow && (outcome === 'breach' || isMissingData(reason)),
    );
    if (bad) broken(`${rolloutOf(completed)} left ${step} on: ${bad.message}`);
  }
}

/** In the same decision. */
function everyBreachRollsBack(evidence: Evidence): void {
  const causes = new Set(
    evidence.of('RollbackStarted').map(({ metadata }) => metadata.causationId),
  );
  for (const breach of evidence.of('ThresholdBreached')) {
    const { source, causationId } = breach.metadata;
    if (source === 'metrics-gatekeeper' && !causes.has(causationId))
      broken(`${rolloutOf(breach)} was breached and not rolled back: ${said(breach).message}`);
  }
}

function shadowsDoNothing(evidence: Evidence): void {
  const read = readPlan(JSON.stringify(evidence.world.scenario.plan));
  const shadows = 'plan' in read ? read.plan.guards.filter(({ shadow }) => shadow) : [];
  const names = new Set(shadows.map(({ name }) => name));
  for (const breach of evidence.of('ThresholdBreached'))
    if (names.has(said(breach).guard)) broken(`${said(breach).guard}, in shadow, rolled back`);
  for (const held of evidence.of('RolloutHeld'))
    if (names.has(said(held).message.split(':')[0] ?? ''))
      broken(`a guard in shadow held ${rolloutOf(held)}: ${said(held).message}`);
  const told = evidence
    .of('GuardWouldBreach')
    .map((each) => `${rolloutOf(each)} ${said(each).step} ${said(each).guard}`);
  if (new Set(told).size < told.length) broken('a guard in shadow was told twice in one step');
  for (const would of evidence.of('GuardWouldBreach'))
    if (!names.has(said(would).guard) || said(would).verdict?.outcome !== 'breach')
      broken(`${said(would).guard} would not have rolled back`);
}

function levelsTakeTurns(evidence: Evidence, id: string): void {
  const reached = new Set<string>();
  const changes = evidence
    .of('RiskLevelReached', 'RiskLevelLeft')
    .filter((each) => rolloutOf(each) === id)
    .toSorted((a, b) => orderOf(a) - orderOf(b));
  for (const change of changes) {
    const { level } = said(change);
    const isReached = change.type === 'RiskLevelReached';
    if (reached.has(level) === isReached) broken(`${id}: ${change.type} ${level} twice`);
    // Who is told of the upper one is told of both.
    if (isReached)
      for (const each of level === 'hold' ? ['hold', 'notify'] : [level]) reached.add(each);
    else reached.delete(level);
  }
}

/** Where users were moved, once, in time, and as good only where data had come since. */
function recoveryIsJudgedOnce(evidence: Evidence, id: string): void {
  const of = (type: string) => evidence.of(type).filter((each) => rolloutOf(each) === id);
  const judged = of('RecoveryJudged');
  const [ended] = of('RolloutRolledBack');
  const isDue = ended !== undefined && id !== OTHER && of('SetExposure').length > 0;
  if (judged.length !== (isDue ? 1 : 0))
    broken(`the recovery of ${id} was judged ${judged.length} times`);
  const [only] = judged;
  if (!only || !ended) return;
  const { outcome, page } = said(only);
  if (page !== (outcome === 'persisting'))
    broken(`the recovery of ${id}: ${outcome}, page ${page}`);
  const { at } = only.metadata;
  const latest =
    ended.metadata.at + withinMs(evidence) + LATE_MS + gatekeeperAwayMs(evidence.world.scenario);
  if (at > latest) broken(`the recovery of ${id} was judged ${at - latest} ms too late`);
  const fresh = evidence.world.looks.filter((look) => look.at > ended.metadata.at && look.at <= at);
  const hasData = fresh.some(({ readings }) => readings.every((each) => each.outcome === 'taken'));
  if (outcome === 'recovered' && !hasData) broken(`${id} recovered unseen`);
}

function withinMs(evidence: Evidence): number {
  const read = readPlan(JSON.stringify(evidence.world.scenario.plan));
  return 'plan' in read ? read.plan.recovery.within : 0;
}
