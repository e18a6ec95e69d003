// Names of the local cloud: account, region, physical names and ARNs. One place, so that what a template, a policy and
// an engine call the same thing is the same string.

import { createHash } from 'node:crypto';
import { InvalidInputError } from '../model/errors.ts';

export const REGION = 'us-east-1';
/** fauxqs and DynamoDB Local both use this account. */
export const ACCOUNT = '000000000000';

export const arn = (service: string, resource: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** Last part of an ARN: `queue` of `arn:aws:sqs:region:account:queue`. A plain name stays as it is. */
export const resourceOfArn = (text: string): string =>
  text.startsWith('arn:') ? text.split(':').slice(5).join(':') : text;

/** `<stack>-<logical id>`, as CloudFormation names things, cut to the service's limit without losing uniqueness. */
export function physicalName(stackName: string, logicalId: string, maxLength: number): string {
  const name = `${stackName}-${logicalId}`.replaceAll(/[^A-Za-z0-9-]/g, '-');
  if (name.length <= maxLength) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, maxLength - 9)}-${digest}`;
}

/** Everything that a resource may be called. */
export interface Named {
  /** Physical name. */
  name: string;
  logicalId: string;
  /** `aws:cdk:path` metadata, for example `Example/Inventory/Function/Resource`. */
  path?: string;
  /** Further names, for example the consumer that a function runs. */
  aliases?: readonly string[];
}

/**
 * The one resource that a name means: physical name, alias, logical id, then a part of its construct path.
 * @throws InvalidInputError `LOCAL_UNKNOWN_NAME`, `LOCAL_AMBIGUOUS_NAME`
 */
export function byName<T extends Named>(all: Iterable<T>, name: string, what: string): T {
  const candidates = [...all];
  const wanted = name.toLowerCase();
  const tests: ((item: T) => boolean)[] = [
    (item) => item.name === name,
    (item) => item.aliases?.includes(name) ?? false,
    (item) => item.logicalId === name,
    (item) => (item.path ?? '').toLowerCase().split('/').includes(wanted),
  ];
  for (const test of tests) {
    const found = candidates.filter(test);
    if (found.length === 1) return found[0] as T;
    if (found.length > 1) throw unclear('LOCAL_AMBIGUOUS_NAME', what, name, found);
  }
  throw unclear('LOCAL_UNKNOWN_NAME', what, name, candidates);
}

const unclear = (code: string, what: string, got: string, items: readonly Named[]): InvalidInputError =>
  new InvalidInputError(code, {
    what,
    got,
    allowed: items.map((item) => item.aliases?.[0] ?? item.name).join(', ') || 'none: the template has none',
    remedy: `name exactly one ${what}`,
  });
