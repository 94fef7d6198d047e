const swc = [
  '@swc/jest',
  {
    swcrc: false,
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: false },
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
];

const libs =
  'kernel|contracts|bus|store|evaluation|statistics|metrics-source|gates|migration|platform|sdk';

const project = (displayName, testMatch) => ({
  displayName,
  rootDir: import.meta.dirname,
  testMatch,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: {
    [`^@tidegate/(${libs})$`]: '<rootDir>/libs/$1/src/index.ts',
    [`^@tidegate/(${libs})/([a-z]+)$`]: '<rootDir>/libs/$1/src/$2.ts',
    '^@tidegate/(checkout)$': '<rootDir>/examples/$1/src/index.ts',
    '^@tidegate/([a-z-]+)$': '<rootDir>/apps/$1/src/index.ts',
  },
  modulePathIgnorePatterns: ['/dist/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
});

/** unit: no I/O · integration: meets one real thing · conformance: others' clients and rules · e2e, faults, simulation: what crosses apps */
export default {
  // Modules of a suite are never freed: a process that has grown is followed by a new one, so that the last suites are as fast as the first.
  workerIdleMemoryLimit: '1GB',
  projects: [
    project('unit', [
      '<rootDir>/{libs,apps,examples}/*/src/**/!(*.int).spec.ts',
      '<rootDir>/examples/rollouts/*/!(*.int).spec.ts',
    ]),
    project('integration', [
      '<rootDir>/{libs,apps,examples}/*/src/**/*.int.spec.ts',
      '<rootDir>/examples/rollouts/*/*.int.spec.ts',
    ]),
    project('simulation', ['<rootDir>/test/simulation/**/*.spec.ts']),
    project('conformance', ['<rootDir>/test/conformance/**/*.spec.ts']),
    project('e2e', ['<rootDir>/test/{e2e,faults}/**/*.e2e.spec.ts']),
  ],
};
