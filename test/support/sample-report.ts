// One recovery as it looks when twelve lost deliveries were filled: for the renderings and for a look in the browser.

import type { RecoveryReport } from '../../lib/recovery/report/types.ts';
import { emptyConservation, type Verdict } from '../../lib/recovery/verify/types.ts';

const START = Date.UTC(2026, 0, 15, 3, 12, 0);

const verdict = (resolved: number, gap: number): Verdict => ({
  ok: gap === 0,
  streams: 20,
  commits: 96,
  events: 100,
  logHead: 100,
  consumers: [
    {
      consumer: 'inventory',
      conservation: { ...emptyConservation(), appended: 100, resolved, gap },
      digestsChecked: 20,
      effects: { status: 'verified', streams: 20, events: resolved, violations: 0, unsettled: 0 },
    },
    {
      consumer: 'notification',
      conservation: { ...emptyConservation(), appended: 100, resolved: 97, parked: 1, waiting: 2 },
      digestsChecked: 20,
      effects: { status: 'not-verified', streams: 0, events: 0, violations: 0, unsettled: 0 },
    },
  ],
  violations: [],
  violationCount: 0,
});

export function sampleReport(change: Partial<RecoveryReport> = {}): RecoveryReport {
  const at = (seconds: number): number => START + seconds * 1_000;
  return {
    format: 1,
    id: 'inventory-3f9a1c-100',
    result: 'recovered',
    requestedBy: 'gap scan',
    reason: '12 events of inventory were never delivered',
    trigger: 'scan',
    firstSignAt: at(-95),
    detectedAt: at(0),
    startedAt: at(0),
    endedAt: at(46.2),
    findings: [
      {
        id: 'delivery-lost:inventory',
        cause: 'delivery-lost',
        consumer: 'inventory',
        severity: 'high',
        confidence: 1,
        action: 'fill-gaps',
        explanation: '12 events in 5 streams of inventory were never resolved and nothing will deliver them',
        facts: {},
      },
      {
        id: 'poison-message:notification',
        cause: 'poison-message',
        consumer: 'notification',
        severity: 'medium',
        confidence: 1,
        action: 'redrive',
        explanation: '1 dead letter of notification in 1 group',
        facts: {},
      },
    ],
    steps: [
      { name: 'Validate', startedAt: at(0), endedAt: at(0.2), outcome: 'done', summary: 'input is valid' },
      { name: 'Diagnose', startedAt: at(0.2), endedAt: at(1.4), outcome: 'done', summary: '2 findings' },
      {
        name: 'FillGaps',
        startedAt: at(1.4),
        endedAt: at(42.4),
        outcome: 'done',
        summary: '5 wake-ups, 12 events resolved',
      },
      {
        name: 'VerifyConsistency',
        startedAt: at(42.4),
        endedAt: at(45),
        outcome: 'done',
        summary: '100 of 100 events accounted for',
      },
      { name: 'ReportStatus', startedAt: at(45), endedAt: at(46.2), outcome: 'done', summary: 'stored and announced' },
    ],
    before: verdict(88, 12),
    after: verdict(100, 0),
    nextCommands: ['npx event-recovery redrive --consumer notification'],
    ...change,
  };
}
