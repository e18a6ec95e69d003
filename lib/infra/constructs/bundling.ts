// Lambda code: the project's own functions in ONE esbuild run per synth, consumers' entries in one run each. The AWS SDK
// goes into the bundle (ADR 0002), so that the bytes which the local system runs are the bytes which AWS runs. Output is
// not minified: dead letters keep stack traces, and their fingerprints must not change with every build.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, isAbsolute, join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import { OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct, IConstruct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';
import { InvalidInputError } from '../../model/errors.ts';

/** Deployed from `lambdas/<name>/handler.ts`. A new function is added here and in the construct that makes it. */
export const PROJECT_FUNCTIONS = [
  'archive-events',
  'ask-approval',
  'decide-approval',
  'diagnose',
  'enable-rule',
  'intake-dead-letters',
  'react-to-drill',
  'redrive-dead-letters',
  'register-consumer',
  'relay-commits',
  'repair-relay',
  'replay-events',
  'report-status',
  'restore-commits',
  'run-drill',
  'scan-gaps',
  'scrub-events',
  'start-recovery',
  'verify-consistency',
] as const;
export type ProjectFunctionName = (typeof PROJECT_FUNCTIONS)[number];

const PROJECT = 'project';

/** Every bundle is one file with this handler. */
export const BUNDLE_HANDLER = 'index.handler';

const ROOT = join(import.meta.dirname, '../../..');
/** `.ts` in a checkout, `.js` in the published package: the handlers are built like this file. */
const HANDLER = `handler${extname(import.meta.filename)}`;

/** Some dependencies (the X-Ray SDK in Powertools' tracer) are CommonJS and call `require` for Node's own modules. */
const REQUIRE_BANNER = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/** The same settings for users of `NodejsFunction`. */
export const NODEJS_FUNCTION_BUNDLING: BundlingOptions = {
  format: OutputFormat.ESM,
  target: 'node24',
  mainFields: ['module', 'main'],
  banner: REQUIRE_BANNER,
  bundleAwsSDK: true,
};

const SETTINGS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.mjs' },
  banner: { js: REQUIRE_BANNER },
  // Paths in the output are relative to it: the same sources give the same asset hash in every checkout.
  absWorkingDir: ROOT,
  logLevel: 'error',
} satisfies BuildOptions;

/** Bundles of one synth, by name or entry: a file that is edited between two synths of one process is bundled again. */
const bundlesOf = new WeakMap<IConstruct, Map<string, string>>();

function once(scope: Construct, key: string, make: () => string): string {
  const bundles = bundlesOf.get(scope.node.root) ?? new Map<string, string>();
  bundlesOf.set(scope.node.root, bundles);
  const known = bundles.get(key) ?? make();
  bundles.set(key, known);
  return known;
}

/** Code of one of the project's own functions. */
export function projectCode(scope: Construct, name: ProjectFunctionName): Code {
  if (!Stack.of(scope).bundlingRequired) return notBundled();
  const folder = once(scope, PROJECT, () =>
    bundle(
      Object.fromEntries(PROJECT_FUNCTIONS.map((each) => [`${each}/index`, join(ROOT, 'lambdas', each, HANDLER)])),
    ),
  );
  return Code.fromAsset(join(folder, name));
}

/**
 * Code of a consumer: a file that exports `handler`.
 * @throws InvalidInputError `INVALID_ENTRY` when it is not an absolute path of an existing file
 */
export function entryCode(scope: Construct, entry: string): Code {
  if (!isAbsolute(entry) || !existsSync(entry)) {
    throw new InvalidInputError('INVALID_ENTRY', {
      what: `entry of ${scope.node.path}`,
      got: entry,
      allowed: 'the absolute path of an existing TypeScript or JavaScript file that exports "handler"',
      remedy: "pass join(import.meta.dirname, 'handler.ts')",
    });
  }
  if (!Stack.of(scope).bundlingRequired) return notBundled();
  return Code.fromAsset(once(scope, entry, () => bundle({ index: entry })));
}

/** For stacks that are not asked for (`cdk deploy OtherStack`, unit tests): the CDK never deploys them. */
const notBundled = (): Code => Code.fromInline('// not bundled: this stack was not selected');

let workDirectory: string | undefined;

/** Into a new folder that goes when the process does; the CDK copies what it needs. */
function bundle(entryPoints: Record<string, string>): string {
  if (workDirectory === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'event-recovery-bundles-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    workDirectory = made;
  }
  const outdir = mkdtempSync(join(workDirectory, 'bundle-'));
  buildSync({ ...SETTINGS, entryPoints, outdir });
  return outdir;
}
