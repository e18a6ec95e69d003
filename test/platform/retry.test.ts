// Retries: bounded in number and time for every outcome, and only of what another try can help.

import {
  ConditionalCheckFailedException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  RequestLimitExceeded,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventRecoveryError } from '../../lib/model/errors.ts';
import { isThrottle, isTransient, jitteredDelayMs, retry } from '../../lib/platform/retry.ts';
import { createTestWorld } from '../support/world.ts';

const plain = { message: 'x', $metadata: {} };
const flaky = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
const final = new Error('no');

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({ ...plain, CancellationReasons: codes.map((Code) => ({ Code })) });

describe('retry', () => {
  const bounds = fc.record({
    attempts: fc.integer({ min: 1, max: 9 }),
    baseDelayMs: fc.integer({ min: 0, max: 500 }),
    maxDelayMs: fc.integer({ min: 0, max: 3_000 }),
  });

  it('tries at most `attempts` times and waits within its bounds, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        bounds,
        fc.array(fc.constantFrom('flaky', 'final', 'ok'), { maxLength: 12 }),
        fc.nat(),
        async (limits, outcomes, seed) => {
          const { timers, random, sleeps } = createTestWorld({ seed });
          let calls = 0;
          const result = await retry(
            async (attempt) => {
              calls += 1;
              expect(attempt).toBe(calls);
              const outcome = outcomes[calls - 1] ?? 'ok';
              if (outcome === 'ok') return 'done';
              throw outcome === 'flaky' ? flaky : final;
            },
            { ...limits, timers, random },
          ).catch((error) => error);

          const stops = outcomes.findIndex((outcome) => outcome !== 'flaky');
          const needed = stops === -1 ? outcomes.length + 1 : stops + 1;
          expect(calls).toBe(Math.min(needed, limits.attempts));
          const last = outcomes[calls - 1] ?? 'ok';
          expect(result).toBe(last === 'ok' ? 'done' : last === 'flaky' ? flaky : final);
          expect(sleeps).toHaveLength(calls - 1);
          sleeps.forEach((ms, i) => {
            expect(ms).toBeGreaterThanOrEqual(0);
            expect(ms).toBeLessThanOrEqual(Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** i));
          });
        },
      ),
    );
  });

  it('uses the whole range of the jitter', () => {
    const limits = { baseDelayMs: 100, maxDelayMs: 1_000 };
    expect(jitteredDelayMs(1, { ...limits, random: { next: () => 0 } })).toBe(0);
    expect(jitteredDelayMs(3, { ...limits, random: { next: () => 0.9999 } })).toBe(399);
    expect(jitteredDelayMs(9, { ...limits, random: { next: () => 0.9999 } })).toBe(999);
    expect(jitteredDelayMs(5_000, { ...limits, random: { next: () => 0.5 } })).toBe(500);
  });

  it('ends with the reason when the signal aborts, before a try and while waiting', async () => {
    const { timers, random } = createTestWorld();
    const reason = new Error('deadline');
    const controller = new AbortController();
    const options = { attempts: 5, baseDelayMs: 1, maxDelayMs: 1, timers, random, signal: controller.signal };
    let calls = 0;
    const failing = async () => {
      calls += 1;
      controller.abort(reason);
      throw flaky;
    };
    await expect(retry(failing, options)).rejects.toBe(reason);
    await expect(retry(failing, options)).rejects.toBe(reason);
    expect(calls).toBe(1);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s attempts', async (attempts) => {
    const { timers, random } = createTestWorld();
    await expect(retry(async () => 1, { attempts, baseDelayMs: 1, maxDelayMs: 1, timers, random })).rejects.toThrow(
      RangeError,
    );
  });

  it('lets the caller decide what can be retried', async () => {
    const { timers, random } = createTestWorld();
    let calls = 0;
    const always = () => {
      calls += 1;
      return Promise.reject(final);
    };
    await expect(
      retry(always, { attempts: 3, baseDelayMs: 1, maxDelayMs: 1, timers, random, isRetryable: () => true }),
    ).rejects.toBe(final);
    expect(calls).toBe(3);
  });
});

describe('classification', () => {
  it.each([
    ['a throttle of the table', new ProvisionedThroughputExceededException(plain)],
    ['a throttle of the account', new RequestLimitExceeded(plain)],
    ['a throttle', new ThrottlingException(plain)],
    ['status 429', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 429 } })],
    [
      'a transaction cancelled by throttles alone',
      cancelled('None', 'ThrottlingError', 'ProvisionedThroughputExceeded'),
    ],
  ])('%s is a throttle', (_, error) => expect(isThrottle(error)).toBe(true));

  it.each([
    ['a conflict between transactions', new TransactionConflictException(plain)],
    ['a transaction that still runs', new TransactionInProgressException(plain)],
    ['a server error', new InternalServerError(plain)],
    ['status 503', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } })],
    ['a lost connection', flaky],
    ['a lost connection as a cause', new Error('wrapped', { cause: flaky })],
    ['a timeout', Object.assign(new Error('x'), { name: 'TimeoutError' })],
    ['a transaction cancelled by a conflict', cancelled('TransactionConflict', 'None')],
    ['a transaction cancelled by conflict and throttle', cancelled('TransactionConflict', 'ThrottlingError')],
    ['an error of ours that says so', new EventRecoveryError('X', 'x', { retryable: true })],
  ])('%s is transient', (_, error) => {
    expect(isTransient(error)).toBe(true);
    expect(isThrottle(error)).toBe(false);
  });

  it.each([
    ['a refused condition', new ConditionalCheckFailedException(plain)],
    ['a transaction that was refused', cancelled('ConditionalCheckFailed', 'TransactionConflict')],
    ['a transaction that is invalid', cancelled('ValidationError')],
    ['a transaction without reasons', cancelled()],
    ['an abort', Object.assign(new Error('x'), { name: 'AbortError', code: 'ECONNRESET' })],
    ['an error of ours', new EventRecoveryError('X', 'x')],
    ['a bug', new TypeError('x is not a function')],
    ['undefined', undefined],
    ['a string', 'ECONNRESET'],
  ])('%s is neither', (_, error) => {
    expect(isTransient(error)).toBe(false);
    expect(isThrottle(error)).toBe(false);
  });
});
