const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // See tools/strip-types.mjs: the same for packages that are CommonJS. None that a package declares, as the CDK does Map.
  sandboxInjectedGlobals: ['Array', 'JSON', 'Math', 'Number', 'Object', 'Promise'],
  transform: { '\\.ts$': '<rootDir>/tools/strip-types.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.local', '<rootDir>/dist'],
};

/** @type {import('jest').Config} */
export default {
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts', 'lambdas/**/*.ts'],
  testTimeout: 60_000,
  // One worker per core: with one less, the default, two cores run one test at a time, and system tests mostly wait.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/tools/jest/system-tests-first.mjs',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.dynamodb\\.test\\.ts$', '\\.system\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'dynamodb',
      testMatch: ['<rootDir>/test/**/*.dynamodb.test.ts'],
      globalSetup: '<rootDir>/tools/jest/global-setup.ts',
      globalTeardown: '<rootDir>/tools/jest/global-teardown.ts',
    },
    { ...common, displayName: 'system', testMatch: ['<rootDir>/test/**/*.system.test.ts'] },
  ],
};
