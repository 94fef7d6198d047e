import { describe, expect, it } from '@jest/globals';
import { kafkaUrl } from './kafka-url.ts';

describe('the URL of a Kafka cluster', () => {
  it('names brokers; three copies of each record are the default', () => {
    expect(kafkaUrl('kafka://h1:9092,[::1]:9093')).toEqual({
      brokers: ['h1:9092', '[::1]:9093'],
      replication: 3,
    });
  });

  it('names who asks, over what, and how many copies there are', () => {
    expect(
      kafkaUrl(
        'kafka://tide%40gate:p%2Fa%3As+s%26@h1:9092/?tls=true&sasl=scram-sha-512&ca=/etc/ca.pem&replication=1',
      ),
    ).toEqual({
      brokers: ['h1:9092'],
      replication: 1,
      sasl: { mechanism: 'scram-sha-512', username: 'tide@gate', password: 'p/a:s+s&' },
      tls: { caFile: '/etc/ca.pem' },
    });
  });

  it('trusts the usual authorities without a file of others', () => {
    expect(kafkaUrl('kafka://h1:9092?tls=true')).toMatchObject({ tls: {} });
  });

  it.each([
    ['kafka:h1:9092', 'must be kafka://'],
    ['kafka://h1', 'broker 1 is not host:port'],
    ['kafka://h1:99999', 'broker 1 is not host:port'],
    ['kafka://h1:0', 'broker 1 is not host:port'],
    ['kafka://h1:9092/topic', 'must be kafka://'],
    ['kafka://h1:9092?tls=true&tls=false', 'tls is there twice'],
    ['kafka://user:s3cret', 'broker 1 is not host:port'],
    ['kafka://h1:9092,', 'broker 2 is not host:port'],
    ['kafka://h1:9092?ssl=true', 'ssl is none of tls, sasl, ca, replication'],
    ['kafka://h1:9092?tls=yes', 'tls must be true or false'],
    ['kafka://h1:9092?ca=ca.pem', 'ca needs tls=true'],
    ['kafka://h1:9092?replication=0', 'replication must be'],
    ['kafka://user:secret@h1:9092', 'sasl must be one of'],
    ['kafka://user:secret@h1:9092?sasl=kerberos', 'sasl must be one of'],
    ['kafka://h1:9092?sasl=plain', 'sasl needs user:password'],
    ['kafka://u%zz:secret@h1:9092?sasl=plain', 'sasl needs user:password'],
  ])('%s is refused: %s', (text, why) => {
    const refused = kafkaUrl(text);
    expect(refused).toMatchObject({
      code: 'DRIVER_URL_MALFORMED',
      message: expect.stringContaining(why),
    });
    expect(JSON.stringify(refused)).not.toContain('secret');
  });
});
