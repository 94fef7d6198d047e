import type { GatekeeperAlive, OutgoingMessage } from '@tidegate/contracts';
import { type Evidence, type FlagVersion, rolloutOf } from './evidence.ts';
import { ENVIRONMENT, FLAG, gatekeeperAwayMs, type What } from './scenario.ts';
import { Violation } from './sim.ts';

const broken = (what: string): never => {
  throw new Violation('P10', what);
};

/** Longest until what was said is heard, where nothing is in the way. */
const HEARD_MS = 6_000;
/** Longest until what is silent is closed there: whoever starts listens first. */
const CLOSED_MS = 30_000;

/** Longest until a rollout hears of it, but for the time in which its gatekeeper is away. */
const PAUSED_MS = 60_000;

/** A check that was complete, and when it was said. */
interface Word {
  readonly checkedAt: number;
  readonly saidAt: number;
}

/** Promise 10: a stage that nobody looks after closes itself, in time and not before, and its rollout pauses. */
export function checkClosed(evidence: Evidence): void {
  const limitMs = evidence.world.scenario.closeIfSilentMs;
  if (limitMs === undefined) return;
  const versions = evidence.flag(`${ENVIRONMENT}/${FLAG}`);
  for (const version of versions) if (hasClosedItself(version)) pauses(evidence, version);
  if (!isUndisturbed(evidence)) return;
  for (const [index, { at, flag, event }] of versions.entries()) {
    const watch = flag?.disabled ? undefined : flag?.hold?.watch;
    if (!watch || !flag?.hold) continue;
    const words = wordsAbout(evidence, flag.hold.rollout.id);
    const next = versions[index + 1];
    const end = next?.at ?? evidence.world.sim.now();
    inTime({ since: watch.since, from: at, end, limitMs, words, what: event.type });
    if (next && hasClosedItself(next)) notBefore(next, watch.since, limitMs, words);
  }
}

const hasClosedItself = ({ event }: FlagVersion): boolean =>
  event.type === 'FlagDisabled' && event.data.disabled.by === 'flag-service';

function wordsAbout(evidence: Evidence, rollout: string): readonly Word[] {
  return evidence.of('GatekeeperAlive').flatMap(({ data, metadata }) => {
    const checkedAt = (data as GatekeeperAlive['data']).lookedAfter?.[rollout];
    return checkedAt === undefined ? [] : [{ checkedAt, saidAt: metadata.at }];
  });
}

/** At no time was it open for much longer than its stage allows without a word that could be heard. */
function inTime(open: {
  since: number;
  from: number;
  end: number;
  limitMs: number;
  words: readonly Word[];
  what: string;
}): void {
  const { since, from, end, limitMs, words, what } = open;
  const latest = limitMs + CLOSED_MS;
  let lastAt = since;
  for (const { checkedAt, saidAt } of words.toSorted((a, b) => a.saidAt - b.saidAt)) {
    if (saidAt > end) break;
    if (saidAt > from && saidAt - lastAt > latest)
      broken(`nobody looked after it for ${saidAt - lastAt} ms, and it stayed open (${what})`);
    lastAt = Math.max(lastAt, checkedAt);
  }
  if (end - lastAt > latest)
    broken(`nobody looked after it for ${end - lastAt} ms, and it stayed open (${what})`);
}

function notBefore(
  { at, version }: FlagVersion,
  since: number,
  limitMs: number,
  words: readonly Word[],
): void {
  const heard = words.filter(({ saidAt }) => saidAt <= at - HEARD_MS);
  const lastAt = Math.max(since, ...heard.map(({ checkedAt }) => checkedAt));
  if (at - lastAt < limitMs)
    broken(`version ${version} closed what was looked after ${at - lastAt} ms before`);
}

/** Whoever was under way is paused by it, and says why, unless its end came first. */
function pauses(evidence: Evidence, { event, at, version }: FlagVersion): void {
  const id = rolloutOf(event);
  const own = evidence.messages.filter(
    (message) => message.topic === 'rollout.events' && rolloutOf(message) === id,
  );
  const knows = own.some(
    ({ type, data, metadata }) =>
      metadata.at >= at &&
      ((type === 'FlagObserved' && isWhy(data)) || (type === 'RolloutPaused' && isWhy(data))),
  );
  const latest = at + PAUSED_MS + gatekeeperAwayMs(evidence.world.scenario);
  const ended = own.some((message) => isEnd(message) && message.metadata.at <= latest);
  if (!knows && !ended) broken(`${id} never heard that version ${version} closed its flag`);
}

const isWhy = (data: unknown): boolean =>
  (data as { reason: string }).reason.includes('closes itself');

const ENDS: ReadonlySet<string> = new Set([
  'RollbackStarted',
  'RolloutAborted',
  'RolloutCompleted',
]);
const isEnd = ({ type }: OutgoingMessage): boolean => ENDS.has(type);

/** Nothing but the gatekeepers is away, dies or hangs: then there is no excuse. */
function isUndisturbed({ world: { scenario, profile } }: Evidence): boolean {
  const { crash, readFails, saveFails, saveAckLost, publishFails, longestMs } = profile;
  const calls = [crash, readFails, saveFails, saveAckLost, publishFails];
  return (
    calls.every((probability) => probability === 0) &&
    longestMs <= 500 &&
    !scenario.happenings.some(({ what }) => EXCUSES.has(what))
  );
}

const EXCUSES: ReadonlySet<What> = new Set<What>([
  'power-cut',
  'service-down',
  'flags-away',
  'store-away',
  'bus-away',
  'cut-off',
  'lag',
]);
