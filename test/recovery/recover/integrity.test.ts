// What verification and scrub say together: who is believed when they differ.

import { describe, expect, it } from '@jest/globals';
import { integrityOf } from '../../../lib/recovery/recover/damaged-streams.ts';
import type { Violation } from '../../../lib/recovery/verify/types.ts';

const scrubbed = (kind: 'hash-mismatch' | 'foreign-item' | 'log-mismatch', streamId = 's', from = 3) => ({
  kind,
  streamId,
  from,
});
const hash: Violation = { kind: 'store-hash', streamId: 's', version: 3, detail: '' };

describe('signs about the store', () => {
  it('say nothing when there are none', () => {
    expect(integrityOf({ violations: [], isWhole: true, findings: [] })).toBeUndefined();
    expect(integrityOf({ violations: undefined, isWhole: true, findings: [] })).toBeUndefined();
  });

  it('are one damage when both saw it', () => {
    expect(integrityOf({ violations: [hash], isWhole: true, findings: [scrubbed('hash-mismatch')] })).toMatchObject({
      damagedStreams: [{ streamId: 's', kind: 'hash-mismatch', version: 3 }],
      unconfirmed: [],
    });
  });

  it('believe a verification that has read everything: what only the scrub saw is an open finding, no damage', () => {
    for (const kind of ['hash-mismatch', 'log-mismatch'] as const) {
      expect(integrityOf({ violations: [], isWhole: true, findings: [scrubbed(kind)] })).toMatchObject({
        damagedStreams: [],
        logFindings: [],
        unconfirmed: [{ kind, streamId: 's' }],
      });
    }
  });

  it.each([
    ['there was no verification', undefined, true],
    ['it found more than it listed', [] as Violation[], false],
  ])('believe the scrub when %s', (_what, violations, isWhole) => {
    const findings = [scrubbed('foreign-item', 'a', 7), scrubbed('log-mismatch', 'b')];
    expect(integrityOf({ violations, isWhole, findings })).toMatchObject({
      damagedStreams: [{ streamId: 'a', kind: 'fork', version: 7 }],
      logFindings: [{ kind: 'log-mismatch', streamId: 'b' }],
      unconfirmed: [],
    });
  });

  it('count what is wrong with the log, but not where the stream itself is damaged', () => {
    const order = (streamId?: string): Violation => ({ kind: 'log-order', streamId, detail: '' });
    const violations = [hash, order('s'), order('t'), order(undefined)];
    expect(integrityOf({ violations, isWhole: true, findings: [] })).toMatchObject({ logDamage: 2 });
  });

  it('gather effects by consumer, wrong ones apart from looks that failed', () => {
    const of = (kind: 'effect' | 'effect-not-verified', consumer: string, streamId?: string): Violation => ({
      kind,
      consumer,
      streamId,
      detail: '',
    });
    const violations = [
      of('effect', 'a', 's'),
      of('effect', 'a', 's'),
      of('effect', 'a'),
      of('effect-not-verified', 'b', 't'),
    ];
    expect(integrityOf({ violations, isWhole: true, findings: [] })?.effects).toEqual([
      { consumer: 'a', wrong: 3, failed: 0, streamIds: ['s'] },
      { consumer: 'b', wrong: 0, failed: 1, streamIds: ['t'] },
    ]);
  });
});
