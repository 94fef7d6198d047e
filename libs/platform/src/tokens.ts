/** `@Inject(SERVICE_CONTEXT) context: ServiceContext`, in every controller and consumer. */
export const SERVICE_CONTEXT = Symbol('tidegate:service-context');

export const HEALTH = Symbol('tidegate:health');
export const METRICS_TEXT = Symbol('tidegate:metrics-text');
