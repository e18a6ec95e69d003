import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diagnose } from '../../../lib/recovery/diagnose/diagnose.ts';
import type { Cause, ConsumerEvidence, Evidence } from '../../../lib/recovery/diagnose/types.ts';

const healthyConsumer: ConsumerEvidence = {
  consumer: 'inventory',
  gapEvents: 0,
  lagEvents: 0,
  queue: { visible: 0, inFlight: 0, dlqDepth: 0 },
  mappingState: 'Enabled',
  ruleState: 'ENABLED',
  functionState: { errors: 0, throttles: 0, invocations: 100 },
};
const healthy: Evidence = {
  at: 0,
  consumers: [healthyConsumer],
  relay: { iteratorAgeMs: 500, mappingState: 'Enabled', errors: 0, throttles: 0 },
  bus: { failedEntries: 0, undelivered: 0 },
  integrity: { damagedStreams: [] },
};

const consumer = (change: Partial<ConsumerEvidence>): Evidence => ({
  ...healthy,
  consumers: [{ ...healthyConsumer, ...change }],
});
const relay = (change: Evidence['relay']): Evidence => ({ ...healthy, relay: { ...healthy.relay, ...change } });
const letters = (count: number) => [{ fingerprint: 'f', count, errorName: 'Error', rounds: 0, newestAt: 0 }];
const damaged = (kind: NonNullable<Evidence['integrity']>['damagedStreams'][number]['kind']): Evidence => ({
  ...healthy,
  integrity: { damagedStreams: [{ streamId: 's', kind, version: 3 }] },
});

/** Twenty-one injections: what the system would show, and what it must be called. */
const injections: [name: string, evidence: Evidence, cause: Cause][] = [
  ['a byte flipped in a stored commit', damaged('hash-mismatch'), 'data-corruption'],
  ['a commit deleted in the middle', damaged('missing-commit'), 'data-corruption'],
  ['history rewritten', damaged('rewritten-history'), 'data-corruption'],
  ['a directory that forgot a stream', damaged('directory-mismatch'), 'data-corruption'],
  ['two histories of one stream', damaged('fork'), 'data-corruption'],
  ['the tail of a stream deleted', damaged('truncated-stream'), 'truncated-stream'],
  ['a table rewound under its consumers', damaged('checkpoint-beyond-head'), 'checkpoint-beyond-head'],
  ['a commit that never reached the log', damaged('unsequenced-commit'), 'unsequenced-commits'],
  ['batches in the relay failures bucket', relay({ failedBatches: 2 }), 'unsequenced-commits'],
  ['the relay switched off', relay({ mappingState: 'Disabled' }), 'relay-down'],
  ['the relay failing for an hour', relay({ iteratorAgeMs: 3_600_000, errors: 40 }), 'relay-behind'],
  ['a throttling storm at the relay', relay({ throttles: 500 }), 'throttled'],
  ['the bus refusing entries', { ...healthy, bus: { failedEntries: 30 } }, 'bus-unreachable'],
  ['the bus rule disabled', consumer({ ruleState: 'DISABLED' }), 'broker-down'],
  ['deliveries lost', consumer({ gapEvents: 7, gapStreams: 3 }), 'delivery-lost'],
  [
    'the consumer switched off',
    consumer({ mappingState: 'Disabled', lagEvents: 40, lagSeconds: 900 }),
    'consumer-down',
  ],
  ['the consumer throttled', consumer({ functionState: { throttles: 90, invocations: 100, errors: 0 } }), 'throttled'],
  ['one poison message', consumer({ deadLetters: letters(1), parkedStreams: 1 }), 'poison-message'],
  [
    'a bad deployment of the consumer',
    consumer({ deadLetters: letters(60), functionState: { errors: 80, invocations: 100 } }),
    'consumer-failing',
  ],
  ['a type that was added to a consumer', consumer({ backfillWaiting: true }), 'backfill-waiting'],
  ['wake-ups that died on their way', consumer({ lagEvents: 4, lagSeconds: 600 }), 'behind'],
];

const merge = (all: Evidence[]): Evidence => ({
  at: 0,
  relay: Object.assign({}, healthy.relay, ...all.map(({ relay }) => onlyChanged(relay, healthy.relay))),
  bus: Object.assign({}, ...all.map(({ bus }) => onlyChanged(bus, healthy.bus))),
  integrity: { damagedStreams: all.flatMap(({ integrity }) => integrity?.damagedStreams ?? []) },
  consumers: all.map(({ consumers: [each] }, index) => ({
    ...(each as ConsumerEvidence),
    consumer: `consumer-${index}`,
  })),
});
const onlyChanged = (from: object | undefined, base: object | undefined): object =>
  Object.fromEntries(
    Object.entries(from ?? {}).filter(([key, value]) => (base as Record<string, unknown>)[key] !== value),
  );

describe('diagnose', () => {
  it('finds nothing in a healthy system', () => {
    expect(diagnose(healthy)).toEqual([]);
  });

  it('names each of twenty-one injections without being told which, with no miss and no false alarm', () => {
    const matrix = injections.map(([name, evidence, cause]) => ({
      name,
      cause,
      named: diagnose(evidence).map((finding) => finding.cause),
    }));
    const misses = matrix.filter(({ cause, named }) => named.length !== 1 || named[0] !== cause);
    expect(injections).toHaveLength(21);
    expect(misses).toEqual([]);
  });

  it('names several problems at once, in an order that is safe to repair', () => {
    const safe: Cause[] = [
      'data-corruption',
      'truncated-stream',
      'unsequenced-commits',
      'bus-unreachable',
      'broker-down',
      'delivery-lost',
      'poison-message',
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          injections.filter(([, , cause]) => cause !== 'relay-down'),
          { minLength: 2, maxLength: 6 },
        ),
        (chosen) => {
          const causes = diagnose(merge(chosen.map(([, evidence]) => evidence))).map(({ cause }) => cause);
          for (const [, , cause] of chosen) expect(causes).toContain(cause);
          const ranks = causes.filter((cause) => safe.includes(cause)).map((cause) => safe.indexOf(cause));
          expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('gives one problem one id, whatever its numbers are today', () => {
    const ids = [3, 9].map((gapEvents) => diagnose(consumer({ gapEvents, gapStreams: 1 }))[0]?.id);
    expect(ids[0]).toBe(ids[1]);
  });

  it('keeps what was not looked at apart from what is well', () => {
    expect(diagnose({ at: 0, consumers: [{ consumer: 'inventory', unknown: true }] })).toMatchObject([
      { cause: 'unknown', action: 'wait' },
    ]);
  });
});
