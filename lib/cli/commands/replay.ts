// `event-recovery plan` says what a replay would do; `event-recovery replay start` does it (a dry run unless it is told to apply);
// status, pause, resume and cancel follow it. Exit code 1 when streams of it failed or it stopped by itself.

import type { Command } from 'commander';
import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import type { ReplayAnswer, ReplayView } from '../../recovery/replay/answer.ts';
import { agreed, type CommandContext, type RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

const FUNCTION = 'replay-events';

interface What {
  mode?: string;
  consumer?: string;
  everything?: boolean;
  stream?: string;
  streamPrefix?: string;
  type?: string[];
  fromPosition?: string;
  toPosition?: string;
  fromTime?: string;
  toTime?: string;
  rate?: string;
  maxFailureRate?: string;
  suppressEffects?: boolean;
  reason?: string;
}

interface StartOptions extends What {
  plan?: string;
  replan?: boolean;
  apply?: boolean;
}

const withWhat = (command: Command): Command =>
  command
    .option('--mode <mode>', 'resume, rewind, redeliver, fill or backfill')
    .option('--consumer <name>', 'the one consumer that gets the events')
    .option('--everything', 'all streams')
    .option('--stream <id>', 'one stream')
    .option('--stream-prefix <prefix>', 'streams whose id begins so')
    .option('--type <type...>', 'event types')
    .option('--from-position <number>', 'position in the log, included')
    .option('--to-position <number>', 'position in the log, included')
    .option('--from-time <time>', 'recorded at this time or later, for example 2026-03-01T12:00:00Z')
    .option('--to-time <time>', 'recorded at this time or earlier')
    .option('--rate <number>', 'events per second (default: 100)')
    .option('--max-failure-rate <share>', 'share of failed streams above which it stops, 0 to 1 (default: 0.1)')
    .option('--suppress-effects', 'resume, rewind, backfill: move through without reacting')
    .option('--reason <text>', 'for the audit');

/** What the function is asked for; its own checks name what is wrong with the rest. */
const requestOf = (what: What) => ({
  mode: what.mode,
  consumer: what.consumer,
  selection: {
    everything: what.everything,
    streamId: what.stream,
    streamPrefix: what.streamPrefix,
    eventTypes: what.type,
    fromPosition: number(what.fromPosition),
    toPosition: number(what.toPosition),
    fromTimeMs: time('--from-time', what.fromTime),
    toTimeMs: time('--to-time', what.toTime),
  },
  ratePerSecond: number(what.rate),
  maxFailureRate: number(what.maxFailureRate),
  suppressEffects: what.suppressEffects,
});

/** JSON has no NaN: what is no number stays the text that it is, and the function says so. */
const number = (text: string | undefined): number | string | undefined =>
  text === undefined || Number.isNaN(Number(text)) ? text : Number(text);

function time(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new InvalidInputError('INVALID_TIME', {
    what: option,
    got: text,
    allowed: 'a date and time with its zone, for example 2026-03-01T12:00:00Z',
    remedy: 'write it so',
  });
}

export const registerReplay: RegisterCommand = (program, run) => {
  withWhat(program.command('plan'))
    .description(
      'what a replay would do: streams, events, repeats, cost, time; stored, so that it can be started as it is',
    )
    .action((options: What, command) =>
      run(command, async ({ deployment, output, requestedBy }) => {
        const { reason } = options;
        const request = { action: 'plan', ...requestOf(options), requestedBy, reason };
        const answer = await deployment.invoke<ReplayAnswer>(FUNCTION, request);
        output.result(answer, show);
        if (answer.result === 'planned')
          output.next(`npx event-recovery replay start --plan ${answer.plan?.id} --apply`);
        return EXIT.ok;
      }),
    );

  const replay = program.command('replay').description('give events to a consumer again, or for the first time');
  withWhat(replay.command('start'))
    .description('apply a plan, or plan and apply at once; without --apply only says what would be done')
    .option('--plan <id>', 'a plan that was made before, instead of the options above')
    .option('--replan', 'when what the plan was made from has changed: plan the same again')
    .option('--apply', 'do it')
    .action((options: StartOptions, command) => run(command, (context) => start(context, options)));

  replay
    .command('status [replayId]')
    .description('how far a replay is, or all that are not finished')
    .option('--consumer <name>', 'of one consumer')
    .action((replayId: string | undefined, { consumer }: { consumer?: string }, command) =>
      run(command, async (context) => {
        const answer = await context.deployment.invoke<ReplayAnswer>(FUNCTION, {
          action: 'status',
          replayId,
          consumer,
        });
        return told(context, answer);
      }),
    );
  for (const action of ['pause', 'resume', 'cancel'] as const) {
    replay
      .command(`${action} <replayId>`)
      .description(
        `${action} a replay${action === 'cancel' ? ': what was given is finished, nothing more is given' : ''}`,
      )
      .option('--reason <text>', 'for the audit')
      .action((replayId: string, { reason }: { reason?: string }, command) =>
        run(command, async (context) => {
          const { deployment, requestedBy } = context;
          return told(
            context,
            await deployment.invoke<ReplayAnswer>(FUNCTION, { action, replayId, requestedBy, reason }),
          );
        }),
      );
  }
};

async function start(context: CommandContext, options: StartOptions): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const { plan, replan, reason } = options;
  const asked = plan === undefined ? requestOf(options) : { planId: plan, replan };
  const request = { action: 'start', ...asked, requestedBy, reason };
  // With --replan a stale plan is made again: what is agreed to is the new one.
  const would = await deployment.invoke<ReplayAnswer>(FUNCTION, { ...request, dryRun: true });
  if (!options.apply || would.result !== 'would') {
    if (would.replay !== undefined) return told(context, would);
    output.result(would, show);
    if (would.result === 'would') output.next(`npx event-recovery replay start --plan ${would.plan?.id} --apply`);
    return EXIT.ok;
  }
  const { streams = 0, events = 0, expectedRepeats = 0 } = would.plan?.totals ?? {};
  const what = `${events} events of ${streams} streams, ${expectedRepeats} of them once more`;
  if (!(await agreed(context, `Give ${what} to ${would.plan?.consumer}?`))) {
    throw new EventRecoveryError('CONFIRMATION_REQUIRED', `${what}: nothing was done; remedy: add --yes`);
  }
  const applied = { action: 'start', planId: would.plan?.id, replan: plan === undefined || replan, dryRun: false };
  return told(context, await deployment.invoke<ReplayAnswer>(FUNCTION, { ...applied, requestedBy, reason }));
}

function told({ output }: CommandContext, answer: ReplayAnswer): ExitCode {
  output.result(answer, show);
  const views = answer.replay ? [answer.replay] : (answer.replays ?? []);
  const [unfinished] = views.filter(({ status }) => status !== 'done' && status !== 'cancelled');
  if (unfinished !== undefined) {
    const action = unfinished.status === 'running' ? 'status' : 'resume';
    output.next(`npx event-recovery replay ${action} ${unfinished.id}`);
  } else if (views.some(({ rows }) => rows.failed > 0)) output.next('npx event-recovery dead-letters');
  return views.some(({ status, rows }) => status === 'stopped' || rows.failed > 0) ? EXIT.findings : EXIT.ok;
}

function show(answer: ReplayAnswer): string {
  const { plan, streams = [], replay, replays } = answer;
  if (replays !== undefined) return replays.length === 0 ? 'No replay is unfinished.' : replays.map(view).join('\n\n');
  if (replay !== undefined) return view(replay);
  if (plan === undefined) return answer.result;
  const { totals } = plan;
  const rows = streams.map(({ streamId, from, to, events, repeats }) => [streamId, from, to, events, repeats]);
  return [
    ...(rows.length > 0 ? [table(['stream', 'from', 'to', 'events', 'repeats'], rows)] : []),
    ...(plan.rows > rows.length ? [`... and ${plan.rows - rows.length} more`] : []),
    '',
    oneLine(`plan ${plan.id}: ${plan.mode} of ${plan.consumer}`),
    ...plan.blastRadius.map((line) => oneLine(`  ${line}`)),
    `  ${totals.wakeUps} messages, ${totals.readUnits} read and ${totals.writeUnits} write units, ${totals.etaSeconds} s at ${plan.options.ratePerSecond} events/s`,
    ...(answer.result === 'nothing' ? ['nothing to do'] : []),
  ].join('\n');
}

function view({ id, consumer, mode, status, rows, events, percent, etaSeconds, failures, note }: ReplayView): string {
  const eta = etaSeconds === undefined ? '' : `, ${etaSeconds} s to go`;
  return [
    oneLine(`replay ${id}: ${mode} of ${consumer}, ${status}${note ? ` (${note})` : ''}`),
    `  ${percent} %: ${rows.done} of ${rows.all} rows done, ${rows.failed} failed, ${events.done} of ${events.all} events${eta}`,
    ...failures.map(({ streamId, why }) => oneLine(`  failed: ${streamId}: ${why}`)),
  ].join('\n');
}
