import { reject, type Rejection } from '@tidegate/kernel';

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export interface KafkaSasl {
  readonly mechanism: (typeof saslMechanisms)[number];
  readonly username: string;
  readonly password: string;
}

/** Where the brokers are and how to talk to them: goes into `openKafkaBus` as it is. */
export interface KafkaAddress {
  readonly brokers: readonly string[];
  readonly sasl?: KafkaSasl;
  /** Without a file, the authorities that Node knows are trusted. */
  readonly tls?: { readonly caFile?: string };
  /** Of topics that are made. Default 3. */
  readonly replication?: number;
}

const FORM = /^kafka:\/\/(?:([^:@/?]*):([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/s;
const BROKER = /^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i;
const PARAMETERS: ReadonlySet<string> = new Set(['tls', 'sasl', 'ca', 'replication']);

/**
 * Reads `kafka://user:pass@h1:9092,h2:9092?tls=true&sasl=scram-sha-512&ca=<file>&replication=3`; user and password
 * percent-encoded. Refused with DRIVER_URL_MALFORMED, in words without the password.
 */
export function kafkaUrl(text: string): KafkaAddress | Rejection {
  const [, user, pass, hosts, query] = FORM.exec(text) ?? [];
  if (hosts === undefined) return malformed('must be kafka://host:port[,host:port …][?…]');
  const brokers = hosts.split(',');
  const wrong = brokers.findIndex((broker) => !BROKER.test(broker) || !isPort(portOf(broker)));
  // Not its text: where the @ is missing, it is a password.
  if (wrong >= 0) return malformed(`broker ${wrong + 1} is not host:port`);
  const parameters = new URLSearchParams(query);
  const strange = [...parameters.keys()].find((name) => !PARAMETERS.has(name));
  if (strange !== undefined)
    return malformed(`${strange} is none of ${[...PARAMETERS].join(', ')}`);
  const twice = [...PARAMETERS].find((name) => parameters.getAll(name).length > 1);
  if (twice !== undefined) return malformed(`${twice} is there twice`);
  const tls = parameters.get('tls') ?? 'false';
  if (tls !== 'true' && tls !== 'false') return malformed('tls must be true or false');
  const caFile = parameters.get('ca');
  if (caFile !== null && tls === 'false') return malformed('ca needs tls=true');
  const replication = parameters.get('replication') ?? '3';
  if (!/^[1-9]\d?$/.test(replication)) return malformed('replication must be 1 … 99');
  const sasl = saslOf(parameters.get('sasl'), user, pass);
  if (sasl && 'rejected' in sasl) return sasl;
  return {
    brokers,
    replication: Number(replication),
    ...(sasl ? { sasl } : {}),
    ...(tls === 'true' ? { tls: caFile === null ? {} : { caFile } } : {}),
  };
}

const portOf = (broker: string): number => Number(broker.slice(broker.lastIndexOf(':') + 1));
const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

function saslOf(
  name: string | null,
  user: string | undefined,
  pass: string | undefined,
): KafkaSasl | Rejection | undefined {
  if (name === null && user === undefined) return undefined;
  const mechanism = saslMechanisms.find((known) => known === name);
  if (!mechanism) return malformed(`sasl must be one of ${saslMechanisms.join(', ')}`);
  const username = decoded(user);
  const password = decoded(pass);
  if (username === undefined || username === '' || password === undefined)
    return malformed('sasl needs user:password@ before the hosts, percent-encoded');
  return { mechanism, username, password };
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || /%(?![0-9a-f]{2})/i.test(text)) return undefined;
  return (
    new URLSearchParams(`v=${text.replaceAll('+', '%2B').replaceAll('&', '%26')}`).get('v') ??
    undefined
  );
}

const malformed = (what: string): Rejection => reject('DRIVER_URL_MALFORMED', what);
