export {
  defineService,
  type RunningService,
  type ServiceContext,
  type ServiceDefinition,
} from './service.ts';
