// Who may do what: roles with their statements, resource policies, and the credentials of every Lambda process. The
// gateway asks here with the access key id of a request.

import type { Caller, GatewayCall } from '../gateway/gateway.ts';
import { needsOf, type TableFacts } from './needs.ts';
import { checkStatement, evaluate, type Need, type Statement } from './policy.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

export interface Identities {
  /** Statements that a role has, inline or attached. Adds to what it has. */
  allowRole(roleArn: string, statements: readonly Statement[]): void;
  /** Policy on a resource (queue, topic, table, bucket, function). Adds to what it has. */
  allowOnResource(resourceArn: string, statements: readonly Statement[]): void;
  issue(caller: Caller): Credentials;
  revoke(accessKeyId: string): void;
  callerOf(accessKeyId: string): Caller | undefined;
  /** Why this call is not allowed, or undefined. */
  denied(call: GatewayCall): string | undefined;
  /** Why this role may not do that, or undefined: for what AWS does with a role outside of a call (event source mappings). */
  roleDenied(roleArn: string, need: Need): string | undefined;
  /** Why this AWS service may not do that, or undefined: for deliveries of EventBridge and SNS. */
  serviceDenied(principal: string, need: Need & { resource: string }): string | undefined;
}

export function createIdentities(tables: TableFacts): Identities {
  const roles = new Map<string, Statement[]>();
  const resources = new Map<string, Statement[]>();
  const callers = new Map<string, Caller>();
  let issued = 0;

  const roleDenied = (roleArn: string, need: Need): string | undefined => {
    const ofResource = need.resource === undefined ? [] : (resources.get(policyHolder(need.resource)) ?? []);
    const forRole = ofResource.filter((statement) => principalMatches(statement.Principal, 'AWS', roleArn));
    const decision = evaluate([...(roles.get(roleArn) ?? []), ...forRole], need);
    if (decision === 'allow') return undefined;
    const why = decision === 'deny' ? 'with an explicit deny' : 'because no policy of the role allows the action';
    return `User: ${roleArn} is not authorized to perform: ${need.action} on resource: ${need.resource ?? '*'} ${why}`;
  };

  return {
    allowRole: (roleArn, statements) => append(roles, roleArn, statements),
    allowOnResource: (resourceArn, statements) => append(resources, resourceArn, statements),
    issue(caller) {
      issued += 1;
      // DynamoDB Local takes letters and digits only.
      const accessKeyId = `LOCAL${String(issued).padStart(11, '0')}`;
      callers.set(accessKeyId, caller);
      return { accessKeyId, secretAccessKey: 'local', sessionToken: 'local' };
    },
    revoke: (accessKeyId) => void callers.delete(accessKeyId),
    callerOf: (accessKeyId) => callers.get(accessKeyId),
    denied(call) {
      const { caller } = call;
      if (!caller) return undefined;
      for (const need of needsOf(call, tables)) {
        const reason = roleDenied(caller.roleArn, need);
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
    roleDenied,
    serviceDenied(principal, need) {
      const statements = (resources.get(policyHolder(need.resource)) ?? []).filter((statement) =>
        principalMatches(statement.Principal, 'Service', principal),
      );
      const context = { 'aws:securetransport': ['true'], ...need.context };
      if (evaluate(statements, { ...need, context }) === 'allow') return undefined;
      return `${principal} is not authorized to perform: ${need.action} on resource: ${need.resource}`;
    },
  };
}

/** The ARN that a resource policy hangs on: the bucket of an object, the table of an index. */
const policyHolder = (resource: string): string =>
  resource.startsWith('arn:aws:s3:::') ? (resource.split('/')[0] ?? resource) : resource.replace(/\/index\/.*$/, '');

function append(map: Map<string, Statement[]>, key: string, statements: readonly Statement[]): void {
  for (const statement of statements) checkStatement(statement);
  map.set(key, [...(map.get(key) ?? []), ...statements]);
}

function principalMatches(principal: unknown, kind: 'AWS' | 'Service', value: string): boolean {
  if (principal === '*') return true;
  const listed = (principal as Record<string, string | string[]> | undefined)?.[kind];
  if (listed === undefined) return false;
  // `arn:aws:iam::account:root` stands for the account and leaves the decision to the role's own policies.
  return [listed].flat().some((one) => one === '*' || one === value);
}
