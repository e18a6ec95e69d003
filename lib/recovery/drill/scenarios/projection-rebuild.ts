// A second inventory is built from event 1 beside the live one, while orders keep coming. At the end both have seen the same
// events, each once; the live one never noticed.

import { compareEffects, finishReplay, startReplay } from '../replays.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { openVisitor, type Visitor } from '../visitor.ts';
import { waitUntil } from '../wait-until.ts';

const STREAMS = 8;
const LIVE = 'inventory';

export const projectionRebuild: Scenario = {
  name: 'projection-rebuild',
  summary: 'a second inventory is built from event 1 beside the live one while orders keep coming; both end equal',
  events: 160,
  async run(context) {
    const live = context.consumer(LIVE);
    const streams = context.plan(STREAMS);
    const half = Math.floor(Math.min(...streams.map((stream) => stream.events.length)) / 2);
    await context.append(streams, { from: 0, to: half });
    await settle(context);
    const visitor = await openVisitor(context, { kind: 'second', eventTypes: live.eventTypes });
    try {
      const replayId = await startReplay(context, {
        mode: 'resume',
        consumer: visitor.name,
        selection: { everything: true },
        ratePerSecond: 100,
      });
      await context.append(streams, { from: half, to: Number.POSITIVE_INFINITY });
      context.fact('replay', await finishReplay(context, replayId));
      await settle(context);
      await everything(visitor, context.prefix, context.ledger.entries.length);
      const isOurs = ({ streamId }: { streamId: string }): boolean => streamId.startsWith(context.prefix);
      const rebuilt = (await visitor.effects()).filter(isOurs);
      compareEffects(context, 'the second inventory', rebuilt, await context.effectLog.applied(LIVE));
      context.fact('rebuilt', rebuilt.length);
    } finally {
      await visitor.leave();
    }
  },
};

/** What was appended last may still be on its way to it. */
async function everything(visitor: Visitor, prefix: string, count: number): Promise<void> {
  await waitUntil(
    `${count} effects of ${visitor.name}`,
    async () =>
      (await visitor.effects()).filter(({ streamId }) => streamId.startsWith(prefix)).length >= count || undefined,
    { pollMs: 500 },
  );
}
