import { topics } from '@tidegate/contracts';
import { type AccessRule, accessRules } from './broker-access.ts';
import { definitionOfTopic, REPLAYS } from './topic.ts';
import { settingsOf, type TopicSettings } from './topic-settings.ts';

const PREFIX = 'tidegate.';
const REPLICATION = 3;

/** A topic that an operator makes before the services begin; those of environments are made by flag-service. */
export interface ProvidedTopic extends TopicSettings {
  /** With its prefix. */
  readonly name: string;
}

/** Every topic of the catalogue that has one name, and the bus's own. */
export function providedTopics(prefix: string, replication: number): readonly ProvidedTopic[] {
  return [...Object.keys(topics), REPLAYS]
    .filter((name) => name !== 'flag.state')
    .flatMap((name) => {
      const definition = definitionOfTopic(name);
      return definition ? [{ name: prefix + name, ...settingsOf(definition, replication) }] : [];
    });
}

const HEAD = `#!/usr/bin/env bash
# Generated from the catalogue by \`npm run generate\`. BOOTSTRAP: brokers; ADMIN: a file with the operator's login, if there is one.
set -euo pipefail
options=(--bootstrap-server "\${BOOTSTRAP:?set BOOTSTRAP to host:port,…}")
[ -z "\${ADMIN:-}" ] || options+=(--command-config "$ADMIN")
`;

/** For a shell with Kafka's own tools on its PATH: makes what is not there, and changes nothing that is. */
export const topicsScript = (): string =>
  [HEAD, ...providedTopics(PREFIX, REPLICATION).map(topicLine)].join('\n') + '\n';

function topicLine({ name, partitions, replication, entries }: ProvidedTopic): string {
  const settings = Object.entries(entries).map(([key, value]) => `--config ${key}=${value}`);
  const size = `--partitions ${partitions} --replication-factor ${replication}`;
  return `kafka-topics.sh "\${options[@]}" --create --if-not-exists --topic ${name} ${size} ${settings.join(' ')}`;
}

/** The same for access lists: each service is a user of its name. */
export const accessScript = (): string =>
  [HEAD, ...accessRules(PREFIX).map(accessLine)].join('\n') + '\n';

function accessLine({ principal, resource, name, pattern, operations }: AccessRule): string {
  const allowed = operations.map((operation) => `--operation ${operation}`).join(' ');
  return `kafka-acls.sh "\${options[@]}" --add --allow-principal User:${principal} ${allowed} --${resource} ${name} --resource-pattern-type ${pattern}`;
}
