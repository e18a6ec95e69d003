// Where custom resources answer: each request gets an address of its own on the gateway, and whoever waits for it gets
// the body that the function puts there.

import { randomUUID } from 'node:crypto';
import { EventRecoveryError } from '../../model/errors.ts';

export interface CustomResourceAnswer {
  Status: 'SUCCESS' | 'FAILED';
  Reason?: string;
  PhysicalResourceId?: string;
  Data?: Record<string, unknown>;
  NoEcho?: boolean;
}

export interface CustomResourceAnswers {
  expect(what: string, timeoutMs: number): { path: string; answer: Promise<CustomResourceAnswer> };
  /** Called by the gateway. False when nobody expects an answer there. */
  receive(path: string, body: Buffer): boolean;
}

export const CUSTOM_ANSWER_PATH = '/_local/custom-resource/';

export function createCustomAnswers(): CustomResourceAnswers {
  const expected = new Map<string, (answer: CustomResourceAnswer) => void>();
  return {
    expect(what, timeoutMs) {
      const path = CUSTOM_ANSWER_PATH + randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<CustomResourceAnswer>();
      const timer = setTimeout(() => reject(noAnswer(what, timeoutMs)), timeoutMs);
      const settled = promise.finally(() => {
        clearTimeout(timer);
        expected.delete(path);
      });
      expected.set(path, resolve);
      return { path, answer: settled };
    },
    receive(path, body) {
      const resolve = expected.get(path);
      if (!resolve) return false;
      resolve(JSON.parse(body.toString('utf8')) as CustomResourceAnswer);
      return true;
    },
  };
}

const noAnswer = (what: string, timeoutMs: number): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_CUSTOM_RESOURCE_SILENT',
    `${what} did not answer to its ResponseURL within ${timeoutMs} ms; remedy: read the function's log under .local/runs`,
    { facts: { what, timeoutMs } },
  );
