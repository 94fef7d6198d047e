export {
  type Bus,
  type BusReport,
  type DeadLetter,
  type DeadLetters,
  type Delivery,
  MAX_MESSAGE_BYTES,
  type Origin,
  type OutgoingMessage,
  type PartitionLag,
  type RawRecord,
  type RawSubscription,
  type Running,
  type Subscription,
  type View,
  type ViewSource,
} from './bus.port.ts';
export { type EmbeddedBusOptions, openEmbeddedBus } from './bus.embedded.ts';
export { openKafkaBus } from './bus.kafka.ts';
export { type AccessRule, accessRules } from './broker-access.ts';
export { accessScript, providedTopics, topicsScript } from './provision.ts';
export { type KafkaAddress, kafkaUrl } from './kafka-url.ts';
export { type KafkaBudgets, type KafkaBusOptions } from './options.kafka.ts';
export { BusServer, type BusServerOptions, connectBus } from './bus-server.nest.ts';
export { type BusErrorCode, busErrorCodes } from './errors.ts';
export { defaultPolicy, type DeliveryPolicy } from './delivery-policy.ts';
export type { Timer } from './timer.port.ts';
