import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../../lib/model/errors.ts';
import { silentLogger } from '../../../lib/platform/logging.ts';
import { createQueueSigns } from '../../../lib/recovery/gap/queue-signs.ts';
import { createRelayLag } from '../../../lib/recovery/gap/relay-lag.ts';
import { answerScan } from '../../../lib/recovery/gap/request.ts';

const lag = (mapping: object | Error, values?: number[], StatusCode: 'Complete' | 'InternalError' = 'Complete') =>
  createRelayLag({
    lambda: { send: async () => (mapping instanceof Error ? Promise.reject(mapping) : mapping) },
    cloudWatch: { send: async () => ({ MetricDataResults: values && [{ Id: 'age', Values: values, StatusCode }] }) },
    clock: { now: () => 1_700_000_000_000 },
    logger: silentLogger,
    mappingId: 'm',
    functionName: 'relay',
  }).measure();
const ENABLED = { State: 'Enabled', LastProcessingResult: 'OK' };

describe('the lag of the log', () => {
  it('is the newest age, and 0 for a relay that had nothing to do', async () => {
    expect(await lag(ENABLED, [1_200, 90_000])).toBe(1_200);
    expect(await lag({ ...ENABLED, LastProcessingResult: 'No records processed' }, [])).toBe(0);
  });

  it.each([
    ['the mapping is disabled', { State: 'Disabled' }, [0]],
    ['the mapping is being changed', { State: 'Updating' }, [0]],
    ['the last batch failed', { ...ENABLED, LastProcessingResult: 'PROBLEM: Function call failed' }, [0]],
    ['Lambda cannot be asked', new Error('no'), [0]],
    ['CloudWatch says nothing', ENABLED, undefined],
  ])('is unknown when %s', async (_why, mapping, values) => {
    expect(await lag(mapping, values)).toBeUndefined();
  });

  it('is unknown when CloudWatch failed inside', async () => {
    expect(await lag(ENABLED, [], 'InternalError')).toBeUndefined();
  });
});

describe('the signs of a queue', () => {
  const signs = (Attributes: Record<string, string> | Error) =>
    createQueueSigns({
      sqs: { send: async () => (Attributes instanceof Error ? Promise.reject(Attributes) : { Attributes }) },
      logger: silentLogger,
    }).messages('https://sqs/inventory');

  it('are visible, hidden and delayed messages together', async () => {
    const numbers = {
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '20',
      ApproximateNumberOfMessagesDelayed: '300',
    };
    expect(await signs(numbers)).toBe(321);
  });

  it('are unknown when SQS leaves one out or fails', async () => {
    expect(await signs({ ApproximateNumberOfMessages: '1' })).toBeUndefined();
    expect(await signs(new Error('no'))).toBeUndefined();
  });
});

describe('the scan as a function', () => {
  const refused = async () => {
    throw new InvalidInputError('SOME_CODE', { what: 'x', got: 1, allowed: '2', remedy: 'y' });
  };

  it('answers an operator with the code of an error, and throws in a schedule, so that Lambda tries again', async () => {
    expect(await answerScan({ surprise: 1 }, 60_000, refused)).toMatchObject({ error: { code: 'INVALID_INPUT' } });
    expect(await answerScan({}, 60_000, refused)).toMatchObject({ error: { code: 'SOME_CODE', retryable: false } });
    await expect(answerScan({ source: 'aws.events' }, 60_000, refused)).rejects.toThrow();
    await expect(answerScan({}, 60_000, () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
  });

  it('holds its lease as long as it may run, and keeps a minute for its end', async () => {
    const seen: object[] = [];
    await answerScan({ dryRun: true }, 600_000, async (input) => {
      seen.push(input);
      return { kind: 'another-scan-runs', until: 0 };
    });
    expect(seen).toMatchObject([{ leaseMs: 600_000, timeMs: 540_000, dryRun: true }]);
  });
});
