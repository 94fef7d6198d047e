export { createKafkaTidegate, type KafkaTidegateOptions } from './tidegate.kafka.ts';
