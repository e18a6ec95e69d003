// The way of a command to its deployment: what cannot be reached says why and what to do, with a code and the exit code of its kind.

import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, it } from '@jest/globals';
import { exitCodeOf } from '../../lib/cli/command.ts';
import { createDeployment } from '../../lib/cli/deployment.ts';
import { EXIT } from '../../lib/cli/exit-codes.ts';

const named = (name: string, facts: object = {}, message = 'why'): Error =>
  Object.assign(new Error(message), { name, ...facts });
const parameters = { Parameters: [{ Name: '/shop/scan-gaps-function-arn', Value: 'arn' }] };
const deploymentOf = (ssm: () => unknown, lambda: () => unknown = () => ({})) =>
  createDeployment({
    prefix: '/shop',
    ssm: { send: async () => ssm() } as unknown as SSMClient,
    lambda: { send: async () => lambda() } as unknown as LambdaClient,
  });
const fails = (error: Error) => (): never => {
  throw error;
};

const CASES: [error: Error, code: string, remedy: RegExp][] = [
  [named('Error', {}, 'Region is missing'), 'AWS_NOT_CONFIGURED', /remedy: set AWS_REGION and credentials/],
  [named('CredentialsProviderError'), 'AWS_NOT_CONFIGURED', /or export what "npx event-recovery local" prints/],
  [named('AccessDeniedException', { $metadata: { httpStatusCode: 400 } }), 'AWS_REFUSED', /remedy: check account and/],
  [named('ThrottlingException', { $metadata: { httpStatusCode: 400 } }), 'AWS_UNREACHABLE', /then try again/],
  [named('ServiceException', { $metadata: { httpStatusCode: 500 } }), 'AWS_UNREACHABLE', /remedy: check network/],
  [named('Error', { code: 'ECONNREFUSED' }), 'AWS_UNREACHABLE', /AWS_ENDPOINT_URL/],
];

describe('a deployment that cannot be reached', () => {
  it.each(CASES)('because of %s is said to be so, with what to do', async (error, code, remedy) => {
    const tries = [
      deploymentOf(fails(error)).value('scan-gaps-function-arn'),
      deploymentOf(() => parameters, fails(error)).invoke('scan-gaps', {}),
    ];
    for (const { reason } of (await Promise.allSettled(tries)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code, cause: error, message: expect.stringMatching(remedy) });
      expect(exitCodeOf(reason)).toBe(EXIT.unreachable);
    }
  });

  it('because of a bug is the bug', async () => {
    const bug = new TypeError('x is not a function');
    await expect(deploymentOf(fails(bug)).value('x')).rejects.toBe(bug);
    expect(exitCodeOf(bug)).toBe(EXIT.internal);
  });

  it('because it is another one is told by the parameter that is missing', async () => {
    await expect(deploymentOf(() => parameters).value('events-table-name')).rejects.toMatchObject({
      code: 'NOT_DEPLOYED',
      message: expect.stringContaining('"/shop/events-table-name"'),
    });
  });
});
