// Every live consumer is taken back to event 1 and moves through its history again, with its effects suppressed, while orders keep
// coming as fast as they can. New events must get through, in order and once, and late by a bounded time.

import { finishReplay, startReplay } from '../replays.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const STREAMS = 8;
/** A replay gives at most 100 streams at once; live messages queue behind these. */
const LIVE_LAG_BOUND_SECONDS = 60;

export const replayUnderLoad: Scenario = {
  name: 'replay-under-load',
  summary: 'all consumers move through their history again, effects suppressed, while orders keep coming',
  events: 200,
  async run(context) {
    const { consumers } = context.workload;
    const streams = context.plan(STREAMS);
    const half = Math.floor(Math.min(...streams.map((stream) => stream.events.length)) / 2);
    await context.append(streams, { from: 0, to: half });
    await settle(context);
    const started = performance.now();
    const replays = await Promise.all(
      consumers.map(({ name }) =>
        startReplay(context, {
          mode: 'rewind',
          consumer: name,
          selection: { streamPrefix: context.prefix },
          suppressEffects: true,
          ratePerSecond: 50,
          replan: true,
        }),
      ),
    );
    await context.append(streams, { from: half, to: Number.POSITIVE_INFINITY });
    const appended = performance.now();
    const views = [];
    for (const id of replays) views.push(await finishReplay(context, id));
    await settle(context);
    const seconds = (from: number): number => Math.round((performance.now() - from) / 100) / 10;
    context.fact('replays', views);
    context.fact('seconds', { all: seconds(started), untilQuietAfterTheLastOrder: seconds(appended) });
    if (seconds(appended) > LIVE_LAG_BOUND_SECONDS)
      context.progress(`the last order took up to ${seconds(appended)} s: a busy machine, or too much load`);
    for (const { name, eventTypes } of consumers) {
      const given = views.reduce((sum, view) => sum + (view?.consumer === name ? view.events.done : 0), 0);
      const history = context.ledger.entries.filter(({ type }) => eventTypes.includes(type)).length;
      if (given === 0 || given > history) context.problem(`${name}: the replay was of ${given} events, of ${history}`);
    }
  },
};
