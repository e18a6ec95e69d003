// Everybody wants the same stream: its events arrive one by one while fifty more wake-ups for it are sent to each consumer's
// queue. Ten invocations at once fight for one lease; the losers must leave a trace and acknowledge, not burn receives.

import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type QueueMessage, WAKE_UP_FORMAT } from '../../../model/wake-up.ts';
import type { DrillContext } from '../context.ts';
import type { Scenario } from '../scenario.ts';
import { waitUntil } from '../wait-until.ts';
import type { PlannedStream, WatchedConsumer } from '../workload.ts';

const WAKE_UPS = 50;
/** The holder works slowly, so that others meet its lease. */
const SLOW_EFFECT_MS = 50;
/** Fewer processes than this would mean that nobody fought. */
const CONTENDERS_MIN = 3;

export const hotStream: Scenario = {
  name: 'hot-stream',
  summary: 'fifty wake-ups of one stream at concurrency ten: nothing may reach a dead-letter queue',
  events: 50,
  async run(context) {
    const stream = [...context.plan(1)].sort((a, b) => b.events.length - a.events.length)[0];
    if (!stream) return;
    const { faults } = context.system;
    const contenders: Record<string, Set<number>> = {};
    for (const { name, effectCall } of context.workload.consumers) {
      const pids = new Set<number>();
      contenders[name] = pids;
      faults.delayOn({ functionName: name, ...effectCall, delayMs: SLOW_EFFECT_MS, times: Number.POSITIVE_INFINITY });
      const lease = { functionName: name, service: 'dynamodb', operation: 'UpdateItem' };
      faults.observe({ ...lease, match: (body) => body.includes(stream.streamId) }, (call) => pids.add(call.pid));
    }
    context.fact('contenders', contenders);
    const sending = context.workload.consumers.map((consumer) => sendWakeUps(context, consumer, stream));
    await Promise.all([context.append([stream]), ...sending]);
    context.fact('wakeUps', WAKE_UPS * context.workload.consumers.length);
  },
  verify(context) {
    const contenders = Object.entries(context.facts.contenders as Record<string, Set<number>>);
    context.fact('contenders', Object.fromEntries(contenders.map(([name, pids]) => [name, pids.size])));
    for (const [name, pids] of contenders) {
      if (pids.size < CONTENDERS_MIN) context.problem(`only ${pids.size} processes of ${name} asked for the lease`);
    }
  },
};

async function sendWakeUps(context: DrillContext, consumer: WatchedConsumer, stream: PlannedStream): Promise<void> {
  const sqs = new SQSClient(context.system.clientConfig);
  const QueueUrl = context.system.outputs[consumer.queueUrlOutput];
  const reached = (): number => context.ledger.entries.filter((entry) => entry.streamId === stream.streamId).length;
  await waitUntil('the first event', async () => reached() || undefined, { pollMs: 10 });
  for (let number = 0; number < WAKE_UPS; number += 1) {
    const message: QueueMessage = {
      format: WAKE_UP_FORMAT,
      kind: 'wake-up',
      consumer: consumer.name,
      streamId: stream.streamId,
      version: reached(),
      hops: 0,
      reason: 'gap',
    };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
  }
  sqs.destroy();
}
