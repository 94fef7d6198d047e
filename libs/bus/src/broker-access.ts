import { type Topic, topics } from '@tidegate/contracts';
import { DEAD_LETTER, REPLAYS } from './topic.ts';

/** What one service may do at the broker: what it does beside that is a mistake, or somebody else with its password. */
interface Access {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

const audited = Object.keys(topics).filter((name) => topics[name as Topic].audited);

/** Everybody gives up what cannot be handled, replays what an operator asks for, and tells whom it has turned away. */
const everybody: Access = {
  reads: [DEAD_LETTER, REPLAYS],
  writes: [DEAD_LETTER, REPLAYS, 'audit.events'],
};

/** `flag.state.*` stands for the topics of all environments. */
const own: Readonly<Record<string, Access>> = {
  'flag-service': {
    reads: [
      'kills',
      'flag.commands',
      'flag.events',
      'flag.state.*',
      'sdk.heartbeats',
      'gatekeeper.heartbeats',
    ],
    writes: ['flag.events', 'flag.state.*', 'sdk.heartbeats'],
  },
  'metrics-gatekeeper': {
    reads: [
      'kills',
      'rollout.commands',
      'rollout.events',
      'metric.breaches',
      'signals',
      'flag.events',
      'migration.events',
    ],
    writes: [
      'kills',
      'flag.commands',
      'migration.commands',
      'rollout.events',
      'metric.breaches',
      'signals',
      'gatekeeper.heartbeats',
    ],
  },
  'migration-runner': {
    reads: ['kills', 'migration.commands', 'rollout.events'],
    writes: ['migration.events'],
  },
  'audit-sink': { reads: audited, writes: ['audit.seals'] },
  notifier: {
    reads: ['rollout.events', 'flag.events', 'migration.events'],
    writes: ['notification.events'],
  },
};

/** One entry of a broker's access list. `prefixed`: all names that begin so. */
export interface AccessRule {
  readonly principal: string;
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly ('Read' | 'Write' | 'Create' | 'DescribeConfigs')[];
}

/**
 * What the access lists of a cluster have to allow: one user for each service, of its name. Topics are there already but
 * for those of new environments, which flag-service makes.
 * @param prefix of topics and groups
 */
export function accessRules(prefix: string): readonly AccessRule[] {
  return Object.entries(own).flatMap(([principal, { reads, writes }]) => {
    const read = new Set([...everybody.reads, ...reads]);
    const write = new Set([...everybody.writes, ...writes]);
    const onTopics = [...new Set([...read, ...write])].sort().map((topic) => ({
      principal,
      resource: 'topic' as const,
      ...named(prefix + topic),
      operations: [
        ...(read.has(topic) ? (['Read'] as const) : []),
        ...(write.has(topic) ? (['Write'] as const) : []),
        ...(topic.endsWith('*') ? (['Create'] as const) : []),
        // To say at the start how they differ from the catalogue.
        'DescribeConfigs' as const,
      ],
    }));
    return [...onTopics, ...groupsOf(principal, prefix)];
  });
}

/** `<service>`, `<service>.kills` and the like; views read in groups of their own, which commit nothing. */
const groupsOf = (principal: string, prefix: string): readonly AccessRule[] =>
  [principal, `${principal}.*`, 'view.*'].map((group) => ({
    principal,
    resource: 'group',
    ...named(prefix + group),
    operations: ['Read'],
  }));

const named = (name: string): Pick<AccessRule, 'name' | 'pattern'> =>
  name.endsWith('*')
    ? { name: name.slice(0, -1), pattern: 'prefixed' }
    : { name, pattern: 'literal' };
