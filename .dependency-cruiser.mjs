// The import rules of the house, each named as a sentence. `npm run check` fails when one is broken.
const rule = (name, from, to, extra = {}) => ({
  name,
  severity: 'error',
  from: { path: from, ...extra.from },
  to: { path: to, ...extra.to },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'imports make no circles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    { name: 'every import resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'every imported package is declared in package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    rule('the model imports nothing of ours', '^lib/model/', '^(lib/(?!model/)|lambdas|bin|test|examples)'),
    rule(
      'the platform knows only the model',
      '^lib/platform/',
      '^(lib/(?!(model|platform)/)|lambdas|bin|test|examples)',
    ),
    rule(
      'the ground floor does not know the upper floor',
      '^lib/flow/',
      '^(lib/(recovery|local|cli|infra)|lambdas|bin|test|examples)',
    ),
    rule(
      'the upper floor does not know the doors',
      '^lib/recovery/',
      '^(lib/(local|cli|infra)/|lambdas|bin|test|examples)',
    ),
    rule('the scrub shares no code with verify', '^lib/recovery/scrub/', '^lib/recovery/verify/'),
    rule('verify shares no code with the repair', '^lib/recovery/verify/', '^lib/(flow|recovery/(?!verify/))'),
    rule('lambdas import no infrastructure and no local system', '^lambdas/', '^(lib/(infra|local|cli)/|bin|test)'),
    rule(
      'only infra and the app import the CDK',
      '^(lib/(?!infra/|local/|index\\.ts)|lambdas/)',
      '^(node_modules/)?(aws-cdk-lib|constructs|cdk-nag)',
    ),
    rule('production code imports no test', '^(lib|lambdas|bin|examples)/', '^test/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(cdk\\.out|\\.local|dist)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
};
