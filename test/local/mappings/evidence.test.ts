import { describe, expect, it } from '@jest/globals';
import type { LambdaFunction } from '../../../lib/local/functions/lambda-function.ts';
import { dataPoints } from '../../../lib/local/gateway/cloudwatch-service.ts';
import { evidenceOf, watchMapping } from '../../../lib/local/mappings/evidence.ts';
import type { Mapping } from '../../../lib/local/mappings/mapping.ts';

const NOW = 1_700_000_000_000;
const batch = (ageMs: number): string =>
  JSON.stringify({ Records: [{ dynamodb: { ApproximateCreationDateTime: (NOW - ageMs) / 1_000 } }] });

function watched(outcome: 'done' | 'failed' | 'throttled') {
  let invoke: LambdaFunction['invoke'] | undefined;
  const lambda = { spec: { name: 'relay' }, invoke: async () => ({ kind: outcome }) } as unknown as LambdaFunction;
  const poller = { id: 'm', inFlight: 2, pause: async () => undefined, resume: () => undefined };
  const mapping = watchMapping(
    lambda,
    true,
    (given) => {
      invoke = given.invoke;
      expect(given.spec.name).toBe('relay');
      return poller as unknown as Mapping;
    },
    () => NOW,
  );
  return { mapping, invoke: invoke as LambdaFunction['invoke'] };
}

describe('the evidence of an event source mapping', () => {
  it('is idle before the first record, then tells the end and the age of each batch', async () => {
    const { mapping, invoke } = watched('done');
    expect(evidenceOf(mapping)).toMatchObject({ lastProcessingResult: 'No records processed', iteratorAges: [] });
    await invoke(batch(4_000));
    expect(mapping.evidence).toMatchObject({ lastProcessingResult: 'OK', iteratorAges: [{ at: NOW, ageMs: 4_000 }] });
    expect([mapping.id, mapping.inFlight]).toEqual(['m', 2]);
  });

  it.each(['failed', 'throttled'] as const)('names a problem when the function %s', async (outcome) => {
    const { mapping, invoke } = watched(outcome);
    await invoke(batch(0));
    expect(mapping.evidence.lastProcessingResult).toMatch(/^PROBLEM: Function call (failed|was throttled)$/);
  });

  it('is disabled while the poller is paused', async () => {
    const { mapping } = watched('done');
    await mapping.pause();
    expect(mapping.evidence.state).toBe('Disabled');
    mapping.resume();
    expect(mapping.evidence.state).toBe('Enabled');
  });
});

describe('data points of IteratorAge', () => {
  it('hold the maximum of each minute inside of the window, the newest first', () => {
    const ages = [
      { at: 10_000, ageMs: 9 },
      { at: 61_000, ageMs: 5 },
      { at: 119_000, ageMs: 7 },
      { at: 130_000, ageMs: 1 },
      { at: 200_000, ageMs: 99 },
    ];
    expect(dataPoints(ages, { StartTime: 60, EndTime: 180 }, 60)).toEqual([
      [120, 1],
      [60, 7],
    ]);
  });
});
