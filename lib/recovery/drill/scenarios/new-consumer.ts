// Subscriptions change while orders keep coming. A consumer that starts now gets no history and everything after it. One that wanted
// other types gets a type added: the schedule backfills its history by itself, and nothing of it comes twice.

import type { DrillContext } from '../context.ts';
import { compareEffects } from '../replays.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { openVisitor, type Visitor } from '../visitor.ts';
import { waitUntil } from '../wait-until.ts';

const STREAMS = 6;
const TYPE = 'OrderPlaced';
const OTHER_TYPE = 'OrderCancelled';
const PATIENCE = { timeoutMs: 120_000, pollMs: 1_000 };

export const newConsumer: Scenario = {
  name: 'new-consumer',
  summary: 'a consumer that starts now, and one that gets an event type added: history is backfilled by itself, once',
  events: 150,
  async run(context) {
    const streams = context.plan(STREAMS);
    const third = Math.floor(Math.min(...streams.map((stream) => stream.events.length)) / 3);
    await context.append(streams, { from: 0, to: third });
    await settle(context);
    const history = [...context.ledger.entries];
    const late = await openVisitor(context, { kind: 'late', eventTypes: [TYPE], startFrom: 'now' });
    const changed = await openVisitor(context, { kind: 'changed', eventTypes: [OTHER_TYPE] });
    try {
      await context.append(streams, { from: third, to: 2 * third });
      await settle(context);
      await changed.redeclare([TYPE, OTHER_TYPE]);
      if (!(await changed.hasBackfill()))
        context.problem('the registry does not know that the history of a type waits');
      await context.append(streams, { from: 2 * third, to: Number.POSITIVE_INFINITY });
      await untilBackfilled(context, changed);
      const all = context.ledger.entries.filter(({ type }) => type === TYPE);
      const after = all.slice(history.length);
      await Promise.all([untilSeen(context, changed, all.length), untilSeen(context, late, after.length)]);
      compareEffects(context, changed.name, await oursOf(context, changed), all);
      compareEffects(context, late.name, await oursOf(context, late), after);
      const backfilled = (await oursOf(context, changed)).filter(({ replayId }) => replayId !== undefined).length;
      context.fact('effects', { all: all.length, late: after.length, backfilled });
      if (backfilled < history.length)
        context.problem(`${backfilled} events were backfilled, at least ${history.length} are history`);
    } finally {
      await Promise.all([late.leave(), changed.leave()]);
    }
  },
};

const oursOf = async ({ prefix }: DrillContext, visitor: Visitor) =>
  (await visitor.effects()).filter(({ streamId }) => streamId.startsWith(prefix));

/** As the schedule does every minute. */
const untilBackfilled = ({ system }: DrillContext, visitor: Visitor): Promise<true> =>
  waitUntil(
    `the end of the backfill of ${visitor.name}`,
    async () => {
      await system.invoke('ReplayEvents', { action: 'continue' });
      return (await visitor.hasBackfill()) ? undefined : true;
    },
    PATIENCE,
  );

const untilSeen = (context: DrillContext, visitor: Visitor, count: number): Promise<true> =>
  waitUntil(
    `${count} effects of ${visitor.name}`,
    async () => ((await oursOf(context, visitor)).length >= count ? true : undefined),
    PATIENCE,
  );
