import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diagnose } from '../../../lib/recovery/diagnose/diagnose.ts';
import type { Cause, ConsumerEvidence, Evidence } from '../../../lib/recovery/diagnose/types.ts';

const healthyConsumer: ConsumerEvidence = {
  consumer: 'inventory',
  gapEvents: 0,
  lagEvents: 0,
  queue: { visible: 0, inFlight: 0 },
  oldestMessageSeconds: 2,
  deadLetterQueueDepth: 0,
  undelivered: { waiting: 0, failed: 0, sent: 0 },
  mappingState: 'Enabled',
  ruleState: 'ENABLED',
  functionState: { errors: 0, throttles: 0, invocations: 100 },
};
const healthy: Evidence = {
  at: 0,
  consumers: [healthyConsumer],
  relay: { iteratorAgeMs: 500, mappingState: 'Enabled', errors: 0, throttles: 0 },
  bus: { failedEntries: 0 },
  deadLetterQueues: [],
  unanswered: [],
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

const integrity = (change: Partial<NonNullable<Evidence['integrity']>>): Evidence => ({
  ...healthy,
  integrity: { damagedStreams: [], ...change },
});

/** Injections: what the system would show, and what it must be called. */
const injections: [name: string, evidence: Evidence, cause: Cause][] = [
  ['a byte flipped in a stored commit', damaged('hash-mismatch'), 'data-corruption'],
  ['a commit deleted in the middle', damaged('missing-commit'), 'data-corruption'],
  ['history rewritten', damaged('rewritten-history'), 'data-corruption'],
  ['a directory that forgot a stream', damaged('directory-mismatch'), 'data-corruption'],
  ['two histories of one stream', damaged('fork'), 'data-corruption'],
  ['the tail of a stream deleted', damaged('truncated-stream'), 'truncated-stream'],
  ['a table rewound under its consumers', damaged('checkpoint-beyond-head'), 'checkpoint-beyond-head'],
  ['a commit that never reached the log', damaged('unsequenced-commit'), 'unsequenced-commits'],
  ['batches in the relay failures bucket', relay({ failedBatches: 2 }), 'relay-failing'],
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
  [
    'messages that nobody takes out of a dead-letter queue',
    consumer({ deadLetterQueueDepth: 2 }),
    'dead-letters-waiting',
  ],
  ['messages that wait too long', consumer({ oldestMessageSeconds: 900 }), 'consumer-slow'],
  ['deliveries given up', consumer({ undelivered: { waiting: 0, failed: 3, sent: 3 } }), 'broker-down'],
  ['deliveries that wait to be taken in', consumer({ undelivered: { waiting: 1, failed: 0, sent: 0 } }), 'broker-down'],
  ['a schedule given up', { ...healthy, deadLetterQueues: [{ queue: 'scan', depth: 1 }] }, 'dead-letters-waiting'],
  ['a page of the log written twice', integrity({ logDamage: 1 }), 'log-damaged'],
  [
    'a finding of the scrub about the log',
    integrity({ logFindings: [{ kind: 'log-mismatch', streamId: 's' }] }),
    'log-damaged',
  ],
  ['a finding that nobody closed', integrity({ unconfirmed: [{ kind: 'fork', streamId: 's' }] }), 'scrub-finding-open'],
  [
    'effects that are gone',
    integrity({ effects: [{ consumer: 'inventory', wrong: 2, failed: 1, streamIds: ['s'] }] }),
    'effect-wrong',
  ],
  [
    'a verify() that throws',
    integrity({ effects: [{ consumer: 'inventory', wrong: 0, failed: 1, streamIds: ['s'] }] }),
    'unknown',
  ],
  ['AWS that does not answer', { ...healthy, unanswered: ['metrics'] }, 'unknown'],
];

const merge = (all: Evidence[]): Evidence => ({
  at: 0,
  relay: Object.assign({}, healthy.relay, ...all.map(({ relay }) => onlyChanged(relay, healthy.relay))),
  bus: Object.assign({}, ...all.map(({ bus }) => onlyChanged(bus, healthy.bus))),
  deadLetterQueues: all.flatMap(({ deadLetterQueues = [] }) => deadLetterQueues),
  unanswered: all.flatMap(({ unanswered = [] }) => unanswered),
  integrity: {
    damagedStreams: all.flatMap(({ integrity }) => integrity?.damagedStreams ?? []),
    logDamage: all.reduce((sum, { integrity }) => sum + (integrity?.logDamage ?? 0), 0),
    logFindings: all.flatMap(({ integrity }) => integrity?.logFindings ?? []),
    unconfirmed: all.flatMap(({ integrity }) => integrity?.unconfirmed ?? []),
    // Of a stream of its own: what cannot be read because of damage is named as the damage.
    effects: all.flatMap(({ integrity }) => (integrity?.effects ?? []).map((of) => ({ ...of, streamIds: ['other'] }))),
  },
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

  it('names each injection without being told which, with no miss and no false alarm', () => {
    const matrix = injections.map(([name, evidence, cause]) => ({
      name,
      cause,
      named: diagnose(evidence).map((finding) => finding.cause),
    }));
    const misses = matrix.filter(({ cause, named }) => named.length !== 1 || named[0] !== cause);
    expect(injections.length).toBeGreaterThan(30);
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

  it('does not call effects unknown that only a named damage keeps from being compared', () => {
    const effects = [{ consumer: 'inventory', wrong: 0, failed: 1, streamIds: ['s'] }];
    const { integrity: store } = damaged('hash-mismatch');
    const findings = diagnose({
      ...healthy,
      integrity: { ...store, damagedStreams: store?.damagedStreams ?? [], effects },
    });
    expect(findings.map(({ cause }) => cause)).toEqual(['data-corruption']);
  });

  it('does not call a consumer slow whose messages wait for another reason', () => {
    const slow = { oldestMessageSeconds: 4_000 };
    for (const reason of [
      { mappingState: 'Disabled' },
      { functionState: { throttles: 90, errors: 0, invocations: 100 } },
      { functionState: { throttles: 0, errors: 90, invocations: 100 } },
    ]) {
      const causes = diagnose(consumer({ ...slow, ...reason })).map(({ cause }) => cause);
      expect(causes).toHaveLength(1);
      expect(causes).not.toContain('consumer-slow');
    }
  });

  it('keeps what was not looked at apart from what is well', () => {
    expect(diagnose({ at: 0, consumers: [{ consumer: 'inventory', unknown: true }] })).toMatchObject([
      { cause: 'unknown', action: 'wait' },
    ]);
  });
});
