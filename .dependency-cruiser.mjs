const libs =
  'kernel|contracts|bus|store|evaluation|statistics|metrics-source|gates|migration|platform|sdk';
const lib = (...names) => `^libs/(${names.join('|')})/`;
const siblings = ['bus', 'store', 'evaluation', 'statistics', 'metrics-source', 'migration'];
const suffixed =
  '[.](handler|port|sqlite|mongo|postgres|prometheus|memory|embedded|scrape|webhook|http|controller|consumer|module|nest|spec|contract|loop|sse|file|openfeature|slack|console)[.]ts$';
const sdkDoors =
  '^libs/sdk/src/(context|kafka|nest|openfeature|opentelemetry|prometheus|redis)[.]ts$';
/** Beside its front door: what generates documents, what reads files, and what draws reports. */
const migrationDoors = '^libs/migration/src/(check|files|report)[.]ts$';
const only = (name, from, ...allowed) => ({
  name,
  severity: 'error',
  from: { path: `^libs/${from}/` },
  to: { path: `^libs/(${libs})/|^apps/`, pathNot: lib(from, ...allowed) },
});

export default {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'apps-meet-in-messages',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^(apps|examples)/([^/]+)/', pathNot: '^apps/$1/' },
    },
    only('kernel-imports-nothing', 'kernel'),
    only('contracts-import-kernel', 'contracts', 'kernel'),
    ...siblings.map((name) => only(`${name}-imports-no-sibling`, name, 'kernel', 'contracts')),
    only('gates-import-numbers', 'gates', 'kernel', 'contracts', 'statistics', 'metrics-source'),
    only('platform-imports-left', 'platform', 'kernel', 'contracts', ...siblings),
    {
      ...only('sdk-stays-small', 'sdk', 'kernel', 'contracts', 'evaluation'),
      // What comes over the bus is a door of its own: @tidegate/sdk/kafka.
      from: { path: '^libs/sdk/', pathNot: '/(kafka|[a-z-]+[.](bus|kafka)([.]spec)?)[.]ts$' },
    },
    {
      name: 'sdk-core-stands-alone',
      severity: 'error',
      comment:
        'Frameworks, telemetry and the bus are doors of their own: @tidegate/sdk/nest, …/prometheus, ….',
      from: { path: '^libs/sdk/src/(index|context|testing)[.]ts$' },
      to: {
        path: '^libs/bus/|@nestjs|@openfeature|@opentelemetry|prom-client|kafkajs|ioredis',
        reachable: true,
      },
    },
    {
      name: 'pure-libs-know-no-driver',
      severity: 'error',
      from: {
        path: lib('kernel', 'contracts', 'evaluation', 'statistics', 'gates', 'migration'),
        pathNot: '[.]spec[.]ts$|/testing[.]ts$|[.]file[.]ts$|^libs/migration/src/files[.]ts$',
      },
      to: { path: '@nestjs|^node:|^(fs|path|crypto|os|http)$|kafkajs|mongoose|ioredis' },
    },
    {
      name: 'rules-know-no-framework',
      severity: 'error',
      comment: 'A source file without a role suffix holds rules: values in, values out.',
      from: {
        path: '^apps/[^/]+/src/[^/]+/[^/]+[.]ts$',
        pathNot: `${suffixed}|^apps/(cli|standalone)/`,
      },
      to: {
        path: '@nestjs|kafkajs|mongoose|node_modules/pg/|ioredis|^node:sqlite|node_modules/fastify',
      },
    },
    {
      name: 'libs-by-their-front-door',
      severity: 'error',
      from: { path: '^(libs|apps|examples)/([^/]+)/' },
      to: {
        path: `^libs/(${libs})/src/`,
        pathNot: ['^libs/[^/]+/src/(index|testing)[.]ts$', sdkDoors, migrationDoors, '^$1/$2/'],
      },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The parser does not read `await using`, which specs of running services have.
    exclude: { path: '/dist/|/coverage/|[.]int[.]spec[.]ts$' },
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
