export {
  defineService,
  type HealthCheck,
  type RunningService,
  type ServiceContext,
  type ServiceDefinition,
} from './service.ts';
