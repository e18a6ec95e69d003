// Lambda code: the project's own functions in ONE esbuild run per process, consumers' entries in one run each. The AWS SDK
// goes into the bundle (ADR 0002), so that the bytes which the local system runs are the bytes which AWS runs. Output is
// not minified: dead letters keep stack traces, and their fingerprints must not change with every build.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join, relative } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import { OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';
import { InvalidInputError } from '../../model/errors.ts';

/** Deployed from `lambdas/<name>/handler.ts`. A new function is added here and in the construct that makes it. */
export const PROJECT_FUNCTIONS = ['register-consumer', 'relay-commits', 'repair-relay'] as const;
export type ProjectFunctionName = (typeof PROJECT_FUNCTIONS)[number];

/** Every bundle is one file with this handler. */
export const BUNDLE_HANDLER = 'index.handler';

const ROOT = join(import.meta.dirname, '../../..');

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

let workDirectory: string | undefined;
let projectBundles: string | undefined;
const entryBundles = new Map<string, string>();

/** Code of one of the project's own functions. */
export function projectCode(scope: Construct, name: ProjectFunctionName): Code {
  if (!Stack.of(scope).bundlingRequired) return notBundled();
  projectBundles ??= bundle(
    'project',
    Object.fromEntries(PROJECT_FUNCTIONS.map((each) => [`${each}/index`, join(ROOT, 'lambdas', each, 'handler.ts')])),
  );
  return Code.fromAsset(join(projectBundles, name));
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
  let output = entryBundles.get(entry);
  if (output === undefined) {
    output = bundle(`entry-${entryBundles.size}-${basename(entry)}`, { index: relative(ROOT, entry) });
    entryBundles.set(entry, output);
  }
  return Code.fromAsset(output);
}

/** For stacks that are not asked for (`cdk deploy OtherStack`, unit tests): the CDK never deploys them. */
const notBundled = (): Code => Code.fromInline('// not bundled: this stack was not selected');

function bundle(folder: string, entryPoints: Record<string, string>): string {
  if (workDirectory === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'event-recovery-bundles-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    workDirectory = made;
  }
  const outdir = join(workDirectory, folder);
  buildSync({ ...SETTINGS, entryPoints, outdir });
  return outdir;
}
