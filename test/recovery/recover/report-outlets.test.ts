import { describe, expect, it } from '@jest/globals';
import { buildReport } from '../../../lib/recovery/recover/finish.ts';
import { createReportOutlets } from '../../../lib/recovery/recover/report-outlets.ts';

const report = buildReport(
  {
    progress: {
      id: 'recovery-1',
      request: {
        actions: ['propose'],
        dryRun: false,
        requestedBy: 'Zoë',
        reason: 'test',
        trigger: 'operator',
        graceSeconds: 60,
      },
      startedAt: 1_000,
      firstSignAt: 500,
      at: 2_000,
      next: 'report',
      round: 0,
      sinceChange: 0,
      quietRounds: 0,
      gapRounds: 0,
      waitSeconds: 1,
      consumers: [],
      jobs: [],
      batches: [],
      findings: [],
      standing: [],
      steps: [],
      leases: [],
      left: { gapStreams: 0, lagStreams: 0, openLetters: 0, redriving: 0, failedAgain: 0, unscanned: 0 },
    },
  },
  3_000,
);

function createOutlets(entry: { EventId?: string; ErrorCode?: string }) {
  const sent: { input: Record<string, unknown> }[] = [];
  const send = async (command: { input: Record<string, unknown> }) => {
    sent.push(command);
    return { Entries: [entry] };
  };
  const client = { send } as never;
  const names = { bucket: 'archive', topicArn: 'topic', busName: 'bus' };
  return { sent, outlets: createReportOutlets({ s3: client, sns: client, events: client, ...names }) };
}

describe('the outlets of a report', () => {
  it('store a rendering under its key', async () => {
    const { sent, outlets } = createOutlets({ EventId: '1' });
    await outlets.store('recoveries/recovery-1/report.json', '{}', 'application/json');
    expect(sent[0]?.input).toMatchObject({ Bucket: 'archive', Key: 'recoveries/recovery-1/report.json', Body: '{}' });
  });

  it('tell the bus and the topic where the report is and how it ended', async () => {
    const { sent, outlets } = createOutlets({ EventId: '1' });
    await outlets.announce(report, 'recoveries/recovery-1/report.html');
    const [bus, topic] = sent.map(({ input }) => input);
    expect(bus).toMatchObject({
      Entries: [{ EventBusName: 'bus', Source: 'event-recovery.recovery', DetailType: 'RecoveryFinished' }],
    });
    expect(topic).toMatchObject({ TopicArn: 'topic', Subject: 'Recovery recovery-1: Nothing to repair' });
    expect(JSON.parse(topic?.Message as string)).toMatchObject({
      result: 'nothing-to-do',
      bucket: 'archive',
      key: 'recoveries/recovery-1/report.html',
      requestedBy: 'Zoë',
    });
  });

  it('reject when the bus refuses the entry, so that it is tried again', async () => {
    const { outlets } = createOutlets({ ErrorCode: 'ThrottlingException' });
    await expect(outlets.announce(report, 'key')).rejects.toMatchObject({
      code: 'ANNOUNCEMENT_REFUSED',
      retryable: true,
    });
  });
});
